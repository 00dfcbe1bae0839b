"""One ``key value`` a line: what goes in comes out, whatever bytes it is, and a torn line does not count."""

from hypothesis import given
from hypothesis import strategies as st

from runner.launch import lines

# Text as the system gives it: UTF-8 where it is, a lone surrogate for each other byte.
texts = st.binary(max_size=60).map(lambda data: data.decode("utf-8", "surrogateescape"))
keys = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=12)


@given(st.lists(st.tuples(keys, texts)))
def test_what_was_encoded_is_decoded(pairs: list[tuple[str, str]]) -> None:
    assert lines.decode(lines.encode(pairs)) == pairs


@given(st.lists(st.tuples(keys, texts)))
def test_every_pair_has_a_line_of_its_own(pairs: list[tuple[str, str]]) -> None:
    assert lines.encode(pairs).count(b"\n") == len(pairs)
    assert b"\r" not in lines.encode(pairs)


@given(st.lists(st.tuples(keys, texts), min_size=1), st.data())
def test_a_file_torn_anywhere_gives_the_lines_before_the_tear(
    pairs: list[tuple[str, str]], data: st.DataObject
) -> None:
    whole = lines.encode(pairs)
    torn = whole[: data.draw(st.integers(0, len(whole) - 1))]
    assert lines.decode(torn) == pairs[: torn.count(b"\n")]


@given(st.binary())
def test_any_bytes_decode_to_something(data: bytes) -> None:
    assert len(lines.decode(data)) == data.count(b"\n")


def test_a_value_is_everything_after_the_first_blank() -> None:
    assert lines.decode(b"reason  two blanks before, one after \n") == [("reason", " two blanks before, one after ")]


def test_a_line_without_a_blank_is_a_key_without_a_value() -> None:
    assert lines.decode(b"since\n") == [("since", "")]


def test_a_backslash_before_an_n_is_no_newline() -> None:
    assert lines.encode([("word", "\\n"), ("word", "\n")]) == b"word \\\\n\nword \\n\n"


def test_of_a_repeated_key_the_last_value_counts_in_a_dict() -> None:
    assert lines.decode_dict(b"pid 1\nhost a\npid 2\n") == {"pid": "2", "host": "a"}
