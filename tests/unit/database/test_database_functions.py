"""What SQLite may lack of mathematics is added (ARCH-42)."""

import math
import sqlite3

import pytest

from runner.database.sqlite import add_functions


@pytest.mark.parametrize("angle", [0.0, 1e-9, 0.5, -2.0, 100.0])
def test_functions_of_our_own_are_those_of_the_language(angle: float) -> None:
    connection = sqlite3.connect(":memory:")
    add_functions(connection)
    assert connection.execute("SELECT sin(?), cos(?)", (angle, angle)).fetchone() == (math.sin(angle), math.cos(angle))


def test_of_nothing_they_make_nothing_and_may_stand_in_an_index() -> None:
    connection = sqlite3.connect(":memory:")
    add_functions(connection)
    connection.execute("CREATE TABLE t (a)")
    connection.execute("CREATE INDEX i ON t (sin(a))")
    assert connection.execute("SELECT sin(NULL), cos(NULL)").fetchone() == (None, None)
