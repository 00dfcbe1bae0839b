"""The house holds: its floors, its emptiness at the doors, the wheel, and the front page (DESIGN section 3)."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from missing import give_up

from runner import errors
from runner.archive.settings import ARCHIVE
from runner.cli.main import SECTIONS, cli, run
from runner.home.settings import SETTINGS
from runner.launch import outcome
from runner.ledger.why import ANSWERS
from runner.registry.job import JOB

REPOSITORY = Path(__file__).parents[1]
README = (REPOSITORY / "README.md").read_text()
PACKAGE = REPOSITORY / "runner"
COMMANDS = [entry.name for _, entries in SECTIONS for entry in entries]
TEMPLATE = "runner/home/template"
OUTCOMES = [value for name, value in vars(outcome).items() if name == str(value).upper()]
RUN_CODES = [value for name, value in vars(outcome).items() if name.startswith("CODE_")]
COMMAND_CODES = [value for name, value in vars(errors).items() if name.isupper()]


def list_commands() -> Iterator[tuple[str, click.Command]]:
    """Yield the words and the command of everything that ``runner`` can do."""
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command
        yield name, command
        for sub, below in getattr(command, "commands", {}).items():
            yield f"{name} {sub}", below


ALL_COMMANDS = dict(list_commands())


def find_imports(path: Path) -> set[str]:
    """Return the full names of all modules that a file imports, at its top or anywhere."""
    found = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import"
            found.add(str(node.module))
    return found


# The floors


def test_a_room_imports_from_lower_floors_only(capfd: pytest.CaptureFixture[str]) -> None:
    try:
        from importlinter.cli import lint_imports
    except ImportError:
        give_up("no import-linter")
    code = lint_imports(config_filename=str(REPOSITORY / "pyproject.toml"), no_cache=True)
    assert code == 0, capfd.readouterr().out


def test_what_cron_starts_imports_the_standard_library_and_its_own_room_only() -> None:
    for path in (PACKAGE / "launch").glob("*.py"):
        foreign = {name for name in find_imports(path) if name.partition(".")[0] not in sys.stdlib_module_names}
        assert all(name == "runner.launch" or name.startswith("runner.launch.") for name in foreign), path


def test_every_door_is_empty() -> None:
    doors = list(PACKAGE.rglob("__init__.py"))
    assert len(doors) > 10
    assert [path for path in doors if path.stat().st_size] == []


def test_only_the_command_line_needs_click() -> None:
    users = {path.parent.name for path in PACKAGE.rglob("*.py") if "click" in find_imports(path)}
    assert users == {"cli"}


# The wheel


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel as the build backend makes it, unpacked as pip would."""
    try:
        from hatchling.builders.wheel import WheelBuilder
    except ImportError:
        give_up("no hatchling")
    directory = tmp_path_factory.mktemp("wheel")
    (built,) = WheelBuilder(str(REPOSITORY)).build(directory=str(directory), versions=["standard"])
    with zipfile.ZipFile(built) as wheel:
        for member in wheel.infolist():
            path = Path(wheel.extract(member, directory / "unpacked"))
            path.chmod(0o755 if member.external_attr >> 16 & 0o111 else 0o644)
    return directory / "unpacked"


def test_the_wheel_holds_the_template_as_it_is_in_the_repository(unpacked: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "jobs", "envs", "wrappers"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    ).stdout.split()
    if not listed:
        give_up("no git repository around the tests")
    for name in listed:
        packed = unpacked / TEMPLATE / name
        assert packed.read_bytes() == (REPOSITORY / name).read_bytes()
        assert os.access(packed, os.X_OK) == bool((REPOSITORY / name).stat().st_mode & 0o100), name


def test_the_wheel_holds_what_is_no_module(unpacked: Path) -> None:
    for name in ("runner/database/migrations/versions", "runner/demo/cron/crontab"):
        assert (unpacked / name).exists()


def test_a_home_made_from_the_wheel_is_right_and_compiles(unpacked: Path, tmp_path: Path) -> None:
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": str(unpacked)}

    def runner(*words: str) -> str:
        command = [sys.executable, "-P", "-m", "runner.cli.main", *words]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    runner("init", "ql")
    assert "Traceback" not in runner("--home", "ql", "check")
    assert re.match(r"\d+ plans: ", runner("--home", "ql", "compile"))
    assert (tmp_path / "ql" / ".runner" / "main.py").is_file()


# The commands and the front page


def test_the_help_fits_on_a_screen_and_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 80
    assert [name for name in COMMANDS if not any(line.startswith(f"  {name} ") for line in lines)] == []


@pytest.mark.parametrize("words", ALL_COMMANDS)
def test_every_command_explains_itself(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = ALL_COMMANDS[words]
    assert command.help
    assert run([*words.split(), "--help"]) == 0
    said = capsys.readouterr().out
    assert "..." not in said.partition("Commands:")[2], "a line of help is cut off"
    options = [one for one in command.params if isinstance(one, click.Option)]
    assert [option.name for option in options if not option.help] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_a_section_of_its_own_name_with_a_line_of_help(name: str) -> None:
    (entry,) = [entry for _, entries in SECTIONS for entry in entries if entry.name == name]
    assert 0 < len(entry.help) <= 70


@pytest.mark.parametrize("words", ALL_COMMANDS)
def test_every_command_stands_on_the_front_page(words: str) -> None:
    assert f"runner {words}" in README


@pytest.mark.parametrize("name", [key.name for key in JOB.by_name.values()])
def test_every_key_of_a_job_that_is_built_stands_on_the_front_page(name: str) -> None:
    assert re.search(rf"`{name}`|^ +{name}: ", README, flags=re.MULTILINE)


@pytest.mark.parametrize("name", OUTCOMES)
def test_every_outcome_stands_on_the_front_page(name: str) -> None:
    assert f"\n| `{name}` |" in README


@pytest.mark.parametrize("word", ANSWERS)
def test_every_answer_of_why_stands_on_the_front_page(word: str) -> None:
    assert f"`{word}`" in README


@pytest.mark.parametrize("code", RUN_CODES)
def test_every_exit_code_of_a_run_stands_on_the_front_page(code: int) -> None:
    codes = re.findall(r"^\| ([0-9N+, ]+) \|", README, flags=re.MULTILINE)
    assert str(code) in ", ".join(codes).split(", ")


@pytest.mark.parametrize("code", COMMAND_CODES)
def test_every_exit_code_of_the_command_line_stands_on_the_front_page(code: int) -> None:
    assert re.search(rf"^\| {code} \| \S", README, flags=re.MULTILINE)


@pytest.mark.parametrize("name", ["name", "mail", "state", "database", "targets", "ping", "metrics"])
def test_the_settings_that_an_installation_needs_stand_on_the_front_page(name: str) -> None:
    assert name in SETTINGS.by_name
    assert re.search(rf"^\| `{name}\b", README, flags=re.MULTILINE)


@pytest.mark.parametrize("name", ARCHIVE.by_name)
def test_every_setting_of_the_archive_stands_on_the_front_page(name: str) -> None:
    assert re.search(rf"^\| [^|]*`{name}`", README, flags=re.MULTILINE)


# The table of faults

FAULTS = re.findall(
    r"^\| FAULT-(\d+) \|.*\| ([^|]+) \|$", (REPOSITORY / "deploy" / "faults.md").read_text(), re.MULTILINE
)


def test_every_fault_that_can_be_provoked_has_its_row() -> None:
    assert [int(number) for number, _ in FAULTS] == list(range(1, 55))


@pytest.mark.parametrize(("number", "files"), FAULTS, ids=[f"FAULT-{number}" for number, _ in FAULTS])
def test_the_tests_of_a_fault_are_where_its_row_says(number: str, files: str) -> None:
    texts = [(REPOSITORY / "tests" / "faults" / name).read_text() for name in re.findall("`([^`]+)`", files)]
    assert texts
    assert any(f"def test_fault_{int(number):02d}_" in text for text in texts)


# The table of traps

TRAPS = re.findall(
    r"^\| SEC-(\d+) \|.*\| ([^|]+) \|$", (REPOSITORY / "deploy" / "security.md").read_text(), re.MULTILINE
)
# Of pages.
LATER_TRAPS = {14}


def test_every_trap_that_can_be_sprung_has_its_row() -> None:
    assert [int(number) for number, _ in TRAPS] == [number for number in range(1, 21) if number not in LATER_TRAPS]


@pytest.mark.parametrize(("number", "files"), TRAPS, ids=[f"SEC-{number}" for number, _ in TRAPS])
def test_the_tests_of_a_trap_are_where_its_row_says(number: str, files: str) -> None:
    texts = [(REPOSITORY / "tests" / name).read_text() for name in re.findall("`([^`]+)`", files)]
    assert texts
    named = re.compile(rf"def test_sec_{int(number):02d}_|SEC-{number}\b")
    assert [text for text in texts if not named.search(text)] == []


@pytest.mark.parametrize(
    "file", sorted((REPOSITORY / "tests" / "security").glob("test_*.py")), ids=lambda file: file.stem
)
def test_every_file_of_traps_stands_in_a_row(file: Path) -> None:
    assert any(f"`security/{file.name}`" in files for _, files in TRAPS)
