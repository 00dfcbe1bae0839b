"""Installing and uninstalling our block: CRON-40 as a tuple of steps, each taking and returning data.

A step returns what the next one works on, or the `Answer` that ends the work. Nothing outside our own state
is touched before `write`, and that one is a rename, crontab(1)'s or ours: a kill at any moment leaves the old
crontab or the new one (CRON-52).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from runner.crontab import tables
from runner.crontab.account import lock_crontab
from runner.crontab.backups import is_made_by_us, keep_backup, note_origin
from runner.crontab.block import digest_of, find_blocks, has_block, split_lines
from runner.crontab.dialects import Dialect, Refusal
from runner.crontab.mask import show_lines
from runner.crontab.opinion import find_disagreement
from runner.crontab.order import Answer, Order, Progress
from runner.crontab.preview import Preview, plan_install, plan_uninstall
from runner.crontab.tables import Table
from runner.errors import TryLater, UserError
from runner.home.account import acting_as
from runner.home.audit import Audit, record_audit
from runner.home.locks import find_lock_trouble
from runner.launch.plan import PLANS
from runner.launch.state import LOCKS, make_state
from runner.plans.trusted import check_trust

Step = Callable[[Progress], Progress | Answer]


def install(order: Order) -> Answer:
    """Make our block in the crontab what is wanted.

    Raises
    ------
    UserError
        If the crontab, ours or the foreign lines, must be mended first; nothing was changed.
    TryLater
        If the crontab cannot be had for ourselves, read or written; the old one stands, unless the text says
        otherwise.
    """
    return run_steps(INSTALL, Progress(order))


def uninstall(order: Order) -> Answer:
    """Take our block out of the crontab; raises as `install` does."""
    return run_steps(UNINSTALL, Progress(order, "crontab uninstall"))


def roll_back(order: Order) -> Answer:
    """Put a block of then into the crontab of now (CRON-65); raises as `install` does."""
    return run_steps(ROLLBACK, Progress(order, "crontab rollback"))


def preview_install(order: Order) -> Preview:
    """Return what `install` would do, as of now; for ``crontab diff``. Raises as `install` does."""
    progress = Progress(order)
    for step in (read, check_elsewhere, check_ours):
        progress = step(progress)
    return progress.preview


def run_steps(steps: Iterable[Step], progress: Progress) -> Answer:
    """Run steps until one has an answer; the lock is free afterwards, whatever happened."""
    try:
        for step in steps:
            result = step(progress)
            if isinstance(result, Answer):
                return result
            progress = result
    finally:
        if progress.lock is not None:
            os.close(progress.lock)
    return Answer.DONE


def lock(progress: Progress) -> Progress:
    """Wait until nobody else of ours changes this crontab (CRON-47)."""
    order = progress.order
    return replace(progress, lock=lock_crontab(order.crontab.account, order.state))


def read(progress: Progress) -> Progress:
    """Read the crontab, and which cron it is for."""
    crontab = progress.order.crontab
    old, dialect = crontab.read(), crontab.read_dialect()
    return replace(progress, dialect=dialect, old=old, flaws=tuple(crontab.find_flaws(dialect)))


def check_elsewhere(progress: Progress) -> Progress:
    """See that cron would not start our lines twice, from two crontabs (CRON-49)."""
    order = progress.order
    if found := [table.name for table in order.elsewhere if has_block(table.read() or b"", order.wanted.name)]:
        where = ", ".join(found)
        raise UserError(f"the block of {order.wanted.name} stands in another crontab too; take it out first: {where}")
    return progress


def check_ours(progress: Progress) -> Progress:
    """Plan the new crontab and check it by our own rules, with python-crontab's second opinion."""
    order = progress.order
    (block,) = find_blocks(order.wanted.block.encode())
    if disagreement := find_disagreement(block.body.decode("ascii"), system=order.wanted.system):
        raise RuntimeError(f"python-crontab reads our block otherwise: {disagreement}")
    planned = plan_install(progress.old, order.wanted, progress.dialect, order.now)
    ignored = [f"cron ignores this file because {flaw}; it is written anew" for flaw in progress.flaws]
    planned = replace(planned, flaws=progress.flaws)
    return replace(progress, planned=_warn(planned, [*ignored, *tables.find_mail_warnings()]))


def check_place(progress: Progress) -> Progress:
    """See that nobody else decides what our lines start, and that locks work there (CRON-55, FAULT-20)."""
    order = progress.order
    if order.state and (trouble := find_lock_trouble(order.state / LOCKS)):
        raise UserError(
            f"{order.state}: locks do not work there: {trouble}; write state: with a directory on a local disk into"
            " envs/site.yaml (FAULT-20)"
        )
    warnings = check_trust(order.executed, order.crontab.account.pw_uid) if order.executed else []
    return replace(progress, planned=_warn(progress.preview, warnings))


def plan_removal(progress: Progress) -> Progress:
    """Plan the crontab without our block."""
    order = progress.order
    made_by_us = is_made_by_us(order.state, order.wanted.target)
    planned = plan_uninstall(progress.old, order.wanted, progress.dialect, order.now, made_by_us=made_by_us)
    return replace(progress, planned=planned)


def check_daemons(progress: Progress) -> Progress:
    """Have the daemon's own check look at the new crontab (CRON-45)."""
    crontab, dialect, preview = progress.order.crontab, progress.dialect, progress.preview
    if preview.new is None or not preview.changed:
        return progress
    verdict = crontab.check(dialect, preview.new)
    if verdict.refusal:
        raise UserError(_describe_refusal(crontab, dialect, preview, verdict.refusal))
    if verdict.asked:
        return progress
    unasked = f"{crontab.judge} has no check of its own ({dialect.check_option}): ours alone decided"
    return replace(progress, planned=_warn(preview, [unasked]))


def show(progress: Progress) -> Progress | Answer:
    """Show what would change; the end of a dry run, and where nothing changes."""
    progress.order.show(progress.preview)
    if not progress.preview.changed:
        return Answer.UNCHANGED
    return Answer.SHOWN if progress.order.dry_run else progress


def ask(progress: Progress) -> Progress | Answer:
    """Let a person decide."""
    return progress if progress.order.confirm(progress.preview) else Answer.DECLINED


def check_plans(progress: Progress) -> Progress:
    """See that every line will find its plan (CRON-54)."""
    order = progress.order
    if order.home is None:
        return progress
    plans = order.home / PLANS
    missing = [entry.plan for entry in order.wanted.entries if not (plans / f"{entry.plan}.plan").is_file()]
    if missing:
        raise UserError(f'no plan in {plans} for {", ".join(missing)}; see jobs/, then run "runner compile"')
    return progress


def back_up(progress: Progress) -> Progress:
    """Keep the text that will be replaced, and whether there was any."""
    order, preview = progress.order, progress.preview
    if order.state is None:
        return progress
    with acting_as(order.crontab.account), _state_trouble("no backup can be kept, nothing was changed"):
        make_state(str(order.state))
        if not has_block(preview.old or b"", order.wanted.name):
            note_origin(order.state, order.wanted.target, made_by_us=preview.old is None)
        if preview.old is None or preview.old == preview.new:
            return progress
        return replace(progress, backup=keep_backup(order.state, order.wanted.target, preview.old, order.now))


def read_again(progress: Progress) -> Progress:
    """Go on only if nobody changed the crontab since it was read (FAULT-47)."""
    if progress.order.crontab.read() != progress.old:
        raise TryLater("the crontab was changed by somebody else meanwhile; nothing was written")
    return progress


def write(progress: Progress) -> Progress:
    """Replace the crontab; whether that worked is for `read_back` to find out."""
    if progress.preview.new == progress.old and not progress.flaws:
        return progress  # what changes lies in the plans alone
    try:
        return replace(progress, trouble=progress.order.crontab.write(progress.preview.new))
    except TryLater as error:
        return replace(progress, trouble=str(error))


def read_back(progress: Progress) -> Progress:
    """Put the old crontab back unless what stands there now is what was meant (CRON-51)."""
    crontab, preview = progress.order.crontab, progress.preview
    kept = f"; the old one is kept in {progress.backup}" if progress.backup else ""
    try:
        found = crontab.read() or b""
        if found == (preview.new or b"") and not crontab.find_flaws(progress.dialect):
            return progress
        if found != (preview.old or b""):
            crontab.write(preview.old)
            found = crontab.read() or b""
    except TryLater as error:
        raise TryLater(f"the crontab cannot be read back after it was written: {error}{kept}") from error
    if found != (preview.old or b""):
        raise TryLater(f"the crontab is neither what it was nor what was meant; {progress.trouble}{kept}")
    reason = progress.trouble or "what was read back was not what was written"
    raise TryLater(f"the crontab is as it was: {reason}")


def record(progress: Progress) -> Progress:
    """Journal who changed what (CRON-40)."""
    order, preview = progress.order, progress.preview
    if order.state is None:
        return progress
    with acting_as(order.crontab.account), _state_trouble("the crontab was changed, but not recorded"):
        audit = Audit(progress.action, order.crontab.name, digest_of(preview.new or b""), preview.text_diff)
        record_audit(str(order.state), order.wanted.host, audit)
    return progress


def _describe_refusal(crontab: Table, dialect: Dialect, preview: Preview, refusal: Refusal) -> str:
    if not refusal.number:
        return f"{crontab.judge} refuses the crontab: {refusal.words}"
    lines = dict(enumerate(split_lines(preview.new or b""), 1))
    for number in refusal.near_lines:
        line = lines.get(number, b"")
        if crontab.check(dialect, line.rstrip(b"\n") + b"\n").refusal:
            return f"{crontab.judge} refuses {_place_line(line, preview)}: {refusal.words}: {show_lines(line)[0]}"
    return f"{crontab.judge} refuses the crontab near line {refusal.number}: {refusal.words}"


def _place_line(line: bytes, preview: Preview) -> str:
    """Say where a line of the new crontab stands in the one that the person knows."""
    old = split_lines(preview.old or b"")
    return f"line {old.index(line) + 1}" if line in old else "a line of ours"


def _warn(preview: Preview, warnings: Iterable[str]) -> Preview:
    return replace(preview, warnings=(*preview.warnings, *warnings))


@contextmanager
def _state_trouble(doing: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TryLater(f"{doing}: {error.filename or 'state directory'}: {error.strerror}") from error


_CHANGE: tuple[Step, ...] = (back_up, read_again, write, read_back, record)
_CHECKS: tuple[Step, ...] = (lock, read, check_elsewhere, check_ours, check_place, check_daemons)
INSTALL: tuple[Step, ...] = (*_CHECKS, show, ask, check_plans, *_CHANGE)
ROLLBACK: tuple[Step, ...] = (*_CHECKS, check_plans, show, ask, *_CHANGE)
UNINSTALL: tuple[Step, ...] = (lock, read, check_elsewhere, plan_removal, check_daemons, show, ask, *_CHANGE)
