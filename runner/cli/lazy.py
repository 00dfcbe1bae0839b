"""Commands whose modules are imported when they are called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module

import click


class LazyCommands(Mapping[str, click.Command]):
    """Name to command: ``NAME_command`` of a module of ``runner.cli``, imported when it is asked for.

    Parameters
    ----------
    modules
        Name to module.
    """

    def __init__(self, modules: Mapping[str, str]) -> None:
        self._modules = modules

    def __getitem__(self, name: str) -> click.Command:
        module = import_module(f"runner.cli.{self._modules[name]}")
        return getattr(module, f"{name}_command")  # type: ignore[no-any-return]

    def __contains__(self, name: object) -> bool:
        return name in self._modules

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)
