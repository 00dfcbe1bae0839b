"""What a build does for the newest commit, where one rolls back to, what is pruned: all without a disk."""

from __future__ import annotations

import pytest

from runner.errors import UserError
from runner.releases.build import Task, choose_task
from runner.releases.prune import choose_unneeded
from runner.releases.record import Build, State, get_before, get_named
from runner.releases.remote import check_branch, check_remote, hide_login


def make_build(commit: str, *, day: int = 1, state: str = State.BUILT, current: int = 0) -> Build:
    at = f"2026-11-{current:02d}T00:00:00Z" if current else ""
    return Build(commit, "Ana", "subject", "", state, f"2026-11-{day:02d}T00:00:00Z", at)


A = make_build("aaaa1", day=1, current=1)
B = make_build("aabb2", day=2, current=2)
FAILED_SWITCH = make_build("aacc3", day=3)
REFUSED = make_build("dddd4", day=4, state=State.REFUSED)
REMOVED = make_build("eeee5", day=5, state=State.REMOVED, current=5)


@pytest.mark.parametrize(
    ("known", "task", "again"),
    [
        (None, Task.BUILD, Task.BUILD),
        (REFUSED, Task.TELL, Task.BUILD),
        (FAILED_SWITCH, Task.SWITCH, Task.SWITCH),
        (A, Task.LEAVE, Task.SWITCH),
        (REMOVED, Task.LEAVE, Task.BUILD),
    ],
)
def test_what_is_done_for_the_newest_commit_depends_on_what_became_of_it(
    known: Build | None, task: Task, again: Task
) -> None:
    assert choose_task("head", "current", known, again=False) == task
    assert choose_task("head", "current", known, again=True) == again
    assert choose_task("head", "head", known, again=True) == Task.NOTHING


def test_one_rolls_back_to_the_newest_older_release_that_was_in_use_once() -> None:
    newest_first = [REMOVED, REFUSED, FAILED_SWITCH, B, A]
    now = make_build("ffff6", day=6, current=6)

    assert get_before([now, *newest_first], now.commit) is B
    assert get_before([now, *newest_first], B.commit) is A
    with pytest.raises(UserError, match="no release from before aaaa1 is kept"):
        get_before(newest_first, A.commit)
    with pytest.raises(UserError, match="no release is in use"):
        get_before(newest_first, "")


def test_a_release_is_named_by_the_beginning_of_its_commit() -> None:
    builds = [REFUSED, make_build("aabbff"), B, A]
    assert get_named(builds, "AAAA") is A
    for name, reason in (
        ("aabb", "several releases begin"),
        ("dddd", "the build of dddd was refused"),
        ("aaa", "no release"),
    ):
        with pytest.raises(UserError, match=reason):
            get_named(builds, name)


def test_the_release_in_use_and_the_newest_others_are_kept() -> None:
    builds = [REMOVED, REFUSED, FAILED_SWITCH, B, A]
    assert choose_unneeded(builds, A.commit, 1) == [FAILED_SWITCH, B]
    assert choose_unneeded(builds, A.commit, 2) == [B]
    assert choose_unneeded(builds, A.commit, 3) == []


@pytest.mark.parametrize(
    "url",
    [
        "https://git.example.org/team/ql.git",
        "https://git.example.org:8443/ql",
        "ssh://git@git.example.org:22/ql.git",
        "git@git.example.org:team/ql.git",
        "file:///srv/git/ql.git",
        "/srv/git/ql.git",
    ],
)
def test_https_ssh_and_file_are_let_in(url: str) -> None:
    assert check_remote(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c 'touch /tmp/x'",
        "fd::3",
        "http://git.example.org/ql.git",
        "git://git.example.org/ql.git",
        "--upload-pack=touch x",
        "-oProxyCommand=x:y",
        "ssh://-oProxyCommand=x/ql",
        "host:-x",
        "transport::address",
        "relative/path",
        "file://host/path",
        "https://git.example.org/a b",
        "",
    ],
)
def test_every_other_protocol_and_whatever_looks_like_an_option_is_refused(url: str) -> None:
    with pytest.raises(UserError, match="--remote"):
        check_remote(url)


@pytest.mark.parametrize(
    "url", ["https://ana:s3cr3t-canary@host/x", "https://s3cr3t-canary@host/x", "ssh://a:s3cr3t-canary@h/x"]
)
def test_an_address_with_a_login_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(UserError) as refused:
        check_remote(url)
    assert "s3cr3t-canary" not in str(refused.value)


def test_what_git_says_is_shown_without_logins() -> None:
    said = hide_login("fatal: unable to access 'https://ana:s3cr3t-canary@host/x/': 403, token=s3cr3t-canary2")
    assert "s3cr3t" not in said
    assert "https://***@host/x/" in said


@pytest.mark.parametrize("branch", ["-x", "a..b", "a//b", "a.lock", "a/", "a b", "a:b", "", "/a", "a~1", "@{u}"])
def test_what_is_no_name_of_a_branch_is_refused(branch: str) -> None:
    with pytest.raises(UserError):
        check_branch(branch)
    assert check_branch("release/2026-11") == "release/2026-11"
