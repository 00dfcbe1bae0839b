"""What a property is, and what it is called in a shell (CAPO-4, CAPO-7)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from runner.launch.scrub import is_secret

_HUMP = re.compile("(?<=[a-z])(?=[A-Z])")
_SIGNS = str.maketrans(".-", "__")


@dataclass(frozen=True, slots=True)
class Property:
    """One property of one file.

    Attributes
    ----------
    key
        As it is written there.
    value
        As a program gets it.
    file
        As it was opened: relative where the search path is.
    line, column
        Where the value begins, counted from 1.
    raw
        The value before variables of the environment were replaced in it.
    """

    key: str
    value: str
    file: str
    line: int
    column: int
    raw: str

    @property
    def is_secret(self) -> bool:
        """Whether it is named like a secret (PROF-64): ``db.apiKey`` and ``db.api-key`` are, as ``DB_API_KEY`` is."""
        return is_secret_key(self.key)


def is_secret_key(key: str) -> bool:
    """Whether a property of that key is named like a secret."""
    return is_secret(_HUMP.sub("_", key).translate(_SIGNS))


def fold_key(key: str) -> str:
    """Return what two keys have in common that are the same to pycapo (CAPO-4)."""
    return key.lower().upper()  # in this order: a few letters, like the Turkish ones, are not upper() alone


def name_in_shell(key: str) -> str:
    """Return the shell's name of a key: in upper case, with ``_`` for each ``.`` and ``-``."""
    return fold_key(key).translate(_SIGNS)


def find_same_names(properties: Iterable[Property]) -> list[tuple[Property, Property]]:
    """Return each property whose name in a shell one before it has too, behind that one."""
    first: dict[str, Property] = {}
    pairs = []
    for one in properties:
        before = first.setdefault(name_in_shell(one.key), one)
        if before is not one:
            pairs.append((before, one))
    return pairs


def merge(properties: Iterable[Property]) -> dict[str, Property]:
    """Return upper-case key to property: in order of first appearance, of which the last counts (CAPO-3, CAPO-7)."""
    return {fold_key(one.key): one for one in properties}
