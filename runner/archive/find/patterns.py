"""Patterns of ``like``, as the databases want them: ``%`` is any text, ``_`` one character, ``\\`` makes both plain."""

from __future__ import annotations


def make_glob(pattern: str) -> str:
    """Return a pattern for GLOB of SQLite."""
    return "".join(
        {"%": "*", "_": "?"}[part] if is_special else f"[{part}]" if part in "*?[" else part
        for part, is_special in _split(pattern)
    )


def make_like(pattern: str, escape: str) -> str:
    """Return a pattern for LIKE with that escape character."""
    return "".join(
        part if is_special or part not in f"%_{escape}" else f"{escape}{part}" for part, is_special in _split(pattern)
    )


def _split(pattern: str) -> list[tuple[str, bool]]:
    """Return the characters of a pattern, and whether each stands for others."""
    parts = []
    characters = iter(pattern)
    for character in characters:
        if character == "\\":
            parts.append((next(characters, "\\"), False))
        else:
            parts.append((character, character in "%_"))
    return parts


def make_plain(text: str) -> str:
    """Return the pattern that only a text itself fits."""
    return "".join(f"\\{character}" if character in "\\%_" else character for character in text)
