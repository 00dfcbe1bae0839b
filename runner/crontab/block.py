"""Our block within foreign bytes (CRON-21, 22, 43, 44, 48). Pure; foreign bytes are never decoded."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise

from runner.errors import UserError

# Anything that was once a marker counts as one: a damaged marker must not pass for a foreign comment.
_LIKE_MARKER = re.compile(rb"\s*#\s*(BEGIN|END)\s+runner\s+(\S*@\S*)", re.IGNORECASE)
_MARKER = re.compile(rb"# (?:BEGIN runner (?P<begun>[\w-]+@[\w-]+) digest=(?P<digest>[0-9a-f]{16})"
                     rb"|END runner (?P<ended>[\w-]+@[\w-]+))")  # fmt: skip
_DAMAGED = (
    "the marks of a block in this crontab are damaged; nothing was changed; mend them by hand, or with"
    ' "runner crontab install --repair"'
)
_LINE = re.compile(rb"[^\n]*\n|[^\n]+")


@dataclass(frozen=True, slots=True)
class Block:
    """One block in a crontab, of this home and target or of another.

    Attributes
    ----------
    name
        ``<home name>@<target>``.
    digest
        As its first line says it.
    line
        Number of its first line, from 1.
    start, end
        Which bytes of the crontab it is, markers included.
    body
        The lines between the markers.
    """

    name: str
    digest: str
    line: int
    start: int
    end: int
    body: bytes

    @property
    def is_edited(self) -> bool:
        """Whether its lines are others than we wrote (CRON-48)."""
        return digest_of(self.body) != self.digest


@dataclass(frozen=True, slots=True)
class Marker:
    """A line that is a marker, or once was.

    Attributes
    ----------
    line
        Its number, from 1.
    start, end
        Which bytes of the crontab it is.
    called
        The block that it names, however damaged it is otherwise.
    begun, digest, ended
        What a sound one says; all empty of a damaged one.
    """

    line: int
    start: int
    end: int
    called: str
    begun: str = ""
    digest: str = ""
    ended: str = ""


def digest_of(data: bytes) -> str:
    """Return the first 16 hex digits of the SHA-256 of `data` (CRON-21)."""
    return sha256(data).hexdigest()[:16]


def make_block(name: str, body: str) -> str:
    """Return whole lines between the markers of a block (CRON-21)."""
    return f"# BEGIN runner {name} digest={digest_of(body.encode())}\n{body}# END runner {name}\n"


def find_markers(table: bytes) -> list[Marker]:
    """Return every line that is a marker or once was, of all homes."""
    markers = []
    offset = 0
    for number, line in enumerate(split_lines(table), 1):
        if like := _LIKE_MARKER.match(line):
            match = _MARKER.fullmatch(line.removesuffix(b"\n"))
            named = {key: value.decode() for key, value in match.groupdict(b"").items()} if match else {}
            called = like[2].decode("ascii", "replace")
            markers.append(Marker(number, offset, offset + len(line), called, **named))
        offset += len(line)
    return markers


def find_blocks(table: bytes) -> tuple[Block, ...]:
    """Return the blocks of all homes in a crontab, in its order.

    Raises
    ------
    UserError
        If any marker is damaged, alone or nested, with line numbers: whose the lines are is unknown then.
    """
    blocks: list[Block] = []
    faults: list[str] = []
    opened: Marker | None = None
    for marker in find_markers(table):
        if marker.begun:
            if opened:
                faults.append(f"line {marker.line}: a block begins within the one of line {opened.line}")
            opened = marker
        elif opened and marker.ended == opened.begun:
            body = table[opened.end : marker.start]
            blocks.append(Block(opened.begun, opened.digest, opened.line, opened.start, marker.end, body))
            opened = None
        elif marker.ended:
            faults.append(f"line {marker.line}: the block of {marker.ended} ends that does not begin")
        else:
            faults.append(f"line {marker.line}: a damaged marker")
    if opened:
        faults.append(f"line {opened.line}: the block of {opened.begun} begins that does not end")
    if faults:
        raise UserError("\n".join([_DAMAGED, *faults]))
    return tuple(blocks)


def find_sound_blocks(table: bytes) -> tuple[Block, ...]:
    """Return the blocks of all homes that are whole, whatever is damaged elsewhere in the crontab."""
    markers = find_markers(table)
    return tuple(
        Block(first.begun, first.digest, first.line, first.start, last.end, table[first.end : last.start])
        for first, last in pairwise(markers)
        if first.begun and first.begun == last.ended
    )


def find_block(table: bytes, name: str) -> Block | None:
    """Return the block of that name, or None.

    Raises
    ------
    UserError
        If there are two of it, or as `find_blocks` says.
    """
    blocks = [block for block in find_blocks(table) if block.name == name]
    if len(blocks) > 1:
        lines = ", ".join(str(block.line) for block in blocks)
        raise UserError(f"{_DAMAGED}\nlines {lines}: the block of {name} stands there more than once")
    return blocks[0] if blocks else None


def has_block(table: bytes, name: str) -> bool:
    """Whether a crontab has a mark of that block, however damaged it is otherwise."""
    return any(marker.called == name for marker in find_markers(table))


def take_out(table: bytes, block: Block | None) -> bytes:
    """Return the foreign bytes: all but that block."""
    return table if block is None else table[: block.start] + table[block.end :]


def put_in(table: bytes, name: str, text: bytes) -> bytes:
    """Return the crontab with `text` as the block of that name, nothing but blocks below it (CRON-22).

    What stood below it is moved above it; a newline that the last foreign line lacks is added (CRON-44).
    """
    block = find_block(table, name)
    if block is not None and not read_below(table, block):
        return table[: block.start] + text + table[block.end :]
    foreign = take_out(table, block)
    return foreign + (b"\n" if lacks_newline(foreign) else b"") + text


def read_below(table: bytes, block: Block) -> bytes:
    """Return the bytes below a block that belong to no other block: they ran under its settings."""
    below = b""
    offset = block.end
    for other in find_blocks(table):
        if other.start >= block.end:
            below += table[offset : other.start]
            offset = other.end
    return below + table[offset:]


def lacks_newline(text: bytes) -> bool:
    """Whether the last line of a text has no newline: Debian's crontab refuses such a table."""
    return text != b"" and not text.endswith(b"\n")


def split_lines(table: bytes) -> list[bytes]:
    """Return the lines with their newlines; a carriage return ends none, for cron as for us."""
    return _LINE.findall(table)
