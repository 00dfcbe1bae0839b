"""What a person does with the profiles of a home: a real shell with the functions in it, and with-profile."""

from __future__ import annotations

import os
import py_compile
import subprocess
from dataclasses import dataclass
from pathlib import Path

from homes import Home
from lab import need_program

SHELLS = {
    "bash": (["bash", "--noprofile", "--norc"], ". '{home}/wrappers/activate_profile.sh'"),
    "tcsh": (["tcsh", "-f"], "source '{home}/wrappers/activate_profile.csh'"),
}
# Lists, a bytes string that is no UTF-8, and what shells get wrong.
ENVIRONMENT = {
    b"PATH": b"/my/bin:/usr/bin:/bin",
    b"HOME": b"/tmp",
    b"MANPATH": b"/my/man",
    b"LD_LIBRARY_PATH": b"",
    b"LATIN": b"\xe9t\xe9",
    b"ODD": b'it\'s ! $HOME `id` \\ \n* "x"',
    b"GIT_TERMINAL_PROMPT": b"1",
}


@dataclass(frozen=True, slots=True)
class Said:
    """What a shell gave: its exit code, stdout and stderr."""

    code: int
    out: str
    err: str


def play(home: Home, shell: str, script: str, *options: str, env: dict[bytes, bytes] | None = None) -> Said:
    """Run a script of lines in a shell that has the functions; `options` are of the shell."""
    need_program(shell)
    command, source = SHELLS[shell]
    file = home.path.parent / f"script.{shell}"
    file.write_text(f"{source.format(home=home.path)}\n{script}\n")
    return run([*command, *options, str(file)], env=ENVIRONMENT if env is None else env)


def type_in(home: Home, shell: str, script: str) -> Said:
    """Give the lines of a script to an interactive shell that has the functions; its prompts are in the answer."""
    need_program(shell)
    command, source = SHELLS[shell]
    return run([*command, "-i"], env=ENVIRONMENT, stdin=f"{source.format(home=home.path)}\n{script}\n")


def run(
    command: list[str] | list[str | bytes],
    *,
    cwd: Path | None = None,
    env: dict[bytes, bytes] | None = None,
    stdin: str = "",
) -> Said:
    """Run a command and wait for it."""
    done = subprocess.run(command, cwd=cwd, env=env, input=stdin.encode(), capture_output=True, check=False)
    return Said(done.returncode, os.fsdecode(done.stdout), os.fsdecode(done.stderr))


def dump(name: str, shell: str) -> str:
    """Return the line that writes the sorted environment into a file."""
    return f"/usr/bin/env -0 | /usr/bin/sort -z {'>!' if shell == 'tcsh' else '>'} {name}"


def keep_snapshots(home: Home, *profiles: str) -> None:
    """Let the home have a snapshot of each profile, as runs and the sweep make it."""
    jobs = "".join([f"  job-{profile}: {{run: /bin/true, profile: {profile}}}\n" for profile in profiles])
    home.write("jobs/all.yaml", f"jobs:\n{jobs}")
    home.compile()
    wrapper = home.path / "wrappers/run-job"
    for profile in profiles:
        assert run([str(wrapper), f"job-{profile}", "--hand"]).code == 0
    assert run([str(wrapper), "--sweep"]).err == ""
    assert all(list(home.state.glob(f"snapshots/{profile}@*")) for profile in profiles)


def drop_snapshots(home: Home) -> None:
    """Take away all snapshots of the home."""
    for path in home.state.glob("snapshots/*"):
        path.unlink()


def take_runner_away(home: Home) -> None:
    """Let whatever starts the command ``runner`` on its way from with-profile fail."""
    main = home.path / ".runner/main.py"
    head, _, _ = main.read_text().rpartition(".start(")
    main.write_text(f"{head}.start(home, '/no/such/python')\n")
    py_compile.compile(str(main), str(main.with_suffix(".pyc")), doraise=True)
