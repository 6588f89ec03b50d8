"""E04: nothing found in a note of noise, a planted one found, and no circularity where officers find nothing."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.intervals import Interval
from contrechamp.domain.results import UNITS, Outcome
from contrechamp.domain.rng import stream
from contrechamp.experiments import e04_event_note as e04
from contrechamp.experiments.events import over_seeds, shown
from models.mpulse import MPulse
from synthetic_data.event_worlds import EventLaw, EventWorld, draw_event_world

FEW = dataclasses.replace(
    e04.Params.quick(), worlds=4, informativeness=(0.0, 1.0), discovery_shares=(0.0, 0.9), events_per_year=300,
    position_noises_m=(0.0, 30.0, 100.0), time_noises_h=(0.0,),
)  # fmt: skip


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return e04.run(FEW, seed=5)


def interval(outcome: Outcome, measure: str, **world: object) -> Interval:
    found = [r for r in outcome.results if r.measure == measure and world.items() <= dict(r.world).items()]
    assert len(found) == 1, (measure, world, len(found))
    return found[0].interval


def drawn(seed: int, **law: float) -> EventWorld:
    return draw_event_world(EventLaw(n_per_year=200, **law), rng=stream(seed, "test"))  # type: ignore[arg-type]


# --- the statistic


def test_partial_rank_correlation_against_least_squares_and_the_closed_form() -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(size=(150, 2))
    x, y = z[:, 0] + rng.normal(size=150), np.exp(z[:, 0] - z[:, 1]) + rng.normal(size=150)
    given = np.column_stack([np.ones(150), z])
    left = [sm.OLS(stats.rankdata(v), given).fit().resid for v in (x, y)]
    assert e04.partial_spearman(x, y, given=given) == pytest.approx(np.corrcoef(*left)[0, 1], abs=1e-12)
    r = stats.spearmanr(np.column_stack([x, y, z[:, 0]])).statistic
    closed = (r[0, 1] - r[0, 2] * r[1, 2]) / np.sqrt((1 - r[0, 2] ** 2) * (1 - r[1, 2] ** 2))
    ranks = np.column_stack([np.ones(150), stats.rankdata(z[:, 0])])
    assert e04.partial_spearman(x, y, given=ranks) == pytest.approx(closed, abs=1e-12)


def test_a_note_that_never_varies_or_only_repeats_the_calendar_has_no_estimate() -> None:
    world = drawn(1)
    rows = ~world.past
    given = e04.controls(world, rows)
    y = world.incidents()[rows].astype(float)
    assert np.isnan(e04.partial_spearman(np.full(len(y), 5.0), y, given=given))
    assert not e04.partial_interval(float("nan"), n=200, n_given=19).estimable
    assert not e04.partial_interval(0.3, n=20, n_given=19).estimable


def test_a_note_of_pure_noise_is_told_from_zero_at_the_nominal_rate() -> None:
    """Negative control: Fisher's interval covers 0 in 95 % of calendars, events being as uneven as they are."""
    covered, n_worlds = 0, 300
    for seed in range(n_worlds):
        world = drawn(seed)
        rows = ~world.past
        given = e04.controls(world, rows)
        noise = np.random.default_rng(10_000 + seed).normal(size=int(rows.sum()))
        r = e04.partial_spearman(noise, world.incidents()[rows].astype(float), given=given)
        found = e04.partial_interval(r, n=len(noise), n_given=given.shape[1])
        assert found.low is not None and found.high is not None
        covered += found.low <= 0 <= found.high
    low, high = stats.binom.interval(0.998, n_worlds, 0.95)
    assert low <= covered <= high


def test_a_note_that_knows_crowd_and_calendar_only_has_next_to_no_partial_correlation() -> None:
    """What the controls hold constant leaves under 0.05: half of what the register calls nothing."""
    left = []
    for seed in range(40):
        world = drawn(seed, informativeness=0.0)
        rows = ~world.past
        c = world.calendar[rows]
        known = 0.6 * c["log_crowd"] + np.take((-0.15, -0.15, -0.1, 0, 0.2, 0.3, -0.1), c["weekday"])
        truth = world.incidents()[rows].astype(float)
        left.append(e04.partial_spearman(np.exp(known.to_numpy()), truth, given=e04.controls(world, rows)))
    assert abs(float(np.mean(left))) < 0.05


# --- the experiment


def test_every_result_has_a_declared_measure_and_a_denominator(outcome: Outcome) -> None:
    assert {m.unit for m in e04.MEASURES} <= set(UNITS)
    assert {r.measure for r in outcome.results} == {m.key for m in e04.MEASURES}
    assert len({r.key for r in outcome.results}) == len(outcome.results)
    assert all(r.interval.n == 4 for r in outcome.results if r.measure in ("partial_corr", "circularity", "brier_red"))
    assert len(outcome.tables["E04_calendars"]) == 4 * 2 * 2 * 3
    assert len(outcome.tables["E04_clashes"]) == 4 * 3 * 2


@pytest.mark.parametrize("formula", ["rank", "fixed-scale", "per-head"])
def test_planted_information_is_found_and_its_absence_too(outcome: Outcome, formula: str) -> None:
    for share in (0.0, 0.9):
        some = interval(outcome, "partial_corr", informativeness=1.0, discovery_share=share, note_formula=formula)
        none = interval(outcome, "partial_corr", informativeness=0.0, discovery_share=share, note_formula=formula)
        assert some.estimate is not None and some.low is not None and some.estimate > 0.3 and some.low > 0.1
        assert none.estimate is not None and abs(none.estimate) < 0.08


def test_where_officers_find_nothing_twice_as_many_change_nothing(outcome: Outcome) -> None:
    for measure in ("circularity", "circularity_half"):
        found = [r.interval for r in outcome.results if r.measure == measure and r.world["discovery_share"] == 0.0]
        assert len(found) == 6
        assert all((i.estimate, i.low, i.high, i.method) == (0.0, 0.0, 0.0, "identical-runs") for i in found)


def test_a_fixed_scale_counts_officers_and_a_rank_hides_it_until_half_of_them_double(outcome: Outcome) -> None:
    world = {"informativeness": 1.0, "discovery_share": 0.9}
    scale = interval(outcome, "circularity", **world, note_formula="fixed-scale")
    rank = interval(outcome, "circularity", **world, note_formula="rank")
    half = interval(outcome, "circularity_half", **world, note_formula="rank")
    assert scale.low is not None and scale.low > 0.4
    assert rank.low is not None and rank.high is not None and rank.low < 0.05 and rank.high < 0.1
    assert half.estimate is not None and rank.estimate is not None and half.estimate > rank.estimate


def test_circularity_is_what_a_second_hand_count_gives() -> None:
    """The same doubling, by hand: facts counted again with twice the luck of being found, the tool fitted again."""
    world = drawn(3, discovery_share=0.9)
    past, new = world.past, world.features[~world.past]
    tool = MPulse(note="fixed-scale", n_trees=5, seed=1).fit(shown(world, world.facts(), world.officers, rows=past))
    relative = world.officers / (1 + 4 * np.sqrt(world.calendar["crowd"].to_numpy() / 1000))
    facts = np.zeros((len(relative), 3))
    for event, gravity, (prevented, found, told) in zip(world.event_of, world.gravity, world.luck, strict=True):
        happens = prevented < np.exp(-world.law.deterrence * relative[event])
        seen = found < 1 - np.exp(-world.detection * 2 * relative[event])
        facts[event, gravity] += happens and (seen or told < world.p_reported)
    again = MPulse(note="fixed-scale", n_trees=5, seed=1).fit(shown(world, facts, 2 * world.officers, rows=past))
    by_hand = float((again.transferred(new) - tool.transferred(new)).mean())
    assert e04._presence(world, tool)["circularity"] == pytest.approx(by_hand, abs=1e-12)
    assert by_hand > 0.3


def test_clairvoyant_is_above_every_note(outcome: Outcome) -> None:
    for result in outcome.results:
        if result.measure == "partial_corr":
            at = {k: v for k, v in result.world.items() if k != "note_formula"}
            ceiling = interval(outcome, "partial_corr_ceiling", **at).estimate
            assert ceiling is not None and result.interval.estimate is not None
            assert result.interval.estimate < ceiling


def test_colours_count_every_day_once_and_red_days_are_worse_than_green_ones(outcome: Outcome) -> None:
    table = outcome.tables["E04_calendars"]
    days = table[[f"days_{c}" for c in ("green", "orange", "red")]].sum(axis=1)
    assert table.assign(days=days).groupby("calendar")["days"].nunique().eq(1).all()
    world = {"informativeness": 1.0, "discovery_share": 0.9, "note_formula": "rank"}
    red, green = (interval(outcome, "bad_days", **world, colour=c) for c in ("red", "green"))
    assert red.low is not None and green.estimate is not None and red.low > green.estimate
    assert green.high is not None and green.high > green.estimate  # no bad day among few calendars is not never
    assert red.n + green.n + interval(outcome, "bad_days", **world, colour="orange").n == int(
        table.query("informativeness == 1 and discovery_share == 0.9 and note_formula == 'rank'")[
            ["days_green", "days_orange", "days_red"]
        ].to_numpy().sum()
    )  # fmt: skip


def test_an_exact_calendar_gives_the_rule_back_and_errors_only_lower_it(outcome: Outcome) -> None:
    for measure in ("clash_precision", "clash_recall"):
        exact = interval(outcome, measure, position_noise_m=0.0, share_entered=1.0)
        assert (exact.low, exact.high, exact.method) == (1.0, 1.0, "identical-runs")
        found = [interval(outcome, measure, position_noise_m=m, share_entered=1.0) for m in (0.0, 30.0, 100.0)]
        values = [i.estimate or 0.0 for i in found]
        assert values[0] > values[1] > values[2]
    missing = interval(outcome, "clash_recall", position_noise_m=0.0, share_entered=0.9)
    assert missing.low is not None and missing.high is not None and missing.low < 0.9 and missing.high > 0.8
    assert interval(outcome, "clash_precision", position_noise_m=0.0, share_entered=0.9).estimate == 1.0


def test_numbers_depend_neither_on_workers_nor_on_the_other_worlds(outcome: Outcome) -> None:
    alone = dataclasses.replace(FEW, worlds=2, informativeness=(1.0,), note_formulas=("rank",))
    one, two = (e04.run(alone, seed=5, jobs=jobs) for jobs in (1, 2))
    assert [r.to_dict() for r in one.results] == [r.to_dict() for r in two.results]
    keys = ["calendar", "informativeness", "discovery_share", "note_formula"]
    whole = outcome.tables["E04_calendars"].set_index(keys)
    part = one.tables["E04_calendars"].set_index(keys)
    assert part.equals(whole.loc[part.index, part.columns])


def test_over_seeds_leaves_out_what_has_no_estimate() -> None:
    assert over_seeds([0.1, float("nan"), 0.3, 0.2]).n == 3
    assert over_seeds([0.5, 0.5]).method == "identical-runs"
    assert not over_seeds([float("nan"), 0.5]).estimable


def test_wrong_parameters_are_refused() -> None:
    with pytest.raises(ParameterError, match="at least 2"):
        e04.run(dataclasses.replace(FEW, worlds=1), seed=1)
    with pytest.raises(ParameterError, match="No note formula"):
        e04.run(dataclasses.replace(FEW, note_formulas=("published",)), seed=1)
    assert e04.Params.full().worlds == 200
