"""Three maps of one day side by side: what happened, what was recorded, what was forecast. Pure.

Drawn as images of cells in EPSG:2154, with no tile and no server: nothing leaves the machine.

What it cannot tell you: what a patrol would change. The first map exists only because the city is invented.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from contrechamp.audit.reporting import labels, wording
from contrechamp.audit.reporting.wording import NBSP, typeset
from contrechamp.domain.grid import FloatArray, Grid
from contrechamp.domain.intervals import Interval
from contrechamp.domain.text import Lang, Text
from dashboard.views import INK, dress
from fairness.intervals import rate_interval

Scale = Literal["linear", "root"]
ScoredOn = Literal["truth", "records"]
SCALES: Final[Mapping[str, Text]] = {
    "linear": Text(fr="linéaire", en="linear"),
    "root": Text(fr="racine carrée", en="square root"),
}
#: Days looked at together, ending on the day chosen.
WINDOWS: Final = (1, 7, 28)
SEA: Final = "#dfe9f0"
LINE: Final = "rgba(255,255,255,0.35)"
#: Cividis: the same to people with any common colour vision, and in grey.
PALETTE: Final = "cividis"

TITLES: Final = (
    Text(fr="Incidents latents : ce qui arrive", en="Latent incidents: what happens"),
    Text(fr="Enregistrements : ce que la ville en voit", en="Records: what the city sees of it"),
    Text(fr="Prévision : {name}", en="Forecast: {name}"),
)
_UNIT: Final = Text(fr="par km² et par jour", en="per km² and day")


@dataclass(frozen=True, slots=True)
class Captured:
    """Events of one kind caught in the cells a predictor flagged, over the days looked at.

    Attributes
    ----------
    area : float
        Share of the cells flagged.
    cells : int
        Cells flagged each day.
    interval : Interval
        Wilson; ``n`` counts events. Not estimable when there was none.
    """

    area: float
    cells: int
    hits: int
    interval: Interval


def density(layer: FloatArray, *, last: int, window: int, cell_km2: float) -> FloatArray:
    """Mean events per km² and day over ``window`` rows of ``layer`` that end at row ``last``.

    Examples
    --------
    >>> density(np.array([[0.0, 1.0], [2.0, 1.0]]), last=1, window=7, cell_km2=0.0625).tolist()
    [16.0, 16.0]
    """
    part = layer[max(last - window + 1, 0) : last + 1]
    return np.asarray(part.mean(axis=0) / cell_km2, dtype=np.float64)


def captured(daily: pd.DataFrame, *, days: tuple[int, int], predictor: str, scored_on: ScoredOn) -> list[Captured]:
    """Share of events in the flagged area from the first to the last of ``days``, by area."""
    rows = daily[
        daily["day"].between(*days) & (daily["predictor"] == predictor) & (daily["scored_on"] == scored_on)
    ]  # fmt: skip
    found = []
    for area, part in rows.groupby("area", sort=True):
        hits, events = int(part["hits"].sum()), int(part["events"].sum())
        cells = int(part["cells_flagged"].iloc[0])
        share = rate_interval(events=hits, trials=events, method="wilson")
        found.append(Captured(float(str(area)), cells, hits, share))
    return found


def captured_in_words(one: Captured, *, what: Text, lang: Lang) -> str:
    """*in the 1 % flagged: 12 of 240 incidents, 5.0 % (95 % interval …; n = 240)*."""
    i = one.interval
    head = Text(fr="Dans le {area} signalé", en="In the {area} flagged").in_(lang)
    head = head.format(area=wording.percent(one.area, lang, digits=2))
    if not i.estimable:
        none = Text(fr="non estimable, aucun événement", en="not estimable, no event").in_(lang)
        return typeset(f"{head} : {none}", lang) if lang == "fr" else f"{head}: {none}"
    result: dict[str, Any] = {"value": i.estimate, "low": i.low, "high": i.high, "n": i.n, "unit": "share",
                              "method": i.method, "level": i.level}  # fmt: skip
    of = {"fr": "des", "en": "of"}[lang]
    said = f"{head} : {wording.value(result, lang)} {of} {what.in_(lang)} ({wording.bounds(result, lang)})"
    return typeset(said, lang) if lang == "fr" else said.replace(" : ", ": ")


def expected(layer: FloatArray, *, last: int, window: int) -> float:
    """Mean events a day over the window, all cells together."""
    return float(layer[max(last - window + 1, 0) : last + 1].sum(axis=1).mean())


def maps_figure(
    latent: FloatArray, recorded: FloatArray, forecast: FloatArray, *, grid: Grid, outline_m: FloatArray, scale: Scale,
    predictor: str, lang: Lang,
) -> go.Figure:  # fmt: skip
    """Draw the three maps; the first two share their colours, the forecast has its own.

    Parameters
    ----------
    latent, recorded, forecast : ndarray, shape (n_cells,)
        Per km² and day.
    grid : Grid
    outline_m : ndarray, shape (n, 2)
        Context lines, EPSG:2154, parted by NaN.
    scale : {"linear", "root"}
        How colours follow values.
    """
    titles = [
        TITLES[0].in_(lang),
        TITLES[1].in_(lang),
        TITLES[2].in_(lang).format(name=predictor_name(predictor, lang)),
    ]
    figure = make_subplots(rows=1, cols=3, horizontal_spacing=0.012, subplot_titles=[typeset(t, lang) for t in titles])
    top = max(float(latent.max(initial=0)), float(recorded.max(initial=0)))
    tops = (top, top, float(forecast.max(initial=0)))
    ny, nx = grid.shape
    x = grid.x0_m + (np.arange(nx) + 0.5) * grid.cell_m
    y = grid.y0_m + (np.arange(ny) + 0.5) * grid.cell_m
    unit = _UNIT.in_(lang)
    for column, (values, axis) in enumerate(
        ((latent, "coloraxis"), (recorded, "coloraxis"), (forecast, "coloraxis2")), 1
    ):
        raster = grid.raster(values)
        figure.add_heatmap(
            x=x, y=y, z=_shade(raster, scale), customdata=raster, coloraxis=axis, hoverongaps=False, row=1, col=column,
            hovertemplate="%{customdata:.3~g} " + unit + "<br>x %{x:.0f} m, y %{y:.0f} m<extra></extra>",
        )  # fmt: skip
        if len(outline_m):
            figure.add_scatter(x=outline_m[:, 0], y=outline_m[:, 1], mode="lines", line={"color": LINE, "width": 0.6},
                               hoverinfo="skip", showlegend=False, row=1, col=column)  # fmt: skip
    dress(figure, lang=lang, height=430)
    width, height = nx * grid.cell_m, ny * grid.cell_m
    for column in (1, 2, 3):
        anchor = "x" if column == 1 else f"x{column}"
        figure.update_xaxes(visible=False, range=[grid.x0_m, grid.x0_m + width], constrain="domain", row=1, col=column,
                            matches=None if column == 1 else "x")  # fmt: skip
        figure.update_yaxes(visible=False, range=[grid.y0_m, grid.y0_m + height], scaleanchor=anchor, scaleratio=1,
                            constrain="domain", constraintoward="top", row=1, col=column,
                            matches=None if column == 1 else "y")  # fmt: skip
    for name, peak, place in (("coloraxis", tops[0], (0.33, 0.6)), ("coloraxis2", tops[2], (0.837, 0.3))):
        ticks = _ticks(peak)
        figure.update_layout({name: {
            "colorscale": PALETTE, "cmin": 0, "cmax": _shade(np.array(peak or 1.0), scale).item(),
            "colorbar": {
                "orientation": "h", "x": place[0], "xanchor": "center", "len": place[1], "y": -0.02, "yanchor": "top",
                "thickness": 12, "title": {"text": unit, "side": "bottom", "font": {"size": 12}}, "outlinewidth": 0,
                "tickvals": _shade(np.array(ticks), scale).tolist(), "ticks": "outside",
                "ticktext": [wording.plain_number(t, lang) for t in ticks],
            },
        }})  # fmt: skip
    figure.update_layout(plot_bgcolor=SEA, margin={"l": 4, "r": 4, "t": 34, "b": 70})
    figure.update_annotations(font={"size": 13.5, "color": INK})
    return figure


def _shade(values: FloatArray, scale: Scale) -> FloatArray:
    return np.sqrt(values) if scale == "root" else np.asarray(values, dtype=np.float64)


def _ticks(top: float) -> list[float]:
    """Round marks from 0 to ``top``: steps of 1, 2 or 5 times a power of ten, five at most.

    Examples
    --------
    >>> _ticks(96.0)
    [0.0, 20.0, 40.0, 60.0, 80.0]
    """
    if not top > 0:
        return [0.0]
    power = 10.0 ** math.floor(math.log10(top / 4))
    step = next(m * power for m in (1, 2, 5, 10) if top / (m * power) < 5)
    return [round(k * step, 12) for k in range(int(top / step) + 1)]


def predictor_name(key: str, lang: Lang) -> str:
    """Name of a predictor for people."""
    return labels.value_name("predictor", key, lang)


def day_name(day: int, start: pd.Timestamp | None, lang: Lang) -> str:
    r"""A day of a run as a date; its number when the scenario gives no start.

    Examples
    --------
    >>> day_name(1, pd.Timestamp("2017-01-02"), "en").replace("\u00a0", " ")
    'Tuesday 3 January 2017'
    """
    if start is None:
        return f"{ {'fr': 'jour', 'en': 'day'}[lang] }{NBSP}{day}"
    moment = start + pd.Timedelta(days=day)
    week = {
        "fr": ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
        "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    }[lang]
    return f"{week[moment.day_of_week]} {wording.date(moment.date().isoformat(), lang)}"
