"""What has been found so far while a crontab is read."""

from __future__ import annotations

from runner.crontab.explain.values import Entry, Explanation, Refusal, Schedule, Setting


class Notes:
    """Entries, settings and refusals, each with the line on which it begins."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.settings: list[Setting] = []
        self.refusals: list[Refusal] = []
        self._in_force: dict[bytes, Setting] = {}
        self._shared: tuple[Setting, ...] | None = ()

    def add_setting(self, line: int, name: bytes, value: bytes) -> None:
        """Note an assignment, which holds for the entries below it."""
        setting = Setting(line, name, value)
        self.settings.append(setting)
        self._in_force[name] = setting
        self._shared = None

    def add_entry(
        self, line: int, schedule: Schedule, command: bytes, user: bytes | None, options: frozenset[str] = frozenset()
    ) -> None:
        """Note an entry under the assignments above it."""
        if self._shared is None:
            self._shared = tuple(self._in_force.values())
        self.entries.append(Entry(line, schedule, options, user, command, self._shared))

    def refuse(self, line: int, words: str) -> None:
        """Note what is not taken."""
        self.refusals.append(Refusal(line, words))

    def conclude(self, *, ignored: bool) -> Explanation:
        """Return all of it; where the file is ignored only why."""
        if ignored:
            return Explanation((), (), tuple(self.refusals), ignored=True)
        return Explanation(tuple(self.entries), tuple(self.settings), tuple(self.refusals), ignored=False)
