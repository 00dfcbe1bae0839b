"""Damaged registries, crontabs, property files, journals and small files: never a traceback."""

import pytest
from fuzz import KINDS, SEED, count_inputs, play
from fuzz_kind import Kind

# A twentieth of what `deploy/bench --long` plays.
_INPUTS = 5_000


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_each_damaged_file_is_read_or_refused_in_words(kind: Kind) -> None:
    failures = play(kind, SEED, range(count_inputs(kind, _INPUTS)))

    assert "\n\n".join(map(str, failures)) == ""


def test_no_share_of_the_inputs_is_forgotten() -> None:
    assert sum(kind.share for kind in KINDS) == 100
