"""``runner diagnose``: ids, levels, forms and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from doctor import ALL_CHECKS, find_one, install
from homes import Home

from runner.cli.main import run

IDS = [check.id for check in ALL_CHECKS]


def test_all_checks_are_listed_with_level_and_what_holds(home: Home) -> None:
    answer = home.runner("diagnose", "--list", "--json")
    assert answer.code == 0
    assert [one["id"] for one in answer.objects] == IDS
    assert all(set(one) == {"id", "level", "title"} for one in answer.objects)


def test_nothing_found_is_exit_0_and_nothing_on_stdout(home: Home) -> None:
    answer = home.runner("diagnose", "DIAG001", "DIAG020")
    assert (answer.code, answer.out) == (0, "")
    assert answer.err == "2 checks, 2 without a finding\n"


def test_a_finding_is_exit_1_with_what_was_seen_and_what_to_do(home: Home) -> None:
    home.compile()
    (home.path / "crontab.d/home.plan").unlink()
    answer = home.runner("diagnose", "diag002")
    assert answer.code == 1
    head, message, seen, remedy = answer.out.splitlines()
    assert head.split() == ["ID", "LEVEL", "FINDING"]
    assert message.split(maxsplit=2) == ["DIAG002", "error", "what cron runs is not what jobs/ and envs/ say"]
    assert seen.strip() == "seen: crontab.d/home.plan is stale"
    assert remedy.strip().startswith("do:   runner compile")


def test_json_has_one_finding_a_line_with_its_five_fields(home: Home) -> None:
    (found,) = home.runner("diagnose", "DIAG002", "--json").objects
    assert list(found) == ["id", "level", "message", "hint", "evidence"]


def test_a_note_asks_for_nothing_and_is_exit_0(home: Home) -> None:
    home.compile()
    answer = home.runner("diagnose", "DIAG003", "--json")
    assert [one["level"] for one in answer.objects] == ["note"]
    assert answer.code == 0


def test_a_level_hides_what_is_less_bad(home: Home) -> None:
    install(home)
    home.crontab.table = (home.crontab.table or b"") + b"# foreign\n1 1 * * * true\n"
    assert home.runner("diagnose", "DIAG003", "--level", "warning").code == 1
    answer = home.runner("diagnose", "DIAG003", "--level", "error")
    assert (answer.code, answer.out) == (0, "")


def test_an_unknown_id_is_exit_2_with_near_ones(home: Home) -> None:
    answer = home.runner("diagnose", "DIAG32")
    assert answer.code == 2
    assert answer.err.startswith('no check is called "DIAG32"; near it: DIAG0')


def test_outside_a_home_checks_are_listed_and_not_run(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert home.call("diagnose", "--list").code == 0
    assert home.call("diagnose", "DIAG001").code == 2


def test_no_secret_is_in_a_finding(home: Home) -> None:
    """SEC-9: neither one that is known by its file, nor one by its shape."""
    home.write("secret", "s3cr3t-canary").chmod(0o600)
    home.write("setup.sh", "echo no s3cr3t-canary https://me:hunter2@example.org/ >&2; exit 3\n")
    home.write(
        "envs/local.yaml",
        f"activate: [{{setup: {{shell: bash, source: {home.path}/setup.sh}}}}]\n"
        f"secrets: {{KEY: 'file:{home.path}/secret'}}\n",
    )
    answer = home.runner("diagnose", "DIAG011", "--json")
    assert answer.code == 1
    assert "profile local cannot be activated" in answer.out
    assert "s3cr3t-canary" not in answer.out + answer.err
    assert "hunter2" not in answer.out + answer.err


def test_what_others_wrote_does_not_act_on_the_terminal(home: Home) -> None:
    home.write("setup.sh", "printf 'no\\033[31mred' >&2; exit 3\n")
    home.write("envs/local.yaml", "activate: [{setup: {shell: bash, source: '{home}/setup.sh'}}]\n")
    assert "\x1b" not in home.runner("diagnose", "DIAG011").out


def test_a_home_with_mistakes_is_diagnosed_as_far_as_it_goes(home: Home) -> None:
    home.write("jobs/all.yaml", "jobs: {x: {wen: 1}}\n")
    answer = home.runner("diagnose", "--json")
    assert answer.code == 1
    assert [one["level"] for one in answer.objects if one["id"] == "DIAG001"] == ["error"]
    assert not [one for one in answer.objects if "itself" in one["message"]]


def test_what_keeps_a_check_from_an_answer_is_told_whoever_is_asked(home: Home) -> None:
    home.write("jobs/all.yaml", "jobs: {x: {wen: 1}}\n")
    answer = home.runner("diagnose", "DIAG011", "--json")
    assert answer.code == 1
    assert [(one["id"], one["level"]) for one in answer.objects] == [("DIAG001", "error"), ("DIAG011", "note")]


def test_settings_with_mistakes_crash_no_check(home: Home) -> None:
    home.write("envs/site.yaml", "nmae: x\n")
    answer = home.runner("diagnose", "--json")
    assert answer.code == 1
    assert not [one for one in answer.objects if "itself" in one["message"]]


def test_ids_are_completed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("_RUNNER_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "runner diagnose diag00")
    monkeypatch.setenv("COMP_CWORD", "2")
    with pytest.raises(SystemExit):
        run([])
    assert [line.partition(",")[2] for line in capsys.readouterr().out.splitlines()] == IDS[:9]


def test_diag001_is_silent_on_a_home_without_mistakes(home: Home) -> None:
    assert home.runner("diagnose", "DIAG001", "--json").out == ""


def test_diag001_finds_a_mistake_in_the_registry(home: Home) -> None:
    home.write("jobs/all.yaml", "jobs: {x: {wen: 1}}\n")
    assert find_one(home, "DIAG001").evidence.startswith("jobs/all.yaml:1:")


def test_findings_are_json_that_other_programs_read(home: Home) -> None:
    out = home.runner("diagnose", "DIAG001", "DIAG002", "--json").out
    assert [json.loads(line)["id"] for line in out.splitlines()] == ["DIAG002"]
