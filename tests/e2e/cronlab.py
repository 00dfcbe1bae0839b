"""Debian's real cron in a private mount namespace: spool, tables, pid file and sendmail of the host stay untouched.

CRON-80 is the recipe. Needs root, the Debian package ``cron`` and the right to make a mount namespace.
"""

from __future__ import annotations

import email
import grp
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from email.message import Message
from pathlib import Path
from typing import Any

from missing import give_up

CRON = "/usr/sbin/cron"
PROGRAMS = (CRON, "crontab", "unshare", "nsenter", "mount")
# What the daemon itself has in its environment: no job may see it (CRON-81).
DAEMON_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "RUNNER_CANARY": "of the daemon"}
# A firing is due within a minute; the daemon looks 1 s after it, and a mail follows the end of the job.
FIRING_S = 75.0

_DIRECTORIES = {"spool": 0o1730, "run": 0o755, "cron.d": 0o755, "mail": 0o1777, "up": 0o755, "work": 0o755}
_READY_S = 10.0

# A mail is renamed when it is whole, so that no test reads half of one.
_SENDMAIL = """\
#!/bin/sh
part=$(mktemp {lab}/mail/XXXXXX.part) || exit 75
{{ echo "X-Argv: $*"; cat; }} >"$part" && mv "$part" "${{part%.part}}"
"""

_START = """\
mount --bind {lab}/spool /var/spool/cron/crontabs
mount --bind {lab}/run /run
mount --bind {lab}/cron.d /etc/cron.d
mount --bind /dev/null /etc/crontab
mount -t overlay overlay -o lowerdir=/usr/sbin,upperdir={lab}/up,workdir={lab}/work /usr/sbin
cp {lab}/sendmail /usr/sbin/sendmail
exec {cron} -f -L 15
"""


class CronLab:
    """One daemon with an empty spool.

    Attributes
    ----------
    directory
        Its own, not on an overlay, open to every user: a job and its sendmail may be another's.
    """

    def __init__(self) -> None:
        _check_machine()
        self.directory = _make_directory()
        self._daemon: subprocess.Popen[bytes] | None = None
        self._namespace = ""

    def start(self) -> None:
        """Start the daemon; return when it waits for its next minute."""
        for name, mode in _DIRECTORIES.items():
            (self.directory / name).mkdir()
            (self.directory / name).chmod(mode)
            # The daemon reloads when a directory's time, in whole seconds, is another than at its start: a table
            # installed within the second in which we made the directory would never be seen.
            os.utime(self.directory / name, (0, 0))
        shutil.chown(self.directory / "spool", group="crontab")
        (self.directory / "sendmail").write_text(_SENDMAIL.format(lab=self.directory))
        (self.directory / "sendmail").chmod(0o755)
        (self.directory / "start").write_text(_START.format(lab=self.directory, cron=CRON))
        command = ["unshare", "--mount", "--propagation", "private", "sh", "-eu", self.directory / "start"]
        with open(self.directory / "errors", "wb") as errors:
            # Of unshare, sh and cron each replaces the one before: the pid is cron's in the end.
            self._daemon = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors, env=DAEMON_ENVIRONMENT,
                start_new_session=True,
            )  # fmt: skip
        self._wait_until_ready()
        self._namespace = _read_namespace(Path(f"/proc/{self._daemon.pid}"))

    def open_to_all(self, program: Path, tree: Path) -> None:
        """Let every user of this cron reach a program in a tree of, say, root's home: in its namespace alone."""
        closed = next((path for path in reversed(program.parents) if not path.stat().st_mode & 0o001), None)
        if closed is None:
            return
        script = 'mkdir "$1" && mount --bind "$3" "$1" && mount -t tmpfs -o mode=755 none "$2" && mkdir -p "$3"'
        done = self.run(["sh", "-c", f'{script} && mount --bind "$1" "$3"', "-", self.directory / "tree", closed, tree])
        assert done.returncode == 0, done.stderr.decode()

    def stop(self) -> None:
        """End the daemon and whatever it started, and remove the directory; no other process is touched."""
        if self._daemon is not None:
            self._daemon.kill()
            self._daemon.wait()
            for pid in _list_processes_in(self._namespace) if self._namespace else ():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._wait_until_empty()
        shutil.rmtree(self.directory)

    def run(self, words: Sequence[str | Path], **options: Any) -> subprocess.CompletedProcess[bytes]:
        """Run a command that sees this cron; it starts in ``/`` and its output is kept."""
        assert self._daemon is not None
        command = ["nsenter", "-m", "-t", str(self._daemon.pid), "--", *map(str, words)]
        options = {"stdin": None if "input" in options else subprocess.DEVNULL, "timeout": 60, **options}
        return subprocess.run(command, capture_output=True, check=False, **options)

    def crontab(self, *words: str, input: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
        """Call ``crontab WORDS``, with `input` at its stdin."""
        options = {} if input is None else {"input": input}
        return self.run(["crontab", *words], **options)

    def mails(self) -> list[Message]:
        """Return the mails sent so far, oldest first; ``X-Argv`` holds the arguments that sendmail got."""
        paths = [path for path in (self.directory / "mail").iterdir() if path.suffix != ".part"]
        paths.sort(key=lambda path: path.stat().st_mtime_ns)
        return [email.message_from_bytes(path.read_bytes()) for path in paths]

    def wait_for_mails(self, number: int, *, within_s: float = FIRING_S) -> list[Message]:
        """Return the mails as soon as there are `number` of them."""
        self.wait_for(lambda: len(self.mails()) >= number, f"{number} mails", within_s=within_s)
        return self.mails()

    def wait_for(self, condition: Callable[[], object], what: str, *, within_s: float = FIRING_S) -> None:
        """Wait for something that a firing brings about; without it the test fails."""
        until = time.monotonic() + within_s
        while not condition():
            assert time.monotonic() < until, f"after {within_s:g} s there is no {what}"
            time.sleep(0.2)

    def wait_past_full_minute(self, extra_s: float = 5.0) -> None:
        """Wait until what is due at the next full minute has been started, and has had `extra_s` for its work."""
        time.sleep(60 - time.time() % 60 + extra_s)

    def _wait_until_ready(self) -> None:
        assert self._daemon is not None
        until = time.monotonic() + _READY_S
        while not (self.directory / "run" / "crond.pid").exists():
            if self._daemon.poll() is not None or time.monotonic() > until:
                give_up(f"no cron of its own here: {(self.directory / 'errors').read_text().strip()}")
            time.sleep(0.02)

    def _wait_until_empty(self) -> None:
        """Wait for the killed ones to be gone: until then the kernel may write into our directories."""
        until = time.monotonic() + _READY_S
        while self._namespace and _list_processes_in(self._namespace):
            assert time.monotonic() < until, "a killed job does not end"
            time.sleep(0.02)


def _check_machine() -> None:
    if os.geteuid() != 0:
        give_up("needs root, for a private mount namespace")
    for program in PROGRAMS:
        if shutil.which(program) is None:
            give_up(f"{program} is not installed")
    if not any(group.gr_name == "crontab" for group in grp.getgrall()):
        give_up("no group crontab: this cron is not Debian's")
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode != 0:
        give_up("unshare --mount is refused")


def _make_directory() -> Path:
    """Return a new directory that may be the upper one of an overlay."""
    parents = [parent for parent in (Path(tempfile.gettempdir()), Path("/dev/shm")) if not _is_overlay(parent)]
    if not parents:
        give_up("no directory that is not on an overlay")
    directory = Path(tempfile.mkdtemp(prefix="cronlab-", dir=parents[0]))
    directory.chmod(0o755)
    return directory


def _is_overlay(path: Path) -> bool:
    device = path.stat().st_dev
    wanted = f"{os.major(device)}:{os.minor(device)}"
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        mount, _, source = line.partition(" - ")
        if mount.split()[2] == wanted:
            return source.split()[0] == "overlay"
    return False


def _read_namespace(process: Path) -> str:
    return str((process / "ns" / "mnt").readlink())


def _list_processes_in(namespace: str) -> list[int]:
    """Return the processes of a mount namespace, zombies apart (they have left it)."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if _read_namespace(process) == namespace:
                found.append(int(process.name))
    return found
