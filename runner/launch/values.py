"""The values of loaded secrets in a stream, raw and in the forms that programs give them (SEC-9).

A value is found as it is, and as it stands in a URL, in base64 (at any place of what was encoded), in quotes of a
shell, and escaped as by JSON, Python or a shell. It is not found where it was wrapped into lines, encoded twice or
compressed, and the last bits of its neighbours stay beside one in base64.
"""

from __future__ import annotations

from runner.launch.scrub import HIDDEN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

# Less would be found by chance in any text.
SMALLEST_BYTES = 8
# What the encoders of URLs leave as it is: Python's two ways, and JavaScript's.
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~")
_LEFT_IN_URLS = (b"", b"/", b"!*'()", b"!*'()/:?#[]@$&+,;=")
# What a shell escapes, within double quotes and without any.
_SPECIAL_IN_QUOTES = frozenset(b'"\\$`')
_SPECIAL_IN_SHELLS = frozenset(range(32, 127)).difference(_UNRESERVED, b"/:@%+=,")


class Values:
    """Hides the forms of secret values in one stream: of several at one place the longest.

    Attributes
    ----------
    held
        What may be the first part of a form: less than the longest has.
    """

    __slots__ = ("_forms", "held")

    def __init__(self, forms: Sequence[bytes]) -> None:
        self._forms = forms
        self.held = b""

    def feed(self, chunk: bytes, *, is_last: bool) -> bytes:
        """Take a chunk and return what may be shown now.

        At the end the first part of a form is hidden too, if it is long enough to be a secret.
        """
        data = self.held + chunk
        start, cut = 0, self._find_beginning(data, 0)
        pieces = []
        places = {form: at for form in self._forms if (at := data.find(form)) >= 0}
        while places and (at := min(places.values())) < cut:
            pieces += [data[start:at], HIDDEN]
            start = at + max([len(form) for form in places if places[form] == at])
            if cut < start:
                cut = self._find_beginning(data, start)
            for form in [form for form in places if places[form] < start]:
                places[form] = data.find(form, start)
                if places[form] < 0:
                    del places[form]
        pieces.append(data[start:cut])
        self.held = data[cut:]
        if is_last:
            pieces.append(HIDDEN if len(self.held) >= SMALLEST_BYTES else self.held)
            self.held = b""
        return b"".join(pieces)

    def _find_beginning(self, data: bytes, start: int) -> int:
        """Return from where all is the first part of some form, the end if nothing is."""
        return min([_find_beginning(data, form, start) for form in self._forms])


def _find_beginning(data: bytes, form: bytes, start: int) -> int:
    size = len(data)
    at = max(size - len(form) + 1, start)
    first = form[:SMALLEST_BYTES]
    while (at := data.find(first, at)) >= 0:
        if form.startswith(data[at:]):
            return at
        at += 1
    return next((at for at in range(max(size - len(first) + 1, start), size) if first.startswith(data[at:])), size)


def list_forms(values: Iterable[str]) -> list[bytes]:
    """Return all that the values of secrets may look like; of one that is too short to tell nothing."""
    forms: set[bytes] = set()
    for text in values:
        value = text.encode("utf-8", "surrogateescape")
        if len(value) >= SMALLEST_BYTES:
            forms |= {value, *_encode_urls(value), *_encode_base64(value), *_quote(text, value)}
    return sorted(forms)


def _encode_urls(value: bytes) -> list[bytes]:
    found = []
    for left in _LEFT_IN_URLS:
        kept = _UNRESERVED.union(left)
        for digits in ("%02X", "%02x"):
            whole = b"".join([bytes([byte]) if byte in kept else b"%" + (digits % byte).encode() for byte in value])
            found += [whole, whole.replace(b"%20", b"+")]
    return found


def _encode_base64(value: bytes) -> list[bytes]:
    """Return what stays the same whatever stands before and behind the value; with the end, where it is the end."""
    from binascii import b2a_base64

    found = []
    for before, changed in ((0, 0), (1, 2), (2, 3)):
        encoded = b2a_base64(bytes(before) + value, newline=False)[changed:]
        fixed = encoded[: (before + len(value)) * 8 // 6 - changed]
        found += [encoded, encoded.rstrip(b"="), fixed]
    return found + [form.replace(b"+", b"-").replace(b"/", b"_") for form in found]


def _quote(text: str, value: bytes) -> list[bytes]:
    from _json import encode_basestring, encode_basestring_ascii

    quoted = [value.replace(b"'", b"'\\''"), value.replace(b"'", b"'\"'\"'"), repr(value)[2:-1].encode()]
    escaped = [encode_basestring(text)[1:-1], encode_basestring_ascii(text)[1:-1], repr(text)[1:-1]]
    escaped += [form.replace("/", "\\/") for form in escaped[:2]]
    escaped += [form.replace('\\"', '"').replace("'", "\\'") for form in escaped[:3]]
    quoted += [form.encode("utf-8", "surrogateescape") for form in escaped]
    quoted.append(value.decode("utf-8", "backslashreplace").encode())
    return [*quoted, _escape(value, _SPECIAL_IN_QUOTES), _escape(value, _SPECIAL_IN_SHELLS)]


def _escape(value: bytes, special: Container[int]) -> bytes:
    return b"".join([b"\\" + bytes([byte]) if byte in special else bytes([byte]) for byte in value])
