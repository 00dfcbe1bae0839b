"""PROF-80 to PROF-83: what of a start is another profile's, and which rules permit it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.launch.guard import RULE_KEYS, Guard, Member, Rule, Start, Verdict, check_mix, decode_guard, encode_guard
from runner.launch.hosts import find_sites

_CLEAN = "/usr/bin:/bin"


def make_guard(directory: Path, *rules: Rule, mode: str = "refuse") -> Guard:
    """Return the guard of dsoc-prod, dsoc-test and vlass.test, whose trees are below a directory."""
    guard = Guard()
    guard.mode = mode
    guard.sites = [("dsoc", ["nmpost*"]), ("naasc", ["cvpost*"]), ("lab", [])]
    guard.rules = list(rules)
    for name, environment in (("dsoc-prod", "prod"), ("dsoc-test", "test"), ("vlass.test", "")):
        member = guard.members[name] = Member(name)
        member.environment, member.tree = environment, f"{directory}/{name}"
        (directory / name / "bin").mkdir(parents=True)
    return guard


def make_rule(**fields: str) -> Rule:
    rule = Rule("a reason")
    for key, value in fields.items():
        setattr(rule, key, value)
    return rule


def check(
    guard: Guard, profile: str, *programs: str, host: str = "nmpost1", version: str = "", path: str = _CLEAN, **env: str
) -> Verdict:
    start = Start(profile, {"PATH": path, "CAPO_PROFILE": profile, **env}, list(programs), host, "/home/ql")
    return check_mix(guard, start, lambda program, command: version)


def test_what_is_of_one_profile_may_start(tmp_path: Path) -> None:
    guard = make_guard(tmp_path)
    own = tmp_path / "dsoc-prod"
    found = check(guard, "dsoc-prod", f"{own}/bin/casa", path=f"{own}/bin:{_CLEAN}", VIRTUAL_ENV=str(own))
    assert (found.refusal, found.warnings, found.allowed) == ("", [], [])


@pytest.mark.parametrize(
    ("program", "env", "what"),
    [
        ("TEST/bin/casa", {}, "casa"),
        ("/bin/true", {"CAPO_PROFILE": "dsoc-test"}, "CAPO_PROFILE"),
        ("/bin/true", {"VIRTUAL_ENV": "TEST"}, "VIRTUAL_ENV TEST"),
        ("/bin/true", {"CONDA_PREFIX": "TEST/conda"}, "CONDA_PREFIX TEST/conda"),
        ("/bin/true", {"PATH": "/usr/bin:TEST/bin"}, "TEST/bin on PATH"),
    ],
)
def test_each_thing_of_another_profile_is_refused(tmp_path: Path, program: str, env: dict[str, str], what: str) -> None:
    def fill(text: str) -> str:
        return text.replace("TEST", f"{tmp_path}/dsoc-test")

    path = fill(env.pop("PATH", _CLEAN))
    found = check(make_guard(tmp_path), "dsoc-prod", fill(program), path=path, **{k: fill(v) for k, v in env.items()})
    assert found.refusal == f"mixed: {fill(what)} belongs to dsoc-test, not dsoc-prod"


def test_a_link_counts_as_where_it_is_and_as_where_it_leads(tmp_path: Path) -> None:
    guard = make_guard(tmp_path)
    (tmp_path / "dsoc-test/bin/casa").write_text("")
    (tmp_path / "out").symlink_to(tmp_path / "dsoc-test/bin")
    (tmp_path / "dsoc-test/bin/python").symlink_to("/bin/true")
    assert check(guard, "dsoc-prod", f"{tmp_path}/out/casa").refusal.startswith("mixed: casa belongs to dsoc-test")
    assert check(guard, "dsoc-prod", f"{tmp_path}/dsoc-test/bin/python").refusal.startswith("mixed: python belongs to ")


def test_a_tree_that_is_a_link_is_known_by_both_names(tmp_path: Path) -> None:
    guard = make_guard(tmp_path)
    (tmp_path / "3.7.0/bin").mkdir(parents=True)
    guard.members["dsoc-test"].tree = f"{tmp_path}/link"
    (tmp_path / "link").symlink_to(tmp_path / "3.7.0")
    for place in ("link", "3.7.0"):
        assert check(guard, "dsoc-test", f"{tmp_path}/{place}/bin/casa").refusal == ""
        assert "belongs to dsoc-test" in check(guard, "dsoc-prod", f"{tmp_path}/{place}/bin/casa").refusal


def test_one_tree_of_two_profiles_is_each_ones_own(tmp_path: Path) -> None:
    guard = make_guard(tmp_path)
    guard.members["vlass.test"].tree = guard.members["dsoc-test"].tree
    for profile in ("vlass.test", "dsoc-test"):
        assert check(guard, profile, f"{tmp_path}/dsoc-test/bin/casa").refusal == ""


def test_a_tree_that_begins_alike_is_another(tmp_path: Path) -> None:
    assert check(make_guard(tmp_path), "dsoc-prod", f"{tmp_path}/dsoc-test-2/bin/casa").refusal == ""


@pytest.mark.parametrize("place", ["~no-such-account", "/lustre{~no-such-account}", "{~no-such-account}"])
def test_an_account_that_the_machine_lacks_owns_nothing(tmp_path: Path, place: str) -> None:
    guard = make_guard(tmp_path)
    for name in ("dsoc-prod", "dsoc-test"):
        guard.members[name].tree = f"{place}/{name}"
    assert check(guard, "dsoc-prod", "/dsoc-test/bin/casa", path="/dsoc-test/bin").refusal == ""


def test_the_profile_may_declare_another_capo_profile(tmp_path: Path) -> None:
    start = Start("dsoc-prod", {"CAPO_PROFILE": "common"}, [], "nmpost1", "/home/ql", "common")
    assert check_mix(make_guard(tmp_path), start, lambda program, command: "").refusal == ""


@pytest.mark.parametrize(
    ("site", "host", "refusal"),
    [
        ("dsoc", "nmpost001.aoc.nrao.edu", ""),
        ("dsoc", "cvpost001", "mixed: host cvpost001 belongs to naasc, not dsoc"),
        ("dsoc", "laptop", "mixed: host laptop belongs to no site, not dsoc"),
        ("lab", "laptop", ""),
        ("", "laptop", ""),
    ],
)
def test_the_host_is_one_of_the_profiles_site(tmp_path: Path, site: str, host: str, refusal: str) -> None:
    """PROF-81: where the site says which hosts are its own."""
    guard = make_guard(tmp_path)
    guard.members["dsoc-prod"].site = site
    assert check(guard, "dsoc-prod", "/bin/true", host=host).refusal == refusal


@pytest.mark.parametrize(
    ("host", "sites"), [("NMPOST1.nrao.edu", ["a"]), ("cvpost1", ["b"]), ("nm1", ["b"]), ("x", []), ("nmpost9", ["a"])]
)
def test_the_site_of_a_host_is_found_by_its_full_or_short_name(host: str, sites: list[str]) -> None:
    """PROF-14."""
    assert find_sites([("a", ["nmpost*"]), ("b", ["cvpost?", "nm1"])], host) == sites


_VLASS = {"command": "restoreToCache", "version": ">=3.7.0", "profile": "vlass.*"}


@pytest.mark.parametrize(
    ("fields", "permitted"),
    [
        (_VLASS, True),
        ({**_VLASS, "software": "dsoc-*", "host": "nmpost*"}, True),
        ({**_VLASS, "command": "ingest"}, False),
        ({**_VLASS, "version": ">=3.7.2"}, False),
        ({**_VLASS, "profile": "dsoc-*"}, False),
        ({**_VLASS, "software": "naasc-*"}, False),
        ({**_VLASS, "host": "cvpost*"}, False),
    ],
)
def test_a_rule_permits_only_where_all_of_it_fits(tmp_path: Path, fields: dict[str, str], permitted: bool) -> None:
    """PROF-82."""
    tool = f"{tmp_path}/dsoc-test/bin/restoreToCache"
    guard = make_guard(tmp_path, make_rule(**fields))
    found = check(guard, "vlass.test", tool, version="3.7.1", path=f"{tmp_path}/dsoc-test/bin:{_CLEAN}")
    assert (found.refusal == "", found.allowed == ["mix allowed: a reason"]) == (permitted, permitted)


def test_a_version_that_cannot_be_found_out_does_not_fit(tmp_path: Path) -> None:
    guard = make_guard(tmp_path, make_rule(**_VLASS))
    found = check(guard, "vlass.test", f"{tmp_path}/dsoc-test/bin/restoreToCache", version="")
    assert found.refusal == "mixed: restoreToCache belongs to dsoc-test, not vlass.test"


def test_what_is_permitted_to_one_command_is_not_to_the_next(tmp_path: Path) -> None:
    guard = make_guard(tmp_path, make_rule(**_VLASS))
    tool, path = f"{tmp_path}/dsoc-test/bin/restoreToCache", f"{tmp_path}/dsoc-test/bin:{_CLEAN}"
    found = check(guard, "vlass.test", tool, "/bin/true", version="3.7.0", path=path)
    assert found.refusal == f"mixed: {tmp_path}/dsoc-test/bin on PATH belongs to dsoc-test, not vlass.test"


@pytest.mark.parametrize(("host", "permitted"), [("", False), ("laptop", True)])
def test_a_foreign_host_is_permitted_only_by_its_name(tmp_path: Path, host: str, permitted: bool) -> None:
    guard = make_guard(tmp_path, make_rule(profile="dsoc-*", host=host))
    guard.members["dsoc-test"].site = "dsoc"
    assert (check(guard, "dsoc-test", "/bin/true", host="laptop").refusal == "") == permitted


@pytest.mark.parametrize(("profile", "is_warned"), [("dsoc-test", True), ("dsoc-prod", False), ("unknown", False)])
def test_a_warning_takes_the_place_of_a_refusal_but_never_in_production(
    tmp_path: Path, profile: str, is_warned: bool
) -> None:
    """PROF-83; a profile that nobody knows may be one of production."""
    guard = make_guard(tmp_path, mode="warn")
    found = check(guard, profile, f"{tmp_path}/vlass.test/bin/casa")
    text = f"mixed: casa belongs to vlass.test, not {profile}"
    assert (found.refusal, found.warnings) == (("", [text]) if is_warned else (text, []))


texts = st.text(min_size=1, max_size=9)


@given(
    st.lists(texts, max_size=2), st.lists(st.tuples(texts, st.lists(texts)), max_size=2), st.lists(texts, min_size=6)
)
def test_a_guard_comes_back_as_it_was(names: list[str], sites: list[tuple[str, list[str]]], some: list[str]) -> None:
    guard = Guard()
    guard.mode, guard.sites = "warn", sites
    for name in names:
        member = guard.members[name] = Member(name)
        member.site, member.tree = some[0], some[1]
    guard.rules = [make_rule(**dict(zip(RULE_KEYS, some, strict=False)))]
    pairs = encode_guard(guard)
    assert encode_guard(decode_guard(pairs)) == pairs
    assert len(pairs) > len(RULE_KEYS) + len(names)


@pytest.mark.parametrize("kind", ["site_host", "profile_x", "allow_", "other"])
def test_a_line_that_means_nothing_is_refused(kind: str) -> None:
    with pytest.raises(ValueError, match=f"guard_{kind}"):
        decode_guard([(kind, "x")])
