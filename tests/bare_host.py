"""A bare Debian, made by debootstrap, in namespaces of its own: a host for tests that set one up.

It has its own processes and mounts, so that its daemons end with it and nothing of it stays; the network is that of
the machine. Needs root, debootstrap, a mirror of Debian, and the right to make namespaces.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from missing import give_up

PROGRAMS = ("debootstrap", "unshare", "nsenter", "chroot", "mount")
_MIRROR = "http://deb.debian.org/debian"
# What of the machine's file system is to be seen in the host stands below here.
_OUTSIDE = "/outside"
_READY_S = 30.0
_CALL_S = 400.0
# The first process of the host: whatever is orphaned becomes its child, and it waits for those.
_INIT = "touch /run/ready; while :; do sleep 1; done"
_OF_NETWORK = re.compile(r"(?i)https?_proxy|no_proxy|all_proxy")


class BareHost:
    """One host.

    Attributes
    ----------
    root
        Its file system, as seen from the machine.
    """

    def __init__(self, root: Path) -> None:
        _check_machine()
        self.root = root
        self._pip, seen = translate_pip_settings(read_pip_settings())
        _make_root(root)
        self._unshare = self._start_init(seen)
        self._init = self._wait_for_init()

    def stop(self) -> None:
        """End all that runs on it, and remove it."""
        self._unshare.kill()  # --kill-child: the first process, and so all others
        self._unshare.wait()
        shutil.rmtree(self.root)

    def run(self, *words: str, user: str = "root") -> subprocess.CompletedProcess[str]:
        """Run a command to its end; stdout and stderr are one."""
        process = self.start(*words, user=user)
        said, _ = process.communicate(timeout=_CALL_S)
        return subprocess.CompletedProcess(words, process.returncode, said)

    def start(self, *words: str, user: str = "root") -> subprocess.Popen[str]:
        """Start a command, without a terminal."""
        become = [] if user == "root" else ["runuser", "-u", user, "--"]
        place = ["nsenter", "--mount", "--pid", "--target", str(self._init), "--", "chroot", str(self.root)]
        return subprocess.Popen(
            [*place, *become, *words], env=self._environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip

    def run_well(self, *words: str) -> str:
        """Run a command that must succeed; return what it says."""
        done = self.run(*words)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def kill_at(self, text: str, after_s: float, *words: str) -> str:
        """Kill all that runs here so long after a command says `text`, as a power cut does; return what it said."""
        process = self.start(*words)
        said = wait_for_line(process, text)
        time.sleep(after_s)
        self.run_well("sh", "-c", "kill -s KILL -- -1")
        process.communicate()
        return said

    def put(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write a file there, as root."""
        file = self.path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def path(self, path: str) -> Path:
        """Return where an absolute path of the host is on the machine."""
        return self.root / path.lstrip("/")

    def list_tree(self, *paths: str) -> dict[str, tuple[object, ...]]:
        """Return owner, group, mode and content of all that is below some paths."""
        found = [one for path in paths for one in (self.path(path), *self.path(path).rglob("*"))]
        return {str(one.relative_to(self.root)): _describe(one) for one in found if os.path.lexists(one)}

    def _environment(self) -> dict[str, str]:
        network = {name: value for name, value in os.environ.items() if _OF_NETWORK.fullmatch(name)}
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", **network, **self._pip}

    def _start_init(self, seen: Sequence[Path]) -> subprocess.Popen[bytes]:
        script = f'root=$1; shift; for path; do mkdir -p "$root{_OUTSIDE}$path"'
        script += f' && mount --bind -o ro "$path" "$root{_OUTSIDE}$path"; done; exec chroot "$root" sh -c "{_INIT}"'
        namespaces = ["--mount", "--pid", "--fork", "--kill-child", f"--mount-proc={self.root}/proc"]
        command = ["unshare", *namespaces, "sh", "-euc", script, "-", str(self.root), *map(str, seen)]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL)

    def _wait_for_init(self) -> int:
        until = time.monotonic() + _READY_S
        while not self.path("/run/ready").exists():
            if self._unshare.poll() is not None or time.monotonic() > until:
                give_up("no namespaces for a host of its own")
            time.sleep(0.02)
        pid = self._unshare.pid
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


def wait_for_line(process: subprocess.Popen[str], text: str) -> str:
    """Read what a process says up to a line with `text`, and return it."""
    assert process.stdout
    said = ""
    for line in process.stdout:
        said += line
        if text in line:
            return said
    raise AssertionError(f'"{text}" was never said:\n{said}')


def read_pip_settings() -> dict[str, str]:
    """Return by which settings pip finds packages on this machine, its files' and the environment's."""
    command = [sys.executable, "-I", "-m", "pip", "config", "list"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    pairs = [line.partition("=") for line in lines if line.startswith(("global.", "install.", ":env:."))]
    pairs.sort(key=lambda pair: pair[0].startswith(":env:."))  # the environment decides
    return {name.rpartition(".")[2]: ast.literal_eval(value) for name, _, value in pairs}


def translate_pip_settings(settings: dict[str, str]) -> tuple[dict[str, str], list[Path]]:
    """Return settings as the environment of the host, and the directories of the machine that they lead to.

    Of an index it is the directory around it, since its links lead there.
    """
    environment, seen = {}, set()
    for name, value in settings.items():
        words = value.split()
        for number, word in enumerate(words):
            scheme, path = ("file://", word[7:]) if word.startswith("file://") else ("", word)
            if path.startswith("/") and Path(path).exists():
                seen.add(Path(path).parent)
                words[number] = f"{scheme}{_OUTSIDE}{path}"
        environment[f"PIP_{name.replace('-', '_').upper()}"] = " ".join(words)
    return environment, sorted(seen)


def _check_machine() -> None:
    if os.geteuid() != 0:
        give_up("needs root, for debootstrap and namespaces")
    for program in PROGRAMS:
        if shutil.which(program) is None:
            give_up(f"{program} is not installed")


def _make_root(root: Path) -> None:
    suite = _read_codename()
    command = ["debootstrap", "--variant=minbase", suite, str(root), _find_mirror(suite)]
    # What it mounts while it works goes with it.
    command = ["unshare", "--mount", "--propagation", "private", *command]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        shutil.rmtree(root, ignore_errors=True)
        give_up(f"debootstrap: {(done.stderr + done.stdout).strip()[-500:]}")


def _read_codename() -> str:
    release = Path("/etc/os-release")
    found = re.search(r"(?m)^VERSION_CODENAME=(\w+)$", release.read_text() if release.exists() else "")
    return found[1] if found else "stable"


def _find_mirror(suite: str) -> str:
    """Return the mirror from which this machine has its own packages."""
    command = ["apt-get", "indextargets", "--format", "$(LABEL) $(CODENAME) $(REPO_URI)"]
    lines = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    mirrors = [words[2] for line in lines if (words := line.split())[:2] == ["Debian", suite]]
    return mirrors[0] if mirrors else _MIRROR


def _describe(path: Path) -> tuple[object, ...]:
    status = path.lstat()
    content = path.readlink() if path.is_symlink() else path.read_bytes() if path.is_file() else ""
    return status.st_uid, status.st_gid, oct(status.st_mode), content
