"""What an install would do, and what it means."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import pytest
from fake_crontab import NOW, make_block, make_entry, make_removal, make_wanted

from runner.crontab.dialects import CRONIE, DEBIAN
from runner.crontab.entry import Entry
from runner.crontab.preview import Preview, Wanted, encode_preview, plan_install, plan_uninstall
from runner.crontab.zones import make_fields
from runner.errors import UserError
from runner.launch.installed import Installed
from runner.launch.plan_encode import encode_schedule
from runner.launch.slot import get_zone
from runner.registry.schedule import parse_when

NOON = make_entry("noon", "0 12 * * *")
NIGHT = make_entry("night@prod", "30 2 * * *")
HALF = make_entry("half", "*/30 * * * *")


def install(old: bytes | None, wanted: Wanted) -> Preview:
    return plan_install(old, wanted, DEBIAN, NOW)


def uninstall(old: bytes | None, made_by_us: bool = False) -> Preview:
    return plan_uninstall(old, make_removal(), DEBIAN, NOW, made_by_us=made_by_us)


def test_an_added_job_shows_its_next_five_slots_in_both_times():
    """CRON-60; 2026-03-08 has no 02:30 in New York."""
    (job,) = encode_preview(install(None, make_wanted(NIGHT)))["jobs"]  # type: ignore[misc]
    assert (job["job"], job["profile"], job["change"], job["before"]) == ("night", "prod", "added", [])
    assert len(job["after"]) == 5
    assert job["after"][1] == {"slot": "2026-03-10T06:30:00Z", "local": "2026-03-10T02:30:00-04:00"}


def test_a_removed_job_shows_the_slots_that_go():
    """CRON-60."""
    (job,) = install(make_block(NOON, HALF), make_wanted(HALF)).jobs
    assert (job.plan, job.change, len(job.before), job.after) == ("noon", "removed", 5, ())


def test_a_changed_schedule_shows_the_slots_before_and_after():
    """CRON-60."""
    old, new = make_entry("noon", "0 12 * * *"), make_entry("noon", "15 12 * * *")
    (job,) = install(make_block(old), make_wanted(new)).jobs
    assert job.change == "changed"
    assert [after - before for before, after in zip(job.before, job.after, strict=True)] == [900] * 5


def test_a_job_that_only_moved_to_other_recipients_fires_as_before():
    moved = make_entry("noon", "0 12 * * *", mailto=("al@example.org",))
    preview = install(make_block(NOON), make_wanted(moved))
    assert preview.changed
    assert preview.jobs == ()
    assert '+MAILTO="al@example.org"\n' in preview.text_diff


def test_what_fires_in_the_next_ten_minutes_is_listed():
    """CRON-61."""
    soon = make_entry("soon", "*/5 * * * *")
    assert install(None, make_wanted(HALF, NOON, soon)).soon == ((int(NOW) + 300, "soon"), (int(NOW) + 600, "soon"))


def test_the_same_block_changes_nothing():
    """CRON-53."""
    preview = install(b"A=1\n" + make_block(NOON), make_wanted(NOON))
    assert not preview.changed
    assert (preview.text_diff, preview.jobs) == ("", ())


def test_foreign_lines_are_counted_and_those_below_our_block_reported():
    """CRON-22, CRON-61."""
    preview = install(b"A=1\n# b\n" + make_block(NOON) + b"0 0 * * * true\n", make_wanted(NOON))
    assert (preview.foreign.lines, preview.foreign.below) == (3, 1)
    assert preview.new == b"A=1\n# b\n0 0 * * * true\n" + make_block(NOON)
    assert any("below our block: 1" in warning for warning in preview.warnings)


def test_the_digest_of_the_foreign_bytes_stays_the_same():
    """CRON-61: that they are unchanged can be seen."""
    before = install(b"\tA = \xe9\r\n", make_wanted(NOON))
    after = install(before.new, make_wanted(HALF))
    assert before.foreign.digest == after.foreign.digest


def test_an_added_newline_is_reported():
    """CRON-44."""
    assert any("no newline" in warning for warning in install(b"0 0 * * * true", make_wanted(NOON)).warnings)


def test_the_longest_line_stands_against_the_limit_of_the_daemon():
    """CRON-61."""
    preview = plan_install(None, make_wanted(NOON), CRONIE, NOW)
    assert (preview.longest_bytes, preview.limit_bytes) == (50, 131_072)


def test_the_warnings_of_the_compiler_are_passed_on():
    wanted = replace(make_wanted(NOON), warnings=("noon: fires rarely",))
    assert install(None, wanted).warnings == ("noon: fires rarely",)


def test_the_diff_shows_no_secret_of_a_foreign_line():
    """CRON-66."""
    preview = install(b"DB_PASSWORD=s3cr3t\nA=1\n", make_wanted(NOON))
    assert " DB_PASSWORD=***\n A=1\n+# BEGIN" in preview.text_diff
    assert "s3cr3t" not in json.dumps(encode_preview(preview))


def test_a_block_edited_by_hand_is_refused_with_the_diff():
    """CRON-48."""
    edited = b"A=1\n" + make_block(NOON).replace(b"0 12 ", b"0 13 ")
    with pytest.raises(UserError) as refused:
        install(edited, make_wanted(NOON))
    assert str(refused.value).startswith("line 2: the block of ql@ops was edited by hand")
    assert "-0 13 * * * /home" in str(refused.value)
    with pytest.raises(UserError, match="edited by hand"):
        uninstall(edited)


@pytest.mark.parametrize(
    ("was", "wrong"),
    [
        ({"user": "al"}, "user al, not wfc3ql"),
        ({"hosts": ("old1", "old2")}, "host old1 old2, not ql-ops1.example.org"),
        ({"site": ""}, "site none, not dsoc"),
        ({"environment": "test"}, "environment test, not prod"),
    ],
)
def test_a_block_of_another_place_is_not_replaced(was: dict[str, object], wrong: str):
    """CRON-49: its header tells a copied crontab, and the test installation's block from production's."""
    with pytest.raises(
        UserError, match=f"^line 2: the block of ql@ops that stands there is for {wrong}; if it is to go"
    ):
        install(b"A=1\n" + make_block(NOON, **was), make_wanted(NOON))
    assert uninstall(b"A=1\n" + make_block(NOON, **was)).new == b"A=1\n"


def test_hosts_may_join_and_leave_a_target():
    """CRON-49."""
    more = ("ql-ops1.example.org", *[f"a-host-with-a-long-name-{number}.example.org" for number in range(9)])
    assert install(make_block(NOON, hosts=more), make_wanted(NOON)).changed
    assert install(make_block(NOON), make_wanted(NOON, hosts=more)).changed


def test_a_foreign_zone_on_cronie_stops_the_install():
    """CRON-23."""
    with pytest.raises(UserError, match="line 1: CRON_TZ"):
        plan_install(b"CRON_TZ=Europe/Paris\n", make_wanted(NOON), CRONIE, NOW)
    assert plan_install(b"CRON_TZ=Europe/Paris\n", make_wanted(NOON), DEBIAN, NOW).changed


def test_a_foreign_zone_below_our_block_stops_it_too_since_it_will_be_above():
    with pytest.raises(UserError, match="CRON_TZ"):
        plan_install(make_block(NOON) + b"CRON_TZ=UTC\n", make_wanted(NOON), CRONIE, NOW)


def test_a_crontab_that_would_be_too_long_is_refused():
    """CRON-28."""
    with pytest.raises(UserError, match="10016 lines"):
        install(b"# x\n" * 10_000, make_wanted(*[make_entry(f"j{n}", "0 1 * * *") for n in range(7)]))


def test_uninstall_leaves_the_foreign_bytes():
    """CRON-64."""
    preview = uninstall(b"A=1\n" + make_block(NOON) + b"B=2")
    assert preview.new == b"A=1\nB=2"
    assert [job.change for job in preview.jobs] == ["removed"]


@pytest.mark.parametrize("old", [None, b"", b"A=1\n"])
def test_uninstall_without_a_block_changes_nothing(old: bytes | None):
    """CRON-64."""
    assert not uninstall(old, made_by_us=True).changed


@pytest.mark.parametrize(
    ("foreign", "made_by_us", "left"), [(b"", True, None), (b"", False, b""), (b"A=1\n", True, b"A=1\n")]
)
def test_only_an_empty_crontab_that_we_made_is_removed(foreign: bytes, made_by_us: bool, left: bytes | None):
    """CRON-64."""
    assert uninstall(foreign + make_block(NOON), made_by_us=made_by_us).new == left


def test_the_object_for_programs_has_the_fields_that_were_promised():
    """CRON-62."""
    record = encode_preview(install(b"A=1\n", make_wanted(NOON)))
    assert {"target", "host", "user", "changed", "text_diff", "jobs", "foreign", "warnings"} <= record.keys()
    assert record["foreign"] == {"lines": 1, "digest": "91d6a3d55e9fea79", "below": 0}
    assert json.dumps(record)


# A clock of the job's own (CRON-36, CRON-60): its lines do not tell when it is due, the last install does.


def gated(when: str, zone: str) -> Entry:
    entry = make_entry("gated", when)
    return replace(entry, fields=make_fields((parse_when(when),), zone, "America/New_York"), timezone=zone)


def change_gated(old: Entry, new: Entry) -> Preview:
    """Return what an install of one in place of the other means; the other was installed as it is."""
    was = Installed("gated", NOW, old.timezone, [encode_schedule(schedule) for schedule in old.schedules])
    return install(make_block(old), replace(make_wanted(new), installed={"gated": was}))


def test_the_slots_of_a_gated_job_are_shown_and_not_the_firings_of_its_lines():
    """2026-03-08T07:00Z is 08:00 in Paris and 03:00 in New York."""
    (job,) = encode_preview(install(None, make_wanted(gated("0 9 * * *", "Europe/Paris"))))["jobs"]  # type: ignore[misc]
    assert job["after"][0] == {"slot": "2026-03-08T08:00:00Z", "local": "2026-03-08T04:00:00-04:00"}
    assert [slot["slot"][11:16] for slot in job["after"]] == ["08:00"] * 5


def test_a_schedule_that_changed_behind_the_same_lines_is_a_change():
    old, new = gated("0 9 * * *", "Europe/Paris"), gated("0 10 * * *", "Europe/Paris")
    preview = change_gated(old, new)
    assert (old.fields, preview.old, preview.text_diff) == (new.fields, preview.new, "")
    assert preview.changed
    (job,) = preview.jobs
    assert job.change == "changed"
    assert [after - before for before, after in zip(job.before, job.after, strict=True)] == [3600] * 5


def test_a_zone_alone_that_changed_is_a_change():
    (job,) = change_gated(gated("0 9 * * *", "Europe/Paris"), gated("0 9 * * *", "Europe/London")).jobs
    assert (job.change, job.after[0] - job.before[0]) == ("changed", 3600)


def test_a_job_that_gets_the_clock_of_its_target_is_a_change():
    (job,) = change_gated(gated("0 9 * * *", "Europe/Paris"), make_entry("gated", "0 9 * * *")).jobs
    assert (job.before[0], job.after[0]) == (int(NOW) + 3600, int(NOW) + 6 * 3600)


def test_a_gated_job_that_stays_as_it_was_is_no_change():
    entry = gated("0 9 * * *", "Europe/Paris")
    assert not change_gated(entry, entry).changed


def test_of_a_gated_job_nothing_is_known_but_its_lines_where_the_record_is_gone():
    (job,) = uninstall(make_block(gated("0 9 * * *", "Europe/Paris"))).jobs
    assert [after - before for before, after in pairwise(job.before)] == [3600] * 4


def test_what_fires_soon_is_what_the_gate_lets_through():
    """CRON-61: the line of both fires each hour."""
    soon, later = gated("5 8 * * *", "Europe/Paris"), replace(gated("5 9 * * *", "Europe/Paris"), plan="later")
    assert install(None, make_wanted(soon, later)).soon == ((int(NOW) + 300, "gated"),)


def test_a_removed_gated_job_shows_the_slots_that_go():
    was = Installed("gated", NOW, "Asia/Kolkata", ["0 12 * * *"])
    removal = replace(make_removal(), installed={"gated": was})
    (job,) = plan_uninstall(
        make_block(gated("0 12 * * *", "Asia/Kolkata")), removal, DEBIAN, NOW, made_by_us=False
    ).jobs
    assert {slot % 86400 for slot in job.before} == {6 * 3600 + 1800}


def test_a_job_installed_with_a_zone_that_is_gone_has_no_slots_before():
    was = Installed("gated", NOW, "Mars/Olympus_Mons", ["0 12 * * *"])
    entry = gated("0 12 * * *", "Asia/Kolkata")
    (job,) = install(make_block(entry), replace(make_wanted(entry), installed={"gated": was})).jobs
    assert (job.change, job.before, len(job.after)) == ("changed", (), 5)


def test_the_preview_leaves_the_zone_of_the_target_in_force():
    install(None, make_wanted(gated("0 9 * * *", "Europe/Paris")))
    assert get_zone() == "America/New_York"
