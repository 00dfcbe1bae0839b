"""`CapoConfig` beyond the recorded cases: what it sees of files that change, what it refuses (CAPO-10 to CAPO-14)."""

from __future__ import annotations

import configparser
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from capo import Place

from runner.profiles.capo import CapoConfig


def touch(path: Path, text: str, seconds: int) -> None:
    """Write a file as rsync does: under another name, with a time of its own, then renamed."""
    new = path.with_suffix(".new")
    new.write_text(text)
    os.utime(new, (seconds, seconds))
    new.rename(path)


@pytest.fixture
def config(place: Place) -> CapoConfig:
    place.write({"a/test.properties": "k=old\n", "b/test.properties": "l=1\n"})
    return CapoConfig(profile="test", path="a:b")


CHANGES: dict[str, Callable[[Path], object]] = {
    "an older time": lambda path: touch(path, "k=new\n", 1_000_000_000),
    "a newer time": lambda path: touch(path, "k=new\n", 4_000_000_000),
    "the same time": lambda path: touch(path, "k=new\n", int(path.stat().st_mtime)),
    "in place, its time set back": lambda path: (
        (time := path.stat().st_mtime_ns) and path.write_text("k=new\n") and os.utime(path, ns=(time, time))
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_changed_is_seen_at_the_next_get(config: CapoConfig, change: str) -> None:
    """CAPO-12."""
    assert config["k"] == "old"
    CHANGES[change](Path("a/test.properties"))
    assert config["k"] == "new"


def test_a_file_that_appears_or_vanishes_is_seen_at_the_next_get(config: CapoConfig) -> None:
    """CAPO-12."""
    Path("home/.capo").mkdir()
    Path("home/.capo/test.properties").write_text("k=mine\n")
    assert config["k"] == "mine"
    Path("home/.capo/test.properties").unlink()
    Path("b/test.properties").unlink()
    assert config["k"] == "old"
    with pytest.raises(KeyError):
        config.get("l")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("word\n", configparser.ParsingError),
        ("a=1\na=2\n", configparser.DuplicateOptionError),
        ("[s]\n[s]\n", configparser.DuplicateSectionError),
        ("k=${env:FOO}\n", re.error),
        (b"k=caf\xe9\n", UnicodeDecodeError),
    ],
)
def test_what_a_program_may_catch_is_what_pycapo_raised(place: Place, text: str | bytes, error: type) -> None:
    place.setenv("FOO", "a\\q")
    place.write({"a/test.properties": text})
    with pytest.raises(error, match=r"a/test\.properties:\d: "):
        CapoConfig(profile="test", path="a")


def test_a_file_that_becomes_bad_is_told_at_each_get_until_it_is_good_again(config: CapoConfig) -> None:
    for _ in range(2):
        Path("a/test.properties").write_text("word\n")
        with pytest.raises(configparser.ParsingError):
            config.get("k")
    Path("a/test.properties").write_text("k=good\n")
    assert config["k"] == "good"


def test_a_pipe_in_place_of_the_file_holds_nobody_up(place: Place) -> None:
    Path("a").mkdir()
    os.mkfifo("a/test.properties")
    with pytest.raises(OSError, match="not a plain file"):
        CapoConfig(profile="test", path="a")


@pytest.mark.parametrize("name", ["../other/x", "/x", "a/b", ".hidden", "-x", "a" * 65, "a\nb", "é"])
def test_a_name_that_can_be_no_profiles_opens_no_file(place: Place, name: str) -> None:
    """CAPO-14."""
    place.write({"other/x.properties": "k=1\n"})
    with pytest.raises(ValueError, match="can be no profile's name"):
        CapoConfig(profile=name, path="a")


def test_without_a_profile_there_is_no_configuration(place: Place) -> None:
    """CAPO-10, CAPO-14: set but empty is not set."""
    place.setenv("CAPO_PROFILE", "")
    with pytest.raises(ValueError, match="no profile"):
        CapoConfig(path="a")


def test_a_bad_conversion_does_not_tell_the_value(place: Place) -> None:
    """CAPO-10, CAPO-36."""
    place.write({"a/test.properties": "db.pass=CANARY\n"})
    with pytest.raises(ValueError, match=r"^db\.pass is neither true nor false$"):
        CapoConfig(profile="test", path="a").getboolean("db.pass")


def test_a_program_that_asks_for_properties_needs_no_command_line() -> None:
    script = "import sys; from runner.profiles.capo import CapoConfig; print({'click', 'yaml'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
