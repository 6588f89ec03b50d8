"""Decision rules: results in, verdicts out. Nothing here measures; nothing there judges.

A rule belongs to one claim and one experiment. It is evaluated in every world the experiment visited (and the rule
admits), and it keeps the whole map: a claim that holds in some worlds and fails in others is *inconclusive*, with the
worlds named. Both sides of a dispute are judged by the same code on the same results.

What it cannot tell you: whether the worlds are the right ones. A verdict is about stated worlds; it says nothing of
what happened in Marseille.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from contrechamp.audit.claims import Claim
from contrechamp.domain.errors import ParameterError
from contrechamp.domain.provenance import canonical_json, plain
from contrechamp.domain.results import Scalar

Verdict = Literal["supported", "refuted", "inconclusive", "not testable", "pending"]
VERDICTS: Final[tuple[Verdict, ...]] = ("supported", "refuted", "inconclusive", "not testable", "pending")

_OPS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    ">=": operator.ge, ">": operator.gt, "<=": operator.le, "<": operator.lt,
}  # fmt: skip
_BOUNDS: Final = ("value", "low", "high")


@dataclass(frozen=True, slots=True)
class Condition:
    """``bound`` of ``measure`` compared with ``threshold``, in one world."""

    measure: str
    bound: str
    op: str
    threshold: float

    @classmethod
    def parse(cls, raw: Mapping[str, Any], *, where: str) -> Condition:
        """Read a condition of ``rules.yaml``."""
        if raw.get("op") not in _OPS or raw.get("bound") not in _BOUNDS or set(raw) != set(cls.__slots__):
            raise ParameterError(
                f"A condition of rule {where} must have measure, bound ({', '.join(_BOUNDS)}), op "
                f"({', '.join(_OPS)}) and threshold. Got {dict(raw)!r}."
            )
        return cls(str(raw["measure"]), str(raw["bound"]), str(raw["op"]), float(raw["threshold"]))

    def holds(self, results: Mapping[str, Mapping[str, Any]]) -> bool:
        """Whether the condition is met. A result that is not estimable meets nothing."""
        result = results.get(self.measure)
        number = None if result is None else result[self.bound]
        return number is not None and _OPS[self.op](number, self.threshold)


@dataclass(frozen=True, slots=True)
class Criterion:
    """Conditions joined by ``all`` or ``any``; never met when empty."""

    joined_by: Literal["all", "any"]
    conditions: tuple[Condition, ...]

    @classmethod
    def parse(cls, raw: Mapping[str, Any] | None, *, where: str) -> Criterion:
        """Read ``{all: […]}`` or ``{any: […]}``; None gives a criterion that is never met."""
        if raw is None:
            return cls("all", ())
        if len(raw) != 1 or next(iter(raw)) not in ("all", "any"):
            raise ParameterError(f"A criterion of rule {where} must be all: […] or any: […]. Got {raw!r}.")
        join: Literal["all", "any"] = "all" if "all" in raw else "any"
        return cls(join, tuple(Condition.parse(c, where=where) for c in raw[join]))

    def holds(self, results: Mapping[str, Mapping[str, Any]]) -> bool:
        """Whether the criterion is met in one world."""
        met = [c.holds(results) for c in self.conditions]
        return bool(met) and (all(met) if self.joined_by == "all" else any(met))


@dataclass(frozen=True, slots=True)
class Rule:
    """How one experiment bears on one claim.

    Attributes
    ----------
    worlds : mapping
        Which worlds count: world key → value or list of values. Worlds that lack a key are left out.
    support, refute : Criterion
        Met or not in each world.
    """

    claim: str
    experiment: str
    worlds: Mapping[str, Any]
    support: Criterion
    refute: Criterion

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Rule:
        """Read one entry of ``rules.yaml``."""
        where = f"{raw.get('claim')}/{raw.get('experiment')}"
        rule = cls(
            claim=str(raw["claim"]),
            experiment=str(raw["experiment"]),
            worlds=dict(raw.get("worlds") or {}),
            support=Criterion.parse(raw.get("support"), where=where),
            refute=Criterion.parse(raw.get("refute"), where=where),
        )
        if not rule.support.conditions or not rule.refute.conditions:
            raise ParameterError(f"Rule {where} must say both what would support the claim and what would refute it.")
        return rule

    @property
    def measures(self) -> tuple[str, ...]:
        """Measures the rule reads, in order of first mention."""
        return tuple(dict.fromkeys(c.measure for c in (*self.support.conditions, *self.refute.conditions)))

    def admits(self, world: Mapping[str, Scalar]) -> bool:
        """Whether a world counts for this rule."""
        for key, wanted in self.worlds.items():
            values = wanted if isinstance(wanted, list) else [wanted]
            if key not in world or world[key] not in values:
                return False
        return True


def evaluate(rule: Rule, results: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Judge one rule in every world it admits.

    Parameters
    ----------
    rule : Rule
    results : iterable of mapping
        Entries of ``results.json`` (any experiment; the others are ignored).

    Returns
    -------
    dict
        ``experiment``, ``verdict``, ``counts`` by verdict and ``worlds``: one entry per world with its verdict and
        the ids of the results read.

    Raises
    ------
    ParameterError
        If no world bears any measure of the rule: the rule and the experiment have drifted apart.
    """
    grouped: dict[str, dict[str, Mapping[str, Any]]] = {}
    for result in results:
        if (
            result["experiment"] == rule.experiment
            and result["measure"] in rule.measures
            and rule.admits(result["world"])
        ):
            grouped.setdefault(canonical_json(result["world"]), {})[result["measure"]] = result
    if not grouped:
        raise ParameterError(
            f"The rule of claim {rule.claim} reads {', '.join(rule.measures)} of {rule.experiment} in worlds "
            f"{dict(rule.worlds)}, and the experiment returned none. Correct the rule, then freeze the plan again."
        )
    worlds = []
    for _, group in sorted(grouped.items()):
        verdict = _in_world(rule, group)
        ids = sorted(r["id"] for r in group.values())
        worlds.append({"world": plain(next(iter(group.values()))["world"]), "verdict": verdict, "results": ids})
    counts = Counter(w["verdict"] for w in worlds)
    return {
        "experiment": rule.experiment,
        "verdict": _everywhere([w["verdict"] for w in worlds]),
        "counts": {v: counts.get(v, 0) for v in ("supported", "refuted", "inconclusive", "not testable")},
        "worlds": worlds,
    }


def _in_world(rule: Rule, group: Mapping[str, Mapping[str, Any]]) -> Verdict:
    if all(result["value"] is None for result in group.values()):
        return "not testable"  # the number that would decide does not exist
    supports, refutes = rule.support.holds(group), rule.refute.holds(group)
    if supports == refutes:
        return "inconclusive"
    return "supported" if supports else "refuted"


def _everywhere(verdicts: Sequence[Verdict]) -> Verdict:
    distinct = set(verdicts)
    return distinct.pop() if len(distinct) == 1 else "inconclusive"


def judge(
    claim: Claim,
    *,
    rules: Sequence[Rule],
    silent_on: Mapping[str, Any],
    results: Sequence[Mapping[str, Any]],
    ran: frozenset[str],
) -> dict[str, Any]:
    """Give one claim its line.

    Parameters
    ----------
    claim : Claim
    rules : sequence of Rule
        The rules of this claim.
    silent_on : mapping of str to text
        Experiments that name the claim but, for a stated reason, do not decide it.
    results : sequence of mapping
        All results of the run.
    ran : frozenset of str
        Experiments that ran.

    Returns
    -------
    dict
        ``claim``, ``verdict``, ``decided_by``, ``pending`` (experiments not built yet), ``flips`` (True when worlds
        disagree) and ``rules``.

    Notes
    -----
    An experiment that refutes decides. Otherwise a claim that still awaits an experiment is *pending*; when all
    have run it is supported only if every rule supports it.
    """
    line: dict[str, Any] = {"claim": claim.id, "flips": False, "rules": [], "pending": [], "decided_by": []}
    if claim.testability == "none" or not claim.experiments:
        return line | {"verdict": "not testable"}
    judged = [evaluate(rule, results) for rule in rules if rule.experiment in ran]
    awaited = [e for e in claim.experiments if e not in ran and e not in silent_on]
    verdicts = [j["verdict"] for j in judged]
    if "refuted" in verdicts:
        verdict: Verdict = "refuted"
    elif awaited:
        verdict = "pending"
    elif verdicts:
        verdict = _everywhere(verdicts)
    else:
        verdict = "not testable"
    flips = any(j["counts"]["supported"] and j["counts"]["refuted"] for j in judged)
    decided = [j["experiment"] for j in judged if j["verdict"] == verdict]
    return line | {"verdict": verdict, "flips": flips, "rules": judged, "pending": awaited, "decided_by": decided}
