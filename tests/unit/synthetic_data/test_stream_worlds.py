"""Worlds of streams: what each set is worth, by the closed form and by scoring the best forecast that it allows."""

from __future__ import annotations

import numpy as np
import pytest

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.rng import stream
from synthetic_data.stream_worlds import (
    CITY_WIDE,
    STREAMS,
    StreamWorld,
    draw_stream_world,
    information_of,
    tilt_of,
)

FULL = (1 << len(STREAMS)) - 1


def drawn(rep: int = 0, **change: object) -> StreamWorld:
    return draw_stream_world(rng=stream(7, "streams", rep), **change)  # type: ignore[arg-type]


def answers(world: StreamWorld, name: str) -> np.ndarray:
    if name in CITY_WIDE:
        return np.tile(world.covariates.days[name][:, None], (1, world.latent.shape[1]))
    return np.asarray(world.covariates.cell_days[name])


@pytest.mark.parametrize("information", [0.0, 0.005, 0.05, 0.3, 0.6])
def test_the_tilt_of_an_amount_of_information_carries_it(information: float) -> None:
    assert information_of(tilt_of(information)) == pytest.approx(information, abs=1e-12)
    small = tilt_of(1e-4)
    assert small**2 / 2 == pytest.approx(1e-4, rel=1e-3)  # h(a) = a²/2 for a small tilt
    assert information_of(1.0) == pytest.approx(np.log(2))


@pytest.mark.parametrize(("overlap", "bias"), [(0.0, 0.0), (0.6, 0.5)])
def test_known_information_is_the_score_gain_of_the_best_forecast_of_each_set(overlap: float, bias: float) -> None:
    """The divergence of the conditional mean from a constant, worked out by averaging rows with equal answers."""
    world = drawn(n_days=4000, overlap=overlap, recording_bias=bias)
    truth, n = world.intensity, world.intensity.size
    for subset in (0, 1, 0b10, 0b110, 0b11000, 0b10011, 0b11111000, FULL):
        code = np.zeros(truth.shape, dtype=np.int64)
        for bit, name in enumerate(STREAMS[1:], start=1):
            if subset >> bit & 1:
                code = 2 * code + answers(world, name).astype(np.int64)
        if subset & 1:
            code = code * truth.shape[1] + np.arange(truth.shape[1])
        flat = np.unique(code.ravel(), return_inverse=True)[1]
        best = (np.bincount(flat, truth.ravel()) / np.bincount(flat))[flat]  # E[intensity | answers]
        gain = float((truth.ravel() * np.log(best / best.sum())).sum() / truth.sum() + np.log(n))
        # Whoever conditions on place and every answer at once learns a little of each row's own luck.
        slack = 0.008 if subset < FULL else 0.02
        assert gain == pytest.approx(world.known_information[subset], abs=slack), bin(subset)


def test_the_divergence_is_the_expected_gain_of_drawn_incidents() -> None:
    gains = []
    for rep in range(30):
        world = drawn(rep, n_days=60, n_informative=7)
        p = world.intensity / world.intensity.sum()
        gains.append((world.latent * np.log(p)).sum() / world.latent.sum() + np.log(p.size))
        expected = (p * np.log(p)).sum() + np.log(p.size)
        gains[-1] -= expected
    assert abs(np.mean(gains)) < 3.5 * np.std(gains) / np.sqrt(len(gains))


@pytest.mark.parametrize(
    ("change", "roles"),
    [
        ({"n_informative": 0}, ["log"] + ["noise"] * 7),
        ({"n_informative": 2, "overlap": 1.0}, ["log", "new", "new"] + ["noise"] * 5),
        ({"n_informative": 7, "overlap": 0.0}, ["log"] + ["new"] * 7),
        ({"n_informative": 7, "overlap": 1.0}, ["log", "new", "new"] + ["copy"] * 5),
        ({"n_informative": 5, "overlap": 0.5}, ["log", "new", "new", "new", "copy", "copy", "noise", "noise"]),
    ],
)
def test_roles_follow_their_number_and_overlap(change: dict[str, object], roles: list[str]) -> None:
    assert list(drawn(n_days=3, **change).roles) == roles


def test_answers_are_even_coins_and_a_repeat_is_where_the_log_already_is() -> None:
    world = drawn(n_days=2000, n_informative=4, overlap=0.5)
    for name, role in zip(STREAMS[1:], world.roles[1:], strict=True):
        said = answers(world, name)
        if role == "copy":
            assert np.array_equal(said[0], world.place > np.median(world.place)) and np.ptp(said, axis=0).max() == 0
        else:
            sd = 0.5 / np.sqrt(2000 if name in CITY_WIDE else said.size)
            assert said.mean() == pytest.approx(0.5, abs=4.5 * sd)


def test_the_watching_stream_moves_records_and_no_incident() -> None:
    even, watched = drawn(n_days=3000, n_informative=2), drawn(n_days=3000, n_informative=2, recording_bias=0.5)
    assert np.array_equal(even.intensity, watched.intensity) and np.array_equal(even.latent, watched.latent)
    yes = answers(watched, "police") == 1
    share = [watched.recorded[m].sum() / watched.latent[m].sum() for m in (yes, ~yes)]
    assert share == pytest.approx([0.45, 0.15], abs=0.01)
    assert np.array_equal(even.known_information, watched.known_information)


@pytest.mark.parametrize(
    "change",
    [{"n_informative": 8}, {"information": 0.7}, {"overlap": 2.0}, {"recording_bias": -0.1}, {"n_days": 0},
     {"grid_shape": (0, 3)}, {"latent_per_day": 0.0}, {"recorded_share": 0.9, "recording_bias": 0.5}],
)  # fmt: skip
def test_parameters_out_of_range_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match=next(iter(change))):
        drawn(**change)
