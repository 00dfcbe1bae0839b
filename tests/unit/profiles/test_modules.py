"""PROF-25: environment-modules and Lmod, which both answer in Python; their exit status is always 0."""

from __future__ import annotations

from pathlib import Path

import pytest
from missing import give_up

from runner.launch.activation import Activation, Change
from runner.launch.log import Log
from runner.launch.outcome import CannotStart
from runner.profiles.activators.modules import read_code
from runner.profiles.capture import Capture, activate

# Of the two Debian installs either: Lmod is unpacked beside.
COMMANDS = {
    "environment-modules": "/usr/lib/x86_64-linux-gnu/modulecmd.tcl",
    "lmod": "/opt/lmod/usr/share/lmod/lmod/libexec/lmod",
}
DEFAULTS = (".version", ".modulerc")
_CASA = """\
#%Module1.0
prepend-path PATH /opt/casa/bin
append-path CASA_PATH /opt/casa/data
setenv CASA_HOME "/opt/casa it's"
unsetenv OLD
"""


@pytest.fixture(params=COMMANDS)
def command(request: pytest.FixtureRequest) -> str:
    path = COMMANDS[request.param]
    if not Path(path).exists():
        give_up(f"no program {path}")
    return path


def _load(command: str, directory: Path, *names: str) -> Capture:
    for name, text in {
        "casa": _CASA,
        "other": "#%Module1.0\nconflict casa\n",
        "bad": "#%Module1.0\nnosuch x\n",
    }.items():
        (directory / name).write_text(text)
    activation = Activation()
    details = [("command", command), ("path", str(directory)), *[("load", name) for name in names]]
    activation.changes = [Change("modules", details=details)]
    before = {"PATH": "/usr/bin:/bin", "HOME": "/", "OLD": "1", "CASA_PATH": "/mine"}
    return activate(activation, "p", before, "/", Log("", -1, 0))


def test_a_module_changes_the_environment_and_names_its_files(command: str, tmp_path: Path) -> None:
    found = _load(command, tmp_path, "casa")

    assert found.environment["PATH"] == "/opt/casa/bin:/usr/bin:/bin"
    assert found.environment["CASA_PATH"] == "/mine:/opt/casa/data"
    assert found.environment["CASA_HOME"] == "/opt/casa it's"
    assert "OLD" not in found.environment
    assert found.environment["LOADEDMODULES"] == "casa"
    assert set(found.inputs) >= {command, str(tmp_path), f"{tmp_path}/casa", *[f"{tmp_path}/{n}" for n in DEFAULTS]}


def test_a_new_version_of_a_module_is_a_change(command: str, tmp_path: Path) -> None:
    """PROF-62: a name without a version may mean another file then."""
    (tmp_path / "iraf").mkdir()
    (tmp_path / "iraf/2.16").write_text("#%Module1.0\nsetenv IRAF 2.16\n")
    inputs = _load(command, tmp_path, "iraf").inputs
    assert {f"{tmp_path}/iraf", f"{tmp_path}/iraf/.version"} <= set(inputs)


@pytest.mark.parametrize(
    ("names", "why"), [(["nosuch"], "nosuch"), (["bad"], "nosuch"), (["casa", "other"], "casa|other")]
)
def test_a_module_that_cannot_be_loaded_is_told_in_its_own_words(
    command: str, tmp_path: Path, names: list[str], why: str
) -> None:
    with pytest.raises(CannotStart, match=f"^profile p: modules: .*({why})"):
        _load(command, tmp_path, *names)


def test_a_command_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="no program /no/such"):
        _load("/no/such", tmp_path, "casa")


@pytest.mark.parametrize(
    "code",
    [
        "import os\nos.system('id')\n_mlstatus = True\n",
        "print(1)\n",
        "os.environ[input()] = '1'\n",
        "x = 1\n",
        "if 1: pass\n",
        "(",
    ],
)
def test_code_that_does_more_than_change_variables_is_refused_and_never_run(code: str) -> None:
    with pytest.raises(CannotStart, match=r"it does more than change variables|its answer for Python is none"):
        read_code(code)
