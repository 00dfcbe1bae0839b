"""Registry and compiled output agree: cron runs what was compiled, whatever was written since."""

from __future__ import annotations

from collections.abc import Iterator

from runner.diagnose.check import ERROR, Finding
from runner.diagnose.context import Context
from runner.diagnose.words import sum_up

ID = "DIAG002"
LEVEL = ERROR
TITLE = "crontab.d/ is what jobs/ and envs/ say"


def find(context: Context) -> Iterator[Finding]:
    """Yield that the output cannot be made, cannot be read, or is stale."""
    from runner.crontab.output import make_output
    from runner.errors import UserError
    from runner.plans.installed import keep_installed
    from runner.plans.write import compare_output

    loaded = context.get_loaded()
    try:
        files = make_output(loaded)
    except UserError as error:
        yield Finding(ID, ERROR, "the home cannot be compiled", "runner check", str(error).splitlines()[0])
        return
    differences = keep_installed(compare_output(context.home, files), loaded.settings)
    seen = [f"{path} is stale" for path in differences.stale]
    seen += [f"{path} is superfluous" for path in differences.superfluous]
    if seen:
        message = "what cron runs is not what jobs/ and envs/ say"
        yield Finding(ID, LEVEL, message, 'runner compile, then "runner crontab install"', sum_up(seen))
