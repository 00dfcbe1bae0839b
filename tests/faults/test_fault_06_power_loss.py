"""FAULT-6: power loss in mid-run. The next boot has another id, so that no recorded pid means anything any more."""

import subprocess

from lab import CALLER, Lab, kill
from missing import give_up

from runner.launch.outbox import read_entry

_HOLD = 'touch "$RUNNER_WORK/ready"; while :; do sleep 0.05; done'
_NAMES = ("one", "two", "three")
# The sweep of the next boot: a mount namespace in which the kernel's boot id is another.
_BOOT_ID = "7a0f7f0e-0000-4000-8000-000000000001"
_NEXT_BOOT = """
mount --bind "$1/boot_id" /proc/sys/kernel/random/boot_id || exit 99
"$1/wrappers/run-job" --sweep
for name in one two three; do "$1/wrappers/run-job" $name --slot 2026-03-08T08:00:00Z; done
"""


def _boot_again(lab: Lab) -> str:
    (lab.home / "boot_id").write_text(f"{_BOOT_ID}\n")
    command = ["unshare", "-rm", "sh", "-c", _NEXT_BOOT, "sh", lab.home]
    result = subprocess.run(command, env=CALLER, capture_output=True, text=True)
    if result.returncode == 99:
        give_up("no user and mount namespaces (unshare -rm)")
    lab.mails.append(result.stderr)
    return result.stderr


def _lose_power(lab: Lab) -> None:
    for name in _NAMES:
        lab.job(name, f'[ "$RUNNER_SLOT" = 2026-03-08T08:00:00Z ] && exit 0\n{_HOLD}')
    wrappers = [lab.start_running(name, "--slot", "2026-03-08T07:00:00Z") for name in _NAMES]
    for wrapper in wrappers:
        wrapper.kill()
        wrapper.wait()
    for pid in lab.processes():
        kill(pid, 9)


def test_fault_06_after_a_power_loss_runs_are_lost_and_their_locks_are_void(lab: Lab) -> None:
    _lose_power(lab)

    mail = _boot_again(lab)

    for name in _NAMES:
        assert f"LOST {name} [dsoc-prod] host rebooted\n" in mail
        assert lab.outcomes(name) == ["lost", "ok"]
        assert [event["reason"] for event in lab.events("end", name)] == ["host rebooted", ""]
        lab.assert_clean(name)


def test_fault_06_the_alerts_of_one_power_loss_name_the_boot_that_found_it_out(lab: Lab) -> None:
    """ALERT-17: so that they can be one digest."""
    lab.mail_via("sendmail", sendmail="/nowhere")
    _lose_power(lab)

    _boot_again(lab)

    entries = [read_entry(str(path)) for path in (lab.state / "outbox").glob("*.first")]
    assert sorted((entry.plan, entry.outcome, entry.boot) for entry in entries if entry) == [
        (name, "lost", _BOOT_ID) for name in sorted(_NAMES)
    ]
