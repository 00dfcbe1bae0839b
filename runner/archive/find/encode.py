"""An astropy Table as the bytes of a VOTable or a FITS file (ARCH-41).

What a format has no way to say is said as near as it can: FITS has ASCII only, and as astropy reads it no truth
value that is neither, XML no control characters. Neither tells a text that is empty from none.
"""

from __future__ import annotations

import re
import warnings
from io import BytesIO
from typing import Any

import numpy as np
from astropy.table import Column, MaskedColumn, Table
from astropy.utils.exceptions import AstropyWarning

# FITS Standard 4.0, section 7.3.3.1, and XML 1.0, section 2.2; a carriage return would be read as a newline.
_NOT_IN_FITS = re.compile(r"[^ -~]")
_NOT_IN_XML = re.compile("[^\t\n -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def encode_table(table: Table, format: str) -> bytes:
    """Return a table as a file of the format ``votable`` or ``fits``."""
    change = _fit_fits if format == "fits" else _fit_votable
    fitting = Table([change(column) for column in table.itercols()])
    file = BytesIO()
    with warnings.catch_warnings():
        # Units of a home's own are written as they stand.
        warnings.simplefilter("ignore", AstropyWarning)
        fitting.write(file, format=format)
    return file.getvalue()


def _fit_votable(column: Column) -> Column:
    return _escape(column, _NOT_IN_XML) if column.dtype.kind == "U" else column


def _fit_fits(column: Column) -> Column:
    if column.dtype.kind == "U":
        return _escape(column, _NOT_IN_FITS)
    if column.dtype.kind == "b" and isinstance(column, MaskedColumn):
        column = column.astype(np.int16)
    if column.dtype.kind == "i" and isinstance(column, MaskedColumn):
        column.fill_value = _find_free(column)
    return column


def _find_free(column: MaskedColumn) -> int:
    """Return a number that is no value of a column, to stand where there is none (TNULLn)."""
    taken = set(column.compressed().tolist())
    return next(number for number in range(np.iinfo(column.dtype).min, 0) if number not in taken)


def _escape(column: Column, others: re.Pattern[str]) -> Column:
    """Return a text column with some characters shown, like ``\\x1b``."""
    plain = [others.sub(lambda found: f"\\x{ord(found[0]):02x}", str(text)) for text in np.asarray(column.data)]
    about = {"name": column.name, "unit": column.unit, "description": column.description}
    data: np.ndarray[Any, Any] = np.array(plain, dtype=np.str_)
    return MaskedColumn(data, mask=column.mask, **about) if isinstance(column, MaskedColumn) else Column(data, **about)
