"""Which site of the settings a host is at (PROF-14)."""

from __future__ import annotations

from runner.errors import UserError
from runner.home.settings import Settings
from runner.launch.hosts import find_sites


def find_site(settings: Settings, host: str) -> str:
    """Return the site that has the host, by its full or short name; empty if none has.

    Raises UserError if several have.
    """
    found = find_sites([(name, site.hosts) for name, site in settings.sites], host)
    if len(found) > 1:
        raise UserError(f"host {host} is at the sites {' and '.join(found)} of envs/site.yaml; a host has one")
    return found[0] if found else ""


def may_be_at(settings: Settings, site: str, here: str) -> bool:
    """Whether what belongs to `site` can be on a host that is at the site `here` (PROF-81).

    Of no site, and of one that declares no hosts, nobody knows where it is.
    """
    declared = dict(settings.sites).get(site)
    return not (declared and declared.hosts) or site == here
