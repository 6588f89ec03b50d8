"""The replica's forest against scikit-learn's own leaves and against proximities written pair by pair."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor

from contrechamp.domain.grid import FloatArray
from contrechamp.domain.rng import stream
from models.mpulse import MPulse, PastEvents
from models.mpulse_clashes import Planned, clashes
from models.mpulse_forest import carried, grow, proximities


def file(n: int = 160, *, seed: int = 3) -> PastEvents:
    rng = np.random.default_rng(seed)
    features = np.column_stack([rng.normal(size=(n, 3)), rng.integers(7, size=n)])
    facts = rng.poisson(np.exp(features[:, :1]) * [3.0, 1.0, 0.2])
    return PastEvents(features, facts.astype(float), np.exp(rng.normal(6, 1, n)), rng.integers(0, 12, n).astype(float))


def sklearn_forest(past: PastEvents, notes: FloatArray, *, n_trees: int, min_leaf: int, seed: int) -> Any:
    chance = int(stream(seed, "models", "mpulse", "forest").integers(2**31 - 1))
    forest = RandomForestRegressor(n_trees, min_samples_leaf=min_leaf, max_features=0.5, random_state=chance)
    return forest.fit(past.features.astype(np.float32), notes)


@pytest.mark.parametrize("seed", [0, 7])
def test_every_event_falls_into_the_leaf_that_scikit_learn_gives_it(seed: int) -> None:
    past, new = file(), file(50, seed=9)
    notes = np.random.default_rng(1).normal(size=len(past.features))
    twin = sklearn_forest(past, notes, n_trees=9, min_leaf=4, seed=seed)
    ours = grow(past.features, notes, n_trees=9, min_leaf=4, share_features=0.5, seed=seed)
    local = ours.leaves(new.features) - ours.roots[None, :]
    np.testing.assert_array_equal(local, twin.apply(new.features.astype(np.float32)))


def test_the_transferred_note_is_the_proximity_weighted_mean_written_pair_by_pair() -> None:
    past, new = file(), file(25, seed=9)
    tool = MPulse(n_trees=7, min_leaf=5, seed=11).fit(past)
    twin = sklearn_forest(past, tool.past_notes_, n_trees=7, min_leaf=5, seed=11)
    mine, theirs = (twin.apply(f.features.astype(np.float32)) for f in (new, past))
    slow, slow_red, slow_staff = [], [], []
    for i in range(len(mine)):
        weight = [sum(a == b for a, b in zip(mine[i], theirs[j], strict=True)) / 7 for j in range(len(theirs))]
        total = sum(weight)
        slow.append(sum(w * v for w, v in zip(weight, tool.past_notes_, strict=True)) / total)
        slow_red.append(sum(w for w, v in zip(weight, tool.past_notes_, strict=True) if v >= 7.0) / total)
        logs = sum(w * np.log1p(o) for w, o in zip(weight, past.officers, strict=True))
        slow_staff.append(np.expm1(logs / total))
    np.testing.assert_allclose(tool.transferred(new.features), slow, rtol=1e-12)
    np.testing.assert_allclose(tool.p_red(new.features), slow_red, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(tool.staff(new.features).mean, slow_staff, rtol=1e-12)


def test_summing_by_leaves_equals_multiplying_by_the_matrix_of_proximities() -> None:
    past, new = file(), file(30, seed=5)
    forest = grow(past.features, past.officers, n_trees=12, min_leaf=3, share_features=1.0, seed=2)
    leaves, known = forest.leaves(new.features), forest.leaves(past.features)
    values = np.column_stack([past.officers, past.facts[:, 0]])
    matrix = proximities(leaves, known)
    assert matrix.shape == (30, 160)
    np.testing.assert_allclose(
        carried(leaves, known, values, n_nodes=len(forest.left)), matrix @ values, rtol=1e-12
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_clashes_equal_two_loops_over_all_pairs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 120
    start = rng.uniform(0, 200, n)
    day = Planned(rng.uniform(0, 1500, n), rng.uniform(0, 1500, n), start, start + rng.exponential(5, n),
                  rng.random(n) < 0.4)  # fmt: skip
    slow = []
    for i in range(n):
        for j in range(i + 1, n):
            near = np.hypot(day.x_m[i] - day.x_m[j], day.y_m[i] - day.y_m[j]) <= 300.0
            apart = day.start_h[i] - 2 > day.end_h[j] + 2 or day.start_h[j] - 2 > day.end_h[i] + 2
            if near and not apart and not (day.works[i] and day.works[j]):
                slow.append([i, j])
    assert len(slow) > 20
    assert clashes(day, radius_m=300.0, margin_h=2.0).tolist() == slow
