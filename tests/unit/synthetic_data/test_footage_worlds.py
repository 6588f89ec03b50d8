"""Searching footage: closed forms of time and of misses, and what starting again by hand changes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.rng import stream
from synthetic_data.footage_worlds import Footage, Looking, p_notice, search_footage

ONE = Footage(cameras=5, window_h=24.0, vehicles_per_camera_hour=50.0, share_red=0.05, passages=1)
SURE = Looking(p_notice=1.0, fatigue=0.0)


def test_one_passage_and_an_eye_that_misses_nothing_take_half_of_the_whole() -> None:
    found = search_footage(ONE, SURE, recall=1.0, false_positive=0.01, n=20_000, rng=stream(1, "c"))
    whole = 5 * 24 / 4
    clips = 5 * 24 * 50 * (0.05 + 0.95 * 0.01) + 1
    assert found.manual_found.all()
    assert found.filter_found.all()
    assert np.median(found.manual_h) == pytest.approx(whole / 2, rel=0.02)
    assert np.median(found.filter_h) == pytest.approx(2 / 60 + clips / 2 * 8 / 3600, rel=0.02)
    assert found.clips.mean() == pytest.approx(clips, rel=0.01)
    assert found.again_h.max() == 0


def test_k_passages_are_found_after_one_part_in_k_plus_one_on_average() -> None:
    for k in (1, 3, 6):
        footage = dataclasses.replace(ONE, passages=k)
        found = search_footage(footage, SURE, recall=1.0, false_positive=0.0, n=20_000, rng=stream(2, "c"))
        assert found.manual_h.mean() == pytest.approx(30 / (k + 1), rel=0.03)


def test_misses_of_the_filter_alone_and_of_both_together() -> None:
    looking = Looking(p_notice=0.9, fatigue=0.0)
    found = search_footage(ONE, looking, recall=0.7, false_positive=0.01, n=40_000, rng=stream(3, "c"))
    assert (~found.filter_found).mean() == pytest.approx(1 - 0.7 * 0.9, abs=0.008)
    assert (~found.manual_found).mean() == pytest.approx(0.1, abs=0.006)
    assert (~found.again_found).mean() == pytest.approx((1 - 0.63) * 0.1, abs=0.004)
    assert (found.again_h[found.filter_found] == 0).all()
    assert found.again_h[~found.filter_found].min() > 0


def test_a_filter_that_keeps_nothing_costs_its_setting_up_and_then_all_by_hand() -> None:
    footage = dataclasses.replace(ONE, share_red=0.0)
    found = search_footage(footage, SURE, recall=0.0, false_positive=0.0, n=500, rng=stream(4, "c"))
    assert (found.clips == 0).all()
    assert found.filter_h == pytest.approx(np.full(500, 2 / 60))
    assert found.again_found.all()
    assert found.again_h == pytest.approx(found.manual_h)


def test_attention_falls_to_its_floor_and_comes_back_after_a_break() -> None:
    tired = Looking(p_notice=0.9, p_tired=0.5, fatigue=50.0, break_h=2.0)
    assert p_notice([0.0, 1.9, 2.0, 3.9], looking=tired) == pytest.approx([0.9, 0.5, 0.9, 0.5])
    assert p_notice([0.0, 1.9], looking=Looking(fatigue=0.0)) == pytest.approx([0.95, 0.95])
    rested, worn = (
        search_footage(ONE, Looking(fatigue=f), recall=0.5, false_positive=0.0, n=8_000, rng=stream(5, "c"))
        for f in (0.0, 50.0)
    )
    assert (~rested.manual_found).mean() == pytest.approx(0.05, abs=0.01)
    assert (~worn.manual_found).mean() == pytest.approx(0.5, abs=0.02)


def test_the_same_cars_are_looked_for_through_every_filter() -> None:
    one, other = (
        search_footage(ONE, SURE, recall=r, false_positive=fp, n=300, rng=stream(6, "c"))
        for r, fp in ((0.9, 0.001), (0.5, 0.2))
    )
    assert (one.manual_h == other.manual_h).all()
    assert (one.filter_found >= other.filter_found).all()


@pytest.mark.parametrize("change", [{"recall": 1.2}, {"false_positive": -0.1}, {"n": 0}])
def test_bad_parameters_are_named(change: dict[str, float]) -> None:
    good = {"recall": 0.5, "false_positive": 0.1, "n": 10}
    with pytest.raises(ParameterError, match=f"`{next(iter(change))}`"):
        search_footage(ONE, SURE, **(good | change), rng=stream(7, "c"))  # type: ignore[arg-type]
