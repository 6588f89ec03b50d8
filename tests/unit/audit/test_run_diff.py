"""Two runs side by side: each cause planted alone is the one that is named, and no other."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from contrechamp.audit import steps
from contrechamp.audit.diff import Diff, compare
from contrechamp.audit.sealed import Run, read_run
from contrechamp.cli.app import app
from contrechamp.domain.errors import IntegrityError
from contrechamp.domain.provenance import digest
from contrechamp.store import runs

HERE = {"contrechamp": "0.1.0", "commit": "a" * 40, "dirty": False, "python": "3.11", "packages": {"numpy": "2.0"}}


def number(
    measure: str, value: float | None, half: float = 0.1, experiment: str = "E18", **world: Any
) -> dict[str, Any]:
    bounds = (None, None) if value is None else (value - half, value + half)
    return {"experiment": experiment, "measure": measure, "world": world, "value": value, "low": bounds[0],
            "high": bounds[1], "n": 100, "level": 0.95, "method": "wilson", "unit": "share", "table": "",
            "data_sha256": "", "estimable": value is not None}  # fmt: skip


def rule(threshold: float = 0.5, claim: str = "C12") -> dict[str, Any]:
    def side(bound: str, op: str) -> dict[str, Any]:
        return {"all": [{"measure": "share", "bound": bound, "op": op, "threshold": threshold}]}

    return {"claim": claim, "experiment": "E18", "worlds": {}, "support": side("low", ">"), "refute": side("high", "<"),
            "why": {"fr": "parce que", "en": "because"}}  # fmt: skip


def made_up(
    numbers: list[dict[str, Any]],
    *,
    threshold: float = 0.5,
    seed: int = 1,
    environment: dict[str, Any] | None = None,
    parameters: dict[str, Any] | None = None,
    verdict: str | None = None,
    name: str = "made-up",
) -> Run:
    """A run of one claim and one rule, judged by the audit's own code."""
    from contrechamp.audit.claims import load_register
    from contrechamp.audit.plan import claims_rules
    from contrechamp.audit.rules import judge

    results = [{"id": f"R-{i:04d}", **r} for i, r in enumerate(numbers, start=1)]
    plan = {"rules": [rule(threshold)], "silent": [], "constants": {}, "experiments": {}, "seed": 1}
    held, quiet = claims_rules(plan, "C12")
    line = judge(load_register().claims["C12"], rules=held, silent_on=quiet, results=results, ran=frozenset({"E18"}))
    request = {"profile": "quick", "seed": seed, "claims": ["C12"], "experiments": ["E18"], "platform": False,
               "parameters": {"E18": parameters or {"reps": 10}}, "scenario_sha256": "0"}  # fmt: skip
    body: dict[str, Any] = {"request": request, "plan": {"sha256": digest(plan)}, "tables": {}, "results": results,
                            "verdicts": [line | ({"verdict": verdict} if verdict else {})]}  # fmt: skip
    record = {"run_id": name, "environment": HERE if environment is None else environment}
    return Run(Path(name), {**body, "digest": digest(body)}, {"plan": plan, "sha256": digest(plan)}, record)


def base(value: float = 0.8) -> list[dict[str, Any]]:
    return [number("share", value, a=1), number("other", 0.3, a=1)]


def test_two_equal_runs_have_nothing_to_say() -> None:
    found = compare(made_up(base()), made_up(base(), name="again"))
    assert found.still
    assert found.differences == found.moved == found.turns == ()
    assert (found.compared, found.judged) == (2, 1)
    other_code = compare(made_up(base()), made_up(base(), environment={**HERE, "commit": "b" * 40}))
    assert other_code.still, "another commit, the same numbers"
    assert [d.path for d in other_code.differences] == ["/commit"]


@pytest.mark.parametrize(
    ("was", "now", "kind", "disjoint"),
    [
        ((0.50, 0.10), (0.55, 0.10), "within", False),
        ((0.50, 0.10), (0.60, 0.10), "within", False),  # on the bound: still inside
        ((0.50, 0.10), (0.61, 0.10), "beyond", False),
        ((0.50, 0.10), (0.70, 0.10), "beyond", False),  # the intervals touch
        ((0.50, 0.10), (0.71, 0.10), "beyond", True),
        ((0.50, 0.30), (0.60, 0.01), "beyond", False),  # inside the wide one only
        ((0.50, 0.10), (0.50, 0.20), "bounds", False),
        ((0.50, 0.10), (None, 0.10), "estimability", False),
        ((0.50, 0.00), (0.51, 0.00), "beyond", True),  # two exact numbers
    ],
)
def test_how_far_a_number_went(was: tuple[Any, float], now: tuple[Any, float], kind: str, disjoint: bool) -> None:
    there = [compare(made_up([number("other", *a), *base()]), made_up([number("other", *b), *base()]))
             for a, b in ((was, now), (now, was))]  # fmt: skip
    for found in there:
        (moved,) = found.moved
        assert (moved.kind, moved.disjoint) == (kind, disjoint), "the same from either side"


def test_ids_do_not_matter_worlds_do() -> None:
    before = made_up([number("share", 0.8, a=1), number("share", 0.8, a=2)])
    after = made_up([number("share", 0.8, a=2), number("share", 0.8, a=1)])
    assert compare(before, after).still
    shifted = compare(before, made_up([number("share", 0.8, a=1), number("share", 0.8, a=3)]))
    assert [r["world"] for r in shifted.vanished] == [{"a": 2}]
    assert [r["world"] for r in shifted.appeared] == [{"a": 3}]
    assert not shifted.moved
    assert [(w["before"], w["after"]) for w in shifted.turns[0].worlds] == [("supported", None), (None, "supported")]


CHANGES: dict[str, dict[str, Any]] = {
    "seed": {"seed": 2},
    "parameters": {"parameters": {"reps": 20}},
    "code": {"environment": {**HERE, "commit": "b" * 40}},
    "versions": {"environment": {**HERE, "packages": {"numpy": "2.1"}}},
}


@pytest.mark.parametrize("cause", CHANGES)
def test_the_only_thing_that_differs_is_the_cause(cause: str) -> None:
    found = compare(made_up(base()), made_up(base(0.7), **CHANGES[cause]))
    assert [d.kind for d in found.differences] == [cause]
    assert [m.causes for m in found.moved] == [(cause,)]


def test_two_things_that_differ_are_both_named_and_not_told_apart() -> None:
    found = compare(made_up(base()), made_up(base(0.7), seed=2, parameters={"reps": 20}))
    assert set(found.moved[0].causes) == {"seed", "parameters"}


def test_a_number_that_moves_without_a_cause_is_said_to() -> None:
    found = compare(made_up(base()), made_up(base(0.7)))
    assert found.moved[0].causes == ()
    assert found.unseen == ()
    dirty = compare(made_up(base()), made_up(base(0.7), environment={**HERE, "dirty": True, "commit": None}))
    assert set(dirty.unseen) == {"dirty", "commit"}


def test_the_parameters_of_another_experiment_explain_nothing_here() -> None:
    before, after = made_up(base()), made_up(base(0.7))
    for run, reps in ((before, 1), (after, 2)):
        run.results["request"]["parameters"]["E28"] = {"reps": reps}
        run.results["request"]["experiments"].append("E28")
    assert compare(before, after).moved[0].causes == ()


@pytest.mark.parametrize(
    ("was", "now", "thresholds", "turned"),
    [
        (0.8, 0.8, (0.5, 0.75), "rules"),
        (0.8, 0.55, (0.5, 0.5), "results"),
        (0.8, 0.55, (0.5, 0.56), "results"),  # 0.45 to 0.65 decides at neither threshold: the numbers alone turn it
        (0.8, 0.7, (0.5, 0.75), "rules"),  # 0.6 to 0.8: supported at 0.5, so the numbers alone would not do
        (0.62, 0.58, (0.5, 0.55), "either"),
        (0.66, 0.64, (0.5, 0.55), "both"),
    ],
)
def test_what_it_takes_to_turn_a_verdict(was: float, now: float, thresholds: tuple[float, float], turned: str) -> None:
    found = compare(made_up(base(was), threshold=thresholds[0]), made_up(base(now), threshold=thresholds[1], seed=2))
    (turn,) = found.verdicts
    assert (turn.before, turn.after) == ("supported", "inconclusive")
    assert turn.turned_by == turned
    assert [d.path.split("/")[2] for d in turn.rules] == ["C12-E18"] * (2 if thresholds[0] != thresholds[1] else 0)
    assert bool(turn.causes) == (turned != "rules")


def test_a_verdict_that_these_rules_do_not_give_is_not_explained() -> None:
    found = compare(made_up(base()), made_up(base(), verdict="refuted"))
    assert found.verdicts[0].turned_by == "unknown"


Numbers = list[tuple[str, float, float]]
SOME = st.lists(
    st.tuples(st.sampled_from("abcd"), st.floats(0, 1), st.floats(0, 0.3)), max_size=4, unique_by=lambda t: t[0]
)


@settings(max_examples=40, deadline=None)
@given(SOME, SOME)
def test_laws(one: Numbers, two: Numbers) -> None:
    """Against itself nothing moves; seen from the other side, the same numbers move and what appeared vanishes."""
    a, b = (made_up([*base(), *(number(f"m-{m}", v, h) for m, v, h in side)]) for side in (one, two))
    assert compare(a, a).still
    there, back = compare(a, b), compare(b, a)
    sides = [sorted((m.measure, m.kind, m.disjoint) for m in found.moved) for found in (there, back)]
    assert sides[0] == sides[1]
    assert {r["measure"] for r in there.appeared} == {r["measure"] for r in back.vanished}
    assert there.compared == back.compared
    json.dumps(there.to_dict(), allow_nan=False)


# --- real runs


Twin = Callable[..., Path]


@pytest.fixture(scope="module")
def twin(run_maker: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Twin:
    """Makes small real runs (E24, exact; E28, drawn) that differ by what is asked."""
    home = run_maker.__globals__  # type: ignore[attr-defined]

    def make(name: str, *, seed: int = 7, few: dict[str, Any] | None = None, rules: Any = None) -> Path:
        usual = copy.deepcopy((home["SEED"], home["FEW"]["E28"]))
        home["SEED"] = seed
        home["FEW"]["E28"] = {**usual[1], **(few or {})}
        try:
            work = tmp_path_factory.mktemp("twins") / name
            run_maker(work, experiments=["E24", "E28"], platform=False, claims=("M05", "C13"), run_id=name)
        finally:
            home["SEED"], home["FEW"]["E28"] = usual
        if rules is not None:
            plan = runs.read_json(work / "plan.json")
            rules(plan["plan"]["rules"])
            plan["sha256"] = plan["frozen_sha256"] = digest(plan["plan"])
            runs.write_json(work / "plan.json", plan)
            steps.decide(work)
        record = runs.read_json(work / "started.json")
        runs.write_json(work / "run.json", {**record, "environment": HERE})
        return work

    return make


@pytest.fixture(scope="module")
def first(twin: Twin) -> Path:
    return twin("first")


def between(a: Path, b: Path) -> Diff:
    return compare(read_run(a), read_run(b))


def test_the_same_seed_moves_nothing(first: Path, twin: Twin) -> None:
    again = twin("again")
    found = between(first, again)
    assert found.still
    assert found.compared > 100
    done = CliRunner().invoke(app, ["report", "diff", str(first), str(again), "--exit-code"])
    assert done.exit_code == 0
    assert "Rien n’a bougé" in done.stdout
    assert "Nothing moved" in CliRunner().invoke(app, ["report", "diff", str(first), str(again), "--lang", "en"]).stdout


def test_another_seed_moves_what_is_drawn_and_nothing_else(first: Path, twin: Twin) -> None:
    other = twin("other", seed=8)
    found = between(first, other)
    assert {m.experiment for m in found.moved} == {"E28"}, "E24 draws nothing"
    assert {m.causes for m in found.moved} == {("seed",)}
    assert not found.appeared
    assert not found.vanished
    beyond = sum(m.kind == "beyond" for m in found.moved)
    assert 0 < beyond < len(found.moved)
    done = CliRunner().invoke(app, ["report", "diff", str(first), str(other), "--exit-code"])
    assert done.exit_code == 20
    assert "la graine" in done.stdout
    assert f"{len(found.moved)} sur {found.compared}" in done.stdout


def test_another_threshold_moves_a_verdict_and_no_number(first: Path, twin: Twin) -> None:
    def lax(rules: list[dict[str, Any]]) -> None:
        mine = next(r for r in rules if r["claim"] == "C13")
        for side, threshold in (("support", 50.0), ("refute", 90.0)):
            for condition in next(iter(mine[side].values())):
                condition["threshold"] = threshold

    found = between(first, twin("lax", rules=lax))
    assert not found.moved
    (turn,) = found.verdicts
    assert (turn.claim, turn.after, turn.turned_by) == ("C13", "supported", "rules")
    assert {d.path for d in turn.rules} == {
        "/rules/C13-E24/support/all/0/threshold", "/rules/C13-E24/refute/all/0/threshold"
    }  # fmt: skip
    assert turn.causes == ()
    assert {w["experiment"] for w in turn.worlds} == {"E24"}
    told = CliRunner().invoke(app, ["report", "diff", str(found.before.folder), str(found.after.folder)]).stdout
    assert "Verdicts : 1 sur 2" in told
    assert "les règles seules" in told
    assert "/rules/C13-E24/support/all/0/threshold : 0.25 → 50.0" in told


def test_another_parameter_moves_its_own_experiment(first: Path, twin: Twin) -> None:
    more = twin("more", few={"reps": 150, "looks": (1, 5, 13)})
    found = between(first, more)
    assert {d.path for d in found.differences} == {"/E28/reps", "/E28/looks"}
    assert {m.experiment for m in found.moved} == {"E28"}
    assert {m.causes for m in found.moved} == {("parameters",)}
    assert {r["world"]["K"] for r in found.vanished}.isdisjoint({1, 5, 13}), "the looks that are no longer taken"
    assert {r["why"] for r in found.vanished} == {"parameters"}
    found_json = json.loads(CliRunner().invoke(app, ["report", "diff", str(first), str(more), "--json"]).stdout)
    assert found_json["counts"]["vanished"] == len(found.vanished)
    assert found_json["before"]["digest"] == found.before.results["digest"]


def test_a_tampered_run_is_not_compared(first: Path, twin: Twin) -> None:
    forged = twin("forged")
    body = runs.read_json(forged / "results.json")
    body["results"][0]["value"] = 0.123
    runs.write_json(forged / "results.json", body)
    with pytest.raises(IntegrityError, match="does not match its own digest"):
        between(first, forged)
