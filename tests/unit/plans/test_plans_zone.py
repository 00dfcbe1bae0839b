"""Whether two names of a zone mean the same local time."""

import pytest

from runner.document.zones import zone
from runner.plans.zone import is_same_zone, read_host_zone


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("UTC", "Etc/UTC", True),
        ("UTC", "Zulu", True),
        ("US/Eastern", "America/New_York", True),
        ("America/New_York", "America/New_York", True),
        ("America/New_York", "America/Chicago", False),
        ("UTC", "Europe/London", False),
    ],
)
def test_two_names_of_one_zone_are_the_same(one: str, other: str, *, same: bool) -> None:
    assert is_same_zone(one, other) is same
    assert is_same_zone(other, one) is same


def test_the_zone_of_this_host_is_one_that_a_target_can_name() -> None:
    assert zone(read_host_zone()) == read_host_zone()
