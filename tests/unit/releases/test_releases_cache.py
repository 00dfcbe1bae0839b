"""The repository that is fetched into."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from remotes import SITE, make_remote

from runner.releases.cache import Cache

NOBODY = 65534


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give files away")
def test_a_remote_of_another_account_of_this_host_is_fetched_from(tmp_path: Path) -> None:
    """Git alone would refuse it as of dubious ownership."""
    remote = make_remote(tmp_path, SITE.format(state="/srv/ql/state"))
    for path in (remote.bare, *remote.bare.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    cache = Cache(tmp_path / "cache.git")
    cache.prepare(remote.url, "main")
    cache.fetch()
    assert cache.find_head(tagged=False) == remote.git("rev-parse", "HEAD")
