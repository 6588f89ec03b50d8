"""Behaviours: set frequencies, a harm label whose base rate is met exactly, a habit that is planted or is not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.rng import stream
from synthetic_data.behaviour_worlds import (
    BLUR_FACTOR,
    FREQUENCIES,
    N_BEHAVIOURS,
    draw_behaviour_world,
    draw_examples,
    draw_harm,
    draw_tracks,
    harm_rates,
)


def test_frequencies_run_from_a_tenth_to_a_hundred_thousandth() -> None:
    assert FREQUENCIES[0] == pytest.approx(0.1)
    assert FREQUENCIES[-1] == pytest.approx(1e-5)
    world = draw_behaviour_world(separation=4.0, rng=stream(1, "w"))
    assert world.frequencies.sum(axis=1) == pytest.approx([1, 1])
    assert (world.frequencies[0] == world.frequencies[1]).all()


def test_tracks_follow_the_frequencies_of_their_group() -> None:
    world = draw_behaviour_world(separation=4.0, habit_share=0.3, share_b=0.2, rng=stream(2, "w"))
    assert world.frequencies[1, world.habit] == pytest.approx(0.3)
    assert world.frequencies[0, world.habit] < 0.01
    tracks = draw_tracks(world, n=60_000, rng=stream(2, "t"))
    assert tracks.in_b.mean() == pytest.approx(0.2, abs=0.006)
    seen = np.bincount(tracks.behaviour, minlength=N_BEHAVIOURS)
    common = world.overall * 60_000 > 5
    expected = np.append(world.overall[common], world.overall[~common].sum()) * 60_000
    assert stats.chisquare(np.append(seen[common], seen[~common].sum()), expected).pvalue > 0.001


def test_a_badly_followed_track_is_four_times_as_noisy_and_no_other() -> None:
    world = draw_behaviour_world(separation=3.0, rng=stream(3, "w"))
    clear, all_blurred = (draw_tracks(world, n=4_000, blurred=b, rng=stream(3, "t")) for b in (0.0, 1.0))
    spread = [(t.descriptors - world.centres[t.behaviour]).std() for t in (clear, all_blurred)]
    assert spread == pytest.approx([1.0, BLUR_FACTOR], rel=0.02)


@given(
    st.lists(st.floats(1e-6, 1.0), min_size=2, max_size=12), st.floats(1e-4, 0.9), st.floats(-2.0, 3.0)
)  # fmt: skip
def test_the_base_rate_is_met_whatever_the_link(weights: list[float], base_rate: float, rarity: float) -> None:
    f = np.array(weights) / sum(weights)
    rates = harm_rates(f, base_rate=base_rate, rarity=rarity)
    assert (rates * f).sum() == pytest.approx(base_rate, rel=1e-6)
    assert rates.min() >= 0
    assert rates.max() <= 1 + 1e-9
    order = np.argsort(f)
    steps = np.diff(rates[order])
    assert (steps <= 1e-9).all() if rarity >= 0 else (steps >= -1e-9).all()


def test_harm_without_a_link_owes_nothing_to_the_behaviour() -> None:
    world = draw_behaviour_world(separation=3.0, rng=stream(4, "w"))
    tracks = draw_tracks(world, n=50_000, rng=stream(4, "t"))
    harm = draw_harm(tracks, rates=harm_rates(world.overall, base_rate=0.05, rarity=0.0), rng=stream(4, "h"))
    usual = tracks.behaviour == 0
    assert harm[usual].mean() == pytest.approx(harm[~usual].mean(), abs=0.01)
    rare = harm_rates(world.overall, base_rate=0.01, rarity=1.0)
    assert rare[-1] == 1.0  # a behaviour met once in a hundred thousand cannot bear a twelfth of the harm: capped
    assert rare[0] < 0.002


def test_examples_come_in_the_numbers_asked_for() -> None:
    world = draw_behaviour_world(separation=3.0, rng=stream(5, "w"))
    shown = draw_examples(world, counts=np.arange(N_BEHAVIOURS), rng=stream(5, "e"))
    assert np.bincount(shown.behaviour, minlength=N_BEHAVIOURS).tolist() == list(range(N_BEHAVIOURS))


def test_bad_parameters_are_named() -> None:
    world = draw_behaviour_world(separation=3.0, rng=stream(6, "w"))
    with pytest.raises(ParameterError, match="`separation`"):
        draw_behaviour_world(separation=0.0, rng=stream(6, "w"))
    with pytest.raises(ParameterError, match="`habit_share`"):
        draw_behaviour_world(separation=1.0, habit_share=1.0, rng=stream(6, "w"))
    with pytest.raises(ParameterError, match="`n, blurred`"):
        draw_tracks(world, n=0, rng=stream(6, "t"))
    with pytest.raises(ParameterError, match="`counts`"):
        draw_examples(world, counts=[1, 2], rng=stream(6, "t"))
    with pytest.raises(ParameterError, match="base_rate"):
        harm_rates([0.5, 0.5], base_rate=0.0, rarity=1.0)
