"""From text to what an expression says, and where it is wrong (ARCH-40)."""

from __future__ import annotations

from contextlib import suppress

import hypothesis
import pytest
from expressions import FIELDS, conditions, write
from hypothesis import strategies as st

from runner.archive.find.fields import list_fields, make_card
from runner.archive.find.parse import DEEPEST, MOST_QUESTIONS, parse_columns, parse_expression, parse_sort
from runner.archive.find.tree import And, Compare, Condition, Cone, In, IsNull, Like, Not, Or, Period
from runner.archive.settings import read_archive
from runner.errors import UserError

OBJECT, EXPTIME, OBS_AT, DATE_OBS = (FIELDS.by_name[name] for name in ("object", "exptime", "obs_at", "date_obs"))
RA, DEC = FIELDS.by_name["ra"], FIELDS.by_name["dec"]
ONE, TWO, THREE = (Compare(EXPTIME, "=", float(number)) for number in (1, 2, 3))


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("", None),
        (" \t\n", None),
        ("exptime=1", ONE),
        ("EXPTIME == 1.0", ONE),
        ("Exposure=+1e0", ONE),
        ("exptime = 1 or exptime = 2 and exptime = 3", Or((ONE, And((TWO, THREE))))),
        ("(exptime = 1 OR exptime = 2) AND exptime = 3", And((Or((ONE, TWO)), THREE))),
        ("not exptime = 1 and exptime = 2", And((Not(ONE), TWO))),
        ("not (exptime = 1 and exptime = 2)", Not(And((ONE, TWO)))),
        ("((((exptime = 1))))", ONE),
        ("object <> 'it''s'", Compare(OBJECT, "!=", "it's")),
        ('targname = "say ""no"""', Compare(OBJECT, "=", 'say "no"')),
        ('object not in ("a","b")', Not(In(OBJECT, ("a", "b")))),
        ('object not like "a%"', Not(Like(OBJECT, "a%"))),
        ("object is not null", Not(IsNull(OBJECT))),
        (
            "exptime not between -1 and .5",
            Not(And((Compare(EXPTIME, ">=", -1.0), Compare(EXPTIME, "<=", 0.5)))),
        ),
        ("obs_at < 2024-12", Compare(OBS_AT, "<", Period("2024-12", "2025-01"))),
        ('obs_at < "2024-12-31 23:59Z"', Compare(OBS_AT, "<", Period("2024-12-31T23:59", "2025-01-01T00:00"))),
        ("DATE-OBS = 2024-01-01", Compare(DATE_OBS, "=", Period("2024-01-01", "2024-01-02"))),
        ('date_obs = "2024-01-01"', Compare(DATE_OBS, "=", "2024-01-01")),
        ("cone(150.1,2.2,0.1)", Cone(RA, DEC, 150.1, 2.2, 0.1)),
        ("CONE ( '10:00:24', '-02:30:00', '30 arcsec' )", Cone(RA, DEC, 150.1, -2.5, 30 / 3600)),
        ('header.gain = "x"', Compare(make_card("GAIN"), "=", "x")),
        ('header . "hierarch ESO  ins name" is null', IsNull(make_card("ESO INS NAME"))),
        ("calibrated != f", Compare(FIELDS.by_name["calibrated"], "!=", False)),
        ("size_bytes = 99999999999999999999", Compare(FIELDS.by_name["size_bytes"], "=", 1e20)),
    ],
)
def test_an_expression_says(text: str, condition: Condition | None) -> None:
    assert parse_expression(text, FIELDS) == condition


@hypothesis.given(condition=conditions)
def test_what_is_written_is_read_as_the_same(condition: Condition) -> None:
    assert parse_expression(write(condition), FIELDS) == condition


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("exptme > 1", 1, 'no column is called "exptme"; did you mean "exptime"?'),
        ("exptime > 1 and DETEKTOR = 'x'", 17, 'no column is called "DETEKTOR"; did you mean "detector"?'),
        ("quux > 1", 1, 'no column is called "quux"; other keywords are asked for as header.KEYWORD'),
        ('exptime > "x"', 11, '"exptime" is a number, the text "x" is not; write a number'),
        ('exptime > "5"', 11, '"exptime" is a number, the text "5" is not; write it without quotes'),
        ("exptime in (1, 2, '3')", 19, '"exptime" is a number, the text "3" is not; write it without quotes'),
        ("exptime = 2024-01-01", 11, '"exptime" is a number, "2024-01-01" is not; write a number'),
        ("object = 5", 10, '"object" is text, "5" is not; write text in quotes: "5"'),
        ("object = WFC3", 10, '"WFC3" is no value; write text in quotes: "WFC3"'),
        ("object = T", 10, '"object" is text, "T" is not; write text in quotes: "T"'),
        ("obs_at > 60000.5", 10, '"obs_at" is a time, "60000.5" is not; write one like 2024-01-31'),
        ("obs_at > 2024-02-30", 10, 'there is no such time as "2024-02-30"'),
        ('obs_at > "yesterday"', 10, '"yesterday" is no time; write one like 2024-01-31'),
        ("obs_at like '2024%'", 8, '"obs_at" is a time, no text'),
        ("calibrated = 1", 14, '"calibrated" is true or false, "1" is not; write true or false'),
        ("calibrated > T", 14, "true and false have no order; use = or !="),
        ("header.X between T and F", 18, "true and false have no order; use = or !="),
        ("object = null", 10, "nothing is equal to null; write is null"),
        ("object like 5", 13, 'a pattern in quotes is expected, not "5"'),
        ("exptime = 1e999", 11, "such a large number is in no header"),
        ("'object' = 5", 1, "the name of a column is expected, not the text \"object\"; a name has no quotes"),
        ("exptime > 1 2", 13, '"and", "or" or the end is expected, not "2"'),
        ("exptime => 1", 10, 'a value is expected, not ">"'),
        ("exptime", 8, "a comparison (= != < <= > >=), in, like, between or is is expected where it ends"),
        ("exptime not = 1", 13, 'in, like or between is expected, not "="'),
        ("(exptime = 1", 13, '")" is expected where it ends'),
        ("exptime = 1 or", 15, "the name of a column is expected where it ends"),
        ("exptime between 1 or 2", 19, '"and" is expected, not "or"'),
        ("exptime in ()", 13, 'a value is expected, not ")"'),
        ('object = "abc', 10, "this quote is never closed"),
        ("exptime > 1x", 11, '"1x" is neither a name, a number nor a date'),
        ("exptime > 1; drop", 12, '";" is neither a name, a number nor a date'),
        ("object = 'a\0b'", 12, "no character of a text"),
        ("object = '\udcff'", 11, "no character of a text"),
        ("cone(2.2, 150.1, 1)", 11, "the declination is from -90 to 90 degrees; the order is cone(ra, dec, radius)"),
        ("cone(1, 2, 'wide')", 12, "a radius is a number of degrees, or a text like 5 arcmin, 30 arcsec"),
        ("cone(1, 2)", 10, '"," is expected, not ")"'),
        ("cone(ra, dec, 1)", 6, 'cone takes ra, dec and radius in degrees, not "ra"'),
    ],
)  # fmt: skip
def test_a_mistake_is_shown_at_its_place(text: str, place: int, message: str) -> None:
    with pytest.raises(UserError) as raised:
        parse_expression(text, FIELDS)
    said, shown, arrow = str(raised.value).split("\n")
    assert said.startswith(f"character {place}: {message}")
    assert shown.strip() in "".join(c if c.isprintable() else " " for c in text)
    assert arrow.index("^") == place + 1


@pytest.mark.parametrize(
    "text",
    [
        "(" * 50_000 + "exptime = 1" + ")" * 49_000,
        "not " * 20_000 + "exptime = 1",
        "(not " * 15_000,
        " or ".join(["exptime = 1"] * 5000),
        "obs_at in (" + ",".join(["2024-01-01"] * 5000) + ")",
        "object = '" + "x" * 200_000 + "'",
        "exptime = " + "9" * 90_000,
        "exptime = " + "0" * 90_000 + "1",
        "x" * 90_000,
        "'" * 90_001,
        "- " * 40_000,
    ],
)
def test_a_hostile_expression_is_one_short_mistake(text: str) -> None:
    with pytest.raises(UserError) as raised:
        parse_expression(text, FIELDS)
    assert max(map(len, str(raised.value).split("\n"))) < 160


def test_as_much_as_is_allowed_is_read() -> None:
    many = " and ".join(["exptime = 1"] * MOST_QUESTIONS)
    parse_expression(f"{'(' * DEEPEST}{many}{')' * DEEPEST}", FIELDS)
    parse_expression(f"object in ({','.join(['1'.join(chr(34) * 2)] * 10_000)})", FIELDS)


@hypothesis.given(
    text=st.lists(
        st.sampled_from([*"()=<>!,.'\"-T ", " and ", " not ", "in", "exptime", "cone(", "1", "2024-01", "é"])
    ).map("".join)
)
def test_any_text_says_something_or_is_a_mistake(text: str) -> None:
    with suppress(UserError):
        parse_expression(text, FIELDS)


def test_a_place_far_inside_is_shown_with_what_stands_around_it() -> None:
    text = f"{' and '.join(['exptime = 1'] * 30)} and wrong = 1 and {' and '.join(['exptime = 1'] * 30)}"
    with pytest.raises(UserError) as raised:
        parse_expression(text, FIELDS)
    _, shown, arrow = str(raised.value).split("\n")
    assert shown[arrow.index("^") :].startswith("wrong = 1")
    assert len(shown) < 80


def test_columns_are_listed_once_each_by_any_of_their_names() -> None:
    assert parse_columns("exptime, EXPTIME,exposure ,header.GAIN", FIELDS) == (EXPTIME, make_card("GAIN"))
    assert parse_sort("-exptime,object", FIELDS) == ((EXPTIME, True), (OBJECT, False))


@pytest.mark.parametrize(("text", "place"), [("exptime,", 9), ("exptime object", 9), ("-exptime", 1), ("wrong", 1)])
def test_a_wrong_list_of_columns_is_shown_at_its_place(text: str, place: int) -> None:
    with pytest.raises(UserError, match=f"^character {place}: "):
        parse_columns(text, FIELDS)


def test_a_value_of_a_header_is_nothing_to_sort_by() -> None:
    with pytest.raises(UserError, match="character 2: a value of a header has no type"):
        parse_sort("-header.GAIN", FIELDS)


def test_a_home_says_what_it_does_not_have() -> None:
    fields = list_fields(read_archive(None))
    with pytest.raises(UserError, match='no whole headers; write "header: true" in envs/archive'):
        parse_expression("header.GAIN = 1", fields)


def test_the_default_columns_are_found_by_their_keywords_too() -> None:
    fields = list_fields(read_archive(None))
    names = {"RA_TARG": "ra", "CRVAL1": "ra", "DATE-OBS": "date_obs", "MJD-OBS": "mjd_obs", "FILTER1": "filter"}
    assert {keyword: fields.find_field(keyword.lower()).name for keyword in names} == names
    assert [field.name for field in fields.list_shown(is_each=False)][:3] == ["path", "instrume", "filter"]
