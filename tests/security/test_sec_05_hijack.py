"""What lies in the way of an interpreter or on PATH is not run in the place of what was meant (SEC-5)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from lab import SLOT, Lab

from runner.launch.activation import Change

_MODULES = ("os", "site", "sitecustomize", "usercustomize", "posix", "marshal", "encodings", "select", "runner")


@pytest.fixture
def caller(tmp_path: Path) -> dict[str, str]:
    """The environment of a caller whose directories are full of planted modules, each of which would leave a mark."""
    place = tmp_path / "planted"
    user_site = place / f".local/lib/python3.{sys.version_info.minor}/site-packages"
    user_site.mkdir(parents=True)
    code = f"open({str(tmp_path / 'hijacked')!r}, 'w').close()"
    for directory in (place, user_site):
        for module in _MODULES:
            (directory / f"{module}.py").write_text(code)
        (directory / "planted.pth").write_text(f"import os; {code}\n")
    names = ("PYTHONPATH", "HOME", "PYTHONUSERBASE", "LD_LIBRARY_PATH")
    startup = {"PYTHONSTARTUP": f"{place}/os.py", "BASH_ENV": f"{place}/rc", "ENV": f"{place}/rc", "PYTHONHOME": "/no"}
    (place / "rc").write_text(f"touch {tmp_path}/hijacked\n")
    return {"PATH": f"{place}:/usr/bin:/bin", **dict.fromkeys(names, str(place)), **startup}


def test_sec_05_planted_modules_and_startup_files_are_not_executed(
    lab: Lab, caller: dict[str, str], tmp_path: Path
) -> None:
    lab.job("job", "import os, json; print(os.__file__)", interpreter="/usr/bin/env python3")

    result = lab.run("job", "--slot", SLOT, cwd=tmp_path / "planted", env=caller)
    sweep = lab.run("--sweep", cwd=tmp_path / "planted", env=caller)

    assert (result.code, result.err, sweep.code) == (0, b"", 0)
    assert b"planted" not in lab.output("job")
    assert not (tmp_path / "hijacked").exists()


@pytest.mark.parametrize("element", [".", "", "bin", "./bin", "{open}"])
def test_sec_05_a_path_in_which_others_may_put_programs_starts_nothing(lab: Lab, tmp_path: Path, element: str) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o1777)
    path = f"/usr/bin:{element.format(open=tmp_path / 'open')}:/bin"
    lab.job("job", f"touch {lab.home}/ran", changes=[Change("set", "PATH", path)])

    result = lab.run("job", "--slot", SLOT)

    assert (result.code, lab.end("job")["outcome"]) == (126, "cannot_start")
    assert lab.end("job")["reason"].startswith("profile dsoc-prod: PATH has ")
    assert lab.end("job")["reason"].endswith("(SEC-5)")
    assert not (lab.home / "ran").exists()


def test_sec_05_what_jobs_may_import_must_be_the_runners_own(lab: Lab) -> None:
    """``runner.job`` is on the PYTHONPATH of each of them."""
    (lab.home / ".runner/jobside/runner").chmod(0o777)
    lab.job("job", f"touch {lab.home}/ran")

    result = lab.run("job", "--slot", SLOT)

    assert (result.code, lab.end("job")["outcome"]) == (126, "cannot_start")
    assert "/.runner/jobside/runner " in lab.end("job")["reason"]
    assert not (lab.home / "ran").exists()
