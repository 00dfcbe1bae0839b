"""Which scheme the text of a source has: pure (ARCH-10)."""

from __future__ import annotations

import re

from runner.document.faults import suggest
from runner.errors import UserError, clean

FILE, LIST, QUERY, S3 = "file", "list", "astroquery", "s3"
WEB = ("http", "https")
SCHEMES = (FILE, LIST, QUERY, S3, *WEB)

# A colon that stands elsewhere belongs to the name of a file.
_SCHEME = re.compile(f"(?:({FILE}|{LIST}|{QUERY}):|([a-z][a-z0-9+.-]*)://)", re.IGNORECASE)


def find_scheme(text: str) -> str:
    """Return the scheme of a source, empty for the name of a file; UserError if nobody knows it."""
    if not text:
        raise UserError("the name of a source is empty")
    if text.startswith("@"):
        return LIST
    found = _SCHEME.match(text)
    if not found:
        return ""
    scheme = str(found[1] or found[2]).lower()
    if scheme not in SCHEMES:
        raise UserError(f'"{clean(text)}": nothing is fetched from {clean(scheme)}://; {suggest(scheme, SCHEMES)}')
    return scheme
