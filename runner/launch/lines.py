"""The text form of every small file that the wrapper reads or writes: one ``key value`` a line.

Plans, locks, health and pause files are read by people at three in the morning and by a process that
cannot afford to import a JSON parser (RUN-45: ``json`` alone is 7.7 ms). A value is everything after the
first blank; backslash, newline and carriage return are written ``\\\\``, ``\\n`` and ``\\r``. A key may repeat.
"""

from __future__ import annotations


def escape(text: str) -> str:
    """Return `text` on one line, with nothing that ends a line in it."""
    if "\\" in text or "\n" in text or "\r" in text:
        return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    return text


def unescape(text: str) -> str:
    """Return what `escape` was given."""
    if "\\" not in text:
        return text
    parts = text.split("\\\\")
    return "\\".join(part.replace("\\n", "\n").replace("\\r", "\r") for part in parts)


def encode(pairs: list[tuple[str, str]]) -> bytes:
    """Return the file of `pairs`, in their order."""
    text = "".join([f"{key} {escape(value)}\n" for key, value in pairs])
    return text.encode("utf-8", "surrogateescape")


def decode(data: bytes) -> list[tuple[str, str]]:
    """Return the pairs of a file; a last line without newline was torn and does not count.

    Any bytes decode to something: who reads a format says what it misses.
    """
    text = data.decode("utf-8", "surrogateescape")
    pairs = []
    for line in text.split("\n")[:-1]:
        key, _, value = line.partition(" ")
        pairs.append((key, unescape(value)))
    return pairs


def decode_dict(data: bytes) -> dict[str, str]:
    """Return the pairs of a file as a dict; of a repeated key the last value counts."""
    return dict(decode(data))
