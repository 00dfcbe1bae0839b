"""Text becomes durations, sizes, addresses and the like, or a message that says how to write them."""

from pathlib import Path

import pytest

from runner.document.faults import Wrong
from runner.document.fields import (
    address,
    boolean,
    choice,
    duration,
    duration_or_none,
    duration_or_zero,
    host_pattern,
    pattern,
    size,
    umask,
    variable,
    whole,
)
from runner.document.zones import zone


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("30m", 1800), ("6h", 21600), ("14d", 1209600), ("45", 45)])
def test_durations_are_seconds(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "h", "1.5h", "-1s", "5 m", "1w", "1h30m", "4000d", "0", "0s", "٣s"])
def test_other_durations_are_wrong(text: str) -> None:
    with pytest.raises(Wrong):
        duration(text)


def test_no_timeout_is_written_none_and_never_zero() -> None:
    """RUN-32."""
    assert duration_or_none("none") == 0
    with pytest.raises(Wrong, match="no time at all") as caught:
        duration_or_none("0")
    assert "none for no limit" in caught.value.hint


def test_a_grace_may_be_zero() -> None:
    assert duration_or_zero("0s") == 0


@pytest.mark.parametrize(("text", "count"), [("512", 512), ("500K", 512000), ("50M", 50 << 20), ("2G", 2 << 30)])
def test_sizes_are_bytes_in_powers_of_1024(text: str, count: int) -> None:
    assert size(text) == count


@pytest.mark.parametrize("text", ["", "0", "0M", "50m", "50MB", "1.5G", "-1K"])
def test_other_sizes_are_wrong(text: str) -> None:
    with pytest.raises(Wrong):
        size(text)


@pytest.mark.parametrize("text", ["root", "ql-team@example.org", "a.b+c@x-y.org", "x!y"])
def test_addresses_that_cron_takes(text: str) -> None:
    assert address(text) == text


@pytest.mark.parametrize("text", ["-oQ/x", "a@b;id", "a@b@c", "", "a b@c", "<a@b>", "a@b,c@d", "ü@b", "a@b\n"])
def test_addresses_that_cron_would_drop_the_output_for(text: str) -> None:
    """ALERT-6, SEC-11."""
    with pytest.raises(Wrong):
        address(text)


def test_truth_is_written_in_yamls_words() -> None:
    assert [boolean(text) for text in ("true", "False", "on", "no")] == [True, False, True, False]
    with pytest.raises(Wrong, match='"maybe" is neither true nor false'):
        boolean("maybe")


def test_a_choice_names_the_nearest_and_all() -> None:
    with pytest.raises(Wrong) as caught:
        choice("report", "kill", "allow")("alow")
    assert caught.value.hint == 'did you mean "allow"? (one of report, kill, allow)'


def test_a_umask_is_octal() -> None:
    assert umask("027") == 0o027
    assert umask("0077") == 0o077
    for text in ("27", "089", "1027", ""):
        with pytest.raises(Wrong):
            umask(text)


def test_expressions_are_compiled_to_see_whether_they_are_right() -> None:
    assert pattern("^DeprecationWarning") == "^DeprecationWarning"
    for text, why in (("(", "missing"), ("a{99999999999}", "the repetition number"), ("[[a]", "Possible nested set")):
        with pytest.raises(Wrong, match=f"not a regular expression: {why}"):
            pattern(text)


def test_names_of_hosts_and_variables() -> None:
    assert host_pattern("ops*.example.org") == "ops*.example.org"
    assert variable("_A1") == "_A1"
    for convert, text in ((host_pattern, "a b"), (host_pattern, ""), (variable, "1A"), (variable, "A-B")):
        with pytest.raises(Wrong):
            convert(text)


@pytest.mark.parametrize("text", ["0", "101", "x", "1.0", ""])
def test_whole_numbers_have_bounds(text: str) -> None:
    assert whole(1, 100)("7") == 7
    with pytest.raises(Wrong, match="from 1 to 100"):
        whole(1, 100)(text)


@pytest.fixture
def zones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with two zones."""
    for name in ("America/Denver", "Europe/Paris", "right/Europe/Paris"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"TZif2")
    (tmp_path / "zone.tab").write_text("# no zone")
    monkeypatch.setenv("TZDIR", str(tmp_path))


@pytest.mark.usefixtures("zones")
def test_a_zone_is_what_libc_finds() -> None:
    assert zone("America/Denver") == "America/Denver"
    assert zone("UTC") == "UTC"
    for text in ("", "zone.tab", "../etc", "/America/Denver", "America"):
        with pytest.raises(Wrong):
            zone(text)


@pytest.mark.usefixtures("zones")
@pytest.mark.parametrize("text", ["america/denver", "Denver", "America/Dnever", "US/Denver"])
def test_an_unknown_zone_is_told_the_near_one(text: str) -> None:
    """CRON-39."""
    with pytest.raises(Wrong) as caught:
        zone(text)
    assert caught.value.hint == 'did you mean "America/Denver"?'
