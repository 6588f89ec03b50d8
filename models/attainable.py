r"""What a patrol could have captured with hindsight, once it may not be everywhere: the denominators of PEI*.

PEI divides what a map captured by the most that *any* cells of the same number held that day. No patrol could flag that
set: it changes every day, cell by cell, and is known only afterwards. White, Hunt and Green (2023) argue for dividing
by a maximum that could be reached on the ground and call the result PEI*.

The article's formula could not be read in full text. What is here is **our reading** of its abstract: the same ratio,
with the hindsight set held to a stated constraint. :data:`CONSTRAINTS` names the ones there are, and another can be put
in their place.

- ``static``: one set of ``k`` cells for the whole period, the best in hindsight. It is what a map that never changes
  could reach at most.
- ``blocks``: the best sets of each day made of whole squares of 2 × 2 cells, on one fixed tiling: a patrol is given
  places that hold together. Squares cut by the shore count for the cells they have; the last one may go over ``k``.

What it cannot tell you: what any patrol could do. Both sets know the future. Under ``static`` a map that follows the
days can pass 1, and that is no error: it did better than the best map that does not move.

References
----------
.. [1] White, Hunt & Green (2023), "A discussion of current crime forecasting indices and an improvement to the
   prediction efficiency index for applications", Security Journal. Read in abstract only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import Grid, IntArray

#: Side, in cells, of the squares of ``blocks``.
BLOCK_CELLS: Final = 2

Attainable = Callable[[npt.NDArray[Any], int, Grid], IntArray]


def attainable(counts: npt.ArrayLike, *, k: int, grid: Grid, constraint: str = "static") -> IntArray:
    """Events of each day that the best set of about ``k`` cells under ``constraint`` holds, shape (n_days,).

    Parameters
    ----------
    counts : array-like of int, shape (n_days, n_cells)
    k : int
        Cells flagged.
    grid : Grid
    constraint : str, default="static"
        Key of :data:`CONSTRAINTS`.

    Raises
    ------
    ParameterError
        For another constraint, or ``k`` out of ``[1, n_cells]``.
    """
    y = np.atleast_2d(np.asarray(counts))
    if constraint not in CONSTRAINTS:
        raise bad_parameter(
            name="constraint", where="attainable", must=f"one of {', '.join(CONSTRAINTS)}", got=constraint
        )
    if not 1 <= k <= y.shape[1]:
        raise bad_parameter(name="k", where="attainable", must=f"a number of cells in [1, {y.shape[1]}]", got=k)
    return CONSTRAINTS[constraint](y, k, grid)


def best_static(counts: npt.NDArray[Any], k: int, grid: Grid) -> IntArray:
    """Events of each day in the ``k`` cells that hold most over all the days; equal cells by their number."""
    chosen = np.argsort(-counts.sum(axis=0, dtype=np.int64), kind="stable")[:k]
    return np.asarray(counts[:, chosen].sum(axis=1), dtype=np.int64)


def best_blocks(counts: npt.NDArray[Any], k: int, grid: Grid) -> IntArray:
    """Events of each day in the squares that hold most that day, taken until they have ``k`` cells or more."""
    rows, cols = np.nonzero(grid.land)
    across = -(-grid.shape[1] // BLOCK_CELLS)
    _, block = np.unique((rows // BLOCK_CELLS) * across + cols // BLOCK_CELLS, return_inverse=True)
    size = np.bincount(block)
    order = np.argsort(block, kind="stable")
    starts = np.concatenate([[0], np.cumsum(size)[:-1]])
    held = np.add.reduceat(counts[:, order].astype(np.int64), starts, axis=1)
    best = np.argsort(-held, axis=1, kind="stable")
    taken = np.cumsum(size[best], axis=1)
    keep = taken - size[best] < k
    return np.asarray((np.take_along_axis(held, best, axis=1) * keep).sum(axis=1), dtype=np.int64)


CONSTRAINTS: Final[Mapping[str, Attainable]] = {"static": best_static, "blocks": best_blocks}
