"""The statistics the trade reads on maps, on a lake: Gi*, local Moran, and the Knox table of near repeats.

What it cannot tell you: see :data:`CANNOT_TELL`. A cluster of records is a place where much was recorded.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from contrechamp.domain.columns import CELL
from contrechamp.domain.errors import ContractError, bad_parameter
from contrechamp.domain.rng import stream
from contrechamp.domain.text import Text
from contrechamp.pipelines.backtest_inputs import Inputs, read_lake
from contrechamp.pipelines.hotspot import lake_and_city
from models.knox import KnoxTable, knox_table
from models.map_statistics import QUADRANTS, LocalStatistic, gi_star, local_moran

#: Open upper edges of the bands of the Knox table; a last band holds the rest.
EDGES_M: Final = (100.0, 200.0, 400.0)
EDGES_DAYS: Final = (1.0, 3.0, 7.0, 14.0)

CANNOT_TELL: Final = Text(
    fr="Ces statistiques portent sur des enregistrements : une grappe peut venir des patrouilles qui reviennent. Elles "
    "dépendent de la grille, du voisinage et des jours choisis, et ne distinguent pas la contagion d’un lieu qui reste "
    "exposé.",
    en="These statistics are about records: a cluster may come of patrols that return. They depend on the grid, the "
    "neighbourhood and the days chosen, and do not tell contagion from a place that stays exposed.",
)


@dataclass(frozen=True, eq=False)
class MapStatistics:
    """Statistics of the last days of a lake.

    Attributes
    ----------
    cells : DataFrame
        One row per cell: its centre, ``records``, ``gi_star`` and ``local_moran`` as z-scores (NaN where undefined),
        their p-values adjusted for the number of cells, and which cells are flagged.
    knox : DataFrame
        One row per band of distance and of days: pairs observed, expected, their ratio and p (never 0).
    n_records, n_days : int
    permutations : int
    inputs : Inputs
    """

    cells: pd.DataFrame
    knox: pd.DataFrame
    n_records: int
    n_days: int
    permutations: int
    inputs: Inputs


def lake_statistics(
    source: str, *, city: Path | None = None, days: int = 56, cell_m: float = 250.0, permutations: int = 999,
    seed: int = 0,
) -> MapStatistics:  # fmt: skip
    """Gi*, local Moran and the Knox table of the last ``days`` days of a lake.

    Parameters
    ----------
    source, city, cell_m
        See :func:`contrechamp.pipelines.hotspot.backtest_lake`.
    days : int, default=56
        Days read, the last ones; all there are where there are fewer.
    permutations : int, default=999
        The smallest p is 1 / (1 + permutations).
    seed : int, default=0

    Raises
    ------
    ParameterError
        If ``days`` or ``permutations`` is below 1.
    ContractError
        If fewer than two records are left.
    """
    for name, value in (("days", days), ("permutations", permutations)):
        if value < 1:
            raise bad_parameter(name=name, where="lake_statistics", must="at least 1", got=value)
    lake, where = lake_and_city(source, city)
    given = read_lake(lake, city=where, cell_m=cell_m, ahead=0)
    used = min(days, given.n_days)
    first = given.n_days - used
    seen = given.log.until(given.n_days)
    points = seen.points.since(first)
    if len(points) < 2:
        raise ContractError(
            f"A statistic of a map needs two records at least. The last {used} days of this lake hold {len(points)}: "
            "ask for more days with --days."
        )
    counts = seen.counts[first:].sum(axis=0).astype(np.float64)
    found = {
        name: function(counts, grid=given.grid, permutations=permutations, rng=stream(seed, "statistics", name))
        for name, function in (("gi_star", gi_star), ("local_moran", local_moran))
    }
    table = knox_table(
        points.x_m, points.y_m, t_days=np.floor(points.t_days), edges_m=EDGES_M, edges_days=EDGES_DAYS,
        permutations=permutations, same_place="apart", rng=stream(seed, "statistics", "knox"),
    )  # fmt: skip
    return MapStatistics(_cells(given, counts, found), _knox(table), len(points), used, permutations, given)


def _cells(given: Inputs, counts: Any, found: dict[str, LocalStatistic]) -> pd.DataFrame:
    x, y = given.grid.centres_m.T
    out = pd.DataFrame({CELL: np.arange(given.grid.n_cells), "x_m": x, "y_m": y, "records": counts.astype(np.int64)})
    for name, one in found.items():
        out[name] = one.z
        out[f"{name}_p_adjusted"] = one.p_adjusted
        out[f"{name}_flagged"] = one.flagged
    out["quadrant"] = np.array(QUADRANTS)[found["local_moran"].quadrant]
    return out


def _knox(table: KnoxTable) -> pd.DataFrame:
    metres = ["0", *_bands(EDGES_M, from_zero="(0")]
    days = _bands(EDGES_DAYS, from_zero="[0")
    rows = [
        {
            "distance_m": metres[i], "days": days[j], "observed": int(pairs), "expected": float(table.expected[i, j]),
            "ratio": float(pairs / table.expected[i, j]) if table.expected[i, j] > 0 else float("nan"),
            "p": float(table.p[i, j]),
        }
        for (i, j), pairs in np.ndenumerate(table.observed)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def _bands(edges: tuple[float, ...], *, from_zero: str) -> list[str]:
    first = [f"{from_zero}, {edges[0]:g})"]
    return first + [f"[{a:g}, {b:g})" for a, b in pairwise(edges)] + [f"[{edges[-1]:g}, ∞)"]
