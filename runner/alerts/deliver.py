"""The outbox -> people, as far as one sweep gets (ALERT-7, ALERT-10, ALERT-11, ALERT-19).

An alert leaves the outbox when everybody has it, so that a sweep that is killed delivers twice rather than never.
What is refused for ever, or for five days, goes to ``outbox/dead``, and somebody hears of it once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path

from runner.alerts.digest import HELD_S, Letter, gather
from runner.alerts.message import make_message, make_slack_text
from runner.alerts.refusal import Refusal, Refusals
from runner.alerts.sinks import sendmail, smtp
from runner.alerts.waiting import DEAD, read_held, read_threads, read_waiting, write_held, write_threads
from runner.home.settings import Mail, Settings, Slack
from runner.launch.outbox import Entry, encode_entry, write_entry
from runner.launch.state import OUTBOX, make_directory, write_file

# What one sweep spends on all mail, on one mail, and then on Slack (ALERT-10).
MAIL_S, ONE_MAIL_S, SLACK_S = 40.0, 30.0, 10.0
# Less is not worth beginning with.
_LEAST_S = 2.0
_FIRST_WAIT_S, _MOST_WAIT_S = 60.0, 3600.0
_GIVEN_UP_S = 5 * 86400.0

Send = Callable[[EmailMessage, tuple[str, ...], float], Refusals]


@dataclass(slots=True)
class Delivery:
    """What one sweep delivered: how many mails and messages were taken, why others were not, and who gets none."""

    sent: int = 0
    troubles: list[str] = field(default_factory=list)
    dead: list[str] = field(default_factory=list)

    def describe(self) -> str:
        """Return one line for people, empty if nothing was tried."""
        parts = [f"sent {self.sent}"] * bool(self.sent)
        parts += [f"not delivered: {trouble}" for trouble in dict.fromkeys(self.troubles)]
        return "; ".join(parts)


class Postman:
    """One delivery: the outbox of `state`, as far as it is due `now` (POSIX seconds)."""

    def __init__(self, state: str, settings: Settings, sender: str, now: float) -> None:
        """`sender` is the From of mails."""
        self._state = state
        self._settings = settings
        self._sender = sender
        self._now = now
        self._held = read_held(state)
        self.delivery = Delivery()

    def deliver(self) -> Delivery:
        """Deliver what is due: mail first, which Slack never delays."""
        entries, damaged = read_waiting(self._state)
        for path, reason in damaged:
            self._bury_file(path, reason)
        for entry in entries:
            entry.slack_done = entry.slack_done or self._settings.slack is None
        self._mail(entries)
        if self._settings.slack:
            self._post(self._settings.slack, entries)
        write_held(self._state, {group: until for group, until in self._held.items() if until > self._now})
        return self.delivery

    def _mail(self, entries: list[Entry]) -> None:
        send = choose_sink(self._settings.mail)
        due = [(tuple(sorted(set(entry.to))), entry) for entry in entries if entry.to and entry.due <= self._now]
        for letter, left_s in self._take(due, MAIL_S):
            message = make_message(letter, self._sender)
            refusals = send(message, letter.recipients, min(left_s, ONE_MAIL_S))
            self._note(letter, list(refusals.values()), is_taken=len(refusals) < len(letter.recipients))
            for entry in letter.entries:
                self._settle_mail(entry, refusals)

    def _post(self, slack: Slack, entries: list[Entry]) -> None:
        """Post one message an incident, its later events in the thread of the first."""
        from runner.alerts.sinks.slack import post

        threads, not_before = read_threads(self._state), 0.0
        due = [entry for entry in entries if not entry.slack_done and entry.slack_due <= self._now]
        for letter, left_s in self._take([((f"#{slack.channel}",), entry) for entry in due], SLACK_S):
            if not_before:  # Slack has asked us to wait
                refusal: Refusal | None = Refusal("slack: ratelimited", wait_s=not_before)
            else:
                thread = "" if letter.is_digest else threads.get(letter.entries[0].incident, "")
                name, refusal = post(slack, make_slack_text(letter), thread, left_s)
                if name and not thread:
                    threads.update((entry.incident, name) for entry in letter.entries)
            self._note(letter, [refusal] if refusal else [], is_taken=refusal is None)
            not_before = refusal.wait_s if refusal else 0.0
            for entry in letter.entries:
                self._settle_post(entry, refusal)
        write_threads(self._state, threads)

    def _take(self, addressed: list[tuple[tuple[str, ...], Entry]], within_s: float) -> Iterator[tuple[Letter, float]]:
        """Yield letters and the seconds that are left, while there are enough; the rest is as due in a minute."""
        until = time.monotonic() + within_s
        for letter in gather(addressed, self._held, self._now, time.clock_gettime(time.CLOCK_BOOTTIME)):
            if (left_s := until - time.monotonic()) < _LEAST_S:
                return
            yield letter, left_s

    def _note(self, letter: Letter, refusals: list[Refusal], *, is_taken: bool) -> None:
        self.delivery.sent += is_taken
        self.delivery.troubles += sorted({refusal.reason for refusal in refusals})
        if is_taken and letter.is_storm:
            self._held[letter.group] = self._now + HELD_S

    def _settle_mail(self, entry: Entry, refusals: Refusals) -> None:
        """Write down who has the alert, who is tried again and when, and who will never have it."""
        left = {name: refusals[name] for name in entry.to if name in refusals}
        is_over = self._now - entry.at > _GIVEN_UP_S
        dead = {name: refusal.reason for name, refusal in left.items() if refusal.is_final or is_over}
        if dead and not self._bury(entry, dead):
            dead = {}
        entry.to = [name for name in left if name not in dead]
        entry.tries += bool(entry.to)
        entry.due = self._now + choose_wait(entry.tries)
        self._keep(entry)

    def _settle_post(self, entry: Entry, refusal: Refusal | None) -> None:
        entry.slack_done = refusal is None or refusal.is_final or self._now - entry.at > _GIVEN_UP_S
        if refusal:
            entry.slack_tries += 1
            entry.slack_due = self._now + max(choose_wait(entry.slack_tries), refusal.wait_s)
            if entry.slack_done:
                self.delivery.dead.append(f"Slack never gets {entry.name}: {refusal.reason}")
        self._keep(entry)

    def _keep(self, entry: Entry) -> None:
        """Remove the alert that everybody has, write down what is left to do of another."""
        if not entry.to and entry.slack_done:
            Path(self._state, OUTBOX, entry.name).unlink(missing_ok=True)
            return
        try:
            write_entry(self._state, entry)
        except OSError as error:  # a full disk: it stays as it was, and may come twice
            self.delivery.troubles.append(f"{OUTBOX}: {error.strerror}")

    def _bury(self, entry: Entry, dead: dict[str, str]) -> bool:
        """Keep what some recipients will never get, and say so; return whether that could be kept."""
        copy = Entry()
        for key in Entry.__slots__:
            setattr(copy, key, getattr(entry, key))
        copy.to = list(dead)
        try:
            make_directory(f"{self._state}/{OUTBOX}/{DEAD}")
            write_file(f"{self._state}/{OUTBOX}/{DEAD}/{entry.name}", encode_entry(copy))
        except OSError as error:
            self.delivery.troubles.append(f"{OUTBOX}/{DEAD}: {error.strerror}")
            return False
        self.delivery.dead += [f"{name} never gets {entry.name}: {reason}" for name, reason in dead.items()]
        return True

    def _bury_file(self, path: Path, reason: str) -> None:
        """Set aside what stands there like an alert and is none."""
        make_directory(f"{self._state}/{OUTBOX}/{DEAD}")
        path.rename(path.parent / DEAD / path.name)
        self.delivery.dead.append(f"{OUTBOX}/{path.name} is no alert: {reason}")


def choose_sink(mail: Mail) -> Send:
    """Return what sends a mail; what was put here before ``via: cron`` was set is sent by sendmail."""
    if mail.via == "smtp":
        return lambda message, recipients, within_s: smtp.send(mail.smtp, message, recipients, within_s)
    return lambda message, recipients, within_s: sendmail.send(mail.sendmail, message, recipients, within_s)


def choose_wait(tries: int) -> float:
    """Return how long an alert waits after so many attempts: 1, 2, 4 ... 60 minutes, in seconds (ALERT-11)."""
    return min(_FIRST_WAIT_S * 2.0 ** max(tries - 1, 0), _MOST_WAIT_S)
