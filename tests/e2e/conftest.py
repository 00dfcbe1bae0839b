from collections.abc import Iterator

import pytest
from cronlab import CronLab


@pytest.fixture
def cron_lab() -> Iterator[CronLab]:
    """Debian's cron, running, with no table; everything that it started is gone afterwards (CRON-80)."""
    lab = CronLab()
    try:
        lab.start()
        yield lab
    finally:
        lab.stop()
