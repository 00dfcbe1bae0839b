"""CAPO properties for Python programs: `CapoConfig` stands in for the class of pycapo 0.3.1 (CAPO-10 to CAPO-12).

::

    from runner.profiles.capo import CapoConfig

    config = CapoConfig(profile="dsoc-test")
    config["evla.casaHome"]
    config.settings("evla").casaHome
"""

from __future__ import annotations

import os

from runner.profiles.properties.files import (
    DEFAULT_PATH,
    add_own_directory,
    choose_path,
    choose_profile,
    is_profile_name,
    list_files,
)
from runner.profiles.properties.pycapo import Trouble, Unreadable
from runner.profiles.properties.source import Source
from runner.profiles.properties.values import Property, merge

_TRUE = frozenset({"1", "on", "yes", "true"})
_FALSE = frozenset({"0", "off", "no", "false"})


class CapoConfig:
    """The properties of one profile, each from the last directory of the search path that has it.

    Keys are in any case. `get` and all that is named after a type see a file that appeared, vanished or
    changed since; the rest tells of the state at the last `get`, as in pycapo.

    Parameters
    ----------
    profile
        Whose properties; by default CAPO_PROFILE.
    path
        Directories with colons between; by default CAPO_PATH. ``~/.capo`` always comes behind them.

    Attributes
    ----------
    profile
        The name of the profile.

    Raises
    ------
    ValueError
        If no profile is named, its name can be no profile's, or a file is not UTF-8.
    configparser.Error, OSError
        If a file cannot be read as pycapo reads it, or is a directory.
    """

    def __init__(self, *, profile: str | None = None, path: str | None = None) -> None:
        self.profile = choose_profile(profile, os.environ)
        if not self.profile:
            raise ValueError("no profile is named: give one, or set CAPO_PROFILE")
        if not is_profile_name(self.profile):
            raise ValueError(f'"{self.profile}" can be no profile\'s name')
        chosen = choose_path(path, os.environ)
        self._path = add_own_directory(DEFAULT_PATH if chosen is None else chosen)
        self._sources = [Source(file, os.environ) for file in list_files(self.profile, self._path)]
        self._found: dict[str, Property] = {}
        self._locations: dict[str, str] = {}
        self._update()

    def get(self, option: str) -> str:
        """Return the value of a key; KeyError if no file has it."""
        self._update()
        return self._found[option.upper()].value

    def getstring(self, option: str) -> str:
        """Return the value of a key; KeyError if no file has it."""
        return self.get(option)

    def __getitem__(self, option: str) -> str:
        """Return the value of a key; KeyError if no file has it."""
        return self.get(option)

    def getint(self, option: str) -> int:
        """Return a value as a whole number; ValueError if it is none."""
        return int(self.get(option))

    def getfloat(self, option: str) -> float:
        """Return a value as a number; ValueError if it is none."""
        return float(self.get(option))

    def getboolean(self, option: str) -> bool:
        """Return whether a value is one of ``1 on yes true``, not of ``0 off no false``; ValueError for any other."""
        value = self.get(option).lower()
        if value not in _TRUE | _FALSE:
            raise ValueError(f"{option} is neither true nor false")  # without the value, which may be a secret
        return value in _TRUE

    def getoptions(self) -> dict[str, str]:
        """Return upper-case key to value, of all keys."""
        return {key: one.value for key, one in self._found.items()}

    def getlocations(self) -> dict[str, str]:
        """Return upper-case key to the file that it is from; keys that have vanished since stay."""
        return dict(self._locations)

    def has_option(self, option: str) -> bool:
        """Whether a file has the key."""
        return option.upper() in self._found

    def get_location(self, option: str) -> str:
        """Return the file that a key is from; KeyError if no file ever had it."""
        return self._locations[option.upper()]

    def getpath(self) -> str:
        """Return the search path, with ``~/.capo`` at its end."""
        return self._path

    def settings(self, prefix: str) -> Settings:
        """Return the keys below ``prefix.`` as attributes and items."""
        return Settings(self, prefix)

    def _update(self) -> None:
        try:
            readings = [source.read() for source in self._sources]
        except Unreadable as error:
            raise _translate(error) from None
        self._found = merge(one for reading in readings for one in reading.properties)
        self._locations.update({key: one.file for key, one in self._found.items()})


class Settings:
    """The keys of a configuration below a prefix: ``settings.casaHome`` or ``settings["casaHome"]``."""

    def __init__(self, config: CapoConfig, prefix: str) -> None:
        self._config = config
        self._prefix = prefix

    def __getattr__(self, name: str) -> str:
        return self[name]

    def __getitem__(self, name: str) -> str:
        return self._config[f"{self._prefix}.{name}"]

    def __dir__(self) -> list[str]:
        # pycapo compares without the dot, so that "edu.x" tells of "edu.xyz" too.
        keys = [key for key in self._config.getoptions() if key.startswith(self._prefix.upper())]
        names = [key[len(self._prefix) + 1 :] for key in keys]
        return [name.lower() for name in names if "." not in name]


def _translate(error: Unreadable) -> Exception:
    """Return the exception that a program written for pycapo may catch, with our words in it."""
    if error.trouble is Trouble.ENVIRONMENT:
        import re

        return re.error(str(error))
    import configparser

    kind = getattr(configparser, error.trouble.value)
    found: configparser.Error = kind.__new__(kind)
    configparser.Error.__init__(found, str(error))
    return found
