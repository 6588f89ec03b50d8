"""One city, one policy, day after day: the compiled loop under :mod:`fairness.replay`.

The same rules as :func:`fairness.feedback.sweep_feedback`, one city at a time instead of all cities one day at a time,
and with the remedies. What happens is drawn beforehand, by :func:`draw_city`, and in one fixed order, so that every
policy meets the same incidents and the same luck.

What it cannot tell you: nothing by itself; see :mod:`fairness.replay`.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from contrechamp.domain.grid import FloatArray
from fairness.compiled import compiled
from fairness.urns import TIE

IntArray = npt.NDArray[np.int64]

#: Codes of the policies inside the compiled loop.
FOLLOW, REPORTED_ONLY, IMPORTANCE, THINNED, EXPLORE, CAP, START, TRUTH = range(8)

_TIE: Final = TIE


class City(NamedTuple):
    """What happens in one city whatever the police do, and its luck.

    Attributes
    ----------
    opens : ndarray of int64, shape (n_days + 1,)
        The incidents of day ``d`` are those from ``opens[d]`` to ``opens[d + 1]``.
    zone : ndarray of int64, shape (n_incidents,)
    mark : ndarray, shape (n_incidents,)
        Level of ``rho`` above which an incident is reported.
    luck : ndarray, shape (n_incidents,)
        Uniform draw that decides whether a find is kept, under thinning.
    dispatch, explore : ndarray, shape (n_days,)
        Uniform draws that send the patrol, and that make it explore.
    ties : ndarray of float32, shape (n_days, n_zones)
    """

    opens: IntArray
    zone: IntArray
    mark: FloatArray
    luck: FloatArray
    dispatch: FloatArray
    explore: FloatArray
    ties: npt.NDArray[np.float32]


def draw_city(
    *,
    rates: FloatArray,
    poisson: bool,
    n_days: int,
    rng: np.random.Generator,
    ties: bool = True,
    luck: bool = True,
    explore: bool = True,
) -> City:
    """Draw one city of ``len(rates)`` zones; see :class:`City`.

    ``ties``, ``luck`` and ``explore`` come from streams of their own and may be left out, as zeros, where no policy
    looks at them: what happens does not change.
    """
    dispatch = rng.random(n_days)
    if poisson:
        number = rng.poisson(rates, size=(n_days, rates.size)).ravel()
        day, zone = np.divmod(np.repeat(np.arange(number.size), number), rates.size)
        mark = rng.random(zone.size)
        opens = np.zeros(n_days + 1, dtype=np.int64)
        np.cumsum(np.bincount(day, minlength=n_days), out=opens[1:])
    else:
        opens, zone, mark = _bernoulli(rng.random((n_days, rates.size)), rates)
    # Three streams of their own, made only where one is wanted: spawning costs as much as drawing.
    others = rng.spawn(3) if luck or explore or ties else []
    return City(
        opens=opens,
        zone=zone,
        mark=mark,
        luck=others[0].random(zone.size) if luck else np.zeros(zone.size),
        dispatch=dispatch,
        explore=others[1].random(n_days) if explore else np.zeros(n_days),
        ties=others[2].random((n_days, rates.size), dtype=np.float32) if ties else np.zeros((1, 1), dtype=np.float32),
    )


@compiled
def _bernoulli(draws: FloatArray, rates: FloatArray) -> tuple[IntArray, IntArray, FloatArray]:
    """Incidents, at most one a day and zone, from one uniform draw each; shape of ``draws`` (n_days, n_zones)."""
    n_days, zones = draws.shape
    zone, mark = np.empty(draws.size + 1, dtype=np.int64), np.empty(draws.size + 1)
    opens = np.zeros(n_days + 1, dtype=np.int64)
    n = 0
    for day in range(n_days):
        for z in range(zones):
            # Written in every case and kept in some: no branch to guess wrong half of the time.
            zone[n] = z
            mark[n] = draws[day, z] / rates[z]  # below its threshold, a uniform draw is uniform again
            n += draws[day, z] < rates[z]
        opens[day + 1] = n
    return opens, zone[:n], mark[:n]


@compiled
def _capped(weight: FloatArray, cap: float, out: FloatArray) -> None:
    """Shares of ``weight``, none above ``cap``; what is cut goes to the others in proportion."""
    n = weight.size
    held = np.zeros(n, dtype=np.bool_)
    free, room = weight.sum(), 1.0
    while True:
        over = False
        for i in range(n):
            if not held[i] and weight[i] * room > cap * free:
                held[i] = True
                over = True
        if not over:
            break
        free, room = 0.0, 1.0
        for i in range(n):
            if held[i]:
                room -= cap
            else:
                free += weight[i]
        if free <= 0.0:
            break
    for i in range(n):
        out[i] = cap if held[i] else weight[i] * room / free


@compiled
def walk(
    opens: IntArray,
    zone: IntArray,
    mark: FloatArray,
    luck: FloatArray,
    dispatch: FloatArray,
    explore: FloatArray,
    ties: npt.NDArray[np.float32],
    truth: FloatArray,
    start: FloatArray,
    code: int,
    top: bool,
    strength: float,
    rho: FloatArray,
    threshold: float,
    checkpoints: IntArray,
    out: FloatArray,
    path: FloatArray,
) -> None:
    """Live ``n_days`` under one policy.

    Parameters
    ----------
    opens, zone, mark, luck, dispatch, explore, ties
        A :class:`City`.
    truth, start, rho : ndarray, shape (n_zones,)
    code, top, strength
        The policy: one of the codes above; whether it goes to the largest weight instead of drawing in proportion;
        epsilon of exploration or ceiling of the cap.
    threshold : float
        Gap of shares that counts as drift; at 1 or above it is not looked for.
    checkpoints : ndarray of int64
    out : ndarray, shape (9,)
        Filled with: recorded gap, patrol gap, believed gap, largest recorded share, drift day, incidents discovered,
        discoveries that the rule learnt from, recorded and patrol share of the first zone.
    path : ndarray, shape (n_checkpoints,)
        Filled with the recorded share of the first zone.
    """
    n_days, zones = dispatch.size, truth.size
    counts, learned, days, share = start.copy(), start.copy(), np.zeros(zones), truth.copy()
    total, believed = counts.sum(), learned.sum()
    discovered, learnt, drift = 0, 0, np.inf
    learns = code in (REPORTED_ONLY, IMPORTANCE, THINNED)
    read = 0
    while read < checkpoints.size and checkpoints[read] == 0:
        path[read] = counts[0] / total
        read += 1
    for day in range(n_days):
        # Where the patrol goes, and with what probability.
        weight = learned if learns else (start if code == START else (truth if code == TRUTH else counts))
        whole = believed if learns else (1.0 if code == TRUTH else total)
        p_there = 1.0
        if code == CAP:
            _capped(counts, strength, share)
            weight, whole = share, 1.0
        if code == START:
            whole = start.sum()
        there = 0
        if code == EXPLORE and explore[day] < strength:
            there = min(int(dispatch[day] * zones), zones - 1)
        elif top:
            best = -1.0
            for i in range(zones):
                noisy = weight[i] + 0.5 * ties[day, i]
                if noisy > best:
                    best, there = noisy, i
        else:
            point, edge = dispatch[day] * whole, weight[0]
            while edge <= point and there < zones - 1:
                there += 1
                edge += weight[there]
            p_there = weight[there] / whole
        days[there] += 1.0
        # What it brings back, what residents bring, and what the rule makes of it.
        kept_share = 1.0
        if code == THINNED:
            least = weight[0]
            for i in range(1, zones):
                least = min(least, weight[i])
            kept_share = least / weight[there]
        found, kept, filed = 0, 0, 0
        for k in range(opens[day], opens[day + 1]):
            # Sums of truth values rather than branches, which would be guessed wrong half of the time.
            z = zone[k]
            told, here = mark[k] < rho[z], z == there
            finds = here and not told
            counts[z] += told or here
            filed += told or here
            found += finds
            if learns:
                learned[z] += told
                believed += told
                kept += finds and (code != THINNED or luck[k] < kept_share)
        total += filed
        discovered += found
        if code == IMPORTANCE:
            learned[there] += found / p_there
            believed += found / p_there
            learnt += found
        elif code == THINNED:
            learned[there] += kept
            believed += kept
            learnt += kept
        elif not learns and code != START and code != TRUTH:
            learnt += found
        if drift == np.inf and threshold < 1.0:
            scale, gap = 1.0 / total, 0.0
            for i in range(zones):
                gap = max(gap, abs(counts[i] * scale - truth[i]))
            if gap > threshold + _TIE:
                drift = day + 1.0
        while read < checkpoints.size and checkpoints[read] == day + 1:
            path[read] = counts[0] / total
            read += 1
    weight = learned if learns else (start if code == START else (truth if code == TRUTH else counts))
    whole = weight.sum()
    out[:] = 0.0
    for i in range(zones):
        recorded = counts[i] / total
        out[0] = max(out[0], abs(recorded - truth[i]))
        out[1] = max(out[1], abs(days[i] / n_days - truth[i]))
        out[2] = max(out[2], abs(weight[i] / whole - truth[i]))
        out[3] = max(out[3], recorded)
    out[4], out[5], out[6] = drift, discovered, learnt
    out[7], out[8] = counts[0] / total, days[0] / n_days
