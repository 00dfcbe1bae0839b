"""The keys of a map, each declared once: on the field of the dataclass that the map becomes.

::

    @dataclass(frozen=True, slots=True)
    class Log:
        max_bytes: int = declare(scalar(size), "the size at which a log loses its middle", "50M", name="max_size")

    LOG = Keys(Log)

reads ``{max_size: 50M}``, names every unknown key with the nearest known one, and knows the default.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.document.faults import Faults, Wrong, suggest
from runner.document.fields import entries_of
from runner.document.parse import parse_document
from runner.document.tree import Node, Scalar

if TYPE_CHECKING:
    from typing import Any

    from runner.document.fields import Reader


@dataclass(frozen=True, slots=True)
class Key:
    """One key.

    Attributes
    ----------
    name, field
        What is written in YAML, and the attribute that it becomes.
    read
        Node to value.
    about
        One line for people.
    default
        What could have been written instead of nothing, as YAML; empty if only nothing says it, which
        becomes an empty text; None if the key must be given.
    shown
        How people are told the default, where that is not `default`.
    """

    name: str
    field: str
    read: Reader[Any]
    about: str
    default: str | None
    shown: str


def declare(
    read: Reader[Any],
    about: str,
    default: str | None = None,
    *,
    name: str = "",
    shown: str = "",
) -> Any:
    """Return the dataclass field of a key; its name in YAML is the field's unless given (see `Key`)."""
    key = Key(name, "", read, about, default, shown or default or "")
    return dataclasses.field(metadata={"key": key})


class Keys:
    """The keys of one kind of map, taken from the fields of `record` that were declared.

    Parameters
    ----------
    record
        The dataclass that the map becomes.

    Attributes
    ----------
    by_name
        In the order of declaration.
    defaults
        Field to value, of those that have a default.
    required
        Names of those that have none.
    """

    def __init__(self, record: type) -> None:
        declared = [
            (field.name, field.metadata["key"]) for field in dataclasses.fields(record) if "key" in field.metadata
        ]
        keys = [dataclasses.replace(key, name=key.name or field, field=field) for field, key in declared]
        self.record = record
        self.by_name: dict[str, Key] = {key.name: key for key in keys}
        self.required = tuple(key.name for key in keys if key.default is None)
        self.defaults = {key.field: _read_default(key) for key in keys if key.default is not None}

    def read(self, node: Node, faults: Faults) -> dict[str, Any]:
        """Return field to value of the keys that are given and right; Wrong if `node` is no map."""
        values = {}
        for name, value in entries_of(node):
            key = self.by_name.get(name.text)
            if key is None:
                faults.error(name, f'unknown key "{name.text}"', suggest(name.text, self.by_name))
                continue
            try:
                values[key.field] = key.read(value, faults)
            except Wrong as wrong:
                faults.wrong(value, wrong)
        return values

    def missing(self, given: AnyMapping[str, object]) -> list[str]:
        """Return the required names that are not in `given`."""
        return [name for name in self.required if name not in given]


def record_of(keys: Keys) -> Reader[Any]:
    """Return the reader of a map that becomes a `keys.record`, whose fields are all declared.

    With an error inside, what is returned has defaults (or None) in the wrong places: good only for going on.
    """

    def read(node: Node, faults: Faults) -> Any:
        given = {key.text: value for key, value in entries_of(node)}
        for name in keys.missing(given):
            faults.error(node, f'"{name}" is missing', keys.by_name[name].about)
        blank = dict.fromkeys(key.field for key in keys.by_name.values())
        return keys.record(**{**blank, **keys.defaults, **keys.read(node, faults)})

    return read


def _read_default(key: Key) -> Any:
    if not key.default:
        return ""
    faults = Faults("")
    node = parse_document(key.default.encode(), faults)
    return key.read(node or Scalar("", 1, 1, True), faults)
