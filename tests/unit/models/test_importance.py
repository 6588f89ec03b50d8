"""Importances and effects: laws of the Shapley value, closed forms of linear models, and two independent oracles."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.inspection import permutation_importance as sklearn_importance
from sklearn.linear_model import PoissonRegressor
from sklearn.metrics import make_scorer, mean_poisson_deviance

from contrechamp.domain.errors import ParameterError
from models.importance import (
    coalition_values,
    dependence_slopes,
    effect_directions,
    partial_dependence,
    permutation_importance,
    shapley,
    shapley_effects,
)

COEFFICIENTS = np.array([0.8, -0.5, 0.0, 0.3])


def linear(rows: np.ndarray) -> np.ndarray:
    return 0.2 + rows @ COEFFICIENTS


def crooked(rows: np.ndarray) -> np.ndarray:
    return np.exp(rows[:, 0]) * rows[:, 1] * np.abs(rows[:, 2]) - rows[:, 0] * rows[:, 3]  # three columns interact


def games(p: int) -> st.SearchStrategy[list[float]]:
    return st.lists(st.floats(-5, 5), min_size=1 << p, max_size=1 << p)


@settings(max_examples=60, deadline=None)
@given(games(4), games(4), st.floats(-3, 3))
def test_shares_are_efficient_linear_and_blind_to_names(game: list[float], other: list[float], scale: float) -> None:
    v, w = np.array(game), np.array(other)
    shares = shapley(v)
    assert shares.sum() == pytest.approx(v[-1] - v[0], abs=1e-9)
    assert shapley(v + scale * w) == pytest.approx(shares + scale * shapley(w), abs=1e-8)
    swapped = np.array(
        [v[(s & ~0b11) | ((s & 1) << 1) | (s >> 1 & 1)] for s in range(16)]
    )  # members 0 and 1 trade names
    assert shapley(swapped) == pytest.approx(shares[[1, 0, 2, 3]], abs=1e-9)
    assert shapley(np.column_stack([v, w])) == pytest.approx(np.column_stack([shares, shapley(w)]), abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(games(3), st.floats(-2, 2))
def test_equal_members_get_equal_shares_and_a_dummy_gets_what_it_brings_alone(game: list[float], alone: float) -> None:
    v = np.array(game)
    v[0b010], v[0b110] = v[0b001], v[0b101]  # members 0 and 1 are worth the same to everybody
    shares = shapley(v)
    assert shares[0] == pytest.approx(shares[1], abs=1e-9)
    with_dummy = np.concatenate([v, v + alone])  # member 3 adds `alone` whoever is there
    assert shapley(with_dummy) == pytest.approx([*shares, alone], abs=1e-9)


def test_shares_are_the_mean_over_every_order_of_arrival() -> None:
    v = np.random.default_rng(3).normal(size=32)
    orders = list(permutations(range(5)))
    expected = np.zeros(5)
    for order in orders:
        inside = 0
        for member in order:
            expected[member] += v[inside | 1 << member] - v[inside]
            inside |= 1 << member
    assert shapley(v) == pytest.approx(expected / len(orders), abs=1e-12)
    assert shapley([4.0]).shape == (0,)
    with pytest.raises(ParameterError, match="one per subset"):
        shapley([1.0, 2.0, 3.0])


def test_effects_of_a_linear_model_have_a_closed_form_and_an_unused_column_has_none() -> None:
    rng = np.random.default_rng(0)
    rows, background = rng.normal(size=(7, 4)), rng.normal(size=(5, 4))
    expected = COEFFICIENTS * (rows - background.mean(axis=0))
    exact = shapley_effects(linear, rows, background=background)
    sampled = shapley_effects(linear, rows, background=background, rng=rng, orders=1)
    assert exact == pytest.approx(expected, abs=1e-12)
    assert sampled == pytest.approx(expected, abs=1e-12)  # a linear model leaves orders nothing to disagree on
    assert not exact[:, 2].any()
    assert np.sign(effect_directions(rows, exact)).tolist() == [1.0, -1.0, 0.0, 1.0]


def test_effects_add_up_whether_enumerated_or_sampled_and_sampling_closes_in_on_the_exact() -> None:
    rng = np.random.default_rng(1)
    rows, background = rng.normal(size=(6, 4)), rng.normal(size=(4, 4))
    expected = crooked(rows) - crooked(background).mean()
    exact = shapley_effects(crooked, rows, background=background)
    assert exact.sum(axis=1) == pytest.approx(expected, abs=1e-10)
    errors = []
    for orders in (1, 300):
        sampled = shapley_effects(crooked, rows, background=background, rng=rng, orders=orders)
        assert sampled.sum(axis=1) == pytest.approx(expected, abs=1e-10)
        errors.append(np.abs(sampled - exact).max())
    assert errors[1] < 0.03 < 0.1 < errors[0]


def test_a_coalition_keeps_its_columns_and_takes_the_others_from_the_background() -> None:
    rows, background = np.array([[1.0, 2.0]]), np.array([[10.0, 20.0], [30.0, 40.0]])
    seen = coalition_values(lambda r: 100 * r[:, 0] + r[:, 1], rows, background=background)
    assert seen[:, 0].tolist() == [2030.0, 130.0, 2002.0, 102.0]


def test_more_columns_than_can_be_enumerated_are_sampled() -> None:
    rng = np.random.default_rng(2)
    rows, background = rng.normal(size=(3, 12)), rng.normal(size=(2, 12))
    weights = rng.normal(size=12)
    found = shapley_effects(lambda r: r @ weights, rows, background=background, rng=rng)
    assert found == pytest.approx(weights * (rows - background.mean(axis=0)), abs=1e-12)
    with pytest.raises(ParameterError, match="rng"):
        shapley_effects(lambda r: r @ weights, rows, background=background)
    with pytest.raises(ParameterError, match="background"):
        shapley_effects(linear, rows[:, :4], background=background)
    assert shapley_effects(linear, rows[:0, :4], background=background[:, :4]).shape == (0, 4)


def test_permutation_importance_tends_to_the_mean_over_all_pairs_of_rows() -> None:
    rng = np.random.default_rng(4)
    rows = rng.normal(size=(9, 4))
    counts, exposure = rng.poisson(np.exp(linear(rows))), np.linspace(0.5, 2.0, 9)
    rate = lambda r: np.exp(linear(r))  # noqa: E731

    def score(rates: np.ndarray) -> float:
        return float(counts @ np.log(rates) - exposure @ rates)

    expected = np.zeros(4)
    for column in range(4):
        pairs = []
        for other in range(9):  # a shuffled row takes each value of the column equally often
            moved = rows.copy()
            moved[:, column] = rows[other, column]
            pairs.append(score(rate(moved)))
        expected[column] = (score(rate(rows)) - np.mean(pairs)) / counts.sum()
    drawn = permutation_importance(rate, rows, counts, rng=rng, exposure=exposure, repeats=4_000)
    standard_error = drawn.std(axis=1) / np.sqrt(drawn.shape[1])
    assert (np.abs(drawn.mean(axis=1) - expected) <= 4 * standard_error + 1e-12).all()
    assert not drawn[2].any()  # a column the model does not read


def test_permutation_importance_agrees_with_scikit_learn_on_half_the_deviance() -> None:
    rng = np.random.default_rng(5)
    rows = rng.normal(size=(400, 4))
    counts = rng.poisson(np.exp(linear(rows)))
    model = PoissonRegressor(alpha=1e-6).fit(rows, counts)
    ours = permutation_importance(model.predict, rows, counts, rng=rng, repeats=60).mean(axis=1)
    scorer = make_scorer(mean_poisson_deviance, greater_is_better=False)
    theirs = sklearn_importance(model, rows, counts, scoring=scorer, n_repeats=60, random_state=0).importances_mean
    assert ours == pytest.approx(theirs / 2 * len(rows) / counts.sum(), rel=0.06, abs=2e-3)


def test_no_event_no_importance_and_bad_shapes_are_refused() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(5, 4))
    assert not permutation_importance(lambda r: np.ones(len(r)), rows, np.zeros(5), rng=rng).any()
    with pytest.raises(ParameterError, match="counts"):
        permutation_importance(linear, rows, np.zeros(4), rng=rng)
    with pytest.raises(ParameterError, match="repeats"):
        permutation_importance(linear, rows, np.zeros(5), rng=rng, repeats=0)


def test_dependence_of_a_linear_model_is_its_line() -> None:
    rows = np.random.default_rng(6).normal(size=(50, 4))
    at = [-1.0, 0.0, 2.0]
    rest = linear(rows).mean() - COEFFICIENTS[1] * rows[:, 1].mean()
    assert partial_dependence(linear, rows, column=1, at=at) == pytest.approx(rest + COEFFICIENTS[1] * np.array(at))
    assert dependence_slopes(linear, rows) == pytest.approx(COEFFICIENTS, abs=1e-12)
    still = rows.copy()
    still[:, 0] = 1.0
    assert dependence_slopes(linear, still)[0] == 0.0 == effect_directions(still, still)[0]
