"""Names below the destination: none that a server or an archive gives leads out of it (ARCH-12)."""

from __future__ import annotations

from runner.archive.fetch.source import Refused
from runner.errors import clean

PART = ".part"
MANIFEST = ".manifest.jsonl"
# Linux has 255 bytes for a name, of which the end of one that grows needs its own.
_LONGEST_BYTES = 255 - len(PART)
_LONGEST_PATH_BYTES = 3000


def check_name(name: str) -> str:
    """Return `name`, which stays below the destination: words between single slashes, all of them printable.

    Raises
    ------
    Refused
        For good: it would leave the destination, or is the name of a file that is growing there.
    """
    if wrong := _find_wrong(name):
        raise Refused(f'"{clean(name[:200])}" is no name for a file here: {wrong}', is_permanent=True)
    return name


def _find_wrong(name: str) -> str:
    if not name.isprintable():  # control characters, lone surrogates, and what turns the direction of a text
        return "it has characters that cannot be printed"
    if len(name.encode()) > _LONGEST_PATH_BYTES:
        return "it is too long"
    parts = name.split("/")
    if not all(parts):
        return "it is empty" if not name else "it is absolute" if not parts[0] else "a part of it is empty"
    if "." in parts or ".." in parts:
        return "it has the part . or .."
    if any(len(part.encode()) > _LONGEST_BYTES for part in parts):
        return "a part of it is too long"
    if any(part.endswith(PART) for part in parts):
        return f"{PART} is the end of what is not whole yet"
    return "it is that of the manifest" if parts[0].startswith(MANIFEST) else ""
