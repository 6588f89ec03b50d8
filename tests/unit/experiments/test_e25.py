"""E25: trends in counts, against a second implementation, closed forms and a service that never moves."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import statsmodels.api as sm

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.rng import stream
from contrechamp.experiments import e25_counts_by_effort as e25
from fairness.trends import chapman, log_slopes
from synthetic_data.effort_worlds import WEEKS_PER_YEAR, draw_effort_worlds

SMALL = dataclasses.replace(e25.Params.quick(), worlds=25, per_weeks=(30.0,))
YEARS = np.arange(104) / WEEKS_PER_YEAR


def _result(outcome: object, measure: str, **world: object) -> object:
    found = [
        r for r in outcome.results  # type: ignore[attr-defined]
        if r.measure == measure and all(r.world.get(k) == v for k, v in world.items())
    ]  # fmt: skip
    assert len(found) == 1
    return found[0].interval


@pytest.mark.parametrize("season", [None, 1.0])
def test_slopes_are_those_of_a_generalised_linear_model(season: float | None) -> None:
    rng = np.random.default_rng(0)
    counts, hours = rng.poisson(rng.gamma(2, 3, (5, 104))), rng.gamma(4, 1, (5, 104))
    ours = log_slopes(counts, times=YEARS, exposure=hours, season=season)
    design = [np.ones(104), YEARS]
    if season:
        design += [np.sin(2 * np.pi * YEARS), np.cos(2 * np.pi * YEARS)]
    for i in range(5):
        fit = sm.GLM(counts[i], np.column_stack(design), family=sm.families.Poisson(), exposure=hours[i]).fit(
            scale="X2", use_t=True
        )
        assert ours.slope[i] == pytest.approx(fit.params[1], rel=1e-7)
        assert ours.dispersion[i] == pytest.approx(max(fit.scale, 1), rel=1e-7)
        low, high = fit.conf_int()[1]
        assert (ours.low[i], ours.high[i]) == pytest.approx((low, high), rel=1e-5)


def test_no_event_is_no_slope_and_bad_input_is_named() -> None:
    nothing = log_slopes(np.zeros((2, 104)), times=YEARS)
    assert np.isnan(nothing.slope).all()
    assert np.isnan(nothing.low).all()
    one = np.zeros(104)
    one[50] = 1
    assert np.isfinite(log_slopes(one, times=YEARS).slope)
    with pytest.raises(ParameterError, match="exposure"):
        log_slopes(np.ones(104), times=YEARS, exposure=np.zeros(104))
    with pytest.raises(ParameterError, match="three distinct"):
        log_slopes(np.ones(2), times=[0.0, 1.0])
    with pytest.raises(ParameterError, match="`both`"):
        chapman([3], [2], [3])


def test_recapture_is_right_when_lists_are_independent_and_low_when_not() -> None:
    ratio = {}
    for dependence in (0.0, 0.5):
        world = draw_effort_worlds(n_worlds=20, per_week=300.0, dependence=dependence, rng=stream(1, "recapture"))
        guess = chapman(world.recorded, world.other, world.both)
        ratio[dependence] = guess.sum() / world.present.sum()
        assert (world.both <= np.minimum(world.recorded, world.other)).all()
        assert (world.recorded <= world.present).all()
    assert ratio[0.0] == pytest.approx(1.0, abs=0.02)
    assert ratio[0.5] < 0.8


def test_what_is_seen_follows_the_closed_form() -> None:
    world = draw_effort_worlds(n_worlds=30, per_week=200.0, visibility=0.3, rng=stream(2, "seen"))
    p = 1 - 0.7**world.hours
    assert world.recorded.sum() == pytest.approx((world.present * p).sum(), rel=0.003)
    assert world.other.sum() / world.present.sum() == pytest.approx(1 - 0.7**0.5, rel=0.005)


def test_a_service_that_never_moves_covers_at_its_rate_and_reads_most_signs() -> None:
    world = draw_effort_worlds(
        n_worlds=120, effort_trend_sd=0.0, campaigns_per_year=0.0, noise_sd=0.0, rng=stream(3, "still")
    )
    rows = e25.score_cities(world).set_index("estimator")
    raw = rows.loc["raw"]
    covered = raw["covered"].sum() / raw["districts"].sum()
    assert 0.93 < covered < 0.97
    assert abs(raw["bias"].mean()) < 4 * raw["bias"].std() / np.sqrt(len(raw))
    assert (
        raw["right"].to_numpy() == rows.loc["per-hour", "right"].to_numpy()
    ).all()  # hours that do not move correct nothing


def test_the_verdict_turns_with_effort_and_hours_bring_it_back() -> None:
    out = e25.run(SMALL, seed=1)
    still = _result(out, "sign_agreement", effort_trend_sd=0.0, estimator="raw")
    against = _result(out, "sign_agreement", effort_trend_sd=0.4, steering=-0.8, estimator="raw")
    along = _result(out, "slope_bias", effort_trend_sd=0.4, steering=0.8, estimator="raw")
    assert still.low > 0.9 > 0.7 > against.high  # type: ignore[attr-defined]
    assert along.low > 0.15  # right sign, twice the slope  # type: ignore[attr-defined]
    assert _result(out, "gain_of_hours", effort_trend_sd=0.4, steering=-0.8).low > 0.4  # type: ignore[attr-defined]
    assert still.n == 25 * 16  # type: ignore[attr-defined]


def test_same_numbers_for_any_number_of_workers() -> None:
    one, two = (e25.run(SMALL, seed=4, jobs=jobs) for jobs in (1, 2))
    assert one.tables["e25_cities"].equals(two.tables["e25_cities"])
    assert [r.interval for r in one.results] == [r.interval for r in two.results]


@pytest.mark.parametrize("change", [{"worlds": 1}, {"n_weeks": 10}, {"trend_size": 0.0}, {"steerings": ()}])
def test_bad_parameters_are_named(change: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match=f"`{next(iter(change))}`"):
        e25.run(dataclasses.replace(SMALL, **change), seed=1)  # type: ignore[arg-type]
