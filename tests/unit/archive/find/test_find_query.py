"""The statement of a question: what is in it and what is not (ARCH-40)."""

from __future__ import annotations

import re

import hypothesis
import pytest
from expressions import FIELDS, conditions

from runner.archive.find.ask import make_question
from runner.archive.find.query import Question, plan_count, plan_rows
from runner.archive.find.tree import Condition


def test_the_order_of_text_does_not_hang_on_the_language_of_the_database() -> None:
    """The PostgreSQL of the tests knows no language."""
    question = make_question(FIELDS, 'object < "a" and obs_at > 2024-01-01', sort="filter")
    assert re.findall(r'(\w+) COLLATE "C"', plan_rows(question, is_sqlite=False).sql) == ["object", "obs_at", "filter"]


@pytest.mark.parametrize("is_sqlite", [True, False])
@hypothesis.given(condition=conditions)
def test_no_text_of_the_users_is_in_a_statement(is_sqlite: bool, condition: Condition) -> None:
    question = Question(condition, (FIELDS.by_name["path"],))
    for statement in (plan_rows(question, is_sqlite=is_sqlite), plan_count(question, is_sqlite=is_sqlite)):
        texts = set(re.findall("'([^']*)'", statement.sql))
        assert texts <= {"$[0]", "$[1]", "~", "/"}
        assert statement.sql.count("?") == len(statement.values)


@pytest.mark.parametrize(
    ("words", "is_each"),
    [(("exptime > 1",), False), (("naxis1 > 1",), True), (("", "path,bunit"), True), (("", "path", "-number"), True),
     (('header.GAIN = 1',), False), (('name = "SCI"',), True)],
)  # fmt: skip
def test_hdus_have_rows_where_something_of_each_is_asked_for(words: tuple[str, ...], is_each: bool) -> None:
    question = make_question(FIELDS, *words)
    assert question.is_each == is_each
    assert ("hdus AS hdu" in plan_rows(question, is_sqlite=True).sql) == is_each


@pytest.mark.parametrize(
    ("expression", "every_state"),
    [("", False), ('reason = "x"', False), ('state = "bad"', True), ('not (exptime = 1 or state = "ok")', True)],
)
def test_every_state_counts_where_the_state_is_asked_for(expression: str, every_state: bool) -> None:
    assert make_question(FIELDS, expression).has_every_state == every_state
    assert make_question(FIELDS, expression, every_state=True).has_every_state
