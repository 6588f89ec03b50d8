"""Sobol indices against closed forms (Ishigami, Sobol's g), against SALib's own analysis, and in coverage."""

from __future__ import annotations

import numpy as np
import pytest

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.rng import stream
from fairness.sensitivity import Factor, draw_units, place, saltelli_design, sobol_indices


def _ishigami(x: np.ndarray) -> np.ndarray:
    z = np.pi * (2 * x - 1)
    return np.sin(z[..., 0]) + 7 * np.sin(z[..., 1]) ** 2 + 0.1 * z[..., 2] ** 4 * np.sin(z[..., 0])


# Ishigami & Homma (1990), a = 7, b = 0.1: variances by integration.
_V = 7**2 / 8 + 0.1 * np.pi**4 / 5 + 0.1**2 * np.pi**8 / 18 + 0.5
_V1, _V2, _V13 = 0.5 * (1 + 0.1 * np.pi**4 / 5) ** 2, 7**2 / 8, 0.1**2 * np.pi**8 * (1 / 18 - 1 / 50)
FIRST = (_V1 / _V, _V2 / _V, 0.0)
TOTAL = ((_V1 + _V13) / _V, _V2 / _V, _V13 / _V)


def test_the_closed_forms_are_the_published_ones() -> None:
    assert np.round(FIRST, 4).tolist() == [0.3139, 0.4424, 0.0]  # as printed by SALib's documentation
    assert np.round(TOTAL, 4).tolist() == [0.5576, 0.4424, 0.2437]


def test_ishigami_is_recovered() -> None:
    found = sobol_indices(_ishigami(saltelli_design(4096, 3, rng=stream(5, "i"))), rng=stream(5, "b"))
    for got, want in zip(found.first, FIRST, strict=True):
        assert got.estimate == pytest.approx(want, abs=0.02)
    for got, want in zip(found.total, TOTAL, strict=True):
        assert got.estimate == pytest.approx(want, abs=0.02)
        assert got.low < want < got.high
    assert {i.n for i in (*found.first, *found.total)} == {4096}


def test_sobol_g_with_eight_factors() -> None:
    a = np.array([0.0, 1.0, 4.5, 9.0, 99.0, 99.0, 99.0, 99.0])
    x = saltelli_design(4096, 8, rng=stream(2, "g"))
    y = np.prod((np.abs(4 * x - 2) + a) / (1 + a), axis=-1)
    part = 1 / (3 * (1 + a) ** 2)
    whole = np.prod(1 + part) - 1
    found = sobol_indices(y, rng=stream(2, "b"))
    np.testing.assert_allclose([i.estimate for i in found.first], part / whole, atol=0.02)
    want = part * np.prod(1 + part) / (1 + part) / whole
    np.testing.assert_allclose([i.estimate for i in found.total], want, atol=0.02)


def test_the_estimators_are_those_of_salib() -> None:
    from SALib.analyze import sobol

    y = _ishigami(saltelli_design(256, 3, rng=stream(1, "i")))
    problem = {"num_vars": 3, "names": ["a", "b", "c"], "bounds": [[0, 1]] * 3}
    theirs = sobol.analyze(problem, y.ravel(), calc_second_order=False, num_resamples=200, seed=1)
    ours = sobol_indices(y, rng=stream(1, "b"), n_resamples=200)
    # SALib centres on all points, we on the two base matrices: the first order moves in the third digit.
    np.testing.assert_allclose([i.estimate for i in ours.first], theirs["S1"], atol=0.01)
    np.testing.assert_allclose([i.estimate for i in ours.total], theirs["ST"], rtol=1e-9)
    half = [(i.high - i.low) / 2 for i in ours.total]
    np.testing.assert_allclose(half, theirs["ST_conf"], rtol=0.25)


def test_intervals_cover_at_least_at_their_level() -> None:
    held = np.zeros(6)
    for seed in range(60):
        y = _ishigami(saltelli_design(128, 3, rng=stream(seed, "c")))
        found = sobol_indices(y, rng=stream(seed, "r"), n_resamples=200)
        pairs = zip((*found.first, *found.total), (*FIRST, *TOTAL), strict=True)
        held += [i.low <= want <= i.high for i, want in pairs]
    assert (held / 60 >= 0.87).all(), held  # 95 % less two and a half standard errors of sixty draws


def test_a_constant_answer_has_no_index_and_an_idle_factor_has_none_left() -> None:
    x = saltelli_design(64, 2, rng=stream(1, "k"))
    assert not any(i.estimable for i in sobol_indices(np.full(x.shape[:2], 3.0), rng=stream(1, "b")).total)
    found = sobol_indices(np.exp(x[..., 0]), rng=stream(1, "b"))
    assert found.total[1].estimate == 0.0
    assert found.total[0].estimate == pytest.approx(1.0, abs=0.05)


def test_ranges_and_designs() -> None:
    units = draw_units(1024, 3, rng=stream(1, "u"))
    factors = (Factor("a", 1, 100, "log"), Factor("b", 2, 20, "whole"), Factor("c", -1, 3))
    drawn = place(units, factors)
    assert np.median(drawn["a"]) == pytest.approx(10, rel=0.02)
    counts = np.bincount(drawn["b"].astype(int), minlength=21)[2:]
    assert counts.min() >= 52 and counts.max() <= 56  # 1024 / 19 = 53.9
    assert (drawn["c"].min(), drawn["c"].max()) == pytest.approx((-1, 3), abs=0.01)
    design = saltelli_design(8, 2, rng=stream(1, "d"))
    assert (design[:, 1, 1] == design[:, 0, 1]).all() and (design[:, 1, 0] == design[:, -1, 0]).all()
    assert (saltelli_design(8, 2, rng=stream(1, "d")) == design).all()
    for call in (
        lambda: draw_units(100, 2, rng=stream(1, "u")), lambda: saltelli_design(1, 2, rng=stream(1, "u")),
        lambda: Factor("a", 2, 1), lambda: Factor("a", 0, 1, "log"), lambda: place(units, factors[:2]),
        lambda: sobol_indices(np.full((4, 4), np.nan), rng=stream(1, "b")),
    ):  # fmt: skip
        with pytest.raises(ParameterError):
            call()
