r"""Which factors a fitted model leans on, and which way: permutation importance, Shapley effects, dependence slopes.

These are the numbers a vendor shows under the name of « facteurs propices ». They need no more of a model than a
function from rows of factors to expected events, so that every model is questioned in the same way. The same arithmetic
shares the score of a set of data streams between its members.

What it cannot tell you: why events happen. An importance says what the *model* uses; a factor that only makes events
recorded, or that goes with a cause nobody measured, scores as high as a cause.

Notes
-----
*Permutation importance* of a column: what the Poisson log score loses, in nats per event, when the column's values are
dealt out again among the rows at random.

*Shapley effects* (interventional). The value of a set :math:`S` of columns at row :math:`x` is the mean of
:math:`f(x_S, b_{\bar S})` over background rows :math:`b`; the effect of column :math:`j` is

.. math:: \phi_j = \sum_{S \not\ni j} \frac{|S|!\,(p-|S|-1)!}{p!}\,\bigl[v(S \cup j) - v(S)\bigr].

Effects sum to :math:`f(x)` less the mean of :math:`f` over the background. For :math:`f(x) = a + \sum_j b_j x_j` they
are :math:`b_j (x_j - \bar b_j)`.

References
----------
.. [1] Breiman (2001), "Random forests", Machine Learning 45, 5-32. doi:10.1023/A:1010933404324 (permutation).
.. [2] Shapley (1953), "A value for n-person games", Contributions to the Theory of Games II, 307-317.
.. [3] Lundberg & Lee (2017), "A unified approach to interpreting model predictions", NeurIPS 30.
.. [4] Janzing, Minorics & Blöbaum (2020), "Feature relevance quantification in explainable AI: a causal problem",
   AISTATS (interventional value).
.. [5] Castro, Gómez & Tejada (2009), "Polynomial calculation of the Shapley value based on sampling",
   Comput. Oper. Res. 36(5). doi:10.1016/j.cor.2008.04.004
"""

from __future__ import annotations

from collections.abc import Callable
from math import factorial
from typing import Final

import numpy as np
import numpy.typing as npt

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray

#: Rows of factors in, one number per row out: expected events, or their logarithm.
Function = Callable[[FloatArray], FloatArray]

#: Beyond this many columns, Shapley effects are sampled rather than enumerated.
MAX_EXACT: Final = 10
#: Expected events below this count as this in a log score: a single zero would cost infinity.
FLOOR: Final = 1e-12
_ROWS_AT_ONCE: Final = 1 << 18


def permutation_importance(
    rate: Function, design: FloatArray, counts: npt.ArrayLike, *, rng: np.random.Generator,
    exposure: npt.ArrayLike | None = None, repeats: int = 10,
) -> FloatArray:  # fmt: skip
    """What the log score loses when each column is shuffled, in nats per event.

    Parameters
    ----------
    rate : callable
        Expected events of rows of ``design`` per unit of exposure.
    design : ndarray, shape (n, p)
        Rows the model has not learned from, where the importance is to speak of prediction.
    counts : array-like, shape (n,)
    rng : numpy.random.Generator
    exposure : array-like, shape (n,), optional
        Ones where left out.
    repeats : int, default=10

    Returns
    -------
    ndarray, shape (p, repeats)
        Below 0 where the shuffled column happens to do better. Zeros without any event.
    """
    y = np.asarray(counts, dtype=np.float64)
    e = np.ones(len(design)) if exposure is None else np.asarray(exposure, dtype=np.float64)
    if y.shape != (len(design),) or e.shape != y.shape:
        raise bad_parameter(
            name="counts, exposure", where="permutation_importance", must=f"of shape ({len(design)},)",
            got=(y.shape, e.shape),
        )  # fmt: skip
    if repeats < 1:
        raise bad_parameter(name="repeats", where="permutation_importance", must="at least 1", got=repeats)
    n, p = design.shape
    total = float(y.sum())
    lost = np.zeros((p, repeats))
    if total == 0:
        return lost
    whole = _score(rate(design), y, e)
    for column in range(p):
        shuffled = np.tile(design, (repeats, 1))
        order = np.concatenate([rng.permutation(n) for _ in range(repeats)])
        shuffled[:, column] = design[order, column]
        rates = rate(shuffled).reshape(repeats, n)
        lost[column] = [(whole - _score(r, y, e)) / total for r in rates]
    return lost


def shapley(values: npt.ArrayLike) -> FloatArray:
    """Share the value of the whole between its members: exact Shapley values of a game.

    Parameters
    ----------
    values : array-like, shape (2**p, ...)
        Value of every set of members; bit ``j`` of the index says whether member ``j`` is in. Further axes are
        further games.

    Returns
    -------
    ndarray, shape (p, ...)
        They sum to the value of the whole less that of nobody.

    Raises
    ------
    ParameterError
        If the number of values is not a power of 2.

    Examples
    --------
    >>> shapley([0.0, 1.0, 2.0, 5.0]).tolist()  # 1 alone, 2 alone, 5 together
    [2.0, 3.0]
    """
    game = np.asarray(values, dtype=np.float64)
    p = len(game).bit_length() - 1 if game.ndim else -1
    if p < 0 or len(game) != 1 << p:
        raise bad_parameter(name="values", where="shapley", must="2**p values, one per subset", got=game.shape)
    sets = np.arange(1 << p)
    size = np.bitwise_count(sets)
    weight = np.array([factorial(s) * factorial(p - s - 1) / factorial(p) for s in range(p)])
    shares = np.empty((p, *game.shape[1:]))
    for member in range(p):
        without = sets[(sets >> member) & 1 == 0]
        shares[member] = np.tensordot(weight[size[without]], game[without | (1 << member)] - game[without], axes=1)
    return shares


def shapley_effects(
    function: Function, design: FloatArray, *, background: FloatArray, rng: np.random.Generator | None = None,
    orders: int | None = None,
) -> FloatArray:  # fmt: skip
    """Interventional Shapley effects of every column on every row.

    Parameters
    ----------
    function : callable
        On the log scale, effects of a multiplicative model are those of its logarithm.
    design : ndarray, shape (n, p)
        Rows explained.
    background : ndarray, shape (m, p)
        Rows that stand for "column unknown".
    rng : numpy.random.Generator, optional
        Needed where effects are sampled.
    orders : int, optional
        Sample that many pairs of an order of the columns and its reverse, per row and background row. Where left out,
        all subsets are enumerated up to :data:`MAX_EXACT` columns, and 4 pairs sampled beyond.

    Returns
    -------
    ndarray, shape (n, p)
        Each row sums to the function of the row less its mean over the background, sampled or not.

    Raises
    ------
    ParameterError
        If the background is empty or of another width, or sampling is needed without ``rng``.
    """
    where = "shapley_effects"
    if background.ndim != 2 or len(background) == 0 or background.shape[1] != design.shape[1]:
        raise bad_parameter(
            name="background", where=where, must=f"an array of shape (m > 0, {design.shape[1]})", got=background.shape
        )
    if len(design) == 0:
        return np.zeros(design.shape)
    if orders is None and design.shape[1] <= MAX_EXACT:
        return shapley(coalition_values(function, design, background=background)).T
    if rng is None:
        raise bad_parameter(name="rng", where=where, must="given where effects are sampled", got=None)
    pairs = 4 if orders is None else orders
    if pairs < 1:
        raise bad_parameter(name="orders", where=where, must="at least 1", got=orders)
    return _sampled(function, design, background, pairs, rng)


def coalition_values(function: Function, design: FloatArray, *, background: FloatArray) -> FloatArray:
    """Mean of the function over background rows whose columns of each subset are those of each row.

    Returns
    -------
    ndarray, shape (2**p, n)
        Indexed like :func:`shapley`.
    """
    (n, p), m = design.shape, len(background)
    known = (np.arange(1 << p)[:, None] >> np.arange(p)) & 1 == 1  # (2**p, p)
    values = np.empty((1 << p, n))
    step = max(1, _ROWS_AT_ONCE // (n * m))
    for first in range(0, 1 << p, step):
        mask = known[first : first + step, None, None, :]
        rows = np.where(mask, design[None, :, None, :], background[None, None, :, :])
        values[first : first + step] = function(rows.reshape(-1, p)).reshape(-1, n, m).mean(axis=2)
    return values


def effect_directions(design: FloatArray, effects: FloatArray) -> FloatArray:
    """Slope of each column's effects on the column, by least squares; 0 for a column that never varies.

    Parameters
    ----------
    design, effects : ndarray, shape (n, p)

    Returns
    -------
    ndarray, shape (p,)
        Its sign is the direction in which the model takes the factor.
    """
    centred = design - design.mean(axis=0)
    spread = (centred**2).sum(axis=0)
    return np.asarray(np.divide((centred * effects).sum(axis=0), spread, out=np.zeros(len(spread)), where=spread > 0))


def partial_dependence(function: Function, design: FloatArray, *, column: int, at: npt.ArrayLike) -> FloatArray:
    """Mean of the function over all rows with one column set to each value of ``at``, shape (len(at),)."""
    levels = np.asarray(at, dtype=np.float64)
    rows = np.tile(design, (len(levels), 1))
    rows[:, column] = np.repeat(levels, len(design))
    return np.asarray(function(rows).reshape(len(levels), len(design)).mean(axis=1))


def dependence_slopes(function: Function, design: FloatArray, *, n_levels: int = 9) -> FloatArray:
    """Slope of each column's partial dependence, by least squares over equally likely levels of the column.

    Parameters
    ----------
    function : callable
    design : ndarray, shape (n, p)
    n_levels : int, default=9
        Quantiles of the column the dependence is worked out at, the middles of as many equal shares.

    Returns
    -------
    ndarray, shape (p,)
        0 for a column that never varies.
    """
    shares = (np.arange(n_levels) + 0.5) / n_levels
    slopes = np.zeros(design.shape[1])
    for column in range(design.shape[1]):
        at = np.quantile(design[:, column], shares)
        centred = at - at.mean()
        spread = float(centred @ centred)
        if spread > 0:
            slopes[column] = centred @ partial_dependence(function, design, column=column, at=at) / spread
    return slopes


def _sampled(
    function: Function, design: FloatArray, background: FloatArray, pairs: int, rng: np.random.Generator
) -> FloatArray:  # fmt: skip
    """Mean marginal contribution over random orders, each taken both ways, every background row as often."""
    (n, p), m = design.shape, len(background)
    effects = np.zeros((n, p))
    step = max(1, _ROWS_AT_ONCE // (n * (p + 1)))
    for others in (background[first : first + step] for _ in range(pairs) for first in range(0, m, step)):
        forward = rng.permuted(np.tile(np.arange(p), (len(others), n, 1)), axis=2)
        for order in (forward, forward[:, :, ::-1]):
            rank = np.argsort(order, axis=2)
            joined = rank[None] < np.arange(p + 1)[:, None, None, None]  # (p + 1, some of m, n, p)
            walk = np.where(joined, design[None, None], others[None, :, None, :])
            gained = np.diff(function(walk.reshape(-1, p)).reshape(p + 1, len(others), n), axis=0)
            effects += np.take_along_axis(gained, rank.transpose(2, 0, 1), axis=0).sum(axis=1).T
    return effects / (2 * pairs * m)


def _score(rates: FloatArray, y: FloatArray, exposure: FloatArray) -> float:
    """Poisson log score of the rows together, but for terms that no forecast changes."""
    return float(y @ np.log(np.maximum(rates, FLOOR)) - exposure @ rates)
