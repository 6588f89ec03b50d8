"""The closed loop against sums on paper, closed forms and itself run again."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from contrechamp.domain.errors import IntegrityError, ParameterError
from contrechamp.domain.potential import Potential
from contrechamp.domain.rng import stream
from fairness.allocation import Allocation, Sharing, allocate
from fairness.closed_loop import Effects, Evidence, LoopHistory, check_replay, run_loop
from models import load_predictor
from synthetic_data.loop_worlds import draw_levels, draw_potential, square_grid

GRID = square_grid((8, 8))
TOP = Allocation(Sharing.TOP, share=0.05)
EQUAL = Allocation(Sharing.EQUAL)
FINDS = Effects(finding_per_hour=0.5)


def _city(*, seed: int = 0, spread: float = 1.0, p_reported: float = 0.2, **given: float) -> Potential:
    rng = stream(seed, "city")
    levels = draw_levels((8, 8), spread=spread, rng=rng)
    settings = {"n_days": 120, "per_day": 40.0} | given
    return draw_potential(levels=levels, grid=GRID, p_reported=p_reported, rng=rng, **settings)  # type: ignore[arg-type]


def _run(city: Potential, **given: object) -> LoopHistory:
    settings: dict[str, object] = {
        "predictor": load_predictor("trailing-mean"), "allocation": TOP, "effects": FINDS, "hours_per_day": 30.0,
        "first_day": 30, "rng": stream(0, "loop"),
    }  # fmt: skip
    return run_loop(city, **(settings | given))  # type: ignore[arg-type]


def test_every_incident_happens_is_moved_or_is_prevented() -> None:
    city = _city(kappa=0.4)
    effects = Effects(0.5, prevention_per_hour=0.4, displacement=0.3)
    run = _run(city, effects=effects)
    assert run.happened.sum() + run.prevented.sum() == len(city.day)
    assert 0 < run.moved.sum() < len(city.day)
    assert (run.reported + run.found_only <= run.happened).all()
    np.testing.assert_allclose(run.hours.sum(axis=1), 30.0)


def test_patrols_that_do_nothing_change_nothing() -> None:
    city = _city(kappa=0.4)
    idle = Effects(finding_per_hour=0.0)
    one, other = (_run(city, effects=idle, allocation=a) for a in (TOP, EQUAL))
    assert (one.happened == city.counts()).all()
    assert (one.reported == other.reported).all()
    assert one.found_only.sum() == one.prevented.sum() == 0


def test_common_luck_two_policies_differ_only_where_their_hours_do() -> None:
    city = _city()
    one, other = (_run(city, allocation=a) for a in (TOP, EQUAL))
    same = one.hours == other.hours
    assert same[:30].all()
    assert (one.found_only[same] == other.found_only[same]).all()
    assert (one.happened == other.happened).all()


@pytest.mark.parametrize("kappa", [0.0, 0.5])
def test_prevention_and_finding_follow_their_closed_forms(kappa: float) -> None:
    city = _city(kappa=kappa, n_days=1500, per_day=60.0)
    h = 30 / 64
    effects = Effects(finding_per_hour=1.2, prevention_per_hour=0.8, displacement=0.25)
    run = _run(city, effects=effects, allocation=EQUAL, predictor=None)
    stop = (1 - np.exp(-0.8 * h)) * 0.75  # stopped and not moved
    # families: each incident that happens calls for kappa others, so what is left is (1 - stop)/(1 - kappa (1 - stop))
    left = (1 - stop) * (1 - kappa) / (1 - kappa * (1 - stop))
    n = len(city.day)
    assert run.happened.sum() / n == pytest.approx(left, abs=4 * np.sqrt(left * (1 - left) / n) + 0.4 * kappa / 30)
    p_found = 1 - np.exp(-1.2 * h)
    found = run.found_only.sum() / run.happened.sum()
    assert found == pytest.approx(0.8 * p_found, abs=4 * np.sqrt(0.25 / run.happened.sum()))


def test_the_first_leader_keeps_everything() -> None:
    # Nobody reports, all hours go to the cell with most records: one cell is patrolled for ever.
    city = _city(spread=0.0, p_reported=0.0)
    run = _run(city, allocation=Allocation(Sharing.TOP, share=1 / 64), first_day=30)
    assert len(set(run.hours[30:].argmax(axis=1))) == 1
    assert (run.found_only[30:].sum(axis=0) > 0).sum() == 1


def test_reports_alone_owe_nothing_to_patrols() -> None:
    city = _city(spread=0.0, p_reported=0.5, n_days=400, per_day=200.0)
    seen = {e: _run(city, allocation=Allocation(Sharing.PROPORTIONAL), evidence=e).hours[-1] for e in Evidence}
    assert seen[Evidence.REPORTED].std() < 0.1 * seen[Evidence.REPORTED].mean()
    uneven = np.r_[np.full(32, 4.0), np.ones(32)]
    start = {e: _run(city, before=uneven, first_day=399, evidence=e).expected[-1] for e in Evidence}
    ratio = {e: start[e][:32].mean() / start[e][32:].mean() for e in Evidence}
    assert ratio[Evidence.ALL] == pytest.approx(0.6564 / 0.5448, abs=0.04)  # 0.5 + 0.5 x finds, at .75 and .1875 h
    for e in (Evidence.REPORTED, Evidence.WEIGHTED, Evidence.THINNED):
        assert ratio[e] == pytest.approx(1.0, abs=0.03), e


def test_a_run_replays_and_a_changed_day_is_named() -> None:
    city = _city(kappa=0.3)
    run, again = _run(city), _run(city)
    check_replay(run, again)
    assert run.fingerprint() == again.fingerprint() != _run(city, hours_per_day=31.0).fingerprint()
    again.found_only[77, 3] += 1
    with pytest.raises(IntegrityError, match="from day 77 on"):
        check_replay(run, again)


@pytest.mark.parametrize(
    "given",
    [{"hours_per_day": -1.0}, {"first_day": 0}, {"first_day": 121}, {"before": np.zeros(64)}, {"before": np.ones(3)}],
)
def test_bad_parameters_are_named(given: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match=f"`{next(iter(given))}`"):
        _run(_city(), **given)
    with pytest.raises(ParameterError, match="`displacement`"):
        Effects(1.0, 1.0, 1.2)


def test_quotas_lift_what_is_short_and_take_from_the_rest() -> None:
    surface = np.array([9.0, 1.0, 0.0, 0.0])
    sectors = np.array([0, 0, 1, 1])
    rule = Allocation(Sharing.PROPORTIONAL, quota=0.5)
    hours = allocate(surface, hours=8.0, allocation=rule, order=np.arange(4), sectors=sectors)
    np.testing.assert_allclose(hours, [5.4, 0.6, 1.0, 1.0], rtol=1e-12)
    with pytest.raises(ParameterError, match="sectors"):
        allocate(surface, hours=8.0, allocation=rule, order=np.arange(4))


def test_thresholds_random_cells_and_ties() -> None:
    flat = np.ones(10)
    order = np.arange(10)[::-1].copy()
    top = allocate(flat, hours=1.0, allocation=Allocation(Sharing.TOP, share=0.2), order=order)
    assert np.flatnonzero(top).tolist() == [8, 9]
    drawn = allocate(flat, hours=1.0, allocation=Allocation(Sharing.RANDOM, share=0.2), order=order)
    assert np.flatnonzero(drawn).tolist() == [8, 9]
    peak = np.r_[8.0, np.ones(9)]
    rule = Allocation(Sharing.THRESHOLD, times_mean=2.0)
    assert np.flatnonzero(allocate(peak, hours=1.0, allocation=rule, order=order)).tolist() == [0]
    assert (allocate(flat, hours=1.0, allocation=rule, order=order) == 0.1).all()


def test_families_have_the_size_and_the_lag_they_were_given() -> None:
    city = _city(kappa=0.5, n_days=4000, per_day=50.0)
    born = city.day < 3800
    children = np.bincount(city.parent[city.parent >= 0], minlength=len(city.day))[born]
    assert children.mean() == pytest.approx(0.5, abs=4 * np.sqrt(0.5 / len(children)))
    child = np.flatnonzero(city.parent >= 0)
    lag = (city.day[child] - city.day[city.parent[child]]).astype(float)
    assert lag.min() == 1
    assert lag.mean() == pytest.approx(4.0, abs=0.1)
    assert (city.cell[child] == city.cell[city.parent[child]]).mean() == pytest.approx(0.5, abs=0.01)
    assert city.counts()[500:].sum(axis=1).mean() == pytest.approx(50.0, rel=0.02)
    with pytest.raises(ParameterError, match="`parent`"):
        dataclasses.replace(city, parent=np.arange(len(city.day)))
