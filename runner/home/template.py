"""New homes, made from the template: this product's own living example, ``jobs/ envs/ wrappers/``."""

from __future__ import annotations

import re
from pathlib import Path

from runner.document.faults import Faults
from runner.document.parse import parse_document
from runner.document.quote import quote_if_needed
from runner.document.tree import Mapping, Node, Scalar
from runner.errors import UserError
from runner.home.find import is_home
from runner.home.here import read_user
from runner.home.settings import SETTINGS_FILE, name_after
from runner.launch.state import make_state

FOLDERS = ("jobs", "envs", "wrappers")
_GITIGNORE = "# made on each machine, or by each run\n/.runner/\n/state/\n/data/\n/crontab.d/\n__pycache__/\n"


def find_template() -> Path:
    """Return the directory of the template: in the installed package, else in the source tree around it."""
    packed = Path(__file__).parent / "template"
    return packed if packed.is_dir() else Path(__file__).parents[2]


def create_home(directory: Path, template: Path, login: str | None = None) -> Path:
    """Return the real path of a home, new unless it is there already; what is there is never changed.

    Parameters
    ----------
    directory
        Absent, empty, or a home.
    login
        Who gets the mail; the user of this process unless given.

    Raises
    ------
    UserError
        If the directory holds something else.
    """
    if is_home(directory):
        return directory.resolve()
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise UserError(f"{directory} is not empty and no home; name a new directory")
    directory.mkdir(parents=True, exist_ok=True)
    home = directory.resolve()
    for name in FOLDERS:
        _copy_folder(template / name, home / name)
    settings = home / SETTINGS_FILE
    settings.write_text(adapt_settings(settings.read_text("utf-8"), name_after(home), login or read_user()), "utf-8")
    (home / "crontab.d").mkdir()
    (home / ".gitignore").write_text(_GITIGNORE, "utf-8")
    make_state(str(home / "state"))
    return home


def adapt_settings(text: str, name: str, ops: str) -> str:
    """Return the settings with another name and recipient and without ``targets:``; its comments stay."""
    root = parse_document(text.encode("utf-8"), Faults(SETTINGS_FILE))
    lines = text.split("\n")
    _replace(lines, _find_value(root, "name"), name)
    _replace(lines, _find_value(root, "mail", "ops"), ops)
    return re.sub(r"^targets:.*\n(?:[ \t]+.*\n)*", "", "\n".join(lines), flags=re.MULTILINE)


def _find_value(node: Node | None, *path: str) -> Scalar:
    for key in path:
        assert isinstance(node, Mapping)
        node = node.entries[key][1]
    assert isinstance(node, Scalar)
    return node


def _replace(lines: list[str], node: Scalar, value: str) -> None:
    line, start = lines[node.line - 1], node.column - 1
    end = start + len(node.text)
    assert line[start:end] == node.text
    lines[node.line - 1] = line[:start] + quote_if_needed(value) + line[end:]


def _copy_folder(source: Path, target: Path) -> None:
    """Copy files and their executable bits; the copies are the user's to write, whatever the originals are."""
    target.mkdir()
    for path in source.iterdir():
        copy = target / path.name
        if path.is_dir():
            if path.name != "__pycache__":
                _copy_folder(path, copy)
            continue
        copy.write_bytes(path.read_bytes())
        if path.stat().st_mode & 0o100:
            mode = copy.stat().st_mode
            copy.chmod(mode | (mode & 0o444) >> 2)
