"""ALERT-1 to ALERT-5: which run speaks. All by table, with the clock given."""

from pathlib import Path

import pytest

from runner.launch.incident import (
    BAD_OUTCOMES,
    FIRST,
    RECOVERED,
    REMINDER,
    SILENT,
    WORSE,
    Health,
    decode_health,
    encode_health,
    enter_outcome,
    judge,
    judge_finding,
    parse_health,
)
from runner.launch.report import make_subject

_NOON = 1_795_000_000.0
_MINUTE, _HOUR = 60.0, 3600.0


class _Story:
    """A plan's health and the runs that it has seen; instants are seconds after noon."""

    def __init__(self) -> None:
        self.health = Health()
        self._runs = 0

    def see(self, after_s: float, outcome: str, reason: str = "", *, by_hand: bool = False) -> str:
        self._runs += 1
        return judge(self.health, f"run-{self._runs}", outcome, reason, _NOON + after_s, by_hand=by_hand)

    def find(self, after_s: float, what: str, mark: str) -> str:
        """Find what is late, or that run `mark` is long."""
        self._runs += 1
        run_id = mark if what == "long" else f"run-{self._runs}"
        return judge_finding(self.health, run_id, what, mark, _NOON + after_s)

    def see_all(self, *runs: tuple[float, str]) -> list[str]:
        return [self.see(after_s, outcome, "overlap" if outcome == "skipped" else "") for after_s, outcome in runs]


@pytest.fixture
def story() -> _Story:
    return _Story()


@pytest.mark.parametrize("outcome", BAD_OUTCOMES)
def test_the_first_bad_run_mails_and_the_first_ok_run_recovers(story: _Story, outcome: str) -> None:
    """ALERT-2, ALERT-4."""
    assert story.see_all((0, "ok"), (60, outcome), (120, outcome), (180, "ok"), (240, "ok")) == [
        SILENT, FIRST, SILENT, RECOVERED, SILENT,
    ]  # fmt: skip


@pytest.mark.parametrize("outcome", ["stopped", "skipped"])
def test_an_outcome_that_is_nobodys_fault_changes_nothing(story: _Story, outcome: str) -> None:
    story.see(0, "failed")
    before = encode_health(story.health)

    assert story.see(60, outcome, "paused") == SILENT

    changed = [pair for pair in encode_health(story.health) if pair not in before]
    assert changed == [("judged", "run-2")]


def test_fault_29_six_hours_of_failures_are_four_mails(story: _Story) -> None:
    """361 runs, one a minute: first, reminders at 1 h and 5 h, RECOVERED with count and time."""
    mails = {minute: story.see(minute * _MINUTE, "failed" if minute < 360 else "ok") for minute in range(361)}

    assert {minute: mail for minute, mail in mails.items() if mail != SILENT} == {
        0: FIRST, 60: REMINDER, 300: REMINDER, 360: RECOVERED,
    }  # fmt: skip
    subject = make_subject({"plan": "j", "profile": "p", "outcome": "ok", "reason": ""}, story.health, RECOVERED)
    assert subject == "RECOVERED j [p] after 360 failures in 6h00m"


def test_reminders_come_after_an_hour_then_four_then_each_day(story: _Story) -> None:
    mails = {hour: story.see(hour * _HOUR, "failed") for hour in range(80)}

    assert [hour for hour, mail in mails.items() if mail == REMINDER] == [1, 5, 29, 53, 77]


def test_a_reminder_comes_with_the_first_bad_run_after_its_time(story: _Story) -> None:
    """A plan that runs once a day is reminded of each day."""
    assert story.see_all(*[(day * 24 * _HOUR, "failed") for day in range(4)]) == [FIRST, REMINDER, REMINDER, REMINDER]


@pytest.mark.parametrize("worse", ["failed", "timed_out", "cannot_start", "lost"])
def test_warnings_that_become_worse_mail_once_more_at_once(story: _Story, worse: str) -> None:
    assert story.see_all((0, "warned"), (60, "warned"), (120, worse), (180, worse), (240, "warned"), (300, worse)) == [
        FIRST, SILENT, WORSE, SILENT, SILENT, SILENT,
    ]  # fmt: skip


def test_a_plan_bad_again_within_an_hour_of_its_recovery_reopens_its_incident_silently(story: _Story) -> None:
    """ALERT-5."""
    assert story.see_all((0, "failed"), (60, "ok"), (120, "failed")) == [FIRST, RECOVERED, SILENT]

    assert (story.health.incident, story.health.flapping, story.health.bad_runs) == ("run-1", True, 2)


def test_a_flapping_plan_recovers_after_an_hour_without_a_bad_run(story: _Story) -> None:
    story.see_all((0, "failed"), (60, "ok"), (120, "failed"))

    assert story.see_all((180, "ok"), (120 + 3599, "ok"), (120 + 3600, "ok")) == [SILENT, SILENT, RECOVERED]


def test_each_bad_run_of_a_flapping_plan_begins_the_hour_again(story: _Story) -> None:
    story.see_all((0, "failed"), (60, "ok"), (120, "failed"), (1800, "failed"))

    assert story.see_all((120 + 3600, "ok"), (1800 + 3600, "ok")) == [SILENT, RECOVERED]


def test_the_reminders_of_a_flapping_plan_say_so(story: _Story) -> None:
    story.see_all((0, "failed"), (60, "ok"), (120, "failed"))

    assert story.see(60 + 3600, "failed") == REMINDER

    subject = make_subject({"plan": "j", "profile": "p", "outcome": "failed", "reason": ""}, story.health, REMINDER)
    assert subject.endswith(", flapping")


def test_an_hour_of_flapping_in_every_second_run_is_two_mails(story: _Story) -> None:
    runs = [(minute * _MINUTE, "ok" if minute % 2 else "failed") for minute in range(60)]

    assert [mail for mail in story.see_all(*runs) if mail != SILENT] == [FIRST, RECOVERED]


def test_a_plan_bad_again_an_hour_after_its_recovery_has_a_new_incident(story: _Story) -> None:
    assert story.see_all((0, "failed"), (60, "ok"), (60 + 3600, "failed")) == [FIRST, RECOVERED, FIRST]

    assert (story.health.incident, story.health.flapping, story.health.bad_runs) == ("run-3", False, 1)


def test_the_third_skip_in_a_row_opens_an_incident(story: _Story) -> None:
    """ALERT-2; worked example 4."""
    runs = [(5 * _MINUTE, "skipped"), (10 * _MINUTE, "skipped"), (15 * _MINUTE, "skipped"), (18 * _MINUTE, "ok")]

    assert story.see_all(*runs) == [SILENT, SILENT, FIRST, RECOVERED]


def test_two_skips_and_an_ok_run_say_nothing(story: _Story) -> None:
    assert story.see_all((0, "skipped"), (1, "skipped"), (2, "ok"), (3, "skipped"), (4, "skipped")) == [SILENT] * 5


def test_skips_go_on_with_reminders_like_any_trouble(story: _Story) -> None:
    mails = story.see_all(*[(minute * 5 * _MINUTE, "skipped") for minute in range(20)])

    assert [index for index, mail in enumerate(mails) if mail != SILENT] == [2, 14]
    assert mails[14] == REMINDER


def test_skips_while_a_failure_is_open_say_nothing(story: _Story) -> None:
    assert story.see_all((0, "failed"), *[(60.0 * skip, "skipped") for skip in range(1, 6)]) == [FIRST] + [SILENT] * 5


def test_a_failure_after_skips_is_worse(story: _Story) -> None:
    assert story.see_all((0, "skipped"), (1, "skipped"), (2, "skipped"), (3, "failed"))[2:] == [FIRST, WORSE]


@pytest.mark.parametrize("reason", ["paused", "host"])
def test_skips_by_pause_or_host_never_speak(story: _Story, reason: str) -> None:
    assert [story.see(minute, "skipped", reason) for minute in range(10)] == [SILENT] * 10


@pytest.mark.parametrize("what", ["late", "aged", "long"])
def test_what_the_sweep_finds_opens_an_incident_is_told_once_and_recovers(story: _Story, what: str) -> None:
    """ALERT-17, ALERT-18."""
    assert [story.find(minute * _MINUTE, what, "this") for minute in range(3)] == [FIRST, SILENT, SILENT]
    assert (story.health.incident, story.health.bad_runs) == ("this" if what == "long" else "run-1", 1)
    assert story.see(4 * _MINUTE, "ok") == RECOVERED
    assert story.find(5 * _MINUTE, what, "this") == SILENT
    assert story.health.incident == ""


def test_late_slots_are_reminded_of_like_bad_runs(story: _Story) -> None:
    mails = {minute: story.find(minute * _MINUTE, "late", f"slot {minute}") for minute in range(361)}

    assert {minute: mail for minute, mail in mails.items() if mail != SILENT} == {0: FIRST, 60: REMINDER, 300: REMINDER}
    subject = make_subject({"plan": "j", "profile": "p", "outcome": "late", "reason": ""}, story.health, REMINDER)
    assert subject.startswith("STILL LATE j [p] 361 times since ")


def test_a_late_slot_and_an_old_success_are_remembered_side_by_side(story: _Story) -> None:
    story.find(0, "late", "slot")
    story.find(1, "aged", "then")

    assert [story.find(2, "late", "slot"), story.find(3, "aged", "then")] == [SILENT, SILENT]
    assert story.health.bad_runs == 2


def test_a_failure_of_what_was_late_is_worse(story: _Story) -> None:
    assert [story.find(0, "late", "slot"), story.see(60, "failed")] == [FIRST, WORSE]


@pytest.mark.parametrize(
    ("outcome", "mail"), [("warned", SILENT), ("failed", WORSE), ("timed_out", WORSE), ("lost", WORSE)]
)
def test_a_run_that_was_told_of_as_long_counts_once_however_it_ends(story: _Story, outcome: str, mail: str) -> None:
    """ALERT-18: of one that ends warned no second mail, even where a reminder would be due."""
    story.find(0, "long", "run-2")

    assert story.see(2 * _HOUR, outcome) == mail
    assert (story.health.judged, story.health.bad_runs) == ("run-2", 1)


def test_the_next_long_run_counts_anew(story: _Story) -> None:
    story.find(0, "long", "run-2")
    story.see(60, "warned")

    assert story.find(2 * _HOUR, "long", "run-4") == REMINDER
    assert story.health.bad_runs == 2


def test_a_run_that_ended_while_the_sweep_looked_is_not_long(story: _Story) -> None:
    story.see(0, "ok")

    assert story.find(1, "long", "run-1") == SILENT
    assert story.health.incident == ""


def test_a_run_is_judged_once(story: _Story) -> None:
    assert judge(story.health, "run", "failed", "", _NOON) == FIRST
    assert judge(story.health, "run", "lost", "", _NOON) == SILENT
    assert story.health.bad_runs == 1


def test_fault_24_what_was_written_while_the_clock_was_ahead_keeps_no_plan_silent(story: _Story) -> None:
    year = 365 * 24 * _HOUR
    assert story.see_all((year, "failed"), (0, "failed"), (_HOUR, "failed")) == [FIRST, SILENT, REMINDER]
    assert story.see_all((2 * _HOUR, "ok"), (5 * _HOUR, "failed")) == [RECOVERED, FIRST]


def test_fault_24_a_recovery_in_a_future_that_never_was_reopens_nothing(story: _Story) -> None:
    year = 365 * 24 * _HOUR
    assert story.see_all((year, "failed"), (year + 60, "ok"), (0, "failed")) == [FIRST, RECOVERED, FIRST]


def test_a_run_by_hand_opens_nothing(story: _Story) -> None:
    assert story.see(0, "failed", by_hand=True) == SILENT
    assert story.health.incident == ""


def test_a_good_run_by_hand_closes_the_incident_silently_and_the_next_failure_is_news(story: _Story) -> None:
    story.see(0, "failed")
    assert story.see(60, "ok", by_hand=True) == SILENT
    assert story.health.incident == ""

    assert story.see(120, "failed") == FIRST


def test_a_good_run_by_hand_closes_a_flapping_incident_at_once(story: _Story) -> None:
    story.see_all((0, "failed"), (60, "ok"), (120, "failed"))

    story.see(180, "ok", by_hand=True)

    assert story.health.incident == ""


def test_a_health_file_is_read_as_it_was_written(story: _Story) -> None:
    story.see_all((0, "ok"), (0.25, "failed"), (60, "ok"), (120, "warned"), (180, "skipped"))
    for what in ("late", "aged", "long"):
        story.find(240, what, f"this {what}")

    read = decode_health(encode_health(story.health))

    assert {key: getattr(read, key) for key in Health.__slots__} == {
        key: getattr(story.health, key) for key in Health.__slots__
    }


@pytest.mark.parametrize(
    "text", [b"", b"\xff\n.\n", b"bad_runs many\n.\n", b"what is this\n.\n", b"ok_at 12:00\n.\n", b"skips 2\n"]
)
def test_a_damaged_health_file_is_an_unknown_health_and_speaks_again(text: bytes) -> None:
    assert judge(parse_health(text), "run", "failed", "", _NOON) == FIRST


def test_an_outcome_is_entered_under_the_files_lock_with_its_flip(tmp_path: Path) -> None:
    path = str(tmp_path / "job")
    results = [enter_outcome(path, f"run-{at}", outcome, "", _NOON + at)[1:] for at, outcome in
               enumerate(["ok", "failed", "failed", "ok", "failed"])]  # fmt: skip

    assert results == [(SILENT, ""), (FIRST, "open"), (SILENT, ""), (RECOVERED, "recover"), (SILENT, "open")]
    assert parse_health(Path(path).read_bytes()).incident == "run-1"
    assert Path(path).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("plant", [Path.symlink_to, Path.hardlink_to])
def test_a_planted_health_file_is_refused_and_its_target_unchanged(tmp_path: Path, plant: object) -> None:
    """SEC-6."""
    (tmp_path / "precious").write_text("precious")
    plant(tmp_path / "job", tmp_path / "precious")  # type: ignore[operator]

    with pytest.raises(OSError, match=r"symbolic link|one link"):
        enter_outcome(str(tmp_path / "job"), "run", "failed", "", _NOON)

    assert (tmp_path / "precious").read_text() == "precious"
