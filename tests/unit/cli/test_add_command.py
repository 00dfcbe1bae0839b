"""``runner add``: the four lines, from options or from a hand-written line of a crontab (CRON-70, CRON-71)."""

from __future__ import annotations

import pytest
from homes import REGISTRY, SITE, Home

LINE = "00 11 * * * /opt/cron_setup.sh jobs/hello.sh -x && jobs/hello.sh; jobs/hello.sh > /dev/null"


@pytest.fixture
def old(home: Home) -> Home:
    """A home that knows the env-wrapper of a hand-written crontab."""
    home.write("envs/site.yaml", f"{SITE}wrappers: {{cron_setup.sh: local}}\n")
    home.write("old.crontab", f"MAILTO=ql@example.org\nAREA=/data\n{LINE}\n")
    return home


def test_the_four_lines_are_shown_and_written(home: Home) -> None:
    answer = home.runner("add", "new", "--when", "@daily", "--run", "jobs/hello.sh", "--profile", "local")
    assert answer.code == 0
    assert answer.out == '  new:\n    when: "@daily"\n    run: jobs/hello.sh\n    profile: local\n'
    assert home.read("jobs/all.yaml").decode() == REGISTRY + answer.out


def test_a_line_in_its_crontab_becomes_an_entry_that_compiles(old: Home) -> None:
    line = LINE.replace(" jobs/hello.sh;", " /opt/cron_setup.sh jobs/hello.sh;").replace("; ", "; cron_setup.sh ")
    old.write("old.crontab", f"MAILTO=ql@example.org\nAREA=/data\n{line}\n")
    answer = old.runner("add", "new", "--line", line, "--from", str(old.path / "old.crontab"))
    assert (answer.code, answer.out.splitlines()) == (0, [
        "  new:",
        '    when: "00 11 * * *"',
        "    run:",
        "      - jobs/hello.sh -x",
        "      - jobs/hello.sh",
        "      - {run: jobs/hello.sh, if: always}",
        "    profile: local",
        "    mailto: ql@example.org",
        "    env: {AREA: /data}",
    ])  # fmt: skip
    assert answer.err.startswith("left out: > /dev/null, ")
    old.compile()


def test_a_dry_run_writes_nothing(old: Home) -> None:
    before = old.tree()
    answer = old.runner("add", "new", "--line", "@daily cron_setup.sh jobs/hello.sh", "--dry-run")
    assert (answer.code, old.tree()) == (0, before)
    assert answer.err.startswith("would be in ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--line", "@daily a"], "needed: --profile"),
        (["--line", "@daily a", "--when", "@daily"], "--line says when and what: leave out --when and --run"),
        (["--when", "@daily", "--run", "a"], "needed: --when, --run and --profile, or --line"),
        (
            ["--when", "@daily", "--run", "a", "--profile", "locale"],
            'no profile is called "locale"; did you mean "local"?',
        ),
        (["--line", "@daily a | b", "--profile", "local"], "a pipe (|) cannot be said in an entry"),
        (
            ["--line", "@daily a", "--profile", "local", "--from", "old.crontab"],
            "the file of --from does not have this",
        ),
        (["--when", "@daily", "--run", "a", "--profile", "local", "--from", "old.crontab"], "--from goes with --line"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(
    old: Home, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str
) -> None:
    monkeypatch.chdir(old.path)
    before = old.tree()
    answer = old.runner("add", "new", *words)
    assert (answer.code, old.tree()) == (2, before)
    assert answer.err.startswith(said)


def test_the_option_profile_comes_before_that_of_the_wrapper(old: Home) -> None:
    old.write("envs/other.yaml", "")
    answer = old.runner("add", "new", "--line", "@daily cron_setup.sh jobs/hello.sh", "--profile", "other")
    assert answer.out.splitlines()[-1] == "    profile: other"


def test_a_crontab_may_come_from_stdin(old: Home) -> None:
    import subprocess
    import sys

    command = [sys.executable, "-m", "runner.cli.main", "--home", str(old.path), "add", "new"]
    words = ["--line", "@daily a", "--from", "-", "--profile", "local"]
    done = subprocess.run([*command, *words], input="A=1\n@daily a\n", text=True, capture_output=True, check=False)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, '    env: {A: "1"}')
