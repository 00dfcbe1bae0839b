"""``runner crontab``: what is written when, what is refused, what is said."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from homes import Home
from missing import give_up

from runner.home.here import read_user
from runner.launch.installed import read_installed
from runner.plans.zone import is_same_zone, read_host_zone


@pytest.fixture
def system_home(home: Home) -> Home:
    """A home whose block is a file of /etc/cron.d, which another directory stands for."""
    if os.geteuid() != 0:
        give_up("needs root")
    home.target({"kind": "cron-d"})
    return home


def plans(home: Home) -> set[str]:
    return {path.stem for path in (home.path / "crontab.d" / "plans").iterdir()}


def test_an_install_compiles_and_a_second_one_writes_nothing(home: Home) -> None:
    """CRON-53."""
    answer = home.runner("crontab", "install", "--yes")
    assert (answer.code, answer.out.splitlines()[-1]) == (0, f"installed: 2 jobs for {read_user()}")
    assert home.runner("compile", "--check").code == 0
    before = home.tree()
    again = home.runner("crontab", "install", "--yes")
    assert (again.code, again.out) == (0, "nothing to change\n")
    assert home.tree() == before


def test_where_nobody_can_be_asked_the_command_itself_was_the_answer(home: Home) -> None:
    assert home.runner("crontab", "install").code == 0
    assert home.crontab.table


@pytest.mark.parametrize("installed", [False, True])
def test_a_dry_run_writes_nothing(home: Home, *, installed: bool) -> None:
    if installed:
        assert home.runner("crontab", "install").code == 0
        home.write("crontab.d/plans/old.plan", "superfluous")
    before = home.tree()
    for command in ("install", "uninstall"):
        answer = home.runner("crontab", command, "--dry-run")
        assert answer.code == 0
        assert answer.out.endswith(("dry run: nothing was changed\n", "nothing to change\n"))
    assert home.tree() == before


def test_an_install_that_the_daemon_refuses_compiles_nothing(home: Home) -> None:
    """CRON-45."""
    home.crontab.table = b"* * * * * /foreign\n"
    home.crontab.fail("-n", '"/tmp/x":1: bad minute\nerrors in crontab file, cannot install.\n')
    before = home.tree()
    answer = home.runner("crontab", "install", "--yes")
    assert answer.code == 2
    assert "bad minute" in answer.err
    assert home.tree() == before


def test_a_crontab_that_cannot_be_read_is_left_alone(home: Home) -> None:
    """CRON-41."""
    home.crontab.fail("-l", "crontab: permission denied\n")
    before = home.tree()
    for command in ("diff", "install", "uninstall"):
        answer = home.runner("crontab", command)
        assert answer.code == 75
        assert "permission denied" in answer.err
    assert home.tree() == before


def test_plans_are_there_before_their_lines(home: Home) -> None:
    """CRON-54."""
    home.crontab.change('cp "$1" "$here/table"', f'ls {home.path}/crontab.d/plans >"$here/seen"; cp "$1" "$here/table"')
    assert home.runner("crontab", "install").code == 0
    assert (home.crontab.directory / "seen").read_text().split() == ["hourly.plan", "nightly.plan"]


def test_a_plan_stays_until_no_line_needs_it(home: Home) -> None:
    """CRON-54: a job taken out of the registry is still in the crontab."""
    assert home.runner("crontab", "install").code == 0
    home.job('when: "@daily"')
    home.compile()
    assert plans(home) == {"hourly", "nightly", "job"}
    assert home.runner("compile", "--check").code == 0
    assert home.runner("crontab", "install").code == 0
    assert plans(home) == {"job"}


def test_after_an_uninstall_no_plan_is_needed_by_a_line(home: Home) -> None:
    assert home.runner("crontab", "install").code == 0
    home.job('when: "@daily"')
    assert home.runner("crontab", "uninstall").code == 0
    assert home.crontab.table is None
    home.compile()
    assert plans(home) == {"job"}


@pytest.mark.parametrize("file", ["jobs/all.yaml", "envs/site.yaml", "envs/local.yaml"])
def test_a_home_that_no_longer_compiles_can_be_uninstalled(home: Home, file: str) -> None:
    """CRON-64."""
    home.crontab.table = b"# foreign\n"
    assert home.runner("crontab", "install").code == 0
    home.write(file, "{")
    answer = home.runner("crontab", "uninstall", "--yes")
    assert (answer.code, answer.out.splitlines()[-1]) == (0, "our block is out of the crontab")
    assert home.crontab.table == b"# foreign\n"
    assert home.runner("crontab", "uninstall", "--yes").code == 0


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"hosts": "[elsewhere]"}, f"target here is for elsewhere; this host is {socket.gethostname()}"),
        ({"timezone": "Asia/Kolkata"}, "target here is in Asia/Kolkata; cron goes by the zone of this host, "),
        ({"home": "/srv/ql"}, "target here has its home in /srv/ql; this home is "),
    ],
)
def test_a_target_whose_lines_would_mean_something_else_here_is_refused(
    home: Home, keys: dict[str, str], message: str
) -> None:
    """CRON-39, CRON-49."""
    home.target(keys)
    before = home.tree()
    for command in ("diff", "install"):
        answer = home.runner("crontab", command, "--target", "here")
        assert answer.code == 2
        assert answer.err.startswith(message)
    assert home.tree() == before


def test_a_change_behind_the_same_lines_is_shown_asked_and_installed_without_touching_the_crontab(home: Home) -> None:
    """CRON-60: Colombo's clock shows what that of Kolkata shows, yet is another."""
    zones = [zone for zone in ("Asia/Kolkata", "Asia/Colombo") if not is_same_zone(zone, read_host_zone())]
    assert len(zones) == 2, "run this test on a host elsewhere"
    home.job(f'when: "0 12 * * *", timezone: {zones[0]}')
    assert home.runner("crontab", "install").code == 0
    table, writes = home.crontab.table, len(home.crontab.writes)
    home.job(f'when: "0 12 * * *", timezone: {zones[1]}')
    diff = home.runner("crontab", "diff", "--json")
    assert (diff.code, diff.objects[0]["changed"], diff.objects[0]["text_diff"]) == (1, True, "")
    assert [(job["plan"], job["change"]) for job in diff.objects[0]["jobs"]] == [("job", "changed")]
    shown = home.runner("crontab", "install", "--yes")
    assert "the lines of the crontab stay as they are\n\nchanged job\n  before 20" in shown.out
    assert (home.crontab.table, len(home.crontab.writes)) == (table, writes)
    assert home.runner("crontab", "diff").code == 0


def test_a_target_of_this_very_place_is_installed(home: Home) -> None:
    home.target({"timezone": read_host_zone(), "home": str(home.path)})
    assert home.runner("crontab", "install").code == 0
    assert b"# BEGIN runner lab@here " in (home.crontab.table or b"")


def test_without_a_target_of_this_host_and_user_those_there_are_are_named(home: Home) -> None:
    home.target({"hosts": "[ops1, ops2]", "user": "quicklook"})
    answer = home.runner("crontab", "diff")
    assert answer.code == 2
    assert answer.err.endswith("in envs/site.yaml are: here (quicklook on ops1 ops2)\n")


def test_a_warning_of_the_registry_is_said_once(home: Home) -> None:
    """CRON-61."""
    home.job('when: "*/7 * * * *"')
    for command in ("diff", "install"):
        said = [line for line in home.runner("crontab", command).err.splitlines() if "*/7" in line]
        assert len(said) == 1
        assert said[0].startswith('warning: jobs/all.yaml:2:51: minute "*/7" is not every 7')


def test_a_diff_says_whether_anything_would_change(home: Home) -> None:
    """CRON-60."""
    before = home.tree()
    assert home.runner("crontab", "diff").code == 1
    assert home.tree() == before
    assert home.runner("crontab", "install").code == 0
    assert home.runner("crontab", "diff").code == 0


def test_a_diff_for_programs_is_one_object(home: Home) -> None:
    """CRON-62."""
    home.crontab.table = b"# foreign\n"
    (answer,) = home.runner("crontab", "diff", "--json").objects
    assert set(answer) >= {"target", "host", "user", "changed", "text_diff", "jobs", "foreign", "warnings"}
    assert (answer["target"], answer["user"], answer["changed"]) == ("main", read_user(), True)
    assert answer["foreign"]["lines"] == 1
    assert set(answer["foreign"]) >= {"lines", "digest", "below"}
    assert [(job["job"], job["profile"], job["change"]) for job in answer["jobs"]] == [
        ("hourly", "local", "added"),
        ("nightly", "local", "added"),
    ]
    assert all(len(job["after"]) == 5 and job["before"] == [] for job in answer["jobs"])


@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_what_an_install_does_is_one_object_for_programs(home: Home, command: str) -> None:
    (answer,) = home.runner("crontab", command, "--json").objects
    assert answer["changed"] is (command == "install")


# A file of /etc/cron.d (CRON-20, CRON-50)


def test_a_target_in_cron_d_is_installed_shown_and_taken_out_by_the_same_commands(system_home: Home) -> None:
    file = system_home.cron_d / "runner-lab-here"
    assert system_home.runner("crontab", "diff").code == 1
    answer = system_home.runner("crontab", "install", "--yes")
    assert (answer.code, answer.out.splitlines()[-1]) == (0, f"installed: 2 jobs for {read_user()}")
    assert file.read_bytes() == system_home.read("crontab.d/here.crontab")
    assert f"\n30 2 * * * {read_user()} {system_home.path}/wrappers/run-job nightly\n".encode() in file.read_bytes()
    assert system_home.runner("crontab", "diff").code == 0
    assert system_home.runner("crontab", "uninstall").code == 0
    assert not file.exists()
    assert system_home.crontab.table is None


def test_the_export_of_a_target_in_cron_d_is_a_file_that_both_crons_accept(system_home: Home) -> None:
    """CRON-72."""
    system_home.compile()
    for dialect in ("debian", "cronie"):
        answer = system_home.call(
            "crontab", "explain", "--system", "--dialect", dialect, f"{system_home.path}/crontab.d/here.crontab"
        )
        assert answer.code == 0, answer.out


@pytest.mark.parametrize("file", ["jobs/all.yaml", "envs/site.yaml"])
def test_a_file_of_cron_d_can_be_taken_out_though_the_home_no_longer_compiles(system_home: Home, file: str) -> None:
    """CRON-64."""
    assert system_home.runner("crontab", "install").code == 0
    system_home.write(file, "{")
    assert system_home.runner("crontab", "uninstall", "--target", "here").code == 0
    assert list(system_home.cron_d.iterdir()) == []


def test_after_an_uninstall_nothing_is_installed_also_where_somebody_took_the_block_out_by_hand(home: Home) -> None:
    """CRON-64: else the sweep would start what it believes to be missed."""
    assert home.runner("crontab", "install").code == 0
    home.crontab.table = b"# mine\n"
    assert home.runner("crontab", "uninstall", "--dry-run").out == "nothing to change\n"
    assert read_installed(str(home.state))
    assert home.runner("crontab", "uninstall", "--yes").out == "nothing to change\n"
    assert read_installed(str(home.state)) == {}


@pytest.mark.parametrize("second", ["user", "cron-d"])
def test_a_target_that_changes_its_kind_must_be_taken_out_first(system_home: Home, second: str) -> None:
    """CRON-49: else cron would start each job twice."""
    system_home.target({"kind": "cron-d" if second == "user" else "user"})
    assert system_home.runner("crontab", "install").code == 0
    system_home.target({"kind": second})
    before = system_home.tree()
    for command in ("diff", "install"):
        answer = system_home.runner("crontab", command)
        assert answer.code == 2
        assert answer.err.startswith("the block of lab@here stands in another crontab too; take it out first: /")
    assert system_home.tree() == before
    assert system_home.runner("crontab", "uninstall").out.endswith("our block is out of the crontab\n")
    assert system_home.runner("crontab", "install").code == 0
    assert bool(system_home.crontab.table) == (second == "user")


@pytest.mark.parametrize("is_symbolic", [False, True])
def test_a_link_to_our_file_stops_an_install_that_would_make_it_a_second_one(
    system_home: Home, *, is_symbolic: bool
) -> None:
    """CRON-49: once ours is replaced, cron reads both."""
    assert system_home.runner("crontab", "install").code == 0
    ours, other = system_home.cron_d / "runner-lab-here", system_home.cron_d / "zz"
    if is_symbolic:
        ours.chmod(0o664)
        other.symlink_to(ours)
    else:
        other.hardlink_to(ours)
    answer = system_home.runner("crontab", "install", "--yes")
    assert answer.code == 2
    assert answer.err.endswith(f"take it out first: {other}\n")


def test_a_link_that_would_keep_our_lines_firing_stops_an_uninstall(system_home: Home) -> None:
    """CRON-49, CRON-64: cron reads neither of two hard links, but the one that is left."""
    assert system_home.runner("crontab", "install").code == 0
    other = system_home.cron_d / "zz"
    other.hardlink_to(system_home.cron_d / "runner-lab-here")
    answer = system_home.runner("crontab", "uninstall", "--yes")
    assert (answer.code, answer.err.endswith(f"take it out first: {other}\n")) == (2, True)
    other.unlink()
    assert system_home.runner("crontab", "uninstall", "--yes").code == 0


def test_a_link_that_cron_never_reads_stops_nothing(system_home: Home) -> None:
    assert system_home.runner("crontab", "install").code == 0
    (system_home.cron_d / "zz.old").hardlink_to(system_home.cron_d / "runner-lab-here")
    assert system_home.runner("crontab", "install", "--yes").code == 0


@pytest.mark.parametrize("kind", ["user", "cron-d"])
def test_an_unknown_user_is_the_users_mistake(home: Home, kind: str) -> None:
    """CRON-49: asked of the password database before any crontab."""
    home.target({"kind": kind, "user": "no-such-user"})
    for command in ("diff", "install", "uninstall"):
        answer = home.runner("crontab", command, "--target", "here")
        assert answer.code == 2
        assert answer.err == "this host has no user no-such-user\n" or answer.err.startswith("only root may write")
    assert home.crontab.calls == []


def test_a_script_that_a_foreign_line_still_runs_is_told_with_both_places(home: Home) -> None:
    """CRON-56."""
    home.crontab.table = f"# before\n0 1 * * * /bin/sh {home.path}/jobs/hello.sh >/dev/null\n".encode()
    for command in ("diff", "install"):
        (warning,) = [line for line in home.runner("crontab", command).err.splitlines() if " runs " in line]
        place = "job nightly, jobs/all.yaml:3" if "nightly" in warning else "job hourly, jobs/all.yaml:4"
        assert warning == f"warning: line 2 runs {home.path}/jobs/hello.sh, and so does {place}"


def test_a_plan_stays_while_the_crontab_of_another_target_needs_it(home: Home, tmp_path: Path) -> None:
    """CRON-54: two targets share a home, each with a state directory of its own."""
    here = f"hosts: [{socket.gethostname()}]"
    settings = f"""\
name: lab
mail: {{ops: ops@example.org}}
targets:
  one: {{{here}, user: {read_user()}, state: {tmp_path}/one}}
  two: {{{here}, user: {read_user()}, state: {tmp_path}/two}}
"""
    home.write("envs/site.yaml", settings)
    for target in ("one", "two"):
        assert home.runner("crontab", "install", "--target", target).code == 0
    home.job('when: "@daily"')
    assert home.runner("crontab", "install", "--target", "one").code == 0
    home.compile()
    assert plans(home) == {"hourly", "nightly", "job"}
    assert home.runner("crontab", "install", "--target", "two").code == 0
    assert plans(home) == {"job"}
