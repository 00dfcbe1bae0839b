"""Text -> YAML: the few forms that we write ourselves, into a registry, a settings file or a hint."""

from __future__ import annotations

import re

from runner.document.tree import Mapping, Node, Scalar

_PLAIN = r"[A-Za-z0-9_./][A-Za-z0-9_./ =+@%,:-]*"
# What another reader of the same file might take for something else than text, or for the end of it.
_NOT_TEXT = r"(?i)[-+.\d_:e]+|0x[\da-f_]+|true|false|yes|no|on|off|y|n|null"


def quote(text: str) -> str:
    """Return `text` in double quotes; it has no control characters."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def quote_if_needed(text: str) -> str:
    """Return `text` as it is where every YAML reader takes it for that text, else in double quotes."""
    safe = re.fullmatch(_PLAIN, text) and not re.fullmatch(_NOT_TEXT, text)
    if safe and ": " not in text and text[-1] not in ": ":
        return text
    return quote(text)


def quote_inside(text: str) -> str:
    """Return `text` as it can stand between brackets or braces."""
    return quote(text) if "," in text else quote_if_needed(text)


def show_node(node: Node) -> str:
    """Return a node on one line, as one could write it."""
    if isinstance(node, Scalar):
        return node.text
    return _show_inside(node)


def _show_inside(node: Node) -> str:
    if isinstance(node, Scalar):
        return quote_inside(node.text)
    if isinstance(node, Mapping):
        pairs = [f"{name}: {_show_inside(value)}" for name, (_, value) in node.entries.items()]
        return "{" + ", ".join(pairs) + "}"
    return "[" + ", ".join([_show_inside(item) for item in node.items]) + "]"
