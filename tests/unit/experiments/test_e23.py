"""E23: bounds by hand, sources that exist, dates that can be counted."""

from __future__ import annotations

import dataclasses

import pytest

from contrechamp.audit.claims import load_register, read_yaml
from contrechamp.domain.errors import ParameterError
from contrechamp.domain.results import Outcome, Result
from contrechamp.domain.text import Text
from contrechamp.experiments import e23_items as items
from contrechamp.experiments import e23_promises as e23


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return e23.run(e23.Params.quick(), seed=1)


def pick(outcome: Outcome, measure: str, **world: object) -> Result:
    found = [r for r in outcome.results if r.measure == measure and world.items() <= r.world.items()]
    assert len(found) == 1
    return found[0]


def one(found: items.Found) -> items.Item:
    return items.Item("x", Text(fr="x", en="x"), "S0", found)


def test_bounds_by_hand() -> None:
    mixed = [one("delivered"), one("delivered"), one("absent"), one("disputed"), one("unknown")]
    got = e23.bounds(mixed)
    assert (got.low, got.estimate, got.high, got.n) == (2 / 5, 2 / 3, 4 / 5, 5)
    assert not e23.bounds([one("unknown")]).estimable
    assert not e23.bounds([]).estimable
    all_there = e23.bounds([one("delivered")] * 3)
    assert (all_there.low, all_there.high) == (1.0, 1.0)


def test_the_lists_come_to_what_the_documents_leave_open(outcome: Outcome) -> None:
    streams = pick(outcome, "delivered_share", list="streams").interval
    assert (streams.low, streams.high, streams.n) == (4 / 19, 16 / 19, 19)
    functions = pick(outcome, "delivered_share", list="functions").interval
    assert (functions.low, functions.high, functions.n) == (1 / 19, 16 / 19, 19)
    projects = pick(outcome, "projects_kept").interval
    assert (projects.low, projects.high, projects.n) == (0.0, 10 / 14, 14)
    # a trial that was run and found wanting was not left undone: only what sources call stopped or reduced is
    assert {i.key for i in items.PROJECTS if i.found == "absent"} == {
        "marseille-big-data", "marseille-vsa", "lycees", "saint-etienne",
    }  # fmt: skip
    assert pick(outcome, "offence_inputs").interval.estimate == 3


def test_requests_chosen_because_nobody_answered_do_not_settle_the_share(outcome: Outcome) -> None:
    got = pick(outcome, "requests_answered").interval
    assert (got.low, got.estimate, got.high, got.n) == (0.0, 0.0, 5 / 8, 8)
    some = e23.run(dataclasses.replace(e23.Params.quick(), answered=3, unanswered=1), seed=1)
    got = pick(some, "requests_answered").interval
    assert (got.low, got.estimate, got.high, got.n) == (3 / 9, 3 / 4, 8 / 9, 9)
    none = e23.run(dataclasses.replace(e23.Params.quick(), unanswered=0), seed=1)
    assert not pick(none, "requests_answered").interval.estimable


def test_delays_are_counted_from_both_ends_of_the_month_announced(outcome: Outcome) -> None:
    late = pick(outcome, "delay_days", date_reading="in-service").interval
    assert (late.low, late.high) == (380, 410)
    early = pick(outcome, "delay_days", date_reading="shown").interval
    assert (early.low, early.high) == (-67, -37)


def test_every_item_has_a_source_that_the_register_knows_and_says_what_it_is_known_by() -> None:
    known = set(load_register().sources)
    added = (*items.STREAMS_ADDED, *items.FUNCTIONS_ADDED, *items.PAPERS)
    for item in (*items.STREAMS, *items.FUNCTIONS, *items.PROJECTS, *added):
        assert not item.promised or item.promised in known, item
        assert set(item.sources) <= known, item
        assert bool(item.sources) == (item.found != "unknown"), item
    assert set(items.PARTNERS_SHOWN) <= known


def test_the_streams_of_the_lists_are_those_of_the_register() -> None:
    registered = {str(s["id"]) for s in read_yaml("streams.yaml")}
    listed = {i.key for i in (*items.STREAMS, *items.STREAMS_ADDED)}
    assert listed <= registered
    assert len(listed) == len(items.STREAMS) + len(items.STREAMS_ADDED)


@pytest.mark.parametrize(
    "wrong",
    [
        {"in_service": "mid-August"},
        {"announced_from": "2018-09-01"},
        {"cameras_low": 1_700},
        {"answered": -1},
        {"learned_models": -1},
    ],
)
def test_what_is_no_date_or_no_count_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ParameterError):
        e23.run(dataclasses.replace(e23.Params.quick(), **wrong), seed=1)  # type: ignore[arg-type]
