"""E27: placebo probabilities against closed forms and a permutation oracle, area shares against the Lorenz curve."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.intervals import Interval
from contrechamp.domain.results import Outcome
from contrechamp.domain.rng import stream
from contrechamp.experiments import e27_placebo as e27


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return e27.run(e27.Params(map_reps=30), seed=3)


def interval(outcome: Outcome, measure: str, **world: object) -> Interval:
    found = [r for r in outcome.results if r.measure == measure and world.items() <= dict(r.world).items()]
    assert len(found) == 1, (measure, world)
    return found[0].interval


@pytest.mark.parametrize(("sd", "published"), [(5.0, 0.24), (7.0, 0.31), (10.0, 0.36)])
def test_one_point_under_the_national_mean_happens_one_time_in_three_or_four(
    outcome: Outcome, sd: float, published: float
) -> None:
    exact = interval(outcome, "p_placebo_closed_form", sd=sd, comparison="national_mean").estimate
    assert exact is not None and round(exact, 2) == published
    assert exact == pytest.approx(0.5 * math.erfc(1 / (sd * math.sqrt((1 / 11) * (1 - 11 / 96))) / math.sqrt(2)))
    simulated = interval(outcome, "p_placebo", sd=sd, selection="random")
    assert simulated.estimate == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 20_000))


def test_the_three_formulas_differ_and_keep_their_order(outcome: Outcome) -> None:
    p = [
        interval(outcome, "p_placebo_closed_form", sd=5.0, comparison=c).estimate
        for c in ("national_mean", "fixed_mean", "other_departments")
    ]
    assert p == pytest.approx([0.2404, 0.2536, 0.2663], abs=5e-5)


def test_finite_population_formula_against_permutations_of_one_fixed_year() -> None:
    rng = np.random.default_rng(0)
    change = rng.standard_t(4, size=96)
    drawn = rng.permuted(np.tile(change, (20_000, 1)), axis=1)[:, :11].mean(axis=1)
    expected = e27.gap_sd(float(change.std(ddof=1)), departments=96, tested=11)
    assert drawn.std() == pytest.approx(expected, rel=0.02)


def test_choosing_last_years_worst_makes_the_headline_by_itself(outcome: Outcome) -> None:
    rise = stats.norm.expect(lambda z: z, lb=stats.norm.ppf(1 - 11 / 96)) / (11 / 96)  # mean of the top 11, large N
    for sd in (5.0, 10.0):
        mean = interval(outcome, "mean_gap_points", sd=sd, selection="worst_last_year")
        assert mean.estimate == pytest.approx(0.25 * rise * sd / 100, rel=0.03)  # transient 0.5: correlation -1/4
        chosen = interval(outcome, "p_placebo", sd=sd, selection="worst_last_year")
        assert chosen.low is not None and chosen.low > 0.7
    none = interval(outcome, "mean_gap_points", sd=5.0, selection="random")
    assert none.low is not None and none.high is not None and none.low < 0.0005 and none.high > -0.0005


def test_without_passing_movements_choosing_the_worst_changes_nothing(outcome: Outcome) -> None:
    for sd in (5.0, 7.0, 10.0):
        exact = interval(outcome, "p_placebo_closed_form", sd=sd, comparison="national_mean").estimate
        lasting = interval(outcome, "p_placebo_worst", sd=sd, transient=0.0).estimate
        assert lasting == pytest.approx(exact, abs=0.015)


@settings(max_examples=15, deadline=None)
@given(st.floats(0.0, 1.0), st.integers(1, 30))
def test_gaps_have_unit_change_variance_whatever_the_transient_share(transient: float, tested: int) -> None:
    gap = e27.placebo_gaps(
        departments=40, tested=tested, selection="random", transient=transient, reps=4000, rng=stream(1, "t")
    )
    assert gap.std() == pytest.approx(e27.gap_sd(1.0, departments=40, tested=tested), rel=0.06)


def test_gap_needed_is_where_the_closed_form_reaches_five_percent(outcome: Outcome) -> None:
    needed = interval(outcome, "gap_needed_points", sd=5.0, comparison="national_mean").estimate
    assert needed is not None
    spread = e27.gap_sd(5.0, departments=96, tested=11)
    assert stats.norm.sf(100 * needed / spread) == pytest.approx(0.05)


@pytest.mark.parametrize("sigma", [0.5, 1.0, 2.0])
def test_area_share_inverts_the_lognormal_lorenz_curve(sigma: float) -> None:
    area = e27.area_share_known_risk(0.83, sigma=sigma)
    cut = stats.norm.isf(area)
    held, _ = integrate.quad(lambda z: math.exp(sigma * z - sigma**2 / 2) * stats.norm.pdf(z), cut, cut + 20)
    assert held == pytest.approx(0.83, abs=1e-6)


def test_a_naive_map_needs_less_area_only_where_events_are_concentrated(outcome: Outcome) -> None:
    even = interval(outcome, "area_share_static_map", sigma=0.0, map="past_year")
    assert even.low is not None and even.high is not None and even.low < 0.83 < even.high  # negative control
    shares = [interval(outcome, "area_share_static_map", sigma=s, map="past_year").estimate for s in (0.0, 1.0, 2.0)]
    assert shares == sorted(shares, reverse=True)  # type: ignore[type-var]
    for sigma in (1.0, 1.5, 2.0):
        known = interval(outcome, "area_share_static_map", sigma=sigma, map="known_risk").estimate
        naive = interval(outcome, "area_share_static_map", sigma=sigma, map="past_year").estimate
        assert known is not None and naive is not None and known < naive < 0.83


def test_83_percent_without_an_area_has_no_pai(outcome: Outcome) -> None:
    assert not interval(outcome, "pai_if_area_unknown").estimable
    assert interval(outcome, "pai_given_area", area_share=0.83).estimate == pytest.approx(1.0)
    assert interval(outcome, "pai_given_area", area_share=0.05).estimate == pytest.approx(16.6)
    assert interval(outcome, "area_share_for_pai2").estimate == pytest.approx(0.415)
    assert interval(outcome, "area_share_random").estimate == 0.83


def test_same_seed_same_numbers_and_measures_are_declared(outcome: Outcome) -> None:
    small = e27.Params(reps=200, map_reps=3, n_cells=200, events_per_year=300)
    one, two = e27.run(small, seed=5), e27.run(small, seed=5, jobs=2)
    assert [r.to_dict() for r in one.results] == [r.to_dict() for r in two.results]
    assert [r.to_dict() for r in one.results] != [r.to_dict() for r in e27.run(small, seed=6).results]
    assert {r.measure for r in outcome.results} == {m.key for m in e27.MEASURES}
    assert len({r.key for r in outcome.results}) == len(outcome.results)


@pytest.mark.parametrize(
    ("change", "name"), [({"tested": 96}, "tested"), ({"captured": 1.0}, "captured"), ({"area_shares": (0.0,)}, "area")]
)
def test_bad_parameters_are_refused(change: dict[str, float], name: str) -> None:
    with pytest.raises(ParameterError, match=name):
        e27.run(e27.Params(**change), seed=0)  # type: ignore[arg-type]


@pytest.mark.parametrize(("sd", "transient"), [(2.0, 0.5), (5.0, 1.0), (5.0, 0.0)])
def test_choosing_the_worst_by_calculation_agrees_with_the_draws(outcome: Outcome, sd: float, transient: float) -> None:
    exact = interval(outcome, "p_placebo_worst_closed_form", sd=sd, transient=transient).estimate
    drawn = interval(outcome, "p_placebo_worst", sd=sd, transient=transient).estimate
    assert exact is not None
    assert drawn == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 20_000) + 0.004)


def test_moments_of_the_worst_ones_gap_against_a_slow_simulation() -> None:
    rng, reps = np.random.default_rng(5), 40_000
    last = rng.standard_normal((reps, 30))
    now = -0.4 * last + math.sqrt(1 - 0.4**2) * rng.standard_normal((reps, 30))
    worst = np.argsort(-last, axis=1)[:, :5]
    gap = now.mean(axis=1) - np.take_along_axis(now, worst, axis=1).mean(axis=1)
    mean, around = e27.worst_gap_moments(departments=30, tested=5, transient=0.8)
    assert gap.mean() == pytest.approx(mean, abs=4 * gap.std() / math.sqrt(reps))
    assert gap.std() == pytest.approx(around, rel=0.03)


def test_full_profile_is_the_registers() -> None:
    full = e27.Params.full()
    assert (full.departments, full.tested, full.captured) == (96, 11, 0.83)
    assert full.reps >= 200 and full.map_reps >= 200
    assert {5.0, 7.0, 10.0} <= set(full.sds_points)
