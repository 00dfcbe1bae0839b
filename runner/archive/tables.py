"""The tables of the index, and their columns that are always there; migration 0004 makes them (ARCH-20).

``roots``: the directories that are indexed. ``files``: one row a file. ``hdus``: one row a header and data
unit, with the configured keywords as typed columns (`runner.archive.settings`, `runner.archive.schema`).

Instants are text, UTC with a ``Z``, as in the ledger: they sort as they stand.
"""

from __future__ import annotations

from typing import Final

ROOTS = "roots"
FILES = "files"
HDUS = "hdus"

# States of a file.
OK: Final = "ok"
BAD: Final = "bad"
VANISHED: Final = "vanished"
# States of a digest.
DIGEST_OK: Final = "ok"
CHANGED: Final = "changed"

FILE_COLUMNS = (
    "id",
    "root_id",
    "path",  # below its root
    "size_bytes",
    "mtime_ns",
    "inode",  # as a signed number of 64 bits, which both databases have
    "digest",  # sha256:HEX, of a fetch or of --verify; null: nobody has computed one
    "digest_state",  # null, ok, or changed: its bytes are not those of the digest
    "hdu_count",
    "state",  # ok bad vanished
    "reason",  # why it is bad, or what is odd in a good one
    "layout",  # of which columns it was read for: another layout reads it again
    "first_seen_at",
    "indexed_at",
    "run_id",
)
HDU_COLUMNS = (
    "file_id",
    "number",  # 0 is the primary
    "name",  # EXTNAME, PRIMARY for HDU 0
    "version",  # EXTVER, 1 if there is none
    "type",  # PRIMARY IMAGE TABLE BINTABLE, COMPRESSED for a tile-compressed image, or the XTENSION that it has
    "dimensions",  # NAXIS1,NAXIS2,... of the image, or of the table; empty without data
    "header",  # JSON list of [keyword, value, comment], where asked for
)
