"""What makes an environment, of one profile or as ``base`` of all: activators and directories of PATH."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from runner.document.faults import Faults, Wrong
from runner.document.fields import choice, list_of, map_of, scalar, text, variable, word
from runner.document.keys import Keys, declare, record_of
from runner.document.tree import Mapping, Node

Details = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Activator:
    """One item: its kind, and the particulars as pairs; nothing in them is replaced yet."""

    kind: str
    details: Details


@dataclass(frozen=True, slots=True)
class PathChange:
    """Directories before and behind what PATH is then."""

    prepend: tuple[str, ...] = declare(list_of(scalar(word)), "directories in front of PATH", "[]")
    append: tuple[str, ...] = declare(list_of(scalar(word)), "directories behind it", "[]")


@dataclass(frozen=True, slots=True)
class _Conda:
    prefix: str = declare(scalar(word), "the environment's directory", "")
    root: str = declare(scalar(word), "the installation", "")
    name: str = declare(scalar(word), "the environment's name in it", "")


@dataclass(frozen=True, slots=True)
class _Modules:
    command: str = declare(scalar(word), "modulecmd.tcl or lmod")
    load: tuple[str, ...] = declare(list_of(scalar(word)), "modules, in order")
    path: tuple[str, ...] = declare(list_of(scalar(word)), "directories of modulefiles", "[]")


@dataclass(frozen=True, slots=True)
class _Setup:
    shell: str = declare(scalar(choice("sh", "bash", "tcsh", "csh")), "the shell that it is written for")
    source: str = declare(scalar(word), "a file to be sourced", "")
    eval: str = declare(scalar(word), "a command that prints code for the shell", "")
    run: str = declare(scalar(word), "a command, also an alias or function that rc defines", "")
    args: tuple[str, ...] = declare(list_of(scalar(text)), "arguments of the sourced file", "[]")
    rc: str = declare(scalar(word), "a file to be sourced before", "")


def _read_venv(node: Node, faults: Faults) -> Details:
    return (("tree", scalar(word)(node, faults)),)


def _read_conda(node: Node, faults: Faults) -> Details:
    conda = record_of(Keys(_Conda))(node, faults)
    if bool(conda.prefix) == bool(conda.name) or (conda.name and not conda.root):
        raise Wrong("a conda environment is given by prefix, or by root and name")
    return tuple((key, getattr(conda, key)) for key in ("prefix", "root", "name") if getattr(conda, key))


def _read_modules(node: Node, faults: Faults) -> Details:
    modules = record_of(Keys(_Modules))(node, faults)
    if not modules.load:
        raise Wrong("no module to load", "like load: [casa/6.5]")
    path, load = [("path", one) for one in modules.path], [("load", one) for one in modules.load]
    return (("command", modules.command), *path, *load)


def _read_setup(node: Node, faults: Faults) -> Details:
    setup = record_of(Keys(_Setup))(node, faults)
    forms = [form for form in ("source", "eval", "run") if getattr(setup, form)]
    if len(forms) != 1:
        raise Wrong("a setup has exactly one of source, eval, run", f"this one has {' and '.join(forms) or 'none'}")
    if setup.args and forms != ["source"]:
        raise Wrong(f"args belong to a sourced file, not to {forms[0]}", "write them into the command")
    rc = [("rc", setup.rc)] if setup.rc else []
    return (("shell", setup.shell), *rc, (forms[0], getattr(setup, forms[0])), *[("arg", word) for word in setup.args])


_KINDS: dict[str, Callable[[Node, Faults], Details]] = {
    "conda": _read_conda,
    "env": map_of(variable, scalar(text)),
    "modules": _read_modules,
    "setup": _read_setup,
    "venv": _read_venv,
}


def read_activator(node: Node, faults: Faults) -> Activator:
    """Return the activator of one item of ``activate``."""
    if not isinstance(node, Mapping) or len(node.entries) != 1:
        raise Wrong("an activator is one key with its value", "like venv: /data/venvs/wfc3")
    ((key, value),) = node.entries.values()
    if key.text not in _KINDS:
        raise Wrong(f'no activator is called "{key.text}"', f"one of {', '.join(_KINDS)}")
    try:
        return Activator(key.text, _KINDS[key.text](value, faults))
    except Wrong as wrong:
        faults.wrong(value, wrong)
        return Activator(key.text, ())
