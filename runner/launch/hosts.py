"""Which host a pattern means: the gate of a run, the choice of a target and of a site ask here alike."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def matches_host(patterns: Iterable[str], host: str) -> bool:
    """Whether one of the patterns (``*`` and ``?``) is the host's full or short name, in any case."""
    names = (host.lower(), host.lower().split(".", 1)[0])
    return any(matches(pattern.lower(), name) for pattern in patterns for name in names)


def find_sites(sites: Iterable[tuple[str, Iterable[str]]], host: str) -> list[str]:
    """Return which of the sites (name and patterns) a host belongs to; more than one is a mistake (PROF-14)."""
    return [name for name, patterns in sites if matches_host(patterns, host)]


def matches(pattern: str, text: str) -> bool:
    """Whether `pattern`, in which ``*`` is any text and ``?`` any character, is all of `text`."""
    head, star, rest = pattern.partition("*")
    if len(head) > len(text) or any(p not in ("?", c) for p, c in zip(head, text, strict=False)):
        return False
    tail = text[len(head) :]
    if not star:
        return not tail
    return any(matches(rest, tail[start:]) for start in range(len(tail) + 1))
