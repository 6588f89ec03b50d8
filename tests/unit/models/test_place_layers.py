"""Layers of places: distances by hand, densities that lose nothing at the shore, kinds that are not there."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.grid import Grid
from contrechamp.domain.history import Covariates
from models.place_layers import density_per_km2, distance_m, place_layers

LAND = np.ones((20, 30), dtype=bool)
LAND[:, 20:] = False
GRID = Grid(1_000.0, 2_000.0, 100.0, LAND)


def _places(seed: int = 0, n: int = 40) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    kind = rng.choice(["bar", "station"], n)
    return pd.DataFrame({"kind": kind, "x_m": rng.uniform(1_000, 3_000, n), "y_m": rng.uniform(2_000, 4_000, n)})


def test_distance_is_that_of_the_nearest_by_brute_force_and_capped() -> None:
    places = _places()
    layers = place_layers(places, grid=GRID, cap_m=400.0)
    for kind, rows in places.groupby("kind"):
        gap = np.hypot(
            GRID.centres_m[:, :1] - rows["x_m"].to_numpy(), GRID.centres_m[:, 1:] - rows["y_m"].to_numpy()
        ).min(axis=1)
        np.testing.assert_allclose(layers[f"{kind}_distance_m"], np.minimum(gap, 400.0), rtol=1e-12)
    assert layers["bar_distance_m"].max() == 400.0
    assert distance_m(np.array([1_050.0]), np.array([2_050.0]), grid=GRID)[[0, 3]].tolist() == [0.0, 300.0]


def test_a_place_over_the_border_is_near_but_has_no_density() -> None:
    x, y = np.array([500.0]), np.array([2_050.0])
    assert distance_m(x, y, grid=GRID)[0] == 550.0
    assert not density_per_km2(x, y, grid=GRID, bandwidth_m=300.0).any()


def test_density_sums_to_the_places_even_at_the_shore_and_on_a_pier() -> None:
    places = _places()
    layers = place_layers(places, grid=GRID)
    for kind, n in places["kind"].value_counts().items():
        assert layers[f"{kind}_per_km2"].sum() * GRID.cell_km2 == pytest.approx(n, rel=1e-12)
    pier = density_per_km2(np.array([3_090.0]), np.array([2_950.0]), grid=GRID, bandwidth_m=300.0)
    assert pier.sum() * GRID.cell_km2 == pytest.approx(1.0, rel=1e-12)
    assert GRID.centres_m[pier.argmax()].tolist() == [2_950.0, 2_950.0]


def test_a_kind_that_is_not_there_is_left_out_or_flat() -> None:
    places = _places()
    assert sorted(place_layers(places, grid=GRID)) == [
        "bar_distance_m", "bar_per_km2", "station_distance_m", "station_per_km2",
    ]  # fmt: skip
    asked = place_layers(places, grid=GRID, kinds=["stadium"], cap_m=900.0)
    assert set(asked["stadium_distance_m"].tolist()) == {900.0}
    assert set(asked["stadium_per_km2"].tolist()) == {0.0}
    Covariates(places=asked).check(n_cells=GRID.n_cells, n_days=1)
    assert place_layers(places.iloc[:0], grid=GRID) == {}


def test_what_cannot_be_used_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"Missing: y_m\."):
        place_layers(_places().drop(columns="y_m"), grid=GRID)
    lost = _places()
    lost.loc[3, "x_m"] = np.nan
    with pytest.raises(ParameterError, match="Leave out the places that have no position"):
        place_layers(lost, grid=GRID)
    with pytest.raises(ParameterError, match="`cap_m`"):
        place_layers(_places(), grid=GRID, cap_m=0.0)
    with pytest.raises(ParameterError, match="`bandwidth_m`"):
        place_layers(_places(), grid=GRID, bandwidth_m=-1.0)
