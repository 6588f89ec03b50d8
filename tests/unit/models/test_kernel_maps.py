"""Same weekday, prospective map and the tables of shares, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.grid import Grid
from contrechamp.domain.history import Points
from models import load_predictor
from models.knox import knox_table
from models.prospective import cell_distance_weights
from models.prospective_continuous import prospective_surface
from models.space_time_kde import neighbour_bandwidth, scott_bandwidth, space_time_kde, time_weight
from models.spread import Spreader, ring_shares

STRIP = Grid(0.0, 0.0, 100.0, np.ones((1, 5), dtype=bool))


def _points(t, x, y, grid=STRIP) -> Points:
    t, x, y = (np.asarray(v, dtype=np.float64) for v in (t, x, y))
    return Points(t, x, y, grid.cell_of(x, y))


# --- same weekday -------------------------------------------------------------------------------------------------


def test_each_day_of_the_week_has_its_own_pattern_and_the_level_of_all_days() -> None:
    # three weeks: cell 0 has 2 records on days 0, 7, 14; cell 1 has 1 on days 3, 10, 17. 9 records in 21 days
    counts = np.zeros((21, 5), dtype=np.int32)
    counts[[0, 7, 14], 0], counts[[3, 10, 17], 1] = 2, 1
    fitted = load_predictor("same-weekday").fit(counts, grid=STRIP)
    assert fitted.predict(21).tolist() == pytest.approx([9 / 21, 0, 0, 0, 0])
    assert fitted.predict(24).tolist() == pytest.approx([0, 9 / 21, 0, 0, 0])
    assert fitted.predict(28).tolist() == fitted.predict(21).tolist()
    # a day of the week without a record: the pattern of all days, 6 and 3 in 21
    assert fitted.predict(22).tolist() == pytest.approx([6 / 21, 3 / 21, 0, 0, 0])


def test_window_of_a_few_days_still_finds_its_weekday() -> None:
    counts = np.zeros((10, 5), dtype=np.int32)
    counts[3, 2], counts[5, 4] = 4, 8
    fitted = load_predictor("same-weekday", window_days=7).fit(counts, grid=STRIP)
    assert fitted.predict(10).tolist() == pytest.approx([0, 0, 12 / 7, 0, 0])
    assert fitted.predict(12).tolist() == pytest.approx([0, 0, 0, 0, 12 / 7])


# --- prospective, grid form ---------------------------------------------------------------------------------------


def test_weights_fall_with_whole_weeks_and_cells() -> None:
    # one record in cell 2 eight days before day 10 (week 1), one in cell 0 yesterday (week 0), bandwidth 2 cells.
    # cell 2 sends 1 : ½ + ½, so ¼ ½ ¼ of ½; cell 0 sends 1 : ½, so ⅔ ⅓ of 1. Sum 1.5 for 2 records in 10 days
    counts = np.zeros((10, 5), dtype=np.int32)
    counts[2, 2], counts[9, 0] = 1, 1
    fitted = load_predictor("prospective", bandwidth_m=2 * STRIP.cell_m).fit(counts, grid=STRIP)
    want = np.array([2 / 3, 1 / 3 + 1 / 8, 1 / 4, 1 / 8, 0]) * 0.2 / 1.5
    assert fitted.predict(10).tolist() == pytest.approx(want.tolist())


@pytest.mark.parametrize(("days_before", "week"), [(1, 0), (7, 0), (8, 1), (14, 1), (15, 2)])
def test_the_seven_days_before_are_week_zero(days_before: int, week: int) -> None:
    counts = np.zeros((20, 5), dtype=np.int32)
    counts[20 - days_before, 0] = 1
    counts[20 - 1, 4] += 1  # a record of week 0, to compare with
    surface = load_predictor("prospective", bandwidth_m=STRIP.cell_m).fit(counts, grid=STRIP).predict(20)
    assert surface[4] / surface[0] == pytest.approx(1 + week)


def test_eight_neighbours_are_one_cell_away() -> None:
    assert cell_distance_weights(3)[0].tolist() == [1 / 3] * 5
    assert cell_distance_weights(3)[1].tolist() == [1 / 3, 0.5, 0.5, 0.5, 1 / 3]


# --- tables of shares ---------------------------------------------------------------------------------------------


def test_a_cell_whose_table_reaches_no_land_keeps_its_own() -> None:
    land = np.array([[True, False, False, True]])
    ring = np.array([[0, 0, 0], [1, 0, 1], [0, 0, 0]])
    assert Spreader(Grid(0.0, 0.0, 100.0, land), ring)([3.0, 4.0]).tolist() == [3.0, 4.0]


def test_table_is_read_the_right_way_round_near_a_shore() -> None:
    # everything goes one cell east; the last cell has no east and keeps its own
    east = np.array([[0, 0, 0], [0, 0, 1.0], [0, 0, 0]])
    assert Spreader(STRIP, east)([1.0, 2.0, 3.0, 4.0, 5.0]).tolist() == [0, 1, 2, 3, 4 + 5]


@pytest.mark.parametrize("shares", [np.ones((2, 2)), np.ones((1, 3)), -np.ones((3, 3))])
def test_table_of_no_use_is_refused(shares: np.ndarray) -> None:
    with pytest.raises(ParameterError, match="odd side"):
        Spreader(STRIP, shares)


def test_rings_ask_for_a_width() -> None:
    with pytest.raises(ParameterError, match="inner_m < outer_m"):
        ring_shares(200.0, 200.0, cell_m=100.0)


# --- located records ----------------------------------------------------------------------------------------------


def test_records_of_the_future_or_at_sea_are_refused() -> None:
    for draw in (prospective_surface, lambda p, **k: space_time_kde(p, bandwidth_m=50.0, **k)):
        with pytest.raises(ParameterError, match=r"at least 3\.0, the last record"):
            draw(_points([3.0], [50.0], [50.0]), grid=STRIP, at_days=2.5)
        with pytest.raises(ParameterError, match="1 elsewhere"):
            draw(_points([1.0, 1.0], [50.0, 501.0], [50.0, 50.0]), grid=STRIP, at_days=2.5)
        assert draw(_points([], [], []), grid=STRIP, at_days=2.5).tolist() == [0.0] * 5


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan"), float("inf")])
def test_lengths_must_be_lengths(bad: float) -> None:
    one = _points([1.0], [50.0], [50.0])
    for name in ("bandwidth", "unit_m", "horizon_weeks"):
        with pytest.raises(ParameterError, match=f"`{name}`"):
            prospective_surface(one, grid=STRIP, at_days=2.0, **{name: bad})
    with pytest.raises(ParameterError, match="`bandwidth_m`"):
        space_time_kde(one, grid=STRIP, at_days=2.0, bandwidth_m=bad)
    with pytest.raises(ParameterError, match="`scale_days`"):
        time_weight([1.0], kernel="exponential", scale_days=bad)
    with pytest.raises(ParameterError, match="`at_least_m`"):
        neighbour_bandwidth(_points([1, 1], [1, 2], [1, 2]), k=1, at_least_m=-1.0)


def test_unknown_time_kernel_lists_those_that_exist() -> None:
    with pytest.raises(ParameterError, match=r"constant.*exponential.*quadratic"):
        time_weight([1.0], kernel="linear", scale_days=1.0)  # type: ignore[arg-type]


def test_bandwidth_rules_by_hand() -> None:
    # on a line at 0 30 70 200 m: second nearest others at 70, 40, 70, 170 m; the floor lifts the 40
    points = _points([1, 1, 1, 1], [0, 30, 70, 200], [50, 50, 50, 50])
    assert neighbour_bandwidth(points, k=2, at_least_m=60.0).ravel().tolist() == [70, 60, 70, 170]
    with pytest.raises(ParameterError, match=r"\[1, 3\]"):
        neighbour_bandwidth(points, k=4)
    with pytest.raises(ParameterError, match="apart along both axes"):
        scott_bandwidth(points)
    square = _points([1] * 4, [0, 0, 60, 60], [0, 30, 0, 30])
    assert scott_bandwidth(square).tolist() == pytest.approx([60 / 3**0.5 * 4 ** (-1 / 6), 30 / 3**0.5 * 4 ** (-1 / 6)])


# --- Knox ---------------------------------------------------------------------------------------------------------


def test_too_many_near_pairs_are_refused_before_they_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.knox.MAX_NEAR_PAIRS", 5)
    common = {"edges_m": [10.0], "edges_days": [1.0], "permutations": 1, "rng": np.random.default_rng(0)}
    assert knox_table([0, 1, 2], [0, 0, 0], t_days=[0, 0, 0], **common).observed[0, 0] == 3
    with pytest.raises(ParameterError, match=r"at most 5 near pairs\. Got 6"):
        knox_table([0, 1, 2, 3], [0, 0, 0, 0], t_days=[0, 0, 0, 0], **common)


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"edges_m": [20.0, 10.0]}, "`edges_m`"),
        ({"edges_days": [0.0, 1.0]}, "`edges_days`"),
        ({"edges_days": []}, "`edges_days`"),
        ({"permutations": 0}, "`permutations`"),
        ({"t_days": [0.0, np.nan]}, "finite"),
        ({"t_days": [0.0]}, "three arrays of one length, at least 2"),
    ],
)
def test_what_no_knox_table_can_be_made_of(changed: dict, match: str) -> None:
    asked = {"t_days": [0, 1], "edges_m": [10.0], "edges_days": [1.0], "permutations": 1} | changed
    with pytest.raises(ParameterError, match=match):
        knox_table([0, 1], [0, 0], rng=np.random.default_rng(0), **asked)


def test_ratio_is_not_a_number_where_nothing_is_expected() -> None:
    table = knox_table(
        [0, 50, 90], [0, 0, 0], t_days=[0, 9, 20], edges_m=[60.0], edges_days=[2.0], permutations=1,
        rng=np.random.default_rng(0),
    )  # fmt: skip
    assert np.isnan(table.ratio[:, 0]).all()  # no pair within two days, anywhere
    assert table.ratio[:, 1].tolist() == [1, 1]
