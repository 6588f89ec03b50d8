"""The closed loop: pairing, degenerate cases, refusals."""

import numpy as np
import pytest

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.rng import stream
from fairness.feedback import AllocationRule, Arrivals, draw_history, simulate_feedback, sweep_feedback
from fairness.urns import limit_share, p_share_beyond, polya_urn


@pytest.fixture(scope="module")
def history():
    return draw_history(rates=(0.5, 0.3), n_days=120, n_reps=50, rng=stream(1, "feedback"))


def test_when_everything_is_reported_the_rule_cannot_touch_the_file(history):
    recorded = [sweep_feedback(history, rule=r, rhos=(1.0,), start=(10, 10))[0].recorded_share for r in AllocationRule]
    for other in recorded[1:]:
        np.testing.assert_array_equal(recorded[0], other)


@pytest.mark.parametrize("rule", list(AllocationRule))
def test_a_point_of_the_curve_does_not_depend_on_its_neighbours(history, rule):
    alone = sweep_feedback(history, rule=rule, rhos=(0.3,), start=(10, 10), checkpoints=(0, 60, 120))[0]
    among = sweep_feedback(history, rule=rule, rhos=(0.0, 0.3, 0.9), start=(10, 10), checkpoints=(0, 60, 120))[1]
    for name in ("recorded_share", "patrol_share", "believed_share", "drift_day", "path"):
        np.testing.assert_array_equal(getattr(alone, name), getattr(among, name))


@pytest.mark.parametrize("rule", list(AllocationRule))
def test_shares_are_shares_and_paths_end_at_the_end(history, rule):
    runs = sweep_feedback(history, rule=rule, rhos=(0.4,), start=(4, 12), checkpoints=(0, 120))[0]
    for share in (runs.recorded_share, runs.patrol_share, runs.believed_share):
        np.testing.assert_allclose(share.sum(axis=1), 1)
        assert share.shape == (50, 2)
    np.testing.assert_allclose(runs.path[0], np.tile([0.25, 0.75], (50, 1)))
    np.testing.assert_array_equal(runs.path[1], runs.recorded_share)
    np.testing.assert_allclose(runs.true_share, [0.625, 0.375])


def test_drift_day_is_the_first_day_beyond_the_threshold(history):
    days = tuple(range(121))
    runs = sweep_feedback(
        history, rule=AllocationRule.TOP, rhos=(0.0,), start=(10, 10), drift_threshold=0.15, checkpoints=days
    )[0]
    beyond = np.abs(runs.path - runs.true_share).max(axis=2)[1:] > 0.15 + 1e-9
    expected = np.where(beyond.any(axis=0), beyond.argmax(axis=0) + 1.0, np.inf)
    np.testing.assert_array_equal(runs.drift_day, expected)
    assert np.isfinite(expected).any()


def test_the_first_leader_keeps_every_patrol_whatever_the_rates():
    runs = simulate_feedback(
        rates=(1, 5),
        rho=0,
        rule=AllocationRule.TOP,
        n_days=500,
        n_reps=20,
        start=(11, 10),
        rng=stream(2, "lock"),
        arrivals=Arrivals.POISSON,
    )
    assert (runs.patrol_share == [1.0, 0.0]).all()
    assert (runs.recorded_share[:, 0] > 0.97).all()  # the zone with five times fewer incidents fills the file


def test_a_fixed_allocation_keeps_the_shares_of_the_start(history):
    runs = sweep_feedback(history, rule=AllocationRule.FIXED, rhos=(0.0, 0.9), start=(30, 10))
    np.testing.assert_array_equal(runs[0].patrol_share, runs[1].patrol_share)
    assert runs[0].patrol_share[:, 0].mean() == pytest.approx(0.75, abs=0.02)
    assert (runs[0].believed_share == [0.75, 0.25]).all()


def test_more_willing_residents_never_lose_a_report(history):
    from fairness.feedback import _reported

    told = _reported(history, np.array([[0.2, 0.2], [0.3, 0.3], [1.0, 1.0]])).reshape(120, 2, 3, 50)
    assert (told[:, :, 0] <= told[:, :, 1]).all() and (told[:, :, 1] <= told[:, :, 2]).all()
    np.testing.assert_array_equal(told[:, :, 2], history.incidents)


@pytest.mark.parametrize(
    ("call", "fragment"),
    [
        (lambda h: draw_history(rates=(0.5,), n_days=1, n_reps=1, rng=stream(1, "x")), "two or more numbers in (0, 1]"),
        (lambda h: draw_history(rates=(2, 1), n_days=1, n_reps=1, rng=stream(1, "x")), "Arrivals.POISSON"),
        (lambda h: draw_history(rates=(0.5, 0.5), n_days=0, n_reps=1, rng=stream(1, "x")), "at least 1. Got (0, 1)"),
        (lambda h: sweep_feedback(h, rule=AllocationRule.TOP, rhos=(1.2,), start=(1, 1)), "`rho` parameter"),
        (lambda h: sweep_feedback(h, rule=AllocationRule.TOP, rhos=(), start=(1, 1)), "at least one share"),
        (lambda h: sweep_feedback(h, rule=AllocationRule.TOP, rhos=(0,), start=(0, 1)), "one per zone"),
        (lambda h: sweep_feedback(h, rule=AllocationRule.TOP, rhos=(0,), start=(1, 1), checkpoints=(999,)), "0 to 120"),
        (lambda h: polya_urn(start=(1, 0), n_draws=1, n_reps=1, rng=stream(1, "x")), "numbers above 0"),
        (lambda h: limit_share(discovered=(1, 1), reported=(0, 0)), "the limit is random"),
        (lambda h: p_share_beyond(start=(1, 1), n_draws=5, tolerance=20), "share in [0, 1]. Got 20"),
    ],
)
def test_bad_parameters_say_what_to_do(history, call, fragment):
    with pytest.raises(ParameterError) as caught:
        call(history)
    assert fragment in str(caught.value)
