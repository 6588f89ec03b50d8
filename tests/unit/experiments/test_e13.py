"""E13: simulated crowds against closed forms, chance and colours as baselines, and a verdict that turns with errors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from contrechamp.audit.claims import read_yaml
from contrechamp.audit.rules import Rule, evaluate
from contrechamp.domain.errors import ParameterError
from contrechamp.domain.intervals import Interval
from contrechamp.domain.results import Outcome
from contrechamp.domain.rng import stream
from contrechamp.experiments import e13_appearance_search as e13
from synthetic_data.appearance_worlds import draw_people, error_tables

FEW = e13.Params(crowds=(100, 5_000), nearby=(10, 1_000), noises=(0.0, 0.2), searches=10, worlds=20)


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return e13.run(FEW, seed=13)


def interval(outcome: Outcome, measure: str, **world: object) -> Interval:
    found = [
        r.interval for r in outcome.results
        if r.measure == measure and all(r.world.get(k) == v for k, v in world.items())
    ]  # fmt: skip
    assert len(found) == 1, (measure, world, len(found))
    return found[0]


@pytest.mark.parametrize("dress", list(e13.DRESSES))
@pytest.mark.parametrize("crowd", [100, 5_000])
def test_a_faultless_description_leaves_as_many_as_the_closed_form(outcome: Outcome, dress: str, crowd: int) -> None:
    rows = outcome.tables["e13_searches"]
    here = rows[
        (rows["dress"] == dress) & (rows["noise"] == 0) & (rows["crowd"] == crowd) & (rows["query"] == "strict")
    ]
    expected = interval(outcome, "expected_candidates", dress=dress, crowd=crowd).estimate
    error = here["candidates"].std() / np.sqrt(len(here))
    assert here["candidates"].mean() == pytest.approx(expected, abs=4 * error + 1e-9)
    assert here["kept"].all()
    alone = e13.law_of(dress).p_alone(crowd)
    share = (here["candidates"] == 1).mean()
    assert share == pytest.approx(alone, abs=4 * np.sqrt(alone * (1 - alone) / len(here)) + 0.01)


def test_bits_and_chance_are_arithmetic(outcome: Outcome) -> None:
    bits = interval(outcome, "entropy_bits", dress="usual").estimate
    short = interval(outcome, "bits_short", dress="usual", crowd=5_000).estimate
    assert short == pytest.approx(np.log2(5_000) - bits)  # type: ignore[operator]
    assert interval(outcome, "chance_top10", crowd=5_000).estimate == pytest.approx(0.002)


def test_errors_and_colours_alone_do_worse_and_a_tolerant_filter_keeps_more(outcome: Outcome) -> None:
    at = {"dress": "usual", "crowd": 5_000}
    sure, wrong = (interval(outcome, "top10", noise=n, query="ranked", **at) for n in (0.0, 0.2))
    colours = interval(outcome, "top10", noise=0.0, query="colour-only", **at)
    assert sure.low > wrong.high  # type: ignore[operator]
    assert sure.low > colours.high  # type: ignore[operator]
    strict, wide = (interval(outcome, "target_kept", noise=0.2, query=q, **at) for q in ("strict", "wide"))
    assert wide.estimate > strict.estimate  # type: ignore[operator]
    few, many = (interval(outcome, "candidate_set", noise=0.2, query=q, **at) for q in ("strict", "wide"))
    assert many.estimate >= few.estimate  # type: ignore[operator]


def test_a_description_keeps_its_target_when_no_attribute_is_read_wrong_twice(outcome: Outcome) -> None:
    """To the letter: both sides right, or wrong alike. A bound from the share of attributes read right by both."""
    kept = interval(outcome, "target_kept", dress="varied", noise=0.2, crowd=5_000, query="strict")
    both_right = (0.8**2) ** 4 * (0.9**2) ** 2
    assert kept.high > both_right  # type: ignore[operator]
    assert kept.low < 2 * both_right  # type: ignore[operator]


def test_rare_dress_is_found_and_common_dress_is_not(outcome: Outcome) -> None:
    common, rare = (interval(outcome, "top10_by_dress", dress="alike", noise=0.0, wearer=w) for w in ("common", "rare"))
    assert rare.low > common.high  # type: ignore[operator]


def test_routes_are_whole_among_few_and_broken_among_many(outcome: Outcome) -> None:
    few = interval(outcome, "route_recall", dress="varied", noise=0.0, nearby=10)
    assert few.estimate > 0.98  # type: ignore[operator]
    many = interval(outcome, "route_recall", dress="alike", noise=0.2, nearby=1_000)
    assert many.high < 0.2  # type: ignore[operator]
    rows = outcome.tables["e13_routes"]
    assert (rows["right"] <= rows[["seen", "links"]].min(axis=1)).all()


def test_a_crowd_of_twins_leaves_rank_to_chance() -> None:
    law, errors = e13.law_of("usual"), error_tables(0.0)
    one = draw_people(law, n=1, rng=stream(1, "p"))
    gallery = np.repeat(one, 200, axis=0)
    match = e13.likeness_of(law, described=errors, filmed=errors)
    queries, target = np.repeat(one, 2_000, axis=0), np.zeros(2_000, dtype=np.int64)
    rows = e13.search_crowd(queries, gallery, target=target, match=match, rng=stream(1, "r"))
    for _, found in rows.groupby("query"):
        assert (found["candidates"] == 200).all()
        assert (found["rank"] <= 10).mean() == pytest.approx(0.05, abs=0.02)


def test_both_sides_are_judged_by_the_same_criteria_and_the_verdict_turns(outcome: Outcome) -> None:
    rows = [r.to_dict() | {"id": f"R-{i}"} for i, r in enumerate(outcome.results)]
    raw = {r["claim"]: r for r in read_yaml("rules.yaml")["rules"] if r["experiment"] == "E13"}
    assert set(raw) == {"V05", "C16", "V02"}
    assert all(raw["V05"][key] == raw["C16"][key] for key in ("worlds", "support", "refute"))
    counts = evaluate(Rule.parse(raw["V05"]), rows)["counts"]
    assert counts["supported"] > 0
    assert counts["refuted"] > 0
    assert evaluate(Rule.parse(raw["V02"]), rows)["counts"]["supported"] > 0


def test_same_numbers_for_any_number_of_workers() -> None:
    few = replace(FEW, worlds=2, crowds=(100,), nearby=(10,))
    one, two = (e13.run(few, seed=4, jobs=jobs) for jobs in (1, 2))
    assert [r.interval for r in one.results] == [r.interval for r in two.results]
    assert one.tables["e13_searches"].equals(two.tables["e13_searches"])


@pytest.mark.parametrize(
    "change", [{"worlds": 1}, {"dresses": ("odd",)}, {"noises": (1.0,)}, {"crowds": (15,)}, {"nearby": ()},
               {"cameras": 1}, {"p_seen": 0.0}],
)  # fmt: skip
def test_bad_parameters_are_named(change: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match=f"`{next(iter(change))}`"):
        e13.run(replace(FEW, **change), seed=1)  # type: ignore[arg-type]
