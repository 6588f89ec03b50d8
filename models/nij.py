"""PAI as the NIJ Real-Time Crime Forecasting Challenge of 2017 defined it: with real areas, and rules on both.

``PAI = (n / N) / (a / A)``: events in the forecast area over events in all, divided by the forecast area over the whole
area. On equal cells it is the PAI of :mod:`models.scores`; what the challenge adds is the size of what may be flagged:
cells of 62,500 to 360,000 square feet, 0.25 to 0.75 square miles in all. A PAI read beside those of the challenge must
say whether it was obtained under its rules.

What it cannot tell you: whether a score is as good as a winner's. Theirs are for Portland, for other crimes and for
horizons of a week to three months; concentration of events alone moves PAI several times over.

References
----------
.. [1] National Institute of Justice (2017), "Real-Time Crime Forecasting Challenge", rules and judging criteria.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import Grid

FOOT_M: Final = 0.3048
MILE_M: Final = 1609.344
CELL_SQ_FT: Final = (62_500.0, 360_000.0)
FORECAST_SQ_MI: Final = (0.25, 0.75)
#: Area flagged where nothing else is asked for: the middle of what the rules allow.
TARGET_SQ_MI: Final = 0.5


@dataclass(frozen=True, slots=True)
class NijArea:
    """What is flagged, in the units of the challenge.

    Attributes
    ----------
    k : int
        Cells flagged.
    cell_sq_ft, forecast_sq_mi, total_sq_mi : float
        One cell, the cells flagged, the whole grid.
    """

    k: int
    cell_sq_ft: float
    forecast_sq_mi: float
    total_sq_mi: float

    @property
    def cells_within_rules(self) -> bool:
        """Cells neither too small nor too large."""
        return CELL_SQ_FT[0] <= self.cell_sq_ft <= CELL_SQ_FT[1]

    @property
    def area_within_rules(self) -> bool:
        """Neither too little nor too much flagged."""
        return FORECAST_SQ_MI[0] <= self.forecast_sq_mi <= FORECAST_SQ_MI[1]

    @property
    def within_rules(self) -> bool:
        """Both."""
        return self.cells_within_rules and self.area_within_rules


def nij_area(grid: Grid, *, target_sq_mi: float = TARGET_SQ_MI) -> NijArea:
    """Cells of ``grid`` nearest to an area in square miles, at least one and at most all of them.

    Examples
    --------
    >>> import numpy as np
    >>> flagged = nij_area(Grid(0.0, 0.0, 150.0, np.ones((98, 108), dtype=bool)))
    >>> flagged.k, round(flagged.cell_sq_ft), round(flagged.forecast_sq_mi, 3), flagged.within_rules
    (58, 242188, 0.504, True)
    """
    if not target_sq_mi > 0:
        raise bad_parameter(
            name="target_sq_mi", where="nij_area", must="an area in (0, inf) square miles", got=target_sq_mi
        )
    cell_m2 = grid.cell_m**2
    k = min(max(1, round(target_sq_mi * MILE_M**2 / cell_m2)), grid.n_cells)
    return NijArea(k, cell_m2 / FOOT_M**2, k * cell_m2 / MILE_M**2, grid.n_cells * cell_m2 / MILE_M**2)


def nij_pai(*, hits: float, events: float, forecast_area: float, total_area: float) -> float:
    """``(hits / events) / (forecast_area / total_area)``, both areas in the same unit; NaN without events.

    Examples
    --------
    >>> round(nij_pai(hits=30, events=100, forecast_area=0.5, total_area=147.7), 2)
    88.62
    """
    if not 0 < forecast_area <= total_area:
        raise bad_parameter(
            name="forecast_area", where="nij_pai", must=f"an area in (0, {total_area}]", got=forecast_area
        )
    if not 0 <= hits <= events:
        raise bad_parameter(name="hits", where="nij_pai", must=f"a number of events in [0, {events}]", got=hits)
    return (hits / events) * (total_area / forecast_area) if events > 0 else float("nan")
