"""Closed forms of the small loops: published values, enumeration of every path, and simulation."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.rng import stream
from fairness.corrected_urns import Correction, corrected_urn
from fairness.limits import (
    equal_rates_law,
    expected_share,
    expected_share_rejection,
    greedy_law,
    inverse_probability_law,
    rejection_limit,
    runaway_exponent,
)
from fairness.urns import limit_share

TOP1, TOP2, RANDOM = 3.68511, 2.816466, 2.35592


@pytest.mark.parametrize(
    ("start", "additions", "published"),
    [
        ((609, 379), (TOP1, TOP2), 0.701591),
        ((6.09, 3.79), (TOP1, TOP2), 0.836314),
        ((609, 7), (TOP1, RANDOM), 0.994325),
        ((650, 250), (4, 3), 0.800844),
    ],
)
def test_expected_share_after_a_thousand_draws(start, additions, published):
    path = expected_share(start=start, additions=additions, n_draws=1_000)
    assert path[-1] == pytest.approx(published, abs=5e-7)
    assert path[0] == start[0] / sum(start)
    assert (np.diff(path) > 0).all()  # never a day's rest on the way to 1


def _every_path(start, step, n):
    """Mean share by walking the whole tree, in exact fractions; ``step(counts, colour)`` lists (chance, counts)."""
    law = {tuple(map(Fraction, start)): Fraction(1)}
    means = []
    for t in range(n + 1):
        means.append(float(sum(p * c[0] / sum(c) for c, p in law.items())))
        after = {}
        for counts, p in law.items() if t < n else ():
            for colour in (0, 1):
                for chance, then in step(counts, colour):
                    after[then] = after.get(then, 0) + p * counts[colour] / sum(counts) * chance
        law = after
    return means


def test_expected_share_is_the_mean_over_every_path():
    table = ((3, 1), (2, 4))

    def step(c, colour):
        return [(Fraction(1), (c[0] + table[colour][0], c[1] + table[colour][1]))]

    np.testing.assert_allclose(
        expected_share(start=(2, 5), additions=table, n_draws=9), _every_path((2, 5), step, 9), rtol=1e-13
    )


def test_rejection_is_the_mean_over_every_path():
    rates = (Fraction(3), Fraction(2))

    def step(c, colour):
        keep = min(Fraction(1), c[1 - colour] / c[colour])
        then = tuple(c[k] + rates[k] * (k == colour) for k in (0, 1))
        return [(keep, then), (1 - keep, c)]

    np.testing.assert_allclose(
        expected_share_rejection(start=(7, 2), rates=(3, 2), n_draws=8), _every_path((7, 2), step, 8), rtol=1e-13
    )


def test_rejection_leads_to_the_truth_and_takes_its_time():
    assert rejection_limit(rates=(TOP1, TOP2)) == pytest.approx(0.5668, abs=5e-5)
    late = expected_share_rejection(start=(609, 7), rates=(TOP1, RANDOM), n_draws=1_000)[-1]
    assert late == pytest.approx(0.843, abs=5e-4)
    assert rejection_limit(rates=(TOP1, RANDOM)) == pytest.approx(0.610, abs=5e-5)
    weak = corrected_urn(
        start=(6.09, 3.79), rates=(TOP1, TOP2), n_draws=10_000, n_reps=150, correction=Correction.REJECTION,
        rng=stream(31, "rejection"),
    ).share[:, 0]  # fmt: skip
    assert weak.mean() == pytest.approx(0.5668, abs=4 * weak.std() / math.sqrt(150))
    assert weak.std() == pytest.approx(0.005, abs=0.002)


def test_equal_rates_tend_to_the_beta_law_and_learn_nothing():
    law = equal_rates_law(start=(6, 4), rate=2)
    assert (law.a, law.b) == (3, 2)
    assert (law.mean, law.variance) == (pytest.approx(0.6), pytest.approx(stats.beta(3, 2).var()))
    share = corrected_urn(start=(6, 4), rates=(2, 2), n_draws=3_000, n_reps=3_000, rng=stream(32, "beta")).share[:, 0]
    assert stats.kstest(share, stats.beta(3, 2).cdf).pvalue > 0.01
    assert expected_share(start=(6, 4), additions=(2, 2), n_draws=50) == pytest.approx(0.6)  # a martingale
    assert equal_rates_law(start=(10, 10)).p_beyond(tolerance=0.2) == pytest.approx(0.0651, abs=5e-5)


def test_unequal_rates_run_away_at_the_power_they_should():
    exponent = runaway_exponent(rates=(3, 1))
    assert exponent == pytest.approx(1 / 3)
    other = 1 - expected_share(start=(3, 3), additions=(3, 1), n_draws=6_000)[[750, 6_000]]
    # eight times longer: the other share is divided by 8^(2/3) = 4
    assert other[0] / other[1] == pytest.approx(8 ** (1 - exponent), rel=0.06)


@pytest.mark.parametrize(
    ("discovered", "reported", "root"),
    [((2, 1), (2, 1), math.sqrt(3) - 1), ((2, 1), (0.2, 0.1), 0.9179), ((TOP1, TOP2), (TOP1 / 4, TOP2 / 4), 0.6826)],
)
def test_with_reports_the_expected_share_goes_to_the_root(discovered, reported, root):
    assert limit_share(discovered=discovered, reported=reported) == pytest.approx(root, abs=5e-5)
    table = ((discovered[0] + reported[0], reported[1]), (reported[0], discovered[1] + reported[1]))
    path = expected_share(start=(root, 1 - root), additions=table, n_draws=3_000)
    assert path[-1] == pytest.approx(root, abs=0.02)
    truth = discovered[0] / sum(discovered)
    assert path[-1] > truth + 0.05  # attenuated, not removed


@pytest.mark.parametrize(("rate", "p"), [(2.0, 0.5), (0.3, 0.01), (3.7, 1.0), (0.0, 0.2)])
def test_inverse_probability_moments_by_summation(rate, p):
    found = np.arange(80)
    chance = stats.poisson.pmf(found, rate)
    mean = (p * chance * found / p).sum()
    variance = (p * chance * (found / p) ** 2).sum() - mean**2
    law = inverse_probability_law(rate=rate, p=p)
    assert (law.mean, law.variance) == (pytest.approx(mean, abs=1e-9), pytest.approx(variance, abs=1e-9))


def test_inverse_probability_weights_are_right_on_average_at_every_step():
    # The urn runs away; the weighted finds of its first ten draws, and of all, still average to the rates.
    for draws in (1, 10, 400):
        found = corrected_urn(
            start=(609, 379), rates=(TOP1, TOP2), n_draws=draws, n_reps=8_000 if draws < 100 else 1_000, poisson=True,
            rng=stream(33, "weights", draws),
        ).weighted_rate  # fmt: skip
        error = found.std(axis=0) / math.sqrt(len(found))
        assert (np.abs(found.mean(axis=0) - (TOP1, TOP2)) < 4 * error).all()
        assert error.max() < 0.1


def test_the_first_leader_keeps_everything():
    shares = greedy_law(start=(11, 10), rates=(1, 5), n_days=1_000)
    by_hand = sum(stats.poisson.pmf(k, 1_000) * 10 / (21 + k) for k in range(2_000))
    assert shares[1] == pytest.approx(by_hand, rel=1e-9)
    assert shares.sum() == pytest.approx(1)
    assert greedy_law(start=(1, 2, 3), rates=(9, 9, 0), n_days=50).tolist() == pytest.approx([1 / 6, 2 / 6, 3 / 6])
    with pytest.raises(ParameterError, match="single zone"):
        greedy_law(start=(10, 10), rates=(1, 5), n_days=10)


def test_decay_with_rejection_settles_on_the_truth_and_without_runs_away():
    kept, lost = (
        corrected_urn(
            start=(609, 379), rates=(TOP1, TOP2), n_draws=1_000, n_reps=300, poisson=True, decay=0.01,
            correction=correction, rng=stream(34, "decay"),
        ).share[:, 0]
        for correction in (Correction.REJECTION, Correction.NONE)
    )  # fmt: skip
    assert kept.mean() == pytest.approx(0.5668, abs=0.012)
    assert lost.mean() > 0.88


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: expected_share(start=(0, 1), additions=(1, 1), n_draws=3), "start"),
        (lambda: expected_share(start=(1, 1), additions=(1, -1), n_draws=3), "additions"),
        (lambda: expected_share(start=(1, 1), additions=(1, 1), n_draws=-1), "n_draws"),
        (lambda: expected_share_rejection(start=(1, 1), rates=(1, 1), n_draws=5_000), "corrected_urn"),
        (lambda: runaway_exponent(rates=(2, 2)), "equal_rates_law"),
        (lambda: inverse_probability_law(rate=1, p=0), "never visited"),
        (lambda: equal_rates_law(start=(1, 1), rate=0), "rate"),
        (
            lambda: corrected_urn(start=(1, 1), rates=(1, 1), n_draws=3, n_reps=2, decay=1.0, rng=stream(1, "x")),
            "decay",
        ),
        (
            lambda: corrected_urn(
                start=(1, 1), rates=(1, 1), n_draws=3, n_reps=2, checkpoints=(2, 1), rng=stream(1, "x")
            ),
            "increasing",
        ),
    ],
)
def test_wrong_numbers_are_refused_with_a_remedy(call, match):
    with pytest.raises(ParameterError, match=match):
        call()


def test_checkpoints_of_an_urn_are_the_same_whatever_else_is_read():
    common = {"start": (2, 1), "rates": (1, 1), "n_draws": 30, "n_reps": 5}
    whole = corrected_urn(**common, checkpoints=range(31), rng=stream(35, "read"))
    last = corrected_urn(**common, rng=stream(35, "read"))
    np.testing.assert_array_equal(whole.share[:, [-1]], last.share)
    assert whole.share[:, 0] == pytest.approx(2 / 3)
    assert all(len(set(pair)) == 2 for pair in itertools.pairwise(whole.checkpoints))
