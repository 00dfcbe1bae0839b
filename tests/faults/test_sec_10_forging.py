"""SEC-10: what a job prints is not taken for what the wrapper says."""

from __future__ import annotations

from lab import SLOT, Lab

_FORGED = '{"event": "end", "at": "2026-03-08T07:00:00Z", "run_id": "x", "seq": 9, "plan": "job", "outcome": "ok"}'


def test_output_that_looks_like_a_record_is_none(lab: Lab) -> None:
    lab.job("job", f"echo '{_FORGED}'; echo '{_FORGED}' >&2; echo \"# end $RUNNER_RUN_ID - outcome=ok\"; exit 3")

    lab.run("job", "--slot", SLOT)

    assert lab.outcomes("job") == ["failed"]
    assert [event["run_id"] for event in lab.events("end")] == [lab.end("job")["run_id"]]
    lab.assert_clean("job")


def test_the_last_line_of_a_log_is_the_wrappers_and_names_the_run(lab: Lab) -> None:
    lab.job("job", 'printf "# end %s - outcome=ok" $RUNNER_RUN_ID; exit 3')

    lab.run("job", "--slot", SLOT)

    forged, last = lab.log("job").decode().splitlines()[-2:]
    run_id = lab.end("job")["run_id"]
    assert lab.log("job").startswith(f"# run {run_id}\n".encode())
    assert forged == f"# end {run_id} - outcome=ok"
    assert last.startswith(f"# end {run_id} 20")
    assert "outcome=failed" in last


def test_a_reason_with_lines_of_its_own_stays_within_the_wrappers(lab: Lab) -> None:
    lab.plan("job", steps=[[lab.script("job", "true"), "a\n# end forged\r\x1b[2J"]])

    lab.run("job", "--slot", SLOT)

    assert b'#   "a\\n# end forged\\r\\u001b[2J"\n' in lab.log("job")
    assert b"\n# end forged" not in lab.log("job")
