"""The closed loop against exact laws: beta-binomial, Markov chain, stationary root, arcsine, and a slow twin."""

import math
from collections import defaultdict

import numpy as np
import pytest
from scipy import stats

from contrechamp.domain.rng import stream
from fairness.feedback import AllocationRule, Arrivals, draw_history, simulate_feedback, sweep_feedback
from fairness.urns import limit_share, p_share_beyond, polya_urn

OAKLAND = {"top1": 3.68511, "top2": 2.816466, "random": 2.35592}  # daily rates, Ensign et al. (2018)


def _sigmas(hits, n, p):
    return abs(hits - n * p) / math.sqrt(n * p * (1 - p))


# --- urns ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("start", "balls"), [((2, 3), 1), ((6, 9), 3), ((0.5, 0.5), 1)])
def test_polya_urn_has_the_beta_binomial_law_at_every_finite_n(start, balls):
    n, reps = 30, 20_000
    share = polya_urn(start=start, additions=balls, n_draws=n, n_reps=reps, rng=stream(11, "bb", str(start)))
    drawn = np.rint((share[:, 0] * (sum(start) + balls * n) - start[0]) / balls).astype(int)
    expected = stats.betabinom.pmf(np.arange(n + 1), n, start[0] / balls, start[1] / balls) * reps
    assert stats.chisquare(np.bincount(drawn, minlength=n + 1), expected * reps / expected.sum()).pvalue > 0.005


@pytest.mark.parametrize("start", [(1, 1), (2, 5), (10, 10)])
def test_polya_urn_tends_to_the_beta_law(start):
    share = polya_urn(start=start, n_draws=4_000, n_reps=2_500, rng=stream(12, "beta", str(start)))[:, 0]
    assert stats.kstest(share, stats.beta(*start).cdf).pvalue > 0.01
    a, b = start
    assert share.mean() == pytest.approx(a / (a + b), abs=4 * share.std() / 50)
    assert share.var() == pytest.approx(a * b / ((a + b) ** 2 * (a + b + 1)), rel=0.12)


def test_more_colours_tend_to_dirichlet():
    share = polya_urn(start=(1, 2, 3), n_draws=1_500, n_reps=3_000, rng=stream(13, "dirichlet"))
    np.testing.assert_allclose(share.mean(axis=0), [1 / 6, 2 / 6, 3 / 6], atol=0.015)
    np.testing.assert_allclose(np.cov(share.T), stats.dirichlet([1, 2, 3]).cov(), atol=0.004)


def _mean_share_by_dynamic_programming(start, additions, n):
    """Exact E[share] of the first colour: the state is the number of draws of the first colour."""
    law = np.array([1.0])
    for t in range(n):
        k = np.arange(t + 1)
        first, second = start[0] + additions[0] * k, start[1] + additions[1] * (t - k)
        p = first / (first + second)
        law = np.r_[law * (1 - p), 0] + np.r_[0, law * p]
    k = np.arange(n + 1)
    first, second = start[0] + additions[0] * k, start[1] + additions[1] * (n - k)
    return float((law * first / (first + second)).sum())


@pytest.mark.parametrize(
    ("start", "additions", "exact"),
    [
        ((609, 379), (OAKLAND["top1"], OAKLAND["top2"]), 0.701591),
        ((6.09, 3.79), (OAKLAND["top1"], OAKLAND["top2"]), 0.836314),
        ((609, 7), (OAKLAND["top1"], OAKLAND["random"]), 0.994325),
        ((650, 250), (4, 3), 0.800844),
    ],
)
def test_discovery_only_runs_away_from_the_truth_by_the_exact_amount(start, additions, exact):
    assert _mean_share_by_dynamic_programming(start, additions, 1_000) == pytest.approx(exact, abs=2e-6)
    share = polya_urn(
        start=start, additions=np.diag(additions), n_draws=1_000, n_reps=1_500, rng=stream(14, str(start))
    )[:, 0]
    assert share.mean() == pytest.approx(exact, abs=4 * share.std() / math.sqrt(1_500))
    assert exact > additions[0] / sum(additions) + 0.1  # the truth is left behind


@pytest.mark.parametrize(
    ("discovered", "reported", "root"),
    [
        ((2, 1), (2, 1), math.sqrt(3) - 1),
        ((2, 1), (0.2, 0.1), 0.9179),
        ((1, 1), (0.5, 0.1), 0.8333),
        # residents bring a quarter of what a patrol on the spot would: rho = 0.2 in the terms of the closed loop
        ((OAKLAND["top1"], OAKLAND["top2"]), (OAKLAND["top1"] * 0.25, OAKLAND["top2"] * 0.25), 0.6826),
        ((0, 0), (3, 1), 0.75),  # nothing to discover: the truth
        ((1, 1), (2, 2), 0.5),
        ((2, 1), (0, 0), 1.0),
        ((1, 2), (0, 0), 0.0),
    ],
)
def test_reports_attenuate_and_do_not_remove_the_runaway(discovered, reported, root):
    assert limit_share(discovered=discovered, reported=reported) == pytest.approx(root, abs=6e-5)
    assert limit_share(discovered=discovered[::-1], reported=reported[::-1]) == pytest.approx(1 - root, abs=6e-5)


def test_the_urn_reaches_the_stationary_root():
    (d1, d2), (r1, r2) = (2, 1), (2, 1)
    share = polya_urn(
        start=(1, 1), additions=((d1 + r1, r2), (r1, d2 + r2)), n_draws=4_000, n_reps=300, rng=stream(15, "root")
    )[:, 0]
    assert share.mean() == pytest.approx(math.sqrt(3) - 1, abs=0.004)


# --- the closed loop -------------------------------------------------------------------------------------------------


def _exact_law(rule, rates, rho, start, n_days):
    """Law of the two counts after ``n_days`` of Bernoulli arrivals, and expected days on zone 0: a Markov chain."""
    law, days_on_first = {tuple(start): 1.0}, 0.0
    for _ in range(n_days):
        after = defaultdict(float)
        for (a, b), mass in law.items():
            p_top = 0.5 if a == b else float(a > b)
            p = a / (a + b) if rule is AllocationRule.PROPORTIONAL else p_top
            days_on_first += mass * p
            for there, p_there in ((0, p), (1, 1 - p)):
                seen = [rates[i] * (rho + (1 - rho) * (i == there)) for i in (0, 1)]
                for x in (0, 1):
                    for y in (0, 1):
                        weight = (seen[0] if x else 1 - seen[0]) * (seen[1] if y else 1 - seen[1])
                        after[a + x, b + y] += mass * p_there * weight
        law = after
    return law, days_on_first / n_days


@pytest.mark.parametrize("rule", [AllocationRule.PROPORTIONAL, AllocationRule.TOP])
@pytest.mark.parametrize(("rates", "rho"), [((0.5, 0.5), 0.0), ((0.5, 0.5), 0.3), ((0.8, 0.3), 0.4)])
def test_the_loop_has_the_law_of_its_markov_chain(rule, rates, rho):
    n_days, reps, start = 12, 20_000, (2, 2)
    law, expected_patrol = _exact_law(rule, rates, rho, start, n_days)
    runs = simulate_feedback(
        rates=rates, rho=rho, rule=rule, n_days=n_days, n_reps=reps, start=start, rng=stream(21, rule.value, str(rates))
    )
    exact = defaultdict(float)
    for (a, b), mass in law.items():
        exact[round(a / (a + b), 9)] += mass
    values, counts = np.unique(np.round(runs.recorded_share[:, 0], 9), return_counts=True)
    seen = dict(zip(values.tolist(), counts.tolist(), strict=True))
    assert set(seen) <= set(exact)
    common = [v for v, mass in exact.items() if mass * reps >= 5]
    observed = np.array([seen.get(v, 0) for v in common] + [reps - sum(seen.get(v, 0) for v in common)])
    wanted = np.array([exact[v] for v in common])
    wanted = np.r_[wanted, 1 - wanted.sum()] * reps
    if wanted[-1] < 1:
        observed, wanted = observed[:-1], wanted[:-1] * observed[:-1].sum() / wanted[:-1].sum()
    assert stats.chisquare(observed, wanted).pvalue > 0.002
    patrol = runs.patrol_share[:, 0]
    assert patrol.mean() == pytest.approx(expected_patrol, abs=4 * patrol.std() / math.sqrt(reps))


def test_proportional_patrols_with_nothing_reported_are_a_polya_urn():
    exact = p_share_beyond(start=(10, 10), n_draws=1_000, p_addition=0.5, tolerance=0.2)
    assert exact == pytest.approx(0.0593, abs=5e-5)
    runs = simulate_feedback(
        rates=(0.5, 0.5),
        rho=0,
        rule=AllocationRule.PROPORTIONAL,
        n_days=1_000,
        n_reps=4_000,
        start=(10, 10),
        rng=stream(22, "urn"),
    )
    assert _sigmas(int((runs.recorded_error > 0.2 + 1e-9).sum()), 4_000, exact) < 3.5
    # the limit law has a slightly larger tail than any finite horizon
    assert 2 * stats.beta(10, 10).cdf(0.3) == pytest.approx(0.0651, abs=5e-5)


def test_p_share_beyond_by_hand():
    # One and one, two draws: shares 3/4, 1/2, 1/4, one chance in three each.
    assert p_share_beyond(start=(1, 1), n_draws=2, tolerance=0.2) == pytest.approx(2 / 3)
    assert p_share_beyond(start=(1, 1), n_draws=2, tolerance=0.25) == 0  # strictly further
    assert p_share_beyond(start=(1, 1), n_draws=0, tolerance=0.0) == 0


def test_the_pilot_curve():
    history = draw_history(rates=(0.5, 0.5), n_days=1_000, n_reps=1_500, rng=stream(23, "pilot"))
    rhos = (0, 0.25, 0.5, 0.75, 1)
    off = {}
    for rule in (AllocationRule.TOP, AllocationRule.PROPORTIONAL):
        for rho, runs in zip(rhos, sweep_feedback(history, rule=rule, rhos=rhos, start=(10, 10)), strict=True):
            off[rule, rho] = ((runs.recorded_error > 0.2).mean(), (runs.patrol_error > 0.2).mean())
    top = {rho: off[AllocationRule.TOP, rho] for rho in rhos}
    assert top[0][0] == 1 and top[0.25][0] == 1
    assert top[0.5][0] < 0.012  # 0.3 % in a run of 6,000
    assert top[0.75][0] == top[1][0] == 0
    assert all(top[rho][1] > 0.99 for rho in (0, 0.25, 0.5, 0.75))
    # nothing to learn at rho = 1, and yet: tie-breaking alone, by the arcsine law of the lead of a coin-tossing game
    arcsine = 1 - 2 / math.pi * (math.asin(math.sqrt(0.7)) - math.asin(math.sqrt(0.3)))
    assert arcsine == pytest.approx(0.738, abs=5e-4)
    assert _sigmas(round(top[1][1] * 1_500), 1_500, arcsine) < 3.5
    assert _sigmas(round(off[AllocationRule.PROPORTIONAL, 0][0] * 1_500), 1_500, 0.0593) < 3.5
    assert all(off[AllocationRule.PROPORTIONAL, rho][0] == 0 for rho in rhos[1:])


def test_unequal_zones_settle_at_the_root_and_not_at_the_truth():
    root = limit_share(discovered=(0.3, 0.2), reported=(0.3, 0.2))
    runs = simulate_feedback(
        rates=(0.6, 0.4),
        rho=0.5,
        rule=AllocationRule.PROPORTIONAL,
        n_days=4_000,
        n_reps=200,
        start=(1, 1),
        rng=stream(24, "root"),
    )
    assert root == pytest.approx(0.6458, abs=5e-4) and root > 0.6
    assert runs.recorded_share[:, 0].mean() == pytest.approx(root, abs=0.004)


def test_unequal_voices_alone_move_patrols():
    # Equal zones; residents of the first report five times as often.
    root = limit_share(discovered=(0.25, 0.45), reported=(0.25, 0.05))
    runs = simulate_feedback(
        rates=(0.5, 0.5),
        rho=(0.5, 0.1),
        rule=AllocationRule.PROPORTIONAL,
        n_days=2_000,
        n_reps=400,
        start=(100 * root, 100 * (1 - root)),  # the approach from a level start is slow: begin there, and stay
        rng=stream(25, "voices"),
    )
    assert runs.recorded_share[:, 0].mean() == pytest.approx(root, abs=0.006)
    assert root == pytest.approx(0.6910, abs=5e-5)


def test_importance_weights_believe_the_truth_and_leave_the_file_wrong():
    runs = simulate_feedback(
        rates=(0.6, 0.4),
        rho=0,
        rule=AllocationRule.IMPORTANCE_WEIGHTED,
        n_days=1_000,
        n_reps=1_000,
        start=(10, 10),
        rng=stream(26, "weights"),
    )
    assert runs.believed_share[:, 0].mean() == pytest.approx(610 / 1_020, abs=0.004)
    # what the patrol brings back is rate × presence: (0.6 × 0.6) / (0.6 × 0.6 + 0.4 × 0.4), slowed by the start
    assert runs.recorded_share[:, 0].mean() > 0.66


def _slow_twin(history, rule, rho, start):
    """One event at a time, in plain Python."""
    n_days, zones, reps = history.incidents.shape
    marks, position = {}, 0
    for day in range(n_days):
        for zone in range(zones):
            for rep in range(reps):
                n = int(history.incidents[day, zone, rep])
                marks[day, zone, rep] = history.marks[position : position + n]
                position += n
    out = []
    for rep in range(reps):
        count, weight, on = [float(s) for s in start], [float(s) for s in start], [0] * zones
        for day in range(n_days):
            if rule is AllocationRule.TOP:
                best = [z for z in range(zones) if count[z] == max(count)]
                there = max(best, key=lambda z: history.ties[day, z, rep])
            else:
                follow = {AllocationRule.PROPORTIONAL: count, AllocationRule.FIXED: start}.get(rule, weight)
                target, there = history.dispatch[day, rep] * sum(follow), 0
                while target >= sum(follow[: there + 1]):
                    there += 1
                p_there = follow[there] / sum(follow)
            on[there] += 1
            for zone in range(zones):
                for mark in marks[day, zone, rep]:
                    if mark < rho:
                        count[zone] += 1
                        weight[zone] += 1
                    elif zone == there:
                        count[zone] += 1
                        if rule is AllocationRule.IMPORTANCE_WEIGHTED:
                            weight[zone] += 1 / p_there
        out.append(([c / sum(count) for c in count], [d / n_days for d in on]))
    return np.array([o[0] for o in out]), np.array([o[1] for o in out])


@pytest.mark.parametrize("rule", list(AllocationRule))
def test_the_fast_loop_equals_its_slow_twin(rule):
    history = draw_history(
        rates=(0.4, 1.3, 0.7), n_days=80, n_reps=6, rng=stream(27, "twin"), arrivals=Arrivals.POISSON
    )
    rhos, start = (0.0, 0.35, 1.0), (3, 1, 2)
    for rho, runs in zip(rhos, sweep_feedback(history, rule=rule, rhos=rhos, start=start), strict=True):
        recorded, patrol = _slow_twin(history, rule, rho, start)
        np.testing.assert_allclose(runs.recorded_share, recorded, rtol=1e-12)
        np.testing.assert_allclose(runs.patrol_share, patrol, rtol=1e-12)
