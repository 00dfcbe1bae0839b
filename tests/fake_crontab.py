"""A target to compile for, and a ``crontab`` that is a program of its own but keeps its table in a file."""

from __future__ import annotations

import getpass
import os
import pwd
from dataclasses import dataclass, field, replace
from pathlib import Path

from missing import give_up

from runner.crontab.compile import compile_block, name_block
from runner.crontab.crond import CronFile
from runner.crontab.dialects import DEBIAN
from runner.crontab.entry import Entry
from runner.crontab.order import Order
from runner.crontab.preview import Preview, Wanted
from runner.crontab.tables import Crontab, find_crontab
from runner.document.keys import Keys
from runner.home.settings import Mail, Target
from runner.registry.schedule import parse_when

NOW = 1_772_953_200.0  # 2026-03-08T07:00:00Z


def make_mail(**given: object) -> Mail:
    """Return settings of mail: by cron, to ops, unless told otherwise."""
    return Mail(**{**Keys(Mail).defaults, "via": "cron", "ops": ("ops@example.org",), **given})


MAIL = make_mail()

FAKE_CRONTAB = """\
#!/bin/sh
here=$(dirname "$0")
echo "$*" >>"$here/calls"
env >"$here/environment"
[ "$1" = -u ] && shift 2
[ -e "$here/fail$1" ] && { cat "$here/fail$1" >&2; exit 1; }
case $1 in
-V) echo "crontab: invalid option -- 'V'" >&2; exit 1 ;;
-l) [ -e "$here/table" ] || { echo "no crontab for $(id -un)" >&2; exit 1; }; cat "$here/table" ;;
-r) rm "$here/table" ;;
-n) ;;
*) cp "$1" "$here/table" ;;
esac
"""


def make_target(**changes: object) -> Target:
    """Return the target of the specification's example, with changes."""
    values: dict[str, object] = {
        "name": "ops",
        "hosts": ("ql-ops1.example.org",),
        "user": "wfc3ql",
        "kind": "user",
        "cron": "",
        "timezone": "America/New_York",
        "home": "/home/wfc3ql/ql",
        "site": "dsoc",
        "environment": "prod",
        "state": "",
        "database": "",
    }
    return Target(**{**values, **changes})  # type: ignore[arg-type]


def make_entry(plan: str, *fields: str, mailto: tuple[str, ...] = ()) -> Entry:
    """Return an entry with the schedules that its fields mean."""
    job, _, profile = plan.partition("@")
    return Entry(plan, job, profile, fields, mailto, tuple(parse_when(text).schedule for text in fields))


def make_block(*entries: Entry, home_name: str = "ql", **changes: object) -> bytes:
    """Return a compiled block of the example's home."""
    target = make_target(**changes)
    return compile_block(home_name, "/nowhere", target, entries, MAIL, housekeeping="cron").encode()


def make_wanted(*entries: Entry, **changes: object) -> Wanted:
    """Return the wish for a block of those entries in the caller's crontab."""
    return Wanted(
        name=name_block("ql", "ops"),
        target="ops",
        host="ql-ops1.example.org",
        user=getpass.getuser(),
        system=changes.get("kind") == "cron-d",
        block=make_block(*entries, **changes).decode(),
        entries=entries,
    )


def make_system_wanted(*entries: Entry, **changes: object) -> Wanted:
    """Return the wish for a block of those entries in /etc/cron.d."""
    return make_wanted(*entries, **{"kind": "cron-d", "user": getpass.getuser(), **changes})


def make_removal() -> Wanted:
    """Return the wish to have that block taken out."""
    return replace(make_wanted(), block="", entries=())


@dataclass
class FakeCrontab:
    """The directory of a fake ``crontab``, and what was shown of its orders."""

    directory: Path
    state: Path = Path("state")
    shown: list[Preview] = field(default_factory=list)

    @property
    def table(self) -> bytes | None:
        path = self.directory / "table"
        return path.read_bytes() if path.exists() else None

    @table.setter
    def table(self, text: bytes) -> None:
        (self.directory / "table").write_bytes(text)

    @property
    def calls(self) -> list[str]:
        path = self.directory / "calls"
        return path.read_text().splitlines() if path.exists() else []

    @property
    def writes(self) -> list[str]:
        """The calls that change the table."""
        return [call for call in self.calls if call.split()[0] not in ("-l", "-V", "-n", "-T")]

    def find(self) -> Crontab:
        """Return it as found on the PATH of a caller whose home, where the lock is, lies beside it."""
        path = f"{self.directory}:{os.environ['PATH']}"
        crontab = find_crontab(getpass.getuser(), {"PATH": path, "CRONTAB_NOHEADER": "N"})
        account = (*crontab.account[:5], str(self.directory.parent), crontab.account.pw_shell)
        return replace(crontab, account=pwd.struct_passwd(account))

    def fail(self, option: str, message: str) -> None:
        """Have every call with that first argument fail so."""
        (self.directory / f"fail{option}").write_text(message)

    def replace(self, script: str) -> None:
        """Be another program."""
        program = self.directory / "crontab"
        program.write_text(script)
        program.chmod(0o755)

    def change(self, old: str, new: str) -> None:
        """Be almost the same program."""
        self.replace(FAKE_CRONTAB.replace(old, new))

    def order(self, wanted: Wanted, **changes: object) -> Order:
        return Order(
            wanted=wanted,
            crontab=self.find(),
            now=NOW,
            show=self.shown.append,
            confirm=changes.pop("confirm", lambda preview: True),  # type: ignore[arg-type]
            state=self.directory / self.state,
            **changes,  # type: ignore[arg-type]
        )


@dataclass
class FakeCronFile(FakeCrontab):
    """A directory in the place of /etc/cron.d, and the file of our block in it."""

    @property
    def path(self) -> Path:
        """The file."""
        return self.directory / "runner-ql-ops"

    @property
    def table(self) -> bytes | None:
        return self.path.read_bytes() if self.path.exists() else None

    @table.setter
    def table(self, text: bytes) -> None:
        self.path.write_bytes(text)
        self.path.chmod(0o644)

    def find(self) -> CronFile:  # type: ignore[override]
        """Return the file, for a user whose home lies beside the directory."""
        account = pwd.getpwnam(getpass.getuser())
        account = pwd.struct_passwd((*account[:5], str(self.directory.parent), account.pw_shell))
        return CronFile(self.path, account, DEBIAN)


def make_cron_d(tmp_path: Path) -> FakeCronFile:
    """Return an empty one."""
    if os.geteuid() != 0:
        give_up("needs root, who alone owns files that a cron reads in /etc/cron.d")
    (tmp_path / "cron.d").mkdir()
    return FakeCronFile(tmp_path / "cron.d", tmp_path / "state")


def make_fake_crontab(directory: Path) -> FakeCrontab:
    """Return a fake in a new directory."""
    directory.mkdir()
    fake = FakeCrontab(directory)
    fake.replace(FAKE_CRONTAB)
    return fake
