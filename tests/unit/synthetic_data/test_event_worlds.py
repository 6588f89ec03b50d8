"""Calendars of events: the law on paper, the optimum by brute force, and what changes when officers double."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.rng import stream
from synthetic_data.event_clashes import draw_clash_calendar
from synthetic_data.event_worlds import FEATURES, EventLaw, EventWorld, draw_event_world, optimal_officers, ordinary


def drawn(seed: int = 1, **law: float) -> EventWorld:
    return draw_event_world(EventLaw(**law), rng=stream(seed, "calendar"))  # type: ignore[arg-type]


@settings(max_examples=60, deadline=None)
@given(st.floats(0.001, 400), st.floats(0.001, 1.5), st.floats(0.1, 30))
def test_the_optimum_is_that_of_a_search_over_every_number(expected: float, effect: float, cost: float) -> None:
    found = optimal_officers(np.array([expected]), np.array([effect]), incident_cost=cost)[0]
    numbers = np.arange(0, 6_000)
    every = cost * expected * np.exp(-effect * numbers) + numbers
    assert every[int(found)] == pytest.approx(every.min(), rel=1e-12)


def test_no_world_has_a_cheaper_deployment_than_its_optimum() -> None:
    world = drawn()
    best = world.cost(world.optimal)
    for step in (-1.0, 1.0):
        assert (world.cost(np.maximum(world.optimal + step, 0.0)) >= best - 1e-9).all()
    assert (world.cost(world.officers) >= best - 1e-9).all()


def test_one_officer_more_removes_the_stated_proportion_of_what_is_left() -> None:
    world = drawn(incidents_per_event=400.0, deterrence=0.8)
    none = np.zeros(len(world.expected))
    before, after = world.incidents(none + 3).sum(), world.incidents(none + 4).sum()
    left = world.expected * np.exp(-world.per_officer * 3)
    wanted = float((left * -np.expm1(-world.per_officer)).sum())
    assert before - after == pytest.approx(wanted, abs=4 * math.sqrt(wanted))
    assert world.incidents(none).sum() == pytest.approx(world.expected.sum(), abs=4 * math.sqrt(world.expected.sum()))
    np.testing.assert_allclose(world.per_officer, 0.8 / ordinary(world.calendar["crowd"].to_numpy()))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.9])
def test_records_of_the_first_year_have_the_stated_number_and_origin(share: float) -> None:
    known = told = happened = 0.0
    for seed in range(12):
        world = drawn(seed, discovery_share=share, p_recorded=0.3)
        first = (world.calendar["year"] == 0).to_numpy()
        officers = world.officers
        happened += world.incidents(officers)[first].sum()
        known += world.facts(officers)[first].sum()
        told += world.facts(np.zeros_like(officers), incidents_under=officers)[first].sum()
    assert known / happened == pytest.approx(0.3, abs=0.012)
    assert 1 - told / known == pytest.approx(share, abs=0.02)


def test_twice_the_officers_find_more_of_the_very_same_incidents() -> None:
    world = drawn(discovery_share=0.8)
    once, twice = world.facts(), world.facts(2 * world.officers, incidents_under=world.officers)
    assert (twice >= once).all()
    assert twice.sum() > 1.3 * once.sum()
    assert (twice.sum(axis=1) <= world.incidents()).all()
    without = drawn(discovery_share=0.0)
    np.testing.assert_array_equal(
        without.facts(), without.facts(2 * without.officers, incidents_under=without.officers)
    )


def test_worlds_that_differ_by_an_axis_share_their_calendar_and_their_luck() -> None:
    first, second = drawn(discovery_share=0.1), drawn(discovery_share=0.9)
    assert first.calendar.equals(second.calendar)
    np.testing.assert_array_equal(first.luck, second.luck)
    np.testing.assert_array_equal(first.incidents(np.zeros(1350)), second.incidents(np.zeros(1350)))


def test_what_the_features_tell_is_what_informativeness_says() -> None:
    """Share of the variance of log means, beyond crowd and calendar, that a regression on the features explains."""

    def told(informativeness: float) -> float:
        shares = []
        for seed in range(6):
            world = drawn(seed, informativeness=informativeness, heterogeneity=0.8)
            c = world.calendar
            base = [c["log_crowd"].to_numpy(), *((c["weekday"] == d).to_numpy(float) for d in range(7)),
                    *((c["month"] == m).to_numpy(float) for m in range(1, 12))]  # fmt: skip
            more = [*((c["venue"] == v).to_numpy(float) for v in range(1, 24)),
                    *((c["kind"] == k).to_numpy(float) for k in range(1, 6)),
                    *(c[name].to_numpy(float) for name in ("rain", "roadworks", "match_day"))]  # fmt: skip
            y = np.log(world.expected)
            rest = [
                float(((y - x @ np.linalg.lstsq(x, y, rcond=None)[0]) ** 2).sum())
                for x in (np.column_stack(base), np.column_stack(base + more))
            ]
            shares.append(1 - rest[1] / rest[0])
        return float(np.mean(shares))

    assert told(0.0) < 0.05
    assert told(0.5) == pytest.approx(0.5, abs=0.08)
    assert told(1.0) > 0.999


def test_the_stated_mean_holds_whatever_is_told() -> None:
    for informativeness in (0.0, 1.0):
        assert drawn(informativeness=informativeness).expected.mean() == pytest.approx(20.0)


def test_without_habit_officers_follow_the_optimum_and_with_it_they_do_not() -> None:
    def followed(habit: float) -> float:
        world = drawn(habit_strength=habit, follows_notes=0.0)
        return float(np.corrcoef(np.log1p(world.officers), np.log1p(world.optimal))[0, 1])

    assert followed(0.0) > 0.97
    assert followed(1.0) < 0.75
    still = drawn(habit_strength=1.0, follows_notes=0.0)
    typical = still.officers[still.officers > 3] / still.usual[still.officers > 3]
    assert float(np.std(np.log(typical))) < 0.3


def test_officers_go_where_facts_were_recorded_the_years_before() -> None:
    still, moved = drawn(follows_notes=0.0), drawn(follows_notes=0.6)
    first = (still.calendar["year"] == 0).to_numpy()
    np.testing.assert_array_equal(still.officers[first], moved.officers[first])
    venue = still.calendar["venue"].to_numpy()
    level = np.array([still.facts().sum(axis=1)[first & (venue == v)].mean() for v in range(24)])
    change = np.array([(moved.officers - still.officers)[~first & (venue == v)].mean() for v in range(24)])
    assert np.corrcoef(level, change)[0, 1] > 0.5


def test_the_calendar_is_in_order_and_a_match_day_is_a_day_with_a_match() -> None:
    world = drawn()
    c = world.calendar
    assert c["day"].is_monotonic_increasing and c["day"].between(0, 3 * 365 - 1).all()
    assert (c["year"] == c["day"] // 365).all() and (c["weekday"] == c["day"] % 7).all()
    matches = set(c.loc[c["kind"] == 5, "day"])
    assert (c["match_day"] == c["day"].isin(matches)).all()
    assert world.features.shape == (1350, len(FEATURES)) and int((~world.past).sum()) == 450


@pytest.mark.parametrize("change", [{"informativeness": 1.2}, {"p_recorded": 0.0}, {"n_years": 1}, {"deterrence": -1},
                                    {"incident_cost": 0.0}, {"discovery_share": -0.1}])  # fmt: skip
def test_a_law_out_of_range_is_refused(change: dict[str, float]) -> None:
    with pytest.raises(ParameterError, match=next(iter(change))):
        draw_event_world(dataclasses.replace(EventLaw(), **change), rng=stream(1, "x"))  # type: ignore[arg-type]


def test_noise_of_entry_is_scaled_not_drawn_again() -> None:
    calendar = draw_clash_calendar(n_events=300, n_works=100, n_days=30, rng=stream(2, "clashes"))
    exact, rows = calendar.entered(position_noise_m=0.0, time_noise_h=0.0, share_entered=1.0)
    np.testing.assert_array_equal(exact.x_m, calendar.true.x_m)
    assert rows.tolist() == list(range(400))
    one, _ = calendar.entered(position_noise_m=10.0, time_noise_h=1.0, share_entered=1.0)
    three, kept = calendar.entered(position_noise_m=30.0, time_noise_h=1.0, share_entered=0.8)
    np.testing.assert_allclose((three.x_m - calendar.true.x_m[kept]), 3 * (one.x_m - calendar.true.x_m)[kept])
    assert three.works.sum() == 100 and 0.7 < (len(kept) - 100) / 300 < 0.9
    assert (three.end_h - three.start_h) == pytest.approx((exact.end_h - exact.start_h)[kept])
    with pytest.raises(ParameterError, match="share_entered"):
        calendar.entered(position_noise_m=0.0, time_noise_h=0.0, share_entered=1.5)
    with pytest.raises(ParameterError, match="n_days"):
        draw_clash_calendar(n_events=1, n_works=1, n_days=0, rng=stream(2, "clashes"))


def test_at_the_optimum_what_is_left_no_longer_tells_the_danger() -> None:
    """First-order condition: incident_cost * left * per_officer = 1, up to the rounding of one officer."""
    world = drawn()
    some = world.optimal > 0
    left = world.expected * np.exp(-world.per_officer * world.optimal)
    levelled = world.law.incident_cost * left * world.per_officer
    assert some.sum() > 500
    assert (np.abs(np.log(levelled[some])) <= world.per_officer[some]).all()
