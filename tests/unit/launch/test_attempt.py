"""RUN-18, RUN-20, RUN-23, RUN-27 to RUN-30, RUN-37: what a job finds and what is made of its streams, for real."""

import json
import os
import pwd
import signal
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lab import SLOT, Lab

_WORDS = st.lists(st.binary(max_size=30).map(lambda word: word.replace(b"\0", b"")), max_size=6)
_ODD_WORDS = [
    b"", b" ", b"\n", b"a\nb", b"'", b'"', b"*", b"$HOME", b"`id`", b"\\", b"--", b"--hand", b"caf\xe9", b"\xff\xfe",
]  # fmt: skip
# Writes how many arguments it has and then each with a NUL behind it.
_ECHO = "printf '%s\\0' $# \"$@\""
# The C library keeps signals 32 and 33 to itself; its posix_spawn leaves them ignored (glibc 2.36, spawni.c).
_LIBRARY_SIGNALS = 3 << 31


def _encode(words: list[bytes]) -> bytes:
    return b"".join([word + b"\0" for word in [b"%d" % len(words), *words]])


def _read_status(text: bytes) -> dict[str, str]:
    return dict(line.split(":\t", 1) for line in text.decode().splitlines() if ":\t" in line)


def _start_with(lab: Lab, prelude: str, *words: str) -> bytes:
    """Start run-job from a shell that did something odd before; return its stdout."""
    command = ["sh", "-c", f'{prelude}; exec "$@"', "sh", str(lab.home / "wrappers/run-job"), *words]
    return subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL).stdout


@pytest.fixture
def echo(lab: Lab) -> Lab:
    lab.job("echo", _ECHO)
    return lab


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=_WORDS)
def test_arguments_arrive_byte_for_byte(echo: Lab, words: list[bytes]) -> None:
    """RUN-18."""
    assert echo.run("echo", "--hand", "--", *words).out == _encode(words)


@pytest.mark.parametrize("locale", ["C", "C.UTF-8", "POSIX", "xx_XX.ISO-8859-1"])
def test_odd_arguments_arrive_in_every_locale(echo: Lab, locale: str) -> None:
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": locale}

    assert echo.run("echo", "--hand", "--", *_ODD_WORDS, env=environment).out == _encode(_ODD_WORDS)


def test_odd_words_of_a_plan_arrive_as_they_are(lab: Lab) -> None:
    words = [word.decode("utf-8", "surrogateescape") for word in _ODD_WORDS]
    lab.plan("echo", steps=[[lab.script("echo", _ECHO), *words]])

    assert lab.run("echo", "--hand").out == _encode(_ODD_WORDS)


def test_slot_date_and_work_are_filled_in(lab: Lab) -> None:
    """DESIGN section 5: no shell will do it."""
    lab.plan("echo", steps=[[lab.script("echo", _ECHO), "{slot}", "at-{date}", "{work}/x", "{other}"]])

    words = lab.run("echo", "--slot", SLOT, "--hand").out.split(b"\0")[1:-1]

    assert [word.decode() for word in words] == [SLOT, "at-2026-03-08", f"{lab.work('echo')}/x", "{other}"]


@pytest.mark.parametrize(
    "prelude",
    ["true", "trap '' HUP INT QUIT USR1 USR2 ALRM TERM PIPE CHLD XFSZ"],
    ids=["an ordinary caller", "a caller that ignores signals"],
)
def test_no_signal_is_ignored_or_blocked(lab: Lab, prelude: str) -> None:
    """RUN-20."""
    lab.plan("job", steps=[["cat", "/proc/self/status"]])

    status = _read_status(_start_with(lab, prelude, "job", "--hand"))

    assert int(status["SigIgn"], 16) & ~_LIBRARY_SIGNALS == 0
    assert int(status["SigBlk"], 16) == 0


def test_a_blocked_signal_of_the_caller_is_not_inherited(lab: Lab) -> None:
    lab.plan("job", steps=[["cat", "/proc/self/status"]])

    result = lab.run("job", "--hand", preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1]))

    assert _read_status(result.out)["SigBlk"] == "0" * 16


@pytest.mark.parametrize(
    "prelude",
    ["true", "exec 7</dev/null 9>/dev/null", "exec <&-", "exec 2>&-", "exec <&- 2>&-"],
    ids=["an ordinary caller", "open descriptors", "stdin closed", "stderr closed", "both closed"],
)
def test_a_job_has_its_streams_and_the_lock_and_nothing_else(lab: Lab, prelude: str) -> None:
    lab.plan("job", steps=[["ls", "-l", "/proc/self/fd"]])

    out = _start_with(lab, prelude, "job", "--hand").decode()

    links = dict(line.split()[-3::2] for line in out.splitlines() if "->" in line)
    found = {number: file.partition(":[")[0] for number, file in links.items() if not file.startswith("/proc/")}
    lock = found.popitem()[1]
    assert found == {"0": "/dev/null", "1": "pipe", "2": "pipe"}
    assert lock == f"{lab.state}/locks/job"
    assert lab.outcomes("job") == ["ok"]


def test_with_stderr_closed_nothing_of_a_mail_gets_into_the_state(lab: Lab) -> None:
    lab.job("job", "exit 3")

    _start_with(lab, "exec 2>&-", "job", "--slot", SLOT)

    assert lab.outcomes("job") == ["failed"]
    assert not [path for path in lab.state.rglob("*") if path.is_file() and b"FAILED job" in path.read_bytes()]


@pytest.mark.parametrize("umask", ["000", "022", "077"])
def test_the_umask_is_the_plans_for_the_job_and_ours_for_the_log(lab: Lab, umask: str) -> None:
    """RUN-20, RUN-40."""
    lab.job("job", "umask; touch $RUNNER_WORK/file", umask=0o007)

    out = _start_with(lab, f"umask {umask}", "job", "--hand")

    assert out == b"0007\n"
    assert (lab.work("job") / "file").stat().st_mode & 0o777 == 0o660
    assert Path(lab.end("job")["log"]).stat().st_mode & 0o777 == 0o640
    assert {path.stat().st_mode & 0o077 for path in (lab.state / "journal").iterdir()} == {0}


def test_a_job_leads_a_session_without_a_terminal(lab: Lab) -> None:
    lab.job("job", "cat /proc/$$/stat")

    out = lab.run("job", "--hand").out

    pid, rest = out.split(b" ", 1)[0], out.rpartition(b") ")[2].split()
    group, session, terminal = rest[2:5]
    assert (group, session, terminal) == (pid, pid, b"0")


def test_the_first_failure_decides_and_a_later_success_hides_nothing(lab: Lab) -> None:
    """RUN-23, worked example 2."""
    a = lab.script("a", "echo a; exit 4")
    b, c, d = [lab.script(name, f"echo {name}") for name in "bcd"]
    lab.plan("job", steps=[[a], lab.step("always", b), lab.step("failure", c), lab.step("success", d)])

    result = lab.run("job", "--slot", SLOT)

    end = lab.end("job")
    assert (result.code, end["outcome"], end["reason"], end["exit_code"]) == (4, "failed", "exit 4", 4)
    assert lab.output("job") == b"a\nb\nc\n"
    assert [(step["step"], step["exit_code"]) for step in lab.events("step")] == [(0, 4), (1, 0), (2, 0)]
    lab.assert_clean("job")


def test_steps_that_all_succeed_run_in_order_and_skip_the_one_for_failure(lab: Lab) -> None:
    a, b, c = [lab.script(name, f"echo {name}") for name in "abc"]
    lab.plan("job", steps=[[a], lab.step("failure", b), [c]])

    assert lab.run("job", "--slot", SLOT).code == 0

    assert lab.output("job") == b"a\nc\n"


def test_both_streams_are_in_the_log_in_order_of_arrival(lab: Lab) -> None:
    """RUN-27."""
    lab.job("job", "for n in 1 2 3; do echo out $n; sleep 0.05; echo err $n >&2; sleep 0.05; done", stderr="ignore")

    lab.run("job", "--slot", SLOT)

    assert lab.output("job") == b"".join([b"out %d\nerr %d\n" % (n, n) for n in (1, 2, 3)])


def test_a_line_whose_end_is_late_is_shown_after_a_second(lab: Lab) -> None:
    lab.job("job", 'printf "half "; while [ ! -e "$RUNNER_WORK/go" ]; do sleep 0.02; done; echo whole')
    wrapper = lab.start("job", "--slot", SLOT)

    lab.wait_for(lambda: b"half " in lab.log("job") if lab.events("attempt") else False, "half a line", within_s=10)

    (lab.work("job") / "go").touch()
    lab.finish(wrapper)
    assert lab.output("job") == b"half whole\n"


def test_a_person_sees_both_streams_as_they_come_and_gets_no_mail(lab: Lab) -> None:
    """ALERT-1."""
    lab.job("job", "printf out; echo err >&2; exit 3")

    result = lab.run("job", "--hand")

    assert (result.code, result.out, result.err) == (3, b"out", b"err\n")
    assert lab.end("job")["alerted"] == ""


def test_a_person_who_goes_away_disturbs_nothing(lab: Lab) -> None:
    lab.job("job", "for n in 1 2 3 4 5; do echo $n; sleep 0.05; done")
    wrapper = lab.start("job", "--hand")
    wrapper.stdout.close()
    wrapper.stdout = None

    assert lab.finish(wrapper).code == 0
    assert lab.output("job") == b"1\n2\n3\n4\n5\n"


def test_progress_bars_are_raw_in_the_log_and_collapsed_in_the_mail(lab: Lab) -> None:
    """RUN-30."""
    lab.job("job", r"printf '10%%\r50%%\r100%%\n\377\n' >&2; exit 1")

    result = lab.run("job", "--slot", SLOT)

    assert lab.output("job") == b"10%\r50%\r100%\n\xff\n"
    assert "\n100%\n\\xff\n" in result.mail


def test_the_bytes_of_each_stream_are_counted(lab: Lab) -> None:
    lab.job("job", "printf 12345; printf 123 >&2", stderr="ignore")

    lab.run("job", "--slot", SLOT)

    assert (lab.end("job")["stdout_bytes"], lab.end("job")["stderr_bytes"]) == (5, 3)


def test_the_pipe_of_a_job_that_talks_much_holds_more(lab: Lab) -> None:
    """Only that one's: what all pipes of an account may hold is limited."""
    talk = "import fcntl, os, time\nsizes = lambda: [fcntl.fcntl(one, fcntl.F_GETPIPE_SZ) for one in (1, 2)]\n"
    talk += "before, text = sizes(), bytes(65536)\nfor _ in range(100): os.write(1, text)\n"
    talk += "until = time.monotonic() + 20\nwhile sizes() == before and time.monotonic() < until: os.write(1, text)\n"
    talk += "os.write(2, f'{before} {sizes()}'.encode())"
    lab.plan("job", steps=[["python3", "-c", talk]], stderr="ignore")

    lab.run("job", "--slot", SLOT)

    assert lab.output("job").endswith(b"[65536, 65536] [524288, 65536]\n")


def test_cpu_and_memory_are_those_of_the_job(lab: Lab) -> None:
    """RUN-37: the sum of the times, the size of the largest process."""
    spend = "import time; x = bytearray(80 << 20)\nwhile time.process_time() < 0.3: pass"
    lab.plan("job", steps=[["python3", "-c", spend], ["python3", "-c", spend]])

    lab.run("job", "--slot", SLOT)

    end = lab.end("job")
    assert 0.6 <= end["cpu_s"] < 3
    assert 80 << 20 <= end["max_rss_bytes"] < 160 << 20


def test_durations_are_of_the_monotonic_clock_and_instants_in_utc(lab: Lab) -> None:
    """RUN-4."""
    lab.plan("job", steps=[["sleep", "0.3"]])

    lab.run("job", "--slot", SLOT, env={"PATH": "/usr/bin:/bin", "TZ": "Asia/Tokyo"})

    end = lab.end("job")
    assert 0.3 <= end["duration_s"] < 10
    assert end["ended_at"].endswith("Z")
    assert end["run_id"].startswith(end["started_at"][:19].replace("-", "").replace(":", ""))


def test_the_head_of_a_log_says_what_is_run_and_its_foot_how_it_ended(lab: Lab) -> None:
    """RUN-41."""
    lab.plan("job", steps=[["echo", "two words", 'a "quote"\nand more']])

    lab.run("job", "--slot", SLOT)

    end = lab.end("job")
    lines = lab.log("job").decode().splitlines()
    assert lines[0] == f"# run {end['run_id']}"
    assert {'#   "two words"', '#   "a \\"quote\\"\\nand more"'} <= set(lines)
    assert any(line.startswith("# environment digest ") for line in lines)
    assert lines[-1].startswith(f"# end {end['run_id']} {end['ended_at']} outcome=ok exit_code=0 ")
    assert all(line.startswith("# ") or line in ('two words a "quote"', "and more") for line in lines)


def test_a_record_says_who_ran_what_in_which_environment_and_why_in_that_profile(lab: Lab) -> None:
    steps = [["echo", "two words", "it's"], lab.step("always", "true", "{date}"), lab.step("failure", "false")]
    lab.plan("job", steps=steps, profile_rule="of the defaults in jobs/x.yaml")

    lab.run("job", "--slot", SLOT)

    (start,) = lab.events("start", "job")
    assert start["account"] == pwd.getpwuid(os.getuid()).pw_name
    assert start["command"] == """echo 'two words' 'it'\\''s'; true 2026-03-08 || false"""
    assert start["profile_rule"] == "of the defaults in jobs/x.yaml"
    assert "# profile dsoc-prod, of the defaults in jobs/x.yaml" in lab.log("job").decode().splitlines()
    assert f"# environment digest {lab.end('job')['environment_digest']}\n".encode() in lab.log("job")


def test_the_arguments_of_a_person_are_in_the_command_of_the_record(lab: Lab) -> None:
    lab.plan("job", steps=[["echo", "a"]])
    lab.run("job", "--hand", "--", "b c")
    assert lab.events("start", "job")[0]["command"] == "echo a 'b c'"


def test_an_environment_that_never_came_about_has_no_digest(lab: Lab) -> None:
    lab.job("job", "true", secrets=[("TOKEN", "/no/such")])
    lab.run("job", "--slot", SLOT)
    assert (lab.end("job")["outcome"], lab.end("job")["environment_digest"]) == ("cannot_start", None)


def test_a_run_that_cannot_start_has_a_head_in_its_log_too(lab: Lab) -> None:
    lab.job("job", "true", cwd="/no/such")

    lab.run("job", "--slot", SLOT)

    log = lab.log("job").decode()
    assert log.startswith(f"# run {lab.end('job')['run_id']}\n")
    assert "\n# cwd /no/such: No such file or directory\n# end " in log


def test_the_events_of_a_run_are_numbered_and_whole(lab: Lab) -> None:
    """RUN-13, RUN-14."""
    lab.job("job", "exit 3")

    lab.run("job", "--slot", SLOT)

    events = [json.loads(line) for line in lab.journal_text().split("\n") if line]
    assert [event["event"] for event in events] == ["start", "attempt", "flip", "end"]
    assert [event["seq"] for event in events] == [1, 2, 3, 4]
    assert {event["run_id"] for event in events} == {events[0]["run_id"]}


def test_the_log_keeps_its_cap_while_the_job_runs_undisturbed(lab: Lab) -> None:
    """RUN-42."""
    lab.job("job", "seq 1 200000", log_max_bytes=100_000)

    assert lab.run("job", "--slot", SLOT).code == 0

    log = lab.log("job")
    assert len(log) <= 100_000 + (64 << 10)
    assert b"\n1\n2\n3\n" in log
    assert b"\n199999\n200000\n# end " in log
    assert lab.end("job")["stdout_bytes"] == sum(len(str(number)) + 1 for number in range(1, 200_001))
