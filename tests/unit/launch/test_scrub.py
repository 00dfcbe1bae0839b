"""SEC-9: what is hidden in the stream of a run, however it is cut into chunks; PROF-64: what is named like a secret."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.launch.scrub import Scrubber, is_secret, scrub_text
from runner.launch.values import list_forms

SECRET = "tr0ub4dor&3"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N"
_PIECES = [
    SECRET, SECRET[:5], "tr0ub4dor%263", JWT, JWT[:30], "AKIAIOSFODNN7EXAMPLE", "AKIAIOSF", "password", "Token",
    "api_key", "=", ":", "://", "@", "/", "\\", '"', "'", " ", "\n", "\r", "&", "ana", "x", "eyJ", "A", "-", ".",
]  # fmt: skip
_texts = st.lists(st.sampled_from(_PIECES) | st.text(max_size=3), max_size=25).map("".join)


def _scrub(text: str, cuts: list[int], *secrets: str) -> str:
    """Return what is shown of a text that comes in chunks, which end at `cuts`."""
    data = text.encode()
    places = sorted({cut % (len(data) + 1) for cut in cuts})
    scrubber = Scrubber(list_forms(secrets))
    shown = [scrubber.feed(data[a:b]) for a, b in zip([0, *places], [*places, len(data)], strict=True)]
    return b"".join([*shown, scrubber.feed(b"", is_last=True)]).decode()


@given(_texts, st.lists(st.integers(0, 1 << 16), max_size=8))
def test_how_a_text_is_cut_into_chunks_makes_no_difference(text: str, cuts: list[int]) -> None:
    assert _scrub(text, cuts, SECRET) == _scrub(text, [], SECRET)
    assert _scrub(text, cuts) == _scrub(text, [])


@given(_texts, st.lists(st.integers(0, 1 << 16), max_size=8))
def test_a_loaded_secret_is_in_no_text(text: str, cuts: list[int]) -> None:
    assert SECRET not in _scrub(text, cuts, SECRET)


@given(_texts)
def test_what_was_scrubbed_once_stays_as_it_is(text: str) -> None:
    once = scrub_text(text)

    assert scrub_text(once) == once


@pytest.mark.parametrize("text", [f"a {SECRET} b", f"x=ftp://ana:{SECRET}@host", f"token: {SECRET}\n", f"{JWT}\n"])
def test_a_text_that_is_split_at_any_two_places_is_hidden_as_when_whole(text: str) -> None:
    whole = _scrub(text, [], SECRET)

    assert "[secret]" in whole
    for first in range(len(text) + 1):
        assert {_scrub(text, [first, second], SECRET) for second in range(first, len(text) + 1)} == {whole}


@pytest.mark.parametrize("size", [65536 - 5, 65536, 3 * 65536 + 7])
def test_a_secret_at_the_border_of_large_chunks_is_hidden(size: int) -> None:
    text = "x" * size + SECRET + " password=hunter2 " + "y" * size

    shown = _scrub(text, list(range(65536, len(text), 65536)), SECRET)

    assert shown == text.replace(SECRET, "[secret]").replace("hunter2", "[secret]")


@pytest.mark.parametrize(
    "text", ["10 %\r", "10 %", "Downloading... ", "token", "waiting for a password=", "at 12:00 ="]
)
def test_a_progress_bar_is_shown_at_once(text: str) -> None:
    assert Scrubber(list_forms([SECRET])).feed(text.encode()) == text.encode()


@pytest.mark.parametrize(
    ("text", "shown"), [(f"10 % {SECRET[:6]}", "10 % "), ("ftp://ana:pw", "ftp://ana:"), ("AKIAIOSF", "AKIA")]
)
def test_what_may_be_the_first_part_of_a_secret_waits_until_it_is_decided(text: str, shown: str) -> None:
    scrubber = Scrubber(list_forms([SECRET]))

    assert (scrubber.feed(text.encode()), scrubber.is_holding) == (shown.encode(), True)
    assert (scrubber.feed(b" and no more"), scrubber.is_holding) == (
        f"{text[len(shown) :]} and no more".encode(),
        False,
    )


@pytest.mark.parametrize(("given", "shown"), [(SECRET[:7], SECRET[:7]), (SECRET[:8], "[secret]")])
def test_at_the_end_the_first_part_of_a_secret_is_shown_unless_it_is_as_long_as_a_secret(
    given: str, shown: str
) -> None:
    assert scrub_text(f"x {given}", list_forms([SECRET])) == f"x {shown}"


def test_a_value_without_end_is_hidden_to_its_end() -> None:
    scrubber = Scrubber()

    shown = [scrubber.feed(chunk) for chunk in [b"password=", *[b"x" * 65536] * 100, b" end"]]

    assert b"".join(shown) == b"password=[secret] end"


@pytest.mark.parametrize(
    "data", [b"ftp://ana:" + b"x" * 65536, b"eyJ" + b"x" * 65536, b"AKIA" * 20_000, b"abcdefg" * 99]
)
def test_what_waits_is_little(data: bytes) -> None:
    scrubber = Scrubber(list_forms(["abcdefg" * 100]))

    assert len(scrubber.feed(data)) >= len(data) - 1024
    assert len(scrubber.feed(data)) >= len(data) - 1024


@pytest.mark.parametrize("chunk", [None, "text", 7])
def test_if_the_scrubber_fails_nothing_more_is_shown(chunk: object) -> None:
    scrubber = Scrubber()

    assert scrubber.feed(chunk) == b"[withheld: TypeError in the scrubber; nothing more of this is shown]\n"  # type: ignore[arg-type]
    assert scrubber.feed(b"more", is_last=True) == b""


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=4))
def test_any_bytes_pass_that_are_no_secret(data: bytes, cuts: list[int]) -> None:
    scrubber = Scrubber(list_forms([SECRET]))

    shown = b"".join([scrubber.feed(data[:5]), scrubber.feed(data[5:]), scrubber.feed(b"", is_last=True)])

    assert shown == data or b"[secret]" in shown


@pytest.mark.parametrize("text", ["", "exit 3", "größe 3: ok", "caf\udce9", "\ud800", "a\nb\x00"])
def test_a_text_without_secrets_stays_as_it_is(text: str) -> None:
    assert scrub_text(text) in (text, text.encode("utf-8", "backslashreplace").decode())


@pytest.mark.parametrize(
    "name",
    [
        "PGPASSWORD",
        "db_pass",
        "MySecret",
        "GH_TOKEN",
        "aws_credentials",
        "API_KEY",
        "SSH_PRIVATE_KEY_FILE",
        "access_key",
    ],
)
def test_a_name_with_one_of_the_words_in_any_case_is_a_secrets(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize("name", ["", "PATH", "KEY", "API", "PUBLIC_KEY", "apikey"])
def test_other_names_are_not(name: str) -> None:
    assert not is_secret(name)
