"""What a kind of fuzzed file is, and the damage that is done to samples of it."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from shutil import rmtree
from tempfile import mkdtemp

from runner.errors import Fault

# What no parser likes to meet, whatever it reads.
_ODD = (
    *(
        b"\0",
        b"\xff",
        b"\xc3",
        b"\xed\xa0\x80",
        b"\r",
        b"\r\n",
        b"\n",
        b"\n\n",
        b"\t",
        b" ",
        b"\\",
        b"\x1b[2J",
        b"\x85",
    ),
    *("\ufeff".encode(), "\u2028".encode(), "\u0660".encode(), b"'", b'"', b"%", b"#", b"=", b":", b"-", b"*", b"{"),
    *(b"]", b"0", b"-1", b"9" * 30, b"1e999", b"nan", b"x" * 300, b"[" * 60, b"(a+)+$", b"../../x", b"$(id)", b"${"),
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file.

    Attributes
    ----------
    share
        How many of a hundred inputs are of this kind.
    make, read
        How one is made; and what reads it, and raises if that is not as it should be.
    """

    name: str
    share: int
    make: Callable[[Random], bytes]
    read: Callable[[bytes], None]


def make_directory() -> Path:
    """Return a directory in memory, where this system has such a place: a disk would be waited for all the time."""
    memory = "/dev/shm"
    directory = mkdtemp(prefix="runner-fuzz-", dir=memory if Path(memory).is_dir() else None)
    atexit.register(rmtree, directory)
    return Path(directory)


def split_words(text: str) -> tuple[bytes, ...]:
    """Return what stands between the broken bars."""
    return tuple(word.encode() for word in text.split("¦"))


def mutate(chance: Random, samples: tuple[bytes, ...], words: tuple[bytes, ...]) -> bytes:
    """Return one of `samples` with some damage: bytes, lines and words lost, doubled, moved, put in.

    Parameters
    ----------
    words
        What means something in this kind of file, and may therefore do harm in the wrong place.
    """
    data = bytearray(chance.choice(samples))
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        _damage(chance, data, samples, words)
    return bytes(data)


def _damage(chance: Random, data: bytearray, samples: tuple[bytes, ...], words: tuple[bytes, ...]) -> None:
    start = chance.randint(0, len(data))
    end = min(start + chance.choice((1, 2, 5, 20, 200)), len(data))
    match chance.randrange(8):
        case 0:
            data[start:end] = b""
        case 1:
            data[start:start] = data[start:end] * chance.choice((1, 1, 2, 30))
        case 2:
            data[start:start] = chance.choice(_ODD)
        case 3:
            data[start:end] = chance.choice(words)
        case 4:
            data[start:end] = chance.randbytes(end - start)
        case 5:
            other = chance.choice(samples)
            data[start:] = other[chance.randint(0, len(other)) :]
        case 6:
            lines = data.split(b"\n")
            lines.insert(chance.randrange(len(lines)), chance.choice(lines))
            data[:] = b"\n".join(lines)
        case _:
            lines = data.split(b"\n")
            chance.shuffle(lines)
            data[:] = b"\n".join(lines[: chance.randint(1, len(lines))])


def check_faults(faults: tuple[Fault, ...], data: bytes) -> None:
    """Assert that each is one line for a person, about a line that is there."""
    most = len(data.decode("utf-8", "replace").splitlines()) + 1
    for fault in faults:
        assert 0 <= fault.line <= most, fault
        assert fault.message, fault
        assert str(fault).isprintable(), fault
