"""What an ``astroquery:`` address asks for (ARCH-8)."""

from __future__ import annotations

import math
from typing import Any

import pytest

from runner.archive.fetch.sources.mast_query import Request, parse_request, plan_criteria, plan_filters
from runner.errors import UserError

TYPES = {"obs_collection": "string", "target_name": "string", "calib_level": "integer", "t_min": "float",
         "s_dec": "float"}  # fmt: skip
PRODUCTS = ("productType", "productSubGroupDescription", "size")
MJD_2024 = 60310.0


def _plan(text: str) -> dict[str, Any]:
    return plan_criteria(parse_request(f"astroquery:{text}").criteria, TYPES)


def _filter(text: str) -> dict[str, Any]:
    return plan_filters(parse_request(f"astroquery:obs_collection=HST;{text}").filters, PRODUCTS)


@pytest.mark.parametrize(
    ("text", "criteria"),
    [
        ("obs_collection=HST", {"obs_collection": ["HST"]}),
        ("obs_collection=HST|JWST , calib_level=2|3", {"obs_collection": ["HST", "JWST"], "calib_level": ["2", "3"]}),
        ("OBS_COLLECTION = HST", {"obs_collection": ["HST"]}),
        ("target_name=\"NGC 1, 2|3; x\"|M31*", {"target_name": ["NGC 1, 2|3; x", "M31*"]}),
        ("t_min=59000", {"t_min": [59000.0, 59000.0]}),
        ("t_min=59000..60000.5", {"t_min": [59000.0, 60000.5]}),
        ("s_dec=-10..-5e-1", {"s_dec": [-10.0, -0.5]}),
        ("t_min>=59000", {"t_min": [59000.0, 1e30]}),
        ("t_min>59000", {"t_min": [math.nextafter(59000.0, math.inf), 1e30]}),
        ("t_min>=2024-01-01,t_min<=60400", {"t_min": [MJD_2024, 60400.0]}),
        ("t_min<2024-01-01", {"t_min": [-1e30, math.nextafter(MJD_2024, 0)]}),
        ("coordinates=150.1 -2.2,radius=0.1", {"coordinates": "150.1d -2.2d", "radius": "0.1d"}),
    ],
)  # fmt: skip
def test_criteria_are_as_astroquery_takes_them(text: str, criteria: dict[str, Any]) -> None:
    assert _plan(text) == criteria


@pytest.mark.parametrize(
    ("text", "filters"),
    [
        ("productSubGroupDescription=FLT|RAW", {"productSubGroupDescription": ["FLT", "RAW"]}),
        ("producttype=SCIENCE,size<1000", {"productType": ["SCIENCE"], "size": ["<1000"]}),
        ("size>=5", {"size": [">=5"]}),
        ("extension=_flt.fits,mrp_only=true", {"extension": ["_flt.fits"], "mrp_only": True}),
    ],
)
def test_filters_are_as_astroquery_takes_them(text: str, filters: dict[str, Any]) -> None:
    assert _filter(text) == filters


def test_products_are_named_by_their_uris() -> None:
    uris = ("mast:HST/product/a.fits", "mast:JWST/product/b c.fits".replace(" ", "_"))
    assert parse_request("astroquery:" + "|".join(uris)) == Request(products=uris)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "write NAME=VALUE,NAME=VALUE for observations"),
        ("a=1;b=2;c=3", "write NAME=VALUE,NAME=VALUE for observations"),
        ("HST", '"HST" is no criterion; write NAME=VALUE'),
        ("obs_collection=", '"obs_collection=" is no criterion'),
        ('target_name="M31', 'a " is not closed'),
        ("mast:nothing", '"mast:nothing" is no product; write mast:HST/product/NAME'),
        ("obs_colection=HST", '"obs_colection" is no criterion of MAST; did you mean "obs_collection"?'),
        ("obs_collection>HST", "obs_collection>HST: only numbers are compared"),
        ("calib_level=2,calib_level=3", "calib_level is asked for twice; write calib_level=A|B"),
        ("target_name=M*|N*", "target_name: MAST takes one value with a *"),
        ("t_min=1|2", "t_min is a number: it takes one value or A..B"),
        ("t_min>1..2", "t_min>1..2: write t_min=1..2"),
        ("t_min=nan", 't_min: "nan" is neither a number nor a day'),
        ("t_min>5,t_min<3", "no t_min is >5 and <3"),
        ("coordinates=M31,radius=1", 'coordinates: "M31" is not in degrees'),
        ("target_name\x1b=1", '"target_name\\x1b=1" is no criterion'),
    ],
)
def test_a_mistake_is_named(text: str, said: str) -> None:
    with pytest.raises(UserError) as mistake:
        _plan(text)
    assert str(mistake.value).startswith(f"astroquery: {said}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("productTyp=SCIENCE", '"productTyp" is no filter of products of MAST; did you mean "productType"?'),
        ("productType=*", "productType: products are not chosen by a *"),
        ("mrp_only=perhaps", "mrp_only is true or left out"),
        ("size>1,size<3", "size is asked for twice"),
    ],
)
def test_a_mistake_in_a_filter_is_named(text: str, said: str) -> None:
    with pytest.raises(UserError) as mistake:
        _filter(text)
    assert str(mistake.value).startswith(f"astroquery: {said}")
