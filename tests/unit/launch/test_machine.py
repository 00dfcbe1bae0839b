"""RUN-1: the machine's part of a home. What it links runs; what is stale is renewed; what is right stays."""

import marshal
import os
import py_compile
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from lab import REPOSITORY, SLOT, Lab

from runner.home import machine
from runner.home.machine import write_machine_files


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_machine_files(tmp_path)
    return tmp_path


def ask(home: Path, program: str) -> str:
    """Return what the interpreter of a home says, started as run-job does."""
    words = [home / ".runner/python", "-IS", "-X", "utf8", "-c", program]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def _snapshot(home: Path) -> dict[str, tuple[int, int]]:
    stats = {str(path): path.lstat() for path in (home / ".runner").rglob("*") if not path.is_dir()}
    return {name: (stat.st_ino, stat.st_mtime_ns) for name, stat in stats.items()}


def test_the_interpreter_is_the_real_one_without_any_virtual_environment(home: Path) -> None:
    assert ask(home, "import sys; print(sys.prefix == sys.base_prefix)") == "True\n"

    real = (home / ".runner/python").resolve()
    assert real == Path(sys.executable).resolve()
    assert not any((directory / "pyvenv.cfg").exists() for directory in real.parents[:2])


def test_what_the_interpreter_imports_first_is_alone_in_a_directory_and_may_move(home: Path) -> None:
    moved = home.rename(home.with_name("moved home"))

    program = "import sys; print(*[m.__file__ for n, m in sys.modules.items() if 'encodings' in n], sep='\\n')"
    files = ask(moved, program)

    library = moved / ".runner/lib/encodings"
    assert sorted(files.splitlines()) == sorted(map(str, library.iterdir()))
    assert len(files.splitlines()) >= 2


def test_the_codecs_that_it_does_not_import_first_are_found_as_ever(home: Path) -> None:
    assert ask(home, "print('bücher'.encode('idna'), b'\\xa4'.decode('iso8859-15'))") == "b'xn--bcher-kva' €\n"


def test_an_interpreter_that_does_not_start_so_starts_as_ever(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / ".runner/made").unlink()
    monkeypatch.setattr(machine, "MAGIC_NUMBER", b"none")

    write_machine_files(home)

    assert not (home / ".runner/python._pth").exists()
    assert ask(home, "print('well')") == "well\n"


def test_the_python_of_the_jobs_has_what_the_product_depends_on(home: Path) -> None:
    found = subprocess.run([home / ".runner/bin/python3", "-c", "import astropy, requests"], capture_output=True)

    assert (found.returncode, found.stderr) == (0, b"")


def test_a_home_that_is_right_is_not_touched(home: Path) -> None:
    before = _snapshot(home)

    write_machine_files(home)

    assert _snapshot(home) == before


def test_a_home_made_by_other_code_is_made_anew(home: Path) -> None:
    before = _snapshot(home)
    (home / ".runner/made").write_text("another version")
    (home / ".runner/runner/launch/gone.py").write_text("")

    write_machine_files(home)

    assert not (home / ".runner/runner/launch/gone.py").exists()
    assert _snapshot(home)[str(home / ".runner/launch.code")] != before[str(home / ".runner/launch.code")]


def test_no_temporary_file_stays(home: Path) -> None:
    assert list((home / ".runner").rglob("*.tmp")) == []


def test_a_home_runs_without_the_package_it_was_made_by(lab: Lab, tmp_path: Path) -> None:
    """An upgrade, or the loss of the virtual environment, breaks no run that cron starts meanwhile."""
    lab.job("job", "echo oops >&2; exit 3")
    moved = tmp_path / "moved home"
    lab.home.rename(moved)

    found = subprocess.run([moved / "wrappers/run-job", "job", "--slot", SLOT], capture_output=True, cwd="/")

    assert (found.returncode, found.stderr.partition(b"\n")[0]) == (3, b"FAILED job [dsoc-prod] exit 3")
    assert (moved / "state/logs/job/latest.log").exists()


def test_the_wrapper_finds_its_home_through_a_link(lab: Lab, tmp_path: Path) -> None:
    lab.job("job", "echo $RUNNER_HOME")
    (tmp_path / "current").symlink_to(lab.home)

    subprocess.run([tmp_path / "current/wrappers/run-job", "job", "--slot", SLOT], check=True)

    assert lab.output("job") == f"{lab.home}\n".encode(), "resolved once, to the real path (RUN-26)"


def test_a_home_without_its_machine_files_says_what_to_do(tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY / "wrappers", tmp_path / "wrappers")

    found = subprocess.run([tmp_path / "wrappers/run-job", "job"], capture_output=True, text=True)

    assert found.returncode == 127
    assert 'run "runner compile" in that home' in found.stderr


def test_a_bug_is_exit_70_with_its_traceback(lab: Lab) -> None:
    """RUN-36; the bug is one of the edge: a C library without the call that we need."""
    lab.job("job", "true")
    code = lab.home / ".runner/launch.code"
    code.write_bytes(code.read_bytes().replace(b"prctl", b"prctx"))

    result = lab.run("job", "--slot", SLOT)

    assert result.code == 70
    assert "Traceback (most recent call last)" in result.mail
    assert "prctx" in result.mail
    assert lab.is_lock_free("job")


def test_modules_of_the_interpreter_that_are_elsewhere_by_now_are_found(lab: Lab) -> None:
    """As after an upgrade of the system's Python."""
    lab.job("job", "true")
    code = lab.home / ".runner/launch.code"
    loader, extensions, linked = marshal.loads(code.read_bytes())
    assert {"fcntl", "pwd", "select"} <= dict(extensions).keys()
    moved = [(name, "" if file else "/gone/module.so") for name, file in extensions]
    code.write_bytes(marshal.dumps((loader, moved, linked)))

    assert lab.run("job", "--slot", SLOT).code == 0


def test_the_sweep_needs_its_own_interpreter_and_says_so(lab: Lab) -> None:
    main = lab.home / ".runner/main.py"
    main.write_text(main.read_text().replace(repr(sys.executable), "'/no/such/python'"))
    py_compile.compile(str(main), str(main.with_suffix(".pyc")), doraise=True)

    result = lab.run("--sweep")

    assert (result.code, result.mail) == (
        126,
        f'run-job: /no/such/python: No such file or directory; run "runner compile" in {lab.home}\n',
    )


def test_the_copies_are_readable_by_others_and_writable_by_nobody_else(home: Path) -> None:
    modes = {path.stat().st_mode & 0o022 for path in (home / ".runner").rglob("*") if not path.is_symlink()}

    assert modes == {0}
    assert os.access(home / ".runner/bin/runner", os.X_OK)
