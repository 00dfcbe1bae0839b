"""Four lines are added to a file of which every other byte stays."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import FaultsFound, TryLater, UserError
from runner.registry.add import Addition, plan_entry, write_entry
from runner.registry.read import parse_registry, read_registry

NOW = 1.77e9
FOUR = '  new:\n    when: "0 1 * * *"\n    run: jobs/new.sh\n    profile: p\n'


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "jobs").mkdir()
    return tmp_path


def plan(home: Path, text: str | bytes, **changes: str) -> Addition:
    (home / "jobs/a.yaml").write_bytes(text.encode() if isinstance(text, str) else text)
    entry = {"job": "new", "when": "0 1 * * *", "run": "jobs/new.sh", "profile": "p", **changes}
    return plan_entry(home, **entry, now=NOW)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "jobs:\n" + FOUR),
        ("# ours\n", "# ours\njobs:\n" + FOUR),
        ("jobs:\n", "jobs:\n" + FOUR),
        ("jobs: {}  # none yet\n", "jobs:  # none yet\n" + FOUR),
        ("defaults: {owner: x}\n\n# end\n", "defaults: {owner: x}\n\n# end\njobs:\n" + FOUR),
        ("jobs:\n  a: {run: x, profile: p}\n", "jobs:\n  a: {run: x, profile: p}\n" + FOUR),
        (
            "jobs:\n  a:\n    run: x\n    profile: p\n    # timeout: 1h\n\n  # the end\n\n# vim: ts=2\n",
            "jobs:\n  a:\n    run: x\n    profile: p\n    # timeout: 1h\n" + FOUR + "\n  # the end\n\n# vim: ts=2\n",
        ),
        (
            "jobs:\n  a: {run: x, profile: p}\n\ndefaults:\n  owner: y\n",
            "jobs:\n  a: {run: x, profile: p}\n" + FOUR + "\ndefaults:\n  owner: y\n",
        ),
        ("jobs:\n  a: {run: x, profile: p}\n...\n", "jobs:\n  a: {run: x, profile: p}\n" + FOUR + "...\n"),
        ("jobs:\n  a: {run: x, profile: p}", "jobs:\n  a: {run: x, profile: p}\n" + FOUR.rstrip("\n")),
    ],
)
def test_the_entry_comes_after_the_last_one(home: Path, before: str, after: str) -> None:
    assert plan(home, before).after.decode() == after


def test_the_entry_is_indented_as_its_neighbours(home: Path) -> None:
    before = "jobs:\n    a: {run: x, profile: p}\n    b:\n       run: x\n       profile: p\n"
    assert plan(home, before).lines == (
        "    new:", '       when: "0 1 * * *"', "       run: jobs/new.sh", "       profile: p",
    )  # fmt: skip


def test_steps_stand_one_below_the_other_and_further_keys_on_a_line(home: Path) -> None:
    """CRON-70."""
    (home / "jobs/a.yaml").write_text("jobs:\n")
    run = ["a 'x, y'", {"run": "b", "if": "always"}]
    more = {"mailto": ["x@y", "z@y"], "env": {"A": "1, 2", "B": "{"}}
    addition = plan_entry(home, "new", "@daily", run, "p", more=more, now=NOW)
    assert addition.lines == (
        "  new:",
        '    when: "@daily"',
        "    run:",
        "      - \"a 'x, y'\"",
        "      - {run: b, if: always}",
        "    profile: p",
        "    mailto: [x@y, z@y]",
        '    env: {A: "1, 2", B: "{"}',
    )
    [job] = parse_registry({"jobs/a.yaml": addition.after}, NOW).jobs
    assert [step.words for step in job.steps] == [("a", "x, y"), ("b",)]
    assert (job.mailto, job.env) == (("x@y", "z@y"), (("A", "1, 2"), ("B", "{")))


def test_a_control_character_is_refused_wherever_it_stands(home: Path) -> None:
    (home / "jobs/a.yaml").write_text("jobs:\n")
    with pytest.raises(UserError, match="control character"):
        plan_entry(home, "new", "@daily", "a", "p", more={"env": {"A": "x\x1b"}}, now=NOW)


@pytest.mark.parametrize("last", ["\r\n", ""])
def test_carriage_returns_and_a_missing_last_newline_are_kept(home: Path, last: str) -> None:
    before = "# é\r\njobs:\r\n  a: {run: x, profile: p}" + last
    after = plan(home, before).after
    assert after == (before.removesuffix("\r\n") + "\r\n" + FOUR.rstrip("\n").replace("\n", "\r\n") + last).encode()


def test_a_byte_order_mark_stays(home: Path) -> None:
    assert plan(home, "\ufeffjobs:\n").after == ("\ufeffjobs:\n" + FOUR).encode()


def test_what_needs_quotes_gets_them(home: Path) -> None:
    run = "jobs/a.sh 'it\\s #1: 100 %' \"x\""
    addition = plan(home, "", job="2024", run=run, profile="1e3", when="@daily")
    assert addition.lines[0] == '  "2024":'
    [job] = parse_registry({"jobs/a.yaml": addition.after}, NOW).jobs
    assert (job.id, job.profile, job.steps[0].words) == ("2024", "1e3", ("jobs/a.sh", "it\\s #1: 100 %", "x"))


def test_an_id_that_is_taken_is_refused_with_its_place(home: Path) -> None:
    with pytest.raises(UserError, match=r'^jobs/a\.yaml:2:3: there is a job "new" already$'):
        plan(home, "jobs:\n  new: {run: x, profile: p}\n")


@pytest.mark.parametrize(
    "changes", [{"when": "0 0 * * fri-mon"}, {"job": "New"}, {"run": "a | b"}, {"profile": "../x"}, {"run": ""}]
)
def test_an_entry_with_a_mistake_is_refused(home: Path, changes: dict[str, str]) -> None:
    with pytest.raises(FaultsFound):
        plan(home, "jobs:\n  a: {run: x, profile: p}\n", **changes)


@pytest.mark.parametrize("text", ["a\nb", "a\x00", "a\u2028b"])
def test_control_characters_are_refused(home: Path, text: str) -> None:
    """SEC-3."""
    with pytest.raises(UserError, match="control character"):
        plan(home, "", run=text)


def test_a_mistake_that_is_there_already_is_refused_again(home: Path) -> None:
    with pytest.raises(FaultsFound):
        plan(home, 'jobs:\n  a: {when: "61 0 * * *", run: x, profile: p}\n', when="61 0 * * *")


def test_an_old_mistake_elsewhere_does_not_stop_a_new_entry(home: Path) -> None:
    assert plan(home, "jobs:\n  a: {run: x, profile: p, timeout: 1x}\n").lines


@pytest.mark.parametrize("text", ["jobs: {a: {run: x, profile: p}}\n", "{jobs: {}}\n", "jobs: [\n", "- a\n"])
def test_a_file_in_another_form_is_left_to_its_owner(home: Path, text: str) -> None:
    with pytest.raises(UserError):
        plan(home, text)


def test_with_several_files_one_must_be_named(home: Path) -> None:
    """DESIGN section 7."""
    (home / "jobs/b.yaml").write_text("jobs:\n")
    with pytest.raises(UserError, match=r"2 files in jobs/: jobs/a.yaml, jobs/b.yaml; say which with --file"):
        plan(home, "jobs:\n")


@pytest.mark.parametrize("file", ["jobs/b.yaml", "b.yaml"])
def test_a_named_file_may_be_new(home: Path, file: str) -> None:
    write_entry(plan_entry(home, "new", "0 1 * * *", "jobs/new.sh", "p", file, now=NOW))
    assert (home / "jobs/b.yaml").read_text() == "jobs:\n" + FOUR


@pytest.mark.parametrize("file", ["/etc/x.yaml", "../x.yaml", "jobs/x.yml", "jobs/.x.yaml", "jobs/sub/x.yaml"])
def test_a_file_outside_the_registry_is_refused(home: Path, file: str) -> None:
    with pytest.raises(UserError, match="is not a file jobs/NAME"):
        plan_entry(home, "new", "0 1 * * *", "jobs/new.sh", "p", file, now=NOW)


def test_planning_writes_nothing(home: Path) -> None:
    plan(home, "jobs:\n")
    assert (home / "jobs/a.yaml").read_text() == "jobs:\n"


def test_writing_keeps_mode_and_link_and_leaves_no_other_file(home: Path) -> None:
    shared = home / "shared.yaml"
    shared.write_text("jobs:\n")
    shared.chmod(0o664)
    (home / "jobs/a.yaml").symlink_to(shared)
    write_entry(plan_entry(home, "new", "0 1 * * *", "jobs/new.sh", "p", now=NOW))
    assert shared.read_text() == "jobs:\n" + FOUR
    assert shared.stat().st_mode & 0o777 == 0o664
    assert sorted(path.name for path in home.rglob("*")) == ["a.yaml", "jobs", "shared.yaml"]
    assert [job.id for job in read_registry(home, NOW).jobs] == ["new"]


def test_a_file_that_changed_meanwhile_is_not_overwritten(home: Path) -> None:
    addition = plan(home, "jobs:\n")
    (home / "jobs/a.yaml").write_text("jobs:  # edited\n")
    with pytest.raises(TryLater):
        write_entry(addition)
    assert (home / "jobs/a.yaml").read_text() == "jobs:  # edited\n"


COMMENTS = st.lists(st.sampled_from(["", "# x", "  # y", "    # z"]), max_size=3)
ENTRIES = st.lists(
    st.sampled_from(
        [
            "{run: x, profile: p}",
            "\n    run: x\n    profile: p",
            "\n      profile: p\n      run: >-\n        x\n        y",
        ]
    ),
    max_size=3,
)


@given(COMMENTS, ENTRIES, COMMENTS, st.booleans(), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_whatever_the_file_only_four_lines_are_new(
    tmp_path_factory: pytest.TempPathFactory,
    before: list[str], entries: list[str], after: list[str], with_defaults: bool, newline: str, ends: bool,
) -> None:  # fmt: skip
    home = tmp_path_factory.mktemp("home")
    (home / "jobs").mkdir()
    lines = [*before, "jobs:", *[f"  j{index}: {entry}" for index, entry in enumerate(entries)], *after]
    lines += ["defaults:", "  owner: x"] * with_defaults
    text = newline.join("\n".join(lines).split("\n")) + newline * ends
    addition = plan(home, text)
    old, new = text.encode().split(b"\n"), addition.after.split(b"\n")
    at = new.index(addition.lines[0].encode() + b"\r" * ("\r" in text))
    rest = [line.rstrip(b"\r") for line in new[:at] + new[at + 4 :]]
    assert rest == [line.rstrip(b"\r") for line in old]
    assert addition.after.endswith(b"\n") == text.endswith("\n")
    assert "new" in {job.id for job in parse_registry({"jobs/a.yaml": addition.after}, NOW).jobs}
