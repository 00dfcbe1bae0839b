"""Whoever may push decides what runs: as far as the home lets him, and by nothing but what he pushes (SEC-2)."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import CANARY, need_program
from missing import give_up
from remotes import JOBS, SITE, Installation

NOBODY = 65534


@pytest.fixture
def place(tmp_path: Path) -> Installation:
    return Installation(tmp_path)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """One with a release in use."""
    place = Installation(tmp_path_factory.mktemp("built"))
    place.build_well()
    return place


def test_sec_02_no_hook_runs_nor_a_filter_or_a_setting_of_the_repository(place: Installation) -> None:
    ran = place.base.parent / "ran"
    touch = f"#!/bin/sh\ntouch {ran}\ncat\n"
    place.remote.write(".gitattributes", "*.sh filter=evil\n")
    place.remote.write(".gitconfig", f'[filter "evil"]\n\tsmudge = touch {ran}\n')
    place.remote.write(".githooks/post-checkout", touch, 0o755)
    place.remote.commit("with hooks")
    assert place.build("--dry-run").code == 2
    place.base.mkdir()
    place.env["GIT_CONFIG_COUNT"], place.env["GIT_CONFIG_KEY_0"] = "1", "core.hooksPath"
    place.env["GIT_CONFIG_VALUE_0"] = str(place.remote.clone / ".githooks")
    place.build_well()
    for name in ("reference-transaction", "post-merge", "pre-auto-gc", "post-checkout"):
        hook = place.base / "cache.git/hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(touch)
        hook.chmod(0o755)
    place.remote.commit("more")
    place.build_well()

    assert not ran.exists()


@pytest.mark.parametrize(
    "url",
    ["ext::sh -c 'touch {ran}'", "--upload-pack=touch {ran}", "http://127.0.0.1/x", "fd::7", f"https://a:{CANARY}@h/x"],
)
def test_sec_02_other_protocols_options_and_logins_are_refused(place: Installation, url: str) -> None:
    ran = place.base.parent / "ran"
    answer = place.release("build", f"--remote={url.format(ran=ran)}")

    assert (answer.code, answer.err.startswith("--remote ")) == (2, True)
    assert CANARY not in answer.err
    assert not ran.exists()
    assert not (place.base / "cache.git").exists()


def test_sec_02_git_itself_refuses_them_too(built: Installation) -> None:
    """Should one get into the cache's configuration otherwise, by an insteadOf for instance."""
    ran = built.base.parent / "ran"
    config = built.base / "cache.git/config"
    before = config.read_text()
    config.write_text(before + f'[url "ext::sh -c touch% {ran}% "]\n\tinsteadOf = {built.remote.url}\n')

    answer = built.release("build")

    assert (answer.code, "not allowed" in answer.err) == (75, True)
    assert not ran.exists()
    config.write_text(before)


def test_sec_02_submodules_are_not_fetched(place: Installation) -> None:
    other = place.base.parent / "other"
    shutil.copytree(place.remote.clone, other)
    place.remote.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", f"file://{other}", "lib")
    place.remote.commit("with a submodule")
    place.build_well()

    assert list((place.home / "lib").iterdir()) == []
    assert not (place.base / "cache.git/modules").exists()


def test_sec_02_a_link_out_of_the_release_is_refused(built: Installation) -> None:
    before = built.current
    (built.remote.clone / "out").symlink_to("../../../../etc/passwd")
    built.remote.commit("a link")

    answer = built.build()

    assert (answer.code, built.current) == (1, before)
    assert "export: out is a link to ../../../../etc/passwd, out of the release" in answer.err
    built.remote.git("reset", "--quiet", "--hard", before)
    built.remote.push()


def test_sec_02_root_as_the_user_of_jobs_is_warned_of(built: Installation) -> None:
    if os.geteuid():
        give_up("needs root")
    answer = built.runner("--home", str(built.base / "current"), "check")
    assert "who may push to its repository is root on this host (SEC-2)" in answer.out


# Signatures


class Signer:
    """A key of ssh, and what makes git sign with it."""

    def __init__(self, path: Path, who: str) -> None:
        need_program("ssh-keygen")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", who, "-f", path], check=True)
        self.allowed = f"{who} {path.with_suffix('.pub').read_text()}"
        self.options = ["-c", "gpg.format=ssh", "-c", f"user.signingKey={path}.pub"]


class Signed:
    """An installation that wants signatures, and two signers, of whom one counts."""

    def __init__(self, directory: Path, kind: str) -> None:
        self.place = Installation(directory)
        self.ana, self.eve = Signer(directory / "ana", "ana@example.org"), Signer(directory / "eve", "eve@example.org")
        self.kind = kind
        remote = self.place.remote
        remote.write("envs/site.yaml", f"{SITE.format(state=self.place.state)}release: {{signed: {kind}}}\n")
        remote.write("envs/allowed_signers", self.ana.allowed)

    def push(self, subject: str, signer: Signer | None) -> str:
        """Commit and push, signed by somebody or by nobody."""
        remote = self.place.remote
        remote.git("add", "--all")
        options = signer.options if signer else []
        sign = ["--gpg-sign"] if signer and self.kind == "commit" else []
        remote.git(*options, "commit", "--quiet", "--allow-empty", "-m", subject, *sign)
        if self.kind == "tag":
            name = subject.replace(" ", "-")
            remote.git(*options, "tag", "-m", subject, "--sign" if signer else "--annotate", name)
        return remote.push("--tags")


@pytest.mark.parametrize("kind", ["commit", "tag"])
def test_sec_02_only_what_is_signed_by_a_key_of_the_release_in_use_is_built(tmp_path: Path, kind: str) -> None:
    signed = Signed(tmp_path, kind)
    place = signed.place
    good = signed.push("signed", signed.ana)
    assert place.build_well() == good
    refused = []

    refused.append(signed.push("unsigned", None))
    answer = place.build()
    assert (answer.code, place.current) == (1, good), answer.err
    assert f"was not built: verify: the signature of {kind} " in answer.err

    # Who is not let in cannot let himself in, nor take the demand away.
    place.remote.write("envs/allowed_signers", signed.ana.allowed + signed.eve.allowed)
    refused.append(signed.push("by another", signed.eve))
    assert (place.build().code, place.current) == (1, good)
    place.remote.write("envs/site.yaml", SITE.format(state=place.state))
    refused.append(signed.push("by nobody", None))
    assert (place.build().code, place.current) == (1, good)
    assert not [commit for commit in refused if (place.base / "releases" / commit).exists()]

    better = signed.push("by ana again", signed.ana)
    assert place.build_well() == better


def test_sec_02_the_first_commit_is_held_to_its_own_demand(tmp_path: Path) -> None:
    signed = Signed(tmp_path, "commit")
    signed.push("unsigned", None)
    answer = signed.place.build()
    assert (answer.code, "verify: the signature of commit" in answer.err) == (1, True)
    assert not (signed.place.base / "current").exists()


def test_sec_02_without_its_tag_a_newer_commit_waits(tmp_path: Path) -> None:
    signed = Signed(tmp_path, "tag")
    good = signed.push("signed", signed.ana)
    assert signed.place.build_well() == good
    signed.place.remote.commit("no tag yet")
    answer = signed.place.build()
    assert (answer.code, answer.err, signed.place.current) == (0, "", good)


# Rights


@pytest.fixture
def open_place(open_directory: Path) -> Iterator[Installation]:
    """An installation of root's whose jobs are nobody's."""
    if os.geteuid():
        give_up("needs root, to be two users")
    place = Installation(open_directory)
    target = f"targets: {{here: {{hosts: ['*'], user: nobody, state: {place.state}}}}}\n"
    place.remote.write("envs/site.yaml", SITE.format(state=place.state) + target)
    place.remote.write("jobs/all.yaml", JOBS.replace("hello.sh", "write.sh"))
    script = 'touch "$RUNNER_HOME/jobs/x"; echo x >> "$RUNNER_HOME/jobs/write.sh"; rm -f "$RUNNER_HOME/../../current"\n'
    place.remote.write("jobs/write.sh", f"#!/bin/sh\n{script}exit 0\n", 0o755)
    place.remote.commit("writes")
    yield place


def test_sec_02_a_job_cannot_change_its_release(open_place: Installation) -> None:
    place = open_place
    place.build_well("--no-crontab")
    before = place.tree()
    place.state.mkdir()
    os.chown(place.state, NOBODY, NOBODY)
    python = place.home / ".runner/python"
    if not all(path.stat().st_mode & 1 for path in python.resolve().parents):
        give_up(f"no interpreter that other users can start: {python.resolve()}")
    become = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]

    done = subprocess.run([*become, *place.line("hello")], env=place.env, capture_output=True, text=True, check=False)

    assert (
        done.stderr.count("Permission denied") + done.stderr.count("cannot touch") + done.stderr.count("cannot rem")
        >= 3
    )
    assert place.tree() == before


def test_sec_02_root_does_not_build_in_the_directory_of_another_user(open_place: Installation) -> None:
    open_place.base.mkdir()
    os.chown(open_place.base, NOBODY, NOBODY)
    answer = open_place.build()
    assert (answer.code, "belongs to uid 65534" in answer.err) == (2, True)
