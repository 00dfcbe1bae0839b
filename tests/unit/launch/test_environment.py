"""RUN-19, RUN-21, PROF-4, PROF-20, SEC-5: what a job finds in its environment, and which program a word means."""

import os
import posix
import pwd
import subprocess
import sys
from pathlib import Path

import pytest
from lab import CALLER, CANARY, SLOT, Lab

from runner.launch.activation import Activation, Change
from runner.launch.environment import (
    add_jobside,
    apply_rules,
    check_environment,
    expand_path,
    fill_home,
    find_program,
)
from runner.launch.outcome import CannotStart

_ME = pwd.getpwuid(os.getuid())
_ROOT = pwd.getpwnam("root").pw_dir
_HOME = "/data/home"


def _apply(*changes: Change, home: str = _HOME, **start: str) -> dict[str, str]:
    environment = {"PATH": "/usr/bin:/bin", **start}
    activation = Activation()
    activation.changes = list(changes)
    apply_rules(environment, activation, "p", home)
    check_environment({"HOME": "/", **environment}, activation, "p", home)
    return environment


def _make_tree(tmp_path: Path, name: str = "tree") -> Path:
    """Make what a virtual environment is, as far as the rule looks."""
    tree = tmp_path / name
    (tree / "bin").mkdir(parents=True)
    (tree / "pyvenv.cfg").write_text("home = /usr/bin\n")
    (tree / "bin" / "python").symlink_to("/bin/sh")
    return tree


def test_the_whole_environment_is_what_is_documented(lab: Lab) -> None:
    """RUN-19: from empty; whatever the caller has is absent."""
    lab.plan("job", steps=[["env", "-0"]], changes=[Change("set", "OURS", "1")])

    lab.run("job", "--slot", SLOT)

    found = dict(pair.split("=", 1) for pair in lab.output("job").decode().rstrip("\0\n").split("\0"))
    run_id = lab.end("job")["run_id"]
    assert found == {
        "HOME": _ME.pw_dir,
        "LOGNAME": _ME.pw_name,
        "USER": _ME.pw_name,
        "SHELL": "/bin/sh",
        "LANG": "C.UTF-8",
        "PATH": "/usr/bin:/bin",
        "GIT_TERMINAL_PROMPT": "0",
        "OURS": "1",
        "RUNNER_HOME": str(lab.home),
        "RUNNER_STATE": str(lab.state),
        "RUNNER_WORK": str(lab.work("job")),
        "RUNNER_JOB": "job",
        "RUNNER_RUN_ID": run_id,
        "RUNNER_ATTEMPT": "1",
        "RUNNER_SLOT": SLOT,
        "RUNNER_PROFILE": "dsoc-prod",
        "RUNNER_RELEASE": "-",
        "RUNNER_LOG": f"{lab.state}/logs/job/{run_id}.log",
        "PYTHONPATH": f"{lab.home}/.runner/jobside",
    }
    assert CANARY not in str(found)


@pytest.mark.parametrize(("theirs", "found"), [(None, "/h/.runner/jobside"), ("/a:/b", "/a:/b:/h/.runner/jobside")])
def test_what_jobs_may_import_stands_behind_all_that_a_profile_has(theirs: str | None, found: str) -> None:
    environment = {"PYTHONPATH": theirs} if theirs else {}
    add_jobside(environment, "/h")
    assert environment == {"PYTHONPATH": found}


def test_a_home_whose_path_would_be_two_adds_neither() -> None:
    """SEC-5: the second would begin in the working directory."""
    environment: dict[str, str] = {}
    add_jobside(environment, "/data:old/ql")
    assert environment == {}


@pytest.mark.parametrize("name", ["SSH_AUTH_SOCK", "KRB5CCNAME", "AWS_PROFILE", "GIT_DIR", "LD_PRELOAD_X", "BASH_ENV"])
def test_what_would_leak_authority_is_absent_unless_the_profile_sets_it(lab: Lab, name: str) -> None:
    """SEC-16."""
    lab.plan("job", steps=[["env"]])
    lab.plan("other", steps=[["env"]], changes=[Change("set", name, "wanted")])

    for plan in ("job", "other"):
        lab.run(plan, "--slot", SLOT, env={"PATH": "/usr/bin:/bin", name: CANARY})

    assert f"{name}=".encode() not in lab.output("job")
    assert f"{name}=wanted\n".encode() in lab.output("other")


def test_planted_modules_are_not_imported(lab: Lab) -> None:
    """SEC-5: neither from the working directory nor from PYTHONPATH."""
    for module in ("posix", "marshal", "sitecustomize", "os", "select", "pwd"):
        (lab.home / f"{module}.py").write_text("raise SystemExit('hijacked')")
    lab.job("job", "true")

    result = lab.run("job", "--slot", SLOT, cwd=lab.home, env={"PYTHONPATH": str(lab.home), "PYTHONHOME": "/nowhere"})

    assert (result.code, result.err) == (0, b"")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([("set", "A", "1"), ("set", "A", "2")], {"A": "2"}),
        ([("set", "A", "1"), ("unset", "A", "")], {}),
        ([("unset", "A", "")], {}),
        ([("prepend", "LIST", "/new")], {"LIST": "/new:/old"}),
        ([("append", "LIST", "/new")], {"LIST": "/old:/new"}),
        ([("prepend", "EMPTY", "/new")], {"EMPTY": "/new"}),
        ([("append", "EMPTY", "/new")], {"EMPTY": "/new"}),
        ([("prepend", "LIST", "{home}/bin")], {"LIST": f"{_HOME}/bin:/old"}),
        ([("set", "A", "$HOME * 'x' {{home}}")], {"A": "$HOME * 'x' {home}"}),
        ([("set", "A", "~/x")], {"A": "~/x"}),
        ([("set", "A", "x={~root}/a:{~root}{{~root}}")], {"A": f"x={_ROOT}/a:{_ROOT}{{~root}}"}),
    ],
)
def test_changes_apply_in_order_and_the_later_wins(
    changes: list[tuple[str, str, str]], expected: dict[str, str]
) -> None:
    """PROF-4."""
    environment = _apply(*[Change(*change) for change in changes], LIST="/old")

    assert environment == {"PATH": "/usr/bin:/bin", "LIST": "/old", **expected}


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("~/bin", f"{_ME.pw_dir}/bin"),
        ("~root/bin", f"{pwd.getpwnam('root').pw_dir}/bin"),
        ("~", _ME.pw_dir),
        ("{home}/x", f"{_HOME}/x"),
        ("/a/~", "/a/~"),
    ],
)
def test_a_tilde_means_the_password_database(value: str, path: str) -> None:
    """PROF-2: never the caller's HOME."""
    assert expand_path(value, _HOME) == path


@pytest.mark.parametrize("value", ["~no-such-user/x", "/x/{~no-such-user}"])
def test_an_account_that_nobody_has_is_refused(value: str) -> None:
    with pytest.raises(CannotStart, match="no user 'no-such-user' for"):
        expand_path(value, _HOME)


@pytest.mark.parametrize(("value", "filled"), [("{home}", _HOME), ("{{home}}", "{home}"), ("{x}", "{x}"), ("}}", "}")])
def test_braces_are_replaced_by_the_home_and_doubled_ones_are_braces(value: str, filled: str) -> None:
    assert fill_home(value, _HOME) == filled


@pytest.mark.parametrize("path", ["", ".", "bin", "/usr/bin:", ":/usr/bin", "/usr/bin::/bin", "/bin:./x"])
def test_a_path_with_an_empty_or_relative_element_is_refused(path: str) -> None:
    """SEC-5, PROF-5."""
    with pytest.raises(CannotStart, match=r"profile p: PATH has the element .*SEC-5") as refusal:
        _apply(Change("set", "PATH", path))

    assert refusal.value.code == 126


def test_a_path_with_an_element_that_anybody_may_write_to_is_refused(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o1777)

    with pytest.raises(CannotStart, match="in which anybody may put programs"):
        _apply(Change("append", "PATH", str(tmp_path / "open")))


def test_a_path_with_an_element_that_does_not_exist_is_no_trap() -> None:
    assert _apply(Change("append", "PATH", "/no/such"))["PATH"] == "/usr/bin:/bin:/no/such"


def test_a_virtual_environment_is_activated_by_rule(tmp_path: Path) -> None:
    """PROF-20."""
    tree = _make_tree(tmp_path)

    environment = _apply(Change("venv", "", str(tree)), PYTHONHOME="/x")

    assert environment == {
        "VIRTUAL_ENV": str(tree),
        "VIRTUAL_ENV_PROMPT": "tree",
        "PATH": f"{tree}/bin:/usr/bin:/bin",
    }


def test_a_virtual_environment_in_the_home_is_found_where_the_home_is(tmp_path: Path) -> None:
    tree = _make_tree(tmp_path)

    assert _apply(Change("venv", "", "{home}/tree"), home=str(tmp_path))["VIRTUAL_ENV"] == str(tree)


def test_a_virtual_environment_needs_no_path_before_it(tmp_path: Path) -> None:
    tree = _make_tree(tmp_path)

    assert _apply(Change("unset", "PATH"), Change("venv", "", str(tree)))["PATH"] == f"{tree}/bin"


@pytest.mark.parametrize(
    ("missing", "reason"), [("pyvenv.cfg", "no {}/pyvenv.cfg"), ("bin/python", "no program {}/bin/python")]
)
def test_what_is_no_virtual_environment_is_refused(tmp_path: Path, missing: str, reason: str) -> None:
    tree = _make_tree(tmp_path)
    (tree / missing).unlink()

    with pytest.raises(CannotStart) as refusal:
        _apply(Change("venv", "", str(tree)))

    assert str(refusal.value) == f"profile p: venv: {reason.format(tree)}"
    assert refusal.value.code == 126


@pytest.mark.parametrize(
    "line", ["VIRTUAL_ENV={}", "export VIRTUAL_ENV={}", 'VIRTUAL_ENV="{}"', "    VIRTUAL_ENV='{}'"]
)
def test_a_copied_virtual_environment_is_refused(tmp_path: Path, line: str) -> None:
    """Its scripts would start the interpreter of the tree that it was copied from."""
    original, copy = _make_tree(tmp_path, "original"), _make_tree(tmp_path, "copy")
    (copy / "bin/activate").write_text(f"# This file\n{line.format(original)}\nexport VIRTUAL_ENV\n")

    with pytest.raises(CannotStart, match=f"{copy} was copied from {original}"):
        _apply(Change("venv", "", str(copy)))


def test_a_virtual_environment_reached_by_a_link_was_not_copied(tmp_path: Path) -> None:
    tree = _make_tree(tmp_path)
    (tree / "bin/activate").write_text(f"VIRTUAL_ENV={tree}\n")
    (tmp_path / "link").symlink_to(tree)

    assert _apply(Change("venv", "", f"{tmp_path}/link"))["VIRTUAL_ENV"] == f"{tmp_path}/link"


def test_an_activate_script_that_computes_its_tree_names_none(tmp_path: Path) -> None:
    tree = _make_tree(tmp_path)
    (tree / "bin/activate").write_text('VIRTUAL_ENV=$(cygpath "/elsewhere")\n')

    assert _apply(Change("venv", "", str(tree)))["VIRTUAL_ENV"] == str(tree)


def test_a_real_virtual_environment_gives_its_jobs_its_python(lab: Lab, tmp_path: Path) -> None:
    tree = tmp_path / "real"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tree], check=True)
    lab.plan("job", steps=[["python", "-c", "import sys; print(sys.prefix)"]], changes=[Change("venv", "", str(tree))])

    assert lab.run("job", "--slot", SLOT).code == 0

    assert lab.output("job") == f"{tree}\n".encode()


def test_a_failed_activation_runs_nothing(lab: Lab) -> None:
    """RUN-21, PROF-40."""
    lab.job("job", "touch $RUNNER_WORK/ran", changes=[Change("venv", "", "/no/such")])

    result = lab.run("job", "--slot", SLOT)

    reason = "profile dsoc-prod: venv: no /no/such/pyvenv.cfg"
    assert (result.code, lab.end("job")["outcome"], lab.end("job")["reason"]) == (126, "cannot_start", reason)
    assert not (lab.work("job") / "ran").exists()
    lab.assert_clean("job")


def test_a_word_with_a_slash_is_taken_from_the_release_and_one_without_from_the_path(tmp_path: Path) -> None:
    """DESIGN section 5."""
    (tmp_path / "tool").write_text("")
    (tmp_path / "tool").chmod(0o755)

    assert find_program("jobs/x.py", "/usr/bin", _HOME) == f"{_HOME}/jobs/x.py"
    assert find_program("/opt/x", "/usr/bin", _HOME) == "/opt/x"
    assert find_program("tool", f"/no/such:{tmp_path}:/bin", _HOME) == f"{tmp_path}/tool"


@pytest.mark.parametrize("make", [lambda path: path.mkdir(), lambda path: path.touch(0o644)])
def test_the_path_is_searched_for_programs_only(tmp_path: Path, make: object) -> None:
    make(tmp_path / "tool")  # type: ignore[operator]

    with pytest.raises(CannotStart, match='no program "tool" on PATH') as refusal:
        find_program("tool", str(tmp_path), _HOME)

    assert refusal.value.code == 127


def test_the_working_directory_is_the_home_or_as_the_plan_says(lab: Lab) -> None:
    (lab.home / "data").mkdir()
    for name, cwd in (("home", ""), ("below", "data"), ("filled", "{home}/data"), ("far", "/usr")):
        lab.plan(name, steps=[["pwd"]], cwd=cwd)
        lab.run(name, "--slot", SLOT)

    found = {name: lab.output(name).decode().strip() for name in ("home", "below", "filled", "far")}
    data = str(lab.home / "data")
    assert found == {"home": str(lab.home), "below": data, "filled": data, "far": "/usr"}


def test_the_base_is_that_of_the_password_database(lab: Lab) -> None:
    names = ("HOME", "USER", "LOGNAME", "SHELL", "PATH", "LANG")
    lab.job("job", f"for name in {' '.join(names)}; do eval echo \\$$name; done")

    lab.run("job", env={**CALLER, **dict.fromkeys(names, f"/{CANARY}"), "PATH": f"/usr/bin:/bin:/{CANARY}"})

    account = pwd.getpwuid(posix.getuid())
    expected = [account.pw_dir, account.pw_name, account.pw_name, "/bin/sh", "/usr/bin:/bin", "C.UTF-8"]
    assert lab.output("job").decode().split() == expected
