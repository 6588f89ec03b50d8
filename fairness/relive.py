"""Many policies on cities drawn together: the draws of :mod:`fairness.feedback`, the speed of :mod:`fairness.walk`.

:func:`fairness.feedback.sweep_feedback` moves all cities one day at a time, which is plain to read and costs memory
traffic; the compiled loop lives one city at a time and is several times faster. Here a history drawn for the first is
lived by the second, so the two give the same numbers for the same draw.

What it cannot tell you: what :mod:`fairness.feedback` cannot.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray
from fairness import walk
from fairness.feedback import History
from fairness.replay import _CODES, _COLUMNS, Policy, Remedy, Replays, _policy


def relive(
    history: History,
    *,
    policies: Sequence[Policy],
    start: Sequence[float],
    drift_threshold: float = 0.2,
    checkpoints: Sequence[int] = (),
) -> Replays:
    """Live the cities of a history under each policy.

    Parameters
    ----------
    history : History
        From :func:`fairness.feedback.draw_history`. It has no draw for ``EXPLORATION`` and ``THINNED``.
    policies : sequence of Policy
    start : sequence of float, shape (n_zones,)
        Counts in the file on the first morning, all above 0.
    drift_threshold : float, default=0.2
        In (0, 1]; at 1 drift is not looked for.
    checkpoints : sequence of int, default=()
        Days, increasing, from 0 to ``n_days``.

    Returns
    -------
    Replays

    Raises
    ------
    ParameterError
        If a number is out of range or a policy cannot be lived on these draws.
    """
    n_days, zones, reps = history.incidents.shape
    chosen = tuple(_policy(policy, zones) for policy in policies)
    if not chosen or any(p.remedy in (Remedy.EXPLORATION, Remedy.THINNED) for p in chosen):
        raise bad_parameter(
            name="policies", where="relive", must="at least one, none that explores or thins", got=policies,
            remedy="fairness.replay.replay draws what these need.",
        )  # fmt: skip
    opening, days = np.asarray(start, dtype=np.float64), np.asarray(checkpoints, dtype=np.int64)
    if opening.shape != (zones,) or not bool((opening > 0).all()):
        raise bad_parameter(name="start", where="relive", must=f"{zones} numbers above 0, one per zone", got=start)
    if days.size and not (days[0] >= 0 and days[-1] <= n_days and (np.diff(days) > 0).all()):
        raise bad_parameter(name="checkpoints", where="relive", must=f"increasing days from 0 to {n_days}", got=days)
    if not 0 < drift_threshold <= 1:
        raise bad_parameter(name="drift_threshold", where="relive", must="a share in (0, 1]", got=drift_threshold)
    share = history.rates / history.rates.sum()
    rhos = [np.broadcast_to(np.asarray(p.rho, dtype=np.float64), (zones,)).copy() for p in chosen]
    out, path = np.empty((len(_COLUMNS), len(chosen), reps)), np.empty((len(chosen), reps, days.size))
    numbers = np.empty(len(_COLUMNS))
    top = any(p.top for p in chosen)
    for rep, city in enumerate(_cities(history, ties=top)):
        for k, policy in enumerate(chosen):
            walk.walk(
                *city, share, opening, _CODES[policy.remedy], policy.top, policy.strength, rhos[k], drift_threshold,
                days, numbers, path[k, rep],
            )  # fmt: skip
            out[:, k, rep] = numbers
    return Replays(
        policies=chosen, true_share=share, checkpoints=tuple(days.tolist()), path=path,
        **dict(zip(_COLUMNS, out, strict=True)),
    )  # fmt: skip


def _cities(history: History, *, ties: bool) -> list[walk.City]:
    """Cut a history into its cities; incidents of a city stay in the order of days, then zones."""
    n_days, _, reps = history.incidents.shape
    cell = np.repeat(np.arange(history.incidents.size), history.incidents.ravel())
    day, zone, rep = np.unravel_index(cell, history.incidents.shape)
    order = np.argsort(rep, kind="stable")
    day, zone, mark = day[order], zone[order].astype(np.int64), history.marks[order]
    edges = np.concatenate([[0], np.cumsum(np.bincount(rep, minlength=reps))])
    out = []
    none: FloatArray = np.zeros(0)
    for k in range(reps):
        mine = slice(int(edges[k]), int(edges[k + 1]))
        opens = np.zeros(n_days + 1, dtype=np.int64)
        np.cumsum(np.bincount(day[mine], minlength=n_days), out=opens[1:])
        out.append(
            walk.City(
                opens=opens, zone=zone[mine], mark=mark[mine], luck=none, dispatch=history.dispatch[:, k].copy(),
                explore=none,
                ties=history.ties[:, :, k].copy() if ties else np.zeros((1, 1), dtype=np.float32),
            )
        )  # fmt: skip
    return out
