"""``runner fetch``: its words, its exit codes, what it prints and what it never changes."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from cutting_server import Reply, cutting_server
from fetching import BODY, list_files
from homes import Home


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def test_one_line_says_what_was_fetched(home: Home, out: Path) -> None:
    home.write("data/a.fits", BODY)
    answers = [home.runner("fetch", "file:data", str(out)) for _ in range(2)]
    assert [(one.code, one.err) for one in answers] == [(0, "")] * 2
    assert answers[0].out == f"1 fetched ({len(BODY)} bytes), 0 present, 0 failed: {out}\n"
    assert answers[1].out == f"0 fetched (0 bytes), 1 present, 0 failed: {out}\n"


def test_json_is_an_object_a_file(home: Home, out: Path) -> None:
    home.write("data/a.fits", BODY)
    (first,) = home.runner("fetch", "--json", "file:data", str(out)).objects
    assert (first["name"], first["result"], first["size_bytes"]) == ("a.fits", "fetched", len(BODY))
    assert {"source", "url", "sha256", "reason", "is_permanent"} <= {*first}


def test_a_failure_is_a_line_on_stderr_and_exit_1(home: Home, out: Path) -> None:
    home.write("data/a.fits", BODY)
    with cutting_server(lambda _: Reply(404)) as server:
        answer = home.runner("fetch", f"{server.url}/x.fits", "file:data", str(out))
    assert (answer.code, answer.out) == (1, f"1 fetched ({len(BODY)} bytes), 0 present, 1 failed: {out}\n")
    assert answer.err == f"runner: x.fits: 404 Not Found ({server.url}/x.fits)\n"


def test_a_source_that_is_down_is_exit_75(home: Home, out: Path) -> None:
    home.write("envs/archive.yaml", "fetch: {attempts: 1}\n")
    answer = home.runner("fetch", "http://127.0.0.1:9/x.fits", str(out))
    assert answer.code == 75
    assert "127.0.0.1:9: Connection refused" in answer.err


def test_a_dry_run_says_what_would_be_done_and_changes_nothing(home: Home, out: Path) -> None:
    for name in ("a", "b"):
        home.write(f"data/{name}.fits", name)
    home.runner("fetch", "file:data/a.fits", str(out))
    before = list_files(out)
    answer = home.runner("fetch", "--dry-run", "file:data", str(out))
    url = f"file://{home.path}/data"
    assert (answer.code, answer.out) == (0, f"present  1  a.fits  {url}/a.fits\nfetch  1  b.fits  {url}/b.fits\n")
    deeds = [one["deed"] for one in home.runner("fetch", "--dry-run", "--json", "file:data", str(out)).objects]
    assert deeds == ["present", "fetch"]
    assert list_files(out) == before
    assert not (out.parent / "new").exists()
    assert home.runner("fetch", "--dry-run", "file:data", str(out.parent / "new")).code == 0
    assert not (out.parent / "new").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["htp://h/a", "out"], 'did you mean "http"?'),
        (["http://", "out"], "is no address"),
        (["http://h:x/a", "out"], "is no address"),
        (["", "out"], "the name of a source is empty"),
        (["file:a", "--connections", "0", "out"], "--connections"),
        (["out"], "Missing argument"),
    ],
)
def test_a_mistake_is_exit_2_and_changes_nothing(home: Home, words: list[str], said: str) -> None:
    answer = home.runner("fetch", *words)
    assert (answer.code, said in answer.err) == (2, True), answer.err
    assert not Path("out").exists()


def test_a_fetch_needs_no_home(out: Path, tmp_path: Path) -> None:
    (tmp_path / "a.fits").write_bytes(BODY)
    (tmp_path / "settings").write_text("fetch: {connections: 1}\n")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RUNNER_")}
    words = [sys.executable, "-m", "runner.cli.main", "fetch", "--config", "settings", "a.fits", "out"]
    subprocess.run(words, cwd=tmp_path, env=environment, check=True, capture_output=True)
    assert list_files(out) == {"a.fits": BODY}


def test_wrong_settings_are_named(home: Home, out: Path) -> None:
    home.write("envs/archive.yaml", "fetch: {conections: 1}\n")
    answer = home.runner("fetch", "file:data", str(out))
    assert (answer.code, "envs/archive.yaml:1:9" in answer.err) == (2, True)


def test_what_a_server_says_is_not_acted_on_by_the_terminal(home: Home, out: Path) -> None:
    """SEC-10."""
    with cutting_server(lambda _: Reply(200, b'<a href="a%1b%5b2J.fits">x</a>')) as server:
        answer = home.runner("fetch", f"{server.url}/d/", str(out))
    assert answer.code == 1
    assert "\x1b" not in answer.err + answer.out


def test_a_bar_is_shown_on_a_terminal_only(out: Path, tmp_path: Path) -> None:
    (tmp_path / "a.fits").write_bytes(BODY)
    master, slave = pty.openpty()
    words = [sys.executable, "-m", "runner.cli.main", "fetch", str(tmp_path / "a.fits"), str(out)]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=slave, env={**os.environ, "TERM": "xterm"}, check=True)
    os.close(slave)
    assert b"of 1 files" in os.read(master, 1 << 16)
    assert done.stdout.startswith(b"1 fetched")
    os.close(master)


def test_help_and_a_fetch_import_nothing_of_astronomy_or_clouds(tmp_path: Path) -> None:
    (tmp_path / "a.fits").write_bytes(BODY)
    code = (
        "import sys; from runner.cli.main import run; run(['fetch', 'file:a.fits', 'out']);"
        "print({'astropy', 'numpy', 'boto3', 'astroquery', 'sqlalchemy', 'rich'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.splitlines()[1:] == ["set()"], done.stderr
