"""E05: what an adequacy that knows the optimum would show, what habit shows, and what over-staffing buys."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.grid import FloatArray
from contrechamp.domain.intervals import Interval
from contrechamp.domain.results import UNITS, Outcome
from contrechamp.domain.rng import stream
from contrechamp.experiments import e05_adequacy as e05
from contrechamp.experiments.events import shown
from models.mpulse import MPulse
from synthetic_data.event_worlds import EventLaw, EventWorld, draw_event_world

FEW = dataclasses.replace(
    e05.Params.quick(), worlds=4, habit_strengths=(0.0, 1.0), prevented_shares=(0.1, 0.6), events_per_year=300
)


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return e05.run(FEW, seed=5)


def interval(outcome: Outcome, measure: str, **world: object) -> Interval:
    found = [r for r in outcome.results if r.measure == measure and dict(r.world) == world]
    assert len(found) == 1, (measure, world, len(found))
    return found[0].interval


def at(formula: str, habit: float, prevented: float) -> dict[str, object]:
    return {"adequacy_formula": formula, "habit_strength": habit, "prevented_share": prevented}


class Oracle:
    """Stands for a tool whose percentage is a given closeness: the double that has to be found right."""

    def __init__(self, wanted: FloatArray) -> None:
        self.wanted = wanted

    def adequate(self, features: FloatArray, *, planned: FloatArray) -> FloatArray:
        return np.exp(-e05.distance(planned, self.wanted))


def drawn(seed: int) -> EventWorld:
    return draw_event_world(EventLaw(n_per_year=250, habit_strength=1.0), rng=stream(seed, "test"))


@pytest.mark.parametrize("follows", ["optimum", "habit"])
def test_a_percentage_that_is_closeness_to_one_is_told_from_closeness_to_the_other(follows: str) -> None:
    """Positive and negative control of the measure itself."""
    world = drawn(2)
    planned = ~world.past
    usual = e05.habit(world, world.officers)
    luck = np.random.default_rng(1).normal(size=len(usual))
    plans = np.maximum(np.expm1((np.log1p(world.optimal) + np.log1p(usual)) / 2 + luck), 0.0)
    far_best, far_usual = (e05.distance(plans, x)[planned] for x in (world.optimal, usual))
    oracle = Oracle((world.optimal if follows == "optimum" else usual)[planned])
    found = e05._scored(
        world, oracle, oracle, plans=plans, too_many=2 * world.optimal, far_best=far_best, far_usual=far_usual  # type: ignore[arg-type]
    )  # fmt: skip
    exact, other = ("corr_optimum", "corr_habit") if follows == "optimum" else ("corr_habit", "corr_optimum")
    assert found[exact] == pytest.approx(-1.0)
    assert abs(found[other]) < 0.7
    assert (found["corr_gap"] > 0.1) is (follows == "optimum")
    assert found["excess_reward"] == 0.0


def test_habit_is_the_geometric_mean_of_past_deployments_at_the_same_venue_and_kind() -> None:
    world = drawn(4)
    usual = e05.habit(world, world.officers)
    calendar = world.calendar
    for event in np.flatnonzero(~world.past)[:40]:
        same = world.past & ((calendar[["venue", "kind"]] == calendar.loc[event, ["venue", "kind"]]).all(axis=1))
        if not same.any():
            same = world.past & (calendar["kind"] == calendar.loc[event, "kind"])
        wanted = np.prod((world.officers[same] + 1.0) ** (1 / int(same.sum()))) - 1
        assert usual[event] == pytest.approx(wanted)


@given(st.floats(0, 500), st.floats(0, 500), st.floats(0, 500))
def test_distance_is_a_distance(a: float, b: float, c: float) -> None:
    ab, bc, ac, ba = (float(e05.distance(np.array([x]), np.array([y]))[0]) for x, y in ((a, b), (b, c), (a, c), (b, a)))
    assert ab == ba and ab >= 0 and ac <= ab + bc + 1e-12


def test_every_result_has_a_declared_measure(outcome: Outcome) -> None:
    assert {m.unit for m in e05.MEASURES} <= set(UNITS)
    assert {r.measure for r in outcome.results} == {m.key for m in e05.MEASURES}
    assert len({r.key for r in outcome.results}) == len(outcome.results)
    assert {r.interval.n for r in outcome.results} == {4}
    assert len(outcome.tables["E05_calendars"]) == 4 * 4 * 3


@pytest.mark.parametrize("prevented", [0.1, 0.6])
def test_where_the_past_is_habit_likeness_to_the_past_is_likeness_to_habit(outcome: Outcome, prevented: float) -> None:
    habit = interval(outcome, "corr_habit", **at("resemblance", 1.0, prevented))
    gap = interval(outcome, "corr_gap", **at("resemblance", 1.0, prevented))
    assert habit.high is not None and habit.high < -0.6
    assert gap.high is not None and gap.high < 0.0


def test_more_is_never_less_adequate_under_coverage_and_excess_passes_for_adequate(outcome: Outcome) -> None:
    first = interval(outcome, "excess_first", **at("coverage", 1.0, 0.6))
    assert first.low is not None and first.low > 0.9
    likeness = interval(outcome, "excess_first", **at("resemblance", 1.0, 0.6))
    assert likeness.high is not None and likeness.high < 0.6


def test_an_excess_that_became_the_past_is_rewarded_for_it(outcome: Outcome) -> None:
    for formula in ("resemblance", "quiet-events"):
        reward = interval(outcome, "excess_reward", **at(formula, 1.0, 0.6))
        assert reward.low is not None and reward.low > 0.1
        after = interval(outcome, "optimum_after_excess", **at(formula, 1.0, 0.6)).estimate
        again = interval(outcome, "excess_again", **at(formula, 1.0, 0.6)).estimate
        assert after is not None and again is not None and again > after + 0.1


def test_costs_are_never_below_the_optimum(outcome: Outcome) -> None:
    table = outcome.tables["E05_calendars"]
    assert (table[["advice_cost", "habit_cost"]] >= 1.0).all().all()


def test_gap_and_correlations_agree_row_by_row(outcome: Outcome) -> None:
    table = outcome.tables["E05_calendars"]
    np.testing.assert_allclose(table["corr_gap"], table["corr_optimum"].abs() - table["corr_habit"].abs())
    np.testing.assert_allclose(table["excess_reward"], table["excess_again"] - table["excess_first"])


def test_the_advice_is_what_the_replica_says_of_similar_events() -> None:
    world = drawn(6)
    planned = ~world.past
    tool = MPulse(note="rank", n_trees=12, min_leaf=10, seed=3)
    tool.fit(shown(world, world.facts(), world.officers, rows=world.past))
    advice = tool.staff(world.features[planned]).mean
    past = world.officers[world.past]
    assert past.min() <= advice.min() and advice.max() <= past.max()
    assert stats.spearmanr(advice, world.officers[planned]).statistic > 0.5


def test_numbers_depend_neither_on_workers_nor_on_the_other_worlds(outcome: Outcome) -> None:
    alone = dataclasses.replace(FEW, worlds=2, habit_strengths=(1.0,), adequacy_formulas=("coverage",))
    one, two = (e05.run(alone, seed=5, jobs=jobs) for jobs in (1, 2))
    assert [r.to_dict() for r in one.results] == [r.to_dict() for r in two.results]
    keys = ["calendar", "habit_strength", "prevented_share", "adequacy_formula"]
    whole, part = (o.tables["E05_calendars"].set_index(keys) for o in (outcome, one))
    assert part.equals(whole.loc[part.index, part.columns])


@pytest.mark.parametrize(
    ("change", "match"),
    [({"worlds": 1}, "at least 2"), ({"excess": 0.5}, "excess"), ({"prevented_shares": (1.0,)}, "prevented_shares"),
     ({"adequacy_formulas": ("published",)}, "No adequacy formula"), ({"note_formula": "x"}, "No note formula")],
)  # fmt: skip
def test_wrong_parameters_are_refused(change: dict[str, object], match: str) -> None:
    with pytest.raises(ParameterError, match=match):
        e05.run(dataclasses.replace(FEW, **change), seed=1)  # type: ignore[arg-type]
