"""``runner profile pull``: what it is told, what it shows and what it leaves alone (PROF-90 to PROF-93)."""

from __future__ import annotations

import pytest
from homes import Home
from replicas import Replica


@pytest.fixture
def replica(home: Home) -> Replica:
    """A replica that was never pulled."""
    replica = Replica(home)
    replica.originals(a="x = 1\n", b="x = 2\n")
    return replica


def test_a_dry_run_shows_what_would_be_done_and_changes_nothing(replica: Replica) -> None:
    answer = replica.pull("--dry-run")

    assert (answer.code, replica.directory.exists()) == (0, False)
    first, *rest = answer.out.splitlines()
    assert first.endswith(f"{replica.origin}: 2 files, 2 to change; no good pull yet")
    assert rest == ["  add a.properties: new at the origin", "  add b.properties: new at the origin"]


def test_json_is_one_object_for_each_replica(replica: Replica) -> None:
    (dry,) = replica.pull("--dry-run", "--json").objects
    (done,) = replica.pull("--json").objects

    assert (dry["pulled_at"], dry["lag_s"], dry["late"]) == ("", None, True)
    assert dry["changes"][0] == {"name": "a.properties", "deed": "add", "why": "new at the origin", "kept": ""}
    assert (done["changes"], done["files"], done["late"]) == (dry["changes"], 2, False)
    assert done["pulled_at"] == replica.record["pulled_at"]
    assert set(replica.record["files"]) == {"a.properties", "b.properties"}


def test_json_names_where_an_edit_is_kept(replica: Replica) -> None:
    replica.pull()
    replica.edit("a", "mine\n")

    answer = replica.pull("--json")

    (change,) = answer.objects[0]["changes"]
    assert (answer.code, change["deed"]) == (1, "overwrite")
    assert (replica.directory / change["kept"]).read_text() == "mine\n"


def test_a_second_pull_changes_only_its_time(replica: Replica) -> None:
    replica.pull()
    before = replica.record

    assert replica.pull().code == 0
    assert replica.record.pop("pulled_at") > before.pop("pulled_at")


def test_one_of_several_replicas_can_be_named(replica: Replica) -> None:
    assert replica.pull(f"{replica.directory}/").code == 0
    answer = replica.pull("/no/such")

    assert (answer.code, answer.err) == (2, f"/no/such is no replica; in capo.mirror are: {replica.directory}\n")


def test_trouble_with_one_replica_keeps_no_other_from_being_pulled(replica: Replica) -> None:
    gone = replica.home.path.parent / "gone"
    settings = replica.home.read("envs/site.yaml").decode()
    replica.home.write("envs/site.yaml", settings.replace("mirror: {", f"mirror: {{{gone}: /no/such, "))

    answer = replica.pull("--json")

    assert (answer.code, sorted(replica.files)) == (75, ["a", "b"])
    assert [one["error"] for one in answer.objects] == ["/no/such: No such file or directory", ""]


def test_a_directory_whose_parent_is_missing_is_not_made(replica: Replica) -> None:
    """It may be a file system that is not mounted."""
    replica.directory = replica.home.path.parent / "not" / "mounted"
    replica.declare()

    assert (replica.pull().code, replica.directory.parent.exists()) == (75, False)


def test_without_a_mirror_there_is_nothing_to_pull(home: Home) -> None:
    answer = home.runner("profile", "pull")

    assert (answer.code, answer.err) == (2, "envs/site.yaml: no capo.mirror, so there is nothing to pull\n")


@pytest.mark.parametrize(
    ("capo", "said"),
    [
        ("mirror: {relative: /x}", '"relative" is no directory of a replica; write its whole path'),
        ("mirror: {/a/: /x}", '"/a/" is no directory of a replica'),
        ("mirror: {/a: x}", '"x" is no place to pull from; write /DIRECTORY, or HOST:/DIRECTORY'),
        ('mirror: {/a: "host:x"}', '"host:x" is no place to pull from'),
        ('mirror: {/a: "host::module/x"}', '"host::module/x" is no place to pull from'),
        ('mirror: {/a: "-oProxyCommand=x:/x"}', '"-oProxyCommand=x:/x" is no place to pull from'),
        ("mirror: {/a: /x}", "capo.mirror needs to know at which hosts the originals are"),
        ("mirror: {/a: /x}, master: nohosts", "name in capo.master one of sites, which has hosts"),
    ],
)
def test_a_wrong_mirror_is_a_fault_of_the_settings(home: Home, capo: str, said: str) -> None:
    """PROF-90: one master, and an origin that can be nothing but a directory."""
    home.write(
        "envs/site.yaml", f"name: lab\nmail: {{ops: o@example.org}}\nsites: {{nohosts: {{}}}}\ncapo: {{{capo}}}\n"
    )

    answer = home.runner("profile", "pull")

    assert (answer.code, said in answer.err) == (2, True), answer.err
