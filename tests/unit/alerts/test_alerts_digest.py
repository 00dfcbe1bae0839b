"""ALERT-16, ALERT-17: which alerts share a mail. By table, with the clock given."""

from collections.abc import Iterable

import pytest
from letters import make_entry

from runner.alerts.digest import BAD, BOOT, BOOT_HELD_S, HELD_S, Letter, gather, name_group
from runner.launch.incident import RECOVERED
from runner.launch.outbox import Entry

_NOW = 1_795_000_000.0
_TEAM = ("team@example.org",)
_UPTIME_S = 86400.0


def _gather(
    entries: Iterable[Entry], held: dict[str, float] | None = None, uptime_s: float = _UPTIME_S
) -> list[Letter]:
    return gather([(tuple(entry.to), entry) for entry in entries], held or {}, _NOW, uptime_s)


@pytest.mark.parametrize(("alerts", "letters"), [(1, 1), (2, 2), (3, 3), (4, 1), (200, 1)])
def test_more_than_three_alerts_for_the_same_people_are_one_digest(alerts: int, letters: int) -> None:
    found = _gather(make_entry(number) for number in range(alerts))

    assert len(found) == letters
    assert [letter.is_digest for letter in found] == [alerts > 3] * letters


def test_people_who_are_told_of_different_jobs_have_digests_of_their_own() -> None:
    found = _gather([make_entry(number, to=[f"{'ab'[number % 2]}@example.org"]) for number in range(10)])

    assert [(letter.recipients, len(letter.entries)) for letter in found] == [
        (("a@example.org",), 5), (("b@example.org",), 5),
    ]  # fmt: skip


def test_what_follows_a_storm_is_held_for_ten_minutes_and_then_one_more_digest() -> None:
    group = name_group(_TEAM, BAD)
    later = [make_entry(1), make_entry(2)]

    assert _gather(later, {group: _NOW + 1}) == []
    assert [(letter.is_digest, len(letter.entries)) for letter in _gather(later, {group: _NOW})] == [(True, 2)]
    assert [letter.is_digest for letter in _gather(later[:1], {group: _NOW})] == [False]
    assert HELD_S == 600


def test_others_are_not_held_with_them() -> None:
    found = _gather([make_entry(1), make_entry(2, to=["b@example.org"])], {name_group(_TEAM, BAD): _NOW + 1})

    assert [letter.recipients for letter in found] == [("b@example.org",)]


def test_recoveries_are_grouped_alike_and_apart() -> None:
    bad = [make_entry(number) for number in range(4)]
    well = [make_entry(10 + number, kind=RECOVERED, outcome="ok") for number in range(5)]

    found = _gather([*bad, *well])

    assert [(letter.kind, letter.is_digest, len(letter.entries)) for letter in found] == [
        ("bad", True, 4), ("recovered", True, 5),
    ]  # fmt: skip


def test_what_a_reboot_has_cost_is_one_digest_however_little() -> None:
    found = _gather([make_entry(1, boot="b", outcome="lost"), make_entry(2)])

    assert [(letter.kind, letter.is_digest) for letter in found] == [(BOOT, True), (BAD, False)]


def test_a_reboots_digest_waits_until_all_its_late_slots_are_known() -> None:
    lost = [make_entry(1, boot="b", outcome="lost")]

    assert _gather(lost, uptime_s=BOOT_HELD_S - 1) == []
    assert len(_gather(lost, uptime_s=BOOT_HELD_S)) == 1


def test_letters_go_out_in_the_order_of_what_happened() -> None:
    found = _gather([make_entry(3), make_entry(1), make_entry(2)])

    assert [letter.entries[0].plan for letter in found] == ["job-1", "job-2", "job-3"]
