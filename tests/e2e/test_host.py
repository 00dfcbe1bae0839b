"""``deploy/host``: from a bare Debian to a service account whose real cron fires a job, an upgrade, and away again.

One host is played through from its first package to its last file; each test asks for one thing seen on the way.
"""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bare_host import BareHost, wait_for_line
from remotes import JOBS, RARELY, make_remote

# Packages are fetched and a full minute must pass; the first test pays for all.
pytestmark = pytest.mark.timeout(900)

REPOSITORY = Path(__file__).parents[2]
SETUP, REMOVE = "/checkout/deploy/host/setup", "/checkout/deploy/host/remove"
URL = "file:///srv/git/lab.git"
SITE = "name: lab\nstate: {state}\nmail: {{ops: ops@example.org}}\n"
EACH_MINUTE = JOBS.replace(RARELY, "* * * * *")
LONG = "  long: {when: '@yearly', run: jobs/long.py, profile: local}\n"
PROFILE = 'path: {prepend: ["{home}/.runner/bin"]}\n'
# Imports late, as programs do.
LONG_SCRIPT = """\
#!/usr/bin/env python3
import os, pathlib, time
print("began", flush=True)
while not pathlib.Path(os.environ["RUNNER_WORK"], "end").exists():
    time.sleep(0.1)
import rich.table
print("of", rich.table.__file__)
"""
FOREIGN = "# of a person\n0 3 1 1 * /bin/true\n"
# Where each kill comes, and how long after that line: amid what is done then. What follows each takes longer than a
# kill needs, so that no later one finds its work done.
KILLS = {
    "install the packages": 4.0,
    "make the account": 0.0,
    "install the tool": 4.0,
    "build the newest commit": 0.5,
    "wait for cron": 0.0,
}
FIRING_S = 75.0


# What deploy/systemd/README.md shows, for a job of each minute.
DROP_IN = "[Timer]\nOnCalendar=*-*-* *:*:00\n"


def read_key(unit: Path, key: str) -> str:
    """Return the value of a key of a unit."""
    return next(line.partition("=")[2] for line in unit.read_text().splitlines() if line.startswith(f"{key}="))


class Story:
    """What was seen of one host, in the order of its life."""

    def __init__(self, host: BareHost, directory: Path) -> None:
        self.host = host
        self._bring(directory)
        self._try()
        self._set_up()
        self._upgrade()
        self._remove()

    def _bring(self, directory: Path) -> None:
        """Put the checkout and a remote on the host; the remote belongs to another account than will fetch from it."""
        shutil.copytree(
            REPOSITORY, self.host.path("/checkout"), ignore=shutil.ignore_patterns(".*", "__pycache__", "tests")
        )
        remote = make_remote(directory, SITE.format(state="/srv/runner/state"))
        remote.write("envs/local.yaml", PROFILE)
        remote.write("jobs/all.yaml", EACH_MINUTE + LONG)
        remote.write("jobs/long.py", LONG_SCRIPT, 0o755)
        remote.commit("of the host")
        shutil.copytree(remote.bare, self.host.path("/srv/git/lab.git"))
        self.host.put("/etc/cron.allow", "root\n")

    def _try(self) -> None:
        before = self.host.list_tree("/etc", "/opt", "/srv", "/var/lib/dpkg", "/var/log")
        self.tried = self.host.run(SETUP, "--remote", URL, "--dry-run")
        self.changed_by_trying = before != self.host.list_tree("/etc", "/opt", "/srv", "/var/lib/dpkg", "/var/log")

    def _set_up(self) -> None:
        host = self.host
        self.killed = []
        for text, after_s in KILLS.items():
            self.killed.append(host.kill_at(text, after_s, SETUP, "--remote", URL))
            if text == "install the packages":
                self._half_unpack("readline-common")
            if text == "install the tool":
                self._half_make("runner")
        self.without_mail = host.run(SETUP)
        host.put("/usr/sbin/sendmail", "#!/bin/sh\ncat > /dev/null\n", 0o755)
        host.run_well("apt-get", "install", "-qq", "-y", "--no-install-recommends", "systemd")
        self.whole = host.run(SETUP, "--timers")
        self.runs = self._wait_for_runs()
        self.tree = self._list_lasting()
        self.again = host.run(SETUP)
        self.tree_again = self._list_lasting()
        self.possessions = host.list_tree("/opt/runner", "/srv/runner", "/var/lib/runner")
        self.account = host.run_well("sh", "-c", "getent passwd runner; id -Gn runner; passwd -S runner")
        self.units = self._use_units()
        self.may_change_tool = host.run("touch", "/opt/runner/tools/x", user="runner").returncode == 0

    def _half_unpack(self, package: str) -> None:
        """Leave a package as dpkg does if it is killed before the last of its files is in place."""
        get = f"apt-get update -qq && cd /tmp && apt-get download -qq {package} && dpkg --unpack {package}_*.deb"
        self.host.run_well("sh", "-c", get)
        self._edit("/var/lib/dpkg/status", f"(Package: {package}\nStatus: install) ok ", r"\1 reinstreq ")

    def _half_make(self, account: str) -> None:
        """Leave an account as useradd does if it is killed between its files."""
        self._edit("/etc/shadow", f"(?m)^{account}:.*\n", "")

    def _edit(self, path: str, pattern: str, replacement: str) -> None:
        """Replace what is in one place of a file of the host."""
        file = self.host.path(path)
        text, count = re.subn(pattern, replacement, file.read_text())
        assert count == 1
        file.write_text(text)

    def _use_units(self) -> subprocess.CompletedProcess[str]:
        """Do what systemd would: start the commands of the units, as their account, again and again in one minute."""
        units = sorted(self.host.path("/etc/systemd/system").glob("runner-*"))
        self.host.put("/etc/systemd/system/runner-job@hello.timer.d/when.conf", DROP_IN)
        instances = [unit.name.replace("@", "@hello") for unit in units]
        sweep_timer = self.host.path("/etc/systemd/system/runner-sweep.timer")
        self.verified = self.host.run("systemd-analyze", "verify", *instances)
        self.calendar = self.host.run("systemd-analyze", "calendar", read_key(sweep_timer, "OnCalendar"))
        commands = [read_key(unit, "ExecStart").replace("%i", "hello") for unit in units if unit.suffix == ".service"]
        users = {read_key(unit, "User") for unit in units if unit.suffix == ".service"}
        assert (users, len(commands)) == ({"runner"}, 2)
        script = "; ".join([f"{command} || exit" for command in commands * 3])
        return self.host.run("sh", "-c", script, user="runner")

    def _upgrade(self) -> None:
        host = self.host
        long = host.start("/opt/runner/bin/runner", "run", "long")
        self._wait_for(lambda: "began" in host.run("/opt/runner/bin/runner", "logs", "long").stdout, "run of long")
        self.refused_removal = host.run(REMOVE)
        self.old_tool = host.path("/opt/runner/current").readlink().name
        shutil.copytree(host.path("/checkout"), host.path("/newer"))
        project = host.path("/newer/pyproject.toml")
        project.write_text(project.read_text().replace('version = "', 'version = "99.'))
        upgrade = host.start("/newer/deploy/host/setup")
        wait_for_line(upgrade, "install the tool")
        host.run_well("logrotate", "--force", "/etc/logrotate.conf")
        self.said_by_upgrade, _ = upgrade.communicate(timeout=400)
        self.upgraded = upgrade.returncode
        host.put("/srv/runner/state/work/long/end", "")
        self.said_by_long, _ = long.communicate(timeout=60)
        self.log_of_long = host.run_well("/opt/runner/bin/runner", "logs", "long")
        self.version = host.run_well("/opt/runner/bin/runner", "--version")
        self.runs_after = self._list_runs()
        self.setup_log = gzip.decompress(host.path("/var/log/runner-setup.log.1.gz").read_bytes()).decode()
        self.setup_log_now = host.path("/var/log/runner-setup.log").read_text()

    def _remove(self) -> None:
        host = self.host
        self.would_purge = host.run(REMOVE, "--purge", "--dry-run")
        block = host.run_well("crontab", "-u", "runner", "-l")
        host.put("/tmp/table", FOREIGN + block)
        host.run_well("crontab", "-u", "runner", "/tmp/table")
        host.put("/tmp/table", FOREIGN)
        host.run_well("crontab", "/tmp/table")
        host.path("/srv/runner/state/work/long/end").unlink()
        long = host.start("/opt/runner/bin/runner", "run", "long")
        self._wait_for(lambda: host.run(REMOVE, "--dry-run").returncode, "run of long")
        host.kill_at("remove /etc/logrotate.d", 0.0, REMOVE, "--stop")
        self.stopped, _ = long.wait(timeout=60), long.communicate()
        self.removed = host.run(REMOVE)
        self.tables = [host.run_well("crontab", "-u", user, "-l") for user in ("runner", "root")]
        self.left = host.list_tree("/opt", "/etc/logrotate.d", "/etc/systemd")
        self.kept = host.list_tree("/srv/runner")
        self.unasked = host.run(REMOVE, "--purge")
        self.kept_unasked = host.list_tree("/srv/runner")
        self.purged_first = host.run(REMOVE, "--purge", "--yes")
        host.run_well("crontab", "-u", "runner", "-r")
        self.purged = host.run(REMOVE, "--purge", "--yes")
        self.purged_again = host.run(REMOVE, "--purge", "--yes")

    def _list_lasting(self) -> dict[str, tuple[object, ...]]:
        """Return all but what runs, builds and setup itself add to."""
        found = self.host.list_tree(
            "/etc", "/opt", "/srv/runner", "/var/lib/runner", "/var/lib/dpkg", "/var/spool/cron"
        )
        growing = ("srv/runner/state", "srv/runner/cache.git", "srv/runner/lock")
        return {
            path: what for path, what in found.items() if not path.startswith(growing) and "__pycache__" not in path
        }

    def _list_runs(self) -> list[dict[str, Any]]:
        said = self.host.run("/opt/runner/bin/runner", "history", "hello", "--json").stdout
        return [json.loads(line) for line in said.splitlines() if line.startswith("{")]

    def _wait_for_runs(self) -> list[dict[str, Any]]:
        self._wait_for(self._list_runs, f"run of hello after\n{self.whole.stdout}")
        return self._list_runs()

    def _wait_for(self, condition: Callable[[], object], what: str) -> None:
        until = time.monotonic() + FIRING_S
        while not condition():
            assert time.monotonic() < until, f"there is no {what}"
            time.sleep(0.5)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BareHost]:
    host = BareHost(tmp_path_factory.mktemp("bare") / "root")
    try:
        yield host
    finally:
        host.stop()


@pytest.fixture(scope="module")
def story(host: BareHost, tmp_path_factory: pytest.TempPathFactory) -> Story:
    return Story(host, tmp_path_factory.mktemp("remote"))


# Setting up


def test_a_dry_run_says_each_step_and_changes_nothing(story: Story) -> None:
    assert (story.tried.returncode, story.changed_by_trying) == (0, False)
    steps = story.tried.stdout.splitlines()[:-1]
    assert all(step.startswith("would ") for step in steps)
    assert [text for text in KILLS if not any(text in step for step in steps)] == []


def test_killed_wherever_it_may_be_it_is_completed_by_the_next_call(story: Story) -> None:
    assert len(story.killed) == len(KILLS)
    assert "make the account" not in story.whole.stdout
    assert story.whole.returncode == 0, story.whole.stdout


def test_an_error_of_the_diagnosis_is_shown_and_is_the_exit_code(story: Story) -> None:
    assert story.without_mail.returncode == 1
    assert "DIAG008  error  /usr/sbin/sendmail is not there" in story.without_mail.stdout
    assert "all is installed; mend the errors above" in story.without_mail.stdout


def test_the_installation_is_diagnosed_and_well(story: Story) -> None:
    assert "\nnothing was found\n" in story.whole.stdout
    assert story.whole.stdout.splitlines()[-1] == "done: /opt/runner/bin/runner is the command of runner"


def test_the_real_cron_of_the_host_fires_a_job_and_the_ledger_has_it(story: Story) -> None:
    assert story.runs[0]["outcome"] == "ok"
    assert story.runs[0]["trigger"] == "cron"


def test_once_more_changes_nothing(story: Story) -> None:
    assert story.again.returncode == 0
    assert story.tree_again == story.tree


# Least rights


def test_the_account_has_no_password_no_shell_and_no_other_group(story: Story) -> None:
    entry, groups, password = story.account.splitlines()
    assert entry.endswith(":/var/lib/runner:/usr/sbin/nologin")
    assert groups == "runner"
    assert password.split()[1] == "L"


def test_the_tool_belongs_to_root_and_the_account_cannot_change_it(story: Story) -> None:
    owners = {what[:2] for path, what in story.possessions.items() if path.startswith("opt/runner")}
    assert (owners, story.may_change_tool) == ({(0, 0)}, False)


@pytest.mark.parametrize(
    ("path", "mode"), [("srv/runner", "750"), ("srv/runner/state", "700"), ("var/lib/runner", "700")]
)
def test_what_is_the_accounts_is_for_no_other(story: Story, path: str, mode: str) -> None:
    owner, _, found, _ = story.possessions[path]
    assert (owner != 0, str(found)[-3:]) == (True, mode)


def test_the_account_may_keep_a_crontab_where_few_may(story: Story) -> None:
    assert story.tree["etc/cron.allow"][-1] == b"root\nrunner\n"


# Timers


def test_the_units_are_without_a_warning_of_systemd(story: Story) -> None:
    assert (story.verified.returncode, story.verified.stdout) == (0, "")
    assert story.calendar.returncode == 0


def test_what_units_start_beside_cron_is_one_run_of_a_slot(story: Story) -> None:
    assert (story.units.returncode, story.units.stdout) == (0, "")
    slots = [run["slot"] for run in story.runs_after if run["trigger"] == "cron"]
    assert len(set(slots)) == len(slots) > 0


def test_the_sweep_is_enabled_and_a_removal_takes_all_units_away(story: Story) -> None:
    assert "etc/systemd/system/timers.target.wants/runner-sweep.timer" in story.tree
    assert [path for path in story.left if "/runner-" in path and not path.endswith((".timer.d", "/when.conf"))] == []


# Upgrade


def test_an_upgrade_is_a_setup_from_a_newer_checkout_and_keeps_the_history(story: Story) -> None:
    assert (story.upgraded, "99." in story.version) == (0, True), story.said_by_upgrade
    before = [run["run_id"] for run in story.runs]
    assert before[0] in [run["run_id"] for run in story.runs_after]


def test_a_run_that_goes_on_meanwhile_ends_with_the_tool_that_it_began_with(story: Story) -> None:
    assert f"of /opt/runner/tools/{story.old_tool}/lib/" in story.said_by_long


def test_rotation_loses_no_line_of_setup_and_leaves_logs_of_runs_alone(story: Story) -> None:
    assert "setup: install the tool, from /newer" in story.setup_log
    assert "setup: done" in story.setup_log_now
    assert all(word in story.log_of_long for word in ("# run ", "began", "of /opt/runner", "# end "))


# Removal


def test_nothing_is_removed_while_runs_go_on(story: Story) -> None:
    assert story.refused_removal.returncode == 1
    assert story.refused_removal.stdout == (
        "remove: runs go on of long; nothing was changed; wait for them, or say --stop\n"
    )


def test_runs_are_stopped_for_a_removal_that_is_told_to(story: Story) -> None:
    assert story.stopped == 143


def test_a_dry_run_of_a_purge_says_what_would_go(story: Story) -> None:
    assert story.would_purge.returncode == 0
    assert [line for line in story.would_purge.stdout.splitlines() if not line.startswith("would ")] == []
    assert "would remove the account runner" in story.would_purge.stdout


def test_a_removal_leaves_the_lines_of_others_and_nothing_of_ours_but_the_possessions(story: Story) -> None:
    assert story.removed.returncode == 0, story.removed.stdout
    assert story.tables == [FOREIGN, FOREIGN]
    assert [path for path in story.left if "runner" in path and "/runner-job@hello.timer.d" not in path] == []
    assert "srv/runner/state/runner.db" in story.kept


def test_a_purge_is_asked_for(story: Story) -> None:
    assert (story.unasked.returncode, story.unasked.stdout) == (
        2, "remove: --purge asks on a terminal; elsewhere say --yes\n",
    )  # fmt: skip
    assert story.kept_unasked == story.kept


def test_an_account_with_lines_of_its_own_outlives_a_purge(story: Story) -> None:
    assert story.purged_first.returncode == 0
    assert "the account runner stays: its crontab has lines that are not ours" in story.purged_first.stdout


def test_a_purge_leaves_nothing(story: Story, host: BareHost) -> None:
    assert story.purged.returncode == 0, story.purged.stdout
    assert host.path("/etc/cron.allow").read_text() == "root\n"
    assert story.purged_again.stdout == "nothing is installed for runner\n"
    places = ["/etc", "/home", "/opt", "/run", "/srv", "/tmp", "/var"]
    assert (
        host.run_well("find", *places, "-xdev", "(", "-name", "*runner*", "-o", "-nouser", "-o", "-nogroup", ")") == ""
    )
    assert "runner" not in host.path("/etc/passwd").read_text() + host.path("/etc/group").read_text()


# Mistakes


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "what is to be built? name its repository with --remote URL"),
        ("--remote https://ana:pw@example.org/x", "--remote: a login in an address is for all to see"),
        ("--remote http://example.org/x", "--remote http://example.org/x: write https://HOST/PATH"),
        ("--remote", "--remote wants a value"),
        ("--user No.Body", "--user No.Body: no name of an account"),
        ("--user root", "--user root: jobs of root could do everything"),
        ("--prefix here", "--prefix here: write a path like /srv/ql"),
        ("--prefix /opt/../etc", "--prefix /opt/../etc: write a path like /srv/ql"),
        ("--base /var/log", "--base /var/log: it holds something that is not ours"),
        ("--base /tmp/other", "--base: others than root can change what is in /tmp"),
        ("--base /opt/other/x", "--prefix /opt/other: not inside of --base, nor around it"),
        ("--wheel gone.whl --remote /x", "--wheel: no such file"),
        ("--frobnicate", "what is --frobnicate? see --help"),
    ],
)
def test_a_mistake_is_one_line_and_changes_nothing(story: Story, host: BareHost, words: str, said: str) -> None:
    before = host.list_tree("/etc", "/opt", "/srv", "/var/log")
    done = host.run(SETUP, "--user", "other", *words.split())
    assert (done.returncode, done.stdout.count("\n")) == (2, 1)
    assert done.stdout.startswith(f"setup: {said}")
    assert host.list_tree("/etc", "/opt", "/srv", "/var/log") == before


@pytest.mark.parametrize("script", [SETUP, REMOVE])
def test_who_is_not_root_is_told(story: Story, host: BareHost, script: str) -> None:
    done = host.run(script, user="nobody")
    assert (done.returncode, "only root can do this" in done.stdout) == (2, True)


def test_another_system_than_debian_is_told(story: Story, host: BareHost) -> None:
    version = host.path("/etc/debian_version")
    version.rename(f"{version}.away")
    try:
        done: subprocess.CompletedProcess[str] = host.run(SETUP, "--remote", URL)
    finally:
        Path(f"{version}.away").rename(version)
    assert (done.returncode, done.stdout.startswith("setup: this is no Debian")) == (2, True)
