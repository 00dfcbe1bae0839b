"""YAML text becomes nodes with places, within the limits of SEC-3 and SEC-4, and every mistake is found."""

import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.document.faults import Faults
from runner.document.parse import parse_document
from runner.document.tree import Mapping, Node, Scalar, Sequence


def parse(text: str | bytes) -> tuple[Node | None, list[str]]:
    faults = Faults("f.yaml")
    data = text if isinstance(text, bytes) else text.encode()
    return parse_document(data, faults), [str(fault) for fault in faults.found]


def plain(node: Node | None) -> object:
    """The document as lists, dicts and texts."""
    if isinstance(node, Mapping):
        return {name: plain(value) for name, (_, value) in node.entries.items()}
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return node.text if node else None


def test_every_scalar_stays_the_text_that_was_written() -> None:
    root, faults = parse("a: 010\nb: [yes, 1e3, ~]\nc: {d: 2026-01-01}\non: 'x'\n")
    assert plain(root) == {"a": "010", "b": ["yes", "1e3", "~"], "c": {"d": "2026-01-01"}, "on": "x"}
    assert faults == []


def test_places_count_from_one_and_point_at_the_quote() -> None:
    root, _ = parse('jobs:\n  a:\n    when: "0 11 * * *"\n')
    assert isinstance(root, Mapping)
    jobs = root.entries["jobs"][1]
    assert isinstance(jobs, Mapping)
    entry = jobs.entries["a"][1]
    assert isinstance(entry, Mapping)
    key, value = entry.entries["when"]
    assert (key.line, key.column) == (3, 5)
    assert (value.line, value.column) == (3, 11)


def test_only_a_scalar_without_quotes_is_plain() -> None:
    root, _ = parse("[a, 'b', \"c\"]")
    assert isinstance(root, Sequence)
    assert [item.plain for item in root.items if isinstance(item, Scalar)] == [True, False, False]


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n...\n"])
def test_a_document_without_content_is_no_fault(text: str) -> None:
    root, faults = parse(text)
    assert plain(root) in (None, "")
    assert faults == []


def test_crlf_and_a_byte_order_mark_are_read() -> None:
    root, faults = parse("\ufeffa: b\r\nc: d\r\n")
    assert (plain(root), faults) == ({"a": "b", "c": "d"}, [])


def test_an_alias_stands_for_what_its_anchor_marks() -> None:
    root, faults = parse("a: &x [1]\nb: *x\n")
    assert (plain(root), faults) == ({"a": ["1"], "b": ["1"]}, [])


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("when: */5 * * * *\n", '1:7: a value beginning with * is an alias in YAML; quote it: "*/5 * * * *"'),
        ("when: * * * * * # all\n", '1:7: a value beginning with * is an alias in YAML; quote it: "* * * * *"'),
        ("when: *5 * * * *\n", '1:7: a value beginning with * is an alias in YAML; quote it: "*5 * * * *"'),
        ("when: *daily\n", '1:7: a value beginning with * is an alias in YAML; quote it: "*daily"'),
        ("{when: */5 * * * *, a: b}", '1:8: a value beginning with * is an alias in YAML; quote it: "*/5 * * * *"'),
        ("- */9 * * * *\r\n", '1:3: a value beginning with * is an alias in YAML; quote it: "*/9 * * * *"'),
        ("when: @daily\n", '1:7: a value cannot begin with @ in YAML; quote it: "@daily"'),
        ("run: `date`\n", '1:6: a value cannot begin with ` in YAML; quote it: "`date`"'),
        ("run: echo a: b\n", '1:6: a value without quotes cannot contain ": "; quote it: "echo a: b"'),
    ],
)
def test_a_value_that_needs_quotes_is_named_with_its_quotes(text: str, fault: str) -> None:
    """CRON-9."""
    assert parse(text)[1] == [f"f.yaml:{fault}"]


def test_after_a_value_that_needs_quotes_the_rest_is_read() -> None:
    root, faults = parse("a:\n  when: */5 * * * *\n  run: echo a: b\nb: [@daily, c]\na: x\n")
    assert plain(root) == {"a": {"when": "*/5 * * * *", "run": "echo a: b"}, "b": ["@daily", "c"]}
    assert [fault.split(":")[1] for fault in faults] == ["2", "3", "4", "5"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: !!python/name:os.system x\n", '1:4: a YAML tag (!...) is not allowed; quote a value that begins with "!"'),
        ("a: !x [b]\n", '1:4: a YAML tag (!...) is not allowed; quote a value that begins with "!"'),
        ("a: 1\nb: 2\na: 3\n", '3:1: "a" is given twice, first at f.yaml:1:1'),
        ("a: b\n---\nc: d\n", "2:1: a second document in one file"),
        ("? [a]\n: b\n", "1:3: a key must be a single word; quote a value that begins with { or ["),
        ("[" * 21, "1:21: nested deeper than 20 levels"),
        ('a: "x\\x07"\n', "1:4: control character U+0007 in a value"),
        ("a: |\n  x\n  y\n", "1:4: control character U+000A in a value; write it on one line, or with >- over several"),
        ("a: x\x07\n", "1:5: control character U+0007"),
        (b"a: b\nc: \xff\n", "2:4: byte 0xff is not UTF-8; save it as UTF-8"),
        (
            "a:\n\t- b\n",
            "2:1: not YAML: found character that cannot start any token; indent with blanks, not with a tab",
        ),
        ("a: b\nc: [1, 2\n", "2:4: not YAML: while parsing a flow sequence, did not find expected ',' or ']'"),
        (
            "a: 1\n  b: 2\n",
            "2:4: not YAML: mapping values are not allowed in this context; "
            "are this line and the one above it indented as meant?",
        ),
        ("a: 'b' c\n", "1:8: not YAML: while parsing a block mapping, did not find expected key"),
    ],
)
def test_what_is_not_allowed_is_named_with_its_place(text: str | bytes, fault: str) -> None:
    """SEC-3, SEC-4."""
    assert parse(text)[1] == [f"f.yaml:{fault}"]


def test_the_hundred_and_first_alias_is_refused() -> None:
    """SEC-4."""
    assert parse("a: &x 1\nb: [" + "*x, " * 100 + "]\n")[1] == []
    assert parse("a: &x 1\nb: [" + "*x, " * 101 + "]\n")[1] == ["f.yaml:2:405: more than 100 aliases"]


def test_more_than_a_mebibyte_is_refused() -> None:
    """SEC-4."""
    assert parse(b"#" * (1 << 20))[1] == []
    assert parse(b"#" * ((1 << 20) + 1))[1] == [
        "f.yaml:1:1: a document of 1048577 bytes; 1 MiB is the limit: split the file"
    ]


@pytest.mark.parametrize(
    "bomb",
    [
        "a0: &a0 [x]\n" + "".join(f"a{n + 1}: &a{n + 1} [{f'*a{n}, ' * 9}]\n" for n in range(11)),
        "[" * 500_000,
        "{a: " * 200_000,
        "- " * 400_000,
        "'" + "a\n" * 400_000,
        "a: b" + " " * 500_000 + "c: d",
        "a: *" + " *" * 300_000,
    ],
)
def test_a_bomb_is_cheap(bomb: str) -> None:
    """SEC-4: each fixture < 1 s and < 100 MB."""
    started = time.process_time()
    parse(bomb)
    spent = time.process_time() - started
    tracemalloc.start()
    parse(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert spent < 1
    assert peak < 100 << 20


YAML_LIKE = st.text(alphabet="ab:-*&!%@`'\"[]{},#|>?~ \n\t\\x0", max_size=60)


@given(st.one_of(YAML_LIKE, st.text(max_size=60)))
def test_any_text_gives_nodes_or_faults(text: str) -> None:
    root, faults = parse(text.encode("utf-8", "surrogatepass"))
    assert root is not None or faults or not text.strip() or plain(root) is None
    assert all(fault.startswith("f.yaml:") for fault in faults)


@given(st.binary(max_size=60))
def test_any_bytes_give_nodes_or_faults(data: bytes) -> None:
    parse(data)
