"""Appearances: closed forms of look-alikes, marginals that correlation leaves alone, errors at their stated rates."""

from __future__ import annotations

import numpy as np
import pytest

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.rng import stream
from synthetic_data.appearance_worlds import (
    ATTRIBUTES,
    AppearanceLaw,
    appearance_law,
    draw_people,
    error_tables,
    observe,
)

SHAPE = tuple(ATTRIBUTES.values())
CELLS = int(np.prod(SHAPE))


def _bits(p: np.ndarray) -> float:
    p = p[p > 0]
    return float(-(p * np.log2(p)).sum())


def test_uniform_independent_attributes_follow_the_birthday_formulas() -> None:
    law = AppearanceLaw(np.full(SHAPE, 1 / CELLS))
    assert law.entropy_bits == pytest.approx(np.log2(CELLS))
    assert law.expected_candidates(5_000) == pytest.approx(1 + 4_999 / CELLS)
    assert law.p_alone(5_000) == pytest.approx((1 - 1 / CELLS) ** 4_999)


def test_bits_add_up_when_attributes_are_independent_and_fall_when_they_are_not() -> None:
    free, tied = (appearance_law(colour_skew=1.0, correlation=c) for c in (0.0, 0.6))
    apart = sum(_bits(free.marginal(name)) for name in ATTRIBUTES)
    assert free.entropy_bits == pytest.approx(apart)
    assert tied.entropy_bits < free.entropy_bits - 1
    assert tied.joint.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("correlation", [0.0, 0.3, 1.0])
def test_correlation_moves_no_marginal(correlation: float) -> None:
    free, tied = (appearance_law(colour_skew=1.5, correlation=c) for c in (0.0, correlation))
    for name in ATTRIBUTES:
        assert tied.marginal(name) == pytest.approx(free.marginal(name))


def test_reversed_colours_make_the_rarest_the_most_worn() -> None:
    usual, other = (appearance_law(colour_skew=1.5, reverse_colours=r) for r in (False, True))
    assert other.marginal("top") == pytest.approx(usual.marginal("top")[::-1])
    assert other.marginal("age") == pytest.approx(usual.marginal("age"))


def test_drawn_crowds_hold_as_many_look_alikes_as_the_law_says() -> None:
    law = appearance_law(colour_skew=1.5, correlation=0.3)
    sizes, alone = [], []
    for rep in range(60):
        people = draw_people(law, n=400, rng=stream(1, "people", rep))
        cell = np.ravel_multi_index(tuple(people.T.astype(int)), SHAPE)
        same = np.bincount(cell)[cell]
        sizes.append(same.mean())
        alone.append((same == 1).mean())
    for seen, expected in ((sizes, law.expected_candidates(400)), (alone, law.p_alone(400))):
        assert np.mean(seen) == pytest.approx(expected, abs=4 * np.std(seen) / np.sqrt(len(seen)))


def test_readings_err_at_the_rate_and_in_the_way_stated() -> None:
    law, tables = appearance_law(), error_tables(0.2)
    assert all(t.sum(axis=1) == pytest.approx(1.0) for t in tables.values())
    people = draw_people(law, n=40_000, rng=stream(2, "p"))
    read = observe(people, tables=tables, rng=stream(2, "o"))
    for column, (name, n) in enumerate(ATTRIBUTES.items()):
        rate = 0.2 if n > 3 else 0.1
        assert (people[:, column] != read[:, column]).mean() == pytest.approx(rate, abs=0.008)
        seen = np.zeros((n, n))
        np.add.at(seen, (people[:, column], read[:, column]), 1)
        met = seen.sum(axis=1) > 2_000
        assert (seen / seen.sum(axis=1, keepdims=True))[met] == pytest.approx(tables[name][met], abs=0.03)
    off = np.abs(people[:, 2].astype(int) - read[:, 2])
    assert off.max() == 1
    assert (observe(people, tables=error_tables(0.0), rng=stream(2, "o")) == people).all()


def test_bad_parameters_are_named() -> None:
    with pytest.raises(ParameterError, match="correlation"):
        appearance_law(correlation=1.5)
    with pytest.raises(ParameterError, match="`noise`"):
        error_tables(1.0)
    with pytest.raises(ParameterError, match="`n`"):
        draw_people(appearance_law(), n=-1, rng=stream(1, "p"))
