"""Lum & Isaac (2016): the published forecast of Oakland, to the digit, and what it becomes when it feeds on itself.

Run with ``python papers/oakland_predpol/run.py FOLDER``, FOLDER holding the three tables of the replication named in
``scenario.toml``. Everything but :func:`load` and :func:`main` is a pure function of arrays.

What it cannot tell you: the records are drug offences *recorded by the police*. That a cell has many says where police
recorded, not where drugs were used or sold; so does every hit rate below, the « real » one of the feedback run too.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np

from contrechamp.domain.grid import FloatArray, IntArray, count_cube
from contrechamp.domain.rng import stream
from models.etas_em import EmFit, fit_em
from models.etas_events import CellEvents, intensity
from models.etas_likelihood import MleFit, fit_mle

SCENARIO: dict[str, Any] = tomllib.loads((Path(__file__).parent / "scenario.toml").read_text(encoding="utf-8"))
RUN: dict[str, Any] = SCENARIO["run"]

Map = Callable[[IntArray], FloatArray]


@dataclass(frozen=True, slots=True)
class Published:
    """The tables of the replication.

    Attributes
    ----------
    counts : ndarray of int, shape (548, 661)
        Records by day from the opening day, and cell.
    intensities : ndarray of float, shape (368, 661)
        Published output, per day, one row per forecast day.
    observed : ndarray of int, shape (368, 661)
    without_cell : int
        Records left out because they bear no cell.
    """

    counts: IntArray
    intensities: FloatArray
    observed: IntArray
    without_cell: int


def load(folder: Path) -> Published:
    """Read the three tables."""
    data, opening = SCENARIO["data"], RUN["opening_day"]
    with (folder / data["records"]).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    cells = [-1 if row["bin"] in ("", "NA") else int(row["bin"]) - 1 for row in rows]
    counts = count_cube(
        cells, [_day(row["OCCURRED"], opening) for row in rows], n_cells=RUN["n_cells"], n_days=RUN["n_days"]
    )
    with gzip.open(folder / data["intensities"], "rt", encoding="utf-8") as file:
        intensities = np.loadtxt(file, delimiter=",", skiprows=1)[:, 1:].T
    with (folder / data["observed"]).open(encoding="utf-8") as file:
        observed = np.loadtxt(file, delimiter=",", skiprows=1)[:, 1:].T
    return Published(counts.astype(np.int64), intensities, observed.astype(np.int64), cells.count(-1))


def _day(text: str, opening: date) -> int:
    return (datetime.strptime(text, "%m/%d/%y").date() - opening).days


def published_fit(window: IntArray) -> EmFit:
    """The published iteration on one window of daily counts."""
    start = (RUN["theta"], RUN["omega_per_day"], RUN["mu_per_day"])
    tolerances = (RUN["tolerances"][0], RUN["tolerances"][1], RUN["tolerances"][2])
    return fit_em(CellEvents.from_counts(window), pairing="published", stop="any", start=start, tolerances=tolerances)


def published_map(window: IntArray) -> FloatArray:
    """Published forecast of the day after ``window``, per cell."""
    return intensity(CellEvents.from_counts(window), published_fit(window).params)


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


def forecast(counts: IntArray, *, make: Map = published_map, window_days: int = RUN["window_days"]) -> FloatArray:
    """One map per day that has a whole window before it, shape (n_days - window_days, n_cells)."""
    return np.stack([make(counts[k : k + window_days]) for k in range(len(counts) - window_days)])


def flag(maps: FloatArray, *, k: int = RUN["flagged"]) -> IntArray:
    """The ``k`` cells of highest value of each row, the lower cell number first among equals."""
    return np.argsort(-maps, axis=-1, kind="stable")[..., :k]


def summarise(flagged: IntArray, observed: IntArray) -> dict[str, int]:
    """Hits and days flagged.

    Parameters
    ----------
    flagged : ndarray of int, shape (n_days, k)
    observed : ndarray of int, shape (n_days, n_cells)
    """
    days = np.bincount(flagged.ravel(), minlength=observed.shape[1])
    return {
        "hits": int(np.take_along_axis(observed, flagged, axis=1).sum()),
        "records": int(observed.sum()),
        "cells_ever_flagged": int((days > 0).sum()),
        "cells_flagged_more_than_half_the_days": int((2 * days > len(flagged)).sum()),
        "cells_flagged_every_day": int((days == len(flagged)).sum()),
    }


def feedback(
    counts: IntArray,
    *,
    rng: np.random.Generator,
    share: float = SCENARIO["feedback"]["share"],
    make: Map = published_map,
    window_days: int = RUN["window_days"],
    k: int = RUN["flagged"],
) -> dict[str, float]:
    """The forecast fed with what patrols add where it sends them.

    Each day the map is made from the records so far, additions included; then each flagged cell gains
    Binomial(records of that day + 1, ``share``) further records.

    Returns
    -------
    dict
        ``added``; ``cells_ever_flagged``; ``cells_flagged_every_day``; ``apparent_hit_rate``, of all records, those
        added included; ``real_hit_rate``, of the records there were without the additions.
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
    }


def feedback_runs(counts: IntArray, *, seeds: int, first_seed: int = 1) -> dict[str, tuple[float, float, float]]:
    """Mean of each figure of :func:`feedback` over ``seeds`` runs, and the 2.5 and 97.5 % quantiles of single runs."""
    runs = [feedback(counts, rng=stream(first_seed + i, "oakland", "feedback")) for i in range(seeds)]
    table = {name: np.array([run[name] for run in runs]) for name in runs[0]}
    return {
        name: (float(v.mean()), float(np.quantile(v, 0.025)), float(np.quantile(v, 0.975))) for name, v in table.items()
    }


def report(published: Published, *, seeds: int) -> dict[str, Any]:
    """Every figure of the folder's page, beside the published one."""
    counts, observed = published.counts, published.observed
    maps = forecast(counts)
    windows = [counts[k : k + RUN["window_days"]] for k in range(len(observed))]
    fits, best = [published_fit(w) for w in windows], [likelihood_fit(w) for w in windows]
    ours: dict[str, Any] = {
        "intensity_matrix": float(np.abs(maps - published.intensities).max()),
        "records_forecast_days": int(observed.sum()),
        **{k.replace("hits", "hits_etas"): v for k, v in summarise(flag(maps), observed).items() if k != "records"},
        "hits_trailing_count": summarise(flag(forecast(counts, make=count_map)), observed)["hits"],
        **{f"feedback_{k}": v for k, v in feedback_runs(counts, seeds=seeds).items()},
    }
    figures: Mapping[str, Any] = SCENARIO["published"]
    return {
        "published": {name: {"published": figures[name]["value"], "ours": ours[name]} for name in figures},
        "beyond": {
            "records_without_cell": published.without_cell,
            "steps": (min(f.n_steps for f in fits), max(f.n_steps for f in fits)),
            "stopped_by_mu_omega_theta": tuple(sum(n in f.stopped_by for f in fits) for n in ("mu", "omega", "theta")),
            "theta_median_and_largest": _centre([f.params.theta for f in fits]),
            "theta_converged_em_largest": max(fit_em(CellEvents.from_counts(w)).params.theta for w in windows),
            "theta_likelihood_median_and_largest": _centre([f.params.theta for f in best]),
            "days_likelihood_theta_is_zero": sum(f.params.theta == 0.0 for f in best),
            "hits_converged_em": summarise(flag(forecast(counts, make=converged_map)), observed)["hits"],
            "hits_likelihood": summarise(flag(forecast(counts, make=likelihood_map)), observed)["hits"],
        },
    }


def _centre(values: list[float]) -> tuple[float, float]:
    return float(np.median(values)), max(values)


def main() -> None:
    """Print the report as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder of the replication's tables")
    parser.add_argument("--seeds", type=int, default=SCENARIO["feedback"]["seeds"], help="feedback runs")
    given = parser.parse_args()
    json.dump(report(load(given.folder), seeds=given.seeds), sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
