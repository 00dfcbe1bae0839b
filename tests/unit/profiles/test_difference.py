"""PROF-29, PROF-60: what a shell did, as changes that compose."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.launch.environment import apply_changes
from runner.profiles.difference import find_changes, is_exported

_NAMES = ["PATH", "MANPATH", "LD_LIBRARY_PATH", "GOPATH", "A", "PWD", "SHLVL", "BASH_FUNC_f%%"]
_values = st.lists(st.sampled_from(["/a", "/b", "", "x y"]), max_size=4).map(":".join)
_environments = st.dictionaries(st.sampled_from(_NAMES), _values)


@given(_environments, _environments)
def test_what_was_found_makes_one_environment_of_the_other(before: dict[str, str], after: dict[str, str]) -> None:
    environment = dict(before)

    apply_changes(environment, find_changes(before, after))

    def exported(variables: dict[str, str]) -> dict[str, str]:
        return {name: value for name, value in variables.items() if is_exported(name)}

    assert exported(environment) == exported(after)


@pytest.mark.parametrize(
    ("name", "old", "new", "changes"),
    [
        ("PATH", "/a:/b", "/x:/a:/b", [("prepend", "/x")]),
        ("PATH", "/a:/b", "/a:/b:/x:/y", [("append", "/x:/y")]),
        ("PATH", "/a", "/x:/a:/y", [("prepend", "/x"), ("append", "/y")]),
        ("PATH", "/a:/b", "/b:/a", [("set", "/b:/a")]),
        ("PATH", "/a", "/ab", [("set", "/ab")]),
        ("MANPATH", "/m", "/x:/m", [("prepend", "/x")]),
        ("MANPATH", "/m", "/m:", [("set", "/m:")]),
        ("PERL5_PATH", "/p", ":/p", [("set", ":/p")]),
        ("PYTHONPATH", "/p", "/x:/p", [("prepend", "/x")]),
        ("A", "b", "a:b", [("set", "a:b")]),
        ("LD_LIBRARY_PATH", None, "/x", [("set", "/x")]),
        ("A", "b", None, [("unset", "")]),
        ("A", "b", "b", []),
        ("PWD", "/a", "/b", []),
    ],
)
def test_a_list_that_grew_at_its_ends_is_added_to(
    name: str, old: str | None, new: str | None, changes: list[tuple[str, str]]
) -> None:
    before, after = [{} if value is None else {name: value} for value in (old, new)]
    assert [(one.verb, one.value) for one in find_changes(before, after)] == changes
