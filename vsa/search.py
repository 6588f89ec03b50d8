"""Search for somebody by what he or she looks like: who fits a description, and who looks most like a sighting.

A description is compared with what cameras read: either attribute by attribute (a filter: who fits?), or by how much
likelier the two readings are if they are of the same person than of two people (a ranking: who first?). The second
knows the laws of attributes and of errors, and is as good as a comparison of separate attributes can be.

What it cannot tell you: whether the first of the list is the person. A ranking always has a first.

References
----------
.. [1] Fellegi & Sunter (1969), "A theory for record linkage", JASA 64(328).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from contrechamp.domain.errors import bad_parameter

FloatArray = npt.NDArray[np.floating[Any]]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
Codes = npt.NDArray[np.uint8]

#: Readings no law allows are taken as this unlikely, not impossible: machines do err.
LEAST_P: Final = 1e-6
#: Combinations of values that a table may hold.
MOST_CELLS: Final = 1_024


@dataclass(frozen=True, eq=False)
class Likeness:
    """Log of how much likelier two readings are of one person than of two, attribute by attribute.

    Attributes
    ----------
    tables : tuple of ndarray
        One per column of codes, shape (values, values): description along rows, camera along columns.
    """

    tables: tuple[FloatArray, ...]

    def scores(self, queries: Codes, gallery: Codes, *, columns: Sequence[int] | None = None) -> FloatArray:
        """Sum of the tables over attributes, shape (queries, gallery).

        Parameters
        ----------
        queries, gallery : ndarray of uint8, shapes (m, d) and (n, d)
        columns : sequence of int, optional
            Attributes that count; all by default. None of them (an empty sequence): every score is 0.
        """
        used = list(range(len(self.tables)) if columns is None else columns)
        out = np.zeros((len(queries), len(gallery)), dtype=np.float32)
        for group in _groups([(c, self.tables[c].shape[1]) for c in used]):
            rows = np.zeros((len(queries), 1))
            code = np.zeros(len(gallery), dtype=np.int64)
            for column in group:
                table = self.tables[column]
                rows = (rows[:, :, None] + table[queries[:, column]][:, None, :]).reshape(len(queries), -1)
                code = code * table.shape[1] + gallery[:, column]
            out += rows.astype(np.float32)[:, code]
        return out

    def of_views(self, queries: Codes, views: Codes) -> FloatArray:
        """Scores where each query has a gallery of its own, shape (m, n).

        Parameters
        ----------
        queries, views : ndarray of uint8, shapes (m, d) and (m, n, d)
        """
        out = np.zeros(views.shape[:2], dtype=np.float32)
        for column, table in enumerate(self.tables):
            out += table.astype(np.float32)[queries[:, column, None], views[:, :, column]]
        return out


def likeness(*, laws: Sequence[FloatArray], described: Sequence[FloatArray], filmed: Sequence[FloatArray]) -> Likeness:
    r"""Likeness of a description and a camera's reading, from the laws of attributes and of both sides' errors.

    Parameters
    ----------
    laws : sequence of ndarray
        Law of each attribute among people.
    described, filmed : sequence of ndarray
        Chance of each reading (columns) for each truth (rows), by attribute: the witness's, the camera's.

    Raises
    ------
    ParameterError
        If the three do not speak of the same attributes.

    Notes
    -----
    :math:`\log\big[\sum_t p(t)\,w(a\mid t)\,c(b\mid t) \,/\, (\sum_t p(t)\,w(a\mid t) \sum_t p(t)\,c(b\mid t))\big]`:
    Fellegi and Sunter's weight.
    """
    if not len(laws) == len(described) == len(filmed):
        raise bad_parameter(
            name="laws, described, filmed", where="likeness", must="of as many attributes each",
            got=(len(laws), len(described), len(filmed)),
        )  # fmt: skip
    tables = []
    for p, w, c in zip(laws, described, filmed, strict=True):
        same = np.maximum(w.T @ (p[:, None] * c), LEAST_P)
        apart = np.maximum(np.outer(p @ w, p @ c), LEAST_P)
        tables.append(np.log(same / apart))
    return Likeness(tuple(tables))


def fits(
    queries: Codes, gallery: Codes, *, tolerance: Sequence[int], columns: Sequence[int] | None = None
) -> BoolArray:
    """Who fits a description, shape (queries, gallery).

    Parameters
    ----------
    queries, gallery : ndarray of uint8, shapes (m, d) and (n, d)
    tolerance : sequence of int, length d
        How many values off an attribute may be; 0 for attributes without an order.
    columns : sequence of int, optional
        Attributes that are asked for; all by default.

    Examples
    --------
    >>> seen = np.array([[3, 1], [4, 1], [5, 0]], dtype=np.uint8)
    >>> fits(seen[:1], seen, tolerance=(1, 0)).tolist()
    [[True, True, False]]
    """
    out = np.ones((len(queries), len(gallery)), dtype=np.bool_)
    used = list(range(queries.shape[1]) if columns is None else columns)
    sizes = {c: int(max(queries[:, c].max(initial=0), gallery[:, c].max(initial=0))) + 1 for c in used}
    for group in _groups(list(sizes.items())):
        rows = np.ones((len(queries), 1), dtype=np.bool_)
        code = np.zeros(len(gallery), dtype=np.int64)
        for column in group:
            asked = queries[:, column].astype(np.int64)[:, None]
            near = np.abs(asked - np.arange(sizes[column])) <= tolerance[column]
            rows = (rows[:, :, None] & near[:, None, :]).reshape(len(queries), -1)
            code = code * sizes[column] + gallery[:, column]
        out &= rows[:, code]
    return out


def ranks(scores: FloatArray, target: npt.ArrayLike, *, rng: np.random.Generator) -> IntArray:
    """Rank of each query's target, from 1; equal scores are put in an order drawn by chance.

    Parameters
    ----------
    scores : ndarray, shape (m, n)
    target : array-like of int, shape (m,)
        Column of the person looked for.
    rng : numpy.random.Generator

    Examples
    --------
    >>> ranks(np.array([[0.1, 0.9, 0.5]]), [2], rng=np.random.default_rng(0)).tolist()
    [2]
    """
    own = scores[np.arange(len(scores)), np.asarray(target)]
    before = (scores > own[:, None]).sum(axis=1)
    equal = (scores == own[:, None]).sum(axis=1) - 1
    return np.asarray(1 + before + np.floor(rng.random(len(scores)) * (equal + 1)), dtype=np.int64)


def link(scores: FloatArray, *, least: float) -> IntArray:
    """Whom each query is tied to: the column of the highest score if it reaches ``least``, else -1.

    Equal best scores tie nobody: the operator cannot choose.

    Parameters
    ----------
    scores : ndarray, shape (m, n)
    least : float
        Natural logarithm of a likelihood ratio. The logarithm of the number of people who may be the one asks for
        evidence that outweighs their number.
    """
    if scores.shape[1] == 0:
        return np.full(len(scores), -1, dtype=np.int64)
    best = scores.argmax(axis=1)
    top = scores[np.arange(len(scores)), best]
    alone = (scores == top[:, None]).sum(axis=1) == 1
    return np.where(alone & (top >= least), best, -1).astype(np.int64)


def _groups(sizes: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Columns put together while their combinations stay few: a gallery is then looked up once per group."""
    out: list[list[int]] = []
    cells = 0
    for column, size in sizes:
        if out and cells * size <= MOST_CELLS:
            out[-1].append(column)
            cells *= size
        else:
            out.append([column])
            cells = size
    return out
