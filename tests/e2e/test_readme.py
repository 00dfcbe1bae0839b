"""The transcripts of README.md are true: each is played again, in order, and must say what stands there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def read_transcripts(text: str) -> list[tuple[str, str]]:
    """Return each command of the console blocks and what it must print."""
    commands: list[tuple[str, str]] = []
    for block in BLOCK.findall(text):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            commands.append((command, output))
    return commands


def make_pattern(expected: str) -> re.Pattern[str]:
    """Return the expression for an output: ``...`` stands for any text, blanks at line ends do not count."""
    lines = [line.rstrip() for line in expected.strip().split("\n")]
    return re.compile(".*".join(re.escape(part) for part in "\n".join(lines).split("...")), re.DOTALL)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A stranger's shell: the command runner, and a crontab that is not the host's."""
    programs = tmp_path / "bin"
    programs.mkdir()
    stage = REPOSITORY / "runner" / "demo" / "cron"
    for name in ("crontab", "table"):
        (programs / name).write_bytes((stage / name).read_bytes())
    (programs / "crontab").chmod(0o755)
    (programs / "runner").write_text(f'#!/bin/sh\nexec {sys.executable} -P -m runner.cli.main "$@"\n')
    (programs / "runner").chmod(0o755)
    return {"PATH": f"{programs}:/usr/bin:/bin", "HOME": str(tmp_path), "LANG": "C.UTF-8"}


def test_the_transcripts_of_the_readme_are_true(tmp_path: Path, environment: dict[str, str]) -> None:
    commands = read_transcripts((REPOSITORY / "README.md").read_text())
    assert len(commands) >= 10
    where = tmp_path
    for command, expected in commands:
        done = run(command, where, environment)
        # Warnings are about the machine that plays it: a host without sendmail, a crontab that is a stand-in.
        lines = [line.rstrip() for line in done.stdout.strip().split("\n") if not line.startswith("warning: ")]
        said = "\n".join(lines)
        assert make_pattern(expected).fullmatch(said), f"$ {command}\n{said}"
        if command.startswith("cd "):
            where = where / command.removeprefix("cd ")


def run(command: str, where: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "-c", command], cwd=where, env=environment, text=True, check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
