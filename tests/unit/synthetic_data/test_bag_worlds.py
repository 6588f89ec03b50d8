"""Bags: how much a crowd hides against its closed form, who owns what, and tracks that break where they should."""

from __future__ import annotations

import math

import numpy as np
import pytest

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.rng import stream
from contrechamp.domain.video import FRAME, LABEL, TRACK_ID
from synthetic_data.bag_worlds import (
    ABSENCE,
    AWAY_M,
    HORIZON_S,
    KINDS,
    P_STEPS_AWAY,
    Episodes,
    draw_episodes,
    hidden_area_m2,
    per_day,
    tracks_of,
)

COUNTS = dict.fromkeys(KINDS, 40)


def draw(density: float = 0.1, *, miss: float = 0.0, seed: int = 1, fps: float = 0.5, each: int = 40) -> Episodes:
    counts = dict.fromkeys(KINDS, each)
    return draw_episodes(counts=counts, density=density, miss=miss, fps=fps, rng=stream(seed, "bags"))


@pytest.mark.parametrize("density", [0.05, 0.2, 0.5])
def test_share_of_time_seen_is_that_of_an_empty_strip(density: float) -> None:
    episodes = draw(density, each=300)
    life = episodes.objects["life_s"].to_numpy()
    alive = np.arange(episodes.seen.shape[1]) / episodes.fps < life[:, None]
    share = episodes.seen[alive].mean()
    assert share == pytest.approx(math.exp(-density * hidden_area_m2(height_m=0.35)), abs=0.02)
    assert not episodes.seen[~alive].any()


def test_misses_thin_what_is_seen_and_nothing_hides_an_empty_hall() -> None:
    clear, missed = draw(0.0), draw(0.0, miss=0.25)
    life = clear.objects["life_s"].to_numpy()
    alive = np.arange(clear.seen.shape[1]) / clear.fps < life[:, None]
    assert clear.seen[alive].all()
    assert missed.seen.sum() / missed.objects["life_s"].sum() / missed.fps == pytest.approx(0.75, abs=0.02)


def test_a_higher_camera_sees_over_more_heads() -> None:
    low, high = (hidden_area_m2(height_m=0.35, camera_height_m=h) for h in (3.0, 9.0))
    # By hand: 12 × 1.35 / 2.65 × 0.85 and 12 × 1.35 / 8.65 × 0.85.
    assert (low, high) == (pytest.approx(5.196, abs=1e-3), pytest.approx(1.592, abs=1e-3))


def test_who_owns_what_and_for_how_long() -> None:
    episodes = draw(each=400)
    objects = episodes.objects.set_index("kind")
    assert np.isinf(objects.loc["attended", "gone_s"]).all()
    assert np.isinf(objects.loc["left", "back_s"]).all()
    assert np.allclose(objects.loc["left", "life_s"] - objects.loc["left", "gone_s"], HORIZON_S)
    assert (objects.loc["furniture", "gone_s"] == 0).all()
    absence = objects.loc["returns", "back_s"] - objects.loc["returns", "gone_s"]
    assert abs(math.log(absence.median() / ABSENCE[0])) < 4 * 1.2533 * ABSENCE[1] / 20
    owned = episodes.owner_seen.any(axis=1)
    assert not owned[(episodes.objects["kind"] == "furniture").to_numpy()].any()
    gone = episodes.objects["gone_s"].to_numpy()[:, None]
    after = np.arange(episodes.seen.shape[1]) / episodes.fps >= gone
    assert not (episodes.owner_seen & after).any()


def test_rates_keep_their_shares() -> None:
    day = per_day(density=0.4, p_gone=0.1, hours_per_day=10.0)
    bags = day["attended"] + day["returns"] + day["left"]
    assert bags == pytest.approx(400.0)
    assert (day["returns"] + day["left"]) / bags == pytest.approx(P_STEPS_AWAY)
    assert day["left"] / (day["returns"] + day["left"]) == pytest.approx(0.1)
    assert per_day(density=0.8, p_gone=0.1, hours_per_day=10.0)["belongings"] == day["belongings"]


def test_a_perfect_tracker_gives_one_track_an_object() -> None:
    episodes = draw(0.0)
    tracks, of = tracks_of(
        episodes, memory_s=60.0, density=0.1, switching=False, crowd="appearing", rng=stream(1, "tracks")
    )
    assert sorted(of["episode"]) == list(range(len(episodes.objects)))
    things = tracks[tracks[LABEL] == "object"]
    assert len(things) == episodes.seen.sum()
    assert set(things[TRACK_ID]) == set(of[TRACK_ID])
    assert not tracks.duplicated([FRAME, TRACK_ID]).any()


def test_a_short_memory_breaks_tracks_at_its_gaps() -> None:
    episodes = draw(0.3, fps=1.0)
    patient, short = (
        tracks_of(episodes, memory_s=m, density=0.3, switching=False, crowd="appearing", rng=stream(1, "tracks"))[1]
        for m in (60.0, 3.0)
    )
    gaps = 0
    for row in episodes.seen:
        at = np.flatnonzero(row)
        gaps += int((np.diff(at) > 3).sum()) + (len(at) > 0)
    assert len(short) == gaps
    assert len(patient) < len(short) / 3


def test_the_owner_walks_off_and_the_crowd_keeps_its_distance() -> None:
    episodes = draw(0.0, fps=2.0)
    tracks, _ = tracks_of(episodes, memory_s=60.0, density=0.5, switching=False, crowd="all", rng=stream(1, "tracks"))
    people = tracks[tracks[LABEL] == "person"]
    assert people["x_m"].between(-4.0, AWAY_M).all()
    passers = people[people["x_m"] < 0]
    assert passers["x_m"].max() <= -0.8
    # Nearest of a Poisson crowd: at 0.5 per m², farther than 1.5 m with probability exp(−0.5 π 1.5²) = 2.9 %.
    assert (passers["x_m"] < -1.5).mean() == pytest.approx(math.exp(-0.5 * math.pi * 2.25), abs=0.01)


def test_same_stream_same_episodes_and_bad_input_is_named() -> None:
    one, two = draw(0.2, seed=5), draw(0.2, seed=5)
    assert (one.seen == two.seen).all()
    assert one.objects.equals(two.objects)
    with pytest.raises(ParameterError, match="counts"):
        draw_episodes(counts={"left": 1}, density=0.1, miss=0.0, fps=1.0, rng=stream(1, "bad"))
    with pytest.raises(ParameterError, match="density"):
        draw_episodes(counts=COUNTS, density=-0.1, miss=0.0, fps=1.0, rng=stream(1, "bad"))
