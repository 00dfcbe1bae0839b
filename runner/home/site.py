"""Which site of the settings a host is at (PROF-14)."""

from __future__ import annotations

from runner.errors import UserError
from runner.home.settings import Settings
from runner.launch.hosts import matches_host


def find_site(settings: Settings, host: str) -> str:
    """Return the site that has the host, by its full or short name; empty if none has.

    Raises UserError if several have.
    """
    found = [name for name, site in settings.sites if matches_host(site.hosts, host)]
    if len(found) > 1:
        raise UserError(f"envs/site.yaml: host {host} is at the sites {' and '.join(found)}; a host has one")
    return found[0] if found else ""
