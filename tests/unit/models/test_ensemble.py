"""The mixture: weights against a general optimiser, never down, and a walk that never sees the day it foretells."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import optimize

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.grid import Grid
from contrechamp.domain.history import EventLog, Events
from models import PREDICTORS, load_predictor
from models.ensemble import Ensemble, mixture_weights, until
from models.scores import log_score
from models.walk import walk_forward

GRID = Grid(0.0, 0.0, 250.0, np.ones((12, 15), dtype=bool))
TWO = "uniform+trailing-mean"


def _loss(weights: np.ndarray, p: np.ndarray, t: np.ndarray) -> float:
    return -float(t @ np.log(weights @ p)) / float(t.sum())


@pytest.mark.parametrize("seed", range(5))
def test_weights_are_those_of_a_general_optimiser(seed: int) -> None:
    rng = np.random.default_rng(seed)
    p, t = rng.dirichlet(np.full(40, 0.5), size=4), rng.poisson(3.0, 40).astype(float)
    found = optimize.minimize(
        _loss, np.full(4, 0.25), args=(p, t), bounds=[(0, 1)] * 4, method="SLSQP", options={"ftol": 1e-14},
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
    )  # fmt: skip
    weights = mixture_weights(p, t, rounds=5000)
    assert _loss(weights, p, t) == pytest.approx(found.fun, abs=1e-7)
    np.testing.assert_allclose(weights, found.x, atol=2e-3)
    assert _loss(weights, p, t) < min(_loss(alone, p, t) for alone in np.eye(4))


def test_by_hand() -> None:
    # one member gives chances (1, 0), the other (0, 1): the weights are the shares seen
    np.testing.assert_allclose(mixture_weights([[1.0, 0.0], [0.0, 1.0]], [3, 1]), [0.75, 0.25], rtol=1e-12)
    # (2/3, 1/3) against (1/3, 2/3), seen 3 to 2: w solves 3/(1+w) = 2/(2-w), so w = 4/5
    np.testing.assert_allclose(mixture_weights([[2 / 3, 1 / 3], [1 / 3, 2 / 3]], [3, 2]), [0.8, 0.2], rtol=1e-9)
    # what nobody foresaw weighs on nobody; with nothing else, all weigh the same
    np.testing.assert_allclose(mixture_weights([[1, 0, 0], [0, 1, 0]], [3, 1, 50]), [0.75, 0.25], rtol=1e-12)
    assert mixture_weights([[0.0], [0.0], [0.0]], [9]).tolist() == [1 / 3] * 3


@settings(max_examples=60, deadline=None)
@given(
    p=arrays(float, (3, 6), elements=st.one_of(st.just(0.0), st.floats(1e-6, 1.0))),
    t=arrays(float, 6, elements=st.integers(0, 20).map(float)),
)
def test_no_round_lowers_the_likelihood_and_scale_changes_nothing(p: np.ndarray, t: np.ndarray) -> None:
    steps = [mixture_weights(p, t, rounds=n) for n in range(6)]
    used = (p.sum(axis=0) > 0) & (t > 0)
    if used.any():
        losses = [_loss(w, p[:, used], t[used]) for w in steps]
        assert all(after <= before + 1e-12 for before, after in pairwise(losses))
    assert all(w.sum() == pytest.approx(1.0) and (w >= 0).all() for w in steps)
    np.testing.assert_allclose(mixture_weights(p, 5 * t, rounds=6), mixture_weights(p, t, rounds=6), rtol=1e-12)


def test_weight_goes_to_the_member_that_foretells() -> None:
    rng = np.random.default_rng(0)
    steady = rng.poisson(rng.gamma(0.3, 1.0, GRID.n_cells), (120, GRID.n_cells))
    flat = rng.poisson(0.3, (120, GRID.n_cells))
    concentrated = Ensemble(members=TWO).fit(steady, grid=GRID)
    level = Ensemble(members=TWO).fit(flat, grid=GRID)
    assert concentrated.weights_[1] > 0.97
    assert level.weights_[0] > 0.6
    assert Ensemble(members=TWO, weighting="equal").fit(steady, grid=GRID).weights_.tolist() == [0.5, 0.5]
    assert Ensemble(members=TWO).fit(steady[:20], grid=GRID).weights_.tolist() == [0.5, 0.5]  # too short a history


def test_the_map_is_the_weighed_mean_of_the_members_maps() -> None:
    counts = np.random.default_rng(1).poisson(0.3, (90, GRID.n_cells))
    mixed = Ensemble(members="retro-quartic+uniform+trailing-mean").fit(counts, grid=GRID)
    maps = [load_predictor(k).fit(counts, grid=GRID).predict() for k in ("retro-quartic", "uniform", "trailing-mean")]
    by_hand = sum(w * m / m.sum() for w, m in zip(mixed.weights_, maps, strict=True)) * counts.mean(axis=0).sum()
    np.testing.assert_allclose(mixed.predict(), by_hand, rtol=1e-12)


def test_weights_are_learned_from_maps_drawn_the_morning_before() -> None:
    counts = np.random.default_rng(2).poisson(0.3, (70, GRID.n_cells))
    mixed = Ensemble(members=TWO, validation_days=14).fit(counts, grid=GRID)
    walks = [walk_forward(load_predictor(key), counts, grid=GRID, first_day=56) for key in TWO.split("+")]
    day, cell = np.nonzero(counts[56:])
    p = np.stack([(w / w.sum(axis=1, keepdims=True))[day, cell] for w in walks])
    np.testing.assert_allclose(mixed.weights_, mixture_weights(p, counts[56:][day, cell]), rtol=1e-10)


def test_no_worse_than_the_mean_of_its_members() -> None:
    rng = np.random.default_rng(3)
    counts = rng.poisson(rng.gamma(0.3, 0.5, GRID.n_cells), (140, GRID.n_cells))
    scores = {
        name: log_score(walk_forward(p, counts, grid=GRID, first_day=112, refit_every=28), counts[112:]).sum()
        for name, p in {
            "learned": Ensemble(), "equal": Ensemble(weighting="equal"), "worst": load_predictor("same-weekday"),
        }.items()
    }  # fmt: skip
    assert scores["learned"] > scores["equal"] > scores["worst"]


def test_events_until_a_day_are_those_of_earlier_days() -> None:
    log = EventLog.from_arrays(
        t_days=[0.5, 1.2, 1.9, 2.0, 3.4], x_m=[1] * 5, y_m=[1] * 5, cell=[0, 1, 2, 3, 4], known_day=[0, 1, 1, 2, 3],
        grid=GRID, n_days=5,
    )  # fmt: skip
    before = until(log.until(5), 2)
    assert before.n_days == 2
    assert before.points.cell.tolist() == [0, 1, 2]
    assert before.counts.sum() == 3
    assert until(Events.from_counts(np.eye(4, GRID.n_cells), grid=GRID), 3).points.t_days.tolist() == [0.5, 1.5, 2.5]


@pytest.mark.parametrize("bad", ["uniform", "uniform+uniform", "uniform+nobody", "ensemble+uniform", "", "+"])
def test_members_are_two_registered_predictors_or_more(bad: str) -> None:
    with pytest.raises(ParameterError, match=r"The `members` parameter of Ensemble must be two or more"):
        load_predictor("ensemble", members=bad)


def test_a_member_that_needs_places_says_so() -> None:
    needy = [key for key in PREDICTORS if key == "risk-terrain"]
    if not needy:
        pytest.skip("no registered predictor needs places")
    with pytest.raises(ParameterError, match="layers of places"):
        Ensemble(members="uniform+risk-terrain").fit(np.ones((60, GRID.n_cells)), grid=GRID)
