"""An expression against the rows of an index, over every database (ARCH-40, ARCH-42)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from astropy.coordinates import Angle, angular_separation, offset_by
from expressions import answer, conditions, draw_files, write
from hypothesis import strategies as st
from indexes import File, ask, fill, read_columns
from postgres import Postgres

from runner.archive.find.ask import Index, make_question
from runner.archive.find.missing import choose_rules, find_missing
from runner.archive.find.parse import DEEPEST, MOST_QUESTIONS
from runner.archive.find.query import plan_rows
from runner.archive.find.tree import Condition
from runner.archive.tables import BAD, VANISHED
from runner.database.connect import connect
from runner.database.database import Database
from runner.errors import UserError

SOME = [
    File(
        "a/ib1_raw.fits",
        {"instrume": "WFC3", "exptime": 100.0, "ra": 150.1, "dec": 2.2, "obs_at": "2024-01-31T23:59:59.500000Z",
         "date_obs": "2024-01-31", "object": "M 31", "calibrated": True},
        [{"naxis1": 1024, "bunit": "adu", "gain": 1.5}, {"naxis1": 512, "bunit": "adu", "name": "ERR"}],
        [["EXPTIME", 100.0, ""], ["GAIN", 1.5, ""], ["GAIN", 2.5, "again"], ["ESO INS NAME", "FORS", ""],
         ["FLAG", True, ""], ["NOTHING", None, ""], ["MIXED", 5, ""], ["DATE", "2024-01-31T10:00:00", ""]],
    ),
    File(
        "a/ib2_raw.fits",
        {"instrume": "ACS", "exptime": 350.5, "ra": 150.15, "dec": 2.25, "obs_at": "2024-02-01T00:00:00.000000Z",
         "date_obs": "2024-02-01", "object": "m31", "calibrated": False},
        [{"naxis1": 2048, "bunit": None}],
        [["GAIN", "high", ""], ["FLAG", False, ""], ["MIXED", "five", ""]],
        mtime_ns=1_700_000_001_500_000_000,
    ),
    File("b/100%_x.fits", {"instrume": "WFC3", "object": "50%"}, root="/more"),
    File("b/torn.fits", {}, state=BAD, reason="no END"),
    File("b/gone.fits", {"instrume": "WFC3"}, state=VANISHED),
]  # fmt: skip
RANDOM = sorted(draw_files(60, 1), key=lambda file: (file.root, file.path))
IB1, IB2, THIRD = (file.path for file in SOME[:3])


@contextmanager
def open_new(request: pytest.FixtureRequest, directory: Path) -> Iterator[Database]:
    """Open a new database of the kind that is the fixture's parameter."""
    if request.param == "sqlite":
        with connect(f"sqlite:///{directory}/runner.db") as database:
            yield database
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    name = postgres.create_database()
    with connect(postgres.url(name)) as database:
        yield database
    postgres.drop_database(name)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def index(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """One for all tests that only ask: to make its tables costs more than all their questions."""
    with open_new(request, tmp_path_factory.mktemp("index")) as database:
        yield fill(database, read_columns(), SOME)


@pytest.mark.parametrize(
    ("expression", "paths"),
    [
        ("", [IB1, IB2, THIRD]),
        ('INSTRUME = "WFC3"', [IB1, THIRD]),
        ("instrume == 'WFC3' and EXPTIME >= 100", [IB1]),
        ('instrume != "WFC3"', [IB2]),
        ("exptime <> 100", [IB2]),
        ("not exptime = 100", [IB2]),
        ("exptime is null", [THIRD]),
        ("exptime is not null", [IB1, IB2]),
        ('instrume in ("ACS", "NICMOS")', [IB2]),
        ("exptime not in (100, 1e3)", [IB2]),
        ("exptime between 100 and 200.5", [IB1]),
        ("exptime not between 100 and 200.5", [IB2]),
        ('object like "M%"', [IB1]),
        ('object like "_31"', [IB2]),
        ('object not like "M%"', [IB2, THIRD]),
        (r'object like "%\%"', [THIRD]),
        (r'path like "%\_x.%"', [THIRD]),
        ('path like "%[%"', []),
        ("calibrated = T", [IB1]),
        ("calibrated != true", [IB2]),
        ("calibrated in (true, F)", [IB1, IB2]),
        ('object < "a"', [IB1, THIRD]),
        ('instrume = "ACS" or exptime = 100 and object = "M 31"', [IB1, IB2]),
        ('(instrume = "ACS" or exptime = 100) and object = "M 31"', [IB1]),
        ('root = "/more"', [THIRD]),
        ('file = "/data/a/ib1_raw.fits"', [IB1]),
        ("exptime < 1e300 and exptime < 99999999999999999999999", [IB1, IB2]),
        ("size_bytes > 99999999999999999999999", []),
    ],
)
def test_an_expression_finds_its_files(index: Index, expression: str, paths: list[str]) -> None:
    assert ask(index, expression) == paths


@pytest.mark.parametrize(
    ("expression", "paths"),
    [
        ("obs_at = 2024-01-31", [IB1]),
        ("obs_at != 2024-01-31", [IB2]),
        ("obs_at <= 2024-01-31", [IB1]),
        ("obs_at < 2024-01-31", []),
        ("obs_at > 2024-01-31", [IB2]),
        ('obs_at >= "2024-01-31"', [IB1, IB2]),
        ("obs_at between 2024-01-01 and 2024-01-31", [IB1]),
        ("obs_at = 2024-01", [IB1]),
        ("obs_at in (2024-02, 2023-01-01)", [IB2]),
        ("obs_at not in (2024-02, 2023-01-01)", [IB1]),
        ("obs_at = 2024-01-31T23", [IB1]),
        ("obs_at = 2024-01-31T23:59:59", [IB1]),
        ('obs_at > "2024-01-31 23:59:59.4Z"', [IB1, IB2]),
        ("obs_at > 2024-01-31T23:59:59.5", [IB2]),
        ("date-obs <= 2024-01-31", [IB1]),
        ('date_obs > "2024-01-31"', [IB2]),
        ("mtime = 2023-11-14T22:13:21.5", [IB2]),
        ("mtime < 2023-11-14T22:13:21", [IB1, THIRD]),
        ("indexed_at = 2026-11-21", [IB1, IB2, THIRD]),
    ],
)
def test_a_time_is_as_long_as_it_is_precise(index: Index, expression: str, paths: list[str]) -> None:
    assert ask(index, expression) == paths


@pytest.mark.parametrize(
    ("expression", "paths"),
    [
        ("header.GAIN = 1.5", [IB1]),
        ("header.gain < 2", [IB1]),
        ('header.GAIN = "high"', [IB2]),
        ('header.GAIN like "h_gh"', [IB2]),
        ('header."ESO INS NAME" = "FORS"', [IB1]),
        ('header."HIERARCH ESO INS NAME" = "FORS"', [IB1]),
        ("header.FLAG = T", [IB1]),
        ("header.FLAG = F", [IB2]),
        ("header.NOTHING is null", [IB1, IB2, THIRD]),
        ("header.GAIN is not null", [IB1, IB2]),
        ("header.MIXED > 4", [IB1]),
        ("header.MIXED != 4", [IB1]),
        ('header.MIXED in (5, "five")', [IB1, IB2]),
        ("header.MIXED = T", []),
        ("header.DATE = 2024-01-31", [IB1]),
        ("header.DATE > 2024-01-30 and header.DATE < 2024-01-31T10:01", [IB1]),
    ],
)
def test_a_keyword_of_the_whole_header_is_compared_by_its_own_type(
    index: Index, expression: str, paths: list[str]
) -> None:
    assert ask(index, expression) == paths


def test_a_column_of_each_hdu_makes_a_row_of_each_with_what_is_known_of_the_file(index: Index) -> None:
    assert ask(index, "naxis1 >= 512 and exptime = 100", "path, number, name, naxis1, instrume") == [
        (IB1, 1, "SCI", 1024, "WFC3"),
        (IB1, 2, "ERR", 512, "WFC3"),
    ]
    assert ask(index, "", "path, gain", limit=2) == [(IB1, None), (IB1, 1.5)]
    assert ask(index, 'path = "a/ib2_raw.fits"', hdus=True) == [IB2, IB2]


def test_only_good_files_are_found_unless_a_state_is_asked_for(index: Index) -> None:
    assert ask(index, 'state = "bad"', "path, reason, instrume") == [("b/torn.fits", "no END", None)]
    assert ask(index, 'instrume = "WFC3" or state != "ok"') == [IB1, "b/gone.fits", "b/torn.fits", THIRD]
    assert len(ask(index, "", every_state=True)) == 5
    assert ask(index, 'state = "bad"', "path, number") == [("b/torn.fits", None)]


def test_rows_are_sorted_by_what_is_asked_with_no_value_last(index: Index) -> None:
    assert ask(index, sort="-exptime") == [IB2, IB1, THIRD]
    assert ask(index, sort="exptime") == [IB1, IB2, THIRD]
    assert ask(index, sort="object") == [THIRD, IB1, IB2]
    assert ask(index, sort="instrume, -path", limit=2) == [IB2, THIRD]


def test_rows_are_counted_without_being_read(index: Index) -> None:
    for expression, files, hdus in (("", 3, 6), ("exptime > 1", 2, 5)):
        assert index.count(make_question(index.fields, expression)) == files
        assert index.count(make_question(index.fields, expression, hdus=True)) == hdus


def test_a_value_of_a_header_is_answered_with_its_own_type(index: Index) -> None:
    answer = ask(index, "exptime > 0", "header.GAIN, header.FLAG, header.NOTHING, header.EXPTIME")
    assert answer == [(1.5, True, None, 100.0), ("high", False, None, None)]
    assert ask(index, "", "header.GAIN, name", limit=2)[1] == (None, "SCI")


@pytest.mark.parametrize(("one", "between"), [("obs_at != 2024-01-01", " or "), ("cone(0, 0, 1)", " and ")])
def test_as_much_as_may_be_asked_is_answered(index: Index, one: str, between: str) -> None:
    question = between.join([one] * MOST_QUESTIONS)
    ask(index, f"{'not (' * (DEEPEST // 2 - 1)}{question}{')' * (DEEPEST // 2 - 1)}")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database for tests that fill it themselves."""
    with open_new(request, tmp_path_factory.mktemp("empty")) as database:
        yield database


@pytest.mark.parametrize(
    "hostile",
    [
        "'; DROP TABLE files; --",
        '"; DROP TABLE files; --',
        "' OR '1'='1",
        "\\' OR 1=1 --",
        "%s %(x)s ? :x {0}",
        "$1; SELECT pg_sleep(9)",
        "\\",
        "%",
        "a\nb\r\t\x1b[31m",
        "né ☃ 𝄞",
        "*[",
    ],
)
def test_hostile_text_is_a_value_and_nothing_else(empty: Database, hostile: str) -> None:
    files = [File("plain", {"object": "plain"}), File("odd", {"object": hostile}, cards=[["KEY", hostile, ""]])]
    index = fill(empty, read_columns(), files)
    text = '"' + hostile.replace('"', '""') + '"'
    pattern = '"' + "".join(f"\\{c}" if c in "\\%_" else c for c in hostile).replace('"', '""') + '"'

    for question in (f"object = {text}", f"object in ({text})", f"object like {pattern}", f"header.KEY = {text}"):
        assert ask(index, question) == ["odd"], question
    assert ask(index, f"header.{text} = {text}") == []
    assert ask(index, f"object != {text}", "object") == ["plain"]
    assert ask(index) == ["odd", "plain"]


@pytest.mark.parametrize("name", ['"path"', "path; DROP TABLE files", "path' --", "1", "*", "files.path", "header", ""])
def test_hostile_names_are_refused(index: Index, name: str) -> None:
    for words in ((f"{name} = 1", "", ""), ("", name or ",", ""), ("", "", name or ",")):
        with pytest.raises(UserError, match=r"^character \d+: "):
            make_question(index.fields, *words)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def random_index(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with open_new(request, tmp_path_factory.mktemp("random")) as database:
        yield fill(database, read_columns(), RANDOM)


@hypothesis.settings(max_examples=200, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
@hypothesis.given(condition=conditions)
def test_any_expression_finds_what_it_says_and_what_is_unknown_is_not_found(
    random_index: Index, condition: Condition
) -> None:
    found = ask(random_index, write(condition))
    assert found == [file.path for file in RANDOM if answer(condition, file)]


positions = st.tuples(st.floats(0, 360, exclude_max=True), st.floats(-90, 90))
radii = st.one_of(st.floats(0, 180), st.floats(0, 0.01), st.sampled_from((0.0, 90.0, 180.0)))


@hypothesis.settings(max_examples=60, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
@hypothesis.given(centre=positions, radius_deg=radii, others=st.lists(positions, min_size=3, max_size=12))
def test_a_cone_holds_what_is_as_near_by_astropy(
    empty: Database, centre: tuple[float, float], radius_deg: float, others: list[tuple[float, float]]
) -> None:
    """Within 1e-9 degrees of its edge a position may be on either side."""
    near = [_move(centre, turn, radius_deg + by) for turn in (0, 77, 190, 300) for by in (-0.1, -2e-9, 2e-9)]
    ra, dec = (np.array(angles) for angles in zip(*others, *near, centre, strict=True))
    distance = np.degrees(angular_separation(*map(np.radians, (*centre, ra, dec))))
    files = [File(str(place), {"ra": float(ra[place]), "dec": float(dec[place])}) for place in range(len(ra))]
    index = fill(empty, read_columns(), files)

    found = {int(path) for path in ask(index, f"cone({centre[0]!r}, {centre[1]!r}, {radius_deg!r})")}

    assert {int(place) for place in np.flatnonzero(distance < radius_deg - 1e-9)} <= found
    assert found <= {int(place) for place in np.flatnonzero(distance <= radius_deg + 1e-9)}


def _move(centre: tuple[float, float], turn_deg: float, by_deg: float) -> tuple[float, float]:
    ra, dec = offset_by(*map(math.radians, (*centre, turn_deg, by_deg)))
    return float(Angle(ra, "rad").deg) % 360 % 360, float(Angle(dec, "rad").deg)


def test_a_cone_is_asked_by_the_index_of_positions(empty: Database) -> None:
    """Whatever else is asked, and however rows are sorted, while nothing is known of their numbers."""
    index = fill(empty, read_columns(), SOME)
    empty.execute("SET enable_seqscan = off") if "postgres" in empty.shown else None
    one, other = 'cone(150.1, 2.2, 0.1) and instrume = "WFC3"', "cone(0, -30, 0.1)"
    both, any_state = f"{one} or {other}", f'{other} and state != "vanished"'
    for words in ((one,), (one, "path, number"), (one, "path", "-exptime"), (both,), (any_state,)):
        statement = plan_rows(make_question(index.fields, *words), is_sqlite="sqlite" in empty.shown)
        if "sqlite" in empty.shown:
            plan = empty.read(f"EXPLAIN QUERY PLAN {statement.sql}", statement.values)
            assert re.search(r"SEARCH primary_hdu USING INDEX hdus_place \(dec>", str(plan)), plan
        else:
            assert "hdus_place" in str(empty.read(f"EXPLAIN {statement.sql}", statement.values))


def test_what_is_missing_is_found_by_names_in_any_directory(index: Index) -> None:
    rules = choose_rules(["*_raw.fits: *_flt.fits", "ib*_raw.fits: *_x.fits, *b1_raw.fits", r"*%_x.fits: *\_x"], ())
    found = find_missing(index, rules, "exptime > 100 or exptime is null")
    assert [one.count for one in found] == [1, 1, 1]
    assert [(lack.exposure, lack.missing) for one in found for lack in one.list_incomplete()] == [
        ("ib2_raw.fits", ("ib2_flt.fits",)),
        ("ib2_raw.fits", ("2_x.fits", "2b1_raw.fits")),
        ("100%_x.fits", (r"100\_x",)),
    ]


def test_text_is_in_the_order_of_its_codes(empty: Database) -> None:
    index = fill(empty, read_columns(), [File(text, {"object": text}) for text in ("b", "B", "a", "Z", "é")])
    assert ask(index, sort="object") == ["B", "Z", "a", "b", "é"]
    assert ask(index, 'object < "a"') == ["B", "Z"]
    assert ask(index, 'object between "B" and "a"') == ["B", "Z", "a"]
