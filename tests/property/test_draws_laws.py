"""Laws of what the streams of rescue and services share."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contrechamp.domain.errors import ParameterError
from synthetic_data.streams.draws import Crowd, Rhythm, age_band, identities, numbered, remainder


@settings(max_examples=60, deadline=None)
@given(
    quarter=st.lists(st.integers(0, 5), min_size=1, max_size=40),
    silent=st.integers(0, 5),
    asked=st.lists(st.integers(0, 5), max_size=40),
    seed=st.integers(0, 10_000),
)
def test_a_crowd_gives_persons_of_the_quarter_and_never_one_of_no_weight(quarter, silent, asked, seed):
    lives = np.array(quarter)
    weight = np.where(np.arange(len(lives)) % 3 == silent % 3, 0.0, 1.0 + np.arange(len(lives)))
    if not weight.any():
        weight[:] = 1.0
    drawn = Crowd(lives, 6, weight=weight).draw(np.array(asked, dtype=np.int64), rng=np.random.default_rng(seed))
    assert (weight[drawn] > 0).all()
    for q, person in zip(asked, drawn.tolist(), strict=True):
        if weight[lives == q].any():
            assert lives[person] == q


def test_a_crowd_draws_in_proportion_to_weight():
    lives, weight = np.array([1, 0, 1, 0, 1]), np.array([1.0, 5.0, 2.0, 5.0, 7.0])
    drawn = Crowd(lives, 2, weight=weight).draw(np.ones(40_000, dtype=np.int64), rng=np.random.default_rng(3))
    share = np.bincount(drawn, minlength=5) / 40_000
    assert share == pytest.approx([0.1, 0, 0.2, 0, 0.7], abs=4 * np.sqrt(0.25 / 40_000))


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 24), st.floats(0.1, 24), st.floats(0, 1), st.integers(0, 1000))
def test_a_rhythm_is_a_law_of_the_hours_of_the_day(peak, spread, floor, seed):
    rhythm = Rhythm(peak, spread, floor)
    law = rhythm.hour_law()
    assert law.sum() == pytest.approx(1.0)
    assert law.min() >= floor / 48 - 1e-12
    second = rhythm.seconds(50, rng=np.random.default_rng(seed))
    assert ((second >= 0) & (second < 86_400)).all()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 50), max_size=30))
def test_numbers_follow_time_and_identities_follow_persons(times):
    ids = numbered("X", np.array(times, dtype=np.int64))
    assert ids.is_unique
    assert ids.iloc[np.argsort(times, kind="stable")].is_monotonic_increasing
    persons = np.array(times, dtype=np.int64) - 1
    shown = identities("caller", persons)
    assert np.array_equal(shown["caller_name"].isna(), persons < 0)
    for name, phone in zip(shown["caller_name"].dropna(), shown["caller_phone"].dropna(), strict=True):
        assert name
        assert phone[:2] in ("06", "01", "02", "03", "04", "05")


def test_bands_of_ages_and_remainders():
    assert age_band(np.array([0, 14, 15, 29, 30, 59, 60, 99])).tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert remainder(10.0, 4.0, name="x", why="y") == 6.0
    with pytest.raises(ParameterError, match=r"`services.x` value.*what y bring.*Got 3 per day for 4\.0"):
        remainder(3.0, 4.0, name="x", why="y")
