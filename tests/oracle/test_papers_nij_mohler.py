"""NIJ 2017, Mohler et al. 2011 and 2015: exact figures against a second reckoning, runs in kind against a known law."""

import dataclasses
from fractions import Fraction
from itertools import combinations
from math import comb

import joblib
import numpy as np
import pytest

from contrechamp.domain.protocols import silent
from contrechamp.domain.rng import stream
from contrechamp.pipelines.papers import mohler_2011, mohler_2015, nij_2017
from contrechamp.pipelines.papers.aftershocks import City, daily_counts, draw_events
from contrechamp.pipelines.papers.base import Comparison, read_dossier
from contrechamp.pipelines.papers.drawing import image
from contrechamp.pipelines.reproduce import papers_folder, reproduce

CITY = City(
    side_m=10_000.0, cell_m=200.0, n_days=300, per_day=40.0, kappa=0.0, lag_days=5.0, near_m=100.0, n_spots=20,
    spot_share=0.5, spot_m=150.0, spot_life_days=0.0,
)  # fmt: skip


def _dossier(key, **parameters):
    dossier = read_dossier(papers_folder() / key)
    return dataclasses.replace(dossier, parameters={**dossier.parameters, **parameters})


# --- NIJ 2017 -------------------------------------------------------------------------------------------------


def test_nij_every_figure_is_within_its_tolerance():
    found = reproduce("nij_2017", seed=3)
    assert {c.published.id: c.status for c in found.comparisons if c.status != "within"} == {}
    two = found.run.figures["two_hits_pai"]
    assert two.low == pytest.approx(0.012348 * 295.4, abs=2e-3) and two.high == pytest.approx(
        0.316983 * 295.4, abs=2e-3
    )
    for lang in ("fr", "en"):
        assert image(found.run.draw, lang, form="png").startswith(b"\x89PNG")


def test_nij_figures_in_fractions():
    published = {p.id: p.value for p in _dossier("nij_2017").published}
    events = _dossier("nij_2017").parameters["hand_events"]
    values = [Fraction(sum(some), sum(events)) * Fraction(20, 4) for some in combinations(events, 4)]
    mean = sum(values) / len(values)
    assert mean == published["random_mean"]
    assert sum((v - mean) ** 2 for v in values) / len(values) == Fraction(6, 19)
    assert published["random_variance"] == pytest.approx(6 / 19, abs=1e-15)

    def binomial(n, p):
        return [comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)]

    for n, horizon in ((20, "week"), (263, "quarter")):
        better, worse = binomial(n, Fraction(1, 10)), binomial(n, Fraction(1, 20))
        wins = sum(b * sum(worse[:k]) for k, b in enumerate(better))
        ties = sum(b * w for b, w in zip(better, worse, strict=True))
        assert published[f"better_first_{horizon}"] == pytest.approx(float(wins), abs=1e-12)
        assert published[f"worse_first_{horizon}"] == pytest.approx(float(1 - wins - ties), abs=1e-12)


def test_nij_the_contest_is_even_between_equals_and_one_week_is_no_test():
    p = _dossier("nij_2017").parameters
    even = nij_2017.contest_table({**p, "better_share": p["captured_share"]})
    assert even["better_first"].to_numpy() == pytest.approx(even["worse_first"].to_numpy(), abs=1e-12)
    table = nij_2017.contest_table(p)
    assert table[["better_first", "tied", "worse_first"]].sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-12)
    assert table["better_first"].is_monotonic_increasing and table["better_first"].iloc[0] < 2 / 3


def test_nij_a_grid_of_250_m_is_out_of_the_rules():
    p = _dossier("nij_2017").parameters
    assert nij_2017.flagged_on(p).within_rules
    coarse = nij_2017.flagged_on({**p, "cell_m": 250.0})
    assert coarse.area_within_rules and not coarse.cells_within_rules
    assert coarse.cell_sq_ft == pytest.approx(672_744, abs=1)


def test_nij_one_hit_is_worth_less_in_a_smaller_city_or_a_busier_week():
    p = _dossier("nij_2017").parameters
    one = nij_2017.hits_table(p).set_index(["forecast_sq_mi", "hits"])["pai"]
    busier = nij_2017.hits_table({**p, "events_per_week": 40}).set_index(["forecast_sq_mi", "hits"])["pai"]
    smaller = nij_2017.hits_table({**p, "city_sq_mi": 147.7 / 2}).set_index(["forecast_sq_mi", "hits"])["pai"]
    for area, points in ((0.25, 29.54), (0.5, 14.77), (0.75, 9.8467)):
        assert one[area, 1] == pytest.approx(points, abs=1e-4)
        assert busier[area, 1] == smaller[area, 1] == pytest.approx(points / 2, abs=1e-4)


# --- the cities drawn -----------------------------------------------------------------------------------------


def test_a_city_holds_what_its_law_says():
    flat = dataclasses.replace(CITY, spot_share=0.0)
    quiet = draw_events(flat, rng=stream(1, "quiet")).points
    assert len(quiet) == pytest.approx(12_000, abs=4 * 12_000**0.5)
    counts = daily_counts(quiet, flat)
    assert counts.sum() == len(quiet) and counts.shape == (300, 2_500)
    daily = counts.sum(axis=1)
    assert daily.var(ddof=1) / daily.mean() == pytest.approx(1, abs=0.33)  # Poisson: four standard deviations

    clustered = draw_events(dataclasses.replace(flat, kappa=0.5), rng=stream(1, "clustered")).points
    # Mean of an exponential self-exciting process begun at day 0; its variance is 1 / (1 - kappa)² times Poisson's.
    mu, omega = 20.0, 0.2
    expected = mu * 300 / 0.5 - mu * 0.5 * (1 - np.exp(-omega * 0.5 * 300)) / (omega * 0.25)
    assert expected == pytest.approx(11_800, abs=1)
    assert len(clustered) == pytest.approx(expected, abs=4 * 2 * expected**0.5)
    # Pairs of incidents in one cell and week: n²/2 over the cells and weeks where nothing ties them together.
    weeks = [np.bincount((p.t_days // 7).astype(int) * 2_500 + p.cell) for p in (quiet, clustered)]
    pairs = [int((week * (week - 1) // 2).sum()) for week in weeks]
    alone = len(quiet) ** 2 / 2 / 2_500 / (300 / 7)
    assert pairs[0] == pytest.approx(alone, abs=5 * alone**0.5) and pairs[1] > 3 * pairs[0]


def test_hot_spots_stay_or_move_as_told():
    def likeness(life):
        city = dataclasses.replace(CITY, spot_life_days=life, spot_share=0.9)
        counts = daily_counts(draw_events(city, rng=stream(2, "spots")).points, city)
        return np.corrcoef(counts[:100].sum(axis=0), counts[200:].sum(axis=0))[0, 1]

    assert likeness(0.0) > 0.9 > 0.5 > likeness(20.0)


def test_the_same_seed_draws_the_same_city():
    one, two, other = (draw_events(CITY, rng=stream(s, "city")).points for s in (4, 4, 5))
    assert np.array_equal(one.x_m, two.x_m) and np.array_equal(one.t_days, two.t_days)
    assert not np.array_equal(one.x_m[:50], other.x_m[:50])


# --- Mohler et al. 2011 ---------------------------------------------------------------------------------------


def test_2011_learns_what_was_planted_and_nothing_where_nothing_was():
    run = mohler_2011.reproduce(_dossier("mohler_2011", n_cities=2), {}, seed=3, jobs=1, progress=silent)
    dossier = _dossier("mohler_2011")
    assert set(run.figures) == {p.id for p in dossier.published}
    judged = [Comparison(p, run.figures[p.id]) for p in dossier.published if p.tolerance is not None]
    assert {c.published.id: c.status for c in judged} == dict.fromkeys((c.published.id for c in judged), "within")
    ratio = run.tables["ratios"].set_index(["over", "area"])["estimate"]
    assert (ratio > 0.95).all() and ratio["trailing-mean", 0.05] > 1.03  # it is the law of the city: it does gain
    # the flagged shares nest: more of the city, more of the events
    for _, hits in run.tables["hits"].groupby("predictor"):
        assert hits["estimate"].is_monotonic_increasing and hits["estimate"].iloc[0] > 0.05


# --- Mohler et al. 2015 ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small():
    base = _dossier("mohler_2015").parameters
    return _dossier(
        "mohler_2015", n_cities=2, kappas=[0.0, 0.3], first_scored_day=183, bootstrap_draws=200,
        places=[{"spot_share": 0.6, "life_days": 0.0}], central={"spot_share": 0.6, "life_days": 0.0, "kappa": 0.3},
        city={**base["city"], "n_days": 230},
    )  # fmt: skip


@pytest.fixture(scope="module")
def rerun(small):
    return mohler_2015.reproduce(small, {}, seed=3, jobs=1, progress=silent)


def test_2015_what_was_printed_is_consistent(small, rerun):
    assert set(rerun.figures) == {p.id for p in small.published}
    judged = {p.id: Comparison(p, rerun.figures[p.id]) for p in small.published if p.tolerance is not None}
    assert {name: c.status for name, c in judged.items()} == dict.fromkeys(judged, "within") and len(judged) == 7
    los_angeles = rerun.figures["ratio_los_angeles"]
    assert (los_angeles.low, los_angeles.high) == pytest.approx((4.65 / 2.15, 4.75 / 2.05), abs=1e-12)
    # had the analysts' share been misprinted by half a point, it would have been seen
    assert mohler_2015.printed_ratio(4.7, 2.6, rounding=0.05).high < 1.9


def test_2015_a_pai_is_a_share_over_an_area():
    table = mohler_2015.areas_table(_dossier("mohler_2015").parameters).set_index("division_km2")
    assert table.loc[45.0, "share_of_area"] == pytest.approx(0.01)
    assert table.loc[30.0, "pai_model"] == pytest.approx(0.047 / 0.015)
    assert (table["pai_model"] / table["pai_analyst"]).to_numpy() == pytest.approx(4.7 / 2.1)


def test_2015_without_near_repeats_the_model_is_a_plain_count(rerun):
    # Negative control: nothing to see beyond the level of places, so the process can do no better than counting.
    ratios = rerun.tables["ratios"].set_index(["kappa", "map", "over"])["estimate"]
    assert ratios[0.0, "etas", "count"] == pytest.approx(1, abs=0.03)
    for analyst in ("pins", "week", "month"):
        assert ratios[0.0, "etas", analyst] == pytest.approx(ratios[0.0, "count", analyst], rel=0.03)
    assert ratios[0.0, "etas", "pins"] > ratios[0.0, "etas", "week"] > ratios[0.0, "etas", "month"] > 1


def test_2015_no_number_depends_on_the_workers(small, rerun):
    with joblib.parallel_config(backend="threading"):
        rows = mohler_2015.world_rows(
            small.parameters, kappa=0.3, spot_share=0.6, life_days=0.0, seed=3, key="mohler_2015", jobs=2
        )
    found = {(row["map"], row["over"]): row["estimate"] for row in rows}
    assert found["etas", "week"] == rerun.figures["over_week"].estimate
    assert found["etas", None] == rerun.figures["share_model"].estimate


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_2015_the_map_of_cities_is_drawn_in_both_languages(small, rerun, lang):
    assert image(rerun.draw, lang, form="png").startswith(b"\x89PNG")
    assert small.missing and all(m.why.fr and m.why.en for m in small.missing)
