"""The map: units, captured shares, and cells drawn where they lie."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contrechamp.domain.grid import Grid
from contrechamp.domain.text import Text
from dashboard import views_map

LAND = np.array([[True, False, True], [True, True, True]])
GRID = Grid(0.0, 0.0, 250.0, LAND)
LAYER = np.array([[0.0, 1, 0, 0, 3], [2.0, 1, 0, 0, 1]])


def test_one_event_in_a_cell_of_250_m_is_sixteen_per_km2() -> None:
    day = views_map.density(LAYER, last=0, window=1, cell_km2=GRID.cell_km2)
    assert day.tolist() == [0, 16, 0, 0, 48]
    assert views_map.density(LAYER, last=1, window=2, cell_km2=GRID.cell_km2).tolist() == [16, 16, 0, 0, 32]
    assert views_map.expected(LAYER, last=1, window=28) == 4.0


def daily() -> pd.DataFrame:
    return pd.DataFrame(
        {"day": [7, 8, 8, 8], "predictor": ["a", "a", "a", "b"], "scored_on": ["truth", "truth", "records", "truth"],
         "area": 0.01, "events": [10, 30, 5, 30], "hits": [1, 3, 2, 9], "cells_flagged": 2}
    )  # fmt: skip


def test_captured_pools_the_days_looked_at_of_one_predictor_and_kind() -> None:
    (one,) = views_map.captured(daily(), days=(7, 8), predictor="a", scored_on="truth")
    assert (one.hits, one.interval.n, one.interval.estimate, one.cells) == (4, 40, 0.1, 2)
    assert (one.interval.low, one.interval.high) == pytest.approx((0.0396, 0.2305), abs=5e-5)  # Wilson, by hand
    said = views_map.captured_in_words(one, what=Text(fr="incidents", en="incidents"), lang="en")
    assert said.replace("\u00a0", " ") == "In the 1% flagged: 10% of incidents (95% interval 4 to 23%; n = 40)"


def test_a_day_without_event_is_not_estimable_rather_than_zero() -> None:
    empty = daily().assign(events=0, hits=0)
    (one,) = views_map.captured(empty, days=(7, 7), predictor="a", scored_on="truth")
    said = views_map.captured_in_words(one, what=Text(fr="incidents", en="incidents"), lang="fr")
    assert "non estimable" in said
    assert "0 %" not in said


def test_cells_are_drawn_from_the_south_west_and_the_sea_is_empty() -> None:
    latent, recorded = np.array([16.0, 0, 0, 0, 64]), np.array([0.0, 0, 0, 0, 16])
    figure = views_map.maps_figure(
        latent, recorded, latent / 8, grid=GRID, outline_m=np.array([[0.0, 0], [750, 500], [np.nan, np.nan]]),
        scale="linear", predictor="uniform", lang="fr",
    )  # fmt: skip
    maps = [t for t in figure.data if t.type == "heatmap"]
    assert np.asarray(maps[0].z)[0].tolist()[0] == 16.0
    assert np.isnan(np.asarray(maps[0].z)[0, 1])
    assert np.asarray(maps[0].z)[1, 2] == 64.0
    assert list(maps[0].x) == [125.0, 375.0, 625.0]
    assert [m.coloraxis for m in maps] == ["coloraxis", "coloraxis", "coloraxis2"]
    assert (figure.layout.coloraxis.cmax, figure.layout.coloraxis2.cmax) == (64.0, 8.0)
    assert figure.layout.yaxis.scaleanchor == "x"


def test_the_square_root_moves_colours_not_the_numbers_read() -> None:
    values = np.array([16.0, 0, 0, 0, 64])
    figure = views_map.maps_figure(
        values, values, values, grid=GRID, outline_m=np.empty((0, 2)), scale="root", predictor="uniform", lang="en"
    )
    first = next(t for t in figure.data if t.type == "heatmap")
    assert np.asarray(first.z)[1, 2] == 8.0
    assert np.asarray(first.customdata)[1, 2] == 64.0
    bar = figure.layout.coloraxis.colorbar
    assert dict(zip(bar.ticktext, bar.tickvals, strict=True))["20"] == pytest.approx(20**0.5)


def test_a_day_with_nothing_still_draws() -> None:
    nothing = np.zeros(5)
    figure = views_map.maps_figure(
        nothing, nothing, nothing, grid=GRID, outline_m=np.empty((0, 2)), scale="root", predictor="uniform", lang="fr"
    )
    assert figure.layout.coloraxis.cmax == 1.0


@given(st.floats(min_value=1e-6, max_value=1e6))
def test_marks_of_a_scale_are_few_round_and_within(top: float) -> None:
    ticks = views_map._ticks(top)
    assert 2 <= len(ticks) <= 6
    assert ticks[0] == 0
    assert ticks[-1] <= top * (1 + 1e-9)
    step = ticks[1] / 10 ** np.floor(np.log10(ticks[1]) + 1e-9)
    assert min(abs(step - m) for m in (1, 2, 5)) < 1e-6


def test_days_are_dates_when_the_scenario_says_when_it_starts() -> None:
    start = pd.Timestamp("2017-01-02")
    assert views_map.day_name(419, start, "fr").replace("\u00a0", " ") == "dimanche 25 février 2018"
    assert views_map.day_name(3, None, "en") == "day\u00a03"
