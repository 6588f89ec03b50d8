"""Remedies to the loop side by side: what each repairs, and what each costs.

A remedy is easy to praise on the number it was made for. Here every one is played on the same cities, the same
residents and the same luck, and all are read on the same table: how far patrols and the file end from the truth, how
many incidents are found or not found, how much of what is found is thrown away.

What it cannot tell you: what an incident found is worth, and to whom. « Discoveries lost » counts incidents that a
patrol on the spot would have seen, nothing more: no deterrence, no displacement, no harm done by the patrol itself. A
remedy that finds less may be the better one.

References
----------
.. [1] Ensign, Friedler, Neville, Scheidegger & Venkatasubramanian (2018), "Runaway feedback loops in predictive
   policing", PMLR 81, 160-171.
.. [2] Elzayn et al. (2019), "Fair algorithms for learning in allocation problems", FAT* 2019, 170-179.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray
from contrechamp.domain.intervals import Interval
from fairness.feedback import Arrivals
from fairness.intervals import mean_interval, rate_interval
from fairness.replay import CHUNK, Policy, Remedy, Replays, replay
from fairness.urns import TIE

#: Columns of the table, beside ``remedy``: each comes with ``_low`` and ``_high``.
COLUMNS: Final = (
    "patrol_gap",
    "patrol_gap_change",
    "recorded_gap",
    "believed_gap",
    "p_file_off",
    "found_per_1000_days",
    "found_lost_per_1000_days",
    "unused_finds",
)


def usual_remedies(*, n_zones: int, rho: float | tuple[float, ...] = 0.0) -> tuple[Policy, ...]:
    """Return the policies that :func:`compare_remedies` compares by default: no remedy first.

    Parameters
    ----------
    n_zones : int
        At least 2. The cap is set at half as much again as an equal share.
    rho : float or tuple of float, default=0.0
        Probability that residents report an incident.

    Raises
    ------
    ParameterError
        If there are fewer than two zones.
    """
    if n_zones < 2:
        raise bad_parameter(name="n_zones", where="usual_remedies", must="at least 2", got=n_zones)
    return (
        Policy(rho=rho),
        Policy(Remedy.REPORTED_ONLY, rho=rho),
        Policy(Remedy.IMPORTANCE_WEIGHTED, rho=rho),
        Policy(Remedy.THINNED, rho=rho),
        Policy(Remedy.EXPLORATION, strength=0.1, rho=rho),
        Policy(Remedy.EXPLORATION, strength=0.5, rho=rho),
        Policy(Remedy.CAPPED, strength=1.5 / n_zones, rho=rho),
        Policy(Remedy.FIXED, rho=rho),
        Policy(Remedy.TRUTH, rho=rho),
        Policy(top=True, rho=rho),
        Policy(Remedy.REPORTED_ONLY, top=True, rho=rho),
        Policy(Remedy.EXPLORATION, top=True, strength=0.1, rho=rho),
    )


def compare_remedies(
    *,
    rates: Sequence[float],
    start: Sequence[float],
    n_days: int,
    n_reps: int,
    rng: np.random.Generator,
    rho: float | tuple[float, ...] = 0.0,
    policies: Sequence[Policy] | None = None,
    arrivals: Arrivals = Arrivals.BERNOULLI,
    tolerance: float = 0.2,
    jobs: int = 1,
    chunk: int = CHUNK,
    dask: str | None = None,
) -> pd.DataFrame:
    """Play every remedy on the same cities and tabulate what it repairs and what it costs.

    Parameters
    ----------
    rates, start, n_days, n_reps, rng, arrivals, jobs, chunk, dask
        As :func:`fairness.replay.replay`. At least two replicates.
    rho : float or tuple of float, default=0.0
        Probability that residents report an incident; not used when ``policies`` are given.
    policies : sequence of Policy, optional
        The first is what the others are compared with; default: :func:`usual_remedies`.
    tolerance : float, default=0.2
        Gap of shares beyond which a file is counted as off, in (0, 1).

    Returns
    -------
    pandas.DataFrame
        One row per policy, in order; see :func:`cost_table`.

    Raises
    ------
    ParameterError
        If a number is out of range.
    """
    if n_reps < 2:
        raise bad_parameter(name="n_reps", where="compare_remedies", must="at least 2", got=n_reps)
    chosen = usual_remedies(n_zones=len(rates), rho=rho) if policies is None else tuple(policies)
    runs = replay(
        rates=rates,
        start=start,
        policies=chosen,
        n_days=n_days,
        n_reps=n_reps,
        rng=rng,
        arrivals=arrivals,
        drift_threshold=1.0,
        jobs=jobs,
        chunk=chunk,
        dask=dask,
    )
    return cost_table(runs, n_days=n_days, tolerance=tolerance)


def cost_table(runs: Replays, *, n_days: int, tolerance: float = 0.2) -> pd.DataFrame:
    """Tabulate replays of several policies, the first being the reference.

    Parameters
    ----------
    runs : Replays
    n_days : int
        Horizon of the replays.
    tolerance : float, default=0.2
        Gap of shares beyond which a file is counted as off.

    Returns
    -------
    pandas.DataFrame
        One row per policy. ``patrol_gap``, ``recorded_gap``, ``believed_gap``: mean over cities of the largest gap,
        over zones, between the true share and that of the patrol's days, of the file, of what the rule believes.
        ``patrol_gap_change``: difference to the first policy, city by city. ``p_file_off``: share of cities whose file
        ends beyond ``tolerance``. ``found_per_1000_days``: incidents found by patrols; ``found_lost_per_1000_days``:
        how many fewer than under the first policy, city by city. ``unused_finds``: share of finds that the rule does
        not learn from. Each with ``_low`` and ``_high`` (95 %; Student's t on cities, or the default interval of a
        rate); NaN where the data cannot give one, as when two policies end the same in every city.

    Raises
    ------
    ParameterError
        If ``tolerance`` or ``n_days`` is out of range.
    """
    if not 0 < tolerance < 1 or n_days < 1:
        must = "a share in (0, 1), and at least one day"
        raise bad_parameter(name="tolerance, n_days", where="cost_table", must=must, got=(tolerance, n_days))
    per_day = 1_000 / n_days
    rows = []
    for k, policy in enumerate(runs.policies):
        found = runs.discovered[k]
        cells = {
            "patrol_gap": _mean(runs.patrol_error[k]),
            "patrol_gap_change": _mean(runs.patrol_error[k] - runs.patrol_error[0]),
            "recorded_gap": _mean(runs.recorded_error[k]),
            "believed_gap": _mean(runs.believed_error[k]),
            "p_file_off": _rate(runs.recorded_error[k] > tolerance + TIE),
            "found_per_1000_days": _mean(found * per_day),
            "found_lost_per_1000_days": _mean((runs.discovered[0] - found) * per_day),
            "unused_finds": _mean(np.where(found > 0, 1 - runs.learnt[k] / np.maximum(found, 1), 0.0)),
        }
        row: dict[str, object] = {"remedy": policy.label, "n": found.size}
        for name, interval in cells.items():
            row |= {name: interval.estimate, f"{name}_low": interval.low, f"{name}_high": interval.high}
        rows.append(row)
    numbers = [f"{name}{end}" for name in COLUMNS for end in ("", "_low", "_high")]
    table = pd.DataFrame(rows).astype(dict.fromkeys(numbers, "float64"))
    return table[["remedy", "n", *numbers]]


def _mean(values: FloatArray) -> Interval:
    """Mean over cities; a constant is a fact about these cities without an interval, not something unknown."""
    if float(np.ptp(values)) == 0.0:
        return Interval.exact(float(values[0]), n=int(values.size), method="identical-runs")
    return mean_interval(values)


def _rate(hit: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Interval:
    return rate_interval(events=int(hit.sum()), trials=int(hit.size))
