"""Mohler et al. (2015): the arithmetic of what was printed, and in which cities a forecast captures so much more.

The trials' data are not public. What can be checked is checked: the ratios of the shares printed, and what twenty boxes
are of a division. Then cities are drawn whose near repeats and whose hot spots' life are set, down to none. There the
per-cell process of the trials is set against stand-ins for the analyst (pins of the week, hot-spot maps of the week and
of the month); and so is a plain count of the same half-year, which knows nothing of near repeats.

What it cannot tell you: see ``limits`` in ``papers/mohler_2015/scenario.toml``.

References
----------
.. [1] Mohler et al. (2015), "Randomized controlled field trials of predictive policing", JASA 110(512), 1399-1411,
   doi:10.1080/01621459.2015.1077710.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from matplotlib.patches import Rectangle

from contrechamp.domain.grid import IntArray
from contrechamp.domain.intervals import Interval
from contrechamp.domain.protocols import Progress
from contrechamp.domain.rng import stream
from contrechamp.domain.text import Lang
from contrechamp.pipelines.papers.aftershocks import City, daily_counts, draw_events
from contrechamp.pipelines.papers.base import Dossier, Run
from contrechamp.pipelines.papers.drawing import BLUE, INK, RUST, SOFT, canvas
from models import load_predictor
from models.resampling import block_length, draw_days, ratio_interval
from models.scores import daily_scores, tie_breaks
from models.walk import walk_forward

_MODEL: Final = "etas"
_COUNT: Final = "count"
#: What tells one kind of city from another.
_WORLD: Final = ("spot_share", "life_days", "kappa")


def reproduce(dossier: Dossier, data: Mapping[str, Path], *, seed: int, jobs: int, progress: Progress) -> Run:
    """Check the arithmetic, then draw the cities and walk through their days. Needs no data."""
    p = dossier.parameters
    worlds = list(product(p["places"], p["kappas"]))
    figures = _arithmetic(p)
    rows: list[dict[str, Any]] = []
    for done, (places, kappa) in enumerate(worlds, start=1):
        rows += world_rows(p, kappa=kappa, **places, seed=seed, key=dossier.key, jobs=jobs)
        progress(dossier.key, done, len(worlds))
    table = pd.DataFrame(rows)
    figures |= _from_worlds(table, p)
    shares, ratios = table[table["over"].isna()].drop(columns=["over", "in_range"]), table[table["over"].notna()]
    tables = {"ratios": ratios, "shares": shares, "areas": areas_table(p)}
    return Run(figures, tables, lambda lang: _draw(ratios, p, lang))


def printed_ratio(top: float, bottom: float, *, rounding: float) -> Interval:
    """Ratio of two printed percentages, with what their rounding leaves open."""
    low, high = (top - rounding) / (bottom + rounding), (top + rounding) / (bottom - rounding)
    return Interval(top / bottom, low, high, 2, "rounding of the printed figures", 1.0)


def areas_table(p: Mapping[str, Any]) -> pd.DataFrame:
    """What the boxes are of a division of each assumed area, and the PAI that the printed shares would then be."""
    boxes_km2 = p["boxes"] * (p["box_m"] / 1000) ** 2
    share = boxes_km2 / np.asarray(p["division_km2"])
    model, analyst = p["los_angeles"]
    return pd.DataFrame(
        {"division_km2": p["division_km2"], "boxes_km2": boxes_km2, "share_of_area": share,
         "pai_model": model / 100 / share, "pai_analyst": analyst / 100 / share}
    )  # fmt: skip


def world_rows(
    p: Mapping[str, Any], *, kappa: float, spot_share: float, life_days: float, seed: int, key: str, jobs: int
) -> list[dict[str, Any]]:  # fmt: skip
    """Shares captured in one kind of city, and the model's hits for one of each stand-in; days of all cities together.

    The same streams serve every kind of city. Intervals cover other days of the same cities, not other cities.
    """
    city = City(**{**p["city"], "kappa": kappa, "spot_share": spot_share, "spot_life_days": life_days})
    runs = Parallel(n_jobs=jobs)(
        delayed(_hits)(city, p, seed=seed, key=key, number=i) for i in range(int(p["n_cities"]))
    )
    hits = {name: np.concatenate([run[name] for run in runs]) for name in runs[0]}
    events = hits.pop("events")
    draws = draw_days(
        len(events), block_days=block_length([hits[_MODEL], events]), n_draws=int(p["bootstrap_draws"]),
        rng=stream(seed, key, "bootstrap"),
    )  # fmt: skip
    analysts = tuple(p["analysts"])
    pairs: list[tuple[str, str | None]] = [(name, None) for name in hits]
    pairs += [(_MODEL, other) for other in (*analysts, _COUNT)] + [(_COUNT, other) for other in analysts]
    low, high = p["printed_range"]
    rows = []
    for name, over in pairs:
        found = ratio_interval(hits[name], events if over is None else hits[over], draws=draws)
        rows.append(
            {"spot_share": spot_share, "life_days": life_days, "kappa": kappa, "map": name, "over": over,
             "estimate": found.estimate, "low": found.low, "high": found.high, "n_days": found.n,
             "events": int(events.sum()), "in_range": found.estimate is not None and low <= found.estimate <= high,
             "method": found.method}
        )  # fmt: skip
    return rows


def _hits(city: City, p: Mapping[str, Any], *, seed: int, key: str, number: int) -> dict[str, IntArray]:
    """Events of each scored day of one city, and those in the boxes of each map."""
    log = draw_events(city, rng=stream(seed, key, "city", number))
    first = int(p["first_scored_day"])
    happened = daily_counts(log.points, city)[first:]
    ties = tie_breaks(len(happened), city.grid.n_cells, rng=stream(seed, key, "ties", number))
    maps: dict[str, tuple[str, int, int]] = {
        _MODEL: ("etas-per-cell", int(p["count_days"]), int(p["refit_days"])),
        _COUNT: ("trailing-mean", int(p["count_days"]), 1),
        **{name: (said["predictor"], int(said["window_days"]), 1) for name, said in p["analysts"].items()},
    }
    out = {"events": happened.sum(axis=1).astype(np.int64)}
    for name, (predictor, window, refit) in maps.items():
        surfaces = walk_forward(
            load_predictor(predictor, window_days=window), log, grid=city.grid, first_day=first, refit_every=refit
        )
        out[name] = daily_scores(surfaces, happened, area=p["boxes"] / city.grid.n_cells, ties=ties).hits
    return out


def _arithmetic(p: Mapping[str, Any]) -> dict[str, Interval]:
    pairs: Sequence[Sequence[float]] = [p["los_angeles"], *p["kent"]]
    ratios = [printed_ratio(*pair, rounding=p["rounding"]) for pair in pairs]
    low, high = p["printed_range"]
    inside = sum(low <= round(float(ratio.estimate or 0.0), 1) <= high for ratio in ratios)
    box_km2 = (p["box_m"] / 1000) ** 2
    model, analyst = p["los_angeles"]
    return {
        "ratio_los_angeles": ratios[0],
        "ratio_kent_first": ratios[1],
        "ratio_kent_second": ratios[2],
        "ratios_in_range": Interval.exact(inside, n=len(ratios), method="count"),
        "division_for_one_percent_km2": Interval.exact(p["boxes"] * box_km2 / p["area_below"]),
        "pai_at_least_model": Interval.exact(model / 100 / p["area_below"]),
        "pai_at_least_analyst": Interval.exact(analyst / 100 / p["area_below"]),
        "prevented_ratio": Interval.exact(p["fewer_per_week"][0] / p["fewer_per_week"][1]),
    }


def _from_worlds(table: pd.DataFrame, p: Mapping[str, Any]) -> dict[str, Interval]:
    central = tuple(p["central"][name] for name in _WORLD)
    still = (*central[:-1], 0.0)

    def at(world: tuple[float, ...], name: str, over: str | None) -> Interval:
        rows = table[(table[list(_WORLD)] == list(world)).all(axis=1)]
        row = rows[(rows["map"] == name) & (rows["over"].isna() if over is None else rows["over"] == over)].iloc[0]
        return Interval(row["estimate"], row["low"], row["high"], int(row["n_days"]), str(row["method"]))

    versus = table[(table["map"] == _MODEL) & table["over"].isin(list(p["analysts"]))]
    ends = {"lowest_ratio": versus["estimate"].idxmin(), "highest_ratio": versus["estimate"].idxmax()}
    out = {"share_model": at(central, _MODEL, None), "share_pins": at(central, "pins", None)}
    for over in p["analysts"]:
        out[f"over_{over}"] = at(central, _MODEL, over)
        out[f"still_over_{over}"] = at(still, _MODEL, over)
        out[f"still_count_over_{over}"] = at(still, _COUNT, over)
    out["over_count"] = at(central, _MODEL, _COUNT)
    for name, where in ends.items():
        row = versus.to_dict("index")[where]
        out[name] = at(tuple(row[column] for column in _WORLD), _MODEL, str(row["over"]))
    return out


def _draw(ratios: pd.DataFrame, p: Mapping[str, Any], lang: Lang) -> Any:
    words = {
        "fr": ("contre les épingles (7 j)", "contre la carte (7 j)", "contre la carte (28 j)", "suites par fait (κ)",
               "part des faits en points chauds", "durables", "{:g} jours", "compte",
               "Faits captés par le modèle pour un capté par l'analyste simulé, intervalle à 95 % ; encadré : de 1,4 à "
               "2,2\nEn bas de case : un simple compte de six mois à la place du modèle. Villes tirées d'une loi, pas "
               "Los Angeles ; n = {n} jours par case.", " ; "),
        "en": ("against the pins (7 d)", "against the map (7 d)", "against the map (28 d)", "repeats per incident (κ)",
               "share of incidents in hot spots", "lasting", "{:g} days", "count",
               "Events captured by the model for one captured by the simulated analyst, 95 % interval; framed: 1.4 to "
               "2.2\nFoot of a tile: a plain count of six months in the model's place. Cities drawn from a law, not "
               "Los Angeles; n = {n} days a tile.", ", "),
    }[lang]  # fmt: skip
    kappas, places = p["kappas"], [(one["spot_share"], one["life_days"]) for one in p["places"]]
    figure, axes = canvas(height=3.6, ncols=len(p["analysts"]), sharey=True)
    for ax, over, title in zip(axes, p["analysts"], words, strict=False):
        rows = ratios[ratios["over"] == over].set_index(list(_WORLD))
        model, count = rows[rows["map"] == _MODEL], rows[rows["map"] == _COUNT]
        values = [[model.loc[(*place, kappa), "estimate"] for kappa in kappas] for place in places]
        ax.imshow(np.array(values, dtype=np.float64), cmap="Blues", vmin=0.2, vmax=3.5, aspect="auto")
        for (i, place), (j, kappa) in product(enumerate(places), enumerate(kappas)):
            tile, beside = model.loc[(*place, kappa)], count.loc[(*place, kappa), "estimate"]
            said = f"{tile['estimate']:.2f}\n[{tile['low']:.2f}{words[9]}{tile['high']:.2f}]\n{words[7]} {beside:.2f}"
            ink = "white" if tile["estimate"] > 2.2 else INK
            ax.text(j, i, _decimal(said, lang), ha="center", va="center", fontsize=6, color=ink)
            if tile["in_range"]:
                ax.add_patch(Rectangle((j - 0.46, i - 0.45), 0.92, 0.90, fill=False, ec=RUST, lw=1.6))
        ax.set_xticks(range(len(kappas)), [_decimal(f"{kappa:g}", lang) for kappa in kappas])
        named = [
            f"{_decimal(f'{share:g}', lang)}\n{words[6].format(life) if life else words[5]}" for share, life in places
        ]
        ax.set_yticks(range(len(places)), named)
        ax.set_title(title)
        ax.set_xlabel(words[3], color=SOFT)
        ax.tick_params(length=0)
    axes[0].set_ylabel(words[4])
    figure.suptitle(words[8].format(n=ratios["n_days"].max()), fontsize=7, color=BLUE)
    return figure


def _decimal(text: str, lang: Lang) -> str:
    return text.replace(".", ",") if lang == "fr" else text
