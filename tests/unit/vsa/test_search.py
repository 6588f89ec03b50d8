"""Search by appearance: weights worked by hand, lookups against plain loops, ranks and links with ties."""

from __future__ import annotations

import numpy as np
import pytest

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.rng import stream
from vsa.search import Likeness, fits, likeness, link, ranks

SIZES = (12, 8, 9, 6, 3)


def _codes(n: int, *name: str | int) -> np.ndarray:
    rng = stream(1, "codes", *name)
    return np.stack([rng.integers(0, size, n) for size in SIZES], axis=1).astype(np.uint8)


def test_the_weight_of_two_coins_is_worked_by_hand() -> None:
    fair, clean = np.array([0.5, 0.5]), np.eye(2)
    sure = likeness(laws=[fair], described=[clean], filmed=[clean]).tables[0]
    assert sure[0, 0] == pytest.approx(np.log(2))
    assert sure[0, 1] < -10
    wrong = np.array([[0.9, 0.1], [0.1, 0.9]])
    noisy = likeness(laws=[fair], described=[wrong], filmed=[wrong]).tables[0]
    assert noisy[0, 0] == pytest.approx(np.log((0.5 * 0.81 + 0.5 * 0.01) / 0.25))
    assert noisy[0, 1] == pytest.approx(np.log((2 * 0.5 * 0.09) / 0.25))
    with pytest.raises(ParameterError, match="as many attributes"):
        likeness(laws=[fair], described=[], filmed=[wrong])


def test_a_rare_value_in_common_weighs_more_than_a_usual_one() -> None:
    skewed, noisy = np.array([0.95, 0.05]), np.array([[0.9, 0.1], [0.1, 0.9]])
    table = likeness(laws=[skewed], described=[noisy], filmed=[noisy]).tables[0]
    assert table[1, 1] > table[0, 0] > table[0, 1]


def test_scores_are_plain_sums_over_attributes() -> None:
    rng = stream(2, "tables")
    match = Likeness(tuple(rng.normal(size=(s, s)) for s in SIZES))
    queries, gallery = _codes(7, "q"), _codes(300, "g")
    plain = np.array([[sum(t[a, b] for t, a, b in zip(match.tables, q, g, strict=True)) for g in gallery]
                      for q in queries])  # fmt: skip
    assert match.scores(queries, gallery) == pytest.approx(plain, abs=1e-5)
    two = match.tables[0][queries[:, 0]][:, gallery[:, 0]] + match.tables[3][queries[:, 3]][:, gallery[:, 3]]
    assert match.scores(queries, gallery, columns=(0, 3)) == pytest.approx(two, abs=1e-5)
    assert (match.scores(queries, gallery, columns=()) == 0).all()
    views = gallery[:21].reshape(7, 3, 5)
    assert match.of_views(queries, views)[4] == pytest.approx(plain[4, 12:15], abs=1e-5)


@pytest.mark.parametrize("tolerance", [(0, 0, 0, 0, 0), (0, 0, 1, 2, 0)])
def test_who_fits_is_what_a_loop_says(tolerance: tuple[int, ...]) -> None:
    queries, gallery = _codes(20, "q"), _codes(2_000, "g")
    gallery[:20] = queries
    ours = fits(queries, gallery, tolerance=tolerance, columns=(2, 3, 4))
    apart = np.abs(queries[:, None, 2:].astype(int) - gallery[None, :, 2:])
    assert (ours == (apart <= np.array(tolerance[2:])).all(axis=2)).all()
    assert fits(queries, gallery, tolerance=tolerance)[np.arange(20), np.arange(20)].all()


def test_ties_are_drawn_evenly_and_nothing_else_moves_a_rank() -> None:
    scores = np.tile([5.0, 3.0, 3.0, 3.0, 1.0], (6_000, 1))
    found = ranks(scores, np.full(6_000, 2), rng=stream(3, "ties"))
    assert set(found) == {2, 3, 4}
    assert np.bincount(found)[2:] == pytest.approx([2_000] * 3, abs=200)
    assert (ranks(scores, np.zeros(6_000, dtype=int), rng=stream(3, "ties")) == 1).all()


def test_a_link_asks_for_one_best_and_enough_evidence() -> None:
    scores = np.array([[1.0, 4.0, 2.0], [4.0, 4.0, 0.0], [0.1, 0.2, 0.3]])
    assert link(scores, least=1.0).tolist() == [1, -1, -1]
    assert link(np.empty((2, 0)), least=0.0).tolist() == [-1, -1]
