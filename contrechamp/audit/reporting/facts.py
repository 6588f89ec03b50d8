"""What a run found, indexed for the report: results by experiment, measure and world; verdicts; plan; register."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import pandas as pd

from contrechamp.audit.claims import Claim, Register, load_register
from contrechamp.audit.reporting.wording import id_order
from contrechamp.domain.errors import ContractError
from contrechamp.domain.provenance import canonical_json
from contrechamp.domain.results import Measure
from contrechamp.domain.text import Text
from contrechamp.experiments.base import load
from contrechamp.store import runs

Row = dict[str, Any]
PLATFORM: Final = "platform"

#: Relative differences: kept as ratios in ``results.json``, shown as percentages with a sign.
GAINS: Final = frozenset({
    "gain_pai", "predictor_gain_latent", "predictor_gain_recorded",
    "gain_latent", "gain_recorded", "gain_ceiling", "relative_gap", "gain_full_join",
    "gain_full_join_recorded", "gain_full_join_known", "gain_over_log", "drop_cost", "least_drop_cost",
    "best_three_shortfall", "best_three_shortfall_found",
})  # fmt: skip
#: Losses, printed without a plus sign.
_COSTS: Final = frozenset({"drop_cost", "least_drop_cost", "best_three_shortfall", "best_three_shortfall_found"})
#: Differences whose direction matters: printed with a plus sign when above 0.
SIGNED: Final = (GAINS - {"relative_gap"} - _COSTS) | {
    "recorded_excess_10",
    "recorded_excess_20",
    "patrol_excess_20",
    "mean_gap_points",
    "miss_excess",
    "recall_slope",
    "alert_slope",
    "seen_gap",
    "tracked_gap",
    "flagged_gap",
}


#: What n counts where the measure's own words would mislead: worlds without an estimate are left out of n.
_GAIN_WORLDS: Final = Text(fr="mondes où le gain est estimable", en="worlds in which the gain is estimable")
COUNTED: Final[Mapping[tuple[str, str], Text]] = {
    ("E01", measure): _GAIN_WORLDS
    for measure in ("gain_latent", "gain_recorded", "gain_ceiling", "predictor_gain_latent", "predictor_gain_recorded")
}


def mirrored(rules: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """Pairs of claims judged by mirrored criteria: (experiment, first claim, second claim), in the order of the plan.

    Two rules are mirrors when they read the same experiment in the same worlds and what supports either refutes the
    other.
    """

    def key(rule: Mapping[str, Any], first: str, second: str) -> str:
        return canonical_json([rule["experiment"], rule.get("worlds") or {}, rule[first], rule[second]])

    pairs = []
    for index, rule in enumerate(rules):
        for other in rules[index + 1 :]:
            if key(rule, "support", "refute") == key(other, "refute", "support"):
                pairs.append((str(rule["experiment"]), str(rule["claim"]), str(other["claim"])))
    return pairs


class Facts:
    """A run folder, read once.

    Parameters
    ----------
    work : Path
        Folder of a run, finished or being built, that has ``results.json`` and ``plan.json``.
    """

    def __init__(self, work: Path) -> None:
        self.work = work
        self.body: dict[str, Any] = runs.read_json(work / "results.json")
        self.plan: dict[str, Any] = runs.read_json(work / "plan.json")
        self.register: Register = load_register()
        self.started: dict[str, Any] = _optional(work / "started.json") or _optional(work / "run.json")
        self.environment: dict[str, Any] = dict(_optional(work / "run.json").get("environment") or {})
        self._measures: dict[str, dict[str, Measure]] = {}
        self._index: dict[tuple[str, str], list[Row]] = {}
        for raw in self.body["results"]:
            row = {**raw, "signed": raw["measure"] in SIGNED}
            row["of"] = self._counted(raw["experiment"], raw["measure"])
            if raw["measure"] in GAINS:
                row["unit"] = "gain"
            self._index.setdefault((row["experiment"], row["measure"]), []).append(row)
        self._by_id = {row["id"]: row for rows in self._index.values() for row in rows}

    def _counted(self, experiment: str, measure: str) -> Text | None:
        if experiment not in self._measures:
            self._measures[experiment] = self.measures(experiment)
        known = self._measures[experiment].get(measure)
        return COUNTED.get((experiment, measure)) or (known.denominator if known else None)

    @property
    def partial(self) -> bool:
        """Whether the run was limited to some claims of the register."""
        return len(self.verdicts) < len(self.register.claims)

    @cached_property
    def mirrors(self) -> list[tuple[str, str, str]]:
        """Pairs of claims of this run that mirrored criteria judge: (experiment, claim, claim)."""
        asked = [r for r in self.plan["plan"]["rules"] if r["claim"] in self.verdicts]
        return [m for m in mirrored(asked) if m[0] in self.experiments]

    @property
    def request(self) -> Mapping[str, Any]:
        """What was asked for: profile, seed, claims, experiments."""
        request: Mapping[str, Any] = self.body["request"]
        return request

    @property
    def experiments(self) -> list[str]:
        """Experiments that ran."""
        return list(self.request["experiments"])

    @property
    def results(self) -> list[Row]:
        """Every result, in order of id."""
        return sorted(self._by_id.values(), key=lambda r: id_order(str(r["id"])))

    @cached_property
    def verdicts(self) -> dict[str, Row]:
        """Line of each claim, in the order of the register."""
        return {line["claim"]: line for line in self.body["verdicts"]}

    def by_verdict(self, verdict: str) -> list[str]:
        """Claims that got this verdict."""
        return [c for c, line in self.verdicts.items() if line["verdict"] == verdict]

    def claim(self, claim: str) -> Claim:
        """A claim of the register."""
        return self.register.claims[claim]

    def rows(self, experiment: str, measure: str, **world: Any) -> list[Row]:
        """Results of a measure whose world agrees with all the values given, in order of id."""
        found = self._index.get((experiment, measure), [])
        return [r for r in found if all(r["world"].get(k) == v for k, v in world.items())]

    def one(self, experiment: str, measure: str, **world: Any) -> Row | None:
        """The single result of a measure in a world; None when there is none or when several agree."""
        found = self.rows(experiment, measure, **world)
        return found[0] if len(found) == 1 else None

    def result(self, result_id: str) -> Row:
        """A result by its id."""
        return self._by_id[result_id]

    def measures(self, experiment: str) -> dict[str, Measure]:
        """Measures of an experiment or of the platform."""
        if experiment == PLATFORM:
            from contrechamp.pipelines import backtest

            return {m.key: m for m in backtest.MEASURES}
        return {m.key: m for m in load(experiment).MEASURES}

    def table(self, name: str) -> pd.DataFrame | None:
        """A table of the run, or None."""
        try:
            return runs.read_table(self.work, name)
        except ContractError:
            return None

    def rules(self, claim: str) -> dict[str, Row]:
        """Rules of a claim as the plan writes them, by experiment."""
        return {r["experiment"]: r for r in self.plan["plan"]["rules"] if r["claim"] == claim}

    def silent(self, claim: str) -> dict[str, Text]:
        """Experiments that name the claim but do not decide it, with the reason."""
        return {s["experiment"]: Text(**s["why"]) for s in self.plan["plan"]["silent"] if s["claim"] == claim}

    def judged(self, experiment: str) -> dict[str, Row]:
        """Judgements made on an experiment's results, by claim."""
        return {
            claim: rule
            for claim, line in self.verdicts.items()
            for rule in line["rules"]
            if rule["experiment"] == experiment
        }


def _optional(path: Path) -> dict[str, Any]:
    return dict(runs.read_json(path)) if path.is_file() else {}
