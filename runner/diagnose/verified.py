"""What ``runner crontab verify`` says of the crontab of this host and user, for the checks that tell of it."""

from __future__ import annotations

import os

from runner.crontab.places import find_table
from runner.crontab.verify import Finding, verify_block
from runner.crontab.want import check_target, look_at, make_spot, want_block
from runner.diagnose.context import Context
from runner.launch.slot import use_zone


def verify(context: Context) -> tuple[Finding, ...]:
    """Return its findings, none where no target is for this host and user; raises as the command does."""
    loaded, target = context.get_loaded(), context.target
    if target is None:
        return ()
    check_target(loaded.settings, target)
    use_zone(target.timezone or None)
    spot = make_spot(loaded.settings, target)
    table = find_table(spot, os.environ)
    return verify_block(look_at(spot, table), want_block(loaded, target), table.read_dialect())
