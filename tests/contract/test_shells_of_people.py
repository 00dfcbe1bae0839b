"""One suite for every activator and both shells: what activate_profile does, deactivate_profile takes back."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import pytest
from activators import KINDS, list_odd_words, write_item
from homes import Home
from people import SHELLS, dump, keep_snapshots, play, run

from runner.profiles.undo import UNDO


@pytest.fixture
def kinds(home: Home, tmp_path: Path) -> list[str]:
    """The profiles of a home, one of each kind, named after it."""
    for kind, make in KINDS.items():
        (tmp_path / kind).mkdir()
        item = write_item(make(tmp_path / kind))
        home.write(f"envs/{kind}.yaml", f'activate: [{item}]\nenv: {{ONLY_{kind.upper()}: "1"}}\n')
    return list(KINDS)


def find_tour(kinds: list[str]) -> list[str]:
    """Return a way on which each kind follows each, itself included, exactly once."""
    words = [[one, *[each for other in kinds[at + 1 :] for each in (one, other)]] for at, one in enumerate(kinds)]
    return [*[kind for word in words for kind in word], kinds[0]]


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.timeout(400)
def test_any_profile_after_any_other_is_as_alone_and_leaves_nothing_behind(
    home: Home, tmp_path: Path, kinds: list[str], shell: str
) -> None:
    """PROF-71: for every pair, so the end of each pair is the end of the second alone."""
    tour = find_tour(kinds)
    assert len(set(pairwise(tour))) == len(kinds) ** 2
    lines = [dump("before", shell)]
    for kind in kinds:
        lines += [f"activate_profile {kind}", dump(f"alone-{kind}", shell)]
        lines += ["deactivate_profile", dump(f"left-{kind}", shell)]
    for number, kind in enumerate(tour):
        lines += [f"activate_profile {kind}", dump(f"tour-{number}", shell)]
    lines += ["deactivate_profile", dump("after", shell)]

    said = play(home, shell, "\n".join([f"cd {tmp_path}", *lines]))

    assert said == type(said)(0, "", "")
    read = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    assert {name for name in read if name.startswith("left-") and read[name] != read["before"]} == set()
    assert [kind for number, kind in enumerate(tour) if read[f"tour-{number}"] != read[f"alone-{kind}"]] == []
    assert [kind for kind in kinds if f"ONLY_{kind.upper()}=1\0".encode() not in read[f"alone-{kind}"]] == []
    assert read["after"] == read["before"]
    assert UNDO.encode() not in read["before"]


@pytest.mark.parametrize("shell", SHELLS)
def test_a_profile_is_the_same_from_its_snapshot(home: Home, tmp_path: Path, kinds: list[str], shell: str) -> None:
    """PROF-61, PROF-70."""
    kinds.remove("venv")  # by rule alone: runs need no snapshot of it
    show = "\n".join([f"activate_profile {kind}\n{dump(f'{tmp_path}/$stage-{kind}', shell)}" for kind in kinds])
    play(home, shell, show.replace("$stage", "live"))
    keep_snapshots(home, *kinds)

    said = play(home, shell, show.replace("$stage", "kept"))

    assert said.err == ""
    for kind in kinds:
        assert (tmp_path / f"kept-{kind}").read_bytes() == (tmp_path / f"live-{kind}").read_bytes()


TELL = "import os, sys; sys.stdout.buffer.write(b'\\0'.join(map(os.fsencode, [*sys.argv[1:], os.environ['ONLY_%s']])))"


@pytest.mark.parametrize("program", ["with-profile", "with-profile.csh"])
def test_words_reach_the_command_of_with_profile_as_they_are(home: Home, kinds: list[str], program: str) -> None:
    """PROF-52, PROF-54: by way of runner, and of the snapshot."""
    words = [os.fsencode(word) for word in list_odd_words(1000)]
    wrapper = str(home.path / "wrappers" / program)

    def tell(kind: str) -> list[bytes]:
        command = [wrapper, kind, "/usr/bin/python3", "-c", TELL % kind.upper(), *words]
        said = run(command)
        assert (said.code, said.err) == (0, "")
        return os.fsencode(said.out).split(b"\0")

    for kind in kinds:
        assert tell(kind) == [*words, b"1"]
    kinds.remove("venv")
    keep_snapshots(home, *kinds)
    for kind in kinds:
        assert tell(kind) == [*words, b"1"]
