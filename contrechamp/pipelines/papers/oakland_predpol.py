"""Lum & Isaac (2016): the published forecast of Oakland, to the digit, and what it becomes when it feeds on itself.

What it cannot tell you: the records are drug offences *recorded by the police*. That a cell has many says where police
recorded, not where drugs were used or sold; so does every hit rate below, the « real » one of the feedback run too.

References
----------
.. [1] Lum & Isaac (2016), "To predict and serve?", Significance 13(5), 14-19. doi:10.1111/j.1740-9713.2016.00960.x
.. [2] Mohler et al. (2015), "Randomized controlled field trials of predictive policing", JASA 110(512), 1399-1411.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from contrechamp.domain.errors import ContractError
from contrechamp.domain.grid import FloatArray, IntArray, count_cube
from contrechamp.domain.intervals import Interval
from contrechamp.domain.protocols import Progress
from contrechamp.domain.rng import stream
from contrechamp.domain.text import Lang
from contrechamp.pipelines.papers.base import Dossier, Run
from contrechamp.pipelines.papers.drawing import BLUE, RUST, SOFT, canvas
from fairness.intervals import mean_interval
from models.etas_em import EmFit, fit_em
from models.etas_events import CellEvents, intensity
from models.etas_likelihood import MleFit, fit_mle

RECORDS: Final = "drug_crimes_with_bins.csv"
INTENSITIES: Final = "predpol_drug_predictions.csv.gz"
OBSERVED: Final = "predpol_drug_observed.csv"

Map = Callable[[IntArray], FloatArray]


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of the replication.

    Attributes
    ----------
    counts : ndarray of int, shape (n_days, n_cells)
        Records by day from the opening day, and cell.
    intensities : ndarray of float, shape (n_forecast_days, n_cells)
        Published output, per day, one row per forecast day.
    observed : ndarray of int, shape (n_forecast_days, n_cells)
    without_cell : int
        Records left out because they bear no cell.
    """

    counts: IntArray
    intensities: FloatArray
    observed: IntArray
    without_cell: int


def load(data: Mapping[str, Path], *, parameters: Mapping[str, Any]) -> Tables:
    """Read the three tables.

    Raises
    ------
    ContractError
        If a table does not read as the published one does.
    """
    opening: date = parameters["opening_day"]
    try:
        with data[RECORDS].open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        cells = [-1 if row["bin"] in ("", "NA") else int(row["bin"]) - 1 for row in rows]
        days = [(datetime.strptime(row["OCCURRED"], "%m/%d/%y").date() - opening).days for row in rows]
        with gzip.open(data[INTENSITIES], "rt", encoding="utf-8") as packed:
            intensities = np.loadtxt(packed, delimiter=",", skiprows=1)[:, 1:].T
        with data[OBSERVED].open(encoding="utf-8") as file:
            observed = np.loadtxt(file, delimiter=",", skiprows=1)[:, 1:].T
    except (KeyError, ValueError, IndexError, OSError, EOFError) as cause:
        raise ContractError(
            f"The Oakland tables do not read as the published ones: {cause}. Fetch them again from the replication."
        ) from cause
    counts = count_cube(cells, days, n_cells=parameters["n_cells"], n_days=parameters["n_days"])
    return Tables(counts.astype(np.int64), intensities, observed.astype(np.int64), cells.count(-1))


def published_fit(window: IntArray, *, parameters: Mapping[str, Any]) -> EmFit:
    """The published iteration on one window of daily counts."""
    start = (parameters["theta"], parameters["omega_per_day"], parameters["mu_per_day"])
    a, b, c = parameters["tolerances"]
    return fit_em(CellEvents.from_counts(window), pairing="published", stop="any", start=start, tolerances=(a, b, c))


def published_map(window: IntArray, *, parameters: Mapping[str, Any]) -> FloatArray:
    """Published forecast of the day after ``window``, per cell."""
    return intensity(CellEvents.from_counts(window), published_fit(window, parameters=parameters).params)


def converged_map(window: IntArray) -> FloatArray:
    """The usual EM step iterated until all three tolerances are met."""
    events = CellEvents.from_counts(window)
    return intensity(events, fit_em(events).params)


def likelihood_fit(window: IntArray) -> MleFit:
    """Maximum of the day-resolution likelihood."""
    return fit_mle(CellEvents.from_counts(window), compensator="day")


def likelihood_map(window: IntArray) -> FloatArray:
    """Forecast at the maximum of the day-resolution likelihood."""
    return intensity(CellEvents.from_counts(window), likelihood_fit(window).params)


def count_map(window: IntArray) -> FloatArray:
    """Count of the window."""
    return np.asarray(window.sum(axis=0), dtype=np.float64)


def forecast(counts: IntArray, *, make: Map, window_days: int) -> FloatArray:
    """One map per day that has a whole window before it, shape (n_days - window_days, n_cells)."""
    return np.stack([make(counts[k : k + window_days]) for k in range(len(counts) - window_days)])


def flag(maps: FloatArray, *, k: int) -> IntArray:
    """The ``k`` cells of highest value of each row, the lower cell number first among equals."""
    return np.argsort(-maps, axis=-1, kind="stable")[..., :k]


def days_flagged(flagged: IntArray, *, n_cells: int) -> IntArray:
    """Days each cell is flagged, shape (n_cells,)."""
    return np.bincount(flagged.ravel(), minlength=n_cells)


def summarise(flagged: IntArray, observed: IntArray) -> dict[str, int]:
    """Hits and days flagged.

    Parameters
    ----------
    flagged : ndarray of int, shape (n_days, k)
    observed : ndarray of int, shape (n_days, n_cells)
    """
    days = days_flagged(flagged, n_cells=observed.shape[1])
    return {
        "hits": int(np.take_along_axis(observed, flagged, axis=1).sum()),
        "records": int(observed.sum()),
        "cells_ever_flagged": int((days > 0).sum()),
        "cells_flagged_more_than_half_the_days": int((2 * days > len(flagged)).sum()),
        "cells_flagged_every_day": int((days == len(flagged)).sum()),
    }


def feedback(
    counts: IntArray, *, make: Map, share: float, window_days: int, k: int, rng: np.random.Generator
) -> tuple[dict[str, float], IntArray]:
    """The forecast fed with what patrols add where it sends them.

    Each day the map is made from the records so far, additions included; then each flagged cell gains
    Binomial(records of that day + 1, ``share``) further records.

    Returns
    -------
    figures : dict
        ``added``; ``cells_ever_flagged``; ``cells_flagged_every_day``; ``apparent_hit_rate``, of all records, those
        added included; ``real_hit_rate``, of the records there were without the additions.
    days : ndarray of int, shape (n_cells,)
        Days each cell is flagged.
    """
    fed, flagged = counts.copy(), np.empty((len(counts) - window_days, k), dtype=np.int64)
    for day in range(len(flagged)):
        flagged[day] = flag(make(fed[day : day + window_days]), k=k)
        fed[day + window_days, flagged[day]] += rng.binomial(counts[day + window_days, flagged[day]] + 1, share)
    real, apparent = (summarise(flagged, table[window_days:]) for table in (counts, fed))
    return {
        "added": float(fed.sum() - counts.sum()),
        "cells_ever_flagged": float(real["cells_ever_flagged"]),
        "cells_flagged_every_day": float(real["cells_flagged_every_day"]),
        "apparent_hit_rate": apparent["hits"] / apparent["records"],
        "real_hit_rate": real["hits"] / real["records"],
    }, days_flagged(flagged, n_cells=counts.shape[1])


def reproduce(dossier: Dossier, data: Mapping[str, Path], *, seed: int, jobs: int, progress: Progress) -> Run:
    """Redo the forecast, set three other maps beside it, and feed it with its own patrols."""
    p = dossier.parameters
    tables = load(data, parameters=p)
    window, k, reps = int(p["window_days"]), int(p["flagged"]), int(p["feedback_runs"])
    published = partial(published_map, parameters=p)
    steps = reps + 4
    makers: dict[str, Map] = {
        "published": published, "trailing_count": count_map, "em_converged": converged_map,
        "likelihood": likelihood_map,
    }  # fmt: skip
    maps: dict[str, FloatArray] = {}
    for done, (name, make) in enumerate(makers.items(), start=1):
        maps[name] = forecast(tables.counts, make=make, window_days=window)
        progress(dossier.key, done, steps)
    summaries = {name: summarise(flag(m, k=k), tables.observed) for name, m in maps.items()}
    runs = []
    work = Parallel(n_jobs=jobs, return_as="generator")(
        delayed(_fed)(tables.counts, p, rng=stream(seed, dossier.key, "feedback", i)) for i in range(reps)
    )
    for done, run in enumerate(work, start=1):
        runs.append(run)
        progress(dossier.key, 4 + done, steps)
    fed = pd.DataFrame([figures for figures, _ in runs])

    ours, n = summaries["published"], int(tables.observed.sum())
    exact: dict[str, float] = {
        "intensity_matrix": float(np.abs(maps["published"] - tables.intensities).max()),
        "records_forecast_days": ours["records"],
        "hits_etas": ours["hits"],
        "hits_trailing_count": summaries["trailing_count"]["hits"],
        **{name: value for name, value in ours.items() if name.startswith("cells_")},
    }
    figures = {name: Interval.exact(float(value), n=n) for name, value in exact.items()}
    figures |= {f"feedback_{name}": mean_interval(fed[name].to_numpy()) for name in fed}
    plain = days_flagged(flag(maps["published"], k=k), n_cells=tables.counts.shape[1])
    days = pd.DataFrame(
        {"cell": np.arange(len(plain)), "days_flagged": plain}
        | {f"days_flagged_fed_{i}": one for i, (_, one) in enumerate(runs[:5])}
    )
    thetas = pd.DataFrame(
        [
            {
                "forecast_day": d,
                "theta_published": published_fit(tables.counts[d : d + window], parameters=p).params.theta,
                "theta_likelihood": likelihood_fit(tables.counts[d : d + window]).params.theta,
            }
            for d in range(len(tables.observed))
        ]
    )
    beside = pd.DataFrame([{"map": name} | row for name, row in summaries.items()])
    beside["records_without_cell"] = tables.without_cell
    found = {"maps": beside, "feedback_runs": fed, "days_flagged": days, "thetas": thetas}
    shown = {
        "plain": ours["hits"] / n, "apparent": float(fed["apparent_hit_rate"].mean()),
        "real": float(fed["real_hit_rate"].mean()),
    }  # fmt: skip
    return Run(figures, found, lambda lang: _draw(days, shown, len(tables.observed), lang))


def _fed(
    counts: IntArray, parameters: Mapping[str, Any], *, rng: np.random.Generator
) -> tuple[dict[str, float], IntArray]:
    return feedback(
        counts, make=partial(published_map, parameters=parameters), share=float(parameters["feedback_share"]),
        window_days=int(parameters["window_days"]), k=int(parameters["flagged"]), rng=rng,
    )  # fmt: skip


def _draw(days: pd.DataFrame, rates: Mapping[str, float], n_days: int, lang: Lang) -> Any:
    words = {
        "fr": ("mailles, de la plus désignée à la moins", "jours désignée, sur {n}", "sans retour",
               "nourrie de ses patrouilles (5 graines)", "taux affiché", "taux d’origine", "part des enregistrements"),
        "en": ("cells, from most to least flagged", "days flagged, of {n}", "no feedback",
               "fed by its own patrols (5 seeds)", "on display", "original records", "share of records"),
    }[lang]  # fmt: skip
    figure, (left, right) = canvas(height=2.7, ncols=2, gridspec_kw={"width_ratios": [2, 1]})
    for i, name in enumerate([c for c in map(str, days) if c.startswith("days_flagged_fed")]):
        left.plot(
            np.sort(days[name])[::-1][:60], color=RUST, lw=0.9, alpha=0.7, label=words[3] if i == 0 else None
        )  # fmt: skip
    left.plot(np.sort(days["days_flagged"])[::-1][:60], color=BLUE, label=words[2])
    left.set_xlabel(words[0], color=SOFT)
    left.set_ylabel(words[1].format(n=n_days))
    left.legend()
    right.axhline(100 * rates["plain"], color=BLUE, lw=1.0, label=words[2])
    for x, (name, label) in enumerate((("apparent", words[4]), ("real", words[5]))):
        height = 100 * rates[name]
        right.bar(x, height, width=0.55, color=RUST if x == 0 else SOFT)
        text = f"{height:.1f} %"
        text = text.replace(".", ",") if lang == "fr" else text
        right.text(x, height - 4, text, ha="center", fontsize=7.5, color="white")
        right.text(x, -3.0, label, ha="center", va="top", fontsize=7.5)
    right.set_xticks([])
    right.set_ylim(0, 70)
    right.set_ylabel(f"{words[6]} (%)")
    right.legend(loc="upper right")
    return figure
