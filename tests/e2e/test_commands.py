"""The command as a process of its own: questions on a terminal, signals, exit codes, completion."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest
from homes import Home, make_home
from replicas import Replica

PROGRAM = [sys.executable, "-P", "-m", "runner.cli.main"]


@pytest.fixture
def home(
    tmp_path: Path, machine_files: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Home:
    """A home with a job that ends as it is told, and one that waits to be stopped."""
    home = make_home(tmp_path / "home", machine_files, capfd, monkeypatch)
    home.script("end.sh", 'echo "$@"; exit "$1"')
    home.script("wait.sh", "echo ready; exec sleep 60")
    home.write(
        "jobs/all.yaml",
        "defaults: {profile: local}\njobs:\n  end: {run: jobs/end.sh 0}\n  seven: {run: jobs/end.sh 7}\n"
        '  wait: {run: jobs/wait.sh, when: "@daily"}\n',
    )
    home.compile()
    return home


def runner(home: Home, *words: str, **options: object) -> subprocess.CompletedProcess[str]:
    command = [*PROGRAM, *words]
    return subprocess.run(command, cwd=home.path, text=True, capture_output=True, check=False, **options)  # type: ignore[call-overload,no-any-return]


class Terminal:
    """``runner WORDS`` on a terminal of its own."""

    def __init__(self, home: Home, *words: str) -> None:
        self.said = ""
        self._screen, inside = pty.openpty()
        command = ["setsid", "--ctty", *PROGRAM, *words]
        self._process = subprocess.Popen(command, cwd=home.path, stdin=inside, stdout=inside, stderr=inside)
        os.close(inside)

    def expect(self, text: str) -> None:
        """Read until `text` was said."""
        while text not in self.said and self._read():
            pass
        assert text in self.said

    def type(self, keys: str) -> None:
        os.write(self._screen, keys.encode())

    def finish(self, *, again: str = "") -> int:
        """Read to the end; return the exit code. While nothing comes, `again` is typed each second, as people do.

        A Ctrl-C between a prompt and Python's wait for the answer is not heard before the next key.
        """
        while True:
            if again and not select.select([self._screen], [], [], 1.0)[0]:
                self.type(again)
            if not self._read():
                break
        os.close(self._screen)
        return self._process.wait(timeout=20)

    def _read(self) -> bool:
        """Read what is there; return whether there may be more."""
        try:
            data = os.read(self._screen, 65536)
        except OSError:  # EIO: nobody holds the other end any more
            return False
        self.said += data.decode()
        return bool(data)


# A question on a terminal


@pytest.mark.parametrize("no", ["n\n", "\n", "\x04", "\x03"])
def test_who_does_not_say_yes_changes_nothing(home: Home, no: str) -> None:
    """CRON-40; Ctrl-D and Ctrl-C are a no as well."""
    home.crontab.table = b"# foreign\n"
    home.write("jobs/new.yaml", "jobs:\n  new: {run: jobs/end.sh 0, profile: local, when: '@daily'}\n")
    before = home.tree()
    terminal = Terminal(home, "crontab", "install")
    terminal.expect("Go on? [y/N]:")
    assert "added new" in terminal.said
    terminal.type(no)
    assert terminal.finish(again="\x03" if no == "\x03" else "") == 1
    assert terminal.said.rstrip().endswith("nothing was changed")
    assert home.tree() == before


def test_who_says_yes_is_obeyed(home: Home) -> None:
    for command, done in (("install", "installed: 1 jobs for"), ("uninstall", "our block is out of the crontab")):
        terminal = Terminal(home, "crontab", command)
        terminal.expect("Go on? [y/N]:")
        terminal.type("y\n")
        assert terminal.finish() == 0
        assert done in terminal.said
    assert home.crontab.table is None


def test_who_said_yes_before_is_not_asked(home: Home) -> None:
    terminal = Terminal(home, "crontab", "install", "--yes")
    assert terminal.finish() == 0
    assert "Go on?" not in terminal.said


def test_a_pull_that_changes_something_asks_first(home: Home) -> None:
    """PROF-90."""
    replica = Replica(home)
    replica.originals(a="x = 1\n")
    for answer, code, files in (("n\n", 1, {}), ("y\n", 0, {"a": "x = 1\n"})):
        terminal = Terminal(home, "profile", "pull", "--json")
        terminal.expect("Go on? [y/N]:")
        assert "add a.properties: new at the origin" in terminal.said
        terminal.type(answer)
        assert (terminal.finish(), replica.files) == (code, files)


# A job by hand


@pytest.mark.parametrize(("job", "code", "said"), [("end", 0, "0\n"), ("seven", 7, "7\n")])
def test_a_job_by_hand_shows_its_output_and_gives_its_own_code(home: Home, job: str, code: int, said: str) -> None:
    done = runner(home, "run", job)
    assert (done.returncode, done.stdout) == (code, said)
    (run,) = home.runner("history", job, "--json").objects
    assert (run["exit_code"], run["trigger"], run["alerted"]) == (code, "hand", "")


def test_arguments_after_two_dashes_are_the_jobs(home: Home) -> None:
    done = runner(home, "run", "end", "--", "a b", "--json", "*", "")
    assert done.stdout == "0 a b --json * \n"


def test_ctrl_c_ends_the_job_and_records_that(home: Home) -> None:
    terminal = Terminal(home, "run", "wait")
    terminal.expect("ready")
    terminal.type("\x03")
    assert terminal.finish() == 143
    (run,) = home.runner("history", "wait", "--json").objects
    assert (run["state"], run["outcome"]) == ("ended", "stopped")


def test_a_signal_to_the_command_reaches_the_job(home: Home) -> None:
    process = subprocess.Popen([*PROGRAM, "run", "wait"], cwd=home.path, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    process.terminate()
    assert process.wait(timeout=20) == 143
    process.stdout.close()


# Readers that go away


def test_following_a_log_ends_quietly_with_ctrl_c(home: Home) -> None:
    runner(home, "run", "end")
    terminal = Terminal(home, "logs", "-f", "end")
    terminal.expect("# end ")
    terminal.type("\x03")
    assert terminal.finish() == 0
    assert "Traceback" not in terminal.said


def test_a_reader_that_has_enough_is_no_trouble(home: Home) -> None:
    process = subprocess.Popen(
        [*PROGRAM, "next", "-n", "10000"], cwd=home.path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout
    process.stdout.close()
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, b"")


# Which home


def test_the_home_is_the_option_else_the_variable_else_the_directory(home: Home, tmp_path: Path) -> None:
    other = tmp_path / "other"
    (other / "jobs").mkdir(parents=True)
    (other / "envs").mkdir()

    def is_home(*words: str, cwd: Path, **variables: str) -> bool:
        command = [*PROGRAM, *words, "next", "wait"]
        environment = {**os.environ, **variables}
        return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, check=False).returncode == 0

    assert is_home(cwd=home.path / "jobs")
    assert not is_home(cwd=home.path, RUNNER_HOME=str(other))
    assert is_home("--home", str(home.path), cwd=other, RUNNER_HOME=str(other))


# Completion


def _ask(line: str) -> dict[str, str]:
    """Return what bash puts into the environment to have a line completed."""
    return {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1), "_RUNNER_COMPLETE": "bash_complete"}


def complete(home: Home, line: str) -> set[str]:
    done = runner(home, env={**os.environ, **_ask(line)})
    return {answer.partition(",")[2] for answer in done.stdout.split()}


def test_a_shell_can_complete_commands_and_options(home: Home) -> None:
    script = runner(home, env={**os.environ, "_RUNNER_COMPLETE": "bash_source"})
    assert script.returncode == 0
    assert "complete -o nosort -F _runner_completion runner" in script.stdout
    assert {"demo", "crontab", "status"} <= complete(home, "runner ")
    assert {"diff", "install", "uninstall"} <= complete(home, "runner crontab ")
    assert complete(home, "runner hist") == {"history"}
    assert {"--json", "--limit"} <= complete(home, "runner history --")


def test_a_shell_can_complete_jobs_plans_profiles_targets_files_and_runs(home: Home) -> None:
    home.write("envs/prod.yaml", "")
    several = "jobs:\n  several: {run: jobs/end.sh 0, profile: [local, prod]}\n"
    home.write("jobs/more.yaml", several)
    home.compile()
    assert runner(home, "run", "end").returncode == 0
    (run,) = (path.stem for path in home.path.glob("state/logs/end/2*.log"))
    assert complete(home, "runner run s") == {"seven", "several"}
    for command in ("history", "why", "logs"):
        assert complete(home, f"runner {command} se") == {"seven", "several", "several@local", "several@prod"}
    assert complete(home, "runner logs 2") == {run}
    assert complete(home, "runner show several -P ") == complete(home, "runner add x --profile ") == {"local", "prod"}
    assert complete(home, "runner crontab diff --target ") == {"main"}
    assert complete(home, "runner add x --file ") == {"jobs/all.yaml", "jobs/more.yaml"}


def test_completion_outside_of_a_home_or_in_a_broken_one_offers_nothing_in_silence(home: Home, tmp_path: Path) -> None:
    (home.path / "crontab.d" / "home.plan").write_text("nonsense")
    assert complete(home, "runner crontab diff --target ") == set()
    assert complete(home, f"runner --home {tmp_path}/none run ") == set()
    done = runner(home, "--home", str(tmp_path), env={**os.environ, **_ask("runner --home /nonexistent history ")})
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "", "")


def test_completion_asks_no_database(home: Home) -> None:
    command = [sys.executable, "-X", "importtime", *PROGRAM[1:]]
    environment = {**os.environ, **_ask("runner history ")}
    done = subprocess.run(command, cwd=home.path, env=environment, text=True, capture_output=True, check=False)
    assert "plain,seven" in done.stdout
    assert [name for name in ("sqlite3", "sqlalchemy", "rich") if f" {name}\n" in done.stderr] == []


def test_what_bash_is_given_is_bash(home: Home) -> None:
    script = runner(home, env={**os.environ, "_RUNNER_COMPLETE": "bash_source"}).stdout
    assert subprocess.run(["/bin/bash", "-n"], input=script, text=True, check=False).returncode == 0
