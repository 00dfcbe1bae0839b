"""What we write is read back as what was meant, by us and by any YAML reader."""

import yaml
from hypothesis import given
from hypothesis import strategies as st

from runner.document.faults import Faults
from runner.document.parse import parse_document
from runner.document.quote import quote_if_needed, show_node
from runner.document.tree import Mapping, Scalar

PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_categories=["Cc", "Cs", "Zl", "Zp"]))
TRICKY = st.text(alphabet="ab0.-:#,'\"\\{}[]&*!|>%@`~ =yesnofu", max_size=20)


@given(st.one_of(PRINTABLE, TRICKY))
def test_quoted_text_comes_back_from_every_reader(text: str) -> None:
    line = f"key: {quote_if_needed(text)}\n"
    root = parse_document(line.encode(), Faults("f"))
    assert isinstance(root, Mapping)
    value = root.entries["key"][1]
    assert isinstance(value, Scalar)
    assert value.text == text
    assert yaml.safe_load(line) == {"key": text}


def test_plain_words_stay_plain() -> None:
    for text in ("jobs/download.py --instrument wfc3", "dsoc-prod", "a.b c=d,e", "x:y"):
        assert quote_if_needed(text) == text


def test_a_node_is_shown_on_one_line() -> None:
    root = parse_document(b"a:\n  - x\n  - {b: 'c, d', e: '5'}\n", Faults("f"))
    assert root is not None
    assert show_node(root) == '{a: [x, {b: "c, d", e: "5"}]}'
