"""Very much output, and very long lines: bounded memory, a bounded log, a true count."""

import os
import subprocess

import pytest
from lab import SLOT, Lab

_MAX_BYTES = 4 << 20
_SLACK_BYTES = 64 << 10
_MAX_RSS_BYTES = 32 << 20
_BYTES = int(os.environ.get("RUNNER_TEST_OUTPUT_BYTES", 1 << 30))  # the whole case is 10 << 30


def _watch(lab: Lab, wrapper: subprocess.Popen[bytes]) -> tuple[int, int]:
    """Return the wrapper's largest memory and the log's largest size on disk, sampled until it ends."""
    rss = disk = 0
    log = lab.state / "logs" / "much" / "latest.log"
    while wrapper.poll() is None:
        rss = max(rss, lab.peak_rss_bytes(wrapper.pid))
        disk = max(disk, log.stat().st_blocks * 512 if log.exists() else 0)
        lab.pause()
    return rss, disk


@pytest.mark.parametrize("stream", ["", ">&2"], ids=["stdout", "stderr"])
def test_fault_37_much_output_costs_neither_memory_nor_disk(lab: Lab, stream: str) -> None:
    size = _BYTES if not stream else _BYTES // 8
    lab.job("much", f"yes 'a line of some sixty characters, as a talkative program has' | head -c {size} {stream}",
            log_max_bytes=_MAX_BYTES, stderr="ignore")  # fmt: skip
    wrapper = lab.start("much", "--slot", SLOT)

    rss, disk = _watch(lab, wrapper)

    end = lab.end("much")
    assert lab.finish(wrapper).code == 0
    assert end["stdout_bytes"] + end["stderr_bytes"] == size
    assert 0 < rss <= _MAX_RSS_BYTES
    assert disk <= _MAX_BYTES + _SLACK_BYTES
    assert lab.log("much").splitlines()[-1].startswith(b"# end ")
    lab.assert_clean("much")


@pytest.mark.parametrize("stream", ["", ">&2"], ids=["stdout", "stderr"])
def test_fault_38_one_line_of_fifty_megabytes_is_kept_up_to_the_cap(lab: Lab, stream: str) -> None:
    size = 50_000_000
    lab.job("much", f"head -c {size} /dev/zero | tr '\\0' x {stream}", log_max_bytes=_MAX_BYTES)
    wrapper = lab.start("much", "--slot", SLOT)

    rss, disk = _watch(lab, wrapper)

    end, log = lab.end("much"), lab.log("much")
    assert lab.finish(wrapper).code == 0
    assert end["stdout_bytes"] + end["stderr_bytes"] == size
    assert rss <= _MAX_RSS_BYTES
    assert disk <= _MAX_BYTES + _SLACK_BYTES
    assert _MAX_BYTES // 2 <= log.count(b"x") <= _MAX_BYTES
    assert log.splitlines()[-1].startswith(b"# end ")
    lab.assert_clean("much")


def test_fault_38_a_long_line_on_stderr_is_one_line_and_is_shown(lab: Lab) -> None:
    lab.job("much", "head -c 1000000 /dev/zero | tr '\\0' x >&2")

    result = lab.run("much", "--slot", SLOT)

    assert result.subject == "WARNED much [dsoc-prod] 1 line on stderr"
    assert "xxxxxxxx" in result.mail
    assert len(result.err) <= 64 << 10
