"""Loads the linked modules: what the import system finds one by one stands in one file (see ``home/machine.py``)."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType


def load_extensions(files: list[tuple[str, str]]) -> None:
    """Make modules of (name, file) without the search that an import is; one that has moved is left to that."""
    import _imp

    for name, file in files:
        spec = type(sys.__spec__)(name, None, origin=file)
        try:
            module = _imp.create_dynamic(spec)
        except ImportError:
            continue
        module.__spec__ = spec
        sys.modules[name] = module
        _imp.exec_dynamic(module)


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
