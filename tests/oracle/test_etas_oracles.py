"""The per-cell self-exciting process against hand-made sums, closed forms, a slow second self and a published run."""

from __future__ import annotations

import functools
import importlib.util
import itertools
import math
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from contrechamp.domain.grid import Grid, count_cube
from contrechamp.domain.rng import stream
from contrechamp.pipelines.papers import oakland_predpol as paper
from contrechamp.pipelines.papers.base import read_dossier
from contrechamp.pipelines.reproduce import check_data
from models import load_predictor
from models.etas_em import fit_em
from models.etas_events import COMPENSATORS, CellEvents, EtasParams, expected_events, intensity
from models.etas_likelihood import fit_mle, profile_intervals
from models.etas_profile import intensity_at_events, log_likelihood

ROOT = Path(__file__).resolve().parents[2]
#: Public data are not redistributed: they are read where a folder beside the checkout holds them.
OAKLAND = next(ROOT.parent.glob("*/data/oakland_hrdag"), None)
needs_oakland = pytest.mark.skipif(OAKLAND is None, reason="no folder */data/oakland_hrdag beside the checkout")


def _module(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[name] = made
    spec.loader.exec_module(made)
    return made


direct = _module("etas_direct", ROOT / "tests/reference/etas_direct.py")
DOSSIER = read_dossier(ROOT / "papers/oakland_predpol")
RUN = DOSSIER.parameters
SAID = {figure.id: figure for figure in DOSSIER.published}
published = functools.partial(paper.published_map, parameters=RUN)

FIVE = CellEvents.from_counts(np.ones((5, 1), dtype=int))


def _draw(seed: int, *, n_cells: int, per_cell: float, theta: float = 0.3, omega: float = 0.2) -> CellEvents:
    cell, t = direct.simulate(
        mu=per_cell * (1 - theta) / 365, theta=theta, omega=omega, duration=365.0, n_cells=n_cells,
        rng=stream(seed, "etas"),
    )  # fmt: skip
    return CellEvents.from_events(cell, t, n_cells=n_cells, duration_days=365.0)


def _listed(events: CellEvents) -> list[tuple[int, float]]:
    cell = events.cell[events.row]
    return [
        (int(c), float(t)) for c, t, w in zip(cell, events.t_days, events.weight, strict=True) for _ in range(int(w))
    ]


# --- by hand ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("theta", "omega", "value"), [(1.0, 1.0, 1.571), (0.5, 3.0, 1.078)])
def test_intensity_of_five_events_on_consecutive_days(theta: float, omega: float, value: float) -> None:
    # 1 + θω (e^-ω + e^-2ω + e^-3ω + e^-4ω), at the fifth; the published figures are cut, not rounded, to three decimals
    at_the_fifth = intensity_at_events(FIVE, EtasParams(theta, omega, np.ones(1)))[-1]
    assert math.floor(1000 * at_the_fifth) / 1000 == value


def test_e_step_by_hand() -> None:
    background = 1.0 / intensity_at_events(FIVE, EtasParams(0.5, 1.0, np.ones(1)))
    assert background.tolist() == pytest.approx([1.0, 0.8446, 0.7990, 0.7833, 0.7778], abs=1e-4)


@pytest.mark.parametrize("theta_omega_mu", [(0.5, 1.0, 1.0)])
def test_m_step_by_hand(theta_omega_mu: tuple[float, float, float]) -> None:
    # ω: 0.795187 / 1.053991 = 0.754453, printed 0.7544 where it was first worked out
    made = fit_em(FIVE, start=theta_omega_mu, max_steps=1).params
    assert (made.theta, made.omega_per_day, made.mu_per_day[0]) == pytest.approx((0.1590, 0.7544, 0.8410), abs=1e-4)


def test_the_two_pairings_divide_by_different_intensities() -> None:
    # the published rule on the same five: parents 1…4 divide by λ₂ … λ₅ all they excite
    k = [0.5 * math.exp(-s) for s in (1, 2, 3, 4)]
    lam = [1 + sum(k[:n]) for n in range(1, 5)]
    pairs = sum(k[:4]) / lam[0] + sum(k[:3]) / lam[1] + sum(k[:2]) / lam[2] + k[0] / lam[3]
    made = fit_em(FIVE, start=(0.5, 1.0, 1.0), max_steps=1, pairing="published").params
    assert made.theta == pytest.approx(pairs / 5, rel=1e-12)
    assert made.theta * 5 + made.mu_per_day[0] * 5 > 5.005, "the shares of an event no longer add up to one"


# --- a slow second self -------------------------------------------------------------------------------------------


@given(seed=st.integers(0, 10_000), theta=st.floats(0.01, 0.9), omega=st.floats(0.02, 5.0), whole=st.booleans())
@settings(max_examples=25, deadline=None)
def test_everything_agrees_with_looking_at_every_pair(seed: int, theta: float, omega: float, whole: bool) -> None:
    rng = np.random.default_rng(seed)
    n, duration = 40, 30.0
    cell, t = rng.integers(0, 4, n) * 2, rng.uniform(0, duration, n)
    events = CellEvents.from_events(
        cell, t, n_cells=9, duration_days=duration, resolution="day" if whole else "continuous"
    )
    listed, mu = _listed(events), {int(c): float(rng.uniform(0.05, 2.0)) for c in events.cell}
    params = EtasParams(theta, omega, np.array([mu[int(c)] for c in events.cell]))
    law = {"theta": theta, "omega": omega}
    slow = [direct.intensity(listed, c, duration, mu=mu.get(c, 0.0), **law) for c in range(9)]
    np.testing.assert_allclose(intensity(events, params), slow, rtol=0, atol=1e-8)
    at_events = [
        direct.intensity(listed, int(c), float(x), mu=mu[int(c)], **law)
        for c, x in zip(events.cell[events.row], events.t_days, strict=True)
    ]
    np.testing.assert_allclose(intensity_at_events(events, params), at_events, rtol=0, atol=1e-8)
    for compensator in COMPENSATORS if whole else ("boundary", "endless"):
        value = direct.log_likelihood(listed, mu=mu, duration=duration, compensator=compensator, **law)
        assert log_likelihood(events, params, compensator=compensator) == pytest.approx(value, abs=1e-8)
    level = 0.7
    for published in (False, True):
        theta_, omega_, mu_ = direct.em_step(
            listed, mu=dict.fromkeys(mu, level), duration=duration, published=published, **law
        )
        made = fit_em(
            events, start=(theta, omega, level), max_steps=1, pairing="published" if published else "child"
        ).params
        assert (made.theta, made.omega_per_day) == pytest.approx((theta_, omega_), rel=1e-10)
        np.testing.assert_allclose(made.mu_per_day, [mu_[int(c)] for c in events.cell], rtol=1e-12)


def test_at_day_resolution_the_likelihood_is_that_of_poisson_days() -> None:
    counts = np.random.default_rng(2).poisson(0.4, (25, 3))
    events = CellEvents.from_counts(counts)
    params = EtasParams(0.4, 0.6, np.array([0.2, 0.5, 0.9]))
    slow = direct.poisson_log_likelihood(counts, mu=params.mu_per_day, theta=0.4, omega=0.6)
    assert log_likelihood(events, params, compensator="day") == pytest.approx(slow, abs=1e-9)


# --- closed form --------------------------------------------------------------------------------------------------


def test_mean_count_over_a_year() -> None:
    law = {"theta": 0.6, "omega": 0.2}
    assert expected_events(0.5, 0.6, 0.2, duration_days=365) == pytest.approx(446.875, abs=5e-4)
    cell, _ = direct.simulate(mu=0.5, duration=365.0, n_cells=2_000, rng=stream(3, "mean"), **law)
    counts = np.bincount(cell, minlength=2_000)
    assert counts.mean() == pytest.approx(446.875, abs=4 * counts.std() / math.sqrt(2_000))
    assert expected_events(0.5, 1.0, 0.2, duration_days=365) == pytest.approx(
        expected_events(0.5, 1.0 - 1e-6, 0.2, duration_days=365), rel=1e-4
    )


# --- laws of the two estimators -----------------------------------------------------------------------------------


def test_em_adds_up_never_falls_and_settles_on_the_maximum() -> None:
    events = _draw(1, n_cells=30, per_cell=40)
    likelihood = []
    for steps in (*range(1, 25), 60, 400):
        made = fit_em(events, max_steps=steps, tolerances=(0.0, 0.0, 0.0)).params
        assert made.theta * events.total + made.mu_per_day.sum() * 365 == pytest.approx(events.total, rel=1e-12)
        likelihood.append(log_likelihood(events, made, compensator="endless"))
    assert (np.diff(likelihood) > -1e-9).all()
    top = fit_mle(events, compensator="endless")
    assert (made.theta, made.omega_per_day) == pytest.approx((top.params.theta, top.params.omega_per_day), rel=1e-5)
    assert top.log_likelihood == pytest.approx(likelihood[-1], abs=1e-6)
    assert top.log_likelihood >= likelihood[-1] - 1e-9


@pytest.mark.parametrize("compensator", ["boundary", "day"])
def test_the_maximum_is_one_and_expects_what_was_seen(compensator: str) -> None:
    events = _draw(2, n_cells=25, per_cell=50)
    if compensator == "day":
        cell, t = events.cell[events.row], events.t_days
        events = CellEvents.from_events(cell, t, n_cells=25, duration_days=365, resolution="day")
    fit = fit_mle(events, compensator=compensator)
    assert fit.log_likelihood == pytest.approx(log_likelihood(events, fit.params, compensator=compensator), rel=1e-12)
    seen = sum(direct.offspring_seen(365 - t, fit.params.omega_per_day, compensator) for _, t in _listed(events))
    assert fit.params.mu_per_day.sum() * 365 + fit.params.theta * seen == pytest.approx(events.total, rel=1e-9)
    rng = np.random.default_rng(0)
    for step in (1e-3, 1e-2, 0.1):
        for _ in range(20):
            a, b = np.exp(step * rng.normal(size=2))
            near = fit.params.mu_per_day * np.exp(step * rng.normal(size=25))
            moved = EtasParams(fit.params.theta * a, fit.params.omega_per_day * b, near)
            assert log_likelihood(events, moved, compensator=compensator) < fit.log_likelihood


def test_no_excitation_planted_none_claimed() -> None:
    inside = []
    for seed in range(20):
        events = _draw(seed, n_cells=40, per_cell=25, theta=0.0)
        fit = fit_mle(events, adjustment="cox-reid")
        theta, omega = profile_intervals(events, fit)
        inside.append(theta.low == 0.0)
        assert omega.estimable == (fit.params.theta > 0)
    assert binom.cdf(sum(inside), 20, 0.95) > 0.01


@functools.cache
def _recovered(seed: int) -> dict[str, tuple[float, ...]]:
    events = _draw(seed, n_cells=100, per_cell=50)
    out = {}
    for adjustment in ("none", "cox-reid"):
        fit = fit_mle(events, adjustment=adjustment)
        theta, omega = profile_intervals(events, fit)
        inside = theta.low <= 0.3 <= theta.high, omega.low <= 0.2 <= omega.high
        out[adjustment] = (fit.params.theta, fit.params.omega_per_day, *inside)
    twenty = fit_em(events, max_steps=20, tolerances=(0.0, 0.0, 0.0)).params
    return out | {"em-20": (twenty.theta, twenty.omega_per_day)}


@pytest.mark.parametrize("n_seeds", [20, pytest.param(50, marks=pytest.mark.slow)])
def test_planted_parameters_are_recovered_where_twenty_em_steps_are_not(n_seeds: int) -> None:
    runs = [_recovered(seed) for seed in range(n_seeds)]
    adjusted, plain, em = (np.array([run[k] for run in runs]) for k in ("cox-reid", "none", "em-20"))
    for covered in adjusted[:, 2:].sum(axis=0):  # exact binomial, both parameters
        assert binom.cdf(covered, n_seeds, 0.95) > 0.01
    assert adjusted[:, 0].mean() == pytest.approx(0.30, abs=0.02)
    assert adjusted[:, 1].mean() == pytest.approx(0.20, abs=0.02)
    # one background per cell, forgotten: the bare maximum is low in θ and its interval misses far too often
    assert 0.23 < plain[:, 0].mean() < 0.28
    assert binom.cdf(plain[:, 2].sum(), n_seeds, 0.95) < 1e-6
    # twenty steps from (1, 1, 1): further away still, and both ways
    assert 0.16 < em[:, 0].mean() < 0.22
    assert 0.32 < em[:, 1].mean() < 0.40
    assert (em[:, 0] < plain[:, 0]).all()
    assert (em[:, 1] > plain[:, 1]).all()


# --- Oakland, to the digit ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def oakland() -> paper.Tables:
    return paper.load(check_data(DOSSIER, OAKLAND), parameters=RUN)


@pytest.fixture(scope="module")
def maps(oakland: paper.Tables) -> np.ndarray:
    return paper.forecast(oakland.counts, make=published, window_days=RUN["window_days"])


@needs_oakland
def test_oakland_tables_are_those_described(oakland: paper.Tables) -> None:
    assert oakland.counts.shape == (548, 661)
    assert oakland.without_cell == 28
    assert (oakland.counts[180:] == oakland.observed).all()
    assert oakland.counts[:180].sum() == 1_108
    assert (oakland.counts[:180].sum(axis=0) > 0).sum() == 223


@needs_oakland
def test_oakland_matrix_to_the_digit(oakland: paper.Tables, maps: np.ndarray) -> None:
    assert maps.shape == oakland.intensities.shape == (368, 661)
    assert np.abs(maps - oakland.intensities).max() < SAID["intensity_matrix"].tolerance


@needs_oakland
def test_oakland_first_day_stops_where_the_published_run_did(oakland: paper.Tables) -> None:
    fit = paper.published_fit(oakland.counts[:180], parameters=RUN)
    assert (fit.n_steps, fit.stopped_by) == (16, ("mu",))
    assert fit.params.theta == pytest.approx(2.816355e-5, rel=1e-6)
    assert fit.params.omega_per_day == pytest.approx(0.17848730, rel=1e-7)
    assert fit_mle(CellEvents.from_counts(oakland.counts[:180]), compensator="day").params.theta == 0.0


@needs_oakland
@pytest.mark.parametrize(("pairing", "stop"), [("child", "any"), ("published", "all")])
def test_oakland_needs_both_the_published_pairing_and_its_stop(pairing: str, stop: str, oakland: paper.Tables) -> None:
    window = CellEvents.from_counts(oakland.counts[60:240])
    made = intensity(window, fit_em(window, pairing=pairing, stop=stop).params)
    assert np.abs(made - oakland.intensities[60]).max() > 1e-7


@needs_oakland
def test_oakland_figures(oakland: paper.Tables, maps: np.ndarray) -> None:
    said = {name: row.value for name, row in SAID.items()}
    got = paper.summarise(paper.flag(maps, k=20), oakland.observed)
    assert got == {
        "hits": said["hits_etas"],
        "records": said["records_forecast_days"],
        "cells_ever_flagged": said["cells_ever_flagged"],
        "cells_flagged_more_than_half_the_days": said["cells_flagged_more_than_half_the_days"],
        "cells_flagged_every_day": said["cells_flagged_every_day"],
    }
    assert (got["hits"], got["records"]) == (721, 2323)
    counts = paper.flag(paper.forecast(oakland.counts, make=paper.count_map, window_days=180), k=20)
    assert paper.summarise(counts, oakland.observed)["hits"] == said["hits_trailing_count"] == 718


@needs_oakland
def test_oakland_fed_with_its_own_patrols(oakland: paper.Tables) -> None:
    given = {"make": published, "share": 0.2, "window_days": 180, "k": 20}
    runs = [paper.feedback(oakland.counts, rng=stream(seed, "fed"), **given)[0] for seed in range(5)]
    for name, figure in SAID.items():
        if name.startswith("feedback_"):
            ours = np.array([run[name.removeprefix("feedback_")] for run in runs])
            assert abs(figure.value - ours.mean()) < figure.tolerance, name
            assert 2.5 * ours.std(ddof=1) < figure.tolerance < 6 * ours.std(ddof=1) + 3, name
    none, _ = paper.feedback(oakland.counts[:250], rng=stream(1, "none"), **(given | {"share": 0.0}))
    assert none["added"] == 0
    assert none["apparent_hit_rate"] == none["real_hit_rate"]


@needs_oakland
def test_oakland_through_the_registry(oakland: paper.Tables) -> None:
    grid = Grid(0.0, 0.0, 500.0, np.ones((1, 661), dtype=bool))
    fitted = load_predictor("etas-per-cell", estimator="em-published").fit(oakland.counts[:180], grid=grid)
    shipped = oakland.intensities[0]
    assert fitted.expected_ == pytest.approx(shipped.sum(), rel=1e-12)
    np.testing.assert_allclose(fitted.predict(), shipped / shipped.sum() * 1_108 / 180, rtol=1e-9)


def test_the_order_of_cells_and_their_emptiness_change_nothing() -> None:
    counts = count_cube(
        *(np.array(x) for x in zip(*itertools.product([0, 2, 5], [1, 2, 4, 9]), strict=True)), n_cells=6, n_days=12
    )
    counts[3:5, 5] += 4
    shuffled = counts[:, ::-1]
    a, b = (fit_mle(CellEvents.from_counts(x), compensator="day") for x in (counts, shuffled))
    maps = [intensity(CellEvents.from_counts(x), f.params) for x, f in ((counts, a), (shuffled, b))]
    np.testing.assert_allclose(maps[0], maps[1][::-1], rtol=1e-9)
    assert (maps[0][[1, 3, 4]] == 0).all()
