"""The plan: every rule, threshold and parameter, dated and hashed before a run.

``contrechamp claims freeze`` writes it. An audit compares what it is about to do with what was frozen; a difference
stops it, unless the caller says that the deviation is meant, and then the report prints it.

What it cannot tell you: that nobody had looked. The code and the seed are fixed, so trial runs can precede a freeze;
the dates of a plan are worth what its author's word, or the history of the repository, is worth.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from contrechamp.audit.claims import load_register, read_yaml
from contrechamp.audit.rules import Rule
from contrechamp.domain.errors import ParameterError
from contrechamp.domain.provenance import digest, plain, sha256_bytes
from contrechamp.domain.text import Text
from contrechamp.experiments import EXPERIMENTS
from contrechamp.experiments.base import load
from contrechamp.store.runs import read_json

SCHEMA: Final = "contrechamp/plan/1"
DEFAULT_SEED: Final = 20170428  # date of the call for tenders
PROFILES: Final = ("quick", "full")


def current_plan() -> dict[str, Any]:
    """What would be run now: rules as written in the register, parameters as written in the code."""
    book = read_yaml("rules.yaml")
    register = load_register()
    plan = {
        "schema": SCHEMA,
        "seed": DEFAULT_SEED,
        "claims": {
            c.id: {"quote_sha256": sha256_bytes(c.quote.encode()), "experiments": list(c.experiments)}
            for c in register.claims.values()
        },
        "rules": book["rules"],
        "silent": book["silent"],
        "constants": _constants(),
        "experiments": {
            key: {p: dataclasses.asdict(getattr(load(key).Params, p)()) for p in PROFILES} for key in EXPERIMENTS
        },
    }
    check_plan(plan)
    return dict(plain(plan))


def _constants() -> dict[str, Any]:
    """What moves a number and is not a parameter: the city's scenario, the backtest's design, the published figures."""
    from contrechamp.experiments.e24_costs import FIGURES
    from contrechamp.pipelines import backtest
    from models import PREDICTORS
    from synthetic_data.scenario import Scenario

    return {
        "scenario_sha256": Scenario.load(None).digest,
        "backtest": {
            "areas": list(backtest.AREAS), "evaluated_days": backtest.EVALUATED_DAYS, "n_draws": backtest.N_DRAWS,
            "predictors": [key for key in PREDICTORS if key not in backtest.ON_REQUEST],
        },
        "E24_figures_sha256": digest([dataclasses.asdict(figure) for figure in FIGURES]),
    }  # fmt: skip


def check_plan(plan: Mapping[str, Any]) -> None:
    """Every claim × built experiment has exactly one rule, or a stated reason for having none.

    Raises
    ------
    ParameterError
        Naming the orphans.
    """
    ruled = [(r["claim"], r["experiment"]) for r in plan["rules"]]
    silent = [(s["claim"], s["experiment"]) for s in plan["silent"]]
    wanted = {(c, e) for c, entry in plan["claims"].items() for e in entry["experiments"] if e in EXPERIMENTS}
    named = ruled + silent
    twice = sorted({pair for pair in named if named.count(pair) > 1})
    orphans = sorted(wanted.symmetric_difference(named))
    if orphans or twice:
        raise ParameterError(
            "Every claim and every built experiment that bears on it need exactly one rule in rules.yaml, or a line "
            f"under `silent` that says why not. Missing or unasked for: {orphans}. Twice: {twice}."
        )
    for raw in plan["rules"]:
        rule = Rule.parse(raw)
        known = {m.key for m in load(rule.experiment).MEASURES}
        unknown = [m for m in rule.measures if m not in known]
        if unknown:
            raise ParameterError(f"The rule of {rule.claim} reads {unknown}, which {rule.experiment} does not measure.")
        Text(**raw["why"])
    for raw in plan["silent"]:
        Text(**raw["why"])


def frozen(path: Path | None = None) -> dict[str, Any]:
    """Read a frozen plan: the embedded one, or a file.

    Raises
    ------
    ParameterError
        If there is none, or if its hash is not the hash of its content.
    """
    if path is None:
        embedded = files("contrechamp.audit") / "register" / "plan.json"
        if not embedded.is_file():
            raise ParameterError("No plan is frozen yet. Freeze one with `contrechamp claims freeze`.")
        source = Path(str(embedded))
    else:
        source = path
        if not source.is_file():
            raise ParameterError(
                f"There is no plan at {source}. Write one with `contrechamp claims freeze --out FILE`."
            )
    data = read_json(source)
    whole = isinstance(data, dict) and isinstance(data.get("plan"), dict) and isinstance(data.get("frozen_at"), str)
    if not whole or digest(data["plan"]) != data.get("sha256"):
        raise ParameterError(
            f"The plan {source} does not match its own hash: it was edited after it was frozen, or is no plan. "
            "Freeze it again with `contrechamp claims freeze`; the new date will show."
        )
    return dict(data)


def freeze(*, frozen_at: str) -> dict[str, Any]:
    """The current plan with its hash and the day it was frozen (ISO date)."""
    plan = current_plan()
    return {"schema": SCHEMA, "frozen_at": frozen_at, "sha256": digest(plan), "plan": plan}


def deviations(reference: Mapping[str, Any], actual: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every place where two plans differ: ``path``, ``frozen`` and ``now`` (null where absent)."""
    a, b = dict(_leaves(reference, "")), dict(_leaves(actual, ""))
    return [
        {"path": path, "frozen": a.get(path), "now": b.get(path)}
        for path in sorted(a.keys() | b.keys())
        if a.get(path) != b.get(path)
    ]


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _leaves(item, f"{path}/{key}")
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            name = f"{item['claim']}-{item['experiment']}" if isinstance(item, Mapping) and "claim" in item else index
            yield from _leaves(item, f"{path}/{name}")
    else:
        yield path, value


def claims_rules(plan: Mapping[str, Any], claim: str) -> tuple[list[Rule], dict[str, Any]]:
    """Rules of a claim, and the experiments that stay silent on it with the reason."""
    rules = [Rule.parse(r) for r in plan["rules"] if r["claim"] == claim]
    silent = {s["experiment"]: s["why"] for s in plan["silent"] if s["claim"] == claim}
    return rules, silent
