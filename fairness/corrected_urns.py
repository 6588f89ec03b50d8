"""Two-zone urns with what Ensign et al. add to them: chance in what is found, forgetting, reports, and corrections.

An urn is the smallest loop: drawing a colour is sending the patrol, adding balls is what it brings back. The
corrections change what is *added*, never where the patrol goes: a police that keeps its allocation rule can still stop
its file from running away.

What it cannot tell you: how a correction behaves with more zones, several patrols or changing rates; see
:mod:`fairness.remedies` for the first of these.

References
----------
.. [1] Ensign, Friedler, Neville, Scheidegger & Venkatasubramanian (2018), "Runaway feedback loops in predictive
   policing", PMLR 81, 160-171.
.. [2] Horvitz & Thompson (1952), "A generalization of sampling without replacement from a finite universe", JASA 47.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray


class Correction(Enum):
    """What is done to finds before they enter the urn.

    ``NONE`` adds them as they are.
    ``REJECTION`` adds a day's finds with probability ``min(share) / share`` of the zone visited, else nothing.
    ``IMPORTANCE`` adds ``found / share`` of the zone visited: on average its rate, whether or not it is visited often.
    """

    NONE = "none"
    REJECTION = "rejection"
    IMPORTANCE = "importance"


@dataclass(frozen=True, slots=True)
class UrnPaths:
    """Urns through time.

    Attributes
    ----------
    checkpoints : tuple of int
        Numbers of draws after which ``share`` is read.
    share : ndarray, shape (n_reps, n_checkpoints)
        Share of the first zone.
    weighted_rate : ndarray, shape (n_reps, 2)
        Mean over draws of finds counted ``1 / share`` of the zone visited: the inverse-probability estimate of the two
        rates, whatever correction the urn itself follows.
    kept : ndarray, shape (n_reps,)
        Share of the draws whose finds entered the urn.
    """

    checkpoints: tuple[int, ...]
    share: FloatArray
    weighted_rate: FloatArray
    kept: FloatArray


def corrected_urn(
    *,
    start: Sequence[float],
    rates: Sequence[float],
    n_draws: int,
    n_reps: int,
    rng: np.random.Generator,
    reported: Sequence[float] = (0.0, 0.0),
    correction: Correction = Correction.NONE,
    poisson: bool = False,
    decay: float = 0.0,
    checkpoints: Sequence[int] = (),
) -> UrnPaths:
    """Simulate replicates of a two-zone urn.

    Parameters
    ----------
    start : sequence of two floats
        Balls at the start, above 0.
    rates : sequence of two floats
        Found by a visit in each zone, at least 0.
    n_draws, n_reps : int
        At least 1.
    rng : numpy.random.Generator
        The patrol's draws, the finds, the rejections and the forgetting come from four streams spawned from it: urns
        that differ by their correction meet the same luck.
    reported : sequence of two floats, default=(0, 0)
        Added to each zone at every draw, wherever the patrol is, whatever the correction.
    correction : Correction, default=Correction.NONE
    poisson : bool, default=False
        True: finds and reports are Poisson with these means. False: they are these numbers.
    decay : float, default=0.0
        Chance that each whole ball is forgotten after a draw, in [0, 1); a zone never falls under one ball.
    checkpoints : sequence of int, default=()
        Increasing, from 0 to ``n_draws``; the last draw when empty.

    Returns
    -------
    UrnPaths

    Raises
    ------
    ParameterError
        If a number is out of range.
    """
    where = "corrected_urn"
    balls = np.asarray(start, dtype=np.float64)
    if balls.shape != (2,) or not bool((np.isfinite(balls) & (balls > 0)).all()):
        raise bad_parameter(name="start", where=where, must="two finite numbers above 0", got=start)
    for name, pair in (("rates", rates), ("reported", reported)):
        if len(pair) != 2 or not all(math.isfinite(v) and v >= 0 for v in pair):
            raise bad_parameter(name=name, where=where, must="two finite numbers of at least 0", got=pair)
    if n_draws < 1 or n_reps < 1:
        raise bad_parameter(name="n_draws, n_reps", where=where, must="at least 1", got=(n_draws, n_reps))
    if not 0 <= decay < 1:
        raise bad_parameter(name="decay", where=where, must="a probability in [0, 1)", got=decay)
    read = tuple(int(c) for c in checkpoints) or (n_draws,)
    if read != tuple(sorted(set(read))) or not 0 <= read[0] <= read[-1] <= n_draws:
        must = f"increasing, from 0 to {n_draws}"
        raise bad_parameter(name="checkpoints", where=where, must=must, got=checkpoints)

    patrols, finds, rejections, forgetting = rng.spawn(4)
    mean, told = np.asarray(rates, dtype=np.float64), np.asarray(reported, dtype=np.float64)
    urns = np.tile(balls, (n_reps, 1))
    rows = np.arange(n_reps)
    weighted, kept = np.zeros((n_reps, 2)), np.zeros(n_reps)
    share = np.empty((n_reps, len(read)))
    for draw in range(n_draws + 1):
        if draw in read:
            share[:, read.index(draw)] = urns[:, 0] / urns.sum(axis=1)
        if draw == n_draws:
            break
        chance = urns / urns.sum(axis=1, keepdims=True)
        there = (patrols.random(n_reps) >= chance[:, 0]).astype(np.int64)
        p_there = chance[rows, there]
        luck = rejections.random(n_reps)
        # Both zones are drawn, so that what would have been found does not depend on where the patrol went.
        could = (
            finds.poisson(mean, size=(n_reps, 2)).astype(np.float64) if poisson else np.broadcast_to(mean, (n_reps, 2))
        )
        came = finds.poisson(told, size=(n_reps, 2)) if poisson else told
        found = could[rows, there]
        weighted[rows, there] += found / p_there
        enters = luck < chance.min(axis=1) / p_there if correction is Correction.REJECTION else np.ones(n_reps, bool)
        kept += enters
        urns = urns + came
        urns[rows, there] += found / p_there if correction is Correction.IMPORTANCE else found * enters
        if decay:
            lost = forgetting.binomial(np.floor(urns).astype(np.int64), decay)
            urns = np.maximum(urns - lost, 1.0)
    return UrnPaths(read, share, weighted / n_draws, kept / n_draws)
