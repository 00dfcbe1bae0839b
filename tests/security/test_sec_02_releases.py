"""Whoever may push decides what runs: as far as the home lets him, and by nothing but what he pushes (SEC-2)."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest
from lab import CANARY, need_program
from missing import give_up
from remotes import SITE, Installation

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
    before = place.remote.git("rev-parse", "HEAD")
    allowed = ["-c", "protocol.file.allow=always"]
    place.remote.git(*allowed, "submodule", "--quiet", "add", place.remote.url, "lib")
    assert (place.remote.clone / "lib/jobs").exists()
    place.remote.commit("with a submodule")
    assert place.build_well() != before

    assert list((place.home / "lib").iterdir()) == []
    assert not (place.base / "cache.git/modules").exists()
    assert "lib is a submodule, and is left empty" in place.log(place.current)


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


class Keyring:
    """A key of gpg in a keyring of its own, and what makes git sign with it. An agent holds it until `close`."""

    def __init__(self, who: str) -> None:
        need_program("gpg")
        self.path = Path(mkdtemp(dir="/tmp"))  # the name of its agent's socket may have 107 bytes
        self._gpg("--passphrase", "", "--quick-generate-key", who, "ed25519", "sign")
        program = self.path / "gpg"
        program.write_text(f'#!/bin/sh\nexec gpg --homedir {self.path} "$@"\n')
        program.chmod(0o755)
        self.options = ["-c", "gpg.format=openpgp", "-c", f"gpg.program={program}", "-c", f"user.signingKey={who}"]

    def let_in(self, home: Path) -> None:
        """Have an account know the public key."""
        (keys := home / ".gnupg").mkdir(mode=0o700, exist_ok=True)
        command = ["gpg", "--homedir", keys, "--batch", "--quiet", "--no-autostart", "--import"]
        subprocess.run(command, input=self._gpg("--export"), check=True)

    def close(self) -> None:
        subprocess.run(["gpgconf", "--homedir", self.path, "--kill", "all"], check=True)
        shutil.rmtree(self.path)

    def _gpg(self, *words: str) -> bytes:
        command = ["gpg", "--homedir", self.path, "--batch", "--quiet", *words]
        return subprocess.run(command, check=True, capture_output=True).stdout


class Signed:
    """An installation that wants signatures, of whose two signers one counts; what he has signed is in use."""

    def __init__(self, directory: Path, kind: str) -> None:
        self.place = Installation(directory)
        self.ana, self.eve = Signer(directory / "ana", "ana@example.org"), Signer(directory / "eve", "eve@example.org")
        self.kind = kind
        remote = self.place.remote
        remote.write("envs/site.yaml", f"{SITE.format(state=self.place.state)}release: {{signed: {kind}}}\n")
        remote.write("envs/allowed_signers", self.ana.allowed)

    def push(self, subject: str, signer: Signer | Keyring | None) -> str:
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

    def refuse(self, subject: str, signer: Signer | Keyring | None) -> None:
        """Push a commit, which must be refused for want of a signature that counts."""
        before, commit = self.place.current, self.push(subject, signer)
        answer = self.place.build()
        assert (answer.code, self.place.current) == (1, before), answer.err
        assert f"release {commit[:12]} was not built: verify: the signature of {self.kind} " in answer.err
        assert not (self.place.base / "releases" / commit).exists()


@pytest.mark.parametrize("kind", ["commit", "tag"])
def test_sec_02_only_what_is_signed_by_a_key_of_the_release_in_use_is_built(tmp_path: Path, kind: str) -> None:
    signed = Signed(tmp_path, kind)
    good = signed.push("signed", signed.ana)
    assert signed.place.build_well() == good

    signed.refuse("unsigned", None)
    # Who is not let in cannot let himself in, nor take the demand away.
    signed.place.remote.write("envs/allowed_signers", signed.ana.allowed + signed.eve.allowed)
    signed.refuse("by another", signed.eve)
    signed.place.remote.write("envs/site.yaml", SITE.format(state=signed.place.state))
    signed.refuse("by nobody", None)


@pytest.fixture
def keyrings() -> Iterator[list[Keyring]]:
    keyrings = [Keyring("ana@example.org"), Keyring("eve@example.org")]
    yield keyrings
    for keyring in keyrings:
        keyring.close()


@pytest.mark.parametrize("kind", ["commit", "tag"])
def test_sec_02_keys_of_gpg_count_that_the_account_knows(tmp_path: Path, kind: str, keyrings: list[Keyring]) -> None:
    signed, (ana, eve) = Signed(tmp_path, kind), keyrings
    ana.let_in(tmp_path)  # HOME of whoever builds
    good = signed.push("signed", ana)
    assert signed.place.build_well() == good

    signed.refuse("by another", eve)
    signed.refuse("unsigned", None)
    also = signed.push("by a key of ssh", signed.ana)
    assert signed.place.build_well() == also


def test_sec_02_the_first_commit_is_held_to_its_own_demand_and_one_without_a_tag_waits(tmp_path: Path) -> None:
    signed = Signed(tmp_path, "tag")
    signed.place.remote.commit("no tag yet")
    assert "no annotated tag is on branch main" in signed.place.build().err
    good = signed.push("signed", signed.ana)
    signed.place.remote.commit("no tag yet")
    assert signed.place.build_well() == good
    assert signed.place.build().out.endswith("is in use already\n")


# Rights


@pytest.fixture
def open_place(open_directory: Path) -> Installation:
    """An installation of root's that every user gets to."""
    if os.geteuid():
        give_up("needs root, to be two users")
    return Installation(open_directory)


def test_sec_02_a_job_of_another_user_cannot_change_its_release(open_place: Installation) -> None:
    place = open_place
    place.build_well()
    before = place.tree()
    home = place.home
    become = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    job = f"cat {home}/jobs/hello.sh; echo x >> {home}/jobs/hello.sh; touch {home}/jobs/x; rm -f {place.base}/current"

    done = subprocess.run([*become, "sh", "-c", job], env=place.env, capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr.count("Permission denied")) == ((home / "jobs/hello.sh").read_text(), 3)
    assert place.tree() == before


def test_sec_02_root_does_not_build_in_the_directory_of_another_user(open_place: Installation) -> None:
    open_place.base.mkdir()
    os.chown(open_place.base, NOBODY, NOBODY)
    answer = open_place.build()
    assert (answer.code, "belongs to uid 65534" in answer.err) == (2, True)
