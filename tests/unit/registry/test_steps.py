"""A command line becomes words once, by the rules of ``shlex``; no shell will see it (RUN-23, SEC-3)."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.document.faults import Faults, Wrong
from runner.document.parse import parse_document
from runner.registry.steps import Step, find_unexpanded, read_steps, split_words


def read(source: str) -> tuple[tuple[Step, ...], list[str]]:
    faults = Faults("f")
    node = parse_document(source.encode(), faults)
    assert node is not None
    return read_steps(node, faults), [str(fault) for fault in faults.found]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("jobs/download.py --instrument wfc3", ["jobs/download.py", "--instrument", "wfc3"]),
        ("  a   b ", ["a", "b"]),
        ("awk '{print $1; exit}' \"x y\" ''", ["awk", "{print $1; exit}", "x y", ""]),
        (r"a b\ c \| \$HOME", ["a", "b c", "|", "$HOME"]),
        (r'a "b\"c\\d\e"', ["a", 'b"c\\d\\e']),
        ("a'b'\"c\"d", ["abcd"]),
        ("jobs/x --date {date} --cost 5$ #1", ["jobs/x", "--date", "{date}", "--cost", "5$", "#1"]),
        ("jobs/x --a=b", ["jobs/x", "--a=b"]),
    ],
)
def test_words_are_split_as_a_posix_shell_splits_them(line: str, words: list[str]) -> None:
    assert list(split_words(line)) == words


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a | b", "no shell will interpret |"),
        ("a > /dev/null", "no shell will interpret >"),
        ("a && b", "no shell will interpret &&"),
        ("a; b", "no shell will interpret ;"),
        ("a &", "no shell will interpret &"),
        ("(a)", "no shell will interpret ("),
        ("a $HOME/b", "no shell will expand $HOME"),
        ('a "${DATA}/b"', "no shell will expand ${DATA}"),
        ("a $(date +%F)", "no shell will expand $(date"),
        ("a `date`", "no shell will expand `date`"),
        ("OMP_NUM_THREADS=4 a", "no shell will set OMP_NUM_THREADS"),
        ("a 'b", "a ' without its end"),
        ('a "b', 'a " without its end'),
        ("a \\", "a backslash at the end"),
        ("", "a value is missing"),
        ("'' a", "the name of the command is empty"),
    ],
)
def test_what_only_a_shell_would_understand_is_refused(line: str, message: str) -> None:
    with pytest.raises(Wrong) as caught:
        split_words(line)
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("line", "words"), [("ls *.fits", ["*.fits"]), ("ls '*.fits' \\*", []), ("cp ~/a b", ["~/a"]), ("a b~", [])]
)
def test_patterns_that_a_shell_would_have_expanded_are_noticed(line: str, words: list[str]) -> None:
    assert find_unexpanded(line) == words


def test_a_command_line_is_one_step() -> None:
    assert read("jobs/a -v") == ((Step("success", ("jobs/a", "-v")),), [])


def test_a_list_has_a_step_for_each_item() -> None:
    """RUN-23."""
    steps, faults = read("[a x, {run: b, if: always}, {run: c, if: failure}, {run: d}]")
    assert [(step.condition, step.words) for step in steps] == [
        ("success", ("a", "x")), ("always", ("b",)), ("failure", ("c",)), ("success", ("d",)),
    ]  # fmt: skip
    assert faults == []


def test_all_mistakes_of_a_list_are_found() -> None:
    assert read("- a | b\n- {run: b, if: alwais}\n- {if: always, when: x}\n- [c]\n- ls *\n")[1] == [
        "f:1:3: no shell will interpret |; write a script, or a list of steps; quote it to pass it as it is",
        'f:2:16: "alwais" is not possible here; did you mean "always"? (one of success, always, failure)',
        'f:3:16: unknown key "when" of a step; one of if, run',
        'f:3:3: a step without "run"',
        "f:4:3: a command line is needed here",
        "f:5:3: warning: no shell will expand *; quote it if it is meant as it is",
    ]


def test_an_empty_list_is_wrong() -> None:
    with pytest.raises(Wrong, match="without one"):
        read("[]")


@given(st.text(alphabet="ab '\"\\|&;<>()$`*~=#{}é", max_size=30))
def test_words_equal_those_of_shlex_wherever_we_accept_a_line(line: str) -> None:
    try:
        words = split_words(line)
    except Wrong:
        return
    assert list(words) == shlex.split(line)


@given(st.lists(st.text(st.characters(exclude_categories=["Cc", "Cs"]))))
def test_any_arguments_can_be_written(arguments: list[str]) -> None:
    """RUN-18."""
    words = ["jobs/a", *arguments]
    assert list(split_words(shlex.join(words))) == words
