"""FAULT-6: power loss in mid-run. The next boot has another id, so that no recorded pid means anything any more."""

from __future__ import annotations

import pytest
from lab import Lab
from mailroom import serve_smtp
from reboot import BOOT_ID, boot_again, lose_power, wait_until_up

from runner.launch.outbox import read_entry

_NAMES = ("one", "two", "three")
_SLOT, _NEXT_SLOT = "2026-03-08T07:00:00Z", "2026-03-08T08:00:00Z"
_HOLD = f'[ "$RUNNER_SLOT" = {_NEXT_SLOT} ] && exit 0; touch "$RUNNER_WORK/ready"; while :; do sleep 0.05; done'


def _lose_power(lab: Lab) -> None:
    for name in _NAMES:
        lab.job(name, _HOLD)
    lose_power(lab, _NAMES, _SLOT)


def test_fault_06_after_a_power_loss_runs_are_lost_and_their_locks_are_void(lab: Lab) -> None:
    _lose_power(lab)

    mail = boot_again(lab, _NAMES, _NEXT_SLOT)

    for name in _NAMES:
        assert f"LOST {name} [dsoc-prod] host rebooted\n" in mail
        assert lab.outcomes(name) == ["lost", "ok"]
        assert [event["reason"] for event in lab.events("end", name)] == ["host rebooted", ""]
        lab.assert_clean(name)


def test_fault_06_the_alerts_of_one_power_loss_name_the_boot_that_found_it_out(lab: Lab) -> None:
    """ALERT-17: so that they can be one digest."""
    lab.mail_via("sendmail", sendmail="/nowhere")
    _lose_power(lab)

    boot_again(lab, _NAMES, _NEXT_SLOT)

    entries = [read_entry(str(path)) for path in (lab.state / "outbox").glob("*.first")]
    assert sorted((entry.plan, entry.outcome, entry.boot) for entry in entries if entry) == [
        (name, "lost", BOOT_ID) for name in sorted(_NAMES)
    ]


@pytest.mark.timeout(500)
def test_fault_06_what_a_power_loss_has_cost_is_one_mail(lab: Lab) -> None:
    with serve_smtp() as server:
        lab.mail_via("smtp", smtp=f"{{host: 127.0.0.1, port: {server.port}, tls: none}}")
        _lose_power(lab)
        boot_again(lab, (), _NEXT_SLOT)
        wait_until_up()
        lab.sweep()

    (digest,) = server.mails
    assert digest.subject == "DIGEST 3 runs lost at reboot"
    assert [line for line in digest.body.splitlines() if line.startswith("LOST ")] == [
        f"LOST {name} [dsoc-prod] host rebooted" for name in _NAMES
    ]
    assert list(lab.state.glob("outbox/*.first")) == []
