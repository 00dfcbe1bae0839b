"""What is never shown nor stored: what is named like a secret, and secrets in any text of a run (PROF-64, SEC-9).

A `Scrubber` stands before all that shows what a job or a program of its profile says: log, mail, terminal. It hides
two things: the values of ``secrets:`` in the forms of `values`, and what has one of the `shapes` of a secret. It keeps
back what may be the first part of either, until it is decided, and be it an hour: a part that was shown cannot be
taken back when the rest comes. All before that goes on at once. How the bytes are cut into chunks makes no difference.

Most output has no secret. To see that must cost next to nothing, so what needs ``re`` stands elsewhere.
"""

from __future__ import annotations

# In any case of letters, anywhere in a name.
SECRET_WORDS = ("PASS", "SECRET", "TOKEN", "CREDENTIAL", "API_KEY", "PRIVATE_KEY", "ACCESS_KEY")

MASK = "***"
# What a scrubbed text has in place of a secret.
HIDDEN = b"[secret]"

# So many bytes before a chunk tell what its first bytes are; no shape has more in front of what is hidden.
REACH_BYTES = 160
# What the first words of a ``password=`` can be, and all that may stand from there to ``=`` or ``:``.
_WORDS = (b"passw", b"token", b"secre", b"api_k", b"api-k", b"apik")
_BETWEEN = b"acdekorsty_-\\\"' \t"
_BETWEEN_BYTES = 24
# One of these is in each shape, before what is hidden. They are numbers: whether bytes are in others is first asked
# as if they were one, and that it fails costs more than the search.
_EQUALS, _COLON, _A, _J = b"=:AJ"
# What is longer and not yet complete is no login, and no first part of a web token.
_LOGIN_BYTES = 400
_TOKEN_BYTES = 1100

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.launch.shapes import Shapes
    from runner.launch.values import Values


def is_secret(name: str) -> bool:
    """Whether what is called `name` is to be taken for a secret."""
    upper = name.upper()
    return any(word in upper for word in SECRET_WORDS)


class Scrubber:
    """Hides the secrets of one stream; memory stays bounded whatever comes.

    If it fails, nothing more of the stream is shown.
    """

    __slots__ = ("_has_failed", "_seen", "_shapes", "_values")

    def __init__(self, forms: Sequence[bytes] = ()) -> None:
        """`forms` are what the values of loaded secrets may look like."""
        self._values: Values | None = None
        self._shapes: Shapes | None = None
        self._seen = b""
        self._has_failed = False
        if forms:
            from runner.launch.values import Values

            self._values = Values(forms)

    @property
    def is_holding(self) -> bool:
        """Whether something has come that is not shown yet."""
        return bool((self._values and self._values.held) or (self._shapes and self._shapes.held))

    def feed(self, chunk: bytes, *, is_last: bool = False) -> bytes:
        """Take a chunk and return what may be shown now; the rest too if it `is_last`."""
        if self._has_failed:
            return b""
        try:
            if self._values:
                chunk = self._values.feed(chunk, is_last=is_last)
            return self._hide_shapes(chunk, is_last=is_last)
        except Exception as error:
            self._has_failed = True
            return f"[withheld: {type(error).__name__} in the scrubber; nothing more of this is shown]\n".encode()

    def _hide_shapes(self, chunk: bytes, *, is_last: bool) -> bytes:
        if self._shapes is None:
            if not has_mark(chunk) or not find_shapes(self._seen + chunk):
                self._seen = remember(self._seen, chunk)
                return chunk
            from runner.launch.shapes import Shapes

            self._shapes = Shapes(self._seen)
        return self._shapes.feed(chunk, is_last=is_last)


def scrub_text(text: str, forms: Sequence[bytes] = ()) -> str:
    """Return a text without secrets, or a note that it is withheld if that failed."""
    try:
        data = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        data = text.encode("utf-8", "backslashreplace")
    return Scrubber(forms).feed(data, is_last=True).decode("utf-8", "surrogateescape")


def has_mark(chunk: bytes) -> bool:
    """Whether a chunk has one of the bytes without which no shape begins; the cheapest question there is."""
    return _EQUALS in chunk or _COLON in chunk or _A in chunk or _J in chunk


def remember(seen: bytes, chunk: bytes) -> bytes:
    """Return the last bytes of what was shown, which tell what the next ones are."""
    return chunk[-REACH_BYTES:] if len(chunk) >= REACH_BYTES else (seen + chunk)[-REACH_BYTES:]


def find_shapes(data: bytes) -> list[int]:
    """Return where something begins that may have the shape of a secret, in order."""
    found = []
    if b"=" in data or b":" in data:
        lower = data.lower()
        for word in _WORDS if b"api" in lower else _WORDS[:3]:
            found += [at for at in _find_all(lower, word) if _is_name(lower, at + len(word))]
    if b"@" in data:
        found += [at for at in _find_all(data, b"://") if _may_be_login(data, at)]
    elif (at := data.rfind(b"://", -_LOGIN_BYTES)) >= 0 and _may_be_login(data, at):
        found.append(at)
    if b"J" in data:
        found += _find_all(data, b"eyJ", 0 if b"." in data else max(len(data) - _TOKEN_BYTES, 0))
    if b"A" in data:
        found += _find_all(data, b"AKIA") if b"K" in data else []
        found += _find_all(data, b"ASIA")
    return sorted(found)


def _find_all(data: bytes, needle: bytes, start: int = 0) -> list[int]:
    found = []
    at = data.find(needle, start)
    while at >= 0:
        found.append(at)
        at = data.find(needle, at + 1)
    return found


def _is_name(lower: bytes, end: int) -> bool:
    """Whether the word that ends here may be the name of a value: a sign follows."""
    return lower[end : end + _BETWEEN_BYTES].lstrip(_BETWEEN)[:1] in (b"=", b":")


def _may_be_login(data: bytes, at: int) -> bool:
    """Whether a user and a password may follow, or are not yet complete."""
    rest = data[at + 3 : at + 3 + _LOGIN_BYTES]
    login = rest.split(b"/", 1)[0].split(None, 1)[:1]
    return login != [] and b":" in login[0] and (b"@" in login[0] or login[0] == rest)
