"""One command in a profile: what it finds, and what it is spared (PROF-40, PROF-52).

The same suite over ``with-profile`` from a snapshot, its csh form, and ``runner profile exec``.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from homes import Home
from lab import CALLER, CANARY
from people import Said, drop_snapshots, keep_snapshots, run, take_runner_away

CALLER_BYTES = {os.fsencode(name): os.fsencode(value) for name, value in CALLER.items()}
PROFILE = """\
activate: [{setup: {shell: bash, eval: "echo export TREE=/sw/{profile}"}}]
path: {prepend: ["{home}/bin"]}
env: {AREA: "/lustre/{profile}"}
"""
Command = Callable[..., list[str]]


@pytest.fixture(params=["snapshot", "csh", "exec"])
def command(request: pytest.FixtureRequest, home: Home) -> Command:
    """What becomes a command in the profile ``prod``."""
    home.write("envs/prod.yaml", PROFILE)
    start = [str(home.path / ".runner/bin/runner"), "--home", str(home.path), "profile", "exec"]
    if request.param != "exec":
        keep_snapshots(home, "prod")
        take_runner_away(home)
        start = [str(home.path / f"wrappers/with-profile{'.csh' if request.param == 'csh' else ''}")]
    return lambda *words, profile="prod": [*start, profile, *words]


def test_it_finds_what_a_job_finds_and_nothing_of_the_callers(home: Home, command: Command) -> None:
    """PROF-4."""
    said = run(command("env"), env=CALLER_BYTES)

    assert (said.code, said.err) == (0, "")
    assert CANARY not in said.out
    found = dict(line.split("=", 1) for line in said.out.splitlines())
    assert (found["TREE"], found["AREA"]) == ("/sw/prod", "/lustre/prod")
    assert found["PATH"] == f"{home.path}/bin:/usr/bin:/bin"
    assert (found["CAPO_PROFILE"], found["CAPO_PATH"]) == ("prod", f"{home.path}/envs/capo")


def test_it_is_the_caller_itself_in_the_callers_directory(command: Command, tmp_path: Path) -> None:
    process = subprocess.Popen(
        command("sh", "-c", "echo $$; pwd; umask"), cwd=tmp_path, stdout=subprocess.PIPE, umask=0o077
    )

    assert process.communicate()[0].decode() == f"{process.pid}\n{tmp_path}\n0077\n"


def test_no_signal_is_ignored_because_we_ignore_it(command: Command) -> None:
    """RUN-20: as Python does with two."""
    ignored = int(run(command("grep", "SigIgn", "/proc/self/status")).out.split()[1], 16)

    assert [number for number in (signal.SIGPIPE, signal.SIGXFSZ) if ignored & 1 << number - 1] == []


def test_stdin_and_a_terminal_are_the_callers(command: Command) -> None:
    ours, theirs = os.openpty()
    try:
        words = command("sh", "-c", "tty; read line; echo got $line")
        process = subprocess.Popen(words, stdin=theirs, stdout=subprocess.PIPE)
        os.write(ours, b"what was typed\n")
        assert process.communicate()[0].decode() == f"{os.ttyname(theirs)}\ngot what was typed\n"
    finally:
        os.close(ours)
        os.close(theirs)


def test_the_exit_code_is_the_commands(command: Command) -> None:
    assert run(command("sh", "-c", "exit 3")).code == 3
    assert run(command("sh", "-c", "kill -TERM $$")).code == -15


def test_a_relative_command_begins_where_the_caller_is(command: Command, tmp_path: Path) -> None:
    (tmp_path / "here").write_text("#!/bin/sh\necho here\n")
    (tmp_path / "here").chmod(0o755)

    assert run(command("./here"), cwd=tmp_path).out == "here\n"


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (["no-such-command"], 127, 'no program "no-such-command" on PATH'),
        (["./no-such-file"], 127, 'no file "./no-such-file"'),
        (["/etc/passwd"], 126, "/etc/passwd: not executable"),
        (["/"], 126, "/: not executable"),
        ([""], 127, 'no program "" on PATH'),
    ],
)
def test_what_cannot_be_executed_is_said(command: Command, words: list[str], code: int, reason: str) -> None:
    """RUN-22."""
    said = run(command(*words))

    assert (said.code, said.out) == (code, "")
    assert reason in said.err
    assert said.err.count("\n") == 1


@pytest.mark.parametrize("name", ["../prod", "", "-x"])
def test_what_is_no_name_of_a_profile_is_a_mistake(command: Command, name: str) -> None:
    assert run(command("echo", "ran", profile=name)).code == 2


def test_a_command_is_needed(command: Command) -> None:
    assert run(command()).code == 2


# With-profile only: when the snapshot does for it.


@pytest.fixture
def with_profile(home: Home) -> Callable[..., Said]:
    """Calls ``with-profile prod`` on a home that has a snapshot of it."""
    home.write("envs/prod.yaml", PROFILE)
    keep_snapshots(home, "prod")
    return lambda *words: run([str(home.path / "wrappers/with-profile"), "prod", *words])


def test_a_profile_edited_since_is_activated_anew(home: Home, with_profile: Callable[..., Said]) -> None:
    """PROF-63: its YAML counts, compiled or not."""
    home.write("envs/prod.yaml", PROFILE.replace("/lustre/", "/new/"))

    assert with_profile("printenv", "AREA").out == "/new/prod\n"


def test_a_snapshot_of_what_was_compiled_before_an_edit_is_for_jobs_alone(
    home: Home, with_profile: Callable[..., Said]
) -> None:
    """PROF-62: captured after the edit, but from the plan."""
    home.write("envs/prod.yaml", PROFILE.replace("/lustre/", "/new/"))
    (home.state / "snapshots/prod.wanted").write_text("job-prod")
    before = [path.read_bytes() for path in home.state.glob("snapshots/prod@*")]
    assert run([str(home.path / "wrappers/run-job"), "--sweep"]).err == ""
    assert before != [path.read_bytes() for path in home.state.glob("snapshots/prod@*")]

    assert with_profile("printenv", "AREA").out == "/new/prod\n"


def test_without_a_snapshot_the_profile_is_activated_now(home: Home, with_profile: Callable[..., Said]) -> None:
    """PROF-52."""
    drop_snapshots(home)

    assert with_profile("printenv", "TREE").out == "/sw/prod\n"


def test_the_sweep_makes_a_snapshot_for_the_next_time(home: Home) -> None:
    """PROF-63: also of a profile that no run needs one of."""
    home.write("envs/plain.yaml", "env: {AREA: /lustre}\n")
    home.write("jobs/all.yaml", "jobs: {job: {run: /bin/true, profile: plain}}\n")
    home.compile()
    run([str(home.path / "wrappers/run-job"), "job", "--hand"])
    command = [str(home.path / "wrappers/with-profile"), "plain", "printenv", "AREA"]
    assert run(command).out == "/lustre\n"
    assert run([str(home.path / "wrappers/run-job"), "--sweep"]).err == ""
    take_runner_away(home)

    assert run(command).out == "/lustre\n"


def test_the_snapshot_of_another_home_is_not_used(home: Home, with_profile: Callable[..., Said]) -> None:
    """PROF-62."""
    moved = home.path.rename(home.path.with_name("moved"))

    assert run([str(moved / "wrappers/with-profile"), "prod", "printenv", "CAPO_PATH"]).out == f"{moved}/envs/capo\n"


def test_secrets_are_there_although_no_snapshot_has_them(home: Home, with_profile: Callable[..., Said]) -> None:
    """PROF-4, PROF-64."""
    secret = home.write("secret", f"{CANARY}\n")
    secret.chmod(0o600)
    home.write("envs/prod.yaml", f"{PROFILE}secrets: {{DB_PW: 'file:{secret}'}}\n")
    assert with_profile("printenv", "DB_PW").out == f"{CANARY}\n"
    drop_snapshots(home)  # to a run it is the same as before
    keep_snapshots(home, "prod")
    take_runner_away(home)
    assert with_profile("printenv", "DB_PW").out == f"{CANARY}\n"
    secret.unlink()
    assert with_profile("true") == Said(126, "", f"with-profile: secret DB_PW in {secret}: No such file or directory\n")
    assert not [path for path in home.state.glob("snapshots/*") if CANARY.encode() in path.read_bytes()]


def test_what_the_profile_requires_is_looked_for_at_each_call(home: Home, with_profile: Callable[..., Said]) -> None:
    """PROF-40, PROF-43."""
    needed = home.write("needed", "")
    home.write("envs/prod.yaml", f"{PROFILE}require: {{files: ['{needed}']}}\n")
    keep_snapshots(home, "prod")
    assert with_profile("echo", "ran").out == "ran\n"
    take_runner_away(home)
    needed.unlink()

    said = with_profile("echo", "ran")

    assert said == Said(126, "", f"with-profile: profile prod: require: {needed} cannot be read\n")


def test_a_home_that_was_never_compiled_says_what_to_do(home: Home) -> None:
    (home.path / ".runner/python").unlink()

    for name in ("with-profile", "with-profile.csh"):
        said = run([str(home.path / "wrappers" / name), "prod", "true"])
        assert said.code == 127
        assert 'run "runner compile" in that home' in said.err
