"""The learner's table against a slow twin in plain loops over a frame of records, and against tomorrow."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.grid import Grid
from contrechamp.domain.history import Covariates, Events
from models.base import Seen
from models.features import columns_of, design, neighbours, past_rows, shape_of_rates

LAND = np.ones((5, 6), dtype=bool)
LAND[:2, 4:] = False
LAND[0, 1] = LAND[1, 0] = LAND[1, 1] = False  # cell (0, 0) is an islet
GRID = Grid(0.0, 0.0, 250.0, LAND)
N = GRID.n_cells
DAYS = 420


def _beside(seed: int = 1) -> Covariates:
    rng = np.random.default_rng(seed)
    return Covariates(
        places={"to_station_m": rng.uniform(0, 900, N), "bars_per_km2": rng.gamma(1.0, 2.0, N)},
        days={"temperature_c": rng.normal(size=DAYS + 10), "holiday": rng.integers(0, 2, DAYS + 10).astype(float)},
        cell_days={"crowd": rng.uniform(size=(DAYS + 10, N))},
        first_weekday=3,
    )


@pytest.fixture(scope="module")
def counts() -> np.ndarray:
    rng = np.random.default_rng(0)
    rate = rng.gamma(0.3, 0.2, N)
    rate[:3] = 0.0
    made = rng.poisson(rate, (DAYS, N)).astype(np.int32)
    made[:2] = 0
    return made


def _seen(counts: np.ndarray, beside: Covariates) -> Seen:
    return Seen(Events.from_counts(counts, grid=GRID), GRID, beside)


def _frame(counts: np.ndarray) -> pd.DataFrame:
    day, cell = np.nonzero(counts)
    return pd.DataFrame({"day": day, "cell": cell, "n": counts[day, cell]})


def slow_row(
    records: pd.DataFrame, *, day: int, at: int, cell: int, grid: Grid, beside: Covariates, kappa: float
) -> dict[str, float]:
    """Columns of one cell: from ``records`` (day, cell, n) before ``day``; calendar and layers those of ``at``."""
    past = records[records["day"] < day]

    def total(last: int, where: list[int] | None = None) -> float:
        rows = past[past["day"] >= day - last]
        return float((rows if where is None else rows[rows["cell"].isin(where)])["n"].sum())

    def per_day(last: int, where: list[int] | None = None) -> float:
        return total(last, where) / max(1, min(last, day))

    x, y = grid.centres_m[cell]
    touching = []
    for dx in (-1, 0, 1):
        for dy in (-1, 0, 1):
            if dx or dy:
                touching.append(int(grid.cell_of([x + dx * grid.cell_m], [y + dy * grid.cell_m])[0]))
    touching = [k for k in touching if k >= 0]
    days = min(day, 364)
    row: dict[str, float] = {"base_per_day": 0.0}
    if total(364) > 0:
        mean = total(364) / days / grid.n_cells
        row["base_per_day"] = (total(364, [cell]) + kappa) / (days + kappa / mean)
    for k in (1, 2, 3, 7):
        row[f"lag_{k}d"] = float(past[(past["day"] == day - k) & (past["cell"] == cell)]["n"].sum())
    for w in (7, 28, 56, 182, 364):
        row[f"mean_{w}d"] = per_day(w, [cell])
    for w in (7, 28, 364):
        row[f"ring_{w}d"] = per_day(w, touching) / len(touching) if touching else 0.0
    own = past[(past["cell"] == cell) & (past["day"] >= day - 364) & (past["n"] > 0)]
    row["days_since"] = float(day - own["day"].max()) if len(own) else 365.0
    for w in (7, 28):
        row[f"city_{w}d_ratio"] = per_day(w) / per_day(364) if total(364) > 0 else 1.0
    row["weekday"] = float((beside.first_weekday + at) % 7)
    row["season_sin"] = np.sin(2 * np.pi * at / 365.2425)
    row["season_cos"] = np.cos(2 * np.pi * at / 365.2425)
    row |= {name: float(values[cell]) for name, values in sorted(beside.places.items())}
    row |= {name: float(values[at]) for name, values in sorted(beside.days.items())}
    row |= {name: float(values[at, cell]) for name, values in sorted(beside.cell_days.items())}
    return row


@pytest.mark.parametrize(("n_days", "ahead"), [(0, 0), (1, 0), (5, 0), (40, 3), (364, 0), (420, 2)])
def test_table_of_a_day_is_the_slow_one(counts: np.ndarray, n_days: int, ahead: int) -> None:
    beside, known = _beside(), counts[:n_days]
    columns = columns_of(beside)
    table = design(
        _seen(known, beside), n_days + ahead, columns=columns, kappa=0.7, around=neighbours(GRID)
    )  # fmt: skip
    for cell in (0, 1, 7, N - 1):
        row = slow_row(
            _frame(known), day=n_days, at=n_days + ahead, cell=cell, grid=GRID, beside=beside, kappa=0.7
        )  # fmt: skip
        assert list(row) == [name for _, name in columns]
        np.testing.assert_allclose(table[cell], list(row.values()), rtol=1e-12, atol=1e-15)


def test_rows_of_past_days_are_the_slow_ones_and_the_tables_of_those_mornings(counts: np.ndarray) -> None:
    beside, around = _beside(), neighbours(GRID)
    columns = columns_of(beside)
    day = np.repeat([0, 1, 2, 30, 31, 400, 419], 3)
    cell = np.tile([0, 5, N - 1], 7)
    table = past_rows(_seen(counts, beside), day=day, cell=cell, columns=columns, kappa=1.3, around=around)
    for i in range(len(day)):
        d, c = int(day[i]), int(cell[i])
        row = slow_row(_frame(counts), day=d, at=d, cell=c, grid=GRID, beside=beside, kappa=1.3)
        np.testing.assert_allclose(table[i], list(row.values()), rtol=1e-12, atol=1e-15)
        morning = design(_seen(counts[:d], beside), d, columns=columns, kappa=1.3, around=around)
        np.testing.assert_allclose(table[i], morning[c], rtol=1e-14)


def test_nothing_of_the_day_or_later_is_read(counts: np.ndarray) -> None:
    beside, around = _beside(), neighbours(GRID)
    columns = columns_of(beside)
    at = 200
    rng = np.random.default_rng(9)
    later = counts.copy()
    later[at:] = rng.poisson(5.0, later[at:].shape)
    moved = Covariates(
        places=beside.places,
        days={k: np.concatenate([v[: at + 1], rng.normal(size=len(v) - at - 1)]) for k, v in beside.days.items()},
        cell_days={k: np.concatenate([v[: at + 1], 9 + v[at + 1 :]]) for k, v in beside.cell_days.items()},
        first_weekday=3,
    )
    day, cell = np.full(N, at), np.arange(N)
    one = past_rows(_seen(counts, beside), day=day, cell=cell, columns=columns, kappa=1.0, around=around)
    two = past_rows(_seen(later, moved), day=day, cell=cell, columns=columns, kappa=1.0, around=around)
    assert (one == two).all()


def test_bases_sum_to_the_mean_of_the_city_whatever_kappa(counts: np.ndarray) -> None:
    beside = _beside()
    for kappa in (0.05, 1.0, 100.0):
        table = design(
            _seen(counts, beside), DAYS, columns=columns_of(beside), kappa=kappa, around=neighbours(GRID)
        )  # fmt: skip
        assert table[:, 0].sum() == pytest.approx(counts[-364:].sum() / 364, rel=1e-12)


def test_kappa_is_that_of_the_law_the_rates_were_drawn_from() -> None:
    rng = np.random.default_rng(3)
    counts = rng.poisson(rng.gamma(1.5, 0.02, 20_000), (364, 20_000))
    assert shape_of_rates(counts) == pytest.approx(1.5, rel=0.05)
    assert shape_of_rates(rng.poisson(0.02, (364, 20_000))) > 20
    assert shape_of_rates(np.zeros((5, 3))) == 100.0
    assert shape_of_rates(np.zeros((0, 3))) == 100.0


def test_a_name_borne_twice_is_refused() -> None:
    with pytest.raises(ParameterError, match="weekday"):
        columns_of(Covariates(days={"weekday": np.zeros(3)}))
    with pytest.raises(ParameterError, match="rain"):
        columns_of(Covariates(days={"rain": np.zeros(3)}, places={"rain": np.zeros(N)}))
