"""``run`` -> steps: each command line is split into words once, here, and no shell ever sees it (SEC-3)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from runner.document.faults import Faults, Wrong, suggest
from runner.document.fields import NO_VALUE, choice
from runner.document.tree import Mapping, Node, Scalar, items_of

CONDITIONS = ("success", "always", "failure")

_NEEDS_CARE = r"""['"\\|&;<>()$`=]"""
_TOKEN = r"""(?x)(?P<blank>\ +)
    | '(?P<single>[^']*)'
    | "(?P<double>(?:[^"\\]|\\.)*)"
    | \\(?P<escaped>.)
    | (?P<operator>[|&;<>()]+)
    | (?P<expansion>\$[A-Za-z0-9_{(@*\#?!$-]|`)
    | (?P<plain>[^ '"\\|&;<>()$`]+ | \$)
    | (?P<unbalanced>.)"""
_EXPANSION = r"\$[A-Za-z0-9_{(@*#?!$-]|`"
_ASSIGNMENT = r"[A-Za-z_][A-Za-z0-9_]*=.*"
_SCRIPT = "write a script, or a list of steps; quote it to pass it as it is"


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a run.

    Attributes
    ----------
    condition
        ``success`` (none before it failed), ``failure`` (one did) or ``always`` (RUN-23).
    words
        The command and its arguments.
    """

    condition: str
    words: tuple[str, ...]


def read_steps(node: Node, faults: Faults) -> tuple[Step, ...]:
    """Return the steps of ``run``: a command line, or a list of command lines and ``{run: ..., if: ...}``."""
    steps = []
    for item in items_of(node):
        steps += _read_step(item, faults)
    if not items_of(node):
        raise Wrong("a list of steps without one")
    return tuple(steps)


def _read_step(node: Node, faults: Faults) -> list[Step]:
    """Return one step, or none of it if it is wrong."""
    if not isinstance(node, Mapping):
        words = _read_words(node, faults)
        return [Step("success", words)] if words else []
    for name, (key, _) in node.entries.items():
        if name not in ("run", "if"):
            faults.error(key, f'unknown key "{name}" of a step', suggest(name, ("run", "if")))
    if "run" not in node.entries:
        faults.error(node, 'a step without "run"')
        return []
    words = _read_words(node.entries["run"][1], faults)
    condition = _read_condition(node, faults)
    return [Step(condition, words)] if words else []


def _read_condition(node: Mapping, faults: Faults) -> str:
    if "if" not in node.entries:
        return "success"
    value = node.entries["if"][1]
    try:
        return choice(*CONDITIONS)(value.text if isinstance(value, Scalar) else "")
    except Wrong as wrong:
        faults.wrong(value, wrong)
        return "success"


def _read_words(node: Node, faults: Faults) -> tuple[str, ...]:
    """Return the words of a command line; none if it is wrong."""
    if not isinstance(node, Scalar):
        faults.error(node, "a command line is needed here")
        return ()
    try:
        words = split_words(node.text)
    except Wrong as wrong:
        faults.wrong(node, wrong)
        return ()
    for bare in find_unexpanded(node.text) if "*" in node.text or "~" in node.text else ():
        faults.warn(node, f"no shell will expand {bare}", "quote it if it is meant as it is")
    return words


def split_words(text: str) -> tuple[str, ...]:
    """Return the words of a command line by the POSIX rules of ``shlex``.

    Raises
    ------
    Wrong
        For a quote without its end, and for what only a shell would understand.
    """
    if not re.search(_NEEDS_CARE, text):
        return _check_words(tuple([word for word in text.split(" ") if word]))
    words: list[str] = []
    current: str | None = None
    for token in re.finditer(_TOKEN, text):
        if token["blank"]:
            if current is not None:
                words.append(current)
            current = None
        else:
            current = (current or "") + _token_text(token)
    if current is not None:
        words.append(current)
    if words and re.fullmatch(_ASSIGNMENT, text.lstrip(" ").partition(" ")[0]):
        name = words[0].partition("=")[0]
        raise Wrong(f"no shell will set {name}", f"write env: {{{name}: ...}}")
    return _check_words(tuple(words))


def _check_words(words: tuple[str, ...]) -> tuple[str, ...]:
    if not words or not words[0]:
        raise Wrong(NO_VALUE if not words else "the name of the command is empty")
    return words


def _token_text(token: re.Match[str]) -> str:
    """Return what a token adds to its word."""
    if token["operator"]:
        raise Wrong(f"no shell will interpret {token['operator']}", _SCRIPT)
    if token["unbalanced"]:
        sign = token["unbalanced"]
        raise Wrong("a backslash at the end" if sign == "\\" else f"a {sign} without its end")
    if token["expansion"]:
        _refuse_expansion(token.string[token.start() :])
    if token["double"] is None:
        return token["single"] or token["escaped"] or token["plain"] or ""
    inside = re.search(_EXPANSION, token["double"])
    if inside:
        _refuse_expansion(token["double"][inside.start() :])
    return re.sub(r'\\(["\\])', r"\1", token["double"])


def _refuse_expansion(text: str) -> None:
    found = re.match(r"\$\{[^} ]*\}?|\$\([^) ]*\)?|\$\w+|\$.|`[^`]*`?", text)
    raise Wrong(f"no shell will expand {found[0] if found else text}", "write a script, or put it between ' and '")


def find_unexpanded(text: str) -> list[str]:
    """Return the words with a ``*`` or a leading ``~`` outside quotes, which a shell would have expanded."""
    bare = re.sub(r"""'[^']*'|"(?:[^"\\]|\\.)*"|\\.""", "x", text)
    return [word for word in bare.split(" ") if "*" in word or word.startswith("~")]
