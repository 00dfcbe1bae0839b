"""``runner crontab``: what is written when, what is refused, what is said."""

from __future__ import annotations

import socket

import pytest
from homes import Home

from runner.home.here import read_user
from runner.plans.zone import is_same_zone, read_host_zone


def write_target(home: Home, keys: dict[str, str]) -> None:
    """Declare one target, of this host and user unless told otherwise."""
    given = {"hosts": f"[{socket.gethostname()}]", "user": read_user(), **keys}
    target = ", ".join(f"{key}: {value}" for key, value in given.items())
    home.write("envs/site.yaml", f"name: lab\nmail: {{ops: ops@example.org}}\ntargets:\n  here: {{{target}}}\n")


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
    write_target(home, keys)
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
    write_target(home, {"timezone": read_host_zone(), "home": str(home.path)})
    assert home.runner("crontab", "install").code == 0
    assert b"# BEGIN runner lab@here " in (home.crontab.table or b"")


def test_without_a_target_of_this_host_and_user_those_there_are_are_named(home: Home) -> None:
    write_target(home, {"hosts": "[ops1, ops2]", "user": "quicklook"})
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
