"""Verdicts from results: each world by itself, then all of them; mirrored rules never agree."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contrechamp.audit.claims import Claim, Source, load_register
from contrechamp.audit.rules import Rule, evaluate, judge
from contrechamp.domain.errors import ParameterError
from contrechamp.domain.text import Text

HIGH = {"measure": "m", "bound": "low", "op": ">", "threshold": 0.5}
LOW = {"measure": "m", "bound": "high", "op": "<", "threshold": 0.1}


def rule(**changes: Any) -> Rule:
    raw = {"claim": "X01", "experiment": "E99", "support": {"all": [HIGH]}, "refute": {"all": [LOW]}}
    return Rule.parse(raw | changes)


def result(
    low: float | None, high: float | None, *, measure: str = "m", number: int = 1, **world: Any
) -> dict[str, Any]:
    value = None if low is None or high is None else (low + high) / 2
    return {"id": f"R-{number:04d}", "experiment": "E99", "measure": measure, "world": world, "value": value,
            "low": low, "high": high}  # fmt: skip


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.6, 0.8, "supported"), (0.01, 0.05, "refuted"), (0.4, 0.6, "inconclusive"), (0.5, 0.6, "inconclusive")],
)
def test_the_interval_decides_not_the_estimate(low: float, high: float, verdict: str) -> None:
    assert evaluate(rule(), [result(low, high, rho=0)])["verdict"] == verdict


def test_a_number_that_does_not_exist_decides_nothing() -> None:
    assert evaluate(rule(), [result(None, None, rho=0)])["verdict"] == "not testable"
    mixed = evaluate(rule(), [result(None, None, rho=0), result(0.6, 0.8, rho=1, number=2)])
    assert mixed["verdict"] == "inconclusive"


def test_worlds_that_disagree_are_kept_apart_and_named() -> None:
    found = evaluate(rule(), [result(0.6, 0.8, rho=0, number=1), result(0.0, 0.05, rho=1, number=2)])
    assert found["verdict"] == "inconclusive"
    assert found["counts"] == {"supported": 1, "refuted": 1, "inconclusive": 0, "not testable": 0}
    assert [(w["world"], w["verdict"], w["results"]) for w in found["worlds"]] == [
        ({"rho": 0}, "supported", ["R-0001"]),
        ({"rho": 1}, "refuted", ["R-0002"]),
    ]


def test_a_world_that_lacks_a_measure_cannot_meet_a_joint_criterion() -> None:
    both = rule(support={"all": [HIGH, HIGH | {"measure": "other"}]})
    assert evaluate(both, [result(0.6, 0.8, rho=0)])["verdict"] == "inconclusive"
    assert evaluate(both, [result(0.6, 0.8, rho=0), result(0.7, 0.8, measure="other", rho=0)])["verdict"] == "supported"


def test_a_rule_that_reads_nothing_is_an_error_not_a_pass() -> None:
    with pytest.raises(ParameterError, match="returned none"):
        evaluate(rule(worlds={"rho": 0.5}), [result(0.6, 0.8, rho=0)])


@pytest.mark.parametrize(
    "broken",
    [{"op": "=="}, {"bound": "middle"}, {"extra": 1}],
)
def test_a_condition_outside_the_grammar_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(ParameterError, match="condition of rule X01/E99"):
        rule(support={"all": [HIGH | broken]})


def test_a_rule_must_say_both_what_supports_and_what_refutes() -> None:
    with pytest.raises(ParameterError, match="both"):
        rule(refute=None)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=8))
def test_mirrored_rules_give_mirrored_verdicts(bounds: list[tuple[float, float]]) -> None:
    results = [result(min(b), max(b), rho=i, number=i) for i, b in enumerate(bounds)]
    one = evaluate(rule(), results)
    other = evaluate(rule(support={"all": [LOW]}, refute={"all": [HIGH]}), results)
    mirror = {"supported": "refuted", "refuted": "supported", "inconclusive": "inconclusive"}
    assert other["verdict"] == mirror[one["verdict"]]
    assert [w["verdict"] for w in other["worlds"]] == [mirror[w["verdict"]] for w in one["worlds"]]


def claim(*experiments: str, testability: str = "simulation") -> Claim:
    text = Text("fr", "en")
    return Claim(
        id="X01", side="promoter", system="S", kind="capability", quote="q", quote_lang="fr", gloss=text,
        source=Source("S0", "d", None, "s"), testability=testability,  # type: ignore[arg-type]
        experiments=experiments, how=None, support_if=None, refute_if=None, reason=text, note=None, known_status=None,
    )  # fmt: skip


def line(
    entry: Claim, *, ran: set[str], silent: dict[str, Any] | None = None, low: float, high: float
) -> dict[str, Any]:
    rules = [rule()] if "E99" in entry.experiments and "E99" not in (silent or {}) else []
    return judge(entry, rules=rules, silent_on=silent or {}, results=[result(low, high)], ran=frozenset(ran))


def test_a_claim_waits_for_its_other_experiment_unless_it_is_refuted_already() -> None:
    both = claim("E98", "E99")
    waiting = line(both, ran={"E99"}, low=0.6, high=0.8)
    assert (waiting["verdict"], waiting["pending"]) == ("pending", ["E98"])
    assert line(both, ran={"E99"}, low=0.0, high=0.05)["verdict"] == "refuted"
    assert line(both, ran={"E99"}, low=0.6, high=0.8, silent={"E98": "why"})["verdict"] == "supported"


def test_untestable_claims_and_claims_nobody_decides_are_not_testable() -> None:
    assert line(claim(testability="none"), ran=set(), low=0, high=1)["verdict"] == "not testable"
    assert line(claim("E99"), ran={"E99"}, silent={"E99": "why"}, low=0.6, high=0.8)["verdict"] == "not testable"


def test_the_register_has_every_claim_once_with_its_reason() -> None:
    register = load_register()
    assert len(register.claims) == 123
    assert len(register.experiments) == 28
    assert {c.side for c in register.claims.values()} == {"promoter", "critic", "authority", "research"}
    assert all(c.reason for c in register.claims.values() if c.testability == "none")
    assert all(len(c.quote.split()) <= 45 for c in register.claims.values()), "quotes are short"
