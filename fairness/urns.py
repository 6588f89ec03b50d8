"""Urns: the smallest models in which looking where one has already found changes what one finds.

Drawing a colour is a patrol going to a zone; adding balls is what it brings back. These models have exact laws, so
they serve as the yardstick against which the closed loop of :mod:`fairness.feedback` is tested.

What it cannot tell you: an urn has no city. It shows that a mechanism can run away from a level start, and how
fast, under its own rules; it does not show that any police force behaved in that way.

References
----------
.. [1] Eggenberger & Pólya (1923), "Über die Statistik verketteter Vorgänge", ZAMM 3(4).
.. [2] Ensign, Friedler, Neville, Scheidegger & Venkatasubramanian (2018), "Runaway feedback loops in predictive
   policing", PMLR 81, 160-171.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import stats

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray

#: Shares that differ from a limit by less than this are on it: 14/20 - 1/2 is 0.2 on paper, not in binary.
TIE: Final = 1e-9

Matrix = Sequence[Sequence[float]] | npt.NDArray[np.floating]


def polya_urn(
    *,
    start: Sequence[float],
    additions: float | Matrix = 1.0,
    n_draws: int,
    n_reps: int,
    rng: np.random.Generator,
) -> FloatArray:
    """Final share of each colour in replicates of a generalised Pólya urn.

    Parameters
    ----------
    start : sequence of float, shape (n_colours,)
        Balls at the start, all above 0.
    additions : float or array-like, shape (n_colours, n_colours), default=1.0
        Row ``i`` is what is added when colour ``i`` is drawn. A number ``k`` means ``k`` more of the colour drawn:
        the plain Pólya urn.
    n_draws, n_reps : int
        Draws per replicate; replicates.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of float, shape (n_reps, n_colours)
        Shares after the last draw; each row sums to 1.

    Raises
    ------
    ParameterError
        If a start is not above 0, an addition is negative, or shapes do not match.

    Notes
    -----
    *Exact law.* With two colours started at ``(a, b)`` and one ball added per draw, the number of draws of the first
    colour among ``n`` is beta-binomial(n, a, b), and its share tends to Beta(a, b). With ``k`` balls per draw, replace
    ``(a, b)`` by ``(a/k, b/k)``; with more colours, Beta by Dirichlet.

    Examples
    --------
    >>> from contrechamp.domain.rng import stream
    >>> share = polya_urn(start=(1, 1), n_draws=2_000, n_reps=4_000, rng=stream(1, "urn"))[:, 0]
    >>> bool(abs(share.var() - 1 / 12) < 0.01)  # Beta(1, 1) is uniform
    True
    """
    where = "polya_urn"
    balls = np.asarray(start, dtype=np.float64)
    if balls.ndim != 1 or balls.size < 2 or not bool((balls > 0).all()):
        raise bad_parameter(name="start", where=where, must="two or more numbers above 0", got=start)
    colours = balls.size
    added = np.asarray(additions, dtype=np.float64)
    added = np.eye(colours) * added if added.ndim == 0 else added
    if added.shape != (colours, colours) or not bool((added >= 0).all()):
        raise bad_parameter(
            name="additions",
            where=where,
            must=f"a number or a {colours} × {colours} table of at least 0",
            got=additions,
        )
    if n_draws < 0 or n_reps < 0:
        raise bad_parameter(name="n_draws, n_reps", where=where, must="at least 0", got=(n_draws, n_reps))
    urns = np.tile(balls, (n_reps, 1))
    for _ in range(n_draws):
        edges = urns.cumsum(axis=1)
        point = rng.random(n_reps) * edges[:, -1]
        drawn = np.minimum((edges <= point[:, None]).sum(axis=1), colours - 1)
        urns += added[drawn]
    return np.asarray(urns / urns.sum(axis=1, keepdims=True), dtype=np.float64)


def p_share_beyond(
    *, start: tuple[float, float], n_draws: int, tolerance: float, p_addition: float = 1.0, centre: float = 0.5
) -> float:
    """Exact chance that the first colour's share ends further than ``tolerance`` from ``centre``, in a plain urn.

    Parameters
    ----------
    start : tuple of two floats
        Balls at the start, above 0.
    n_draws : int
        Draws; one ball of the colour drawn is added with probability ``p_addition``.
    tolerance : float
        In (0, 1); the inequality is strict.
    p_addition : float, default=1.0
        Below 1, the number of additions is binomial and the law a binomial mixture of beta-binomials. That is the
        proportional rule with equal zones, nothing reported and at most one incident a day.
    centre : float, default=0.5

    Returns
    -------
    float

    Raises
    ------
    ParameterError
        If a number is out of range.

    Examples
    --------
    From ten and ten, even after a thousand days, about one level city in seventeen ends more than 20 points off:

    >>> round(p_share_beyond(start=(10, 10), n_draws=1_000, p_addition=0.5, tolerance=0.2), 4)
    0.0593
    """
    where = "p_share_beyond"
    a, b = start
    if not (a > 0 and b > 0):
        raise bad_parameter(name="start", where=where, must="two numbers above 0", got=start)
    if n_draws < 0:
        raise bad_parameter(name="n_draws", where=where, must="at least 0", got=n_draws)
    for name, value in (("tolerance", tolerance), ("p_addition", p_addition), ("centre", centre)):
        if not 0 <= value <= 1:
            raise bad_parameter(name=name, where=where, must="a share in [0, 1]", got=value)
    totals = np.arange(n_draws + 1)
    weights = stats.binom.pmf(totals, n_draws, p_addition)
    chance = 0.0
    for n in totals[weights > 1e-15]:
        drawn = np.arange(n + 1)
        beyond = np.abs((a + drawn) / (a + b + n) - centre) > tolerance + TIE
        chance += float(weights[n]) * float(stats.betabinom.pmf(drawn[beyond], n, a, b).sum())
    return chance


def limit_share(*, discovered: Sequence[float], reported: Sequence[float]) -> float:
    """Limit of the first zone's share when patrols follow all records, found or reported.

    Parameters
    ----------
    discovered : sequence of two floats
        Records a day that a patrol brings back from each zone when it is there.
    reported : sequence of two floats
        Records a day that residents bring from each zone, patrol or not.

    Returns
    -------
    float
        Limit of the recorded share (and of the patrol share) of the first zone. NaN-free: when the limit is random
        (nothing reported and equal finds) there is no such number and an error says so.

    Raises
    ------
    ParameterError
        If a rate is negative or not finite, or if the limit is not a single number.

    Notes
    -----
    With the patrol in the first zone a share *x* of the days, that zone gains ``r1 + x d1`` records a day and the other
    ``r2 + (1 - x) d2``. A stationary share solves ``(d2 - d1) x² + (d1 - r1 - d2 - r2) x + r1 = 0``, the stable root
    in [0, 1].

    *Degenerate cases.* Nothing reported, unequal finds: the better-found zone takes everything, whatever the start.

    Examples
    --------
    >>> round(limit_share(discovered=(2, 1), reported=(2, 1)), 4)  # sqrt(3) - 1, though the truth is 2/3
    0.7321
    >>> round(limit_share(discovered=(1, 1), reported=(0.5, 0.1)), 4)  # equal finds, unequal voices
    0.8333
    """
    where = "limit_share"
    for name, pair in (("discovered", discovered), ("reported", reported)):
        if len(pair) != 2 or not all(math.isfinite(v) and v >= 0 for v in pair):
            raise bad_parameter(name=name, where=where, must="two finite numbers of at least 0", got=pair)
    (d1, d2), (r1, r2) = discovered, reported
    if r1 == r2 == 0:
        if d1 == d2:
            raise bad_parameter(
                name="discovered",
                where=where,
                must="unequal when nothing is reported",
                got=discovered,
                remedy="With equal finds and no report the limit is random: its law is a Beta (see polya_urn).",
            )
        return 1.0 if d1 > d2 else 0.0
    square, linear = d2 - d1, d1 - r1 - d2 - r2
    if square == 0:
        return r1 / (r1 + r2)
    # The drift is r1 >= 0 at x = 0 and -r2 <= 0 at x = 1. Its stable root is the one where it falls.
    root = math.sqrt(linear * linear - 4 * square * r1)
    return min(max((-linear - root) / (2 * square), 0.0), 1.0)
