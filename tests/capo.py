"""Directories of property files as tests/data/capo.yaml describes them, and `runner capo` called in one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from runner.cli.main import run


@dataclass(frozen=True, slots=True)
class Answer:
    """What one call gave."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Place:
    """An empty directory that is the working directory, with ``home`` in it as HOME and nothing of CAPO set."""

    root: Path
    capture: pytest.CaptureFixture[str]
    setenv: Callable[[str, str], None]

    def write(self, files: Mapping[str, str | bytes]) -> None:
        """Write files; the mode of none lets others write."""
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode() if isinstance(text, str) else text)
            path.chmod(0o644)

    def fill(self, text: str) -> str:
        """Return the text of a case with its place in it."""
        return text.replace("{ROOT}", str(self.root))

    def capo(self, *words: str) -> Answer:
        """Call ``runner capo WORDS``."""
        self.capture.readouterr()
        code = run(["capo", *(self.fill(word) for word in words)])
        return Answer(code, *self.capture.readouterr())

    def strict(self, text: str | bytes, *words: str, profile: str = "test") -> Answer:
        """Call ``runner capo --strict`` on one file with `text`, ``capo/PROFILE.properties``."""
        self.write({f"capo/{profile}.properties": text})
        return self.capo("--strict", "--path", "capo", "-P", profile, *words)


def make_place(root: Path, capture: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> Place:
    """Return a place that is the working directory from now on."""
    (root / "home").mkdir(parents=True)
    patch.chdir(root)
    for name in ("CAPO_PROFILE", "CAPO_PATH", "RUNNER_HOME"):
        patch.delenv(name, raising=False)
    patch.setenv("HOME", str(root / "home"))
    return Place(root, capture, patch.setenv)
