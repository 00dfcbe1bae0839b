"""MAST through the unmodified astroquery, in a process of its own, against a local stand-in (ARCH-8)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mast_server
import pytest
from mast_server import Mast

TESTS = Path(__file__).parents[1]
RAW = "HST/icau01010/icau01010_raw.fits"
FLT = "HST/icau01010/icau01010_flt.fits"
ADDRESSES = {
    "all of one instrument": "obs_collection=HST,instrument_name=WFC3*",
    "some products": "obs_id=icau01010;productSubGroupDescription=FLT|DRZ,productType=SCIENCE",
    "an end of names": "obs_id=icau01010;extension=_raw.fits",
    "large products": "obs_id=icau01010|icau02020;size>10",
    "a day and later": "obs_id=icau*,t_min>=2023-02-25",
    "later than a day": "obs_id=icau*,t_min>2023-02-25",
    "short": "obs_id=icau*,t_exptime=5..20",
    "nothing": "obs_collection=JWST",
    "a product": "mast:HST/product/icau01010_raw.fits",
    "unknown criterion": "instrument=WFC3",
    "unknown filter": "obs_id=icau01010;productSubgroup=FLT",
    "two wildcards": "obs_id=icau01*|icau02*",
    "no number": "t_min>yesterday",
    **{word: f"target_name={word}" for word in ("HANGS", "FAILS", "DOWN", "HTML", "FORBIDDEN")},
}


@pytest.fixture(scope="module")
def mast() -> Iterator[Mast]:
    server = Mast()
    server.add("icau01010", ["icau01010_raw.fits", "icau01010_flt.fits"])
    server.add("icau02020", ["icau02020_raw.fits"], b"many photons", t_exptime=10.0)
    server.add("old", ["old_raw.fits"], t_min=50000.0, instrument_name="WFPC2/WFC")
    server.add("icau01010_asn", [], t_min=50000.0)
    # The association has the exposure's raw file too.
    server.products.append({**server.products[0], "obsID": server.observations[-1]["obsid"]})
    yield server
    server.stop()


@pytest.fixture(scope="module")
def answers(mast: Mast, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What is said to each of the addresses."""
    environment = {**os.environ, **mast.configure(tmp_path_factory.mktemp("astropy"))}
    command = [sys.executable, "-W", "error", TESTS / "ask_mast.py", "1"]
    command += [f"astroquery:{address}" for address in ADDRESSES.values()]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return dict(zip(ADDRESSES, map(json.loads, done.stdout.splitlines()), strict=True))


def test_products_are_fetched_by_runner_fetch(mast: Mast, tmp_path: Path) -> None:
    environment = {**os.environ, **mast.configure(tmp_path / "astropy")}
    command = [sys.executable, "-W", "error", "-m", "runner.cli.main", "fetch", "astroquery:obs_id=icau0*"]
    done = subprocess.run([*command, tmp_path / "out"], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"3 fetched (26 bytes), 0 present, 0 failed: {tmp_path}/out\n"
    assert (tmp_path / "out" / FLT).read_bytes() == b"photons"


def _names(answer: dict[str, Any]) -> list[str]:
    return [name for name, _, _ in answer["files"]]


def test_a_product_of_several_observations_comes_once(answers: dict[str, dict[str, Any]]) -> None:
    assert _names(answers["all of one instrument"]) == [RAW, FLT, "HST/icau02020/icau02020_raw.fits"]


def test_a_product_has_its_size_and_the_address_of_its_bytes(answers: dict[str, dict[str, Any]], mast: Mast) -> None:
    url = f"{mast.address}/api/v0.1/Download/file?uri=mast:HST/product/icau01010_raw.fits"
    assert answers["an end of names"]["files"] == [[RAW, 7, url]]
    assert answers["a product"]["files"] == [["icau01010_raw.fits", None, url]]


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("some products", [FLT]),
        ("large products", ["HST/icau02020/icau02020_raw.fits"]),
        ("a day and later", [RAW, FLT, "HST/icau02020/icau02020_raw.fits"]),
        ("later than a day", []),
        ("short", ["HST/icau02020/icau02020_raw.fits"]),
        ("nothing", []),
    ],
)
def test_criteria_choose_observations_and_filters_their_products(
    answers: dict[str, dict[str, Any]], asked: str, names: list[str]
) -> None:
    assert _names(answers[asked]) == names


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("unknown criterion", '"instrument" is no criterion of MAST; did you mean "instrument_name"?'),
        ("unknown filter", '"productSubgroup" is no filter of products of MAST; did you mean'),
        ("two wildcards", "obs_id: MAST takes one value with a *"),
        ("no number", 't_min: "yesterday" is neither a number nor a day'),
    ],
)
def test_a_mistake_is_named_in_one_line(answers: dict[str, dict[str, Any]], asked: str, said: str) -> None:
    assert answers[asked]["mistake"].startswith(f"astroquery: {said}")
    assert "\n" not in answers[asked]["mistake"]


@pytest.mark.parametrize("trouble", [mast_server.HANGS, mast_server.DOWN, mast_server.HTML])
def test_a_service_that_does_not_answer_is_down(answers: dict[str, dict[str, Any]], trouble: str) -> None:
    assert (answers[trouble]["down"], answers[trouble]["permanent"]) == (True, False)


def test_what_the_service_refuses_is_final_and_its_own_error_is_not(answers: dict[str, dict[str, Any]]) -> None:
    assert (answers[mast_server.FORBIDDEN]["down"], answers[mast_server.FORBIDDEN]["permanent"]) == (False, True)
    assert (answers[mast_server.FAILS]["down"], answers[mast_server.FAILS]["permanent"]) == (False, False)
    assert "the database\\x1b[2J is busy" in answers[mast_server.FAILS]["refused"]
