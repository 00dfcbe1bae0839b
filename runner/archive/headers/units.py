"""What a header says of its unit: type, dimensions, and how many bytes of data follow (ARCH-23)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Final

from runner.archive.headers.values import LEAST_INT, MOST_INT, Value, show

BITPIX: Final = frozenset({8, 16, 32, 64, -32, -64})
# FITS Standard 4.0, section 4.4.1.1.
MOST_AXES: Final = 999
# A file that says more could not lie on any disk.
MOST_DATA_BYTES: Final = 2**62
COMPRESSED: Final = "COMPRESSED"
STRUCTURE: Final = (
    "SIMPLE",
    "XTENSION",
    "BITPIX",
    "NAXIS",
    "PCOUNT",
    "GCOUNT",
    "GROUPS",
    "ZIMAGE",
    "EXTNAME",
    "EXTVER",
)


@dataclass(frozen=True, slots=True)
class Unit:
    """A header and data unit, apart from the configured keywords.

    Attributes
    ----------
    data_bytes
        Without what fills up the last block; None if its header does not say, so that what follows cannot be found.
    trouble
        Why its header is wrong; None if it is not.
    oddities
        What is odd in a good one.
    """

    name: str
    version: int
    type: str
    dimensions: str
    data_bytes: int | None
    trouble: str | None = None
    oddities: tuple[str, ...] = ()


class _Wrong(Exception):
    pass


def describe_unit(number: int, header: Mapping[str, Value]) -> Unit:
    """Return what a header says of its unit.

    Parameters
    ----------
    header
        Values by keyword: those of `STRUCTURE`, and `name_axes`.
    """
    name, version, oddities = _name(number, header)
    try:
        axes = _axes(header)
        type = _type(number, header)
        size = count_data_bytes(header, axes)
    except _Wrong as wrong:
        return Unit(name, version, "PRIMARY" if number == 0 else "", "", None, str(wrong))
    if number == 0 and header.get("SIMPLE") is False:
        # As astropy has it: the data go on to the end of the file, whatever they are.
        return Unit(name, version, type, ",".join(map(str, axes)), None, None, (*oddities, "SIMPLE is F"))
    return Unit(name, version, type, ",".join(map(str, axes)), size, None, oddities)


def _name(number: int, header: Mapping[str, Value]) -> tuple[str, int, tuple[str, ...]]:
    name, version, oddities = header.get("EXTNAME"), header.get("EXTVER", 1), []
    default = "PRIMARY" if number == 0 else ""
    if name is not None and not isinstance(name, str):
        oddities.append(f"EXTNAME is {show(name)}, not text")
        name = None
    if not isinstance(version, int) or isinstance(version, bool) or not LEAST_INT <= version <= MOST_INT:
        oddities.append(f"EXTVER is {show(version)}, not an integer")
        version = 1
    return default if name is None else name, version, tuple(oddities)


def _type(number: int, header: Mapping[str, Value]) -> str:
    if number == 0:
        return "PRIMARY"
    if "XTENSION" not in header:
        # A file that was appended to another: its primary header is one more image, as for astropy.
        return "IMAGE"
    type = header["XTENSION"]
    if not isinstance(type, str):
        raise _Wrong(f"XTENSION is {show(type)}, not text")
    return type.rstrip()


def name_axes(naxis: Value) -> list[str]:
    """Return the keywords of the axes of a header whose NAXIS this is; none if it is no number of axes."""
    if not isinstance(naxis, int) or isinstance(naxis, bool) or naxis > MOST_AXES:
        return []
    return [f"NAXIS{number}" for number in range(1, naxis + 1)]


def _axes(header: Mapping[str, Value]) -> list[int]:
    count = _whole(header, "NAXIS", None)
    if count > MOST_AXES:
        raise _Wrong(f"NAXIS is {count}")
    return [_whole(header, keyword, None) for keyword in name_axes(count)]


def count_data_bytes(header: Mapping[str, Value], axes: list[int]) -> int:
    """Return the size of the data (FITS Standard 4.0, sections 4.4.1.1, 4.4.1.2, 6.1)."""
    bitpix = header.get("BITPIX")
    if not isinstance(bitpix, int) or bitpix not in BITPIX:
        raise _Wrong(f"BITPIX is {show(bitpix) if 'BITPIX' in header else 'missing'}")
    # Random groups have no NAXIS1 to speak of.
    if "SIMPLE" in header and header.get("GROUPS") is True:
        axes = axes[1:]
    if not axes:
        return 0
    elements = prod(axes)
    groups, parameters = _whole(header, "GCOUNT", 1), _whole(header, "PCOUNT", 0)
    size = abs(bitpix) // 8 * groups * (parameters + elements)
    if size > MOST_DATA_BYTES:
        raise _Wrong(f"its data would be {size} bytes")
    return size


def _whole(header: Mapping[str, Value], keyword: str, default: int | None) -> int:
    value = header.get(keyword, default)
    if keyword not in header and default is None:
        raise _Wrong(f"{keyword} is missing")
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise _Wrong(f"{keyword} is {show(value)}")
    return value
