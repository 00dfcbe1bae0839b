"""A foreign line that runs a script which a job also runs (CRON-56)."""

from __future__ import annotations

import pytest
from fake_crontab import make_block, make_entry

from runner.crontab.shared import find_shared_scripts

SCRIPTS = {"/home/ql/jobs/darks.py": "job darks, jobs/all.yaml:3", "~/jobs/darks.py": "job darks, jobs/all.yaml:3"}


@pytest.mark.parametrize(
    "line",
    [
        b"0 1 * * * /home/ql/jobs/darks.py > /dev/null\n",
        b"0 1 * * * cron_setup.sh ~/jobs/darks.py;true\n",
        b"\t0 1 * * * cd /x && A=1 '/home/ql/jobs/darks.py'\r\n",
        b"SCRIPT=/home/ql/jobs/darks.py\n",
    ],
)
def test_a_line_that_calls_the_script_is_told_with_both_places(line: bytes) -> None:
    (warning,) = find_shared_scripts(b"# caf\xe9\n" + line, SCRIPTS)
    assert warning.startswith("line 2 runs ")
    assert warning.endswith("jobs/darks.py, and so does job darks, jobs/all.yaml:3")


@pytest.mark.parametrize(
    "line",
    [
        b"# 0 1 * * * /home/ql/jobs/darks.py\n",
        b"0 1 * * * /home/ql/jobs/darks.pyc\n",
        b"0 1 * * * /other/home/ql/jobs/darks.py\n",
    ],
)
def test_a_comment_and_another_script_are_not(line: bytes) -> None:
    assert find_shared_scripts(line, SCRIPTS) == []


def test_our_own_blocks_are_not_foreign() -> None:
    block = make_block(make_entry("noon", "0 12 * * *"))
    wrapper = {"/home/wfc3ql/ql/wrappers/run-job": "the wrapper"}
    assert find_shared_scripts(block, wrapper) == []
    assert find_shared_scripts(b"0 1 * * * /home/wfc3ql/ql/wrappers/run-job noon\n" + block, wrapper) != []
