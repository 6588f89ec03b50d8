"""Akpinar et al. (2021): where victims report less, hot-spot prediction sees less, and rescaling does not mend it.

The city is drawn and predicted by :mod:`contrechamp.pipelines.papers.bogota`; this module reads the two public files
and sets the ratios of predicted to true hot spots beside the authors' and beside an independent re-run.

What it cannot tell you: see ``limits`` in ``papers/akpinar_2021/scenario.toml``.

References
----------
.. [1] Akpinar, De-Arteaga & Chouldechova (2021), "The effect of differential victim crime reporting on predictive
   policing systems", FAccT 2021, 838-849.
.. [2] Riascos et al. (2023), "An approach to underreported crime", PLOS ONE 18(7) e0287776.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from contrechamp.domain.intervals import Interval
from contrechamp.domain.protocols import Progress
from contrechamp.domain.rng import stream
from contrechamp.domain.text import Lang
from contrechamp.pipelines.papers.base import Dossier, Published, Run
from contrechamp.pipelines.papers.bogota import VARIANTS, HotSpots, Map, Survey, hot_spots, make_map
from contrechamp.pipelines.papers.drawing import BLUE, DASH, INK, OLIVE, RUST, SOFT, canvas, number_marks
from fairness.intervals import mean_interval, rate_interval

_TABLE = "bogota_2014_victimization_reporting.csv"


def reproduce(dossier: Dossier, data: Mapping[str, Path], *, seed: int, jobs: int, progress: Progress) -> Run:
    """Draw the cities, predict them three ways, compare."""
    districts = gpd.read_file(data["bogota.shp"])
    city = make_map(dict(zip(districts["LocNombre"], districts.geometry, strict=True)))
    rates = pd.read_csv(data[_TABLE]).set_index("district").loc[list(city.names)]
    survey = Survey(
        *(
            rates[column].to_numpy(np.float64)
            for column in ("population_plausible", "victimization_rate", "reporting_rate")
        )
    )
    n = int(dossier.parameters["n_cities"])
    calls = (delayed(_one)(city, survey, dossier.parameters, seed, dossier.key, k) for k in range(n))
    drawn: list[HotSpots] = []
    for found in Parallel(n_jobs=jobs, return_as="generator")(calls):
        drawn.append(found)
        progress(dossier.key, len(drawn), n)

    ratio = np.stack([d.ratio for d in drawn])  # (n_cities, variants, districts)
    captured = np.stack([d.captured for d in drawn])
    place = {_id(name): k for k, name in enumerate(city.names)}
    usaquen = ratio[:, VARIANTS.index("M3"), place["usaquen"]]
    figures = {
        "events_per_day": mean_interval(np.array([d.events_per_day for d in drawn])),
        "m3_usaquen_overshoots": rate_interval(events=int((usaquen > 1).sum()), trials=n),
    }
    for k, variant in enumerate(VARIANTS):
        figures[f"captured_{variant.lower()}"] = mean_interval(captured[:, k])
    for published in dossier.published:
        if published.id not in figures:
            figures[published.id] = _ratio(published, ratio, place)
    table = _districts(ratio, city, survey, drawn, dossier)
    cities = pd.DataFrame(
        {"city": np.arange(n), "events_per_day": [d.events_per_day for d in drawn]}
        | {f"captured_{v.lower()}": captured[:, k] for k, v in enumerate(VARIANTS)}
        | {f"memory_days_{v.lower()}": [d.days[k] for d in drawn] for k, v in enumerate(VARIANTS)}
        | {"largest_keep_rate": [float(d.keep_rate.max()) for d in drawn]}
    )
    return Run(figures, {"districts": table, "cities": cities}, lambda lang: _draw(table, n, lang))


def _one(city: Map, survey: Survey, scenario: Mapping[str, Any], seed: int, key: str, k: int) -> HotSpots:
    return hot_spots(city, survey, scenario=scenario, rng=stream(seed, key, "city", k))


def _id(name: str) -> str:
    return str(name).lower().replace(" ", "_")


def _ratio(published: Published, ratio: np.ndarray[Any, np.dtype[np.float64]], place: Mapping[str, int]) -> Interval:
    """Our ratio behind an id such as ``m2_kennedy`` or ``authors_m2_kennedy``; the SEPP was not run."""
    variant, _, district = published.id.removeprefix("authors_").partition("_")
    if variant.upper() not in VARIANTS:
        return Interval.not_estimable(method="not run")
    values = ratio[:, VARIANTS.index(variant.upper()), place[district]]
    return mean_interval(values[np.isfinite(values)])


def _districts(
    ratio: np.ndarray[Any, np.dtype[np.float64]], city: Map, survey: Survey, drawn: list[HotSpots], dossier: Dossier
) -> pd.DataFrame:
    """One row per district and variant: mean over drawn cities, and where nine cities in ten fall."""
    read = {p.id: p.value for p in dossier.published if p.kind == "read"}
    keep = np.mean([d.keep_rate for d in drawn], axis=0)
    cells = np.bincount(city.district, minlength=len(city.names))
    rows = []
    for k, name in enumerate(city.names):
        for v, variant in enumerate(VARIANTS):
            values = ratio[:, v, k]
            values = values[np.isfinite(values)]
            low, high = np.quantile(values, (0.05, 0.95)) if values.size else (np.nan, np.nan)
            rows.append(
                {
                    "district": name,
                    "variant": variant,
                    "cells": cells[k],
                    "reporting_rate": survey.reporting[k],
                    "victimisation_rate": survey.victimisation[k],
                    "keep_rate": keep[k],
                    "mean": values.mean() if values.size else np.nan,
                    "sd": values.std(ddof=1) if values.size > 1 else np.nan,
                    "q05": low,
                    "q95": high,
                    "n": values.size,
                    "authors_m2": read.get(f"authors_m2_{_id(name)}", np.nan),
                    "authors_s2": read.get(f"authors_s2_{_id(name)}", np.nan),
                }
            )
    return pd.DataFrame(rows)


def _draw(table: pd.DataFrame, n: int, lang: Lang) -> Any:
    words = {
        "fr": ("points chauds prédits / vrais", "tout signalé (M1)", "tel que signalé (M2)", "redressé (M3)",
               "M2 des auteurs, lu sur leur figure", f"barres : neuf villes tirées sur dix, n = {n}"),
        "en": ("predicted / true hot spots", "all reported (M1)", "as reported (M2)", "rescaled (M3)",
               "authors' M2, read on their figure", f"bars: nine drawn cities in ten, n = {n}"),
    }[lang]  # fmt: skip
    moving = table.groupby("district")["sd"].max() > 0.02  # districts without true hot spots have nothing to show
    shown = table[table["district"].map(moving)].sort_values(["reporting_rate", "district"])
    names = list(dict.fromkeys(shown["district"]))
    rows = {name: len(names) - 1 - k for k, name in enumerate(names)}
    figure, ax = canvas(height=0.9 + 0.28 * len(names))
    looks = (("M1", OLIVE, "^", 0.22), ("M2", BLUE, "o", 0.0), ("M3", RUST, "s", -0.22))
    for (variant, color, marker, shift), word in zip(looks, words[1:4], strict=True):
        part = shown[shown["variant"] == variant]
        y = part["district"].map(rows).to_numpy() + shift
        ax.hlines(y, part["q05"], part["q95"], color=color, lw=1.1)
        ax.plot(part["mean"], y, marker, color=color, mfc="white" if variant == "M3" else color, label=word, ls="none")
    read = shown[(shown["variant"] == "M2") & shown["authors_m2"].notna()]
    ax.plot(read["authors_m2"], read["district"].map(rows), "x", color=INK, ms=5, label=words[4], ls="none")
    ax.axvline(1, color=SOFT, lw=0.8, ls=DASH, zorder=0)
    share = shown.drop_duplicates("district").set_index("district")["reporting_rate"]
    space = "\u202f%" if lang == "fr" else "%"
    ax.set_yticks(
        [rows[name] for name in names], [f"{name.title()} ({share[name]:.0%})".replace("%", space) for name in names]
    )
    ax.set_xlim(0, 3)
    ax.set_xlabel(f"{words[0]} ({words[5]})")
    number_marks(ax.xaxis, lang)
    figure.legend(loc="outside lower center", ncols=4)
    return figure
