"""Days that resemble each other and people counted several times: coverage, effective numbers, and `arch` itself."""

import numpy as np
import pytest

import fairness
from contrechamp.domain.rng import stream
from fairness.serial import stationary_variance


def _counts(n_days, *, phi, mean, rng):
    """Integer autoregression with Poisson margins: correlation phi at one day."""
    out = np.empty(n_days)
    out[0] = rng.poisson(mean)
    for day in range(1, n_days):
        out[day] = rng.binomial(int(out[day - 1]), phi) + rng.poisson(mean * (1 - phi))
    return out


def test_blocks_cover_where_independent_days_do_not():
    series = [_counts(365, phi=0.7, mean=10, rng=stream(7, "ar", r)) for r in range(200)]
    found = [fairness.serial_interval(one) for one in series]
    blocks = np.mean([f.interval.low <= 10 <= f.interval.high for f in found])
    plain = np.mean([(p := fairness.mean_interval(one)).low <= 10 <= p.high for one in series])
    assert blocks >= 0.90 and plain < 0.70
    # In theory 365 × (1 - 0.7) / (1 + 0.7) = 64 days are worth as much as independent ones.
    assert 50 < np.median([f.n_effective for f in found]) < 110


def test_independent_days_lose_nearly_nothing():
    found = [fairness.serial_interval(stream(8, "iid", r).poisson(10, 365).astype(float)) for r in range(60)]
    assert np.median([f.n_effective for f in found]) > 320
    assert np.median([f.block_length for f in found]) < 3


def test_closed_form_is_the_limit_of_resampling_with_arch():
    from arch.bootstrap import StationaryBootstrap

    values = _counts(120, phi=0.6, mean=8, rng=stream(9, "arch"))
    sampler = StationaryBootstrap(7, np.arange(120), seed=stream(9, "draws"))
    means = [values[sampler.update_indices()].mean() for _ in range(6_000)]
    assert stationary_variance(values, block_length=7) == pytest.approx(np.var(means), rel=0.08)


def test_ratio_of_sums_uses_exposure_and_says_not_estimable():
    rng = stream(10, "ratio")
    hours = rng.uniform(50, 150, 200)
    false = rng.poisson(0.02 * hours).astype(float)
    found = fairness.serial_interval(false, exposure=hours)
    assert found.interval.estimate == pytest.approx(false.sum() / hours.sum())
    assert found.interval.low < 0.02 < found.interval.high
    for nothing in (
        fairness.serial_interval([1.0] * 9),
        fairness.serial_interval([2.0] * 50),
        fairness.serial_interval([0.0] * 50, exposure=[0.0] * 50),
    ):
        assert not nothing.interval.estimable and nothing.n_effective is None


def test_clusters_cover_where_rows_do_not():
    # Forty people of twenty passages; one in ten is flagged wrongly half of the time, the others never: 5 % on average.
    covered = naive = 0
    person = np.repeat(np.arange(40), 20)
    for r in range(200):
        rng = stream(11, "cluster", r)
        p = np.where(rng.random(40) < 0.1, 0.5, 0.0)
        events = rng.random(800) < p[person]
        found = fairness.cluster_rate_interval(events=events, trials=np.ones(800), clusters=person)
        rows = fairness.rate_interval(events=int(events.sum()), trials=800)
        covered += found.interval.low <= 0.05 <= found.interval.high
        naive += rows.low <= 0.05 <= rows.high
        assert found.n_effective <= 800 and found.n_clusters == 40
    assert covered >= 186 and naive < 140


def test_no_event_among_clusters_counts_clusters():
    found = fairness.cluster_rate_interval(events=[0] * 400, trials=[1] * 400, clusters=np.arange(400) % 8)
    assert found.interval.high == pytest.approx(1 - 0.025 ** (1 / 8)) and found.n_effective == 8
    one = fairness.cluster_rate_interval(events=[1, 0], trials=[1, 1], clusters=["x", "x"])
    assert not one.interval.estimable


def test_clusters_of_one_row_are_rows():
    rng = stream(12, "singletons")
    events = rng.random(500) < 0.08
    found = fairness.cluster_rate_interval(events=events, trials=np.ones(500), clusters=np.arange(500))
    rows = fairness.rate_interval(events=int(events.sum()), trials=500)
    assert (found.interval.low, found.interval.high) == pytest.approx((rows.low, rows.high), abs=1e-4)


def test_any_statistic_by_blocks_or_clusters_repeats_itself():
    values = _counts(150, phi=0.5, mean=10, rng=stream(13, "any"))
    one, two = (
        fairness.resampled_interval(np.median, values, rng=stream(13, "draw"), n_resamples=200) for _ in range(2)
    )
    assert one == two and one.interval.method == "stationary-bootstrap" and one.block_length > 1
    closed = fairness.serial_interval(values)
    mean = fairness.resampled_interval(np.mean, values, rng=stream(13, "m"), block_length=closed.block_length)
    half = (closed.interval.high - closed.interval.low) / 2
    # The closed form adds the correction for blocks centred on their own mean: a few points wider.
    assert 0.85 * half < (mean.interval.high - mean.interval.low) / 2 < 1.1 * half
    top, bottom = np.ones(90), np.full(90, 2.0)
    flat = fairness.resampled_interval(
        lambda a, b: a.sum() / b.sum(), top, bottom, clusters=np.arange(90) % 9, rng=stream(13, "c"), n_resamples=50
    )
    assert not flat.interval.estimable and flat.n_clusters == 9
