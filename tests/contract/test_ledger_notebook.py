"""The page of a run in the lab notebook, over every database and without one (RUN-41, FAULT-43)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from journals import NOW, Journal, end_of, make_journal, start_of

from runner.database.connect import connect
from runner.database.migrate import prepare_schema
from runner.launch.packages import keep_packages, name_packages
from runner.ledger.drain import drain_journal
from runner.ledger.history import open_history
from runner.ledger.notebook import Page

DOWN = "sqlite:////nonexistent/directory/runner.db"
START = start_of(at=NOW - 60)
AT = "2026-11-21T11:59:30.000000Z"


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return make_journal(tmp_path / "state")


@pytest.fixture(params=["drained", "half drained", "down"])
def read(request: pytest.FixtureRequest, database_url: str, journal: Journal) -> Callable[..., Page | None]:
    """Drains all that is told, the half of it, or nothing, and returns the page of the run."""

    def read(*told: dict[str, Any] | bytes, digest: str | None = None) -> Page | None:
        journal.append(START, *told[:1])
        if request.param == "half drained":
            _drain(database_url, journal.state)
        journal.append(*told[1:], end_of(START, packages_digest=digest))
        url = DOWN if request.param == "down" else database_url
        with open_history(url, str(journal.state), NOW, patience_s=0.05) as history:
            return history.find_page(START["run_id"])

    return read


def _drain(url: str, state: Path) -> None:
    with connect(url) as database:
        prepare_schema(database)
        drain_journal(database, str(state), NOW)


def _tell(kind: str, seq: int, **fields: object) -> dict[str, Any]:
    named = {"run_id": START["run_id"], "job": "download", "plan": "download"}
    return {"event": kind, "at": AT, "seq": 2_000_000 + seq, **named, **fields}


def _keep(tmp_path: Path, state: Path, name: str = "astropy-6.1.0.dist-info") -> str:
    (tmp_path / "tree/lib/python3.11/site-packages" / name).mkdir(parents=True)
    return keep_packages(str(state), {"VIRTUAL_ENV": str(tmp_path / "tree")}, "")


def test_what_a_run_read_made_and_noted_is_on_its_page(read: Callable[..., Page]) -> None:
    raw = {"path": "/raw/a.fits", "size_bytes": 7, "digest": "sha256:aa", "source": "https://mast/a.fits"}
    cal = {"path": "/cal/a.fits", "size_bytes": None, "digest": None, "source": None}

    page = read(_tell("input", 1, **raw), _tell("product", 2, **cal), _tell("note", 3, text="seeing 0.7"))

    described = page.describe()
    assert described["inputs"] == [{**raw, "at": AT}]
    assert described["outputs"] == [{**cal, "at": AT}]
    assert described["notes"] == [{"at": AT, "text": "seeing 0.7"}]
    assert (described["release"], described["command"]) == ("-", "jobs/download.py wfc3")


def test_the_same_told_twice_is_once_on_its_page(read: Callable[..., Page]) -> None:
    note = _tell("note", 1, text="x")
    assert len(read(note, note, note).notes) == 1


def test_the_packages_of_a_run_are_on_its_page(read: Callable[..., Page], journal: Journal, tmp_path: Path) -> None:
    page = read(digest=_keep(tmp_path, journal.state))
    named = [{"name": "astropy", "version": "6.1.0"}, {"name": "python", "version": "3.11"}]
    assert page.describe()["packages"] == named


def test_packages_that_nobody_knows_any_more_are_not_said_to_be_none(read: Callable[..., Page]) -> None:
    assert read(digest="0123456789abcdef").describe()["packages"] is None


def test_a_digest_leads_to_no_other_file(read: Callable[..., Page], tmp_path: Path) -> None:
    (tmp_path / "secret.packages").write_text("a 1\n")
    assert read(digest="../../secret").packages is None


def test_a_run_without_an_environment_has_no_packages(read: Callable[..., Page]) -> None:
    assert read().describe()["packages"] == []


def test_events_of_any_form_break_no_page(read: Callable[..., Page]) -> None:
    """A job can write what it likes into the journal of its own account."""
    odd = [_tell("product", 1), _tell("input", 2, path=7, size_bytes="x", digest=[1]), _tell("note", 3, text={"a": 1})]

    page = read(*[b"\n" + json.dumps(one).encode() + b"\n" for one in odd])

    assert [(one.path, one.size_bytes, one.digest) for one in page.outputs + page.inputs] == [
        ("None", None, None),
        ("7", None, None),
    ]
    assert len(page.notes) == 1


def test_a_secret_in_a_note_is_not_in_the_ledger(read: Callable[..., Page]) -> None:
    """SEC-9: a Python job writes without a scrubber of ours."""
    page = read(_tell("note", 1, text='with password=hunter22 "it" worked'))
    assert page.notes == [(AT, 'with password=[secret] "it" worked')]


def test_an_unknown_run_has_no_page(database_url: str, journal: Journal) -> None:
    journal.append(START, end_of(START))
    with open_history(database_url, str(journal.state), NOW) as history:
        assert history.find_page(start_of(at=NOW - 61)["run_id"]) is None


# Lists of packages


def test_a_list_is_in_the_ledger_once_whichever_host_made_it(database_url: str, tmp_path: Path) -> None:
    states = [tmp_path / name for name in ("one", "other")]
    for state in states:
        make_journal(state)
        digest = _keep(tmp_path / state.name / "x", state)
        _drain(database_url, state)
        _drain(database_url, state)

    with connect(database_url) as database:
        assert database.read("SELECT digest FROM package_lists") == [(digest,)]


def test_a_list_outlives_the_state_of_its_host(database_url: str, journal: Journal, tmp_path: Path) -> None:
    digest = _keep(tmp_path, journal.state)
    journal.append(START, end_of(START, packages_digest=digest))
    _drain(database_url, journal.state)
    Path(name_packages(str(journal.state), digest)).unlink()

    with open_history(database_url, str(journal.state), NOW) as history:
        page = history.find_page(START["run_id"])

    assert page
    assert page.packages == [("astropy", "6.1.0"), ("python", "3.11")]
