"""What can be asked in a home: the columns of its index, by their names and by their FITS keywords (ARCH-40)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from runner.archive.find.tree import CARD, FILE, HDU, PRIMARY, Field
from runner.archive.settings import Archive, Column

_FILE_FIELDS = (
    Field("file", "text", FILE, "", "whole path"),
    Field("root", "text", FILE, "", "directory that was indexed"),
    Field("path", "text", FILE, "", "path below its root"),
    Field("size_bytes", "int", FILE, "byte", "size of the file"),
    Field("mtime", "time", FILE, "", "when the file was changed, UTC"),
    Field("digest", "text", FILE, "", "sha256:HEX of the file"),
    Field("digest_state", "text", FILE, "", "whether the file has its digest: ok, changed"),
    Field("hdu_count", "int", FILE, "", "HDUs that could be read"),
    Field("state", "text", FILE, "", "ok, bad or vanished"),
    Field("reason", "text", FILE, "", "why the file is bad, or what is odd in it"),
    Field("first_seen_at", "time", FILE, "", "when the file was indexed first, UTC"),
    Field("indexed_at", "time", FILE, "", "when the file was read last, UTC"),
    Field("run_id", "text", FILE, "", "run that indexed it"),
)
_HDU_FIELDS = (
    Field("number", "int", HDU, "", "of the HDU, 0 is the primary"),
    Field("name", "text", HDU, "", "EXTNAME"),
    Field("version", "int", HDU, "", "EXTVER"),
    Field("type", "text", HDU, "", "of the HDU"),
    Field("dimensions", "text", HDU, "", "NAXIS1,NAXIS2,..."),
)
# What is shown of a file where nobody says what; of these as many as there are.
_SHOWN = ("instrume", "filter", "object", "ra", "dec", "obs_at", "exptime")
_SHOWN_OF_HDU = ("number", "name", "type", "dimensions")
_PLAIN_TYPES = {"ra": "float", "dec": "float"}


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of a home.

    Attributes
    ----------
    by_name
        In the order of the tables; a configured column stands before one of the file with its name.
    by_keyword
        The columns by their FITS keywords: that which has the keyword first, else the first that has it at all.
    ra, dec
        What ``cone`` asks; None where the home has no such columns.
    has_headers
        Whether ``header.KEYWORD`` can be asked.
    """

    by_name: dict[str, Field]
    by_keyword: dict[str, Field]
    ra: Field | None
    dec: Field | None
    has_headers: bool

    def find_field(self, name: str) -> Field | None:
        """Return the field of a name or FITS keyword in any case."""
        lower = name.lower()
        return self.by_name.get(lower) or self.by_name.get(lower.replace("-", "_")) or self.by_keyword.get(name.upper())

    def list_shown(self, *, is_each: bool) -> tuple[Field, ...]:
        """Return what is shown where nobody says what: of files, or of each HDU."""
        names = ("path", *(_SHOWN_OF_HDU if is_each else ()), *_SHOWN)
        return tuple(
            self.by_name[name]
            for name in names
            if name in self.by_name and (is_each or self.by_name[name].place != HDU)
        )


def list_fields(archive: Archive) -> Fields:
    """Return what can be asked in a home with these settings."""
    columns = archive.all_columns
    own = {name: _make_field(name, column) for name, column in columns.items()}
    return Fields(
        {field.name: field for field in (*_FILE_FIELDS, *_HDU_FIELDS)} | own,
        _name_by_keyword(columns, own),
        _find_first(columns, own, "ra"),
        _find_first(columns, own, "dec"),
        archive.header,
    )


def make_card(keyword: str) -> Field:
    """Return the field of a keyword of the whole header; astropy knows a HIERARCH keyword without that word."""
    plain = " ".join(keyword.upper().split()).removeprefix("HIERARCH ")
    return Field(f"header.{plain}", CARD, PRIMARY, keyword=plain)


def is_each(fields: Iterable[Field]) -> bool:
    """Whether there is a row for each HDU where these are asked for."""
    return any(field.place == HDU for field in fields)


def _make_field(name: str, column: Column) -> Field:
    type = _PLAIN_TYPES.get(column.type, column.type)
    place = HDU if column.hdu == "each" else PRIMARY
    return Field(name, type, place, column.unit, f"FITS {', '.join(column.keywords)}")


def _name_by_keyword(columns: dict[str, Column], own: dict[str, Field]) -> dict[str, Field]:
    named: dict[str, Field] = {}
    for name, column in columns.items():
        named.setdefault(column.keywords[0], own[name])
    for name, column in columns.items():
        for keyword in column.keywords:
            named.setdefault(keyword, own[name])
    return named


def _find_first(columns: dict[str, Column], own: dict[str, Field], type: str) -> Field | None:
    return next((own[name] for name, column in columns.items() if column.type == type), None)
