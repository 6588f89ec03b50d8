"""Streets with cameras: what is prevented, what is moved, who is chosen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from contrechamp.domain.errors import ParameterError
from synthetic_data.street_worlds import StreetWorlds, draw_street_worlds


def draw(seed: int = 1, **more: Any) -> StreetWorlds:
    base: dict[str, Any] = {
        "n_worlds": 40, "n_streets": 60, "n_cameras": 20, "per_year": 50.0, "effect": 0.0, "displacement": 0.0,
        "selection": "random", "trend": 0.0, "level_sd": 0.5, "year_sd": 0.2, "rng": np.random.default_rng(seed),
    }  # fmt: skip
    return draw_street_worlds(**{**base, **more})


def test_the_mean_count_and_the_trend_are_those_asked_for() -> None:
    worlds = draw(n_worlds=400, trend=-0.2)
    assert worlds.counts.mean(axis=(0, 1)) == pytest.approx([50, 40, 32], rel=0.02)


def test_without_displacement_the_stated_share_is_prevented_where_cameras_are_and_nowhere_else() -> None:
    still, less = draw(n_worlds=400), draw(n_worlds=400, effect=-0.3)
    assert (less.cameras == still.cameras).all()
    there = less.counts[..., 2][less.cameras].sum() / still.counts[..., 2][still.cameras].sum()
    assert there == pytest.approx(0.7, abs=0.005)
    assert (less.counts[..., 2][~less.cameras] == still.counts[..., 2][~still.cameras]).all()


def test_full_displacement_moves_every_incident_next_door_and_loses_none() -> None:
    still, moved = draw(), draw(effect=-0.5, displacement=1.0)
    assert (moved.counts[..., 2].sum(axis=1) == still.counts[..., 2].sum(axis=1)).all()
    assert (moved.counts[..., 2] != still.counts[..., 2]).any()
    gained = moved.counts[..., 2] > still.counts[..., 2]
    beside = np.roll(moved.cameras, 1, axis=1) | np.roll(moved.cameras, -1, axis=1)
    assert (~gained | beside).all()


def test_designs_share_their_streets_and_their_luck() -> None:
    counts = [draw(selection=s).counts for s in ("random", "worst", "lottery")]
    assert all((c == counts[0]).all() for c in counts)


def test_the_worst_streets_are_chosen_and_the_lottery_keeps_half_of_twice_as_many() -> None:
    worst = draw(selection="worst")
    last = worst.counts[..., 1]
    for row, cameras in zip(last, worst.cameras, strict=True):
        assert row[cameras].min() >= row[~cameras].max()
    lottery = draw(selection="lottery")
    assert (lottery.eligible.sum(axis=1) == 40).all()
    assert (lottery.cameras.sum(axis=1) == 20).all()
    assert not (lottery.cameras & ~lottery.eligible).any()
    # by lot: winners and losers had as many incidents, on average
    gap = [row[c].mean() - row[e & ~c].mean() for row, c, e in
           zip(lottery.counts[..., 1], lottery.cameras, lottery.eligible, strict=True)]  # fmt: skip
    assert np.mean(gap) == pytest.approx(0, abs=3 * np.std(gap) / np.sqrt(len(gap)))


@pytest.mark.parametrize(
    "wrong", [{"n_cameras": 31}, {"effect": 0.1}, {"effect": -1.0}, {"displacement": 2.0}, {"selection": "best"}]
)
def test_what_cannot_be_drawn_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        draw(**wrong)
