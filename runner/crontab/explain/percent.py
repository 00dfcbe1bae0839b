"""What ``sh -c`` gets of a command, and what it reads on its stdin: the ``%`` of both crons."""

from __future__ import annotations

import re
from dataclasses import dataclass

_COMMAND = re.compile(rb"((?:[^\\%]+|\\.|\\\Z)*+)(?:%(.*))?", re.DOTALL)
_PAIR = re.compile(rb"\\(.)", re.DOTALL)
_PERCENT = re.compile(rb"\\?%")


@dataclass(frozen=True, slots=True)
class Executed:
    """What a command becomes: the words for the shell, and its stdin; None where it reads an empty one."""

    shell: bytes
    stdin: bytes | None


def split_command(command: bytes, unescaped: bytes) -> Executed:
    r"""Return what the shell gets of a command.

    The first ``%`` without a backslash before it ends the words; the others behind it are newlines.

    Parameters
    ----------
    command
        As it stands in the crontab.
    unescaped
        The bytes that lose a backslash before them: ``%``, and with Debian (observed, 3.0pl1-162) ``\`` too.
    """
    match = _COMMAND.fullmatch(command)
    words, data = match.groups() if match else (command, None)
    shell = _PAIR.sub(lambda pair: pair[1] if pair[1] in unescaped else pair[0], words)
    return Executed(shell, _read_data(data) if data else None)


def _read_data(data: bytes) -> bytes:
    """Return the stdin: ended by a newline unless what stands before trailing backslashes ends in one."""
    stdin = _PERCENT.sub(lambda found: b"%" if found[0] == rb"\%" else b"\n", data)
    last = stdin[: len(stdin) - (len(data) - len(data.rstrip(b"\\")))][-1:]
    return stdin if last in (b"", b"\n") else stdin + b"\n"
