"""The packages of a release: shared while the lock file is the same, made offline where it says so."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path

import pytest

from runner.errors import TryLater, UserError
from runner.releases.base import Base
from runner.releases.environment import digest_lock, find_lock_file, provide_environment, read_lock
from runner.releases.log import BuildLog

LOCK = "--no-index\n--find-links wheels\ngreeting==1.0\n"


def make_wheel(directory: Path, version: str = "1.0") -> Path:
    """Return a wheel of a package ``greeting``."""
    directory.mkdir(exist_ok=True)
    info = f"greeting-{version}.dist-info"
    path = directory / f"greeting-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("greeting.py", "TEXT = 'hello'\n")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: greeting\nVersion: {version}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", f"greeting.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return path


class Place:
    """A base with releases that want packages."""

    def __init__(self, path: Path) -> None:
        self.base = Base(path)
        self.base.environments.mkdir(parents=True)

    def provide(self, name: str, lock: str) -> str:
        """Make a release with that lock file and give it its environment; return the name of that."""
        home = self.base.release(name)
        home.mkdir(parents=True)
        make_wheel(home / "wheels")
        (home / "requirements.txt").write_text(lock)
        with BuildLog(self.base.path / "log") as log:
            return provide_environment(self.base, home, "", log, ("ana", str(self.base.path)), 60)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "base")


def test_packages_are_installed_compiled_sealed_and_shared(place: Place) -> None:
    name = place.provide("one", LOCK)
    assert place.provide("two", LOCK) == name

    python = place.base.release("two") / ".venv/bin/python"
    done = subprocess.run([python, "-c", "import greeting; print(greeting.__cached__)"], capture_output=True, text=True)
    assert Path(done.stdout.strip()).exists(), done.stderr
    assert not (place.base.environments / name).stat().st_mode & 0o222
    assert "has not changed" in (place.base.path / "log").read_text()


def test_with_one_hash_all_must_have_one_and_be_right(place: Place) -> None:
    wrong = f"{LOCK.strip()} --hash=sha256:{'0' * 64}\n"
    with pytest.raises(TryLater, match=r"packages of requirements\.txt cannot be installed: exit 1"):
        place.provide("one", wrong)
    assert list(place.base.environments.iterdir()) == []
    assert "--require-hashes" in (place.base.path / "log").read_text()


def test_a_home_without_lock_file_has_no_environment(tmp_path: Path) -> None:
    assert find_lock_file(tmp_path, "") is None
    with pytest.raises(UserError, match=r"no packages\.lock"):
        find_lock_file(tmp_path, "packages.lock")


def test_the_name_depends_on_all_texts_and_the_interpreter(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("-r more.txt\n--constraint=limits.txt\na==1\n")
    (tmp_path / "more.txt").write_text("b==1\n")
    (tmp_path / "limits.txt").write_text("c<2\n")

    texts = read_lock(tmp_path / "requirements.txt", tmp_path)

    assert sorted(texts) == ["limits.txt", "more.txt", "requirements.txt"]
    names = {
        digest_lock(texts, "3.11"),
        digest_lock(texts, "3.12"),
        digest_lock({**texts, "more.txt": "b==2\n"}, "3.11"),
    }
    assert len(names) == 3


@pytest.mark.parametrize(
    "line", ["-e .", "--editable=src", ".", "./lib", "../lib", "/opt/lib", "file:///opt/lib", "-r gone.txt"]
)
def test_what_would_be_the_source_of_one_release_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "requirements.txt").write_text(f"a==1\n{line}\n")
    with pytest.raises(UserError):
        read_lock(tmp_path / "requirements.txt", tmp_path)


@pytest.mark.parametrize(
    "line", ["./wheels/a-1.0-py3-none-any.whl", "-r https://example.org/r.txt", "# ./lib", "a @ https://x/y.whl"]
)
def test_wheels_and_addresses_are_let_in(tmp_path: Path, line: str) -> None:
    (tmp_path / "requirements.txt").write_text(f"{line}\n")
    assert len(read_lock(tmp_path / "requirements.txt", tmp_path)) == 1
