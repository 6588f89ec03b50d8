"""Laws of the small pieces that the dense streams are made of."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contrechamp.domain.grid import Grid
from synthetic_data.scenario import Scenario
from synthetic_data.streams.dense import bump, clock, pick, window
from synthetic_data.streams.journeys import _apart
from synthetic_data.streams.presence import _Moves, telecom_zones
from synthetic_data.streams.sound import confusion_matrix


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([0.0, 0.5, 2.0, 1e-9]), min_size=1, max_size=12), st.integers(0, 10_000))
def test_what_weighs_nothing_is_never_drawn(weights, seed):
    law = np.array(weights)
    law[0] = 1.0
    drawn = pick(law, size=50, rng=np.random.default_rng(seed))
    assert (law[drawn] > 0).all()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 60), st.integers(1, 30)), max_size=25))
def test_outings_kept_never_overlap_and_none_is_left_out_without_need(outings):
    user, start, lasts = (np.array(c, dtype=np.int64) for c in zip(*outings, strict=True)) if outings else [
        np.empty(0, dtype=np.int64)] * 3  # fmt: skip
    end = start + lasts
    kept = _apart(user, start, end).tolist()
    for i in range(len(user)):
        others = [k for k in kept if k != i and user[k] == user[i]]
        clash = [k for k in others if start[k] < end[i] and start[i] < end[k]]
        assert not (i in kept and clash)
        assert i in kept or clash


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 12), st.integers(0, 12)), max_size=20),
)
def test_moves_neither_make_nor_lose_anybody(moves):
    book, slow = _Moves(10, 4), np.zeros((10, 4), dtype=np.int64)
    for home, there, a, b in moves:
        first, last = min(a, b), max(a, b)
        book.leave(*(np.array([v]) for v in (home, there, first, last)))
        slow[first:last, there] += 1
        slow[first:last, home] -= 1
    assert (book.total() == slow).all()
    assert (book.total().sum(axis=1) == 0).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 100), st.integers(0, 10_000))
def test_zones_are_as_many_as_asked_or_as_cells(ny, nx, n_zones, seed):
    grid = Grid(0.0, 0.0, 250.0, np.ones((ny, nx), dtype=bool))
    homes = np.random.default_rng(seed).integers(grid.n_cells, size=30)
    world = SimpleNamespace(
        city=SimpleNamespace(grid=grid, sites_per_cell=1), people=SimpleNamespace(home_site=homes),
        scenario=SimpleNamespace(mobility=SimpleNamespace(telecom_zones=n_zones)),
    )  # fmt: skip
    zone = telecom_zones(world)
    assert np.unique(zone).tolist() == list(range(min(n_zones, grid.n_cells)))


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 0.95))
def test_confusion_is_a_law(share):
    matrix = confusion_matrix(share)
    assert (matrix >= 0).all()
    assert matrix.sum(axis=1) == pytest.approx(np.ones(len(matrix)))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 52), st.integers(1, 30), st.integers(1, 40), st.sampled_from([60, 360, 900, 3600]))
def test_a_window_is_whole_local_days(week, n_days, dense, step_s):
    start = str(np.datetime64("2017-01-02") + 7 * week)
    s = Scenario.load().with_overrides({"time.start": start, "time.n_days": n_days, "streams.dense_days": dense})
    span = window(s)
    t_us = span.starts_us(step_s)
    read = clock(t_us)
    assert span.n_days == min(n_days, dense)
    assert read.hour[0] == 0
    assert read.day[-1] == span.n_days - 1
    assert span.holds(t_us).all()
    assert not span.holds(t_us[-1:] + step_s * 1_000_000).any()
    assert (np.bincount(read.day) * step_s / 3600).tolist() == np.diff(np.array(span.midnights_us) / 3.6e9).tolist()


@given(st.floats(-100, 100), st.floats(0, 24), st.floats(0.2, 8))
def test_a_bell_does_not_know_midnight(hour, peak, spread):
    there, next_day = bump([hour], peak_h=peak, spread_h=spread), bump([hour + 24], peak_h=peak, spread_h=spread)
    assert there == pytest.approx(next_day, abs=1e-9)
    assert 0 <= there[0] <= 1
