"""Entering and leaving a profile in an environment that is there (PROF-71 to PROF-73, PROF-76)."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.errors import UserError
from runner.launch.activation import Change
from runner.profiles.undo import UNDO, enter, leave

NONE = frozenset[str]()
NAMES = st.sampled_from(["PATH", "MANPATH", "LD_LIBRARY_PATH", "PLAIN", "OTHER"])
VALUES = st.text("ab: ,%+'!\n\\\udce9é", max_size=8)
ENVIRONMENTS = st.dictionaries(NAMES, VALUES)
VERBS = st.sampled_from(["set", "unset", "prepend", "append"])
CHANGES = st.lists(st.builds(Change, VERBS, NAMES, VALUES), max_size=8)


def prepend(value: str, name: str = "PATH") -> Change:
    return Change("prepend", name, value)


@settings(max_examples=400)
@given(ENVIRONMENTS, CHANGES)
def test_leaving_gives_back_what_was_there(environment: dict[str, str], changes: list[Change]) -> None:
    """PROF-71."""
    entered = enter(environment, changes, "one", NONE).environment

    assert leave(entered).environment == environment
    assert leave(entered).kept == ()


@settings(max_examples=400)
@given(ENVIRONMENTS, CHANGES)
def test_entering_twice_is_entering_once(environment: dict[str, str], changes: list[Change]) -> None:
    """PROF-71."""
    once = enter(environment, changes, "one", NONE).environment

    assert enter(once, changes, "one", NONE).environment == once


@settings(max_examples=400)
@given(ENVIRONMENTS, CHANGES, CHANGES)
def test_a_second_profile_is_as_alone(environment: dict[str, str], one: list[Change], two: list[Change]) -> None:
    """PROF-71."""
    after_another = enter(enter(environment, one, "one", NONE).environment, two, "two", NONE)

    assert after_another.environment == enter(environment, two, "two", NONE).environment


def test_what_was_never_entered_is_left_as_it_is() -> None:
    assert leave({"PATH": "/bin"}).environment == {"PATH": "/bin"}


@pytest.mark.parametrize("mine", ["vim", "", None])
def test_a_variable_changed_since_is_kept_and_named(mine: str | None) -> None:
    """PROF-72."""
    entered = enter({"EDITOR": "ed"}, [Change("set", "EDITOR", "emacs")], "one", NONE).environment
    changed = {name: value for name, value in {**entered, "EDITOR": mine}.items() if value is not None}

    left = leave(changed)

    assert left.environment == ({} if mine is None else {"EDITOR": mine})
    assert left.kept == ("EDITOR",)


@pytest.mark.parametrize(
    ("now", "then"),
    [
        ("/mine:/p/bin:/p/lib:/usr/bin:/p/late", "/mine:/usr/bin"),
        ("/p/bin:/p/lib:/usr/bin:/p/late:/mine", "/usr/bin:/mine"),
        ("/p/lib:/usr/bin", "/usr/bin"),
        ("/mine", "/mine"),
        ("/p/bin:/p/lib:/p/late", ""),
    ],
)
def test_of_a_list_only_the_elements_of_the_profile_are_taken_out(now: str, then: str) -> None:
    """PROF-72."""
    changes = [prepend("/p/lib"), prepend("/p/bin"), Change("append", "PATH", "/p/late")]
    entered = enter({"PATH": "/usr/bin"}, changes, "one", NONE).environment
    assert entered["PATH"] == "/p/bin:/p/lib:/usr/bin:/p/late"

    left = leave({**entered, "PATH": now})

    assert left.environment == {"PATH": then}
    assert left.kept == ("PATH",)


def test_of_an_element_that_was_there_before_the_older_one_stays() -> None:
    """PROF-72."""
    entered = enter({"PATH": "/a:/bin"}, [prepend("/a")], "one", NONE).environment

    assert leave({**entered, "PATH": entered["PATH"] + ":/mine"}).environment == {"PATH": "/a:/bin:/mine"}


def test_a_list_that_was_replaced_comes_back_beside_what_was_added_since() -> None:
    """PROF-72."""
    entered = enter({"MANPATH": "/old"}, [Change("set", "MANPATH", "/p/man:/p/doc")], "one", NONE).environment

    assert leave({**entered, "MANPATH": "/p/man:/p/doc:/mine"}).environment == {"MANPATH": "/old:/mine"}


def test_a_list_that_was_not_there_is_unset_when_nothing_else_is_in_it() -> None:
    entered = enter({}, [prepend("/p/man:/p/doc", "MANPATH")], "one", NONE).environment

    assert leave({**entered, "MANPATH": "/p/man"}).environment == {}


@pytest.mark.parametrize("damage", ["", "x", "{}x", "x{}", "1 {}"])
def test_a_damaged_record_is_a_mistake(damage: str) -> None:
    """PROF-73."""
    entered = enter({"A": "1"}, [Change("set", "A", "2")], "one", NONE).environment
    entered[UNDO] = damage.format(entered[UNDO])

    with pytest.raises(UserError, match="RUNNER_UNDO is damaged"):
        leave(entered)
    with pytest.raises(UserError, match="RUNNER_UNDO is damaged"):
        enter(entered, [], "two", NONE)


def test_the_record_has_no_secret_in_it() -> None:
    """PROF-73."""
    changes = [Change("set", "API_TOKEN", "canary-1"), Change("set", "DB_PW", "canary-2"), prepend("x", "PASS_PATH")]

    entered = enter({"A": "1"}, changes, "one", frozenset({"DB_PW"}))

    assert "canary" not in unquote(entered.environment[UNDO])
    assert leave(entered.environment).environment == {"A": "1"}


def test_a_secret_of_the_persons_own_is_not_overwritten_since_it_could_not_be_given_back() -> None:
    """PROF-73."""
    with pytest.raises(UserError, match="API_TOKEN is set in this shell"):
        enter({"API_TOKEN": "mine"}, [Change("set", "API_TOKEN", "theirs")], "one", NONE)


@pytest.mark.parametrize(("name", "way"), [("VIRTUAL_ENV", "deactivate"), ("CONDA_PREFIX", "conda deactivate")])
def test_where_a_foreign_environment_is_active_the_way_out_of_it_is_told(name: str, way: str) -> None:
    """PROF-76."""
    with pytest.raises(UserError, match=rf"/theirs is active in this shell \({name}\); leave it first: {way}$"):
        enter({name: "/theirs"}, [], "one", NONE)


def test_an_environment_of_a_profile_is_not_foreign() -> None:
    """PROF-76."""
    entered = enter({}, [Change("set", "VIRTUAL_ENV", "/ours")], "one", NONE).environment

    assert "VIRTUAL_ENV" not in enter(entered, [], "two", NONE).environment
