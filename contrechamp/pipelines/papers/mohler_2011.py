"""Mohler et al. (2011): a self-exciting process finds the near repeats planted in a city, and ranks its places.

The burglaries of the article are not public. Its model is run on cities drawn from a known law: first, does it learn
what was planted; second, does it capture more than the prospective map, and by how much, with an interval.

What it cannot tell you: see ``limits`` in ``papers/mohler_2011/scenario.toml``.

References
----------
.. [1] Mohler, Short, Brantingham, Schoenberg & Tita (2011), "Self-exciting point process modeling of crime", JASA
   106(493), 100-108, doi:10.1198/jasa.2011.ap09546.
.. [2] Bowers, Johnson & Pease (2004), "Prospective hot-spotting", British Journal of Criminology 44(5), 641-658.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from contrechamp.domain.intervals import Interval
from contrechamp.domain.protocols import Progress
from contrechamp.domain.rng import stream
from contrechamp.domain.text import Lang
from contrechamp.pipelines.papers.aftershocks import City, daily_counts, draw_events
from contrechamp.pipelines.papers.base import Dossier, Run
from contrechamp.pipelines.papers.drawing import BLUE, DASH, OLIVE, RUST, SOFT, canvas, number_marks
from fairness.intervals import mean_interval
from models import load_predictor
from models.resampling import block_length, draw_days, ratio_interval
from models.scores import DailyScores, daily_scores, tie_breaks
from models.sepp_em import SeppFit, fit_sepp
from models.sepp_events import SeppEvents
from models.walk import walk_forward

#: The model first; then what it is set against.
_KEYS: Final = ("sepp", "prospective", "trailing-mean")
_CUTOFF_DAYS: Final = 30.0
_CUTOFF_M: Final = 400.0


def reproduce(dossier: Dossier, data: Mapping[str, Path], *, seed: int, jobs: int, progress: Progress) -> Run:
    """Draw the cities, learn from them and score. Needs no data."""
    p = dossier.parameters
    city = City(**p["city"])
    quiet = dataclasses.replace(city, kappa=0.0)
    fits, nothing, scores = [], [], []
    for i in range(int(p["n_cities"])):
        fits.append(_learn(city, rng=stream(seed, dossier.key, "city", i)))
        nothing.append(_learn(quiet, rng=stream(seed, dossier.key, "quiet", i)).theta)
        scores.append(_scores(city, p, seed=seed, key=dossier.key, city_number=i))
        progress(dossier.key, i + 1, int(p["n_cities"]))
    figures = {
        "theta": mean_interval([fit.theta for fit in fits]),
        "mean_lag_days": mean_interval([fit.mean_lag_days for fit in fits]),
        "sd_m": mean_interval([fit.sd_m for fit in fits]),
        "theta_nothing_planted": mean_interval(nothing),
    }
    table = _table(scores, p, seed=seed, key=dossier.key)
    for row in table.to_dict("records"):
        if pd.notna(row["over"]):
            name = f"over_{str(row['over']).replace('-', '_')}_{round(100 * row['area'])}pct"
            figures[name] = Interval(row["estimate"], row["low"], row["high"], int(row["n_days"]), str(row["method"]))
    learned = pd.DataFrame(
        [{"city": i, "theta": f.theta, "mean_lag_days": f.mean_lag_days, "sd_m": f.sd_m, "theta_nothing_planted": t}
         for i, (f, t) in enumerate(zip(fits, nothing, strict=True))]
    )  # fmt: skip
    hits = table[table["over"].isna()].drop(columns="over")
    ratios = table[table["over"].notna()]
    return Run(figures, {"learned": learned, "hits": hits, "ratios": ratios}, lambda lang: _draw(hits, lang))


def _learn(city: City, *, rng: np.random.Generator) -> SeppFit:
    log = draw_events(city, rng=rng)
    events = SeppEvents.from_points(log.points, grid=city.grid, last_day=city.n_days)
    return fit_sepp(events, grid=city.grid, cutoff_days=_CUTOFF_DAYS, cutoff_m=_CUTOFF_M)


def _scores(
    city: City, p: Mapping[str, Any], *, seed: int, key: str, city_number: int
) -> dict[tuple[str, float], DailyScores]:  # fmt: skip
    """Days of one city, predicted by each model from the days before."""
    log = draw_events(city, rng=stream(seed, key, "city", city_number))
    first = int(p["first_scored_day"])
    happened = daily_counts(log.points, city)[first:]
    ties = tie_breaks(len(happened), city.grid.n_cells, rng=stream(seed, key, "ties", city_number))
    out = {}
    for name in _KEYS:
        predictor = load_predictor(name, **p["options"].get(name, {}))
        maps = walk_forward(predictor, log, grid=city.grid, first_day=first, refit_every=int(p["refit_days"]))
        for area in p["areas"]:
            out[name, area] = daily_scores(maps, happened, area=area, ties=ties)
    return out


def _table(
    scores: list[dict[tuple[str, float], DailyScores]], p: Mapping[str, Any], *, seed: int, key: str
) -> pd.DataFrame:  # fmt: skip
    """Hit rates, and hits of the self-exciting process for one of each other map, all cities' days together."""
    hits = {at: np.concatenate([one[at].hits for one in scores]) for at in scores[0]}
    events = np.concatenate([one[_KEYS[0], p["areas"][0]].events for one in scores])
    block = block_length([hits[_KEYS[0], p["areas"][0]], events])
    draws = draw_days(
        len(events), block_days=block, n_draws=int(p["bootstrap_draws"]), rng=stream(seed, key, "bootstrap")
    )
    rows = []
    for area in p["areas"]:
        wanted = [(name, None, events) for name in _KEYS] + [(_KEYS[0], o, hits[o, area]) for o in _KEYS[1:]]
        for name, over, bottom in wanted:
            found = ratio_interval(hits[name, area], bottom, draws=draws)
            rows.append(
                {"predictor": name, "over": over, "area": area, "estimate": found.estimate, "low": found.low,
                 "high": found.high, "events": int(events.sum()), "n_days": found.n, "method": found.method}
            )  # fmt: skip
    return pd.DataFrame(rows)


def _draw(hits: pd.DataFrame, lang: Lang) -> Any:
    names = {
        "sepp": {"fr": "processus auto-excité", "en": "self-exciting process"},
        "prospective": {"fr": "carte prospective", "en": "prospective map"},
        "trailing-mean": {"fr": "moyenne d'un an", "en": "mean of a year"},
    }
    words = {"fr": ("part de la ville signalée (%)", "part des faits captés (%)", "au hasard",
                    "Villes tirées d'une loi, pas Los Angeles ; intervalles à 95 %, n = {} jours"),
             "en": ("share of the city flagged (%)", "share of events captured (%)", "at random",
                    "Cities drawn from a law, not Los Angeles; 95 % intervals, n = {} days")}[lang]  # fmt: skip
    figure, ax = canvas(height=2.9)
    for (key, said), mark, ink, shift in zip(
        names.items(), ("o", "s", "^"), (BLUE, RUST, OLIVE), (-0.12, 0, 0.12), strict=True
    ):
        rows = hits[hits["predictor"] == key]
        bars = 100 * np.array([rows["estimate"] - rows["low"], rows["high"] - rows["estimate"]], dtype=np.float64)
        ax.errorbar(
            100 * rows["area"] + shift,
            100 * rows["estimate"],
            yerr=bars,
            marker=mark,
            color=ink,
            lw=1,
            label=said[lang],
        )
    ax.plot([0, 10], [0, 10], color=SOFT, lw=0.9, ls=DASH, label=words[2])
    ax.set_title(words[3].format(hits["n_days"].max()))
    ax.set_xlabel(words[0], color=SOFT)
    ax.set_ylabel(words[1])
    number_marks(ax.xaxis, lang, digits=0)
    number_marks(ax.yaxis, lang, digits=0)
    ax.legend(loc="upper left")
    return figure
