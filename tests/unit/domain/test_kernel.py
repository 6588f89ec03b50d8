"""The pure kernel: streams, canonical forms, grid, intervals, text."""

import math

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from contrechamp.domain.errors import ContrechampError, ParameterError, Problem, problem_table
from contrechamp.domain.grid import Grid, count_cube, day_index
from contrechamp.domain.intervals import Interval
from contrechamp.domain.provenance import canonical_json, digest, table_digest
from contrechamp.domain.results import Result
from contrechamp.domain.rng import stream
from contrechamp.domain.text import Text


def test_streams_depend_on_seed_and_names_only() -> None:
    first = stream(1, "incidents", "rep", 12).integers(2**62, size=4)
    stream(1, "other").integers(2**62, size=4)
    assert (stream(1, "incidents", "rep", 12).integers(2**62, size=4) == first).all()
    others = [(2, "incidents", "rep", 12), (1, "incidents", "rep", "12"), (1, "incidents", "rep12"), (1, "incidents")]
    for seed, *names in others:
        assert (stream(seed, *names).integers(2**62, size=4) != first).any()  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="seed"):
        stream(-1, "a")
    with pytest.raises(ParameterError, match="names"):
        stream(1)


def test_canonical_json_is_one_form_per_value() -> None:
    assert canonical_json({"b": np.float64(0.1) + 0.2, "a": (np.int64(1), None, True)}) == '{"a":[1,null,true],"b":0.3}'
    assert canonical_json([float("nan"), math.inf, -0.0]) == "[null,null,0.0]"
    assert digest({"x": 1.00000000001}) == digest({"x": 1.0})
    assert digest({"x": 1.0001}) != digest({"x": 1.0})
    with pytest.raises(TypeError, match="No canonical form"):
        canonical_json(object())


def test_table_digest_sees_values_names_and_order_but_not_the_last_bits() -> None:
    table = pd.DataFrame({"a": [1, 2], "b": [0.1 + 0.2, 1.0]})
    assert table_digest(table) == table_digest(pd.DataFrame({"a": [1, 2], "b": [0.3, 1.0]}))
    for other in (table.iloc[::-1], table.rename(columns={"a": "c"}), table.assign(b=[0.3, 1.1]), table[["b", "a"]]):
        assert table_digest(other) != table_digest(table)


@pytest.fixture(scope="module")
def island() -> Grid:
    return Grid.over(shapely.Point(1000, 1000).buffer(900), cell_m=100)


def test_grid_numbers_land_cells_row_by_row_from_the_south_west(island: Grid) -> None:
    centres = island.centres_m
    assert (island.cell_of(centres[:, 0], centres[:, 1]) == np.arange(island.n_cells)).all()
    assert (np.diff(centres[:, 1]) >= 0).all()
    assert abs(island.n_cells * island.cell_km2 - math.pi * 0.9**2) < 0.06
    assert island.cell_of([110.0, 1e9, np.nan], [110.0, 0.0, 1000.0]).tolist() == [-1, -1, -1]
    raster = island.raster(np.arange(island.n_cells))
    assert np.isnan(raster[0, 0])
    assert np.nansum(raster) == island.n_cells * (island.n_cells - 1) / 2


def test_grid_survives_its_plain_form_and_matches_its_polygons(island: Grid) -> None:
    again = Grid.from_dict(island.to_dict())
    assert (again.land == island.land).all()
    assert again.to_dict() == island.to_dict()
    frame = island.to_geodataframe()
    assert frame.crs.to_epsg() == 2154
    assert frame.geometry.area.unique().tolist() == [10_000.0]
    with pytest.raises(ParameterError, match="cell_m"):
        Grid.over(shapely.Point(0, 0).buffer(1), cell_m=0)
    with pytest.raises(ParameterError, match="non-empty"):
        Grid.over(shapely.Point(), cell_m=1)


@given(st.lists(st.tuples(st.integers(-2, 6), st.integers(-2, 4)), max_size=40))
def test_count_cube_agrees_with_counting_one_by_one(events: list[tuple[int, int]]) -> None:
    cell, day = ([e[i] for e in events] for i in (0, 1))
    cube = count_cube(cell, day, n_cells=5, n_days=3)
    for d in range(3):
        for c in range(5):
            assert cube[d, c] == events.count((c, d))


def test_day_index_counts_from_a_local_midnight() -> None:
    start = pd.Timestamp("2017-01-02", tz="Europe/Paris")
    times = pd.Series(pd.to_datetime(["2017-01-01T22:59Z", "2017-01-01T23:00Z", "2017-01-03T00:30Z"], utc=True))
    assert day_index(times, start=start).tolist() == [-1, 0, 1]


def test_interval_is_whole_or_says_it_is_not() -> None:
    assert not Interval.not_estimable().estimable
    assert Interval.exact(2.0).low == 2.0
    with pytest.raises(ParameterError, match="all numbers or all None"):
        Interval(1.0, None, 2.0, 3, "x")
    with pytest.raises(ParameterError, match="low"):
        Interval(1.0, 2.0, 1.0, 3, "x")
    assert Result("E02", "m", {"b": 1, "a": 2}, Interval.exact(1)).key == 'E02/m/{"a":2,"b":1}'


def test_text_needs_both_languages_and_problems_are_sorted() -> None:
    with pytest.raises(ValueError, match="both languages"):
        Text("oui", " ")
    table = problem_table([Problem("a", "late", 1), Problem("b", "bad_json", 9, ("x", "y"))])
    assert table.splitlines()[0].split() == ["bad_json", "b", "9", "rows", "x,", "y"]
    assert {c.exit_code for c in (ContrechampError, *ContrechampError.__subclasses__())} == {1, 10, 11, 12, 13}
