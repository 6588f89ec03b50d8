"""The fast simulator, the slow one and the intensity agree; where something is planted, an outsider's test finds it."""

import importlib.util
import itertools
import sys
from pathlib import Path

import numpy as np
import pytest
from pointpats import Knox
from scipy.stats import binom, chi2_contingency, ks_2samp, kstest, levene, ttest_ind

from contrechamp.domain.rng import stream
from synthetic_data.incidents import CAUSES, _happen, draw_incidents
from synthetic_data.intensity import ConditionalIntensity
from synthetic_data.triggering import Triggering
from synthetic_data.weather import draw_weather

_SPEC = importlib.util.spec_from_file_location("ogata_thinning", Path(__file__).with_name("ogata_thinning.py"))
og = importlib.util.module_from_spec(_SPEC)
sys.modules["ogata_thinning"] = og
_SPEC.loader.exec_module(og)

#: Level of every test of agreement here: the seeds are fixed, the level says how hard they were to please.
LEVEL = 1e-3
SEEDS, MANY = range(80), range(400)
#: Gaps of each run that are tested; a fixed number, so that stopping at the end of the days selects none.
GAPS = 50

CITY = og.tiny_city()
SCENARIO = og.tiny_scenario()


def draw(seed, scenario=SCENARIO, calendar=None):
    weather = draw_weather(scenario.weather, start=scenario.start, n_days=scenario.time.n_days, rng=stream(1, "sky"))
    calendar = og.tiny_calendar(scenario) if calendar is None else calendar
    return draw_incidents(
        scenario, CITY, places=og.TinyPlaces(CITY), calendar=calendar, weather=weather, rng=stream(seed, "run")
    )


LAW = draw(0)
SLOW = og.SlowIntensity(CITY, LAW.background, LAW.trigger)
OPENING = LAW.background.slots.opening_us


def lawful(seed, law=LAW):
    """Fast runs that all have one and the same background: the field of places is drawn once."""
    return _happen(CITY, law.background, law.trigger, volume=1.0, rng=stream(seed, "lawful"))


def from_slow(history):
    day = np.array([h.day for h in history])
    arrays = {name: np.array([getattr(h, name) for h in history]) for name in ("kind", "cell", "site", "parent")}
    return {
        "t_us": OPENING + np.round(day * 86.4e9).astype(np.int64), "type_code": arrays["kind"], "cell": arrays["cell"],
        "site": arrays["site"], "parent": arrays["parent"], "event": np.array([h.event for h in history]),
        "cause": np.array([CAUSES.index(h.cause) for h in history]),
    }  # fmt: skip


def from_fast(run):
    return {name: getattr(run, name) for name in ("t_us", "type_code", "cell", "site", "parent", "event", "cause")}


@pytest.fixture(scope="module")
def slow_runs():
    return [from_slow(og.simulate(SLOW, rng=stream(seed, "slow"))) for seed in SEEDS]


@pytest.fixture(scope="module")
def fast_runs():
    return [from_fast(lawful(seed)) for seed in MANY]


def intensity(run, trigger=LAW.trigger, background=LAW.background):
    return ConditionalIntensity.given(
        background, trigger, CITY, **{name: run[name] for name in ("t_us", "type_code", "cell", "site")}
    )


def gaps(run, **law):
    """Integral of the city's intensity between one incident and the next, the first GAPS of the days."""
    t = run["t_us"][run["t_us"] >= OPENING]
    assert len(t) >= GAPS
    return np.diff(intensity(run, **law).compensator(t[:GAPS]).sum(axis=0), prepend=0.0)


def as_history(run):
    return [
        og.Happened((t - OPENING) / 86.4e9, k, c, s, og.follow_on_law(CITY, LAW.trigger, s))
        for t, k, c, s in zip(run["t_us"], run["type_code"], run["cell"], run["site"], strict=True)
    ]


# --- the intensity ------------------------------------------------------------------------------------------------


def test_the_intensity_is_the_double_sum(fast_runs):
    run = fast_runs[3]
    history, fast = as_history(run), intensity(run)
    rng = np.random.default_rng(0)
    some = np.concatenate([rng.choice(len(run["t_us"]), 40), [0, len(run["t_us"]) - 1]])
    t, kind, cell = run["t_us"][some], run["type_code"][some], rng.integers(CITY.grid.n_cells, size=len(some))
    day = (t - OPENING) / 86.4e9
    expected = [SLOW.in_cell(history, d, k, c) for d, k, c in zip(day, kind, cell, strict=True)]
    assert np.allclose(fast.at(t, kind, cell), expected, rtol=1e-11, atol=0)
    in_city = [SLOW.in_city(history, d, k) for d, k in zip(day, kind, strict=True)]
    assert np.allclose(fast.city_at(t, kind), in_city, rtol=1e-11, atol=0)
    everywhere = fast.map_at(int(t[5]))
    assert everywhere[kind[5]] == pytest.approx([SLOW.in_cell(history, day[5], kind[5], c) for c in SLOW.cells])
    assert everywhere.sum(axis=1) == pytest.approx(fast.city_at(np.repeat(t[5], 12), np.arange(12)))


def integral(function, history, *, low, high):
    """Gauss-Legendre on every piece between half hours and incidents, where the integrand is smooth."""
    edges = np.concatenate([[low, high], np.arange(np.ceil(low * 48), high * 48) / 48, [h.day for h in history]])
    edges = np.unique(edges[(edges >= low) & (edges <= high)])
    node, weight = np.polynomial.legendre.leggauss(4)
    total = 0.0
    for a, b in itertools.pairwise(edges):
        total += (
            (b - a) / 2 * sum(w * function((a + b) / 2 + (b - a) / 2 * x) for x, w in zip(node, weight, strict=True))
        )
    return total


def test_the_compensator_is_the_integral_of_the_intensity(fast_runs):
    run = fast_runs[5]
    history, fast = as_history(run), intensity(run)
    end = OPENING + 6 * 86_400_000_000
    for day in (0.0, 0.7003, 1.9, 6.0):
        at = fast.compensator(np.array([OPENING + round(day * 86.4e9)]))[:, 0]
        for kind in (0, 2):
            exact = integral(lambda d, k=kind: SLOW.in_city(history, d, k), history, low=0.0, high=day)
            assert at[kind] == pytest.approx(exact, rel=1e-9, abs=1e-9)
    cells = fast.by_cell(OPENING + 90_000_000_000, OPENING + 150_000_000_000)
    for cell in (0, 4):
        exact = integral(
            lambda d, c=cell: SLOW.in_cell(history, d, 2, c), history, low=90 / 86.4, high=150 / 86.4
        )  # fmt: skip
        assert cells[2, cell] == pytest.approx(exact, rel=1e-9)
    assert fast.by_cell(OPENING, end).sum(axis=1) == pytest.approx(fast.compensator(np.array([end]))[:, 0], rel=1e-12)


# --- time rescaled ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["fast", "slow"])
def test_rescaled_gaps_are_unit_exponential_and_a_wrong_law_is_found_out(who, fast_runs, slow_runs):
    runs = fast_runs[:50] if who == "fast" else slow_runs
    true = [gaps(run) for run in runs]
    assert kstest([kstest(g, "expon").pvalue for g in true], "uniform").pvalue > LEVEL
    assert kstest(np.concatenate(true), "expon").pvalue > LEVEL
    # successive gaps owe each other nothing
    pairs = np.concatenate([np.column_stack([g[:-1], g[1:]]) for g in true])
    assert abs(np.corrcoef(pairs.T)[0, 1]) < 3.3 / np.sqrt(len(pairs))
    t = LAW.trigger
    for wrong in (
        Triggering(0.0, t.lag_days, t.same_address, t.sd_m),
        Triggering(0.9, t.lag_days, t.same_address, t.sd_m),
        Triggering(t.mean, 0.1 * t.lag_days, t.same_address, t.sd_m),
    ):
        assert kstest(np.concatenate([gaps(run, trigger=wrong) for run in runs]), "expon").pvalue < 1e-6


@pytest.mark.parametrize("who", ["fast", "slow"])
def test_given_its_time_the_type_and_cell_of_an_incident_follow_the_intensity(who, fast_runs, slow_runs):
    def ranks(runs, trigger):
        out, rng = [], np.random.default_rng(1)
        for run in runs:
            maps = np.array([intensity(run, trigger=trigger).map_at(int(t)).ravel() for t in run["t_us"][-40:]])
            at = run["type_code"][-40:] * CITY.grid.n_cells + run["cell"][-40:]
            below = np.array([m[:i].sum() + rng.random() * m[i] for m, i in zip(maps, at, strict=True)])
            out.append(below / maps.sum(axis=1))
        return np.concatenate(out)

    runs = fast_runs[:40] if who == "fast" else slow_runs[:40]
    assert kstest(ranks(runs, LAW.trigger), "uniform").pvalue > LEVEL


# --- the two simulators -------------------------------------------------------------------------------------------


def test_the_two_simulators_draw_the_same_law(fast_runs, slow_runs):
    def now(run):
        return run["t_us"] >= OPENING

    counts = [np.array([now(run).sum() for run in runs]) for runs in (slow_runs, fast_runs)]
    assert ttest_ind(*counts, equal_var=False).pvalue > LEVEL
    assert levene(*counts).pvalue > LEVEL
    assert ks_2samp(*counts).pvalue > LEVEL
    # families make counts far more dispersed than Poisson, in both
    assert all(c.var(ddof=1) / c.mean() > 1.8 for c in counts)
    tables = {}
    for name, size in (("cause", 3), ("type_code", 12), ("cell", CITY.grid.n_cells), ("site", len(CITY.site_x_m))):
        table = np.array(
            [
                np.sum([np.bincount(r[name][now(r)], minlength=size) for r in runs], axis=0)
                for runs in (slow_runs, fast_runs)
            ]
        )
        tables[name] = table[:, table.sum(axis=0) > 0]
    # incidents of one family fall together: the count of families is the sample size, near 1 / (1 - 0.5) ** 2 fewer
    for name in ("type_code", "cell", "site"):
        assert chi2_contingency(tables[name] / 4).pvalue > LEVEL, name
    assert chi2_contingency(tables["cause"]).pvalue > LEVEL
    pooled = []
    for runs in (slow_runs, fast_runs):
        lag, away, event = [], [], []
        for run in runs:
            child = np.flatnonzero(run["parent"] >= 0)
            parent = run["parent"][child]
            lag.append((run["t_us"][child] - run["t_us"][parent]) / 86.4e9)
            x, y = CITY.site_x_m[run["site"]], CITY.site_y_m[run["site"]]
            away.append(np.hypot(x[child] - x[parent], y[child] - y[parent]))
            event.append(run["t_us"][run["event"] == 9] - OPENING)
        pooled.append([np.concatenate(lag), np.concatenate(away), np.concatenate(event)])
    assert ks_2samp(pooled[0][0], pooled[1][0]).pvalue > LEVEL
    assert ks_2samp(pooled[0][1], pooled[1][1]).pvalue > LEVEL
    assert ks_2samp(pooled[0][2], pooled[1][2]).pvalue > LEVEL
    assert min(len(p) for p in pooled[0]) > 50


def test_the_expected_total_is_the_scenarios_whatever_clusters_and_events():
    for changes in (
        {},
        {"incidents.near_repeat": 0.0},
        {"incidents.near_repeat": 0.8, "incidents.near_repeat_days": 3.0},
        {"incidents.event_effect": 0.0},
    ):
        scenario = og.tiny_scenario(**changes)
        law = draw(0, scenario)
        n = np.array([(lawful(seed, law).t_us >= OPENING).sum() for seed in range(300)])
        assert abs(n.mean() - 120) < 3.3 * n.std(ddof=1) / np.sqrt(len(n)), changes


# --- near repeats, found by somebody else's test -------------------------------------------------------------------


def knox_p(seed, near_repeat):
    """Permutation p-value, ties broken by lot, of the excess of pairs within 150 m and half a day, in one type."""
    scenario = og.tiny_scenario(
        **{"incidents.near_repeat": near_repeat, "incidents.event_effect": 0.0, "time.n_days": 30,
           "incidents.latent_per_day": 2.5, "types.tapage.weight": 1e-6}
    )  # fmt: skip
    drawn = draw(seed, scenario)
    mine = drawn.type_code == 2
    site = drawn.site[mine]
    np.random.seed(seed)  # noqa: NPY002 -- the only source of chance that pointpats knows
    knox = Knox(
        np.column_stack([CITY.site_x_m[site], CITY.site_y_m[site]]), (drawn.t_us[mine, None] - OPENING) / 86.4e9,
        delta=150.0, tau=0.5, permutations=99, keep=True,
    )  # fmt: skip
    ties = stream(seed, "ties").random() * (1 + (knox.sim == knox.nst).sum())
    return ((knox.sim > knox.nst).sum() + ties) / 100


def test_knox_is_silent_at_its_nominal_rate_without_near_repeats_and_finds_those_planted():
    silent = np.array([knox_p(seed, 0.0) for seed in range(120)])
    low, high = binom.ppf([LEVEL / 2, 1 - LEVEL / 2], len(silent), 0.05)
    assert low <= (silent <= 0.05).sum() <= high
    assert kstest(silent, "uniform").pvalue > LEVEL
    found = np.array([knox_p(seed, 0.5) for seed in range(20)])
    assert (found <= 0.05).mean() >= 0.9
