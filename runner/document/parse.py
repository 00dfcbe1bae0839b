"""YAML text -> nodes, within the limits of SEC-4.

Built on the events of libyaml: a third of the time of a loader, and each scalar keeps its place. One
mistake that everyone makes once, an unquoted ``*/5 * * * *`` or ``@daily`` (CRON-9), is mended in
memory after it was reported, so that the rest of the file is still read and all its mistakes come in one go.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from yaml._yaml import CParser
from yaml.error import MarkedYAMLError
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from runner.document.faults import Faults
from runner.document.quote import quote
from runner.document.tree import Mapping, Node, Scalar, Sequence
from runner.errors import UserError

if TYPE_CHECKING:
    from typing import Any, NoReturn  # events and marks of libyaml, whose stubs say "or None" of every attribute

MOST_BYTES = 1 << 20
MOST_DEPTH = 20
MOST_ALIASES = 100
_MOST_MENDED = 10
_LONGEST_MENDED = 1000

_KEY_IS_NO_WORD = ("a key must be a single word", "quote a value that begins with { or [")

# What YAML 1.1 does not let a stream contain (section 5.1), as far as UTF-8 can hold it.
_NOT_YAML = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]|\ufffe|\uffff"
_CONTROL = r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]"
_ALIAS_IN_VALUE = r"(?:[:\-,]\s+|[\[{]\s*)(\*[^\[\]{}:]*)$"
_SIMPLE_VALUE = r"(?P<key>\s*(?:- +)*[^\s:#'\"\[{][^:#]*:\s+)(?P<value>[^\s\"'\[{|>&!].*?)\s*(?: #.*)?$"
_END_OF_VALUE = r",\s|[\]},]*\s*(?: #.*)?$|[\]}]"


class _Stop(Exception):
    """The rest of the file cannot be read; why was added to the faults."""


def parse_document(data: bytes, faults: Faults) -> Node | None:
    """Return the root of the one document in `data`; None if it is empty or `faults` says why not.

    Beyond YAML's own grammar refused are tags, more than 1 MiB, a depth over 20, aliases beyond
    100, duplicate keys (SEC-4), control characters (SEC-3) and a second document.
    """
    text = _decode(data, faults)
    for _ in range(_MOST_MENDED):
        attempt = Faults(faults.file)
        try:
            root = _build(text, attempt)
        except MarkedYAMLError as error:
            mended = _mend(text, error, faults)
            if mended is None:
                faults.found += attempt.found
                _explain(text, error, faults)
                return None
            text = mended
        except _Stop:
            faults.found += attempt.found
            return None
        else:
            faults.found += attempt.found
            return root
    return None


def _decode(data: bytes, faults: Faults) -> str:
    """Return the text, or none of it where it must not be given to the parser."""
    if len(data) > MOST_BYTES:
        faults.error(Scalar("", 1, 1, True), f"a document of {len(data)} bytes", "1 MiB is the limit: split the file")
        return ""
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace")
        faults.error(_place(before, len(before)), f"byte 0x{data[error.start]:02x} is not UTF-8", "save it as UTF-8")
        return ""
    bad = list(re.finditer(_NOT_YAML, text))
    for found in bad:
        faults.error(_place(text, found.start()), _control_message(found.group()))
    return re.sub(_NOT_YAML, " ", text) if bad else text


def _place(text: str, index: int) -> Scalar:
    start = text.rfind("\n", 0, index) + 1
    return Scalar("", text.count("\n", 0, index) + 1, index - start + 1, True)


def check_no_control(value: str) -> None:
    """Raise UserError if a text from the command line has a character that no document may have (SEC-3)."""
    found = re.search(_CONTROL, value)
    if found:
        raise UserError(f"{_control_message(found.group())} in {value!a}")


def _control_message(character: str) -> str:
    return f"control character U+{ord(character):04X}"


class _Tree:
    """The nodes built so far: what is complete hangs on what is still open."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.root: Node | None = None
        self.open: list[Mapping | Sequence] = []
        self.keys: list[Scalar | None] = []
        self.anchors: dict[str, Node] = {}
        self.anchor_of_open: list[str | None] = []
        self.aliases = 0

    def add(self, node: Node) -> None:
        """Put a complete node in its place."""
        if not self.open:
            self.root = node
            return
        parent = self.open[-1]
        key = self.keys[-1]
        if isinstance(parent, Sequence):
            parent.items.append(node)
        elif key is None:
            self.keys[-1] = node if isinstance(node, Scalar) else self._stop(node, *_KEY_IS_NO_WORD)
        else:
            self.keys[-1] = None
            self._add_pair(parent, key, node)

    def _add_pair(self, parent: Mapping, key: Scalar, node: Node) -> None:
        first = parent.entries.get(key.text)
        if first:
            self.faults.error(
                key, f'"{key.text}" is given twice, first at {self.faults.file}:{first[0].line}:{first[0].column}'
            )
        else:
            parent.entries[key.text] = (key, node)

    def begin(self, node: Mapping | Sequence, anchor: str | None) -> None:
        """Open a collection."""
        if len(self.open) == MOST_DEPTH:
            self._stop(node, f"nested deeper than {MOST_DEPTH} levels")
        self.open.append(node)
        self.keys.append(None)
        self.anchor_of_open.append(anchor)

    def end(self) -> None:
        """Close the innermost collection; only now can its anchor be referred to."""
        node = self.open.pop()
        self.keys.pop()
        anchor = self.anchor_of_open.pop()
        if anchor:
            self.anchors[anchor] = node
        self.add(node)

    def refer(self, name: str, line: int, column: int) -> None:
        """Put what an alias stands for in its place."""
        here = Scalar(f"*{name}", line, column, False)
        self.aliases += 1
        if self.aliases > MOST_ALIASES:
            self._stop(here, f"more than {MOST_ALIASES} aliases")
        if name not in self.anchors:
            self.faults.error(here, *_unquoted(here.text))
        self.add(self.anchors.get(name, here))

    def refuse_tag(self, node: Node) -> None:
        """Record that a node has a tag (SEC-4)."""
        self.faults.error(node, "a YAML tag (!...) is not allowed", 'quote a value that begins with "!"')

    def check_text(self, node: Scalar) -> None:
        """Record a control character, which YAML lets in as an escape or by a block of lines (SEC-3)."""
        found = re.search(_CONTROL, node.text)
        if found:
            hint = "write it on one line, or with >- over several" if found.group() == "\n" else ""
            self.faults.error(node, f"{_control_message(found.group())} in a value", hint)

    def _stop(self, node: Node, message: str, hint: str = "") -> NoReturn:
        self.faults.error(node, message, hint)
        raise _Stop


def _build(text: str, faults: Faults) -> Node | None:
    """Return the root of a document."""
    parser: Any = CParser(text)
    tree = _Tree(faults)
    documents = 0
    while (event := parser.get_event()) is not None:
        kind = type(event)
        if kind is ScalarEvent:
            _add_scalar(tree, event)
        elif kind is MappingStartEvent:
            _begin(tree, event, Mapping({}, 0, 0, event.flow_style))
        elif kind is MappingEndEvent or kind is SequenceEndEvent:
            tree.end()
        elif kind is SequenceStartEvent:
            _begin(tree, event, Sequence([], 0, 0))
        elif kind is AliasEvent:
            tree.refer(event.anchor, event.start_mark.line + 1, event.start_mark.column + 1)
        elif kind is DocumentStartEvent:
            documents += 1
            if documents > 1:
                mark = event.start_mark
                faults.error(Scalar("", mark.line + 1, mark.column + 1, True), "a second document in one file")
                break
    return tree.root


def _add_scalar(tree: _Tree, event: Any) -> None:
    mark = event.start_mark
    node = Scalar(event.value, mark.line + 1, mark.column + 1, not event.style)
    if not node.text.isprintable():
        tree.check_text(node)
    if event.tag is not None:
        tree.refuse_tag(node)
    if event.anchor:
        tree.anchors[event.anchor] = node
    tree.add(node)


def _begin(tree: _Tree, event: Any, node: Mapping | Sequence) -> None:
    node.line = event.start_mark.line + 1
    node.column = event.start_mark.column + 1
    if event.tag is not None:
        tree.refuse_tag(node)
    tree.begin(node, event.anchor)


def _unquoted(value: str) -> tuple[str, str]:
    """Return message and hint for a value that must be quoted because of its first character (CRON-9)."""
    if value[0] == "*":
        return "a value beginning with * is an alias in YAML", f"quote it: {quote(value)}"
    return f"a value cannot begin with {value[0]} in YAML", f"quote it: {quote(value)}"


def _mend(text: str, error: MarkedYAMLError, faults: Faults) -> str | None:
    """Return `text` with the value that stopped the parser in quotes, after reporting it; None if it is no such."""
    mark: Any = error.context_mark if error.context == "while scanning an alias" else error.problem_mark
    start = text.rfind("\n", 0, mark.index) + 1
    end = text.find("\n", mark.index)
    line = text[start : end if end >= 0 else len(text)].removesuffix("\r")
    span = _find_value(line, mark.index - start, error) if len(line) <= _LONGEST_MENDED else None
    if span is None:
        return None
    first, last = span
    value = line[first:last]
    where = Scalar(value, mark.line + 1, first + 1, True)
    if value[0] in "*@`%":
        faults.error(where, *_unquoted(value))
    else:
        faults.error(where, 'a value without quotes cannot contain ": "', f"quote it: {quote(value)}")
    return text[: start + first] + quote(value) + text[start + last :]


def _find_value(line: str, column: int, error: MarkedYAMLError) -> tuple[int, int] | None:
    """Return where in `line` the value stands that needs quotes, or None if quotes would not help."""
    if error.problem == "mapping values are not allowed in this context":
        found = re.match(_SIMPLE_VALUE, line)
        return found.span("value") if found and found.start("value") <= column < found.end("value") else None
    if line[column : column + 1] not in set("*@`%"):
        return None
    before = re.search(_ALIAS_IN_VALUE, line[:column])
    first = before.start(1) if before else column
    end = re.search(_END_OF_VALUE, line[first:])
    return first, first + end.start() if end else len(line)


def _explain(text: str, error: MarkedYAMLError, faults: Faults) -> None:
    """Record what stopped the parser, in its own words and where it helps in ours."""
    mark: Any = error.problem_mark
    if error.context_mark and mark.index >= len(text.rstrip()):
        mark = error.context_mark  # what has no end is better shown where it begins
    hint = ""
    if error.problem == "found character that cannot start any token":
        hint = "indent with blanks, not with a tab"
    elif error.problem == "mapping values are not allowed in this context":
        hint = "are this line and the one above it indented as meant?"
    context = f"{error.context}, " if (error.context or "").startswith("while parsing") else ""
    place = Scalar("", mark.line + 1, mark.column + 1, True)
    faults.error(place, f"not YAML: {context}{error.problem}", hint)
