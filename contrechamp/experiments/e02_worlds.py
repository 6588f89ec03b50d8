"""E02, over plausible worlds: in what share of them does the prophecy come true, and which unknown decides.

The curve of E02 turns one dial at a time. Here the dials are drawn together, each over a range that is written down and
frozen with the plan. Each world drawn is lived by a number of cities and judged by the criteria of C02; and a Sobol
design says how much of the gap that the loop adds comes from each unknown, luck being one of them.

What it cannot tell you: how plausible a world is. The ranges are wide on purpose and uniform for want of knowing
better; a share of worlds is not a chance that Marseille is one of them.

References
----------
.. [1] Saltelli et al. (2010), "Variance based sensitivity analysis of model output", Comput. Phys. Commun. 181,
   259-270, doi:10.1016/j.cpc.2009.09.018.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.results import Outcome, Result
from contrechamp.domain.rng import stream
from fairness.intervals import paired_difference_interval, rate_interval
from fairness.loop_space import DIALS, gaps
from fairness.sensitivity import Factor, Scale, draw_units, place, saltelli_design, sobol_indices
from fairness.urns import TIE

ID: Final = "E02"
#: The unknown that is not a dial: which city, all dials being equal.
LUCK: Final = "luck"
#: Worlds handed to a worker at a time. Changes no number.
CHUNK: Final = 16
#: Criteria of C02: half of the cities over 20 points off, 10 points of cities more than without the loop; refuted if at
#: most 5 % are over 10 points off, or the loop adds fewer than 2 points of them.
HALF: Final = 0.5
EXCESS: Final = 0.1
FEW: Final = 0.05
NOTHING: Final = 0.02
VERDICTS: Final = ("supported", "refuted", "open")


@dataclass(frozen=True, slots=True)
class Plan:
    """Unknowns with their ranges, and how many worlds.

    Attributes
    ----------
    factors : tuple of Factor
        The dials.
    n_base, n_worlds, n_cities : int
        Base points of the Sobol design; worlds judged; cities in each.
    """

    factors: tuple[Factor, ...]
    n_base: int
    n_worlds: int
    n_cities: int

    @classmethod
    def parse(cls, ranges: Sequence[str], *, n_base: int, n_worlds: int, n_cities: int) -> Plan:
        """Read ranges written ``name=low..high`` or ``name=low..high scale``.

        Raises
        ------
        ParameterError
            If one cannot be read, or the names are not the dials, each once; or a number is out of range.
        """
        factors = tuple(_factor(text) for text in ranges)
        if sorted(f.name for f in factors) != sorted(DIALS):
            got = ", ".join(f.name for f in factors)
            raise bad_parameter(name="ranges", where=ID, must=f"one range for each of {', '.join(DIALS)}", got=got)
        for f in factors:
            low, high = DIALS[f.name]
            if not low <= f.low <= f.high <= high:
                raise bad_parameter(
                    name="ranges", where=ID, must=f"within [{low:g}, {high:g}] for {f.name}", got=(f.low, f.high)
                )
        for name, value in (("n_base", n_base), ("n_plausible", n_worlds)):
            if value < 2 or value & (value - 1):
                raise bad_parameter(name=name, where=ID, must="a power of two of at least 2", got=value)
        if n_cities < 2:
            raise bad_parameter(name="n_cities", where=ID, must="at least 2", got=n_cities)
        return cls(factors, n_base, n_worlds, n_cities)


def _factor(text: str) -> Factor:
    name, equals, rest = text.partition("=")
    span, _, scale = rest.strip().partition(" ")
    low, dots, high = span.partition("..")
    try:
        if not (equals and dots):
            raise ValueError
        return Factor(name.strip(), float(low), float(high), cast("Scale", scale.strip() or "linear"))
    except ValueError as cause:
        raise bad_parameter(
            name="ranges", where=ID, must="written name=low..high, then log or whole where it is not uniform", got=text
        ) from cause


def plausible_worlds(plan: Plan, *, seed: int, jobs: int = 1, progress: Progress = silent) -> Outcome:
    """Judge worlds drawn over the ranges, and share out the variance of what the loop adds.

    Returns
    -------
    Outcome
        ``share_of_worlds_*`` (n: worlds drawn, Clopper–Pearson), ``sobol_first`` and ``sobol_total`` by ``factor`` (n:
        base points); tables ``e02_worlds`` and ``e02_sobol``.
    """
    worlds = _judged(plan, seed=seed, jobs=jobs, progress=progress)
    results = []
    for verdict in VERDICTS:
        share = rate_interval(
            events=int((worlds["verdict"] == verdict).sum()), trials=len(worlds), method="clopper-pearson"
        )
        results.append(Result(ID, f"share_of_worlds_{verdict}", {}, share, "e02_worlds"))
    table = _shared_out(plan, seed=seed, jobs=jobs, progress=progress, results=results)
    return Outcome(results, {"e02_worlds": worlds, "e02_sobol": table})


def judge(loop: FloatArray, control: FloatArray) -> str:
    """Verdict of a world by the criteria of C02, from the gaps of its cities with the loop and without."""
    n = len(loop)
    far, near = loop > 0.2 + TIE, loop > 0.1 + TIE
    far_control, near_control = control > 0.2 + TIE, control > 0.1 + TIE
    off_20 = rate_interval(events=int(far.sum()), trials=n, method="wilson")
    if off_20.low is not None and off_20.low >= HALF and _excess(far, far_control)[0] >= EXCESS:
        return "supported"
    off_10 = rate_interval(events=int(near.sum()), trials=n, method="wilson")
    if (off_10.high is not None and off_10.high <= FEW) or _excess(near, near_control)[1] < NOTHING:
        return "refuted"
    return "open"


def _excess(hit: Any, control: Any) -> tuple[float, float]:
    """Bounds of the difference of shares, the same cities with and without the loop."""
    found = paired_difference_interval(
        both=int((hit & control).sum()), first_only=int((hit & ~control).sum()),
        second_only=int((~hit & control).sum()), neither=int((~hit & ~control).sum()),
    )  # fmt: skip
    return (-1.0, 1.0) if found.low is None or found.high is None else (found.low, found.high)


def _judged(plan: Plan, *, seed: int, jobs: int, progress: Progress) -> pd.DataFrame:
    units = draw_units(plan.n_worlds, len(plan.factors), rng=stream(seed, ID, "plausible", "worlds"))
    dials = pd.DataFrame(place(units, plan.factors))
    parts = [dials.iloc[first : first + CHUNK] for first in range(0, len(dials), CHUNK)]
    rows: list[dict[str, Any]] = []
    calls = (delayed(_judge_some)(part.to_dict("records"), plan.n_cities, seed, i * CHUNK) for i, part in
             enumerate(parts))  # fmt: skip
    for done, found in enumerate(Parallel(n_jobs=jobs, return_as="generator")(calls), start=1):
        rows += found
        progress("E02: plausible worlds", done, len(parts))
    return pd.DataFrame(rows)


def _judge_some(worlds: Sequence[Mapping[str, float]], n_cities: int, seed: int, first: int) -> list[dict[str, Any]]:
    out = []
    for number, dials in enumerate(worlds, start=first):
        loop, control = gaps(dials, n_cities=n_cities, rng=stream(seed, ID, "plausible", number))
        out.append(
            {
                **dials, "cities": n_cities, "off_20": float((loop > 0.2 + TIE).mean()),
                "off_10": float((loop > 0.1 + TIE).mean()), "off_20_control": float((control > 0.2 + TIE).mean()),
                "gap_added": float((loop - control).mean()), "verdict": judge(loop, control),
            }
        )  # fmt: skip
    return out


def _shared_out(
    plan: Plan, *, seed: int, jobs: int, progress: Progress, results: list[Result]
) -> pd.DataFrame:  # fmt: skip
    factors = (*plan.factors, Factor(LUCK, 0.0, 1.0))
    design = saltelli_design(plan.n_base, len(factors), rng=stream(seed, ID, "sobol", "design"))
    lines = [design[first : first + CHUNK] for first in range(0, len(design), CHUNK)]
    calls = (delayed(_added)(part, factors, seed) for part in lines)
    answers = []
    for done, found in enumerate(Parallel(n_jobs=jobs, return_as="generator")(calls), start=1):
        answers.append(found)
        progress("E02: Sobol design", done, len(lines))
    indices = sobol_indices(np.concatenate(answers), rng=stream(seed, ID, "sobol", "resamples"))
    rows = []
    for factor, first, total in zip(factors, indices.first, indices.total, strict=True):
        results.append(Result(ID, "sobol_first", {"factor": factor.name}, first, "e02_sobol"))
        results.append(Result(ID, "sobol_total", {"factor": factor.name}, total, "e02_sobol"))
        rows.append(
            {
                "factor": factor.name, "from": factor.low, "to": factor.high, "scale": factor.scale,
                "first": first.estimate, "first_low": first.low, "first_high": first.high, "total": total.estimate,
                "total_low": total.low, "total_high": total.high, "n": first.n,
            }
        )  # fmt: skip
    numbers = [f"{name}{end}" for name in ("first", "total") for end in ("", "_low", "_high")]
    return pd.DataFrame(rows).astype(dict.fromkeys(numbers, "float64"))


def _added(design: FloatArray, factors: Sequence[Factor], seed: int) -> FloatArray:
    """Gap that the loop adds in one city per point of the design, shape of ``design`` but its last axis."""
    values = place(design, factors)
    out = np.empty(design.shape[:-1])
    for at in np.ndindex(out.shape):
        dials = {name: float(v[at]) for name, v in values.items()}
        luck = int(dials.pop(LUCK) * 2**53)
        loop, control = gaps(dials, n_cities=1, rng=stream(seed, ID, "luck", luck))
        out[at] = loop[0] - control[0]
    return out
