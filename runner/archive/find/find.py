"""``find``: an expression -> an astropy Table with units, for job scripts and notebooks (ARCH-41).

::

    from runner.archive.find.find import find

    table = find('INSTRUME = "WFC3" and EXPTIME > 100 and cone(150.1, 2.2, 0.1)', columns=["file", "exptime"])
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from runner.archive.find.ask import make_question, open_index
from runner.home.find import find_home

if TYPE_CHECKING:
    from astropy.table import Table


def find(
    expression: str = "",
    columns: Sequence[str] | None = None,
    *,
    sort: Sequence[str] = (),
    limit: int = 0,
    hdus: bool = False,
    every_state: bool = False,
    home: str | Path | None = None,
    config: str | Path | None = None,
) -> Table:
    """Return what the index of a home has, as a table with units and descriptions.

    A column is masked where a file has no value for it. Times are text, UTC with a ``Z``; of a column that
    is not masked ``astropy.time.Time(table["obs_at"].astype(str))`` makes times.

    Parameters
    ----------
    expression
        Which files, as for ``runner find``; empty: all.
    columns
        Names of columns, FITS keywords, or ``header.KEYWORD``; by default a selection.
    sort
        Names to sort by; with a ``-`` before it one falls.
    limit
        How many rows at most; 0 is all.
    hdus
        A row for each HDU; so it is anyway where a column of each HDU is asked for.
    every_state
        Bad and vanished files too.
    home
        The home; by default ``RUNNER_HOME``, else the nearest directory upwards that is one.
    config
        The settings that the index was made with, if not ``envs/archive.yaml`` of the home.

    Raises
    ------
    UserError
        The expression, a name or the settings are wrong.
    TryLater
        The database does not answer.
    """
    from runner.archive.find.table import make_table

    place = find_home(str(home) if home else None, os.environ, Path.cwd())
    with open_index(place, Path(config) if config else None) as index:
        question = make_question(
            index.fields,
            expression,
            ",".join(columns or ()),
            ",".join(sort),
            limit=limit,
            hdus=hdus,
            every_state=every_state,
        )
        return make_table(question.columns, index.read(question))
