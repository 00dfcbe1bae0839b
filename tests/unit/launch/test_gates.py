"""RUN-3 to RUN-7: what the command line may say, where a run happens, and what keeps it from happening."""

import os
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lab import SLOT, Lab

from runner.launch.gates import Place, find_closed_gate, find_pause, is_plan_name, read_place, read_plan
from runner.launch.hosts import matches, matches_host
from runner.launch.instant import parse_instant
from runner.launch.plan import HOME_PLAN, HomePlan, Plan, PlanTarget

_NOW = parse_instant("2026-03-08T12:00:00Z")


@pytest.mark.parametrize(
    "name", ["a", "download-wfc3", "0_x", "a" * 64, "job@dsoc-prod", "job@Dsoc.prod-2_x", "job@" + "p" * 64]
)
def test_a_job_id_alone_or_with_a_profile_is_the_name_of_a_plan(name: str) -> None:
    assert is_plan_name(name)


@pytest.mark.parametrize(
    "name",
    ["", "-x", "_x", "A", "a" * 65, "a/b", "..", ".", "a.b", "a b", "a\n", "a@", "@p", "a@b@c", "a@.b", "a@-b", "a@b/c",
     "é", "a\0", "--hand", "job@" + "p" * 65],
)  # fmt: skip
def test_nothing_else_is(name: str) -> None:
    assert not is_plan_name(name)


@given(st.text())
def test_the_name_of_a_plan_can_never_leave_its_directory(name: str) -> None:
    assert not is_plan_name(name) or ("/" not in name and name.isascii() and name.isprintable() and name[0] != ".")


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["../x"],
        ["Job"],
        ["job", "--slot"],
        ["job", "--slot", "yesterday"],
        ["job", "--slot", "2026-02-30T00:00:00Z"],
        ["job", "surplus"],
        ["job", "--sweep"],
        ["--hand", "job"],
    ],
)
def test_a_command_line_that_makes_no_sense_is_refused_and_records_nothing(lab: Lab, words: list[str]) -> None:
    """RUN-3."""
    lab.job("job", "true")

    result = lab.run(*words)

    assert result.code == 2
    assert result.mail.startswith("run-job: ")
    assert "usage: run-job PLAN" in result.mail
    assert lab.journal_text() == ""


def test_a_set_uid_start_is_refused() -> None:
    """SEC-13."""
    if os.geteuid():
        pytest.skip("only root can take a second uid")
    program = (
        "import os, sys; os.setresuid(65534, 0, 0); from runner.launch.main import main; sys.exit(main('/', '', []))"
    )

    result = subprocess.run([sys.executable, "-c", program], capture_output=True)

    assert (result.returncode, result.stderr) == (126, b"run-job: refuses a set-uid start (SEC-13)\n")


def _make_home(tmp_path: Path, text: str) -> str:
    home = tmp_path / "home"
    (home / HOME_PLAN).parent.mkdir(parents=True)
    (home / HOME_PLAN).write_text(text)
    return str(home)


def _make_place(
    host: str = "ops1.example.org", *targets: PlanTarget, user: str = "ana", home: str = "/home/x"
) -> Place:
    plan = HomePlan("lab")
    plan.targets = list(targets)
    return Place(home, host, user, plan)


def test_the_first_target_of_this_host_and_user_says_where_the_state_is() -> None:
    targets = [
        PlanTarget("other-host", ["ops2"], "ana", "UTC", "/not/this"),
        PlanTarget("other-user", ["ops1"], "ben", "UTC", "/nor/this"),
        PlanTarget("ours", ["ops*"], "ana", "America/Denver", "{home}/var"),
        PlanTarget("later", ["*"], "ana", "", "/nor/that"),
    ]

    place = _make_place("ops1.example.org", *targets)

    assert (place.state, place.timezone) == ("/home/x/var", "America/Denver")


def test_without_a_target_the_state_is_in_the_home() -> None:
    assert (_make_place().state, _make_place().timezone) == ("/home/x/state", "")


@pytest.mark.parametrize(
    ("home", "release"), [("/data/releases/3f9c2ab", "3f9c2ab"), ("/data/home", "-"), ("/releases-old/x", "-")]
)
def test_a_release_is_named_by_its_directory(home: str, release: str) -> None:
    """RUN-14."""
    assert _make_place(home=home).release == release


@pytest.mark.parametrize("text", ["nonsense\n", "host x\n", "user x\n", "\xff\n"])
def test_a_damaged_home_plan_is_a_fault_and_never_a_default(tmp_path: Path, text: str) -> None:
    """Its state directory would be another, with other locks."""
    place = read_place(_make_home(tmp_path, text))

    assert place.fault.startswith("no usable crontab.d/home.plan: ")
    assert place.fault.endswith('; run "runner compile"')


def test_a_uid_without_a_login_is_a_fault() -> None:
    if os.geteuid():
        pytest.skip("only root can become nobody known")
    program = "import os; from runner.launch.gates import read_place; os.setuid(54321); print(read_place('/').fault)"

    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert result.stdout == "uid 54321 has no login on this machine\n"


def test_without_its_home_plan_nothing_runs(lab: Lab) -> None:
    lab.job("job", "true")
    (lab.home / HOME_PLAN).unlink()

    assert lab.run("job", "--slot", SLOT).code == 127

    assert lab.end("job")["reason"] == 'no crontab.d/home.plan; run "runner compile"'


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"runner-plan 1 x\n",
        b"runner-plan 2 0000\nname a\n",
        b"\xff\xfe",
        b"runner-plan 1 0000000000000000\nword x\n",
    ],
)
def test_a_plan_that_cannot_be_used_is_a_bare_plan_with_the_reason(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "crontab.d/plans").mkdir(parents=True)
    (tmp_path / "crontab.d/plans/job@p.plan").write_bytes(data)

    plan, reason = read_plan(str(tmp_path), "job@p")

    assert (plan.name, plan.job, plan.profile, plan.steps) == ("job@p", "job", "p", [])
    assert reason.startswith("no usable plan for job@p in ")


def test_a_gate_records_one_skip_and_says_nothing_under_cron(lab: Lab) -> None:
    """RUN-6."""
    lab.job("job", "true", hosts=["elsewhere"])

    result = lab.run("job", "--slot", SLOT)

    (skip,) = lab.events()
    assert (result.code, result.out, result.err) == (0, b"", b"")
    assert (skip["event"], skip["reason"], skip["slot"]) == ("skip", "host", SLOT)
    assert skip["detail"].endswith("is none of elsewhere")


def test_a_person_is_told_what_the_gate_says(lab: Lab) -> None:
    lab.job("job", "true", hosts=["elsewhere"])

    result = lab.run("job", "--hand")

    assert (result.code, result.mail.startswith("runner: job skipped: host: ")) == (75, True)


def test_a_plan_with_a_zone_of_its_own_starts_and_records_nothing_between_its_slots(lab: Lab) -> None:
    """RUN-5, CRON-36."""
    lab.job("job", "touch $RUNNER_WORK/ran", timezone="America/Denver")

    assert lab.run("job").code == 0

    assert lab.journal_text() == ""


def test_a_plan_without_a_slot_counts_as_started_by_hand_now(lab: Lab) -> None:
    """RUN-5: and is therefore never a duplicate."""
    lab.job("job", "true")

    for _ in range(2):
        assert lab.run("job").code == 0

    assert lab.outcomes("job") == ["ok", "ok"]
    assert lab.lock("job").slots == []


@pytest.mark.parametrize(
    ("text", "pause"),
    [
        (None, ""),
        ("author ana\nsince yesterday\nreason disk full\n", "by ana since yesterday: disk full"),
        ("author ana\nsince yesterday\n", "by ana since yesterday"),
        ("author ana\nsince today\nuntil 2026-03-08T12:00:01Z\n", "by ana since today until 2026-03-08T12:00:01Z"),
        ("author ana\nsince yesterday\nuntil 2026-03-08T12:00:00Z\n", ""),
        ("", "by a pause file that names no author"),
        (
            "author ana\nsince yesterday\nuntil soon\n",
            "by a pause file that cannot be read: not an instant like 2026-03-08T07:00:00Z: 'soon'",
        ),
    ],
)
def test_a_pause_holds_until_it_has_expired_and_an_unreadable_one_holds(
    tmp_path: Path, text: str | None, pause: str
) -> None:
    """RUN-7."""
    (tmp_path / "pauses").mkdir()
    if text is not None:
        (tmp_path / "pauses" / "job").write_text(text)

    assert find_pause(str(tmp_path), "job", _NOW) == pause


def test_a_pause_that_is_a_directory_or_a_link_holds(tmp_path: Path) -> None:
    (tmp_path / "pauses" / "one").mkdir(parents=True)
    (tmp_path / "pauses" / "two").symlink_to("/dev/null")

    assert all("cannot be read" in find_pause(str(tmp_path), job, _NOW) for job in ("one", "two"))


def test_a_pause_is_of_the_job_in_all_its_profiles(lab: Lab) -> None:
    lab.job("job@one", "true")
    (lab.state / "pauses" / "job").write_text("author ana\nsince today\n")

    lab.run("job@one", "--slot", SLOT)

    assert lab.events("skip")[0]["reason"] == "paused"


def test_the_host_is_asked_before_the_pause(tmp_path: Path) -> None:
    plan = Plan("job", "job", "p")
    plan.hosts = ["ops2"]

    assert find_closed_gate(_make_place(), plan, _NOW)[0] == "host"


@pytest.mark.parametrize(
    ("patterns", "matching"),
    [
        ([], False),
        (["ops1"], True),
        (["OPS1"], True),
        (["ops1.example.org"], True),
        (["ops?"], True),
        (["ops*"], True),
        (["*.example.org"], True),
        (["ops"], False),
        (["ops1.example"], False),
        (["ops2", "ops1"], True),
        (["*"], True),
        (["ops1.*.org"], True),
    ],
)
def test_a_pattern_means_the_full_or_the_short_name_in_any_case(patterns: list[str], matching: bool) -> None:
    assert matches_host(patterns, "ops1.example.org") == matching


@given(st.text("ab*?.", max_size=8), st.text("ab.", max_size=8))
def test_patterns_match_as_a_shell_would(pattern: str, text: str) -> None:
    assert matches(pattern, text) == fnmatchcase(text, pattern)
