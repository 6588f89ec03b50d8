"""E28: rates in pure noise against 1 - 0.95^K, corrections against statsmodels, controls with and without an effect."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.intervals import Interval
from contrechamp.domain.results import Outcome
from contrechamp.experiments import e28_forking_paths as e28


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return e28.run(e28.Params.quick(), seed=11)


def interval(outcome: Outcome, measure: str, **world: object) -> Interval:
    found = [r for r in outcome.results if r.measure == measure and dict(r.world) == world]
    assert len(found) == 1, (measure, world)
    return found[0].interval


def test_thirteen_looks_at_noise_find_something_one_time_in_two(outcome: Outcome) -> None:
    got = interval(outcome, "p_any_finding", K=13, safeguard="none")
    assert got.estimate is not None and got.low is not None and got.high is not None
    assert (got.high - got.low) / 2 < 0.016
    assert got.estimate == pytest.approx(1 - 0.95**13, abs=4 * np.sqrt(0.487 * 0.513 / 4000))
    assert round(1 - 0.95**13, 2) == 0.49 and round(1 - 0.95**30, 2) == 0.79


@pytest.mark.parametrize("k", [1, 5, 13, 30])
@pytest.mark.parametrize("safeguard", e28.SAFEGUARDS)
def test_rates_agree_with_the_closed_form(outcome: Outcome, k: int, safeguard: e28.Safeguard) -> None:
    expected = interval(outcome, "p_any_theory", K=k, safeguard=safeguard).estimate
    got = interval(outcome, "p_any_finding", K=k, safeguard=safeguard).estimate
    assert expected is not None and got is not None
    assert got == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / 4000) + 1 / 4000)


@pytest.mark.parametrize("safeguard", ["preregistered", "holm", "benjamini-hochberg", "locked_year"])
def test_with_a_safeguard_the_nominal_rate_is_at_most_five_percent(outcome: Outcome, safeguard: str) -> None:
    theory = interval(outcome, "p_any_theory", K=13, safeguard=safeguard).estimate
    got = interval(outcome, "p_any_finding", K=13, safeguard=safeguard)
    assert theory is not None and theory <= 0.05
    assert got.low is not None and got.high is not None and got.low <= 0.05
    if safeguard == "locked_year":
        assert got.high < 0.05


def test_one_best_finding_in_forty_survives_the_locked_year(outcome: Outcome) -> None:
    got = interval(outcome, "share_surviving", K=30)
    assert got.low is not None and got.high is not None and got.low < 0.035 and got.high > 0.015
    assert got.n == int(outcome.tables["E28_looks"].query("K == 30")["none"].sum())


def test_a_planted_effect_is_found_under_every_safeguard(outcome: Outcome) -> None:
    for safeguard in e28.SAFEGUARDS:
        assert (interval(outcome, "p_planted_found", K=13, safeguard=safeguard).estimate or 0) > 0.9, safeguard


def test_when_days_resemble_each_other_the_corrections_no_longer_hold(outcome: Outcome) -> None:
    for safeguard in ("preregistered", "holm", "benjamini-hochberg"):
        low = interval(outcome, "p_any_finding_autocorrelated", K=13, safeguard=safeguard).low
        assert low is not None and low > 0.05, safeguard


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.02, 1.0))
def test_corrections_agree_with_statsmodels(seed: int, shape: float) -> None:
    p = np.random.default_rng(seed).beta(shape, 1.0, size=(6, 6))  # many small values when the shape is small
    for safeguard, method in (("holm", "holm"), ("benjamini-hochberg", "fdr_bh")):
        slow = [multipletests(row, alpha=0.05, method=method)[0] for row in p]
        fast = e28.any_rejected(p, safeguard=safeguard, alpha=0.05)  # type: ignore[arg-type]
        assert fast.tolist() == [bool(s.any()) for s in slow]
        looks = e28.Looks(p, p, p, p)
        first = e28._found_planted(looks, k=6, safeguard=safeguard, alpha=0.05)  # type: ignore[arg-type]
        assert first.tolist() == [bool(s[0]) for s in slow]


def test_pearson_agrees_with_scipy_and_a_constant_series_finds_nothing() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((3, 4, 50)), rng.poisson(5.0, (3, 2, 50)).astype(float)
    y[0, 1] = 7.0
    r, p = e28.pearson(x, y)
    assert r.shape == p.shape == (3, 8)
    for i, outcome_no, stream_no in [(0, 0, 3), (1, 1, 2), (2, 0, 0)]:
        slow = stats.pearsonr(x[i, stream_no], y[i, outcome_no])
        at = outcome_no * 4 + stream_no
        assert (r[i, at], p[i, at]) == (pytest.approx(slow.statistic), pytest.approx(slow.pvalue))
    assert (r[0, 4:] == 0).all() and (p[0, 4:] == 1).all()


def test_survival_needs_the_same_direction_and_the_best_analysis() -> None:
    p = np.array([[0.01, 0.04], [0.01, 0.04], [0.01, 0.04], [0.20, 0.06]])
    r = np.full((4, 2), 0.2)
    locked_p = np.array([[0.01, 0.9], [0.01, 0.9], [0.9, 0.01], [0.01, 0.01]])
    locked_r = np.array([[0.2, 0.2], [-0.2, 0.2], [0.2, 0.2], [0.2, 0.2]])
    shown, kept = e28.survives(e28.Looks(p, r, locked_p, locked_r), k=2, alpha=0.05)
    assert shown.tolist() == [True, True, True, False]
    assert kept.tolist() == [True, False, False, False]


def test_series_have_unit_variance_and_the_stated_memory() -> None:
    x = e28._series(np.random.default_rng(3), (400, 300), 0.7)
    assert x.var() == pytest.approx(1.0, abs=0.03)
    assert x[:, 0].var() == pytest.approx(1.0, abs=0.25)
    assert (x[:, 1:] * x[:, :-1]).mean() == pytest.approx(0.7, abs=0.03)


def test_same_seed_same_numbers_with_one_and_two_workers(outcome: Outcome) -> None:
    small = e28.Params(looks=(1, 4), n_streams=3, n_days=30, reps=600, extra_reps=300)
    one, two = e28.run(small, seed=5), e28.run(small, seed=5, jobs=2)
    assert [r.to_dict() for r in one.results] == [r.to_dict() for r in two.results]
    assert [r.to_dict() for r in one.results] != [r.to_dict() for r in e28.run(small, seed=6).results]
    assert {r.measure for r in outcome.results} == {m.key for m in e28.MEASURES}
    assert len({r.key for r in outcome.results}) == len(outcome.results)


@pytest.mark.parametrize(
    ("change", "name"), [({"looks": (0,)}, "looks"), ({"alpha": 5.0}, "alpha"), ({"n_days": 2}, "n_days")]
)
def test_bad_parameters_are_refused(change: dict[str, float], name: str) -> None:
    with pytest.raises(ParameterError, match=name):
        e28.run(e28.Params(**change), seed=0)  # type: ignore[arg-type]
