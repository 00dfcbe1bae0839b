"""ARCH-12: no name that a server gives leads out of the destination."""

import pytest

from runner.archive.fetch.names import check_name
from runner.archive.fetch.source import Refused


@pytest.mark.parametrize(
    "name", ["a.fits", "night/a.fits", "a b.fits", "a:b.fits", "...", ".hidden", "Größe.fits", "a.parts", "x" * 250]
)
def test_a_name_of_words_between_slashes_is_kept_as_it_is(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "", "/", "/etc/passwd", "..", "../a", "a/../b", "a/..", ".", "./a", "a/./b", "a//b", "a/", "a\0b", "a\nb",
        "a\x1b[2J", "a\x7fb", "a\u202eb", "a\u2028b", "a\udce9b", "x" * 252, "x/" * 2000 + "x", "a.part", "a.part/b",
        ".manifest.jsonl", ".manifest.jsonl.tmp",
    ],
)  # fmt: skip
def test_any_other_name_is_refused_for_good(name: str) -> None:
    with pytest.raises(Refused) as caught:
        check_name(name)
    assert caught.value.is_permanent
    assert caught.value.reason.isprintable()
