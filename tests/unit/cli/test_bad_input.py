"""What a person gets wrong: one line with place and remedy, exit code 2, and nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from homes import Home

TEN_MISTAKES = """\
defaults: {profile: local}
jobs:
  one: {when: "61 * * * *", run: jobs/hello.sh}
  two: {when: "0 0 30 2 *", run: jobs/hello.sh}
  three: {when: "@daily", run: jobs/helo.sh}
  four: {when: "@daily", run: jobs/hello.sh, profile: locl}
  five: {when: "@daily", run: "jobs/hello.sh | mail ops"}
  six: {when: "@daily", run: jobs/hello.sh, timout: 5m}
  seven: {when: "@daily", run: jobs/hello.sh, timeout: soon}
  eight: {when: "@daily", run: jobs/hello.sh, retries: {times: two}}
  Nine: {when: "@daily", run: jobs/hello.sh}
  ten: {when: "@daily", run: jobs/hello.sh, mailto: ops <ops@example.org>}
"""


@pytest.mark.parametrize(
    "command",
    [
        "check",
        "compile",
        "compile --check",
        "compile --dry-run",
        "crontab diff",
        "crontab install --yes",
        "crontab install --dry-run",
        "next",
        "show one",
        "run one",
    ],
)
def test_ten_different_mistakes_are_ten_places_whatever_was_asked(home: Home, command: str) -> None:
    home.write("jobs/all.yaml", TEN_MISTAKES)
    before = home.tree()
    answer = home.runner(*command.split())
    assert answer.code == 2
    places = [fault.split(":")[:2] for fault in answer.faults if fault.startswith("jobs/")]
    assert places == [["jobs/all.yaml", str(line)] for line in range(3, 13)]
    assert home.tree() == before


def test_mistakes_of_all_files_come_in_one_go(home: Home) -> None:
    home.job('when: "@daily", umask: 999')
    home.write("envs/site.yaml", "name: l b\nmail: {ops: ops@example.org}\n")
    faults = home.runner("check").faults
    assert [fault.partition(":")[0] for fault in faults] == ["envs/site.yaml", "jobs/all.yaml"]


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ("name: lab", "envs/site.yaml: no mail.ops: "),
        ("mail: {via: smtp, ops: a@b}", "envs/site.yaml:1:7: via: smtp without a server; write smtp: {host: NAME}"),
        ("mail: {ops: a@b}\nslack: {}", 'envs/site.yaml:2:8: "channel" is missing'),
        ("mail: {ops: a@b}\nstat: x", 'envs/site.yaml:2:1: unknown key "stat"; did you mean "state"?'),
        ("mail: {ops: a@b}\nstate: ~/x", 'envs/site.yaml:2:8: "~/x" would need a shell; write an absolute path'),
        ("mail: {ops: a@b}\ndatabase: mysql://x/y", 'envs/site.yaml:2:11: "mysql://x/y" is not a database that we'),
        ("- mail", "envs/site.yaml:1:1: keys with values are needed here; like KEY: VALUE"),
        ("mail: {ops: a@b", "envs/site.yaml:1:7: not YAML: while parsing a flow mapping, "),
        (
            "mail: {ops: a@b}\nname: x\ntargets: {t: {hosts: [h], user: u, kind: cron.d}}",
            'envs/site.yaml:3:42: "cron.d" is not possible here; did you mean "cron-d"?',
        ),
        (
            "mail: {ops: a@b}\nname: x\ntargets: {t: {hosts: [h], user: u, timezone: Europe/Pariss}}",
            'envs/site.yaml:3:46: no time zone is called "Europe/Pariss"; did you mean "Europe/Paris"?',
        ),
    ],
)
def test_a_mistake_in_the_settings_has_its_place_and_remedy(home: Home, settings: str, fault: str) -> None:
    home.write("envs/site.yaml", f"{settings}\n")
    before = home.tree()
    for command in ("check", "compile", "crontab install"):
        answer = home.runner(*command.split())
        assert answer.code == 2
        assert answer.faults[0].startswith(fault)
    assert home.tree() == before


@pytest.mark.parametrize(
    ("profile", "fault"),
    [
        ("activate: [{conda: {name: wfc3}}]", "1:20: a conda environment is given by prefix, or by root and name"),
        ("activate: [{vnev: /x}]", '1:12: no activator is called "vnev"; one of conda, env, modules, setup, venv'),
        ("activate: [/x]", "1:12: an activator is one key with its value; like venv: /data/venvs/wfc3"),
        ("activate: [{venv: [/x]}]", "1:19: one value is needed here; not a list"),
        ("env: {A: '{hme}/x'}", '1:10: {hme} in "{hme}/x" has no value; did you mean "home"?'),
        ("env: {A: '{'}", '1:10: a single "{" in "{"; write {{ and }} for braces'),
        ("env: {A: '{account_home}'}", '1:10: {account_home} in "{account_home}" has no value; one of home, profile'),
        ("env: [A, B]", "1:6: keys with values are needed here; like KEY: VALUE"),
        ("env: {1A: x}", '1:7: "1A" is not a name for a variable; letters, digits and _ only'),
        (
            "secrets: {A: s3cr3t}",
            '1:14: "s3cr3t" is not a secret; write file:/PATH: secrets stay in files of their own',
        ),
        ("unsett: [A]", '1:1: unknown key "unsett"; did you mean "unset"?'),
        ("local", "1:1: keys with values are needed here; like KEY: VALUE"),
    ],
)
def test_a_mistake_in_a_profile_has_its_place_and_remedy(home: Home, profile: str, fault: str) -> None:
    home.write("envs/local.yaml", f"{profile}\n")
    before = home.tree()
    for command in ("check", "compile", "crontab install"):
        answer = home.runner(*command.split())
        assert (answer.code, answer.faults[0]) == (2, f"envs/local.yaml:{fault}")
    assert home.tree() == before


@pytest.mark.parametrize(
    ("script", "mode", "fault"),
    [
        (None, 0o755, "there is no file jobs/x.sh; a path in run begins at the home"),
        ("#!/bin/sh\n", 0o644, "jobs/x.sh is not executable; chmod +x jobs/x.sh"),
        ("echo\n", 0o755, "jobs/x.sh has no #! line; begin it with one like #!/bin/sh or #!/usr/bin/env python3"),
        ("", 0o755, "jobs/x.sh has no #! line; begin it with one like #!/bin/sh or #!/usr/bin/env python3"),
        ("#!/bin/sh\r\n", 0o755, "the #! line of jobs/x.sh ends in a carriage return; save it with Unix line ends"),
        ("#!python3\n", 0o755, 'jobs/x.sh names the interpreter "python3"; name it with its path, or by /usr/bin/env'),
        ("#!\n", 0o755, 'jobs/x.sh names the interpreter "."; name it with its path, or by /usr/bin/env'),
    ],
)
def test_a_script_that_could_not_be_executed_is_named_at_its_job(
    home: Home, script: str | None, mode: int, fault: str
) -> None:
    home.write("jobs/all.yaml", "jobs:\n  x: {run: jobs/x.sh, profile: local}\n")
    if script is not None:
        home.write("jobs/x.sh", script).chmod(mode)
    for command in ("check", "compile"):
        answer = home.runner(command)
        assert (answer.code, answer.faults[0]) == (2, f"jobs/all.yaml:2:12: {fault}")


@pytest.mark.parametrize(
    ("content", "run", "is_told"),
    [
        ("s3cr3t-canary\n", "--token s3cr3t-canary", True),
        ("s3cr3t-canary\n", "--token=s3cr3t-canary", True),
        ("abc\n", "abc", True),
        ("abc\n", "abcd", False),
        ("s3cr3t-canary\n", "--token-file token", False),
        (None, "s3cr3t-canary", False),
    ],
)
@pytest.mark.parametrize("owner", ["the job", "its profile"])
def test_the_value_of_a_secret_is_refused_as_a_word(
    home: Home, content: str | None, run: str, is_told: bool, owner: str
) -> None:
    """SEC-7: ps shows words to everybody on the host."""
    secrets = f"secrets: {{TOKEN: 'file:{home.path}/token'}}"
    keys = f"run: jobs/hello.sh {run}, profile: local" + (f", {secrets}" if owner == "the job" else "")
    home.write("jobs/all.yaml", f"jobs:\n  x: {{{keys}}}\n")
    home.write("envs/local.yaml", "description: nothing\n" if owner == "the job" else f"{secrets}\n")
    if content:
        home.write("token", content).chmod(0o600)

    answer = home.runner("check")

    assert (answer.code, "a word tells the secret TOKEN" in answer.err + answer.out) == (2 * is_told, is_told)
    assert not content or content.strip() not in answer.err + answer.out


@pytest.mark.parametrize("word", ["/opt/observatory/idl", "grep", "{work}/built", "jobs/{date}.sh"])
def test_a_program_that_may_be_there_when_it_is_needed_is_not_missed(home: Home, word: str) -> None:
    home.write("jobs/all.yaml", f"jobs:\n  x: {{run: '{word}', profile: local}}\n")
    assert home.runner("check").code == 0


def test_an_interpreter_that_only_another_host_may_have_is_a_warning(home: Home) -> None:
    """CRON-19: what compiles there compiles here."""
    home.script("hello.sh", interpreter="/opt/observatory/bin/idl")
    answer = home.runner("check")
    assert answer.code == 0
    assert answer.faults[0].endswith(
        "warning: jobs/hello.sh names the interpreter /opt/observatory/bin/idl, which is not here"
    )


def test_a_job_that_no_target_would_run_is_a_warning(home: Home) -> None:
    home.job('when: "@daily", hosts: [elsewhere]')
    answer = home.runner("check")
    assert answer.code == 0
    assert answer.faults == [
        "jobs/all.yaml:2:68: warning: no target would run it (main); see its hosts and its profile",
    ]


@pytest.mark.parametrize(
    ("keys", "code", "fault"),
    [
        ('when: "@daily", expect: {max_age: 25h, max_duration: 2m, min_duration: 2m}', 0, None),
        (
            'when: "@daily", expect: {max_duration: 1m, min_duration: 2m}',
            2,
            "2:69: min_duration is longer than max_duration, which no run can be; change one",
        ),
        (
            "expect: {max_age: 1d}",
            0,
            "2:53: warning: max_age of a job without when is looked at by nobody; give it a when",
        ),
    ],
)
def test_what_no_run_can_fulfil_or_nobody_looks_at_is_told(home: Home, keys: str, code: int, fault: str | None) -> None:
    home.job(keys)
    answer = home.runner("check")
    assert answer.code == code
    assert [one for one in answer.faults if "jobs/all" in one] == ([f"jobs/all.yaml:{fault}"] if fault else [])


ZONES = """\
name: x
mail: {ops: a@b}
targets:
  east: {hosts: [h1], user: u, timezone: US/Eastern}
  west: {hosts: [h2], user: u, timezone: US/Pacific}
"""


def test_a_job_without_a_zone_on_targets_of_different_zones_is_an_error(home: Home) -> None:
    """CRON-36."""
    home.write("envs/site.yaml", ZONES)
    home.job('when: "@daily"')
    answer = home.runner("check")
    assert (answer.code, answer.faults[0]) == (
        2,
        "jobs/all.yaml:2:3: its targets are in different zones (east US/Eastern, west US/Pacific);"
        " say with timezone: whose clock",
    )


@pytest.mark.parametrize("keys", ["timezone: Europe/Paris", "hosts: [h1]", "enabled: false"])
def test_a_job_whose_instants_are_the_same_on_all_its_targets_is_none(home: Home, keys: str) -> None:
    """CRON-36."""
    home.write("envs/site.yaml", ZONES)
    home.job(f'when: "@daily", {keys}')
    assert home.runner("check").code == 0


def test_two_names_of_one_zone_are_not_different_zones(home: Home) -> None:
    home.write("envs/site.yaml", ZONES.replace("US/Pacific", "America/New_York"))
    home.job('when: "@daily"')
    assert home.runner("check").code == 0


def test_a_zone_on_a_target_that_declares_none_is_a_warning(home: Home) -> None:
    """CRON-19: the lines would be others on a machine in another zone."""
    home.write("envs/site.yaml", ZONES.replace(", timezone: US/Pacific", ""))
    home.job('when: "0 12 * * *", timezone: Europe/Paris')
    answer = home.runner("check")
    assert answer.code == 0
    told = "jobs/all.yaml:2:75: warning: target west has no timezone: the lines are made"
    assert [fault for fault in answer.faults if fault.startswith(told)]


def test_what_cron_could_not_read_is_found_by_check_and_not_only_by_compile(home: Home) -> None:
    """CRON-14: a line of ours is at most 900 bytes."""
    many = ", ".join(f"somebody-with-a-long-name-{number}@observatory.example.org" for number in range(20))
    home.job(f'when: "@daily", mailto: [{many}]')
    answer = home.runner("check")
    assert answer.code == 2
    assert "900" in answer.faults[0]


@pytest.mark.parametrize("broken", ["missing", "not executable"])
def test_a_home_whose_wrapper_cannot_be_called_is_an_error(home: Home, broken: str) -> None:
    wrapper = home.path / "wrappers" / "run-job"
    if broken == "missing":
        wrapper.unlink()
    else:
        wrapper.chmod(0o644)
    for command in ("check", "compile", "crontab install", "run nightly"):
        answer = home.runner(*command.split())
        assert answer.code == 2
        assert answer.faults[0].startswith("wrappers/run-job: is missing or not executable: no line of the crontab")


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("show nightlY", 'no job is called "nightlY"; did you mean "nightly"?'),
        ("run x", 'no job is called "x"; one of hourly, nightly'),
        ("next x", 'no job is called "x"; one of hourly, nightly'),
        ("run nightly -P prod", "nightly does not run in prod; its profiles: local"),
        ("logs nightly", "there is no log of 'nightly' in"),
        ("logs ../../secret", "there is no log of '../../secret' in"),
        ("next --from yesterday", "--from: not an instant like 2026-03-08T07:00:00Z: 'yesterday'"),
        ("next --from 2026-13-08T07:00:00Z", "--from: no such instant: '2026-13-08T07:00:00Z'"),
        ("next -n 0", "Invalid value for '-n'"),
        ("history -n -1", "Invalid value for '-n'"),
        ("crontab diff --target prod", 'no target is called "prod"; in envs/site.yaml are: main ('),
        ("frobnicate", "No such command 'frobnicate'"),
        ("staus", "No such command 'staus'. (Did you mean one of: 'pause', 'state', 'status'?)"),
        ("profile lst", "No such command 'lst'. Did you mean 'list'?"),
        ("crontab verfy", "No such command 'verfy'. Did you mean 'verify'?"),
        ("crontab rollback 0", "Invalid value for '[N]': 0 is not in the range x>=1."),
        ("crontab rollback last", "Invalid value for '[N]': 'last' is not a valid integer range."),
        ("show", "Missing argument 'JOB'"),
        ("compile --chekc", "No such option '--chekc'"),
    ],
)
def test_a_mistake_on_the_command_line_is_explained(home: Home, command: str, message: str) -> None:
    home.compile()
    before = home.tree()
    answer = home.runner(*command.split())
    assert answer.code == 2
    assert message in answer.err
    assert answer.out == ""
    assert home.tree() == before


def test_outside_of_any_home_one_is_told_how_to_make_one(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = home.call("check")
    assert (answer.code, answer.err) == (
        2,
        f'{tmp_path} is in no home; make one with "runner init DIR", or name it with --home\n',
    )


@pytest.mark.parametrize("place", ["full/of", "file/below"])
def test_a_home_cannot_be_made_where_there_is_something_else(home: Home, tmp_path: Path, place: str) -> None:
    (tmp_path / "full/of/things").mkdir(parents=True)
    (tmp_path / "file").write_text("")
    answer = home.call("init", str(tmp_path / place))
    assert answer.code == 2
    assert answer.err.startswith(str(tmp_path))
    assert len(answer.err.splitlines()) == 1


def test_a_home_whose_path_cron_could_not_read_is_not_made(home: Home, tmp_path: Path) -> None:
    """CRON-12."""
    answer = home.call("init", str(tmp_path / "my home"))
    assert answer.code == 2
    assert "a crontab line takes an absolute path of only" in answer.err
    assert not (tmp_path / "my home").exists()


def test_what_the_system_refuses_is_named_without_a_traceback(home: Home) -> None:
    home.write("crontab.d", "a file where a directory must be")
    answer = home.runner("compile")
    assert answer.code == 75
    assert answer.err.splitlines() == [f"runner: {home.path}/crontab.d/home.plan: Not a directory"]


def test_a_profile_that_cannot_be_read_is_named_beside_all_other_mistakes(home: Home) -> None:
    (home.path / "envs" / "prod.yaml").symlink_to("nowhere")
    assert home.runner("check").faults[0] == "envs/prod.yaml: cannot be read: No such file or directory"


def test_what_an_editor_leaves_beside_a_profile_is_none(home: Home) -> None:
    (home.path / "envs" / ".#local.yaml").symlink_to("me@host.1234:1")  # Emacs while a buffer is not saved
    assert home.runner("check").code == 0
