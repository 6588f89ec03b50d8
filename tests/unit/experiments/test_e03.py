"""E03: twin areas. Equal records give no gap; a gap in records comes back, and grows under some rules only."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.intervals import Interval
from contrechamp.domain.results import Outcome
from contrechamp.experiments import e03_bias_amplification as e03

SMALL = dataclasses.replace(e03.Params.quick(), seeds=6, ratios=(1.0, 3.0), history_days=60, loop_days=90)


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return e03.run(SMALL, seed=1)


def _at(outcome: Outcome, measure: str, *world: object) -> Interval:
    (found,) = [r for r in outcome.results if r.measure == measure and tuple(r.world.values()) == world]
    return found.interval


def test_the_two_areas_are_twins() -> None:
    potential, before = e03.twin_city(SMALL, source="discovered", ratio=3.0, rep=0, seed=1)
    b = e03.in_b()
    assert b.sum() == (~b).sum() == 240
    assert (before[b] == 3).all()
    assert (before[~b] == 1).all()
    counts = potential.counts().sum(axis=0)
    assert abs(counts[b].sum() - counts[~b].sum()) < 4 * np.sqrt(counts.sum())
    folded = counts.reshape(20, 24)
    assert np.corrcoef(folded[:, :12].ravel(), folded[:, :11:-1].ravel())[0, 1] > 0.9


def test_negative_control_without_a_gap_nothing_is_multiplied(outcome: Outcome) -> None:
    for source in e03.SOURCES:
        for stage in e03.STAGES:
            risk = _at(outcome, "risk_ratio", source, 1.0, "proportional", stage)
            assert risk.low is not None
            assert risk.high is not None
            assert 0.8 < risk.low < risk.high < 1.25
            assert _at(outcome, "amplification_risk", source, 1.0, "proportional", stage).low < 1.1


def test_one_step_gives_back_the_gap_that_came_in(outcome: Outcome) -> None:
    entry = _at(outcome, "input_ratio", "reported", 3.0, "top", "step").estimate
    assert entry == pytest.approx(3.0, rel=0.06)
    risk = _at(outcome, "risk_ratio", "reported", 3.0, "top", "step")
    assert risk.low > 2.4  # the kernel blurs the border a little
    assert _at(outcome, "risk_ratio_corrected", "reported", 3.0, "top", "step").estimate == pytest.approx(1, abs=0.1)


def test_the_loop_multiplies_under_one_rule_and_shrinks_under_another(outcome: Outcome) -> None:
    grows = _at(outcome, "amplification_exposure", "discovered", 3.0, "top", "loop")
    shrinks = _at(outcome, "amplification_exposure", "discovered", 3.0, "proportional", "loop")
    assert grows.low > 1.1
    assert shrinks.high < 0.91
    corrected = _at(outcome, "risk_ratio_corrected", "discovered", 3.0, "top", "loop")
    assert corrected.low < 1.05
    assert corrected.high > 0.95


def test_same_numbers_for_any_number_of_workers() -> None:
    tiny = dataclasses.replace(SMALL, seeds=2, ratios=(2.0,), sources=("mixed",), loop_days=30, read_days=10)
    one, two = (e03.run(tiny, seed=4, jobs=jobs).tables["e03_cities"] for jobs in (1, 2))
    assert one.equals(two)


@pytest.mark.parametrize(
    "change",
    [
        {"seeds": 1},
        {"sources": ("heard",)},
        {"ratios": ()},
        {"rules": ("chance",)},
        {"read_days": 91},
        {"p_reported": 0.5},
        {"hours_per_day": 0.0},
        {"explore": 0.0},
    ],
)
def test_bad_parameters_are_named(change: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match=f"`{next(iter(change))}`"):
        e03.run(dataclasses.replace(SMALL, **change), seed=1)  # type: ignore[arg-type]
