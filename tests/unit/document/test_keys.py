"""A map becomes a dataclass whose fields declare the keys."""

from dataclasses import dataclass

from runner.document.faults import Faults
from runner.document.fields import list_of, map_of, scalar, size, text, variable, word
from runner.document.keys import Keys, declare, record_of
from runner.document.parse import parse_document


@dataclass(frozen=True, slots=True)
class Log:
    """An example."""

    max_bytes: int = declare(scalar(size), "the largest", "50M", name="max_size")
    names: tuple[str, ...] = declare(list_of(scalar(word)), "some words", "[]")
    title: str = declare(scalar(text), "how it is called")


KEYS = Keys(Log)


def read(source: str) -> tuple[Log, list[str]]:
    faults = Faults("f")
    node = parse_document(source.encode(), faults)
    assert node is not None
    log = record_of(KEYS)(node, faults)
    return log, [str(fault) for fault in faults.found]


def test_values_are_converted_and_the_rest_has_its_default() -> None:
    assert read("{max_size: 1K, title: x}") == (Log(1024, (), "x"), [])


def test_one_value_stands_for_a_list_of_one() -> None:
    assert read("{names: a, title: x}")[0].names == ("a",)


def test_all_mistakes_are_found_each_at_its_own_place() -> None:
    source = "max_size: big\nnames: [a, [], '']\ntitel: x\n"
    assert read(source)[1] == [
        'f:1:1: "title" is missing; how it is called',
        'f:1:11: "big" is not a size; write one like 500K, 50M, 2G',
        "f:2:12: one value is needed here; not a list",
        "f:2:16: a value is missing",
        'f:3:1: unknown key "titel"; did you mean "title"?',
    ]


def test_nothing_after_a_key_is_no_value_but_an_empty_map_or_list() -> None:
    faults = Faults("f")
    node = parse_document(b"title:\nnames:\n", faults)
    assert node is not None
    KEYS.read(node, faults)
    assert [str(fault) for fault in faults.found] == ["f:1:7: a value is missing", "f:2:7: a value is missing"]


def test_a_map_of_names_checks_both_sides() -> None:
    faults = Faults("f")
    node = parse_document(b"{A: x, 1B: y, C: [z]}", faults)
    assert node is not None
    assert map_of(variable, scalar(text))(node, faults) == (("A", "x"),)
    assert [fault.column for fault in faults.found] == [8, 18]
