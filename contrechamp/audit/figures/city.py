"""The invented city: what happens, what is recorded, what is predicted, on one scale."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from contrechamp.audit.figures import Drawing
from contrechamp.audit.figures.style import BLUE, INK, canvas, drawing, label
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.labels import value_name
from contrechamp.audit.reporting.wording import count, plain_number, typeset
from contrechamp.domain.grid import FloatArray, Grid
from contrechamp.domain.text import Lang, Text

#: Predictors in order of preference for the third panel.
PREFERRED = ("retro-quartic", "trailing-mean", "uniform")
_CMAP = LinearSegmentedColormap.from_list("paper-ink", ["#f3f1ea", "#c7d9e4", "#5e9bc0", BLUE, "#061f33"])


def draw_map(facts: Facts, lang: Lang) -> Drawing | None:
    """Three maps side by side; None when the platform did not run."""
    path = facts.work / "truth" / "grid.json"
    if not path.is_file() or "map_daily" not in facts.body["tables"]:
        return None
    daily = facts.table("map_daily")
    if daily is None or daily.empty:
        return None
    grid = Grid.from_dict(json.loads(path.read_text(encoding="utf-8")))
    predictor = next((p for p in PREFERRED if p in daily.columns), None)
    panels = {"latent": "latent", "recorded": "recorded"} | ({"predicted": predictor} if predictor else {})
    sums = daily.groupby("cell", sort=True)[list(dict.fromkeys(panels.values()))].sum()
    sums = sums.reindex(range(grid.n_cells), fill_value=0)
    n_days = int(daily["day"].nunique())
    titles = {
        "latent": Text(fr="Ce qui arrive", en="What happens"),
        "recorded": Text(fr="Ce qui est enregistré", en="What is recorded"),
        "predicted": Text(fr="Ce qui est prédit", en="What is predicted"),
    }
    density = {name: sums[column].to_numpy(np.float64) / grid.cell_km2 for name, column in panels.items()}
    totals = {name: float(values.sum() * grid.cell_km2) for name, values in density.items()}
    image: Any = None
    figure, axes = canvas(height=2.75, ncols=len(panels))
    top = max(float(np.quantile(v[v > 0], 0.995)) for v in density.values() if (v > 0).any())
    norm = LogNorm(vmin=1.0, vmax=max(top, 10.0))
    for ax, (name, values) in zip(axes, density.items(), strict=True):
        image = ax.imshow(_square(values, grid), origin="lower", cmap=_CMAP, norm=norm, interpolation="nearest")
        label(ax, titles[name], lang, which="title")
        unit = Text(fr="incidents", en="incidents") if name == "latent" else Text(fr="enregistrements", en="records")
        ax.set_xlabel(f"{count(totals[name], lang)} {unit.in_(lang)}", fontsize=7)
        ax.set_xticks([])
        ax.set_yticks([])
        for side in ax.spines.values():
            side.set_visible(False)
    _scale_bar(axes[0], grid)
    bar = figure.colorbar(image, ax=list(axes), orientation="horizontal", shrink=0.55, aspect=45, pad=0.02)
    bar.ax.xaxis.set_major_locator(LogLocator(base=10, subs=(1, 3)))
    bar.ax.xaxis.set_minor_locator(NullLocator())
    bar.ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: plain_number(float(x), lang)))
    bar.outline.set_visible(False)
    words = Text(fr=f"événements par km² en {n_days} jours", en=f"events per km² in {n_days} days")
    bar.set_label(typeset(words.in_(lang), lang), fontsize=7)
    who = value_name("predictor", str(predictor), lang)

    def told(of: Lang) -> str:
        return ", ".join(count(total, of) for total in totals.values())

    return drawing(
        figure,
        lang,
        alt=Text(
            fr=f"Trois cartes de la ville inventée sur {n_days} jours : incidents latents, enregistrements, et "
            f"enregistrements attendus par la prévision ({who}). Le total de "
            f"chacune : {told('fr')}.",
            en=f"Three maps of the invented city over {n_days} days: latent incidents, records, and records expected "
            f"by the forecast ({who}). Their totals: {told('en')}.",
        ),
        caption=Text(
            fr=f"Massilia, ville inventée, cellules de {count(grid.cell_m, lang)} m. Même échelle logarithmique pour "
            f"les trois cartes, {n_days} jours évalués ; prévision : {who}.",
            en=f"Massilia, an invented city, {count(grid.cell_m, lang)} m cells. Same logarithmic scale for the three "
            f"maps, {n_days} days evaluated; forecast: {who}.",
        ),
        limits=Text(
            fr=f"Limites : un seul tirage, sans intervalle ; {PLATFORM_NOTE.fr}",
            en=f"Limits: a single draw, no interval; {PLATFORM_NOTE.en}",
        ),
    )


#: Said of everything that comes from the platform's own run.
PLATFORM_NOTE = Text(
    fr="les lieux, les faits et les personnes n’existent pas.",
    en="the places, the events and the persons do not exist.",
)


def _square(values: FloatArray, grid: Grid) -> Any:
    """Land cells in their place; cells without an event take the lowest tone, the sea none."""
    out = np.full(grid.shape, np.nan)
    out[grid.land] = np.maximum(values, 1e-9)
    return np.ma.masked_invalid(out)


def _scale_bar(ax: Any, grid: Grid) -> None:
    cells = 5000 / grid.cell_m
    y = -0.02 * grid.shape[0]
    ax.plot([0, cells], [y, y], color=INK, lw=1.2, clip_on=False)
    ax.annotate("5 km", (cells / 2, y), xytext=(0, 2), textcoords="offset points", ha="center", fontsize=6.5)
