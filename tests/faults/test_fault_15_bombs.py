"""FAULT-15: a job that forks, threads or eats without end: limits hold, the tree goes, the wrapper reports."""

import subprocess

from lab import SLOT, Lab
from missing import give_up

_GRACE = {"timeout_s": 5.0, "grace_s": 1.0}
_FORKER = """
trap '' TERM
n=0
while [ $n -lt 2000 ]; do
    if [ $((n % 7)) = 0 ]; then setsid sleep 300 & else sleep 300 & fi
    n=$((n + 1))
done
while :; do sleep 1 & wait; done
"""
_THREADS = """
import threading, time
for number in range(400):
    threading.Thread(target=time.sleep, args=(300,)).start()
"""
# As a user of its own: no limit on processes holds for root, and all processes of a user count.
_AS_STRANGER = "import os, sys; os.setgroups([]); os.setgid(6123); os.setuid(6123); os.execv(sys.argv[1], sys.argv[1:])"


def test_fault_15_two_thousand_processes_that_ignore_term_are_gone_at_the_timeout(lab: Lab) -> None:
    lab.job("bomb", _FORKER, **_GRACE)

    result = lab.run("bomb", "--slot", SLOT)

    assert (result.code, lab.end("bomb")["outcome"]) == (124, "timed_out")
    assert result.subject == "TIMED_OUT bomb [dsoc-prod] timeout after 5 s"
    lab.assert_clean("bomb")


def test_fault_15_a_bomb_that_forks_faster_than_it_is_killed_does_not_outrun_it(lab: Lab) -> None:
    spawn = "[ $1 -gt 9 ] && exec sleep 300; spawn $(($1 + 1)) & spawn $(($1 + 1)) & wait"
    lab.job("bomb", f"trap '' TERM\nspawn() {{ {spawn}; }}\nspawn 0", timeout_s=1.0, grace_s=0.2)

    result = lab.run("bomb", "--slot", SLOT)

    assert (result.code, lab.end("bomb")["outcome"]) == (124, "timed_out")
    lab.assert_clean("bomb")


def test_fault_15_very_many_threads_end_with_their_process(lab: Lab) -> None:
    lab.job("bomb", _THREADS, interpreter=str((lab.home / ".runner/python").resolve()), timeout_s=3.0, grace_s=1.0)

    result = lab.run("bomb", "--slot", SLOT)

    assert (result.code, lab.end("bomb")["outcome"]) == (124, "timed_out")
    lab.assert_clean("bomb")


def test_fault_15_a_memory_hog_is_stopped_by_its_limit_and_reported(lab: Lab) -> None:
    hog = "blocks = []\nwhile True: blocks.append(bytearray(1 << 20))"
    lab.job("hog", hog, interpreter=str((lab.home / ".runner/python").resolve()), limit_memory_bytes=[200 << 20])

    result = lab.run("hog", "--slot", SLOT)

    assert result.subject == "FAILED hog [dsoc-prod] memory"
    assert "MemoryError" in result.mail
    assert lab.end("hog")["max_rss_bytes"] <= 200 << 20
    lab.assert_clean("hog")


def test_fault_15_a_limit_on_processes_holds(lab: Lab) -> None:
    python = str((lab.home / ".runner/python").resolve())
    words = [python, "-IS", "-c", _AS_STRANGER]
    if subprocess.run([*words, "/bin/true"], capture_output=True).returncode:
        give_up("root, and an interpreter that others may execute")
    forker = "n=0; while [ $n -lt 50 ]; do sleep 5 & n=$((n + 1)); done"
    lab.plan("bomb", steps=[[*words, "/bin/sh", "-c", forker]], limit_processes=10, survivors="kill")

    result = lab.run("bomb", "--slot", SLOT)

    assert lab.end("bomb")["outcome"] == "failed"
    assert "fork" in result.mail
    lab.assert_clean("bomb")


def test_fault_15_the_next_slot_runs_as_if_nothing_had_been(lab: Lab) -> None:
    lab.job("bomb", "[ $RUNNER_SLOT = 2026-03-08T08:00:00Z ] || for n in 1 2 3; do setsid sleep 300 & done; wait",
            timeout_s=0.5, grace_s=0.5)  # fmt: skip

    codes = [lab.run("bomb", "--slot", slot).code for slot in (SLOT, "2026-03-08T08:00:00Z")]

    assert codes == [124, 0]
    lab.assert_clean("bomb")
