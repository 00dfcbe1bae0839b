"""``envs/archive.yaml``: which keywords become columns, and how files are fetched, looked at and expected.

A home without the file has the defaults: the columns of ARCH-21, four connections a host.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from runner.archive.tables import FILE_COLUMNS, HDU_COLUMNS
from runner.document.faults import Faults, Wrong, check_faults
from runner.document.fields import (
    boolean,
    choice,
    duration,
    duration_or_zero,
    list_of,
    map_of,
    name_like,
    scalar,
    size,
    text,
    web_address,
    whole,
    word,
)
from runner.document.keys import Keys, declare, record_of
from runner.document.parse import parse_document
from runner.document.tree import Node, is_empty

ARCHIVE_FILE = "envs/archive.yaml"

# Names of `runner find`, and the words of its expressions.
_FIND = ("root", "file", "mtime", "cone", "and", "or", "not", "in", "like", "between", "is", "null")
_RESERVED = frozenset({*FILE_COLUMNS, *HDU_COLUMNS, "id", "file_id", *_FIND})

_column_name = name_like("[a-z][a-z0-9_]{0,58}", "a column's name", "small letters, digits and _")
# FITS Standard 4.0, section 4.1.2.1; an ESO keyword is written as HIERARCH ESO INS NAME.
_keyword = name_like("[A-Z0-9_-]{1,8}|HIERARCH [!-~]+( [!-~]+)*", "a FITS keyword", "one like EXPTIME, DATE-OBS")


def _free_name(value: str) -> str:
    if _column_name(value) in _RESERVED:
        raise Wrong(f'"{value}" is a column of the tables already', "give yours another name")
    return value


@dataclass(frozen=True, slots=True)
class Column:
    """A column of ``hdus``, filled from the headers of a file.

    Attributes
    ----------
    keywords
        Tried in this order; the first that a header has with a value counts. The types time, ra and dec
        know by themselves what else they need of the header (ARCH-21).
    type
        ``text int float bool``; ``time`` (UTC, as text that sorts), ``ra`` and ``dec`` (ICRS degrees).
    hdu
        ``each``: a value in each row of ``hdus``. ``primary`` and ``first`` (the first HDU that has it): one
        value a file, in the row of HDU 0.
    """

    keywords: tuple[str, ...] = declare(list_of(scalar(_keyword)), "FITS keyword, or a list to try", name="keyword")
    type: str = declare(
        scalar(choice("text", "int", "float", "bool", "time", "ra", "dec")), "what its values become", "text"
    )
    unit: str = declare(scalar(text), "unit, as astropy writes it", "", shown="none")
    hdu: str = declare(scalar(choice("primary", "first", "each")), "whose header: primary, first, each", "first")


@dataclass(frozen=True, slots=True)
class Fetch:
    """How files are fetched."""

    connections: int = declare(scalar(whole(1, 64)), "how many at once, in all", "8")
    per_host: int = declare(scalar(whole(1, 64)), "how many at once from one host", "4")
    attempts: int = declare(scalar(whole(1, 100)), "how often one file is asked for in one call", "5")
    backoff: float = declare(scalar(duration), "wait before the second attempt; doubled each time", "1s")
    longest_wait: float = declare(scalar(duration), "no wait is longer, whatever a server asks for", "2m")
    timeout: float = declare(scalar(duration), "how long a server may say nothing", "60s")
    slowest: int = declare(scalar(size), "bytes a second, over one timeout: slower is given up", "1K")
    largest: int = declare(scalar(size), "a file, or all of an unpacked archive, may have so many bytes", "1024G")


@dataclass(frozen=True, slots=True)
class S3:
    """How ``s3://`` is reached (ARCH-9)."""

    endpoint: str = declare(scalar(web_address), "address of a store that is not Amazon's", "", shown="Amazon's")
    region: str = declare(scalar(word), "its region", "", shown="of the AWS profile")
    profile: str = declare(scalar(word), "profile of ~/.aws/config", "", shown="its default")
    anonymous: bool = declare(scalar(boolean), "sign no request, as for open data", "false")


@dataclass(frozen=True, slots=True)
class Expected:
    """Products that each exposure should have (ARCH-43); ``*`` stands for the same text in all patterns."""

    each: str = declare(scalar(word), "name pattern of what is there, like *_raw.fits")
    needs: tuple[str, ...] = declare(list_of(scalar(word)), "name patterns of what belongs to it, like *_flt.fits")


def _column(keyword: str, type: str = "text", unit: str = "", hdu: str = "first") -> Column:
    return Column(tuple(keyword.split()), type, unit, hdu)


# ARCH-21, in the order of the table.
DEFAULT_COLUMNS: tuple[tuple[str, Column], ...] = (
    ("telescop", _column("TELESCOP")),
    ("instrume", _column("INSTRUME")),
    ("detector", _column("DETECTOR")),
    ("filter", _column("FILTER FILTER1")),
    ("filter2", _column("FILTER2")),
    ("object", _column("OBJECT TARGNAME")),
    ("ra", _column("RA_TARG RA OBJRA OBJCTRA CRVAL1", "ra", "deg")),
    ("dec", _column("DEC_TARG DEC OBJDEC OBJCTDEC CRVAL2", "dec", "deg")),
    ("obs_at", _column("DATE-OBS MJD-OBS EXPSTART", "time")),
    ("date_obs", _column("DATE-OBS")),
    ("time_obs", _column("TIME-OBS")),
    ("mjd_obs", _column("MJD-OBS", "float", "d")),
    ("exptime", _column("EXPTIME EXPOSURE", "float", "s")),
    ("expstart", _column("EXPSTART", "float", "d")),
    ("expend", _column("EXPEND", "float", "d")),
    ("obstype", _column("OBSTYPE")),
    ("imagetyp", _column("IMAGETYP")),
    ("proposid", _column("PROPOSID")),
    ("rootname", _column("ROOTNAME")),
    ("naxis1", _column("NAXIS1", "int", "pix", "each")),
    ("naxis2", _column("NAXIS2", "int", "pix", "each")),
    ("bunit", _column("BUNIT", hdu="each")),
    ("bitpix", _column("BITPIX", "int", hdu="each")),
)
NAMES = '["*.fits", "*.fit", "*.fts", "*.fits.gz", "*.fit.gz", "*.fts.gz", "*.fits.fz"]'


@dataclass(frozen=True, slots=True)
class Archive:
    """What ``envs/archive.yaml`` says, its defaults filled in.

    Attributes
    ----------
    columns
        As written; `all_columns` has the defaults too.
    """

    columns: tuple[tuple[str, Column], ...] = declare(
        map_of(_free_name, record_of(Keys(Column))), "columns beside or instead of the default ones, by name", "{}"
    )
    default_columns: bool = declare(scalar(boolean), "whether there are the default ones", "true")
    header: bool = declare(scalar(boolean), "keep each header whole, as JSON", "false")
    names: tuple[str, ...] = declare(list_of(scalar(word)), "name patterns of the files to index", NAMES)
    settle: float = declare(scalar(duration_or_zero), "younger files wait for the next call", "0")
    fetch: Fetch = declare(record_of(Keys(Fetch)), "how files are fetched", "{}")
    s3: S3 = declare(record_of(Keys(S3)), "how s3:// is reached", "{}")
    expected: tuple[tuple[str, Expected], ...] = declare(
        map_of(word, record_of(Keys(Expected))), "rules of find --missing, by name", "{}"
    )

    @property
    def all_columns(self) -> dict[str, Column]:
        """The columns by name, in their order; one that is written replaces the default of its name."""
        return {**(dict(DEFAULT_COLUMNS) if self.default_columns else {}), **dict(self.columns)}


ARCHIVE = Keys(Archive)


def parse_archive(data: bytes, faults: Faults) -> Archive:
    """Return the settings in `data`; of no use where `faults` has an error afterwards."""
    root = parse_document(data, faults)
    if root is None or is_empty(root):
        return Archive(**ARCHIVE.defaults)
    return _read(root, faults)


def _read(root: Node, faults: Faults) -> Archive:
    try:
        return Archive(**{**ARCHIVE.defaults, **ARCHIVE.read(root, faults)})
    except Wrong as wrong:
        faults.wrong(root, wrong)
        return Archive(**ARCHIVE.defaults)


def read_archive(home: Path | None, config: Path | None = None) -> Archive:
    """Return the settings of a home, or those of the file `config`; FaultsFound says all that is wrong.

    A home may lack the file; a `config` that was named may not (OSError).
    """
    path = config or (home / ARCHIVE_FILE if home else None)
    shown = ARCHIVE_FILE if config is None else str(config)
    if path is None or (config is None and not path.exists()):
        return Archive(**ARCHIVE.defaults)
    faults = Faults(shown)
    archive = parse_archive(path.read_bytes(), faults)
    check_faults(faults.found)
    return archive
