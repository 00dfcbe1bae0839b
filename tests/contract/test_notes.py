"""What a job tells of itself is the same event whichever way it tells: by ``runner note`` or in Python (RUN-14)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from lab import SLOT, Lab, need_program
from pythons import find_pythons

from runner.launch.journal import LOST_SEQ, MAX_BYTES
from runner.ledger.record import parse_event

# (what, value): product, input, note.
Told = Iterable[tuple[str, str]]
Tell = Callable[[Lab, Told], None]
IMPORT = "from runner.job import note, product, set_up_logging, used\nset_up_logging()"


def _tell_in_shell(shell: str) -> Tell:
    def tell(lab: Lab, told: Told) -> None:
        need_program(shell)
        options = {"product": "--product ", "input": "--input ", "note": "-- "}
        calls = ['"$RUNNER_HOME"/.runner/bin/runner note ' + f"{options[kind]}'{value}'" for kind, value in told]
        lab.job("job", "\n".join(calls), interpreter=f"/bin/{shell}")

    return tell


def _tell_in_python(python: str) -> Tell:
    def tell(lab: Lab, told: Told) -> None:
        names = {"product": "product", "input": "used", "note": "note"}
        lab.job("job", "\n".join([IMPORT, *[f"{names[kind]}({value!r})" for kind, value in told]]), interpreter=python)

    return tell


@pytest.fixture(params=["sh", "tcsh", *find_pythons()])
def tell(request: pytest.FixtureRequest) -> Tell:
    """Writes a job that tells things, in each language."""
    is_shell = "/" not in request.param
    return _tell_in_shell(request.param) if is_shell else _tell_in_python(request.param)


def _run(lab: Lab) -> list[dict[str, Any]]:
    """Run the job; return what it told, as the journal has it."""
    result = lab.run("job", "--slot", SLOT)
    assert (result.code, result.err) == (0, b""), lab.output("job").decode()
    lines = [line for line in lab.journal_text().splitlines() if line]
    assert max(map(len, lines)) <= MAX_BYTES - 2
    events = [parse_event(line.encode()) for line in lines]
    return [event for event in events if event["event"] in ("product", "input", "note")]


def test_files_are_told_with_size_and_digest(lab: Lab, tell: Tell, tmp_path: Path) -> None:
    (tmp_path / "a b.fits").write_bytes(b"photons")
    path = str(tmp_path / "a b.fits")
    tell(lab, [("product", path), ("input", path)])

    made, read = _run(lab)

    digest = f"sha256:{hashlib.sha256(b'photons').hexdigest()}"
    expected = {"job": "job", "plan": "job", "path": path, "size_bytes": 7, "digest": digest, "source": None}
    expected["run_id"] = lab.end("job")["run_id"]
    names = ("event", "at", "run_id", "seq", "job", "plan", "path", "size_bytes", "digest", "source")
    assert (tuple(made), tuple(read)) == (names, names)
    assert expected.items() <= made.items()
    assert expected.items() <= read.items()
    assert (made["event"], read["event"]) == ("product", "input")
    content = f"{path}\0{digest}"
    assert [made["seq"], read["seq"]] == [_number(content), _number(f"input\0{content}")]


def _number(content: str) -> int:
    number = int.from_bytes(hashlib.sha256(content.encode()).digest()[:8], "big")
    return LOST_SEQ + 1 + number % (2**63 - 1 - LOST_SEQ)


def test_a_note_is_told_as_it_is(lab: Lab, tell: Tell) -> None:
    tell(lab, [("note", 'seeing 0.7", north é')])
    (note,) = _run(lab)
    assert note["text"] == 'seeing 0.7", north é'
    assert note["seq"] == _number('note\0seeing 0.7", north é')


def test_the_same_told_twice_is_one_event(lab: Lab, tell: Tell, tmp_path: Path) -> None:
    tell(lab, [("note", "x"), ("product", str(tmp_path)), ("note", "x"), ("product", str(tmp_path))])
    assert len({event["seq"] for event in _run(lab)}) == 2


def test_of_a_directory_the_path_is_known(lab: Lab, tell: Tell, tmp_path: Path) -> None:
    """A measurement set of CASA is one."""
    tell(lab, [("product", f"{tmp_path}/./x/..")])
    (made,) = _run(lab)
    assert (made["path"], made["size_bytes"], made["digest"]) == (str(tmp_path), None, None)


def test_a_text_of_any_length_is_one_record(lab: Lab, tell: Tell) -> None:
    tell(lab, [("note", "é" * 6000)])
    (note,) = _run(lab)
    assert note["text"] == "é" * (note["text"].count("é")) + "..."
    assert len(json.dumps(note)) > MAX_BYTES / 3


def test_what_is_told_is_seen_in_the_log(lab: Lab, tell: Tell, tmp_path: Path) -> None:
    tell(lab, [("note", "seeing 0.7"), ("product", str(tmp_path))])
    _run(lab)
    assert b"note: seeing 0.7\n" in lab.output("job")
    assert f"product: {tmp_path}".encode() in lab.output("job")
