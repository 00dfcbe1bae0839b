"""A profile that is broken, one of each kind: no script runs, and the mail has the line that failed."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from condas import PIPELINE, make_prefix
from lab import SLOT, Lab

from runner.launch.activation import Activation, Change


def _refuse(lab: Lab, activation: Activation) -> str:
    """Run a job in a broken profile; return the reason that the mail gives."""
    lab.job("job", f"touch {lab.home}/ran", activation=activation)
    begun = time.monotonic()

    result = lab.run("job", "--slot", SLOT)

    assert time.monotonic() - begun < activation.timeout_s + 1
    end = lab.end("job")
    assert (result.code, end["outcome"], (lab.home / "ran").exists()) == (126, "cannot_start", False)
    assert end["reason"] in result.mail
    lab.assert_clean("job")
    return str(end["reason"]).removeprefix("profile dsoc-prod: ")


def _activation(*changes: Change) -> Activation:
    activation = Activation()
    activation.changes = list(changes)
    return activation


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (Change("venv", "", "/no/tree"), "venv: no /no/tree/pyvenv.cfg"),
        (Change("conda", details=[("prefix", "/no/env")]), "conda: no conda environment at /no/env"),
        (Change("modules", details=[("command", "/no/cmd"), ("load", "x")]), "modules: no program /no/cmd"),
        (Change("setup", details=[("shell", "bash"), ("source", "/no/setup")]), "setup: /no/setup: No such file"),
    ],
    ids=["venv", "conda", "modules", "setup"],
)
def test_fault_53_an_environment_that_is_not_there(lab: Lab, change: Change, reason: str) -> None:
    assert _refuse(lab, _activation(change)).startswith(reason)


def test_fault_53_the_wrong_python(lab: Lab) -> None:
    activation = _activation()
    activation.requires = [("version", "python3 >= 99.0")]
    assert _refuse(lab, activation).startswith("require: python3 is 3.")


def test_fault_53_a_property_that_nobody_defined_is_an_error_and_not_empty(lab: Lab, tmp_path: Path) -> None:
    """CAPO-37."""
    (tmp_path / "dsoc-prod.properties").write_text("evla.casaHome = /home/casa\n")
    (tmp_path / "dsoc-prod.properties").chmod(0o640)
    details = [("profile", "dsoc-prod"), ("path", str(tmp_path)), ("format", "pycapo"), ("home", "no")]
    capo = [*details, ("export", "CASA_HOME evla.casaHome"), ("export", "AREA evla.area")]

    reason = _refuse(lab, _activation(Change("capo", details=capo)))

    assert reason == f"capo: no property evla.area in {tmp_path}/dsoc-prod.properties"


def test_fault_53_an_activation_script_that_hangs(lab: Lab, tmp_path: Path) -> None:
    files = {**PIPELINE, "etc/conda/activate.d/z.sh": "sleep 600\n"}
    make_prefix(tmp_path / "wfc3", files)
    activation = _activation(Change("conda", details=[("prefix", f"{tmp_path}/wfc3")]))
    activation.timeout_s = 2.0

    assert _refuse(lab, activation).startswith("conda: timeout after ")


def test_fault_53_chatter_on_stdout_is_no_trouble_and_stands_in_the_log(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "setup").write_text("echo welcome to the pipeline\nexport A=1\n")
    setup = Change("setup", details=[("shell", "bash"), ("source", f"{tmp_path}/setup")])
    lab.job("job", 'echo "A=$A"', activation=_activation(setup))

    result = lab.run("job", "--slot", SLOT)

    assert (result.code, result.err) == (0, b"")
    assert lab.output("job") == b"welcome to the pipeline\nA=1\n"
    lab.assert_clean("job")
