"""E18: the search against a brute force over every whole number, its controls, and the simulated investigations."""

from __future__ import annotations

from decimal import ROUND_HALF_DOWN, ROUND_HALF_UP, Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.results import Outcome
from contrechamp.domain.rng import stream
from contrechamp.experiments import e18_denominators as e18


def value(outcome: Outcome, measure: str, **world: object) -> float:
    found = [r for r in outcome.results if r.measure == measure and world.items() <= dict(r.world).items()]
    assert len(found) == 1, (measure, world)
    assert found[0].interval.estimate is not None
    return found[0].interval.estimate


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return e18.run(e18.Params.quick(), seed=1)


def prints(numerator: int, denominator: int, share: e18.PrintedShare) -> bool:
    """Slow oracle: print the exact decimal both ways a tie can go."""
    percent = Decimal(100 * numerator) / Decimal(denominator)
    quantum = Decimal(1).scaleb(-share.decimals)
    return share.label in {str(percent.quantize(quantum, rounding=r)) for r in (ROUND_HALF_UP, ROUND_HALF_DOWN)}


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 900), st.sampled_from([e18.OF_ALL, e18.OF_SOLVED, e18.OF_REQUESTED, e18.PrintedShare(0, 1)]))
def test_numerators_and_denominators_are_those_that_print_the_figure(n: int, share: e18.PrintedShare) -> None:
    assert share.numerators(n) == [a for a in range(n + 1) if prints(a, n, share)]
    assert share.denominators(n, at_most=2500) == [d for d in range(n, 2501) if prints(n, d, share)]


def test_the_worked_set_prints_all_three_figures_and_divides_by_three_things(outcome: Outcome) -> None:
    row = outcome.tables["E18_worked"].iloc[0]
    assert (row.cases, row.requested, row.requested_solved, row.solved, row.useful) == (1939, 194, 128, 375, 22)
    assert round(100 * row.useful / row.cases, 2) == 1.13
    assert round(100 * row.useful / row.solved, 2) == 5.87
    assert round(100 * row.requested_solved / row.requested) == 66
    assert row.requested_solved + row.requested_unsolved + row.other_solved + row.other_unsolved == 1939


def test_search_agrees_with_a_brute_force_over_every_set() -> None:
    sets = e18.find_sets(1939)
    slow = {
        (r, s)
        for r in range(1, 1940)
        for s in range(22, min(r, 375) + 1)
        if 131 * r <= 200 * s <= 133 * r and r - s <= 1939 - 375
    }
    assert set(zip(sets["requested"], sets["requested_solved"], strict=True)) == slow
    assert set(sets["useful"]) == {22} and set(sets["solved"]) == {375}
    assert (sets["requested"].min(), sets["requested"].max()) == (35, 572)


def test_controls_where_a_denominator_is_taken_away_find_nothing(outcome: Outcome) -> None:
    assert value(outcome, "parameter_sets_found", grid="published") == 1614
    for grid in ("one_denominator", "all_requested", "only_useful_requested", "solved_74_of_all"):
        assert value(outcome, "parameter_sets_found", grid=grid) == 0, grid
    assert value(outcome, "same_quantity_sets_found") == 0


def test_74_percent_cannot_be_the_share_of_the_1939_cases_solved(outcome: Outcome) -> None:
    assert value(outcome, "solved_implied") == 375
    assert value(outcome, "solved_share_implied") == pytest.approx(0.1934, abs=5e-5)
    assert value(outcome, "subset_74_largest") == 510
    assert round(100 * 375 / 510) == 74 and round(100 * 375 / 511) == 73


def test_under_two_percent_of_all_cases_and_not_of_solved_ones(outcome: Outcome) -> None:
    by_of = {r.world["of"]: r.interval for r in outcome.results if r.measure == "under_2pct"}
    assert (by_of["all"].low, by_of["all"].high) == (1.0, 1.0)
    assert (by_of["solved"].low, by_of["solved"].high) == (0.0, 0.0)
    share = next(r.interval for r in outcome.results if r.measure == "share_solved")
    # Clopper–Pearson 22/375, from the beta quantiles
    assert (share.low, share.high) == (pytest.approx(0.03713, abs=1e-5), pytest.approx(0.08748, abs=1e-5))


def test_images_that_never_help_still_print_two_thirds_when_requests_are_selected(outcome: Outcome) -> None:
    for images in ("useful", "useless_selected"):
        assert value(outcome, "simulated_share", share="requested_solved", images=images) == pytest.approx(
            0.66, abs=0.01
        )
    assert value(outcome, "simulated_share", share="all", images="useless_selected") == 0
    # negative control: no selection, so requested cases are solved as often as the others, 375 in 1,939
    assert value(outcome, "simulated_share", share="requested_solved", images="useless_random") == pytest.approx(
        375 / 1939, abs=0.01
    )
    assert value(outcome, "simulated_share", share="solved", images="useful") == pytest.approx(22 / 375, abs=0.003)


def test_same_seed_same_numbers_and_streams_are_separate() -> None:
    params = e18.Params(reps=5)
    one, two = e18.run(params, seed=4), e18.run(params, seed=4, jobs=2)
    assert [r.to_dict() for r in one.results] == [r.to_dict() for r in two.results]
    pd.testing.assert_frame_equal(one.tables["E18_simulation"], two.tables["E18_simulation"])
    again = e18.simulate(params, images="useful", rng=stream(4, "E18", "cases", "useful"))
    first = one.tables["E18_simulation"].query("images == 'useful'")["useful"].to_numpy()
    np.testing.assert_array_equal(again["useful"], first)


def test_measures_are_declared(outcome: Outcome) -> None:
    assert {r.measure for r in outcome.results} == {m.key for m in e18.MEASURES}


def test_a_corpus_that_cannot_print_the_figures_is_said_in_words() -> None:
    with pytest.raises(ParameterError, match="cases=1939"):
        e18.run(e18.Params(cases=30), seed=0)
    with pytest.raises(ParameterError, match="p_useful"):
        e18.run(e18.Params(p_useful=1.5), seed=0)
