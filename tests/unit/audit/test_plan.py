"""The frozen plan: what it fixes, and how a change shows."""

import copy
from pathlib import Path

import pytest

from contrechamp.audit import plan
from contrechamp.domain.errors import ParameterError
from contrechamp.store.runs import write_json


def test_the_shipped_plan_is_the_current_one() -> None:
    shipped = plan.frozen()
    assert plan.deviations(shipped["plan"], plan.current_plan()) == [], "freeze again: make plan"
    assert len(shipped["plan"]["claims"]) == 123


def test_freezing_twice_gives_the_same_hash() -> None:
    assert plan.freeze(frozen_at="2026-01-01")["sha256"] == plan.freeze(frozen_at="2026-02-02")["sha256"]


def test_a_moved_threshold_is_one_named_deviation() -> None:
    reference = plan.current_plan()
    moved = copy.deepcopy(reference)
    moved["rules"][0]["support"]["all"][0]["threshold"] = 0.123
    (found,) = plan.deviations(reference, moved)
    entry = reference["rules"][0]
    assert found["path"] == f"/rules/{entry['claim']}-{entry['experiment']}/support/all/0/threshold"
    assert (found["frozen"], found["now"]) == (entry["support"]["all"][0]["threshold"], 0.123)


def test_an_orphan_claim_or_rule_stops_the_plan() -> None:
    good = plan.current_plan()
    without = copy.deepcopy(good)
    dropped = without["rules"].pop()
    with pytest.raises(ParameterError, match=dropped["claim"]):
        plan.check_plan(without)
    twice = copy.deepcopy(good)
    twice["rules"].append(twice["rules"][0])
    with pytest.raises(ParameterError, match="Twice"):
        plan.check_plan(twice)


def test_a_rule_on_a_measure_nobody_takes_stops_the_plan() -> None:
    wrong = plan.current_plan()
    wrong["rules"][0]["support"]["all"][0]["measure"] = "imagined"
    with pytest.raises(ParameterError, match="does not measure"):
        plan.check_plan(wrong)


def test_a_plan_edited_after_freezing_is_refused(tmp_path: Path) -> None:
    data = plan.freeze(frozen_at="2026-01-01")
    data["plan"]["seed"] = 1
    write_json(tmp_path / "plan.json", data)
    with pytest.raises(ParameterError, match="edited after it was frozen"):
        plan.frozen(tmp_path / "plan.json")
    with pytest.raises(ParameterError, match="no plan at"):
        plan.frozen(tmp_path / "absent.json")


@pytest.mark.parametrize(
    ("one", "other", "experiment"), [("C02", "M30", "E02"), ("C05", "M10", "E12"), ("C15", "R09", "E27")]
)
def test_mirrored_claims_are_judged_by_mirrored_criteria(one: str, other: str, experiment: str) -> None:
    rules = {(r["claim"], r["experiment"]): r for r in plan.current_plan()["rules"]}
    a, b = rules[one, experiment], rules[other, experiment]
    assert a["worlds"] == b["worlds"]
    assert (a["support"], a["refute"]) == (b["refute"], b["support"])


def test_the_plan_freezes_what_moves_a_number_and_is_not_a_parameter() -> None:
    constants = plan.current_plan()["constants"]
    assert set(constants) == {"scenario_sha256", "backtest", "E24_figures_sha256"}
    assert constants["backtest"]["areas"] == [0.01, 0.05]
