"""RUN-34: a pid alone names nobody."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.launch.process import (
    Identity,
    count_oom_kills,
    identify,
    is_alive,
    parse_identity,
    read_boot_id,
    read_command,
    read_stat,
)

_NOBODY = 2**22 + 1


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "60"])
    # The parent goes on the moment the old memory is left, when the new command line is not yet to be read.
    while not Path(f"/proc/{process.pid}/cmdline").read_bytes():
        time.sleep(0.001)
    yield process
    process.kill()
    process.wait()


def test_a_process_is_itself(sleeper: subprocess.Popen[bytes]) -> None:
    assert is_alive(identify(sleeper.pid))
    assert read_stat(sleeper.pid)[2] == os.getpid()


def test_a_stranger_with_the_same_pid_is_not_meant(sleeper: subprocess.Popen[bytes]) -> None:
    assert not is_alive(Identity(sleeper.pid, identify(sleeper.pid).started - 1))


def test_a_zombie_is_not_alive(sleeper: subprocess.Popen[bytes]) -> None:
    identity = identify(sleeper.pid)
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)

    assert read_stat(sleeper.pid)[0] == "Z"
    assert not is_alive(identity)


def test_nobody_is_not_alive() -> None:
    assert not is_alive(Identity(_NOBODY, 1))
    with pytest.raises(ProcessLookupError):
        identify(_NOBODY)
    assert read_command(_NOBODY) == ""


def test_the_name_of_a_process_may_hold_anything() -> None:
    rename = "import ctypes, time; ctypes.CDLL(None).prctl(15, b') Z 1 (x'); print(flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", rename], stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()

        state, _, parent = read_stat(process.pid)

        process.kill()
    assert (state in "SR", parent) == (True, os.getpid())


def test_an_identity_is_read_as_it_was_written() -> None:
    assert str(parse_identity("4242 123456")) == "4242 123456"


@pytest.mark.parametrize("text", ["", "4242", "4242 ", "a b", " 1"])
def test_what_is_no_identity_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        parse_identity(text)


def test_a_command_is_shown_as_its_words(sleeper: subprocess.Popen[bytes]) -> None:
    assert read_command(sleeper.pid) == "sleep 60"


def test_a_boot_has_an_id() -> None:
    assert len(read_boot_id()) == 36


def test_the_kills_of_the_cgroup_are_a_number_or_unknown() -> None:
    count = count_oom_kills()

    assert count is None or count >= 0
