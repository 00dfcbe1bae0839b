"""Field types: text -> value, and node -> value.

A *converter* takes the text of a scalar; a *reader* takes a node and the faults of its file. Both raise `Wrong`,
and who holds the node records it there. A reader of several values records the wrong ones itself and
returns the others: nothing is used of a document with an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING
from warnings import catch_warnings, simplefilter

from runner.document.faults import Faults, Wrong, suggest
from runner.document.tree import Mapping, Node, Scalar, Sequence, is_empty, items_of

if TYPE_CHECKING:
    from typing import Any, TypeVar

    T = TypeVar("T")
    Reader = Callable[[Node, Faults], T]

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
BYTES = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
LONGEST_S = 3650 * 86400
NO_VALUE = "a value is missing"

# Expressions are compiled where they are first used: all of them at import are a tenth of the time of `compile`.
_DURATION = r"([0-9]{1,9})([smhd]?)"
_SIZE = r"([0-9]{1,9})([KMG]?)"
_ADDRESS = r"[A-Za-z0-9][A-Za-z0-9@!:%._+=/-]*"
_OCTAL = r"0?[0-7]{3}"
_HOSTS = r"[A-Za-z0-9.*?_-]+"
_VARIABLE = r"[A-Za-z_][A-Za-z0-9_]*"
_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


# Converters


def text(value: str) -> str:
    """Return any text, also an empty one."""
    return value


def word(value: str) -> str:
    """Return a text that is not empty."""
    if not value:
        raise Wrong(NO_VALUE)
    return value


def duration(value: str) -> float:
    """Return the seconds, more than none, of ``90s``, ``30m``, ``6h``, ``14d``; a bare number is seconds."""
    seconds = duration_or_zero(value)
    if not seconds:
        raise Wrong(f'"{value}" is no time at all')
    return seconds


def duration_or_zero(value: str) -> float:
    """Return the seconds of a duration, which may be 0."""
    found = re.fullmatch(_DURATION, value)
    if not found:
        raise Wrong(f'"{value}" is not a duration', "write one like 90s, 30m, 6h, 14d")
    seconds = int(found[1]) * SECONDS[found[2] or "s"]
    if seconds > LONGEST_S:
        raise Wrong(f'"{value}" is longer than ten years')
    return float(seconds)


def duration_or_none(value: str) -> float:
    """Return the seconds of a duration; 0 stands for ``none``, and cannot be written as 0 (RUN-32)."""
    if value == "none":
        return 0.0
    try:
        return duration(value)
    except Wrong as wrong:
        hint = "write one like 90s, 30m, 6h, or none for no limit"
        raise Wrong(wrong.message, hint) from None


def size(value: str) -> int:
    """Return the bytes, more than none, of ``500K``, ``50M``, ``2G`` (powers of 1024)."""
    found = re.fullmatch(_SIZE, value)
    if not found or not int(found[1]):
        raise Wrong(f'"{value}" is not a size', "write one like 500K, 50M, 2G")
    return int(found[1]) * BYTES.get(found[2], 1)


def address(value: str) -> str:
    """Return a mail address that cron does not take for unsafe (ALERT-6)."""
    if not re.fullmatch(_ADDRESS, value) or value.count("@") > 1:
        raise Wrong(f'"{value}" is not a mail address that cron accepts', "one address an item, like ops@example.org")
    return value


def boolean(value: str) -> bool:
    """Return a truth value."""
    try:
        return _BOOLEANS[value.lower()]
    except KeyError:
        raise Wrong(f'"{value}" is neither true nor false') from None


def pattern(value: str) -> str:
    """Return a regular expression, as text."""
    try:
        # What Python only warns of, as [[a], would be said by each run, on the stderr that cron mails.
        with catch_warnings():
            simplefilter("error")
            re.compile(value)
    except (re.error, OverflowError, RecursionError, Warning) as error:
        raise Wrong(f'"{value}" is not a regular expression: {error}') from None
    return value


def umask(value: str) -> int:
    """Return three octal digits as a number."""
    if not re.fullmatch(_OCTAL, value):
        raise Wrong(f'"{value}" is not a umask', "write three octal digits, like 027")
    return int(value, 8)


def host_pattern(value: str) -> str:
    """Return a name pattern of hosts, like ``ops*``."""
    if not re.fullmatch(_HOSTS, value):
        raise Wrong(f'"{value}" is not a pattern of host names', "write one like ops1 or ops*.example.org")
    return value


def variable(value: str) -> str:
    """Return a name that an environment variable can have."""
    if not re.fullmatch(_VARIABLE, value):
        raise Wrong(f'"{value}" is not a name for a variable', "letters, digits and _ only")
    return value


def choice(*names: str) -> Callable[[str], str]:
    """Return the converter that takes one of `names`."""

    def convert(value: str) -> str:
        if value not in names:
            raise Wrong(f'"{value}" is not possible here', _choose(value, names))
        return value

    return convert


def _choose(value: str, names: tuple[str, ...]) -> str:
    hint = suggest(value, names)
    return hint if hint.startswith("one of") else f"{hint} (one of {', '.join(names)})"


def comparison(value: str) -> str:
    """Return a comparison of versions, without the blank that may stand in it."""
    if not re.fullmatch(r"(>=|<=|==|!=|>|<) ?[0-9]+(\.[0-9]+)*", value):
        raise Wrong(f'"{value}" is no comparison of versions', 'write one like ">=6.5"')
    return value.replace(" ", "")


def whole(low: int, high: int) -> Callable[[str], int]:
    """Return the converter that takes a whole number from `low` to `high`."""

    def convert(value: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,9}", value) or not low <= int(value) <= high:
            raise Wrong(f'"{value}" is not a whole number from {low} to {high}')
        return int(value)

    return convert


def name_like(expression: str, what: str, hint: str) -> Callable[[str], str]:
    """Return the converter that takes what `expression` matches as a whole."""

    def convert(value: str) -> str:
        if not re.fullmatch(expression, value):
            raise Wrong(f'"{value}" is not {what}', hint)
        return value

    return convert


# Readers


secret_source = name_like(r"file:/.+", "a secret", "write file:/PATH: secrets stay in files of their own")
web_address = name_like(r"https?://[!-~]+", "a web address", "one like https://HOST/PATH")


def ping_address(name: str) -> Callable[[str], str]:
    """Return the converter that takes the address of a check, in which ``{name}`` may stand."""

    def convert(value: str) -> str:
        from urllib.parse import urlsplit

        plain = web_address(value).replace(f"{{{name}}}", "x")
        if "{" in plain or "}" in plain:
            raise Wrong(f'"{value}" has braces that stand for nothing', f"only {{{name}}} is replaced there")
        try:
            has_host = bool(urlsplit(plain).hostname) and urlsplit(plain).port != 0
        except ValueError:
            has_host = False
        if not has_host:
            raise Wrong(f'"{value}" names no host, or no port that can be', "one like https://HOST/PATH")
        return value

    return convert


def scalar(convert: Callable[[str], T]) -> Reader[T]:
    """Return the reader of one value."""

    def read(node: Node, faults: Faults) -> T:
        if not isinstance(node, Scalar):
            raise Wrong("one value is needed here", "not a list" if isinstance(node, Sequence) else "not a map")
        if is_empty(node):
            raise Wrong(NO_VALUE)
        return convert(node.text)

    return read


def list_of(read: Reader[T]) -> Reader[tuple[T, ...]]:
    """Return the reader of a list, for which one value may stand alone."""

    def read_all(node: Node, faults: Faults) -> tuple[T, ...]:
        values = []
        for item in items_of(node):
            try:
                values.append(read(item, faults))
            except Wrong as wrong:
                faults.wrong(item, wrong)
        return tuple(values)

    return read_all


def map_of(convert: Callable[[str], str], read: Reader[T]) -> Reader[tuple[tuple[str, T], ...]]:
    """Return the reader of a map with names of the user's own, as pairs in the order of the file."""

    def read_all(node: Node, faults: Faults) -> tuple[tuple[str, T], ...]:
        pairs = []
        for key, value in entries_of(node):
            try:
                name = convert(key.text)
            except Wrong as wrong:
                faults.wrong(key, wrong)
                continue
            try:
                pairs.append((name, read(value, faults)))
            except Wrong as wrong:
                faults.wrong(value, wrong)
        return tuple(pairs)

    return read_all


def entries_of(node: Node) -> list[tuple[Scalar, Node]]:
    """Return keys and values of a map, none if nothing was written; Wrong if it is no map."""
    if isinstance(node, Mapping):
        return list(node.entries.values())
    if is_empty(node):
        return []
    raise Wrong("keys with values are needed here", "like KEY: VALUE")


def none_or(read: Reader[Any]) -> Reader[Any]:
    """Return the reader that takes ``none`` as None, anything else as `read` does."""

    def read_either(node: Node, faults: Faults) -> Any:
        if isinstance(node, Scalar) and node.text == "none":
            return None
        return read(node, faults)

    return read_either
