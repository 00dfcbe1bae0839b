"""What an install would do, and what it means."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from fake_crontab import NOW, make_block, make_entry, make_removal, make_wanted

from runner.crontab.dialects import CRONIE, DEBIAN
from runner.crontab.preview import Preview, Wanted, encode_preview, plan_install, plan_uninstall
from runner.errors import UserError

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
