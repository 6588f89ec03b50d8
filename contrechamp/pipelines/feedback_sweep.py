"""Rules, shares reported, predictors and remedies on the same cities: the maps behind ``contrechamp feedback sweep``.

Every policy meets the same cities, incidents and luck; only the share reported changes what reaches the file by itself.
What is judged is how much better the file makes the map look than it is: the share of *records* in the flagged cells,
minus the share of *incidents* in them. With everything reported the two are equal by construction: that is the control.

What it cannot tell you: see :data:`contrechamp.pipelines.loops.CANNOT_TELL`. A remedy that costs nothing here may
cost something that this city does not have, such as the patience of those who are patrolled.

References
----------
.. [1] Ensign et al. (2018), "Runaway feedback loops in predictive policing", PMLR 81, 160-171.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray
from contrechamp.domain.intervals import Interval
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.provenance import plain
from contrechamp.domain.results import Measure
from contrechamp.domain.text import LANGS, Text
from contrechamp.pipelines.feedback import check_new, provenance
from contrechamp.pipelines.loops import CANNOT_TELL, Lived, LoopPlan, flagged, live, loop_days, sectors
from contrechamp.store import runs
from contrechamp.store.files import write_bytes
from fairness.concentration import gini
from fairness.intervals import mean_interval

COMMAND: Final = "feedback sweep"
#: Points of success lent by the file from which it is said to flatter the map, and under which not.
FLATTERS: Final = 0.05
HOLDS: Final = 0.02
VERDICTS: Final[Mapping[str, Text]] = {
    "flatters": Text(fr="le fichier flatte la carte", en="the file flatters the map"),
    "holds": Text(fr="il ne la flatte pas", en="it does not"),
    "open": Text(fr="les nombres ne décident rien", en="the numbers decide nothing"),
}

#: Remedies, each a change to the plan; the first is the reference of the costs.
REMEDIES: Final[Mapping[str, Mapping[str, Any]]] = {
    "none": {},
    "reported-only": {"evidence": "reported"},
    "weighted": {"evidence": "weighted"},
    "thinned": {"evidence": "thinned"},
    "explore-10": {"explore": 0.1},
    "explore-50": {"explore": 0.5},
    "quota-50": {"quota": 0.5},
    "cap-2x": {},  # its ceiling depends on the number of cells: see :func:`remedied`
    "equal-hours": {"rule": "equal"},
}

_CITIES: Final = Text(fr="villes tirées (graines)", en="cities drawn (seeds)")
MEASURES: Final[tuple[Measure, ...]] = (
    Measure("apparent_gain", "points", Text(
            fr="Succès que le fichier prête à la carte : part des enregistrements moins part des incidents, dans les "
            "mailles désignées",
            en="Success that the file lends to the map: share of records minus share of incidents, in the flagged "
            "cells"), _CITIES),
    Measure("hit_records", "share", Text(fr="Succès apparent", en="Apparent success"), _CITIES),
    Measure("hit_incidents", "share", Text(fr="Succès réel", en="Real success"), _CITIES),
    Measure("captured", "share", Text(fr="Part des incidents qui entrent au fichier",
            en="Share of incidents that enter the file"), _CITIES),
    Measure("averted", "share", Text(fr="Part des incidents évités", en="Share of incidents averted"), _CITIES),
    Measure("gini_hours", "ratio", Text(
            fr="Indice de Gini des heures par incident attendu", en="Gini index of hours per expected incident"),
            _CITIES),
    Measure("gini_excess", "points", Text(
            fr="Le même, de plus que la même règle quand tout est signalé",
            en="The same, beyond the same rule when everything is reported"), _CITIES),
    Measure("worst_sector", "share", Text(
            fr="Heures du secteur le moins servi, sur ce que lui donneraient des heures égales",
            en="Hours of the least served sector, over what equal hours would give it"), _CITIES),
    Measure("never_served", "share", Text(fr="Part des mailles sans une heure de patrouille",
            en="Share of cells without an hour of patrol"), _CITIES),
)  # fmt: skip


@dataclasses.dataclass(frozen=True, eq=False)
class Sweep:
    """What a sweep found.

    Attributes
    ----------
    kind : str
        ``"map"`` or ``"remedies"``.
    plan : LoopPlan
        What all policies share.
    seed, n_cities : int
    table : DataFrame
        One row per policy. Of a map: ``predictor``, ``rule``, ``rho``, ``verdict``; of remedies: ``remedy`` and, for
        each measure, ``<measure>_change``, the difference to no remedy, city by city. Each measure with ``_low`` and
        ``_high``; ``n`` cities.
    cities : DataFrame
        One row per policy and city.
    """

    kind: str
    plan: LoopPlan
    seed: int
    n_cities: int
    table: pd.DataFrame
    cities: pd.DataFrame


def sweep(
    plan: LoopPlan, *, predictors: Sequence[str], rules: Sequence[str], rhos: Sequence[float], n_cities: int, seed: int,
    jobs: int = 1, progress: Progress = silent,
) -> Sweep:  # fmt: skip
    """Map rules × shares reported × predictors, on common cities, with the verdict of each square.

    Parameters
    ----------
    plan : LoopPlan
        Its predictor, rule and rho are not used.
    predictors, rules : sequence of str
    rhos : sequence of float
        1 is always added: it is the control.
    n_cities, seed, jobs : int
        No number depends on ``jobs``.
    progress : Progress

    Returns
    -------
    Sweep

    Raises
    ------
    ParameterError
        If a list is empty, a value is out of its domain, or there are fewer than two cities.
    """
    for name, values in (("predictors", predictors), ("rules", rules), ("rhos", rhos)):
        if not values:
            raise bad_parameter(name=name, where=COMMAND, must="at least one", got=list(values))
    shares = sorted({*(float(r) for r in rhos), 1.0})
    policies = [
        ({"predictor": p, "rule": r, "rho": x}, dataclasses.replace(plan, predictor=p, rule=r, rho=x))
        for p, r, x in product(dict.fromkeys(predictors), dict.fromkeys(rules), shares)
    ]
    cities = _cities(policies, n_cities=n_cities, seed=seed, jobs=jobs, progress=progress)
    control = cities[cities["rho"] == 1.0].set_index(["predictor", "rule", "city"])["gini_hours"]
    index = pd.MultiIndex.from_frame(cities[["predictor", "rule", "city"]])
    cities["gini_excess"] = cities["gini_hours"] - control.reindex(index).to_numpy()
    rows = []
    for here, _ in policies:
        mine = _of(cities, here)
        row: dict[str, Any] = {**here, "n": n_cities}
        for m in MEASURES:
            row |= _interval_columns(m.key, _mean(mine[m.key].to_numpy(np.float64), key=m.key))
        row["verdict"] = verdict(_mean(mine["apparent_gain"].to_numpy(np.float64)))
        rows.append(row)
    return Sweep("map", plan, seed, n_cities, _numbers(pd.DataFrame(rows)), cities)


def compare_remedies(
    plan: LoopPlan, *, remedies: Sequence[str] = (), n_cities: int, seed: int, jobs: int = 1,
    progress: Progress = silent,
) -> Sweep:  # fmt: skip
    """Live every remedy on the same cities and tabulate what it repairs and what it costs.

    Parameters
    ----------
    plan : LoopPlan
        The loop to repair.
    remedies : sequence of str
        Of :data:`REMEDIES`; all where empty. No remedy is always added: it is the reference.
    n_cities, seed, jobs, progress
        See :func:`sweep`.

    Raises
    ------
    ParameterError
        If a remedy does not exist or there are fewer than two cities.
    """
    chosen = list(dict.fromkeys(["none", *(remedies or REMEDIES)]))
    for key in chosen:
        if key not in REMEDIES:
            raise bad_parameter(name="remedies", where=COMMAND, must="among " + ", ".join(REMEDIES), got=key)
    policies = [({"remedy": key}, remedied(plan, key)) for key in chosen]
    cities = _cities(policies, n_cities=n_cities, seed=seed, jobs=jobs, progress=progress)
    base = _of(cities, {"remedy": "none"})
    rows = []
    for here, _ in policies:
        mine = _of(cities, here)
        row: dict[str, Any] = {**here, "n": n_cities}
        for m in MEASURES:
            if m.key == "gini_excess":
                continue
            values = mine[m.key].to_numpy(np.float64)
            row |= _interval_columns(m.key, _mean(values, key=m.key))
            row |= _interval_columns(f"{m.key}_change", _mean(values - base[m.key].to_numpy(np.float64), key=m.key))
        rows.append(row)
    return Sweep("remedies", plan, seed, n_cities, _numbers(pd.DataFrame(rows)), cities)


def remedied(plan: LoopPlan, remedy: str) -> LoopPlan:
    """The plan with a remedy of :data:`REMEDIES`; ``cap-2x`` lets no cell have more than twice an equal share."""
    change = dict(REMEDIES[remedy])
    if remedy == "cap-2x":
        change["cap"] = min(1.0, 2 / (plan.rows * plan.columns))
    return dataclasses.replace(plan, **change)


def verdict(gain: Interval) -> str:
    """What the mean success lent by the file says."""
    if gain.low is not None and gain.low >= FLATTERS:
        return "flatters"
    if gain.high is not None and gain.high < HOLDS:
        return "holds"
    return "open"


def flips(found: Sweep) -> pd.DataFrame:
    """By predictor and rule: the largest share reported at which the file flatters, the least at which it does not.

    Missing where there is none among the shares tried.
    """
    rows = []
    for (predictor, rule), part in found.table.groupby(["predictor", "rule"], sort=False):
        bad = part.loc[part["verdict"] == "flatters", "rho"]
        good = part.loc[part["verdict"] == "holds", "rho"]
        rows.append(
            {
                "predictor": predictor, "rule": rule, "flatters_up_to": bad.max() if len(bad) else np.nan,
                "holds_from": good.min() if len(good) else np.nan,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def body(found: Sweep) -> dict[str, Any]:
    """Plain form: what ``--json`` prints and ``results.json`` holds."""
    out = {
        "command": COMMAND, "kind": found.kind, "seed": found.seed, "cities": found.n_cities,
        "plan": dataclasses.asdict(found.plan), "rows": found.table.to_dict("records"),
        "measures": {m.key: {"fr": m.label.fr, "en": m.label.en, "unit": m.unit} for m in MEASURES},
        "limits": {"fr": CANNOT_TELL.fr, "en": CANNOT_TELL.en},
    }  # fmt: skip
    if found.kind == "map":
        out["flips"] = flips(found).to_dict("records")
    return dict(plain(out))


def write_sweep(found: Sweep, out: Path) -> Path:
    """Write a sweep as a run folder: results, tables, the map (fr, en), provenance.

    Raises
    ------
    ParameterError
        If ``out`` exists or cannot be made.
    """
    from contrechamp.pipelines.feedback_drawing import draw_sweep
    from contrechamp.pipelines.papers.drawing import image

    check_new(out)
    out = out.absolute()
    work = runs.begin(out.parent, run_id=out.name)
    runs.write_json(work / "results.json", body(found))
    runs.write_tables(work, {"sweep": found.table, "cities": found.cities})
    if found.kind == "map":
        for lang in LANGS:
            for form in ("svg", "png"):
                drawn = image(lambda said: draw_sweep(found.table, said), lang, form=form)
                write_bytes(work / "figures" / f"sweep_{lang}.{form}", drawn)
    runs.write_json(
        work / "run.json",
        provenance(command=COMMAND, kind=found.kind, seed=found.seed, cities=found.n_cities,
                   plan=dataclasses.asdict(found.plan)),
    )  # fmt: skip
    return runs.finish(work)


def score(lived: Lived) -> dict[str, float]:
    """Measures of one city, over the last half of the loop."""
    h, days = lived.history, loop_days(lived)
    days = slice((days.start + days.stop) // 2, days.stop)
    top = flagged(lived, days)
    happened, recorded = h.happened[days], h.recorded[days]
    served = h.hours[days].sum(axis=0)
    where = sectors(lived.plan)
    size = np.bincount(where)
    cover = np.bincount(where, weights=served) / served.sum() / (size / size.sum())
    n, told = int(happened.sum()), int(recorded.sum())
    averted = int(h.prevented[days].sum())
    hit_records = float(recorded[top].sum()) / told if told else np.nan
    hit_incidents = float(happened[top].sum()) / n if n else np.nan
    return {
        "apparent_gain": hit_records - hit_incidents, "hit_records": hit_records, "hit_incidents": hit_incidents,
        "captured": told / n if n else np.nan, "averted": averted / (averted + n) if averted + n else np.nan,
        "gini_hours": float(gini(served, weights=lived.levels)), "worst_sector": float(cover.min()),
        "never_served": float((served == 0).mean()),
    }  # fmt: skip


def _cities(
    policies: Sequence[tuple[dict[str, Any], LoopPlan]], *, n_cities: int, seed: int, jobs: int, progress: Progress
) -> pd.DataFrame:
    if not 2 <= n_cities <= 100_000:
        raise bad_parameter(name="cities", where=COMMAND, must="from 2 to 100000", got=n_cities)
    tasks = [(here, plan, rep) for here, plan in policies for rep in range(n_cities)]
    work = Parallel(n_jobs=jobs, return_as="generator", batch_size=4)(
        delayed(_one)(here, plan, seed, rep) for here, plan, rep in tasks
    )
    rows = []
    for done, row in enumerate(work, start=1):
        rows.append(row)
        progress("feedback: cities", done, len(tasks))
    return pd.DataFrame(rows)


def _one(here: dict[str, Any], plan: LoopPlan, seed: int, rep: int) -> dict[str, Any]:
    return {**here, "city": rep, **score(live(plan, seed=seed, rep=rep))}


def _of(cities: pd.DataFrame, here: Mapping[str, Any]) -> pd.DataFrame:
    keep = np.ones(len(cities), dtype=np.bool_)
    for key, value in here.items():
        keep &= (cities[key] == value).to_numpy()
    return cities[keep].sort_values("city")


def _mean(values: FloatArray, *, key: str = "") -> Interval:
    """Mean over cities; exact where all say the same for a reason known beforehand: 0, 1, or hours promised to all."""
    known = values[np.isfinite(values)]
    if len(known) < len(values):
        return Interval.not_estimable(n=len(known), method="t")
    promised = (float(known.mean()),) if key.startswith("worst_sector") else ()
    for same in (0.0, 1.0, *promised):
        if np.allclose(known, same, rtol=0, atol=1e-12):
            return Interval.exact(same, n=len(known), method="identical-runs")
    return mean_interval(known)


def _interval_columns(key: str, i: Interval) -> dict[str, float | None]:
    return {key: i.estimate, f"{key}_low": i.low, f"{key}_high": i.high}


def _numbers(table: pd.DataFrame) -> pd.DataFrame:
    names = [c for c in table.columns if c not in ("predictor", "rule", "rho", "remedy", "verdict", "n")]
    return table.astype(dict.fromkeys(names, "float64"))
