"""Daily sums of a map, from which every score is computed: taken block of days by block of days, then put end to end.

Maps of a year over a city fill gigabytes; their sums do not. A block is summed as soon as it is drawn, and forgotten.

What it cannot tell you: anything that is not a score declared here. The maps themselves are gone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from contrechamp.domain.grid import FloatArray, IntArray
from models.calibration_scores import Calibration, brier, calibration
from models.scores import captured, level_log_score, rank_cells, rank_sums
from models.stability import average_ranks, jaccard, spearman


@dataclass(frozen=True, eq=False)
class Tally:
    """Sums of one map on one kind of events, day by day.

    Attributes
    ----------
    events : ndarray of int, shape (n_days,)
    hits : ndarray of int, shape (n_days, n_sizes)
        Events in the flagged cells, for each number of cells flagged.
    above : ndarray of float, shape (n_days,)
        Sum over events of the share of cells ranked below theirs (half of its own): the area under the hit-rate curve
        is its total over that of events.
    log_score : ndarray of float, shape (n_days,)
        See :func:`models.scores.level_log_score`.
    brier : ndarray of float, shape (n_days,)
    calibration : Calibration
    """

    events: IntArray
    hits: IntArray
    above: FloatArray
    log_score: FloatArray
    brier: FloatArray
    calibration: Calibration


@dataclass(frozen=True, eq=False)
class Moves:
    """How the map moved from the day before.

    Attributes
    ----------
    spearman : ndarray of float, shape (n_days,)
        NaN on the first day.
    jaccard : ndarray of float, shape (n_days, n_sizes)
        NaN on the first day.
    """

    spearman: FloatArray
    jaccard: FloatArray


@dataclass(frozen=True, eq=False)
class Block:
    """What is kept of a block of days of one predictor.

    Attributes
    ----------
    on : mapping of str to Tally
        By kind of events.
    moves : Moves
    first, last : tuple of (ranks, order), each of shape (1, n_cells)
        The block's first and last day, to be compared with its neighbours'.
    """

    on: Mapping[str, Tally]
    moves: Moves
    first: tuple[FloatArray, IntArray]
    last: tuple[FloatArray, IntArray]


def tally_block(
    surfaces: FloatArray, counts: Mapping[str, npt.NDArray[Any]], *, sizes: Sequence[int], ties: IntArray,
    level: Mapping[str, float],
) -> Block:  # fmt: skip
    """Sum a block of daily maps.

    Parameters
    ----------
    surfaces : ndarray, shape (n_days, n_cells)
    counts : mapping of str to ndarray of the same shape
        Events of those days, by kind.
    sizes : sequence of int
        Numbers of cells flagged.
    ties : ndarray, shape (n_days, n_cells)
        From :func:`models.scores.tie_breaks`.
    level : mapping of str to float
        What the map is multiplied by before the Brier score and calibration, by kind of events.
    """
    order = rank_cells(surfaces, ties=ties)
    at = np.asarray(sizes) - 1
    on = {}
    for kind, y in counts.items():
        hits = captured(order, y)
        scaled = surfaces * level[kind]
        on[kind] = Tally(
            hits[:, -1], hits[:, at], rank_sums(hits), level_log_score(surfaces, y), brier(scaled, y),
            calibration(scaled, y),
        )  # fmt: skip
    ranks = average_ranks(surfaces)
    nan = np.full((1, len(at)), np.nan)
    moves = Moves(
        np.concatenate([[np.nan], spearman(ranks[:-1], ranks[1:])]),
        np.concatenate([nan, np.stack([jaccard(order[:-1], order[1:], k=k) for k in sizes], axis=1)]),
    )
    return Block(on, moves, (ranks[:1], order[:1]), (ranks[-1:], order[-1:]))


def join_blocks(blocks: Sequence[Block], *, sizes: Sequence[int]) -> Block:
    """Put the blocks of one predictor end to end, in order of time."""
    first, last = blocks[0].first, blocks[-1].last
    spear = np.concatenate([b.moves.spearman for b in blocks])
    jac = np.concatenate([b.moves.jaccard for b in blocks])
    day = 0
    for before, after in pairwise(blocks):
        day += len(before.moves.spearman)
        spear[day] = spearman(before.last[0], after.first[0])[0]
        jac[day] = [jaccard(before.last[1], after.first[1], k=k)[0] for k in sizes]
    on = {kind: _join([b.on[kind] for b in blocks]) for kind in blocks[0].on}
    return Block(on, Moves(spear, jac), first, last)


def _join(parts: Sequence[Any]) -> Any:
    """Concatenate dataclasses of arrays, field by field."""
    kind = type(parts[0])
    if isinstance(parts[0], np.ndarray):
        return np.concatenate(parts)
    return kind(*(_join([getattr(p, f.name) for p in parts]) for f in fields(kind)))
