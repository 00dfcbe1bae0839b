"""``runner compile``: what it writes, what it leaves, what ``--check`` says of it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from homes import Home

PLANS = "crontab.d/plans"


def test_all_output_of_a_home_is_written_and_counted(home: Home) -> None:
    answer = home.runner("compile")
    assert (answer.code, answer.out) == (0, f"2 plans: 4 files written, 0 removed in {home.path}/crontab.d\n")
    assert sorted(home.compiled()) == ["home.plan", "main.crontab", "plans/hourly.plan", "plans/nightly.plan"]


def test_a_second_compile_writes_nothing(home: Home) -> None:
    home.compile()
    before = home.tree()
    home.compile()
    assert home.tree() == before


def test_a_changed_job_rewrites_its_own_files_only(home: Home) -> None:
    home.compile()
    before = home.tree()
    home.write("jobs/all.yaml", home.read("jobs/all.yaml").replace(b'"30 2 * * *"', b'"31 2 * * *"'))
    home.compile()
    changed = {path.rpartition("/")[2] for path, seen in home.tree().items() if before.get(path) != seen}
    assert changed == {"all.yaml", "nightly.plan", "main.crontab"}


def test_a_dry_run_names_what_would_change_and_writes_nothing(home: Home) -> None:
    before = home.tree()
    answer = home.runner("compile", "--dry-run")
    assert answer.code == 0
    assert answer.out.splitlines()[0] == "crontab.d/home.plan is stale"
    assert home.tree() == before


def test_check_names_each_stale_and_each_superfluous_file(home: Home) -> None:
    """CRON-19."""
    home.compile()
    assert (home.runner("compile", "--check").code, home.runner("compile", "--check").out) == (0, "")
    home.write(f"{PLANS}/nightly.plan", "edited by hand")
    (home.path / PLANS / "hourly.plan").unlink()
    home.write(f"{PLANS}/gone.plan", "of a job that is gone")
    home.write("crontab.d/old.crontab", "of a target that is gone")
    before = home.tree()
    answer = home.runner("compile", "--check")
    assert answer.code == 1
    assert answer.out.splitlines() == [
        f"{PLANS}/hourly.plan is stale",
        f"{PLANS}/nightly.plan is stale",
        "crontab.d/old.crontab is superfluous",
        f"{PLANS}/gone.plan is superfluous",
    ]
    assert home.tree() == before
    home.compile()
    assert home.runner("compile", "--check").code == 0


def test_check_answers_programs_with_an_object_for_each_file(home: Home) -> None:
    home.write("crontab.d/old.crontab", "")
    answers = home.runner("compile", "--check", "--json").objects
    assert answers[0] == {"file": "crontab.d/home.plan", "is": "stale"}
    assert answers[-1] == {"file": "crontab.d/old.crontab", "is": "superfluous"}


def test_what_is_not_compiled_output_stays(home: Home) -> None:
    home.write("crontab.d/README", "why this is here")
    home.write(f"{PLANS}/notes.txt", "")
    home.compile()
    assert {"README", "plans/notes.txt"} < home.compiled().keys()


def test_compiling_makes_a_private_state_directory(home: Home) -> None:
    """SEC-6."""
    home.compile()
    assert {path.name for path in home.state.iterdir()} > {"journal", "locks", "logs", "health", "work"}
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o700 for path in (home.state, *home.state.iterdir()))


def test_compiled_files_can_be_read_by_all_and_written_by_the_owner(home: Home) -> None:
    with umask(0o022):
        home.compile()
    files = [path for path in (home.path / "crontab.d").rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o644}


def test_a_damaged_memory_of_the_installed_crontab_stops_nothing(home: Home) -> None:
    home.compile()
    for text in (b"", b"\xff\xfe", b"nonsense\nplan\n", b"plan nightly"):
        home.write("state/installed", text)
        assert home.runner("compile").code == 0


@contextmanager
def umask(mask: int) -> Iterator[None]:
    old = os.umask(mask)
    try:
        yield
    finally:
        os.umask(old)
