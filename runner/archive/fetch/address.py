"""Addresses: what they are called when a file is named after them, and how they are shown without their secrets."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit, urlunsplit

from runner.launch.scrub import MASK, is_secret

# Parameters that make an address a key, beside those that are named like a secret: signed links of Amazon, Azure.
_KEYS = ("SIG", "AUTH", "KEY")
_PARAMETER = re.compile("([^&=]+)=([^&]*)")


def show_url(url: str) -> str:
    """Return an address as it may be shown and stored: without a login, and without what signs it (SEC-9)."""
    parts = urlsplit(url)
    query = _PARAMETER.sub(_hide_value, parts.query)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query=query))


def name_after(url: str) -> str:
    """Return what a file at an address is called: the last part of its path; not yet confined."""
    return unquote(urlsplit(url).path.rpartition("/")[2], errors="surrogateescape")


def _hide_value(found: re.Match[str]) -> str:
    name = found[1]
    hides = is_secret(name) or any(word in name.upper() for word in _KEYS)
    return f"{name}={MASK}" if hides else found[0]
