"""PROF-90 to PROF-93: a replica is its origin's copy or stays whole as it was, and no edit of it is ever lost."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import replicas
from homes import Home
from lab import need_program
from missing import give_up, need_namespaces
from replicas import RSH, Replica

from runner.errors import TryLater


@pytest.fixture
def replica(home: Home) -> Replica:
    """A replica that was never pulled, of an origin with three files."""
    replica = Replica(home)
    replica.originals(a="x = 1\n", b="x = 2\n", c="x = 3\n")
    return replica


@pytest.fixture
def pulled(replica: Replica) -> Replica:
    """A replica just pulled."""
    assert replica.pull().code == 0
    return replica


@pytest.fixture
def remote(replica: Replica, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Replica:
    """A replica whose origin is at another host: rsync at both ends, in place of ssh a shell of this host."""
    need_program("rsync")
    rsh = tmp_path / "rsh"
    rsh.write_text(RSH)
    rsh.chmod(0o755)
    monkeypatch.setenv("RSYNC_RSH", str(rsh))
    replica.declare(origin=f"nmngas:{replica.origin}")
    return replica


# A copy


def test_prof_90_a_pull_makes_a_copy_of_the_property_files_and_of_nothing_else(replica: Replica) -> None:
    (replica.origin / "notes.txt").write_text("none of ours")
    (replica.origin / "sub.d").mkdir()

    assert replica.pull().code == 0

    assert replica.files == {"a": "x = 1\n", "b": "x = 2\n", "c": "x = 3\n"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in replica.directory.glob("*.properties")} == {0o440}
    assert (replica.litter, replica.kept) == ([], {})


def test_prof_90_another_host_is_asked_by_rsync(remote: Replica) -> None:
    (remote.origin / "notes.txt").write_text("none of ours")
    (remote.origin / ".a.swp.properties").write_text("an editor's own")

    assert remote.pull().code == 0
    remote.originals(a="x = 9\n")
    answer = remote.pull("--json")

    assert (answer.code, remote.files) == (0, {"a": "x = 9\n", "b": "x = 2\n", "c": "x = 3\n"})
    assert [change["name"] for change in answer.objects[0]["changes"]] == ["a.properties"]
    assert (remote.litter, answer.objects[0]["ignored"]) == ([], [])


def test_prof_90_a_file_with_an_older_time_and_the_same_size_is_pulled(pulled: Replica) -> None:
    """As rsync and restores leave it: never by time alone."""
    pulled.originals(a="x = 7\n")
    os.utime(pulled.origin / "a.properties", (1, 1))

    assert (pulled.pull().code, pulled.files["a"]) == (0, "x = 7\n")


def test_prof_90_a_newer_time_alone_changes_nothing(pulled: Replica) -> None:
    before = (pulled.directory / "a.properties").stat()
    os.utime(pulled.origin / "a.properties")

    assert pulled.pull("--json").objects[0]["changes"] == []
    assert (pulled.directory / "a.properties").stat() == before


# The master wins


def test_prof_91_an_edit_is_kept_told_and_replaced(pulled: Replica) -> None:
    pulled.edit("a", "x = 1\ndb.password = hunter2\n")

    answer = pulled.pull()

    assert (answer.code, pulled.files["a"]) == (1, "x = 1\n")
    assert pulled.kept == {"a": "x = 1\ndb.password = hunter2\n"}
    assert "a.properties: edited here; kept as .local/a.properties.2" in answer.err
    assert "  -2: db.password=***\n" in answer.err
    assert "hunter2" not in answer.out + answer.err
    assert pulled.pull().code == 0


def test_prof_91_what_the_master_deleted_is_moved_aside(pulled: Replica) -> None:
    (pulled.origin / "b.properties").unlink()

    answer = pulled.pull()

    assert (answer.code, sorted(pulled.files), pulled.kept) == (1, ["a", "c"], {"b": "x = 2\n"})
    assert "b.properties: deleted at the origin; kept as " in answer.err
    assert pulled.pull().code == 0


def test_prof_91_two_edits_of_a_file_are_both_kept(pulled: Replica) -> None:
    for text in ("one\n", "two\n"):
        pulled.edit("a", text)
        assert pulled.pull().code == 1

    assert sorted(path.read_text() for path in (pulled.directory / ".local").iterdir()) == ["one\n", "two\n"]


def test_prof_91_an_edit_made_while_the_question_waits_is_not_lost(pulled: Replica) -> None:
    pulled.originals(a="x = 9\n")

    mirror = replicas.Mirror(pulled.directory, str(pulled.origin))
    with replicas.prepare_pull(mirror, "here", fewer=False, is_dry=False) as prepared:
        pulled.edit("a", "an edit\n")
        with pytest.raises(TryLater, match=r"a\.properties: somebody changes it just now"):
            replicas.apply_pull(prepared, lambda: 0.0, lambda _: None)

    assert pulled.files["a"] == "an edit\n"
    assert (pulled.pull().code, pulled.files["a"], pulled.kept) == (1, "x = 9\n", {"a": "an edit\n"})


def test_prof_91_files_from_before_the_first_pull_are_kept(replica: Replica) -> None:
    replica.directory.mkdir()
    replica.edit("a", "mine\n")
    replica.edit("own", "mine too\n")

    assert (replica.pull().code, replica.kept) == (1, {"a": "mine\n", "own": "mine too\n"})


def test_prof_91_a_link_put_in_place_of_a_file_is_moved_and_not_followed(pulled: Replica, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("precious\n")
    (pulled.directory / "a.properties").unlink()
    (pulled.directory / "a.properties").symlink_to(elsewhere)

    assert (pulled.pull().code, pulled.files["a"], elsewhere.read_text()) == (1, "x = 1\n", "precious\n")
    assert [path.is_symlink() for path in (pulled.directory / ".local").iterdir()] == [True]


def test_prof_91_nothing_is_kept_behind_a_link(pulled: Replica, tmp_path: Path) -> None:
    (pulled.directory / ".local").symlink_to(tmp_path)
    pulled.edit("a", "an edit\n")

    assert (pulled.pull().code, pulled.files["a"]) == (2, "an edit\n")


# What the origin may be


@pytest.mark.parametrize("where", ["path", "host"])
def test_prof_90_names_of_others_are_ignored_and_links_are_not_followed(
    replica: Replica, where: str, request: pytest.FixtureRequest
) -> None:
    if where == "host":
        request.getfixturevalue("remote")
    secret = replica.home.write("secret", "root:x\n")
    odd = ["a b", "-rf", "$(id)", "new\nline", "\x1b[2J", "é"]
    for name in odd:
        (replica.origin / f"{name}.properties").write_text("odd\n")
    (replica.origin / "c.properties").unlink()
    (replica.origin / "c.properties").symlink_to(secret)
    (replica.origin / "d.properties").mkdir()
    os.mkfifo(replica.origin / "e.properties")

    answer = replica.pull("--json")

    assert (answer.code, sorted(replica.files), replica.litter) == (1, ["a", "b"], [])
    assert (answer.objects[0]["left"], len(answer.objects[0]["ignored"])) == (
        [f"{name}.properties" for name in "cde"],
        len(odd),
    )
    assert "c.properties: at the origin it is no plain file; not pulled" in answer.err
    assert "\x1b" not in answer.out + answer.err


def test_prof_90_of_what_became_a_link_at_the_origin_ours_stays(pulled: Replica) -> None:
    (pulled.origin / "c.properties").rename(pulled.origin / "real")
    (pulled.origin / "c.properties").symlink_to("real")
    assert (pulled.pull().code, pulled.files["c"]) == (1, "x = 3\n")

    (pulled.origin / "c.properties").unlink()
    pulled.originals(c="x = 4\n")

    assert (pulled.pull().code, pulled.files["c"], pulled.kept) == (0, "x = 4\n", {})


def test_prof_92_an_origin_with_less_than_half_the_files_is_refused(pulled: Replica) -> None:
    for name in "ab":
        (pulled.origin / f"{name}.properties").unlink()

    answer = pulled.pull()

    assert (answer.code, sorted(pulled.files)) == (2, ["a", "b", "c"])
    assert (
        'has 1 property files where 3 were before: nothing is changed; if that is right, pull once with "--fewer"'
        in (answer.err)
    )
    assert (pulled.pull("--fewer").code, sorted(pulled.files)) == (1, ["c"])


def test_prof_92_an_empty_origin_takes_nothing_from_a_directory_without_record(replica: Replica) -> None:
    replica.directory.mkdir()
    replica.edit("own", "mine\n")
    shutil.rmtree(replica.origin)
    replica.origin.mkdir()

    assert (replica.pull().code, replica.files) == (2, {"own": "mine\n"})


def test_prof_92_a_missing_origin_is_for_later(pulled: Replica) -> None:
    shutil.rmtree(pulled.origin)

    answer = pulled.pull()

    assert (answer.code, sorted(pulled.files)) == (75, ["a", "b", "c"])
    assert "No such file or directory" in answer.err
    assert "the last good pull was " in answer.err


@pytest.mark.parametrize(
    ("rsh", "said"),
    [
        ("echo 'ssh: connect to host nmngas: Connection refused' >&2; exit 255", ": ssh: connect to host nmngas: Conn"),
        (
            "printf 'Welcome\\nPermission denied (publickey).\\n' >&2; exit 255",
            "origin: Permission denied (publickey).",
        ),
        ('rm ORIGIN/*; rmdir ORIGIN; shift; exec sh -c "$*"', "No such file or directory"),
        ('shift; sh -c "$*" | (dd bs=1 count=2000 status=none; kill $$)', "rsync"),
    ],
)
def test_prof_92_no_connection_or_a_broken_one_is_for_later(
    remote: Replica, tmp_path: Path, rsh: str, said: str
) -> None:
    assert remote.pull().code == 0
    remote.originals(a="x = 9\n" * 10_000)
    (tmp_path / "rsh").write_text(f"#!/bin/sh\n{rsh}\n".replace("ORIGIN", str(remote.origin)))

    answer = remote.pull()

    assert (answer.code, remote.files["a"], remote.litter) == (75, "x = 1\n", [])
    assert said in answer.err


def test_prof_92_without_rsync_the_remedy_is_named(remote: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    answer = remote.pull()

    assert (answer.code, answer.err.splitlines()[0].endswith("; install it")) == (2, True)


# Whole, whatever happens


def test_prof_92_a_pull_killed_at_any_step_leaves_every_file_whole_and_no_edit_lost(pulled: Replica) -> None:
    pulled.originals(a="x = 10\n" * 500, b="x = 20\n", d="x = 4\n")
    (pulled.origin / "c.properties").unlink()
    pulled.edit("b", "an edit\n")
    program = [sys.executable, replicas.__file__, pulled.origin, pulled.directory, "3"]

    done = subprocess.run(program, capture_output=True, text=True, check=True)

    whole = {"a": {"x = 1\n", "x = 10\n" * 500}, "b": {"an edit\n", "x = 20\n"}, "c": {"x = 3\n"}, "d": {"x = 4\n"}}
    steps = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(steps) > 50
    for step in steps:
        assert [name for name, text in step["left"].items() if text not in whole[name.partition(".")[0]]] == []
        assert "an edit\n" in [*step["left"].values(), *step["kept_then"].values()]
        assert "x = 3\n" in [*step["left"].values(), *step["kept_then"].values()]
        assert step["files"] == replicas.read_all(pulled.origin)
        # An edit once or, if the pull was killed behind the copy, twice; what was pulled is never taken for one.
        assert {(name[0], text) for name, text in step["kept"].items()} == {("b", "an edit\n"), ("c", "x = 3\n")}
        assert ".staging" not in step["all"]


def test_prof_92_a_pull_after_a_killed_one_takes_nothing_pulled_for_an_edit(pulled: Replica) -> None:
    """Killed twice in a row, before the end: what the first of them put there is known to the third."""
    for text in ("x = 5\n", "x = 6\n"):
        pulled.originals(a=text)
        mirror = replicas.Mirror(pulled.directory, str(pulled.origin))
        with replicas.prepare_pull(mirror, "here", fewer=False, is_dry=False) as prepared, pytest.raises(SystemExit):
            replicas.apply_pull(prepared, lambda: 0.0, lambda _: sys.exit())
    pulled.originals(a="x = 7\n")

    assert (pulled.pull().code, pulled.files["a"], pulled.kept) == (0, "x = 7\n", {})


_SMALL_DISK = """
mount -t tmpfs -o size=256k,mode=755 tmpfs "$2" || exit
$1 >/dev/null && cp "$4"/* "$3" && head -c 200000 /dev/zero >"$2/fill"
$1 2>&1; echo "code $?"; head -c 6 "$2"/*.properties; ls -A "$2"
rm "$2/fill"; $1 >/dev/null; echo "code $?"
"""


def test_prof_92_a_full_disk_leaves_every_file_whole(replica: Replica, tmp_path: Path) -> None:
    need_namespaces()
    replica.directory.mkdir()
    bigger = tmp_path / "bigger"
    bigger.mkdir()
    for name in "abc":
        (bigger / f"{name}.properties").write_text("y = 1\n" * 5000)
    command = f"{sys.executable} -P -m runner.cli.main --home {replica.home.path} profile pull"
    words = ["unshare", "-rm", "sh", "-c", _SMALL_DISK, "sh", command, replica.directory, replica.origin, bigger]

    out = subprocess.run(words, capture_output=True, text=True, check=True).stdout

    assert "No space left on device" in out
    assert "Traceback" not in out
    assert [line for line in out.splitlines() if line.startswith("code")] == ["code 75", "code 0"]
    assert [line for line in out.splitlines() if " = " in line] == ["x = 1", "x = 2", "x = 3"]
    assert ".staging" not in out.split()


def test_prof_92_of_two_pulls_at_once_one_is_for_later(pulled: Replica) -> None:
    pulled.originals(a="x = 9\n")
    with (pulled.directory / ".replica.lock").open("rb+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        answer = pulled.pull()

    assert (answer.code, pulled.files["a"]) == (75, "x = 1\n")
    assert "another pull goes on" in answer.err
    assert pulled.pull().code == 0


def test_prof_92_a_damaged_record_is_refused_with_its_remedy(pulled: Replica) -> None:
    (pulled.directory / ".replica.json").write_text('{"origin": 1')

    answer = pulled.pull()

    assert answer.code == 2
    assert ".replica.json: damaged; remove it, and the next pull keeps aside" in answer.err


# The master


def test_prof_93_at_the_master_nothing_is_pulled(replica: Replica) -> None:
    replica.declare(master="naasc")

    answer = replica.pull()

    assert (answer.code, replica.directory.exists()) == (2, False)
    assert "is at naasc, capo.master: here are the originals" in answer.err


def test_prof_93_a_directory_is_not_pulled_from_itself(replica: Replica) -> None:
    replica.declare(origin=f"{os.uname().nodename}:{replica.directory}")
    replica.directory.mkdir()

    answer = replica.pull()

    assert (answer.code, "is its own origin" in answer.err) == (2, True)


def test_prof_93_the_lag_is_that_of_the_last_good_pull(pulled: Replica) -> None:
    record = pulled.record
    record["pulled_at"] = "2026-03-08T07:00:00.000000Z"
    (pulled.directory / ".replica.json").write_text(json.dumps(record))
    shutil.rmtree(pulled.origin)

    failed = pulled.pull("--json")
    dry = pulled.pull("--dry-run", "--json")

    for answer in (failed, dry):
        (replica,) = answer.objects
        assert (answer.code, replica["pulled_at"], replica["late"]) == (75, "2026-03-08T07:00:00.000000Z", True)
        assert replica["lag_s"] > 26 * 3600
        assert "more than 1 d 2 h" in answer.err


def test_prof_92_root_leaves_no_files_in_the_replica_of_an_account(replica: Replica) -> None:
    """Of mode 0440 and root's own, its jobs could not read them."""
    if os.geteuid() != 0:
        give_up("not root")
    replica.directory.mkdir()
    os.chown(replica.directory, 65534, 65534)

    answer = replica.pull()

    assert (answer.code, replica.files, replica.litter) == (2, {}, [])
    assert "belongs to uid 65534: pull as that user (runuser -u USER -- runner ...)" in answer.err
