"""Loads the linked modules: what the import system finds one by one stands in one file (see ``home/machine.py``)."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType


def load_extensions(found: list[tuple[str, str]]) -> None:
    """Make modules of (name, file, or empty if it is built in) without the search that an import is.

    One that is elsewhere by now is left to that.
    """
    import _imp
    import posix

    sys.setdlopenflags(posix.RTLD_LAZY)  # a run calls few of the functions that a module needs to be found
    for name, file in found:
        spec = type(sys.__spec__)(name, None, origin=file or "built-in")
        try:
            module = (_imp.create_dynamic if file else _imp.create_builtin)(spec)
        except ImportError:
            continue
        if module:
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
