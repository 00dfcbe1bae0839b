"""RUN-41: which packages a run finds in its environment, and that each list is kept once."""

import os
from pathlib import Path

import pytest
from activators import make_conda, make_modules
from lab import SLOT, Lab

from runner.launch.activation import Change
from runner.launch.packages import find_packages, keep_packages
from runner.launch.state import make_state


def _find(*names: Path | str, modules: str = "") -> set[str]:
    return find_packages([str(name) for name in names], modules)


def _make_tree(tree: Path, *names: str) -> dict[str, str]:
    """Make what an environment is, as far as the names of its packages go; return the variables that name it."""
    for name in names:
        (tree / name).mkdir(parents=True)
    return {"VIRTUAL_ENV": str(tree)}


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("lib/python3.11/site-packages/astropy-6.1.0.dist-info", "astropy 6.1.0"),
        ("lib/python3.11/site-packages/Ruamel_Yaml-0.17.1.post1.dist-info", "ruamel-yaml 0.17.1.post1"),
        ("lib/python3.11/site-packages/pyraf-2.2.1-py3.11.egg-info", "pyraf 2.2.1"),
        ("lib/python3.11/site-packages/local.egg-info", "local -"),
        ("conda-meta/ruamel.yaml-0.17.1-py311h2bbff1b_0.json", "ruamel-yaml 0.17.1"),
        ("conda-meta/python-dateutil-2.9.0-pyhd8ed1ab_0.json", "python-dateutil 2.9.0"),
        ("conda-meta/odd.json", "odd -"),
    ],
)
def test_names_and_versions_stand_in_the_names_of_files(tmp_path: Path, name: str, line: str) -> None:
    _make_tree(tmp_path, name)
    assert _find((tmp_path / name).parent) - {"python 3.11"} == {line}


def test_what_is_no_package_is_none(tmp_path: Path) -> None:
    _make_tree(tmp_path, "lib/python3.11/site-packages/astropy", "conda-meta/history")
    assert _find(tmp_path / "lib/python3.11/site-packages", tmp_path / "conda-meta") == {"python 3.11"}


def test_what_conda_and_pip_both_know_is_one_package_and_python_is_condas(tmp_path: Path) -> None:
    there = ("lib/python3.11/site-packages/numpy-1.26.4.dist-info", "conda-meta/numpy-1.26.4-py311_0.json")
    _make_tree(tmp_path, *there, "conda-meta/python-3.11.9-0.json")
    both = _find(tmp_path / "lib/python3.11/site-packages", tmp_path / "conda-meta")
    assert both == {"numpy 1.26.4", "python 3.11.9"}


def test_loaded_modules_are_packages() -> None:
    assert _find(modules="casa/6.5:gcc") == {"casa 6.5", "gcc -"}


def test_equal_packages_have_one_list_wherever_they_are(tmp_path: Path) -> None:
    make_state(str(tmp_path / "state"))
    names = ("lib/python3.11/site-packages/b-1.dist-info", "lib/python3.11/site-packages/a-2.dist-info")
    one, other = _make_tree(tmp_path / "one", *names), _make_tree(tmp_path / "other", *reversed(names))

    digests = {keep_packages(str(tmp_path / "state"), environment, "") for environment in (one, other)}

    (file,) = (tmp_path / "state/snapshots").iterdir()
    assert {file.name} == {f"{digest}.packages" for digest in digests}
    assert file.read_text() == "a 2\nb 1\npython 3.11\n"
    assert file.stat().st_mode & 0o777 == 0o600


def test_directories_that_are_as_they_were_are_not_listed_again(tmp_path: Path) -> None:
    make_state(str(tmp_path / "state"))
    environment = _make_tree(tmp_path / "tree", "lib/python3.11/site-packages/a-1.dist-info")
    packages = tmp_path / "tree/lib/python3.11/site-packages"
    os.utime(packages, (1, 1))
    first = keep_packages(str(tmp_path / "state"), environment, "")

    (packages / "a-1.dist-info").rename(packages / "a-2.dist-info")
    os.utime(packages, (1, 1))
    unseen = keep_packages(str(tmp_path / "state"), environment, "")
    os.utime(packages, (2, 2))

    assert unseen == first
    assert keep_packages(str(tmp_path / "state"), environment, "") != first


def test_a_directory_that_has_just_changed_is_listed_again(tmp_path: Path) -> None:
    make_state(str(tmp_path / "state"))
    keep_packages(str(tmp_path / "state"), _make_tree(tmp_path, "lib/python3.11/site-packages/a-1.dist-info"), "")
    assert list((tmp_path / "state/snapshots").glob("*.seen")) == []


def test_an_environment_without_packages_has_no_list(tmp_path: Path) -> None:
    make_state(str(tmp_path / "state"))
    assert keep_packages(str(tmp_path / "state"), {"VIRTUAL_ENV": "/no/such"}, "") == ""
    assert list((tmp_path / "state/snapshots").glob("*.packages")) == []


def test_a_list_that_cannot_be_kept_has_its_digest_all_the_same(tmp_path: Path) -> None:
    environment = _make_tree(tmp_path, "lib/python3.11/site-packages/a-1.dist-info")
    assert len(keep_packages(str(tmp_path / "no state"), environment, "")) == 16


def _list_of(lab: Lab) -> str:
    return (lab.state / "snapshots" / f"{lab.end('job')['packages_digest']}.packages").read_text()


def test_a_run_in_a_virtual_environment_has_its_packages_in_record_and_log(lab: Lab, tmp_path: Path) -> None:
    _make_tree(tmp_path / "tree", "lib/python3.11/site-packages/astropy-6.1.0.dist-info", "bin")
    (tmp_path / "tree/bin/python").symlink_to("/usr/bin/python3")
    (tmp_path / "tree/pyvenv.cfg").write_text("home = /usr/bin\n")
    lab.plan("job", steps=[["true"]], changes=[Change("venv", value=str(tmp_path / "tree"))])

    lab.run("job", "--slot", SLOT)

    assert _list_of(lab) == "astropy 6.1.0\npython 3.11\n"
    end = lab.end("job")
    said = f"# environment digest {end['environment_digest']}  packages digest {end['packages_digest']}"
    assert said in lab.log("job").decode().splitlines()


def test_a_package_that_is_upgraded_is_another_list(lab: Lab, tmp_path: Path) -> None:
    packages = tmp_path / "tree/lib/python3.11/site-packages"
    _make_tree(tmp_path / "tree", "lib/python3.11/site-packages/astropy-6.1.0.dist-info")
    lab.plan("job", steps=[["true"]], env=[("VIRTUAL_ENV", str(tmp_path / "tree"))])
    lab.run("job", "--slot", SLOT)
    before = _list_of(lab)

    (packages / "astropy-6.1.0.dist-info").rename(packages / "astropy-6.1.1.dist-info")
    lab.run("job", "--hand")

    assert (before, _list_of(lab)) == ("astropy 6.1.0\npython 3.11\n", "astropy 6.1.1\npython 3.11\n")


@pytest.mark.parametrize(
    ("make", "line"), [(make_conda, "pipeline 1.0"), (make_modules, "casa 6.5")], ids=["conda", "modules"]
)
def test_what_a_program_activates_has_its_packages(lab: Lab, tmp_path: Path, make: object, line: str) -> None:
    lab.plan("job", steps=[["true"]], changes=[make(tmp_path)])  # type: ignore[operator]

    lab.run("job", "--slot", SLOT)

    assert lab.end("job")["outcome"] == "ok"
    assert line in _list_of(lab).splitlines()


def test_a_job_with_the_runners_own_python_has_its_packages(lab: Lab) -> None:
    lab.plan("job", steps=[["true"]], changes=[Change("prepend", "PATH", "{home}/.runner/bin")])

    lab.run("job", "--slot", SLOT)

    assert any(line.startswith("sqlalchemy ") for line in _list_of(lab).splitlines())


def test_a_job_in_no_environment_says_nothing_of_packages(lab: Lab) -> None:
    lab.plan("job", steps=[["true"]])

    lab.run("job", "--slot", SLOT)

    assert lab.end("job")["packages_digest"] is None
    assert b"packages" not in lab.log("job")
