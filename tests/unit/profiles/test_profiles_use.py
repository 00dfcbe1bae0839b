"""What the base of all profiles means to a person who has an environment already (PROF-70)."""

from __future__ import annotations

import pytest

from runner.launch.activation import Change
from runner.launch.environment import base_environment
from runner.profiles.use import make_relative

BEFORE = base_environment("ops", "/home/ops")


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/usr/bin:/bin", []),
        ("/bin", []),
        ("/opt/bin:/usr/bin:/bin", ["/opt/bin"]),
        ("/opt/bin:/bin:/opt/late", ["/opt/bin:/opt/late"]),
    ],
)
def test_a_path_of_the_base_comes_in_front_of_a_persons_own(path: str, wanted: list[str]) -> None:
    changes = make_relative(BEFORE, [Change("set", "PATH", path)])

    assert [(change.verb, change.value) for change in changes] == [("prepend", value) for value in wanted]


def test_what_the_base_says_as_every_job_has_it_is_no_change() -> None:
    changes = make_relative(BEFORE, [Change("set", "LANG", "C.UTF-8"), Change("set", "AREA", "/lustre")])

    assert [(change.verb, change.name, change.value) for change in changes] == [("set", "AREA", "/lustre")]
