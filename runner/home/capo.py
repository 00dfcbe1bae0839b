"""Where property files are, and which of their directories are replicas: ``capo`` of the settings (CAPO-2, PROF-90)."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection
from dataclasses import dataclass

from runner.document.faults import Faults, Wrong
from runner.document.fields import duration, list_of, map_of, scalar, word
from runner.document.keys import declare
from runner.document.tree import Node


def _directory(value: str) -> str:
    if not value.startswith("/") or posixpath.normpath(value) != value or value == "/":
        raise Wrong(
            f'"{value}" is no directory of a replica', "write its whole path, without . and .. and no / at its end"
        )
    return value


def _origin(value: str) -> str:
    host, colon, path = value.rpartition(":")
    # A path that begins with / is never a module of an rsync daemon (HOST::MODULE), nor is a host an option.
    if not path.startswith("/") or (colon and not re.fullmatch(r"(\w[\w.-]*@)?[A-Za-z0-9][A-Za-z0-9.-]*", host)):
        raise Wrong(f'"{value}" is no place to pull from', "write /DIRECTORY, or HOST:/DIRECTORY")
    return value


@dataclass(frozen=True, slots=True)
class Capo:
    """Where properties are looked for (CAPO-2), and which of the directories are replicas (PROF-90).

    Attributes
    ----------
    mirror
        Directory of a replica, and the directory or ``HOST:DIRECTORY`` that it is a copy of.
    master
        The site where these are edited.
    max_age_s
        How old the last good pull may be.
    """

    path: tuple[str, ...] = declare(list_of(scalar(word)), "directories", '["{home}/envs/capo"]')
    mirror: tuple[tuple[str, str], ...] = declare(map_of(_directory, scalar(_origin)), "replica: its origin", "{}")
    master: str = declare(scalar(word), "the site where the originals are", "")
    max_age_s: float = declare(scalar(duration), "how old a replica may be", "26h", name="max_age")


def check_mirror(node: Node, capo: Capo, master_hosts: Collection[str], faults: Faults) -> None:
    """Record a mirror whose master nobody could tell from a replica; `master_hosts` are those of its site."""
    if capo.mirror and not master_hosts:
        hint = "name in capo.master one of sites, which has hosts: nothing is pulled there"
        faults.error(node, "capo.mirror needs to know at which hosts the originals are", hint)
