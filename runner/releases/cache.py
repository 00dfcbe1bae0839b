"""The bare repository that commits are fetched into, by GitPython; nothing in a commit is executed here (SEC-2).

Git's settings are ours alone, its hooks are off, other protocols than https, ssh and file are refused by git too
(after a redirect, for instance), nobody is asked for a password, and there is a limit of time for each command.
"""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from runner.errors import TryLater, UserError
from runner.launch.instant import format_slot
from runner.releases.record import Build
from runner.releases.remote import check_branch, check_remote, hide_login
from runner.releases.seal import remove_tree

if TYPE_CHECKING:
    from git import Git

# What a caller may say of how a remote is reached; every other GIT_ variable would lead git elsewhere.
_KEPT = ("GIT_SSH_COMMAND", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH")
_SETTINGS = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "protocol.version": "2",
    "fetch.recurseSubmodules": "false",
    "fetch.writeCommitGraph": "false",
    "gc.autoDetach": "false",
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "60",
    "tar.umask": "0022",
}
_ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    "GIT_CONFIG_GLOBAL": str(Path(__file__).with_name("trusted.gitconfig")),
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "/bin/false",
    "SSH_ASKPASS": "/bin/false",
    "GIT_ALLOW_PROTOCOL": "https:ssh:file",
    "GIT_LFS_SKIP_SMUDGE": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
}
_SSH = "ssh -o BatchMode=yes -o ConnectTimeout=20"
_FORMAT = "%H%x00%an <%ae>%x00%ct%x00%s"
_TIMEOUT_S = 600.0


class Failed(Exception):
    """Git did not end well; the text is what it said, without logins."""


class Cache:
    """The cache of one installation; its remote and branch are kept in its configuration, as those of a clone are.

    Parameters
    ----------
    keep
        Descriptors that git inherits: the lock of whoever writes, which must not be free while a git of ours lives.
    """

    def __init__(self, path: Path, keep: Sequence[int] = ()) -> None:
        self._path = path
        self._keep = tuple(keep)

    def prepare(self, remote: str | None, branch: str | None) -> None:
        """Make the repository, or see that it is there; remember a remote and branch that are given.

        The caller holds the lock, so any that git still has in there is of one that was killed.

        Raises
        ------
        UserError
            If no remote was ever given, or one that is not let in.
        TryLater
            If it cannot be written to.
        """
        if remote:
            check_remote(remote)
        if branch:
            check_branch(branch)
        if not remote and not self._path.exists():
            raise UserError("what is to be built? name its repository with --remote URL, and its --branch")
        try:
            self._make()
            for key, value in (("remote.origin.url", remote), ("runner.branch", branch)):
                if value:
                    self._call("config", key, value)
        except Failed as failure:
            raise TryLater(f"{self._path}: {failure}") from None
        check_remote(self._read_setting("remote.origin.url"))

    def _make(self) -> None:
        for lock in self._path.rglob("*.lock"):
            lock.unlink()
        if self._path.exists():
            return
        temporary = Cache(self._path.with_name(f".{self._path.name}"), self._keep)
        remove_tree(temporary._path)
        temporary._call("init", "--quiet", "--bare", "--template=", str(temporary._path))
        temporary._path.chmod(0o700)
        temporary._path.rename(self._path)

    @property
    def branch(self) -> str:
        """The branch that is built."""
        return check_branch(self._read_setting("runner.branch") or "main")

    @property
    def remote(self) -> str:
        """Where commits come from, without a login."""
        return hide_login(self._read_setting("remote.origin.url"))

    def ask(self, limit_s: float) -> str:
        """Return the newest commit of the branch at the remote, fetched or not; empty if it has no such branch.

        TryLater if the remote does not answer within `limit_s`.
        """
        try:
            answer = self._call("ls-remote", "--quiet", "origin", f"refs/heads/{self.branch}", limit_s=limit_s)
        except Failed as failure:
            raise TryLater(str(failure)) from None
        return answer.partition("\t")[0]

    def fetch(self) -> None:
        """Fetch the branch and all tags; TryLater if the remote does not give them."""
        refs = (f"+refs/heads/{self.branch}:refs/heads/{self.branch}", "+refs/tags/*:refs/tags/*")
        try:
            self._call("fetch", "--quiet", "--prune", "--no-tags", "--no-write-fetch-head", "origin", *refs)
        except Failed as failure:
            raise TryLater(f"cannot fetch {self.branch} of {self.remote}: {failure}") from None

    def find_head(self, *, tagged: bool) -> str:
        """Return the commit to be built: the newest of the branch, or the newest of it with an annotated tag.

        UserError if there is none.
        """
        head = self._resolve(f"refs/heads/{self.branch}")
        if not tagged:
            return head
        tag = self.find_tag(head)
        if not tag:
            raise UserError(f"no annotated tag is on branch {self.branch}, and release.signed asks for one")
        return self._resolve(f"refs/tags/{tag}")

    def find_tag(self, commit: str, *options: str) -> str:
        """Return the annotated tag nearest to a commit among it and those before it; empty if there is none.

        The order is that of history: the dates of tags are those of their makers' clocks.
        """
        try:
            return self._call("describe", "--abbrev=0", *options, commit).strip()
        except Failed:
            return ""

    def read_commit(self, commit: str) -> Build:
        """Return who wrote a commit, when, and its first line."""
        name, author, seconds, subject = self._call("show", "--no-patch", f"--format={_FORMAT}", commit).split("\0", 3)
        return Build(name, author, subject, format_slot(int(seconds)))

    def read_file(self, commit: str, name: str) -> bytes:
        """Return what a file of a commit holds, nothing if there is no such file."""
        with tempfile.TemporaryFile() as file:
            try:
                self._call("cat-file", "blob", f"{commit}:{name}", output=file)
            except Failed:
                return b""
            file.seek(0)
            return file.read()

    def verify(self, kind: str, commit: str, signers: Path | bytes) -> None:
        """See that a commit, or a tag on it, is signed by a key that counts; UserError says why not.

        Keys of gpg are those in the keyring of this account; those of ssh stand in `signers`, the file or its text.
        """
        signed = commit
        if kind == "tag":
            signed = self.find_tag(commit, "--exact-match")
            if not signed:
                raise UserError(f"no annotated tag is on commit {commit[:12]}")
        name = signed if kind == "commit" else f"refs/tags/{signed}"
        with tempfile.NamedTemporaryFile() as file:
            file.write(signers if isinstance(signers, bytes) else _read(signers))
            file.flush()
            try:
                self._call("-c", f"gpg.ssh.allowedSignersFile={file.name}", f"verify-{kind}", name)
            except Failed as failure:
                said = str(failure) or "it has none"
                raise UserError(f"the signature of {kind} {signed} does not count: {said}") from None

    def archive(self, commit: str, file: IO[bytes]) -> None:
        """Write the files of a commit as tar: no history, no submodules, nothing smudged."""
        self._call("archive", "--format=tar", commit, output=file)

    def list_submodules(self, commit: str) -> list[str]:
        """Return the directories of a commit that other repositories are meant to fill."""
        entries = self._call("ls-tree", "-r", "-z", "--full-tree", commit).split("\0")
        return [entry.partition("\t")[2] for entry in entries if entry.split(" ")[1:2] == ["commit"]]

    def _resolve(self, ref: str) -> str:
        try:
            return self._call("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}").strip()
        except Failed:
            raise UserError(f"the remote has no branch {self.branch}; name another with --branch") from None

    def _read_setting(self, key: str) -> str:
        try:
            return self._call("config", "--get", key).strip()
        except Failed:
            return ""

    def _call(self, *words: str, output: IO[bytes] | None = None, limit_s: float = _TIMEOUT_S) -> str:
        """Call git; return its stdout. Failed has its stderr, without logins."""
        with _bare_environment():
            from git.exc import GitCommandError, GitCommandNotFound

            options = [word for pair in _SETTINGS.items() for word in ("-c", "=".join(pair))]
            command = ["git", f"--git-dir={self._path}", *options, *words]
            try:
                _, out, _ = _make_git().execute(
                    command,
                    with_extended_output=True,
                    kill_after_timeout=limit_s,
                    output_stream=output,
                    pass_fds=self._keep,
                    env=_ENVIRONMENT | ({} if "GIT_SSH_COMMAND" in os.environ else {"GIT_SSH_COMMAND": _SSH}),
                )
            except GitCommandNotFound:
                raise UserError("git is not installed on this host; apt install git") from None
            except GitCommandError as error:
                if error.status == -signal.SIGKILL:
                    raise Failed(f"git {words[0]} took more than {limit_s:g} s") from None
                raise Failed(hide_login(_tell(error.stderr))) from None
        return out if isinstance(out, str) else ""


def _make_git() -> Git:
    from git import Git

    return Git()


def _tell(stderr: object) -> str:
    """Return what git said; GitPython wraps it in a line of its own."""
    text = str(stderr).strip().removeprefix("stderr: '").removesuffix("'")
    return "; ".join(line.strip() for line in text.splitlines() if line.strip())


def _read(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


@contextmanager
def _bare_environment() -> Iterator[None]:
    """Take away the variables by which a caller, a git hook for one, would lead git to another repository."""
    away = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("GIT_") and name not in _KEPT}
    os.environ["GIT_PYTHON_REFRESH"] = "quiet"
    try:
        yield
    finally:
        del os.environ["GIT_PYTHON_REFRESH"]
        os.environ.update(away)
