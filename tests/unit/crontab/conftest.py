from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_crontab import FakeCronFile, FakeCrontab, make_cron_d, make_fake_crontab
from missing import give_up

from runner.launch.slot import use_zone


@pytest.fixture
def fake(tmp_path: Path) -> FakeCrontab:
    return make_fake_crontab(tmp_path / "bin")


@pytest.fixture
def cron_d(tmp_path: Path) -> FakeCronFile:
    """Another directory in the place of /etc/cron.d, which only root may write to."""
    return make_cron_d(tmp_path)


@pytest.fixture(scope="session")
def debian_crontab() -> str:
    """The real ``crontab`` of Debian."""
    return shutil.which("crontab") or give_up("crontab (package cron)")


@pytest.fixture(autouse=True)
def new_york() -> Iterator[None]:
    """Slots in the zone of the target."""
    use_zone("America/New_York")
    yield
    use_zone(None)
