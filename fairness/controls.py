"""Everything an audit would look for between two areas, each look a test of its own, for cities where nothing is there.

An audit that finds something everywhere finds nothing anywhere. Before it speaks of a city, its looks are turned on
cities drawn without any difference, where each may speak at its nominal rate and no more, and on cities where a
difference was planted, where they should. Every p-value here is exact under its null: Fisher's test, or a draw from the
law of the null (random assignment of cells to areas, of records to incidents, of records to cells), counted with the
observed value among the draws.

What it cannot tell you: a look that is silent on these cities may still speak where days follow each other or cells
resemble their neighbours, which is what :mod:`fairness.serial` and :mod:`fairness.clusters` are for.

References
----------
.. [1] Phipson & Smyth (2010), "Permutation p-values should never be zero", Stat. Appl. Genet. Mol. Biol. 9(1),
   doi:10.2202/1544-6115.1585.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import stats

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray, IntArray
from fairness.concentration import gini

#: The looks, in order: what each compares, between area B and the rest unless said.
LOOKS: Final[dict[str, str]] = {
    "incidents": "incidents per cell",
    "records": "records per cell",
    "record_rate": "share of incidents that are recorded",
    "risk_ratio": "risk that the map announces",
    "hours": "patrol-hours",
    "false_alerts": "share of quiet cell-days that are flagged",
    "apparent_success": "share recorded, in flagged cells and elsewhere",
    "drift": "share of records, in the first half of the days and in the second",
    "gini_excess": "concentration of records over cells, all areas together",
    "worst_sector": "share of incidents recorded, the sector furthest off, all areas together",
}


def look_everywhere(
    happened: npt.ArrayLike,
    recorded: npt.ArrayLike,
    *,
    expected: FloatArray,
    hours: FloatArray,
    flagged: npt.NDArray[np.bool_],
    area: npt.NDArray[np.bool_],
    sectors: IntArray,
    rng: np.random.Generator,
    n_draws: int = 199,
) -> dict[str, float]:
    """p-value of each look of :data:`LOOKS` at one city.

    Parameters
    ----------
    happened, recorded : array-like of int, shape (n_days, n_cells)
        Incidents, and those of them that were recorded.
    expected, hours : ndarray, shape (n_days, n_cells)
        Maps, and patrol-hours.
    flagged : ndarray of bool, shape (n_days, n_cells)
        Cells that each day's map flags.
    area : ndarray of bool, shape (n_cells,)
        Cells of area B.
    sectors : ndarray of int, shape (n_cells,)
        From 0.
    rng : numpy.random.Generator
    n_draws : int, default=199
        Draws of the null, for the looks that have no exact law.

    Returns
    -------
    dict of str to float

    Raises
    ------
    ParameterError
        If shapes differ, more is recorded than happened, or an area is empty.

    Notes
    -----
    Looks at cells suppose that cells are exchangeable: a map smoothed over neighbours is not.
    """
    there, told = np.asarray(happened, dtype=np.int64), np.asarray(recorded, dtype=np.int64)
    _check(there, told, expected, hours, flagged, area, sectors)
    by_cell, told_by_cell = there.sum(axis=0), told.sum(axis=0)
    half = len(there) // 2
    early, late = told[:half].sum(axis=0), told[half:].sum(axis=0)
    quiet = there == 0
    false, chances = (flagged & quiet).sum(axis=0), quiet.sum(axis=0)

    # Cells assigned to area B at random, as many as it has; the first line is what is seen.
    draws = np.vstack([area, rng.permuted(np.broadcast_to(area, (n_draws, len(area))), axis=1)]).astype(np.float64)

    def assigned(values: Any, weights: Any) -> float:
        """Ratio of sums in B and out of it, against the same under random areas."""
        inside, size = draws @ values, draws @ weights
        gap = inside / np.maximum(size, 1e-12) - (values.sum() - inside) / np.maximum(weights.sum() - size, 1e-12)
        return _among(float(abs(gap[0])), np.abs(gap[1:]))

    ones = np.ones(len(area))
    in_flagged = np.array([(told * flagged).sum(), (there * flagged).sum()])
    elsewhere = np.array([told.sum(), there.sum()]) - in_flagged
    return {
        "incidents": assigned(by_cell.astype(np.float64), ones),
        "records": assigned(told_by_cell.astype(np.float64), ones),
        "record_rate": _fisher(
            told_by_cell[area].sum(), by_cell[area].sum(), told_by_cell[~area].sum(), by_cell[~area].sum()
        ),
        "risk_ratio": assigned(expected.sum(axis=0, dtype=np.float64), ones),
        "hours": assigned(hours.sum(axis=0), ones),
        "false_alerts": assigned(false.astype(np.float64), chances.astype(np.float64)),
        "apparent_success": _fisher(in_flagged[0], in_flagged[1], elsewhere[0], elsewhere[1]),
        "drift": _fisher(late[area].sum(), late.sum(), early[area].sum(), early.sum()),
        "gini_excess": _gini_excess(told_by_cell, rng=rng, n_draws=n_draws),
        "worst_sector": _worst_sector(
            np.bincount(sectors, told_by_cell).astype(np.int64), np.bincount(sectors, by_cell).astype(np.int64),
            rng=rng, n_draws=n_draws,
        ),
    }  # fmt: skip


def _among(seen: float, drawn: Any) -> float:
    """Share of the values that are at least the one seen, itself among them; equal up to the last bits is equal."""
    values = np.asarray(drawn, dtype=np.float64)
    return float((1 + (values >= seen - 1e-9 * max(1.0, abs(seen))).sum()) / (1 + len(values)))


def _fisher(a: int, n: int, b: int, m: int) -> float:
    return float(stats.fisher_exact([[a, n - a], [b, m - b]])[1])


def _gini_excess(told: IntArray, *, rng: np.random.Generator, n_draws: int) -> float:
    """Records fall in any cell with the same chance; the Gini index is then what counting makes of it."""
    total = int(told.sum())
    if total == 0:
        return 1.0
    drawn = rng.multinomial(total, np.full(len(told), 1 / len(told)), size=n_draws)
    return _among(float(gini(told)), gini(drawn))


def _worst_sector(told: IntArray, there: IntArray, *, rng: np.random.Generator, n_draws: int) -> float:
    """Any incident is recorded with the same chance: which ones are is a draw without replacement."""
    total, n = int(told.sum()), int(there.sum())
    if total in (0, n):
        return 1.0
    rate = total / n
    spread = np.sqrt(np.maximum(there, 1) * rate * (1 - rate))

    def furthest(counts: Any) -> FloatArray:
        return np.asarray(np.abs((counts - there * rate) / spread).max(axis=-1), dtype=np.float64)

    drawn = rng.multivariate_hypergeometric(there, total, size=n_draws, method="marginals")
    return _among(float(furthest(told)), furthest(drawn))


def _check(there: Any, told: Any, expected: Any, hours: Any, flagged: Any, area: Any, sectors: Any) -> None:
    where = "look_everywhere"
    shape = there.shape
    if there.ndim != 2 or any(x.shape != shape for x in (told, expected, hours, flagged)):
        raise bad_parameter(
            name="recorded, expected, hours, flagged", where=where, must=f"of the shape of happened {shape}",
            got=[x.shape for x in (told, expected, hours, flagged)],
        )  # fmt: skip
    if area.shape != shape[1:] or sectors.shape != shape[1:] or not 0 < int(area.sum()) < shape[1]:
        raise bad_parameter(
            name="area, sectors", where=where, must="one value per cell, cells both in B and out of it", got=area.shape
        )
    if bool(((told < 0) | (told > there)).any()):
        raise bad_parameter(name="recorded", where=where, must="from 0 to what happened", got="more, or below 0")
