"""Synthesised sounds: levels, pitches and annotations that can be checked on paper."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from contrechamp.domain.errors import ParameterError
from synthetic_data.sound_worlds import ABNORMAL, AMBIENCES, KINDS, RATE_HZ, TWINS, draw_soundscapes, make_sound


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_sound_has_unit_power_finite_samples_and_soft_ends(kind: str) -> None:
    wave = make_sound(kind, duration_s=1.0, rng=rng())
    assert len(wave) == RATE_HZ
    assert np.sqrt(np.mean(wave.astype(np.float64) ** 2)) == pytest.approx(1.0, abs=1e-3)
    assert abs(float(wave[0])) < 1e-6


@pytest.mark.parametrize(("kind", "low", "high"), [("speech", 60, 800), ("scream", 700, 5000), ("spray", 3000, 8000)])
def test_most_of_the_power_lies_where_the_physics_puts_it(kind: str, low: float, high: float) -> None:
    shares = []
    for seed in range(10):
        power = np.abs(np.fft.rfft(make_sound(kind, duration_s=1.5, rng=rng(seed)))) ** 2
        hz = np.fft.rfftfreq(int(1.5 * RATE_HZ), 1 / RATE_HZ)
        shares.append(power[(hz >= low) & (hz <= high)].sum() / power.sum())
    assert min(shares) > 0.75


def test_the_annotation_gives_the_level_that_is_in_the_recording() -> None:
    quiet = draw_soundscapes(n_scenes=3, scene_s=30, reach_m=4, rng=rng(5), kinds=("saw",))
    found, told = [], []
    for row in quiet.events.itertuples():
        a, b = round(row.onset_s * RATE_HZ), round(row.offset_s * RATE_HZ)
        found.append(10 * np.log10(np.mean(quiet.audio[row.scene, a:b].astype(np.float64) ** 2)))
        told.append(row.snr_db)
    # a saw at 4 m is 30 dB over the traffic: what is heard is the saw
    assert np.mean(found) == pytest.approx(np.mean(told), abs=0.7)


def test_a_sound_twice_as_far_is_six_decibels_weaker() -> None:
    near = draw_soundscapes(n_scenes=20, scene_s=30, reach_m=3.0, rng=rng(2), kinds=("horn",)).events
    assert near["distance_m"].to_numpy() == pytest.approx(3.0)
    assert near["snr_db"].mean() == pytest.approx(98.0 - 20 * np.log10(3.0) - 55.0, abs=0.6)
    far = draw_soundscapes(n_scenes=60, scene_s=30, reach_m=30.0, rng=rng(2), kinds=("horn",)).events
    # uniform over the disc: half of the sounds beyond reach / sqrt(2), but for the hole of 3 m
    assert (far["distance_m"] > np.sqrt((30.0**2 + 3.0**2) / 2)).mean() == pytest.approx(0.5, abs=0.06)


def test_twins_change_how_a_sound_is_made_and_nothing_of_the_annotation_but_that() -> None:
    alone = draw_soundscapes(n_scenes=4, scene_s=30, reach_m=15, rng=rng(3)).events
    assert not alone["alike"].any()
    all_alike = draw_soundscapes(n_scenes=20, scene_s=30, reach_m=15, rng=rng(3), alike_share=1.0).events
    assert set(all_alike.loc[all_alike["alike"], "kind"]) == set(TWINS)
    assert all_alike.loc[all_alike["kind"].isin(TWINS), "alike"].all()


def test_traffic_alone_when_no_kind_is_asked_for_and_sounds_never_overlap() -> None:
    empty = draw_soundscapes(n_scenes=2, scene_s=6, reach_m=15, rng=rng(), kinds=())
    assert empty.events.empty
    assert empty.audio.std(axis=1) == pytest.approx(1.0, abs=0.02)
    events = draw_soundscapes(n_scenes=5, scene_s=30, reach_m=15, rng=rng()).events
    assert len(events) == 50
    for _, scene in events.groupby("scene"):
        assert (scene["onset_s"].to_numpy()[1:] > scene["offset_s"].to_numpy()[:-1]).all()


def test_the_same_seed_gives_the_same_samples() -> None:
    digests = {
        hashlib.sha256(draw_soundscapes(n_scenes=2, scene_s=6, reach_m=15, rng=rng(9)).audio.tobytes()).hexdigest()
        for _ in range(2)
    }
    assert len(digests) == 1


def test_what_is_declared_holds_together() -> None:
    assert set(TWINS.values()) <= set(ABNORMAL)
    assert all(set(rates) == set(KINDS) for rates in AMBIENCES.values())


@pytest.mark.parametrize("wrong", [{"reach_m": 1.0}, {"kinds": ("gunshot",)}, {"n_scenes": 0}, {"gap_s": 1.0}])
def test_what_cannot_be_drawn_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ParameterError):
        draw_soundscapes(**{"n_scenes": 1, "scene_s": 6.0, "reach_m": 15.0, "rng": rng(), **wrong})  # type: ignore[arg-type]
