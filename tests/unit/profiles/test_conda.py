"""PROF-21 to PROF-24: a conda environment activated by rule, against a real one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from condas import PIPELINE, make_prefix

from runner.launch.activation import Activation, Change
from runner.launch.log import Log
from runner.launch.outcome import CannotStart
from runner.profiles.capture import Capture, activate

_BEFORE = {"PATH": "/usr/bin:/bin", "HOME": "/"}


def _activate(*details: tuple[str, str]) -> Capture:
    activation = Activation()
    activation.changes = [Change("conda", details=list(details))]
    return activate(activation, "p", _BEFORE, "/", Log("", -1, 0))


def test_an_environment_by_name_has_all_that_conda_sets(tmp_path: Path) -> None:
    prefix = tmp_path / "conda/envs/wfc3"
    make_prefix(prefix, variables={"OF_STATE": "it's a 'state'\n", "both": "state"})

    found = _activate(("root", f"{tmp_path}/conda"), ("name", "wfc3")).environment

    assert found == {
        **_BEFORE,
        "PATH": f"{prefix}/bin:{tmp_path}/conda/condabin:/usr/bin:/bin",
        "CONDA_PREFIX": str(prefix),
        "CONDA_DEFAULT_ENV": "wfc3",
        "CONDA_SHLVL": "1",
        "CONDA_PROMPT_MODIFIER": "(wfc3) ",
        "CONDA_EXE": f"{tmp_path}/conda/bin/conda",
        "_CONDA_EXE": f"{tmp_path}/conda/bin/conda",
        "CONDA_PYTHON_EXE": f"{tmp_path}/conda/bin/python",
        "_CONDA_ROOT": f"{tmp_path}/conda",
        "IRAFARCH": "linux 64",
        "BOTH": "state",
        "OF_STATE": "it's a 'state'\n",
        "iraf": f"{prefix}/lib/iraf/",
        "MANPATH": "/conda/man",
    }


def test_an_environment_by_prefix_is_called_by_its_path(tmp_path: Path) -> None:
    make_prefix(tmp_path / "wfc3")

    capture = _activate(("prefix", f"{tmp_path}/wfc3"))

    assert capture.environment["CONDA_DEFAULT_ENV"] == f"{tmp_path}/wfc3"
    assert "CONDA_EXE" not in capture.environment
    assert set(capture.inputs) >= {
        f"{tmp_path}/wfc3/conda-meta/history",
        f"{tmp_path}/wfc3/conda-meta/state",
        f"{tmp_path}/wfc3/etc/conda/activate.d",
        f"{tmp_path}/wfc3/etc/conda/activate.d/iraf.sh",
        f"{tmp_path}/wfc3/etc/conda/env_vars.d/iraf.json",
    }


def test_the_root_environment_is_called_base(tmp_path: Path) -> None:
    make_prefix(tmp_path / "conda")
    assert _activate(("root", f"{tmp_path}/conda"), ("name", "base")).environment["CONDA_PREFIX"] == f"{tmp_path}/conda"


def test_a_variable_that_is_to_be_unset_is_passed_over(tmp_path: Path) -> None:
    make_prefix(tmp_path / "wfc3", variables={"GONE": "***unset***"})
    assert "GONE" not in _activate(("prefix", f"{tmp_path}/wfc3")).environment


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"etc/conda/env_vars.d/x.json": '{"PATH": "/x"}'}, "a variable of .* is PATH"),
        ({"etc/conda/env_vars.d/x.json": "{"}, "x.json: Expecting property name"),
        ({"etc/conda/env_vars.d/x.json": "[1]"}, "x.json: no JSON object"),
        ({"etc/conda/activate.d/x.sh": "return 1\n"}, "it ended with an error"),
        ({"etc/conda/activate.d/x.sh": "nosuchcommand\nexport A=1\n"}, "nosuchcommand: command not found"),
    ],
)
def test_an_environment_that_cannot_be_made_whole_is_refused(tmp_path: Path, files: dict[str, str], why: str) -> None:
    make_prefix(tmp_path / "wfc3", {**PIPELINE, **files})
    with pytest.raises(CannotStart, match=f"profile p: conda: .*{why}"):
        _activate(("prefix", f"{tmp_path}/wfc3"))


def test_a_directory_that_is_no_environment_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match=r"no conda environment at .* \(no conda-meta/history\)"):
        _activate(("prefix", str(tmp_path)))


def test_a_state_that_is_none_is_refused(tmp_path: Path) -> None:
    make_prefix(tmp_path / "wfc3")
    (tmp_path / "wfc3/conda-meta/state").write_text(json.dumps({"env_vars": [1]}))
    with pytest.raises(CannotStart, match="state: no JSON object where variables should be"):
        _activate(("prefix", f"{tmp_path}/wfc3"))


@pytest.mark.parametrize("variables", [{"A B": "x"}, {"A=B": "x"}, {"": "x"}, {"A": "a\0b"}, {"A": "\ud800"}, {"A": 1}])
def test_what_can_be_no_variable_is_refused(tmp_path: Path, variables: dict[str, object]) -> None:
    make_prefix(tmp_path / "wfc3")
    (tmp_path / "wfc3/conda-meta/state").write_text(json.dumps({"env_vars": variables}))
    with pytest.raises(CannotStart, match=r"a variable of .* is none"):
        _activate(("prefix", f"{tmp_path}/wfc3"))
