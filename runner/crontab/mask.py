"""No secret of a foreign line in what we print (CRON-66, PROF-64)."""

from __future__ import annotations

import re

from runner.launch.scrub import MASK, SECRET_WORDS

_LIKE_SECRET = re.compile("|".join(SECRET_WORDS), re.IGNORECASE)


def mask_line(line: str) -> str:
    """Return a line without what follows the first ``=`` behind a word like a secret's name.

    Wherever the assignment stands: cron's own, one of a command, or one in a comment. That may hide too much.
    """
    word = _LIKE_SECRET.search(line)
    equals = line.find("=", word.end()) if word else -1
    return line if equals < 0 else f"{line[: equals + 1]}{MASK}"


def show_lines(text: bytes) -> list[str]:
    """Return the lines of a crontab for a person: masked, and with every byte that is no UTF-8 visible."""
    shown = text.decode("utf-8", "backslashreplace").split("\n")
    if not shown[-1]:
        shown.pop()
    return [mask_line(line.replace("\r", "\\r")) for line in shown]
