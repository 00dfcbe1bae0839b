"""PROF-11 to PROF-13: which profile is meant, and by which rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.errors import UserError
from runner.profiles.choose import choose_profile, find_place, resolve_name

KNOWN = ["dsoc-prod", "dsoc-test", "naasc-test"]
RENAMED = {"nmprod": "dsoc-prod", "nmtest": "dsoc-dev"}


@pytest.mark.parametrize(
    ("asked", "variable", "place", "choice"),
    [
        ("dsoc-test", "dsoc-prod", "naasc-test", "profile dsoc-test, by the argument"),
        ("", "dsoc-prod", "naasc-test", "profile dsoc-prod, by CAPO_PROFILE"),
        (None, "", "naasc-test", "profile naasc-test, by the place of the utility"),
        (None, None, "naasc-test", "profile naasc-test, by the place of the utility"),
    ],
)
def test_the_first_that_names_one_decides(asked: str | None, variable: str | None, place: str, choice: str) -> None:
    """PROF-11: an empty argument counts as absent."""
    assert choose_profile(asked, variable, place, KNOWN, RENAMED).explain() == choice


def test_where_nothing_names_one_all_are_listed() -> None:
    with pytest.raises(UserError, match="give -P PROFILE") as raised:
        choose_profile("", None, "", KNOWN, RENAMED)
    assert str(raised.value).endswith("(there are dsoc-prod, dsoc-test, naasc-test)")
    assert raised.value.exit_code == 2


@pytest.mark.parametrize(
    ("asked", "variable", "begins"), [("dsoc-tset", None, "no"), (None, "dsoc-tset", "CAPO_PROFILE: no")]
)
def test_an_unknown_name_is_refused_with_the_nearest(asked: str | None, variable: str | None, begins: str) -> None:
    """PROF-13: the next rule is not asked."""
    with pytest.raises(UserError) as raised:
        choose_profile(asked, variable, "dsoc-prod", KNOWN, RENAMED)
    assert str(raised.value) == f'{begins} profile is called "dsoc-tset"; did you mean "dsoc-test"?'


def test_an_old_name_means_the_new_one_and_is_told() -> None:
    choice = choose_profile("nmprod", None, "", KNOWN, RENAMED)
    assert (choice.profile, choice.warning) == ("dsoc-prod", "profile nmprod is now called dsoc-prod")
    assert resolve_name("dsoc-prod", KNOWN, RENAMED) == ("dsoc-prod", "")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The tree of dsoc-test: an environment with a utility."""
    tree = tmp_path / "workflows" / "dsoc-test"
    (tree / "bin").mkdir(parents=True)
    (tree / "pyvenv.cfg").write_text("")
    (tree / "bin" / "ingest").write_text("")
    return tree


def place(utility: Path, tree: Path) -> str:
    trees = {name: str(tree.with_name(name)) for name in KNOWN} | {"other": "", "lost": "~no-such-account/x"}
    return find_place(utility, trees, tree)


def test_a_utility_is_of_the_profile_whose_tree_has_it_in_its_bin(tree: Path, tmp_path: Path) -> None:
    """PROF-12: its real path counts."""
    (tmp_path / "link").symlink_to(tree / "bin/ingest")
    assert place(tree / "bin/ingest", tree) == place(tmp_path / "link", tree) == "dsoc-test"


def test_a_conda_environment_counts_too(tree: Path) -> None:
    (tree / "pyvenv.cfg").unlink()
    assert place(tree / "bin/ingest", tree) == ""
    (tree / "conda-meta").mkdir()
    (tree / "conda-meta/history").write_text("")
    assert place(tree / "bin/ingest", tree) == "dsoc-test"


@pytest.mark.parametrize("name", ["lib/ingest", "bin/sub/ingest", "bin/none", "ingest"])
def test_no_other_place_counts(tree: Path, name: str) -> None:
    utility = tree / name
    if name != "bin/none":
        utility.parent.mkdir(parents=True, exist_ok=True)
        utility.write_text("")
    assert place(utility, tree) == ""


@pytest.mark.parametrize(
    ("named", "found"), [("OWN", "dsoc-test"), ("/elsewhere/dsoc-prod", ""), ("$HERE", "dsoc-test")]
)
def test_a_tree_that_was_copied_does_not_count(tree: Path, named: str, found: str) -> None:
    """PROF-12: its ``activate`` would switch to the one that it was copied from."""
    (tree / "bin/activate").write_text(f'VIRTUAL_ENV="{named.replace("OWN", str(tree))}"\nexport VIRTUAL_ENV\n')
    assert place(tree / "bin/ingest", tree) == found


def test_a_name_that_leads_to_anothers_tree_is_the_other(tree: Path) -> None:
    tree.with_name("dsoc-prod").symlink_to(tree)
    assert place(tree.with_name("dsoc-prod") / "bin/ingest", tree) == "dsoc-test"
