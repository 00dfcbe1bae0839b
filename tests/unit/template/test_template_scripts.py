"""The scripts of the example site, called with what the wrapper gives them."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runner.demo.archive import publish, serve
from runner.demo.exposures import TRUNCATED, plan_exposures, write_exposure

REPOSITORY = Path(__file__).parents[3]
SCRIPTS = sorted((REPOSITORY / "jobs").glob("*.[!y]*")) + sorted((REPOSITORY / "runner/demo").glob("*/*.*sh"))
NIGHT = plan_exposures(datetime(2026, 11, 20, 4, tzinfo=UTC))
DAMAGED = NIGHT[TRUNCATED].file_name


RUN_ID = "20261120T050500.000000Z-ops1-77"


@pytest.fixture
def data(tmp_path) -> Path:
    """The directory of data in a home."""
    for name in ("jobs", "envs", "data"):
        (tmp_path / name).mkdir()
    return tmp_path / "data"


@pytest.fixture
def archive(tmp_path) -> Iterator[tuple[Path, str]]:
    with serve(tmp_path / "archive") as url:
        yield tmp_path / "archive", url


def run(script: str, *arguments: str, data: Path, url: str = "") -> subprocess.CompletedProcess[str]:
    """Run a script of the template in the environment of its profile."""
    environment = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": str(data.parent),
        "DATA": str(data),
        "ARCHIVE_URL": url,
        "RUNNER_HOME": str(data.parent),
        "RUNNER_SLOT": "2026-11-20T05:05:00Z",
        "RUNNER_RUN_ID": RUN_ID,
    }
    command = [REPOSITORY / "jobs" / script, *arguments]
    return subprocess.run(command, env=environment, cwd=data.parent, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_is_executable_and_names_its_interpreter(script):
    assert os.access(script, os.X_OK)
    assert script.read_bytes().startswith(b"#!/")


# Download (ARCH-1, ARCH-3)


def test_download_fetches_what_the_archive_has(archive, data):
    publish(archive[0], NIGHT[:2])
    done = run("download.py", "wfc3", data=data, url=archive[1])
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("2 fetched, 0 present, 0 failed\n")
    for exposure in NIGHT[:2]:
        assert (data / exposure.file_name).read_bytes() == (archive[0] / "wfc3" / exposure.file_name).read_bytes()


def test_download_leaves_what_is_there_alone(archive, data):
    publish(archive[0], NIGHT[:1])
    run("download.py", "wfc3", data=data, url=archive[1])
    before = (data / NIGHT[0].file_name).stat()
    done = run("download.py", "wfc3", data=data, url=archive[1])
    assert done.stdout == "slot 2026-11-20T05:05:00Z: 0 fetched, 1 present, 0 failed\n"
    assert (data / NIGHT[0].file_name).stat() == before


def test_a_file_of_the_wrong_size_keeps_no_final_name_and_stops_no_other(archive, data):
    publish(archive[0], NIGHT[:2])
    with (archive[0] / "wfc3" / NIGHT[0].file_name).open("ab") as file:
        file.write(b"more than was announced")
    done = run("download.py", "wfc3", data=data, url=archive[1])
    assert done.returncode == 1
    assert "it has 25943 bytes, and 25920 were announced" in done.stderr
    assert not (data / NIGHT[0].file_name).exists()
    assert (data / NIGHT[1].file_name).exists()


def test_an_archive_that_gives_no_list_is_asked_again_by_the_next_run(archive, data):
    done = run("download.py", "wfc3", data=data, url=archive[1])
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    publish(archive[0], NIGHT[:1])
    assert run("download.py", "wfc3", data=data, url=archive[1]).stdout.endswith("1 fetched, 0 present, 0 failed\n")


def test_an_archive_that_does_not_answer_means_try_later(data):
    (data.parent / "envs/archive.yaml").write_text("fetch: {attempts: 1}\n")
    done = run("download.py", "wfc3", data=data, url="http://127.0.0.1:1")
    assert (done.returncode, done.stderr.count("\n")) == (75, 1)


def test_a_name_that_would_leave_the_directory_is_refused(archive, data):
    publish(archive[0], NIGHT[:1])
    (archive[0] / "wfc3/products.csv").write_text(f"name,size\n../evil.fits,1\n{NIGHT[0].file_name},25920\n")
    done = run("download.py", "wfc3", data=data, url=archive[1])
    assert done.returncode == 1
    assert "../evil.fits" in done.stderr
    assert not (data.parent / "evil.fits").exists()
    assert (data / NIGHT[0].file_name).exists()


# Index (ARCH-24, ARCH-27)


def rows_of(data: Path) -> dict[str, sqlite3.Row]:
    index = sqlite3.connect(data.parent / "state" / "runner.db")
    index.row_factory = sqlite3.Row
    sql = "SELECT * FROM files LEFT JOIN hdus ON file_id = id AND number = 0 ORDER BY path"
    rows = {row["path"]: row for row in index.execute(sql)}
    index.close()
    return rows


def test_index_takes_the_values_from_the_headers(data):
    write_exposure(NIGHT[3], data)
    run("index.py", data=data)
    row = rows_of(data)[NIGHT[3].file_name]
    assert (row["detector"], row["filter"], row["object"], row["exptime"]) == ("UVIS", "F814W", "NGC-4258", 352.94)
    assert (row["obs_at"], row["ra"], row["run_id"]) == ("2026-11-20T04:45:00.000000Z", 184.7401, RUN_ID)


def test_a_damaged_file_is_one_line_on_stderr_and_the_others_are_indexed(data):
    for exposure in NIGHT[:4]:
        write_exposure(exposure, data)
    done = run("index.py", data=data)
    assert done.returncode == 0
    assert done.stderr.startswith(f"index.py: 3 of 4 indexed, 1 new bad: {data / DAMAGED}: HDU 2: its data are")
    assert done.stderr.count("\n") == 1
    assert [row["state"] for row in rows_of(data).values()] == ["ok", "ok", "bad", "ok"]


@pytest.mark.parametrize("size", [0, 1000, 5000, 10_000, 20_000])
def test_a_file_cut_anywhere_is_damaged(data, size):
    path = write_exposure(NIGHT[0], data)
    path.write_bytes(path.read_bytes()[:size])
    done = run("index.py", data=data)
    assert (done.returncode, done.stderr.count("\n")) == (0, 1)


def test_indexing_again_reads_nothing_and_says_nothing(data):
    for exposure in NIGHT[:4]:
        write_exposure(exposure, data)
    run("index.py", data=data)
    before = {name: tuple(row) for name, row in rows_of(data).items()}
    done = run("index.py", data=data)
    assert done.stdout.startswith("slot 2026-11-20T05:05:00Z: 0 indexed, 0 new bad, 1 known bad, 3 unchanged,")
    assert done.stderr == ""
    assert {name: tuple(row) for name, row in rows_of(data).items()} == before


def test_a_file_that_was_mended_is_indexed_again(data):
    path = write_exposure(NIGHT[0], data)
    whole = path.read_bytes()
    path.write_bytes(whole[:20_000])
    run("index.py", data=data)
    path.write_bytes(whole)
    run("index.py", data=data)
    assert rows_of(data)[path.name]["state"] == "ok"


def test_an_index_that_cannot_be_had_means_try_later(data):
    (data.parent / "envs/site.yaml").write_text("database: postgresql://nobody@127.0.0.1:1/x\n")
    done = run("index.py", data=data)
    assert (done.returncode, done.stderr.count("\n")) == (75, 1)


# The team's own programs


def test_exposure_times_are_added_up_for_each_filter(data):
    for exposure in NIGHT[:6]:
        write_exposure(exposure, data)
    run("cards.sh", "cards.txt", data=data)
    done = run("exposures.awk", "cards.txt", data=data)
    assert done.stdout.splitlines() == [
        "exposures at slot 2026-11-20T05:05:00Z",
        "F110W      2 exposures     655.9 s",
        "F160W      2 exposures     705.9 s",
        "F336W      1 exposures     327.9 s",
        "F814W      1 exposures     352.9 s",
    ]


def test_no_data_is_no_trouble_for_any_job_on_the_data(data):
    assert run("index.py", data=data).returncode == 0
    assert run("cards.sh", "cards.txt", data=data).returncode == 0
    assert run("exposures.awk", "cards.txt", data=data).stdout == "exposures at slot 2026-11-20T05:05:00Z\n"
    assert run("disk-check.sh", "1", "36", data=data).stderr == ""


def test_disk_check_says_nothing_on_stderr_while_all_is_well(data):
    write_exposure(NIGHT[0], data)
    done = run("disk-check.sh", "1", "36", data=data)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(f"newest file: {NIGHT[0].file_name}, 0 h old\n")


def test_disk_check_warns_of_a_full_disk_and_of_data_that_stopped_coming(data):
    old = write_exposure(NIGHT[0], data)
    os.utime(old, (1_000_000_000, 1_000_000_000))
    done = run("disk-check.sh", "999999999", "36", data=data)
    assert done.returncode == 0
    free, newest = done.stderr.splitlines()
    assert free.endswith("at least 999999999 wanted")
    assert newest.startswith("disk-check: no new file for ")
    assert newest.endswith(NIGHT[0].file_name)
