"""A file that a run has brought is a product in the journal, and in the ledger (ARCH-11)."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from archives import Tree
from fetching import fetch, list_files

from runner.database.connect import connect
from runner.database.migrate import prepare_schema
from runner.home.product import Maker, Product, find_maker, make_seq, record_product
from runner.launch.journal import LOST_SEQ, make_run_id
from runner.launch.state import make_state
from runner.ledger.drain import drain_journal

RUN_ID = make_run_id(1_795_000_000.0, "ops1", 4242)
PRODUCT = Product("/data/a.fits", 5, "sha256:00", "https://h/a.fits")


@pytest.fixture
def maker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Maker:
    """The run in whose environment a fetch is."""
    state = tmp_path / "state"
    make_state(str(state))
    monkeypatch.setenv("RUNNER_STATE", str(state))
    monkeypatch.setenv("RUNNER_RUN_ID", RUN_ID)
    monkeypatch.setenv("RUNNER_JOB", "download")
    monkeypatch.setenv("RUNNER_WORK", f"{state}/work/download@dsoc-prod")
    return Maker(str(state), RUN_ID, "download@dsoc-prod", "download")


def read_events(maker: Maker, kind: str) -> list[dict[str, object]]:
    lines = (line for path in Path(maker.state, "journal").glob("*.jsonl") for line in path.read_text().splitlines())
    return [event for line in lines if line and (event := json.loads(line))["event"] == kind]


def test_a_run_is_known_by_its_environment(maker: Maker) -> None:
    assert find_maker(os.environ) == maker
    assert find_maker({"RUNNER_STATE": "/state"}) is None


def test_the_number_of_a_product_is_always_the_same_and_that_of_no_other_event() -> None:
    assert make_seq("/data/a.fits") == make_seq("/data/a.fits") != make_seq("/data/b.fits")
    assert LOST_SEQ < make_seq("/data/a.fits") < 2**63


def test_each_file_that_is_fetched_is_a_product_of_the_run(maker: Maker, tmp_path: Path) -> None:
    (tmp_path / "a.fits").write_bytes(b"hello")
    for _ in range(2):
        fetch(f"file:{tmp_path}/a.fits", tmp_path / "out")
    (event,) = read_events(maker, "product")
    assert {key: event[key] for key in ("event", "run_id", "plan", "job", "path", "size_bytes", "source")} == {
        "event": "product",
        "run_id": RUN_ID,
        "plan": "download@dsoc-prod",
        "job": "download",
        "path": f"{tmp_path}/out/a.fits",
        "size_bytes": 5,
        "source": f"file://{tmp_path}/a.fits",
    }
    assert str(event["digest"]).startswith("sha256:2cf24dba5fb0")
    assert f'"run_id": "{RUN_ID}"' in (tmp_path / "out/.manifest.jsonl").read_text()


def test_what_became_of_each_source_is_noted_with_the_run(maker: Maker, tmp_path: Path) -> None:
    """ARCH-11: also what failed, why, and whether it is asked for again."""
    source = tmp_path / "night"
    source.mkdir()
    (source / "a.fits").write_bytes(b"hello")
    missing = f"file:{tmp_path}/none.fits"
    fetch([f"file:{source}", missing], tmp_path / "out")
    fetch(f"file:{source}", tmp_path / "out")
    assert [event["text"] for event in read_events(maker, "note")] == [
        f"fetch file:{source}: 1 fetched, 0 present, 0 failed",
        f"fetch {missing}: 0 fetched, 0 present, 1 failed: No such file or directory: {tmp_path}/none.fits, for good",
        f"fetch file:{source}: 0 fetched, 1 present, 0 failed",
    ]


def test_what_an_index_came_to_is_noted_with_the_run(maker: Maker, tmp_path: Path) -> None:
    """ARCH-31."""
    (tmp_path / "archive").mkdir()
    tree = Tree(tmp_path / "archive", f"sqlite:///{tmp_path}/runner.db")
    tree.write("a.fits")
    tree.write("b.fits", b"")
    tree.index(is_dry=True)
    tree.index()
    assert [event["text"] for event in read_events(maker, "note")] == ["index: 1 indexed, 1 new bad"]


def test_an_index_goes_on_without_a_journal(maker: Maker, tmp_path: Path) -> None:
    Path(maker.state, "journal").rmdir()
    (tmp_path / "archive").mkdir()
    tree = Tree(tmp_path / "archive", f"sqlite:///{tmp_path}/runner.db")
    tree.write("a.fits")
    summary = tree.index()
    assert (summary.indexed, len(summary.list_findings())) == (1, 1)
    assert "is not in the journal: " in summary.list_findings()[0]


def test_a_product_that_is_told_twice_is_in_the_ledger_once(maker: Maker, tmp_path: Path) -> None:
    record_product(maker, PRODUCT)
    record_product(maker, PRODUCT)
    with connect(f"sqlite:///{tmp_path}/runner.db") as database:
        prepare_schema(database)
        drained = drain_journal(database, maker.state, 1_795_000_100.0)
        rows = database.read("SELECT run_id, event FROM events")
    assert (drained.rejected, rows) == ((), [(RUN_ID, "product")])


def test_a_very_long_path_is_cut_and_the_event_kept(maker: Maker) -> None:
    record_product(maker, Product("/x" * 3000, 5, "sha256:00", "https://h/" + "y" * 3000))
    (event,) = read_events(maker, "product")
    assert str(event["path"]).endswith("...")


def test_a_journal_that_cannot_be_written_costs_no_file(maker: Maker, tmp_path: Path) -> None:
    journal = Path(maker.state, "journal")
    journal.rmdir()
    journal.write_text("in the way")
    for name in ("a", "b"):
        (tmp_path / f"{name}.fits").write_text(name)
    summary = fetch([f"file:{tmp_path}/a.fits", f"file:{tmp_path}/b.fits"], tmp_path / "out")
    assert list_files(tmp_path / "out") == {"a.fits": b"a", "b.fits": b"b"}
    assert len(summary.warnings) == 1
    assert "Not a directory" in summary.warnings[0]
