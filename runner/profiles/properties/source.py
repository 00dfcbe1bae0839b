"""One file of the search path, read again when it has changed (CAPO-12)."""

from __future__ import annotations

from collections.abc import Mapping

from runner.profiles.properties.files import Stamp, find_content, read_stamp
from runner.profiles.properties.pycapo import Reading, parse_pycapo

_NOTHING = Reading()


class Source:
    """A file that may have properties, and may come and go.

    Attributes
    ----------
    file
        Its name on the search path.
    """

    def __init__(self, file: str, environ: Mapping[str, str]) -> None:
        self.file = file
        self._environ = environ
        self._stamp: Stamp | None = None
        self._reading = _NOTHING

    @property
    def is_there(self) -> bool:
        """Whether the file was there and could be read when it was last looked at."""
        return self._stamp is not None

    def read(self) -> Reading:
        """Return the properties that the file has now.

        Raises
        ------
        Unreadable
            Where pycapo would end in a traceback.
        UnicodeDecodeError
            If the file is not UTF-8; its reason names the file.
        OSError
            If the file is a directory, or its disk fails.
        """
        stamp = read_stamp(self.file)
        if stamp == self._stamp:
            return self._reading
        self._stamp, self._reading = None, _NOTHING
        content = find_content(self.file) if stamp else None
        if content:
            self._reading = parse_pycapo(decode(content.data, self.file), self.file, self._environ)
            self._stamp = content.stamp
        return self._reading


def decode(data: bytes, file: str) -> str:
    """Return the text of a file."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        error.reason = f"{file}:{line}: not UTF-8"
        raise
