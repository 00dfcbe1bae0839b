"""RUN-31, RUN-33, RUN-34: a whole tree of processes, found and ended."""

import os
import posix
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import is_alive

from runner.launch.process import Identity, identify
from runner.launch.tree import describe, find_descendants, find_session, signal_all, terminate, terminate_group

# A subreaper with a tree below it: what a wrapper is while its job runs.
_REAPER = """
import subprocess, sys
from runner.launch.tree import (kill_below, find_descendants)
from runner.launch.orphans import (become_subreaper, reap_orphans)
import posix
become_subreaper()
child = subprocess.Popen(["sh", "-c", sys.argv[1]])
sys.stdin.readline()
print(*[one.pid for one in find_descendants(posix.getpid())], flush=True)
if len(sys.argv) > 2:
    kill_below(posix.getpid())
    print(reap_orphans(), flush=True)
"""


@pytest.fixture
def family() -> Iterator[subprocess.Popen[bytes]]:
    """A shell, two children, one of them in a session of its own."""
    body = "exec 3>&1 >/dev/null; setsid sleep 60 3>&- & sleep 60 3>&- & echo >&3; exec 3>&-; wait"
    process = subprocess.Popen(["sh", "-c", body], stdout=subprocess.PIPE)
    process.stdout.readline()
    members = [*find_descendants(process.pid), identify(process.pid)]
    yield process
    signal_all(members, signal.SIGKILL)
    process.communicate()


def _wait_for(condition: object, within_s: float = 10) -> None:
    until = time.monotonic() + within_s
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < until
        time.sleep(0.005)


def _run_reaper(body: str, *words: str, ready: Path) -> list[list[str]]:
    """Return the lines that the subreaper prints once `ready` exists, as words."""
    with subprocess.Popen([sys.executable, "-c", _REAPER, body, *words], stdin=-1, stdout=-1, text=True) as reaper:
        _wait_for(ready.exists)
        out, _ = reaper.communicate("\n")
    return [line.split() for line in out.splitlines()]


def test_descendants_are_found_parents_first(family: subprocess.Popen[bytes]) -> None:
    below = [one.pid for one in find_descendants(family.pid)]
    found = [one.pid for one in find_descendants(os.getpid())]

    assert len(below) == 2
    assert all(found.index(family.pid) < found.index(pid) for pid in below)


def test_zombies_do_not_count(family: subprocess.Popen[bytes]) -> None:
    family.kill()
    os.waitid(os.P_PID, family.pid, os.WEXITED | os.WNOWAIT)

    assert family.pid not in [one.pid for one in find_descendants(os.getpid())]


def test_a_daemon_that_forked_twice_is_below_the_subreaper(tmp_path: Path) -> None:
    note = f"echo $! >{tmp_path}/pid.new; mv {tmp_path}/pid.new {tmp_path}/pid"
    body = f"(setsid sh -c 'sleep 60 >/dev/null & {note}')"

    found, *_ = _run_reaper(body, ready=tmp_path / "pid")

    daemon = int((tmp_path / "pid").read_text())
    assert str(daemon) in found
    os.kill(daemon, signal.SIGKILL)


def test_a_tree_that_forks_while_it_is_killed_does_not_outrun_that(tmp_path: Path) -> None:
    """RUN-31: all are stopped before any is killed. The forkers are bounded in number and in time."""
    forker = "i=0; while [ $i -lt 300 ]; do setsid sleep 30 & i=$((i + 1)); done; wait"
    body = f"for n in 1 2 3; do sh -c '{forker}' & done; touch {tmp_path}/ready; wait"

    _, answer = _run_reaper(body, "kill", ready=tmp_path / "ready")

    assert answer == ["False"], "no child is left"


def test_a_session_is_found_without_its_leader(tmp_path: Path) -> None:
    """RUN-17: what is left of a job whose wrapper is gone."""
    shell = subprocess.Popen(["sh", "-c", "sleep 60 & echo; exit"], stdout=subprocess.PIPE, start_new_session=True)
    leader = identify(shell.pid)
    shell.stdout.readline()
    shell.wait()
    shell.stdout.close()

    _wait_for(lambda: [describe(one).partition(' "')[2] for one in find_session(leader)] == ['sleep 60"'])

    (left,) = find_session(leader)
    os.kill(left.pid, signal.SIGKILL)


def test_a_stranger_gets_no_signal(family: subprocess.Popen[bytes]) -> None:
    """RUN-34, FAULT-16."""
    signal_all([Identity(family.pid, identify(family.pid).started - 1)], signal.SIGKILL)

    assert is_alive(family.pid)


def test_whoever_is_gone_gets_no_signal() -> None:
    signal_all([Identity(2**22 + 1, 1)], signal.SIGKILL)


def test_a_stopped_process_hears_term(family: subprocess.Popen[bytes]) -> None:
    os.kill(family.pid, signal.SIGSTOP)

    terminate([identify(family.pid)])

    _wait_for(lambda: not is_alive(family.pid))


def test_a_group_and_those_who_left_it_are_asked_once_each(tmp_path: Path) -> None:
    """RUN-31."""
    count = f"trap 'echo heard >>{tmp_path}/heard' TERM; touch {tmp_path}/$1; while :; do sleep 0.05; done"
    body = f'setsid sh -c "{count}" sh left & sh -c "{count}" sh stayed & wait'
    family = subprocess.Popen(["sh", "-c", body.replace("$1", "\\$1")], start_new_session=True)
    _wait_for(lambda: (tmp_path / "left").exists() and (tmp_path / "stayed").exists())
    members = [*find_descendants(family.pid), identify(family.pid)]

    terminate_group(family.pid, members)

    _wait_for(lambda: (tmp_path / "heard").exists() and (tmp_path / "heard").read_text() == "heard\n" * 2)
    signal_all(members, signal.SIGKILL)
    family.wait()


def test_a_group_that_is_gone_is_no_trouble() -> None:
    family = subprocess.Popen(["true"], start_new_session=True)
    family.wait()

    terminate_group(family.pid, [])


def test_a_process_is_described_on_one_printable_line() -> None:
    with subprocess.Popen([sys.executable, "-c", "import time\ntime.sleep(60)  # \x1b[31m" + "x" * 500]) as process:
        _wait_for(lambda: b"sleep" in Path(f"/proc/{process.pid}/cmdline").read_bytes())

        text = describe(identify(process.pid))

        process.kill()
    assert text.isprintable()
    assert len(text) < 250


def test_we_are_below_nobody_we_started() -> None:
    assert posix.getpid() not in [one.pid for one in find_descendants(posix.getpid())]
