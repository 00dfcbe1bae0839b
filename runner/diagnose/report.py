"""Which findings are shown, in which order, and what they mean to whoever asked. Pure but for the scrubber."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches

from runner.diagnose.check import ENGINE_ID, LEVELS, NOTE, Check, Finding
from runner.errors import UserError, clean
from runner.launch.scrub import scrub_text

COLUMNS = ("ID", "LEVEL", "FINDING")
_NEAR = 3


def choose_checks(checks: Sequence[Check], names: Iterable[str], always: str = "") -> list[Check]:
    """Return the checks of these ids, in any case of letters, all of them for none; that of the id `always`, too.

    Raises
    ------
    UserError
        If there is none of an id; it names the nearest.
    """
    by_name = {check.id.upper(): check for check in checks}
    chosen: dict[str, Check] = {}
    for name in names:
        if name.upper() not in by_name:
            near = get_close_matches(name.upper(), by_name, n=_NEAR, cutoff=0.5)
            hint = f"near it: {', '.join(by_name[one].id for one in near)}" if near else '"runner diagnose --list"'
            raise UserError(f'no check is called "{name}"; {hint}')
        chosen[name.upper()] = by_name[name.upper()]
    if chosen and always:
        chosen[always] = by_name[always]
    return list(chosen.values()) or list(checks)


def choose_findings(findings: Iterable[Finding], level: str) -> list[Finding]:
    """Return the findings of a level or worse: the worst first, then by id."""
    shown = [one for one in findings if LEVELS.index(one.level) <= LEVELS.index(level)]
    return sorted(shown, key=lambda one: (LEVELS.index(one.level), one.id, one.message))


def hide_secrets(finding: Finding, forms: Sequence[bytes]) -> Finding:
    """Return a finding on one line a field, without the secrets whose `forms` are known, or that look like some."""
    texts = {name: scrub_text(getattr(finding, name), forms) for name in ("message", "hint", "evidence")}
    texts = {name: clean("; ".join(text.splitlines())) for name, text in texts.items()}
    return replace(finding, **texts)


def has_trouble(findings: Iterable[Finding]) -> bool:
    """Whether somebody has to do something: a note asks for nothing."""
    return any(one.level != NOTE for one in findings)


def list_rows(findings: Iterable[Finding]) -> Iterator[tuple[str, str, str]]:
    """Yield the rows of the table: a finding, below it what was seen and what to do."""
    for one in findings:
        yield one.id, one.level, one.message
        if one.evidence:
            yield "", "", f"  seen: {one.evidence}"
        if one.hint:
            yield "", "", f"  do:   {one.hint}"


def describe_all_well(checks: Sequence[Check], findings: Sequence[Finding]) -> str:
    """Return the sentence for people where little or nothing is shown."""
    found = {one.id for one in findings} - {ENGINE_ID}
    return f"{len(checks)} checks, {len(checks) - len(found)} without a finding"
