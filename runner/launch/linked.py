"""Loads the linked modules: what the import system finds one by one stands in one file (see ``home/machine.py``)."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType


def load_modules(linked: list[tuple[str, str, CodeType]], home: str) -> None:
    """Make modules of (name, directory below the home if it is a package, code), each needing only those before it."""
    for name, directory, code in linked:
        module = type(sys)(name)
        if directory:
            module.__path__ = [home + directory]
        sys.modules[name] = module
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], child, module)
        exec(code, module.__dict__)
