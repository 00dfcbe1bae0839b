"""The journal itself as history: what is not in the ledger yet, or all there is while the ledger is down."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from runner.ledger.files import list_files, read_piece
from runner.ledger.fold import Batch, Facts, fold_lines, instant_of

# Given all runs since the beginning of some day: need no more be read?
IsEnough = Callable[[Iterable[Facts]], bool]


def read_tail(state: str, drained_bytes: Mapping[str, int], is_enough: IsEnough) -> Batch:
    """Return what the journal says beyond `drained_bytes`; bad lines are passed over.

    Files are read from the newest to the oldest until there is enough: a job each minute leaves a thousand
    runs a day, and the question is mostly about the last few.
    """
    batch = Batch()
    for file in reversed(list_files(state)):
        position = drained_bytes.get(file.name, 0)
        while position < file.size_bytes:
            piece = read_piece(state, file.name, position, is_final=False)
            fold_lines(file.name, piece.lines, batch)
            if piece.end == position:
                break
            position = piece.end
        day = file.name[:10]
        # By the id, which is never later than the start: whatever an older file holds comes before these, either way.
        if is_enough([facts for run_id, facts in batch.runs.items() if instant_of(run_id) >= day]):
            break
    return batch
