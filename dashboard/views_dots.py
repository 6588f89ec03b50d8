"""Dots with their intervals, panel by panel over the same rows, and the same numbers as a table. Pure.

One way of drawing for every comparison of the video page: what is drawn and what is written come from one object, so a
reader of the table and a reader of the figure read the same numbers.

What it cannot tell you: more than the numbers it is given. A number that is not estimable has no dot, and is said so in
the table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from contrechamp.audit.reporting import wording
from contrechamp.audit.reporting.wording import NBSP, typeset
from contrechamp.domain.intervals import Interval
from contrechamp.domain.situations import SITUATIONS
from contrechamp.domain.text import Lang, Text
from dashboard.views import GRID_INK, INK, RULE_INK, dress

#: A number with its interval: an entry of ``results.json``, or one made here from a table of counts.
Row = Mapping[str, Any]

#: Okabe and Ito's colours, each with its own mark.
LOOKS: Final = (
    ("#0072B2", "circle"), ("#D55E00", "diamond-open"), ("#5b6770", "square-open"), ("#7a2e8e", "x-thin-open"),
    ("#009E73", "triangle-up-open"),
)  # fmt: skip
#: The readings of the burden, in the order of the columns: (measure, unit).
#: An interval that goes beyond this many times the largest estimate is cut by the axis.
_REACH: Final = 2.5
_CUT: Final = Text(fr="{name} (axe coupé)", en="{name} (axis cut)")


@dataclass(frozen=True, slots=True)
class Series:
    """Dots of one kind: a name, a look, and a number by row of the figure."""

    name: str
    look: int
    rows: Mapping[str, Row]


@dataclass(frozen=True, slots=True)
class Panel:
    """One axis of numbers with its series; shares and points are shown out of a hundred."""

    title: str
    axis: str
    unit: str
    series: Sequence[Series]


def dots(names: Mapping[str, str], panels: Sequence[Panel], *, lang: Lang, widths: Sequence[float] = ()) -> go.Figure:
    """Draw panels that share their rows: estimate and interval of each series, row by row.

    Parameters
    ----------
    names : mapping of str to str
        Row → its name, from the top.
    panels : sequence of Panel
    widths : sequence of float, optional
        Shares of the width.
    """
    figure = make_subplots(
        rows=1, cols=len(panels), shared_yaxes=True, horizontal_spacing=0.025,
        subplot_titles=[f"<b>{p.title}</b>" for p in panels], column_widths=list(widths) or None,
    )  # fmt: skip
    at = {key: -i for i, key in enumerate(names)}
    named: set[str] = set()
    most = max(len(p.series) for p in panels)
    for column, panel in enumerate(panels, 1):
        scale = 100.0 if panel.unit in ("share", "points") else 1.0
        ends: list[tuple[float, float, float]] = []
        for number, one in enumerate(panel.series):
            kept = {k: r for k, r in one.rows.items() if k in at and r["value"] is not None}
            shift = 0.26 * ((len(panel.series) - 1) / 2 - number)
            values = [scale * float(r["value"]) for r in kept.values()]
            lows = [scale * float(r["low"]) for r in kept.values()]
            highs = [scale * float(r["high"]) for r in kept.values()]
            ends += list(zip(values, lows, highs, strict=True))
            colour, symbol = LOOKS[one.look % len(LOOKS)]
            figure.add_scatter(
                x=values, y=[at[k] + shift for k in kept], mode="markers", name=one.name, legendgroup=one.name,
                showlegend=bool(kept) and one.name not in named, row=1, col=column,
                marker={"color": colour, "symbol": symbol, "size": 9, "line": {"width": 2, "color": colour}},
                error_x={"type": "data", "symmetric": False, "thickness": 1.4, "width": 3, "color": colour,
                         "array": [h - v for v, h in zip(values, highs, strict=True)],
                         "arrayminus": [v - x for v, x in zip(values, lows, strict=True)]},
                customdata=[[names[k], stated(r, lang), str(r.get("id", ""))] for k, r in kept.items()],
                hovertemplate="%{customdata[0]}<br>%{customdata[1]}<extra>" + one.name + " %{customdata[2]}</extra>",
            )  # fmt: skip
            named |= {one.name} if kept else set()
        _axis(figure, panel, ends, column=column, lang=lang)
    _ground(figure, names, lang=lang, row_px=20 + 9 * most)
    return figure


def _axis(
    figure: go.Figure, panel: Panel, ends: Sequence[tuple[float, float, float]], *, column: int, lang: Lang
) -> None:
    """Range and title of one axis; a few intervals that go far beyond every estimate are cut, and that is said."""
    title = panel.axis
    settings: dict[str, Any] = {}
    if panel.unit == "share":
        far = max((h for *_, h in ends), default=100.0)
        settings["range"] = [-4, 104] if far > 55 or far == 0 else [-0.04 * far, 1.04 * far]
    elif panel.unit != "points" and ends:
        top, far = max(v for v, *_ in ends), max(h for *_, h in ends)
        if top > 0 and far > _REACH * top:
            title, far = _CUT.in_(lang).format(name=panel.axis), _REACH * top
        settings["range"] = [-0.03 * far, 1.04 * far] if far > 0 else None
    suffix = "" if panel.unit != "share" else f"{NBSP}%" if lang == "fr" else "%"
    figure.update_xaxes(
        title={"text": typeset(title, lang), "font": {"size": 12}}, ticksuffix=suffix, nticks=6, tickangle=0, row=1,
        col=column, **settings,
    )  # fmt: skip
    if panel.unit == "points":
        figure.add_vline(0, line={"color": RULE_INK, "width": 1.2, "dash": "dash"}, row=1, col=column)


def _ground(figure: go.Figure, names: Mapping[str, str], *, lang: Lang, row_px: int) -> None:
    height = 150 + row_px * max(len(names), 1)
    dress(figure, lang=lang, height=height)
    figure.update_yaxes(
        tickvals=[-i for i in range(len(names))], ticktext=list(names.values()), range=[0.4 - len(names), 0.6],
        gridcolor=GRID_INK, tickfont={"size": 12.5},
    )  # fmt: skip
    figure.update_layout(
        margin={"t": 34, "b": 8}, showlegend=True,
        legend={"y": -74 / (height - 100), "yanchor": "top", "x": 0, "traceorder": "normal"},
    )  # fmt: skip
    figure.update_annotations(font={"size": 13, "color": INK})


def stated(row: Row, lang: Lang) -> str:
    """A number with its interval and n, for a hover or a cell of a table."""
    if row["value"] is None:
        return f"{wording.value(row, lang)} ({wording.n_words(row, lang)})"
    return f"{wording.value(row, lang)} ({wording.bounds(row, lang)})"


def table_of(names: Mapping[str, str], panels: Sequence[Panel], *, head: str, lang: Lang) -> pd.DataFrame:
    """The same numbers as text: a row a line of the figure, a column a panel and series, indexed by ``head``."""
    columns: dict[str, list[str]] = {}
    for panel in panels:
        for one in panel.series:
            title = f"{panel.title} · {one.name}" if one.name.casefold() != panel.title.casefold() else panel.title
            columns[typeset(title, lang)] = [
                "–" if key not in one.rows else stated(one.rows[key], lang) for key in names
            ]
    return pd.DataFrame(columns, index=pd.Index(list(names.values()), name=head))


def as_row(interval: Interval, unit: str, *, times: float = 1.0) -> Row:
    """An interval as an entry of results."""
    scaled = [None if v is None else v * times for v in (interval.estimate, interval.low, interval.high)]
    return {"value": scaled[0], "low": scaled[1], "high": scaled[2], "n": interval.n, "unit": unit,
            "method": interval.method, "level": interval.level}  # fmt: skip


def situation_names(keys: Iterable[str], lang: Lang) -> dict[str, str]:
    """Situations, in words."""
    return {k: SITUATIONS[k].label.in_(lang) if k in SITUATIONS else k for k in keys}


def folded(text: str, width: int) -> list[str]:
    """Words on lines of about ``width`` characters."""
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines
