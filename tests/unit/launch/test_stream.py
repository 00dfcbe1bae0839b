"""RUN-27, RUN-28, ALERT-3: when bytes go to the log, what is kept for the mail, and which lines count."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.launch.stream import Stream

_chunks = st.lists(st.binary(min_size=1, max_size=40).map(lambda data: data.replace(b"a", b"\n")), max_size=30)


def _make(allowed: list[str] | None = None) -> Stream:
    stream = Stream(8, 16)
    stream.count_lines(allowed or [])
    return stream


def _feed(stream: Stream, *chunks: bytes) -> bytes:
    return b"".join([*[piece for chunk in chunks for piece in stream.feed(chunk, 0.0)], stream.finish()])


@given(_chunks)
def test_every_byte_goes_to_the_log_in_order(chunks: list[bytes]) -> None:
    assert _feed(_make(), *chunks) == b"".join(chunks)


@given(_chunks)
def test_the_ends_are_kept(chunks: list[bytes]) -> None:
    stream, text = _make(), b"".join(chunks)
    _feed(stream, *chunks)

    assert (stream.size, stream.head) == (len(text), text[:8])
    assert stream.tail == text[max(8, len(text) - 16) :]


@given(_chunks)
def test_lines_are_counted_however_they_are_cut_into_chunks(chunks: list[bytes]) -> None:
    stream, text = _make(), b"".join(chunks)
    _feed(stream, *chunks)

    lines = text.split(b"\n")[:-1] + ([text.rpartition(b"\n")[2]] if text and not text.endswith(b"\n") else [])
    assert stream.lines == len(lines)
    assert stream.unexpected == (len(lines) if text.strip() else 0)


@given(_chunks)
def test_lines_that_are_not_allowed_are_counted_without_the_blank_ones(chunks: list[bytes]) -> None:
    stream = _make(["^no such line$"])
    _feed(stream, *chunks)

    lines = b"".join(chunks).split(b"\n")
    assert stream.unexpected == len([line for line in lines if line.strip()])


@given(_chunks, st.lists(st.floats(0, 3), max_size=30))
def test_what_goes_to_the_log_are_whole_lines_unless_their_end_is_late(chunks: list[bytes], steps: list[float]) -> None:
    stream, now = _make(), 0.0
    for chunk, step in zip(chunks, steps, strict=False):
        now += step
        ready = stream.flush() if stream.is_due(now) else b""
        assert ready or not (bool(stream.pending) and stream.is_due(now))
        ready = b"".join(stream.feed(chunk, now))
        assert ready == b"" or ready.endswith(b"\n")


def test_an_unfinished_line_waits_a_second() -> None:
    stream = _make()
    assert stream.feed(b"one\ntw", 10.0) == [b"one\n"]

    assert (stream.is_due(10.9), stream.is_due(11.0)) == (False, True)
    assert (stream.flush(), bool(stream.pending)) == (b"tw", False)


def test_the_second_counts_from_the_beginning_of_the_line() -> None:
    stream = _make()
    stream.feed(b"a", 10.0)
    stream.feed(b"b", 10.9)

    assert stream.is_due(11.0)


def test_an_unfinished_line_of_64_kib_does_not_wait() -> None:
    stream = _make()
    assert stream.feed(b"x" * 65535, 0.0) == []

    assert stream.feed(b"x", 0.0) == [b"x" * 65536]


def test_a_line_of_any_length_takes_bounded_memory() -> None:
    stream = _make()
    for _ in range(200):
        stream.feed(b"x" * 65536, 0.0)
    stream.feed(b"\n", 0.0)
    stream.finish()

    kept = [value for value in (getattr(stream, name) for name in Stream.__slots__) if isinstance(value, bytes)]
    assert sum(map(len, kept)) <= 65536 + 24
    assert (stream.lines, stream.unexpected) == (1, 1)


@pytest.mark.parametrize(
    ("allowed", "text", "unexpected"),
    [
        ([], b"a\nb\n", 2),
        ([], b"\n  \n\t\r\n", 0),
        ([], b"a\n\nb\n", 3),
        (["x"], b"a\n\nb\n", 2),
        (["^DeprecationWarning"], b"DeprecationWarning: x\n", 0),
        (["^DeprecationWarning"], b"DeprecationWarning: x\ndisk 91 %\n", 1),
        (["Warning$"], b"a Warning\nWarning: b\n", 1),
        (["a", "b"], b"xax\nxbx\nxcx\n", 1),
        (["(?i)warn", r"(x)\1"], b"WARN\nxx\nxy\n", 1),
        (["größe"], "größe 3\n".encode(), 0),
        ([r"\\xff"], b"\xff\n", 0),
        ([r"^\S+$"], b"no\r\nhas blank\r\n", 1),
    ],
)
def test_lines_that_an_expression_allows_do_not_count(allowed: list[str], text: bytes, unexpected: int) -> None:
    stream = _make(allowed)
    _feed(stream, text)

    assert stream.unexpected == unexpected


def test_a_line_is_judged_whole_though_its_first_half_was_shown() -> None:
    stream = _make(["^DeprecationWarning"])
    stream.feed(b"Deprecation", 0.0)
    assert stream.flush() == b"Deprecation"

    _feed(stream, b"Warning: x\n")

    assert (stream.lines, stream.unexpected) == (1, 0)


def test_nothing_is_counted_where_nobody_asked() -> None:
    stream = Stream(0, 16)
    _feed(stream, b"a\nb\n")

    assert (stream.lines, stream.unexpected, stream.head) == (0, 0, b"")


@pytest.mark.parametrize(("chunks", "inside"), [([], False), ([b"a"], True), ([b"a\n"], False), ([b"a\nb"], True)])
def test_a_stream_knows_whether_its_last_line_has_ended(chunks: list[bytes], inside: bool) -> None:
    stream = _make()
    for chunk in chunks:
        stream.feed(chunk, 0.0)
    stream.flush()

    assert stream.is_inside_line() == inside


def test_a_carriage_return_stays_as_it_came() -> None:
    """RUN-30: progress bars are raw in the log."""
    bars = [b"10%\r", b"20%\r", b"100%\n"]

    assert _feed(_make(), *bars) == b"".join(bars)
