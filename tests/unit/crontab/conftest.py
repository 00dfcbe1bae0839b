from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_crontab import FAKE_CRONTAB, FakeCrontab
from missing import give_up

from runner.launch.slot import use_zone


@pytest.fixture
def fake(tmp_path: Path) -> FakeCrontab:
    fake = FakeCrontab(tmp_path / "bin")
    fake.directory.mkdir()
    fake.replace(FAKE_CRONTAB)
    return fake


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
