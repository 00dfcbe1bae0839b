"""Names from lists and servers that would leave the destination, or mean something to a shell (SEC-15, ARCH-12)."""

from __future__ import annotations

import csv
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from homes import Home
from s3_server import Canned, use_keys

HOSTILE = [
    "../evil",
    "a/../../evil",
    "/tmp/evil",
    "a//evil",
    "a\nb",
    "a\tb",
    "evil.part",
    ".manifest.jsonl",
    "\u202eevil",
]
ODD = ["a'b.fits", 'c"d.fits', "$(touch evil).fits", "; rm -rf *", "-rf", "%s%n", "a b,c.fits", "\\evil"]


def _list_objects(keys: list[str]) -> bytes:
    entries = "".join(f"<Contents><Key>{escape(key)}</Key><Size>7</Size></Contents>" for key in keys)
    return f"<ListBucketResult><IsTruncated>false</IsTruncated>{entries}</ListBucketResult>".encode()


def _find(directory: Path) -> set[str]:
    """Return the files below a directory."""
    return {str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The only directory where anything may come to be."""
    (tmp_path / "outside").mkdir()
    return tmp_path / "outside" / "data"


def test_sec_15_keys_of_a_bucket_stay_below_the_destination(
    home: Home, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_keys(monkeypatch)
    with Canned(200, _list_objects(HOSTILE), {}) as server:
        home.write("envs/archive.yaml", f"s3: {{endpoint: '{server.address}', region: us-east-1}}\n")
        answer = home.runner("fetch", "s3://archive/", str(place))
    assert answer.code == 1
    assert answer.err.count("is no name for a file here") == len(HOSTILE) == len(answer.err.splitlines())
    assert _find(place.parent) == {"data/.manifest.jsonl"}


@pytest.mark.parametrize("is_hostile", [True, False])
def test_sec_15_names_in_a_list_are_names_and_stay_below_the_destination(
    home: Home, place: Path, is_hostile: bool
) -> None:
    names = [name for name in HOSTILE if "\n" not in name] if is_hostile else ODD
    source = home.write("night.fits", "photons")
    with (home.path / "list.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("url", "name"), *((f"file:{source}", name) for name in names)])
    answer = home.runner("fetch", f"@{home.path}/list.csv", str(place))
    assert answer.code == int(is_hostile)
    found = {name.removeprefix("data/") for name in _find(place.parent)} - {".manifest.jsonl"}
    assert found == (set() if is_hostile else set(names))
    assert all(line.isprintable() for line in (answer.out + answer.err).splitlines())
