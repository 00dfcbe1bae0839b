"""A power loss and the boot after it: all processes are gone at once, and the kernel has another boot id."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterable

from lab import CALLER, Lab, kill
from missing import give_up

from runner.alerts.digest import BOOT_HELD_S

BOOT_ID = "7a0f7f0e-0000-4000-8000-000000000001"
# A mount namespace in which the boot id is another; there a sweep, and what is due then.
_NEXT_BOOT = """
home=$1 slot=$2; shift 2
mount --bind "$home/boot_id" /proc/sys/kernel/random/boot_id || exit 99
"$home/wrappers/run-job" --sweep
for name; do "$home/wrappers/run-job" $name --slot $slot; done
"""


def lose_power(lab: Lab, names: Iterable[str], slot: str) -> None:
    """Start a run of each plan for a slot, and end all that lives."""
    wrappers = [lab.start_running(name, "--slot", slot) for name in names]
    for wrapper in wrappers:
        wrapper.kill()
        wrapper.wait()
    for pid in lab.processes():
        kill(pid, 9)


def boot_again(lab: Lab, names: Iterable[str], slot: str) -> str:
    """Sweep as the first thing after the next boot, then start the plans for a slot; return what cron would mail."""
    (lab.home / "boot_id").write_text(f"{BOOT_ID}\n")
    command = ["unshare", "-rm", "sh", "-c", _NEXT_BOOT, "sh", lab.home, slot, *names]
    result = subprocess.run(command, env=CALLER, capture_output=True, text=True)
    if result.returncode == 99:
        give_up("no user and mount namespaces (unshare -rm)")
    lab.mails.append(result.stderr)
    return result.stderr


def wait_until_up() -> None:
    """Wait until this machine is up for so long that a boot's digest is held back no more."""
    time.sleep(max(BOOT_HELD_S - time.clock_gettime(time.CLOCK_BOOTTIME), 0.0))
