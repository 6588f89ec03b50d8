"""The claims, as tables and figures: pure functions, frames in, frames and figures out.

What it cannot tell you: more than the run it is given. Nothing is measured here; every number comes from
``results.json`` with its interval, its n and its id.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from contrechamp.audit.claims import SIDES as SIDE_KEYS
from contrechamp.audit.claims import Claim, Register
from contrechamp.audit.reporting import labels, wording
from contrechamp.audit.reporting.facts import mirrored
from contrechamp.audit.reporting.wording import NBSP, SIDES, VERDICTS, typeset
from contrechamp.audit.rules import VERDICTS as VERDICT_KEYS
from contrechamp.audit.rules import Condition, Criterion, Rule
from contrechamp.domain.provenance import canonical_json
from contrechamp.domain.results import Measure
from contrechamp.domain.text import Lang, Text
from dashboard.i18n import verdict as verdict_word

#: Okabe and Ito's palette: told apart by people with any common colour vision. Shapes say the same.
COLOURS: Final[Mapping[str, str]] = {
    "supported": "#0072B2", "refuted": "#D55E00", "inconclusive": "#6b7278", "not testable": "#c9ced2",
    "pending": "#e6e9eb",
}  # fmt: skip
SYMBOLS: Final[Mapping[str, str]] = {
    "supported": "circle", "refuted": "circle-open", "inconclusive": "diamond", "not testable": "x-thin-open",
}  # fmt: skip
#: Said of a claim whose verdict changes from world to world.
FLIPS: Final = "⇄"
INK: Final = "#1c2329"
RULE_INK: Final = "#7a2e8e"
GRID_INK: Final = "#e3e7ea"
FONT: Final = "system-ui, 'Liberation Sans', 'DejaVu Sans', sans-serif"
DASHES: Final = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")

_BOUNDS: Final[Mapping[str, Text]] = {
    "value": Text(fr="l’estimation", en="the estimate"),
    "low": Text(fr="la borne basse de l’intervalle", en="the lower bound of the interval"),
    "high": Text(fr="la borne haute de l’intervalle", en="the upper bound of the interval"),
}
_OPS: Final[Mapping[str, str]] = {">=": "≥", ">": ">", "<=": "≤", "<": "<"}
#: Above this many worlds a figure draws curves along the parameter that moves most, not one line per world.
_MANY: Final = 10


def claims_frame(register: Register, lines: Mapping[str, Mapping[str, Any]] | None, *, lang: Lang) -> pd.DataFrame:
    """One row per claim of the register.

    Parameters
    ----------
    register : Register
    lines : mapping of claim id to line of ``results.json``, or None when there is no run
    lang : Lang

    Returns
    -------
    DataFrame
        ``id, side, system, gloss, verdict`` (key, empty without a line), ``side_word, system_word, verdict_word`` (with
        :data:`FLIPS` where worlds support and others refute), ``flips``, ``decided``
        (experiments that decided, or those awaited) and ``search`` (both languages, lower case).
    """
    rows = []
    for c in register.claims.values():
        line = None if lines is None else lines.get(c.id)
        rows.append(
            {
                "id": c.id,
                "side": c.side,
                "side_word": SIDES[c.side].in_(lang),
                "system": c.system,
                "system_word": system_name(register, c.system, lang=lang),
                "gloss": typeset(c.gloss.in_(lang), lang),
                "verdict": "" if line is None else str(line["verdict"]),
                "verdict_word": "–" if line is None else _verdict(line, lang),
                "flips": bool(line and line.get("flips")),
                "decided": _decided(c, line, lang),
                "search": _searchable(c, register),
            }
        )
    return pd.DataFrame(rows)


def _verdict(line: Mapping[str, Any], lang: Lang) -> str:
    said = verdict_word(str(line["verdict"]), lang)
    return f"{said} {FLIPS}" if line.get("flips") else said


def system_name(register: Register, key: str, *, lang: Lang) -> str:
    """Short name of a system: what stands before brackets, the rest is on the claim's own page."""
    name = str(register.systems[key]["name"][lang])
    return typeset(name.split(" (")[0], lang)


def why_not_testable(
    line: Mapping[str, Any], silent: Mapping[str, Any], results: Iterable[Mapping[str, Any]], *, lang: Lang
) -> str:
    """Why experiments that concern a claim do not decide it: data that is missing, or the reason the plan gives."""
    if line["verdict"] != "not testable":
        return ""
    read = {i for judged in line["rules"] for world in judged["worlds"] for i in world["results"]}
    missing = dict.fromkeys(wording.method(r, lang) for r in results if r["id"] in read)
    if missing:
        lack = Text(fr="donnée absente ({what})", en="missing data ({what})")
        return lack.in_(lang).format(what=", ".join(missing))
    return " ".join(typeset(str(why[lang]), lang) for why in silent.values())


def mirrors_in_words(rules: Sequence[Mapping[str, Any]]) -> str:
    """Pairs of claims that mirrored criteria judge: ``C02/M30``; empty when there are none."""
    return ", ".join(f"{first}/{second}" for _, first, second in mirrored(rules))


def _decided(claim: Claim, line: Mapping[str, Any] | None, lang: Lang) -> str:
    if line is None:
        return ", ".join(claim.experiments) or "–"
    if line["verdict"] == "pending":
        return ("attend " if lang == "fr" else "awaits ") + ", ".join(line["pending"])
    return ", ".join(line["decided_by"]) or "–"


def _searchable(claim: Claim, register: Register) -> str:
    name = register.systems[claim.system]["name"]
    words = (claim.id, claim.quote, claim.gloss.fr, claim.gloss.en, claim.source.speaker, claim.source.document)
    return " ".join((*words, str(name["fr"]), str(name["en"]), *claim.experiments)).casefold()


def filter_claims(
    frame: pd.DataFrame, *, sides: Sequence[str], systems: Sequence[str], verdicts: Sequence[str], text: str
) -> pd.DataFrame:
    """Rows that match every filter; an empty filter keeps all. Each word of ``text`` must occur."""
    keep = pd.Series(data=True, index=frame.index)
    for column, wanted in (("side", sides), ("system", systems), ("verdict", verdicts)):
        if wanted:
            keep &= frame[column].isin(list(wanted))
    for word in text.casefold().split():
        keep &= frame["search"].str.contains(word, regex=False)
    return frame[keep].reset_index(drop=True)


def verdict_counts(frame: pd.DataFrame) -> pd.DataFrame:
    """Claims by side (rows) and verdict (columns), both in the order of the register."""
    table = pd.crosstab(frame["side"], frame["verdict"])
    return table.reindex(index=list(SIDE_KEYS), columns=list(VERDICT_KEYS), fill_value=0)


def counts_figure(frame: pd.DataFrame, *, lang: Lang) -> go.Figure:
    """Verdicts by side, as bars of claims: one scale for all sides."""
    counts = verdict_counts(frame)
    names = [f"{SIDES[s].in_(lang)} ({int(counts.loc[s].sum())})" for s in counts.index]
    figure = go.Figure()
    for key in counts.columns:
        values = counts[key].tolist()
        figure.add_bar(
            x=values, y=names, orientation="h", name=verdict_word(key, lang),
            text=[str(v) if v else "" for v in values], textposition="inside", insidetextanchor="middle",
            textangle=0, constraintext="none",
            marker={"color": COLOURS[key], "line": {"color": "#ffffff", "width": 1}},
            textfont={"color": INK if key in ("pending", "not testable") else "#ffffff"},
            hovertemplate="%{y}: %{x}<extra>" + VERDICTS[key].in_(lang) + "</extra>",
        )  # fmt: skip
    dress(figure, lang=lang, height=200)
    figure.update_layout(
        barmode="stack",
        bargap=0.25,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
        margin={"l": 8, "r": 8, "t": 34, "b": 8},
    )
    figure.update_xaxes(visible=False)
    figure.update_yaxes(autorange="reversed", showgrid=False, automargin=True)
    return figure


def label_of(key: str, measures: Mapping[str, Measure], *, lang: Lang) -> str:
    """Label of a measure; a label that names another measure by its key gets that one's label instead."""
    if key not in measures:
        return key
    parts = measures[key].label.in_(lang).split("`")
    return typeset("".join(measures[p].label.in_(lang) if p in measures else p for p in parts), lang)


def condition_in_words(condition: Condition, measures: Mapping[str, Measure], *, lang: Lang) -> str:
    """One condition of a rule as a sentence with its frozen threshold."""
    label = label_of(condition.measure, measures, lang=lang)
    unit = measures[condition.measure].unit if condition.measure in measures else "ratio"
    number = wording.threshold(condition.threshold, unit, lang)
    quoted = f"« {label} »" if lang == "fr" else f"“{label}”"
    of = "de" if lang == "fr" else "of"
    return typeset(f"{_BOUNDS[condition.bound].in_(lang)} {of} {quoted} {_OPS[condition.op]}{NBSP}{number}", lang)


def criterion_in_words(criterion: Criterion, measures: Mapping[str, Measure], *, lang: Lang) -> list[str]:
    """The conditions of a criterion as sentences; all but the first begin with « et » or « ou »."""
    join = {"all": Text(fr="et", en="and"), "any": Text(fr="ou", en="or")}[criterion.joined_by].in_(lang)
    said = [condition_in_words(c, measures, lang=lang) for c in criterion.conditions]
    return [text if k == 0 else f"{join} {text}" for k, text in enumerate(said)]


def world_name(world: Mapping[str, Any], *, lang: Lang, without: Iterable[str] = ()) -> str:
    """A world as its parameters, in words.

    Examples
    --------
    >>> world_name({"rule": "top", "rho": 0.25}, lang="en", without=["rule"])
    'share reported ρ: 25%'
    """
    said = labels.world_name(world, lang, but=set(without))
    return said or {"fr": "un seul monde", "en": "a single world"}[lang]


def worlds_that_count(rule: Rule, *, lang: Lang) -> str:
    """The worlds a rule admits, as its parameters and their values."""
    parts = []
    for key, wanted in rule.worlds.items():
        values = wanted if isinstance(wanted, list) else [wanted]
        said = wording.listing((labels.value_name(key, v, lang) for v in values), lang)
        parts.append(f"{labels.key_name(key, lang)} : {said}")
    return typeset(" ; ".join(parts), lang) if lang == "fr" else "; ".join(parts).replace(" : ", ": ")


def worlds_frame(
    judged: Mapping[str, Any], results: Iterable[Mapping[str, Any]], *, measures: Mapping[str, Measure], lang: Lang
) -> pd.DataFrame:
    """What one rule read, world by world.

    Parameters
    ----------
    judged : mapping
        An entry of ``rules`` of a claim's line: ``worlds`` with verdict and result ids.
    results : iterable of mapping
        Entries of ``results.json``.
    measures : mapping of str to Measure

    Returns
    -------
    DataFrame
        One row per result: ``world`` (mapping), ``world_name, verdict, verdict_word, measure, label, unit, value, low,
        high, n, unit_of_n, estimate, interval, method, id``. Numbers are raw; ``estimate`` and ``interval`` are text.
    """
    by_id = {r["id"]: r for r in results}
    rows = []
    for world in judged["worlds"]:
        for key in world["results"]:
            r = by_id.get(key)
            if r is None:
                continue
            measure = measures.get(r["measure"])
            rows.append(
                {
                    "world": world["world"],
                    "world_name": world_name(world["world"], lang=lang),
                    "verdict": world["verdict"],
                    "verdict_word": verdict_word(world["verdict"], lang),
                    "measure": r["measure"],
                    "label": label_of(r["measure"], measures, lang=lang),
                    "unit": r["unit"],
                    "value": r["value"],
                    "low": r["low"],
                    "high": r["high"],
                    "n": int(r["n"]),
                    "unit_of_n": "" if measure is None else typeset(measure.denominator.in_(lang), lang),
                    "estimate": wording.value(r, lang),
                    "interval": wording.interval(r, lang),
                    "method": wording.method(r, lang),
                    "id": r["id"],
                }
            )
    columns = ["world", "world_name", "verdict", "verdict_word", "measure", "label", "unit", "value", "low", "high",
               "n", "unit_of_n", "estimate", "interval", "method", "id"]  # fmt: skip
    frame = pd.DataFrame(rows, columns=columns)
    return frame.astype({"value": "float64", "low": "float64", "high": "float64"})


def thresholds(rule: Rule, measure: str) -> dict[float, str]:
    """Thresholds a rule sets on a measure, with the side of the rule that uses each: support, refute or both."""
    found: dict[float, set[str]] = {}
    for side, criterion in (("support", rule.support), ("refute", rule.refute)):
        for c in criterion.conditions:
            if c.measure == measure:
                found.setdefault(c.threshold, set()).add(side)
    return {t: "both" if len(s) == 2 else next(iter(s)) for t, s in sorted(found.items())}


_THRESHOLD: Final[Mapping[str, Text]] = {
    "support": Text(fr="seuil d’appui", en="support threshold"),
    "refute": Text(fr="seuil de réfutation", en="refutation threshold"),
    "both": Text(fr="seuil", en="threshold"),
}


def worlds_figure(frame: pd.DataFrame, rule: Rule, *, measure: str, lang: Lang) -> go.Figure | None:
    """Estimate and interval of one measure in every world, against the frozen thresholds.

    Few worlds: one line each. More: curves along the parameter that takes most values, one per setting of the others.
    Where those settings are too many to be told apart: every world in order of its estimate. None when nothing is
    estimable.
    """
    rows = frame[(frame["measure"] == measure) & frame["value"].notna()].copy()
    if rows.empty:
        return None
    unit = str(rows["unit"].iloc[0])
    scale = 100.0 if unit in ("share", "points") else 1.0
    for column in ("value", "low", "high"):
        rows[column] *= scale
    marks = {t * scale: side for t, side in thresholds(rule, measure).items()}
    if len(rows) <= _MANY:
        figure, along = _forest(rows, lang=lang), "x"
    else:
        figure, along = _curves(rows, lang=lang) or _ranked(rows, lang=lang), "y"
    suffix = {"share": f"{NBSP}%" if lang == "fr" else "%", "points": f"{NBSP}pts", "euro": f"{NBSP}€"}.get(unit, "")
    span = [*rows["low"], *rows["high"], *marks]
    logarithmic = unit != "share" and min(span) > 0 and max(span) / min(span) > 300
    if logarithmic:
        figure.update_layout({f"{along}axis": {"type": "log", "dtick": 1, "exponentformat": "none"}})
    elif unit == "share":
        figure.update_layout({f"{along}axis": {"range": _room(span)}})
    figure.update_layout({f"{along}axis": {"ticksuffix": suffix}})
    for value, side in marks.items():
        (figure.add_vline if along == "x" else figure.add_hline)(
            value, line={"color": RULE_INK, "width": 1.5, "dash": "dash"}
        )
        at = math.log10(value) if logarithmic else value  # Plotly places notes, not lines, by the logarithm
        place = {"x": at, "y": 1, "yref": "paper"} if along == "x" else {"y": at, "x": 1, "xref": "paper"}
        anchor = {"xanchor": "center" if along == "x" else "right", "yanchor": "bottom"}
        figure.add_annotation(
            text=_THRESHOLD[side].in_(lang), font={"size": 11, "color": RULE_INK}, showarrow=False, **place, **anchor
        )
    return figure


def _room(span: Sequence[float]) -> list[float]:
    """Range of a percentage axis: what is shown plus a margin, within a little more than 0 to 100."""
    margin = max((max(span) - min(span)) * 0.06, 1.0)
    return [max(min(span) - margin, -4.0), min(max(span) + margin, 104.0)]


def _wrapped(text: str, width: int = 70) -> str:
    lines, line = [], ""
    for word in text.split(" "):
        if line and len(line) + len(word) >= width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return "<br>".join([*lines, line])


def _moving_parameter(worlds: Iterable[Mapping[str, Any]]) -> str | None:
    """The numeric parameter that takes most values, when it takes three or more."""
    seen: dict[str, set[float]] = {}
    for world in worlds:
        for key, value in world.items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                seen.setdefault(key, set()).add(float(value))
    best = max(sorted(seen), key=lambda k: len(seen[k]), default=None)
    return best if best is not None and len(seen[best]) >= 3 else None


def _errors(rows: pd.DataFrame) -> dict[str, Any]:
    return {
        "type": "data", "symmetric": False, "array": (rows["high"] - rows["value"]).tolist(),
        "arrayminus": (rows["value"] - rows["low"]).tolist(), "thickness": 1.5, "width": 4,
    }  # fmt: skip


def _hover(rows: pd.DataFrame) -> list[list[str]]:
    return rows[["world_name", "estimate", "interval", "n", "id", "verdict_word"]].astype(str).to_numpy().tolist()


_HOVER: Final = (
    "%{customdata[0]}<br>%{customdata[1]} (%{customdata[2]}), n = %{customdata[3]}<br>"
    "%{customdata[5]}<extra>%{customdata[4]}</extra>"
)


def _forest(rows: pd.DataFrame, *, lang: Lang) -> go.Figure:
    names = list(dict.fromkeys(_wrapped(n, 46) for n in rows["world_name"]))
    figure = go.Figure()
    for key, part in rows.groupby("verdict", sort=False):
        figure.add_scatter(
            x=part["value"], y=[_wrapped(n, 46) for n in part["world_name"]], mode="markers", error_x=_errors(part),
            marker={"symbol": SYMBOLS[str(key)], "size": 10, "color": COLOURS[str(key)], "line": {"width": 2}},
            name=verdict_word(str(key), lang), customdata=_hover(part), hovertemplate=_HOVER,
        )  # fmt: skip
    tall = sum(1 + n.count("<br>") for n in names)
    dress(figure, lang=lang, height=130 + 24 * max(len(names), 1) + 8 * (tall - len(names)))
    figure.update_yaxes(categoryorder="array", categoryarray=names[::-1], automargin=True, tickfont={"size": 12})
    figure.update_layout(showlegend=True, margin={"t": 26})
    return figure


def _curves(rows: pd.DataFrame, *, lang: Lang) -> go.Figure | None:
    """Curves along the parameter that moves most; None when there is none, or more curves than can be told apart."""
    axis = _moving_parameter(rows["world"])
    if axis is None or not all(axis in w for w in rows["world"]):
        return None
    rows = rows.assign(
        at=[float(w[axis]) for w in rows["world"]],
        rest=[world_name(w, lang=lang, without=(axis, *_constant(rows["world"]))) for w in rows["world"]],
        order=[canonical_json({k: v for k, v in w.items() if k != axis}) for w in rows["world"]],
    ).sort_values(["order", "at"], kind="stable")
    if rows["order"].nunique() > len(DASHES):
        return None
    figure = go.Figure()
    for number, (name, part) in enumerate(rows.groupby("rest", sort=False)):
        figure.add_scatter(
            x=part["at"], y=part["value"], mode="lines+markers", error_y=_errors(part), name=str(name),
            line={"color": "#5b6770", "width": 1.5, "dash": DASHES[number % len(DASHES)]},
            marker={"symbol": [SYMBOLS[v] for v in part["verdict"]], "size": 10, "line": {"width": 2},
                    "color": [COLOURS[v] for v in part["verdict"]]},
            customdata=_hover(part), hovertemplate=_HOVER,
        )  # fmt: skip
    for key in (k for k in SYMBOLS if (rows["verdict"] == k).any()):
        figure.add_scatter(
            x=[None], y=[None], mode="markers", name=verdict_word(key, lang),
            marker={"symbol": SYMBOLS[key], "size": 10, "color": COLOURS[key], "line": {"width": 2}},
        )  # fmt: skip
    dress(figure, lang=lang, height=360 + 18 * rows["rest"].nunique())
    figure.update_xaxes(title={"text": labels.key_name(axis, lang)})
    figure.update_layout(showlegend=True, margin={"t": 24})
    return figure


def _ranked(rows: pd.DataFrame, *, lang: Lang) -> go.Figure:
    """Every world, from the lowest estimate to the highest; the pointer reads which is which."""
    rows = rows.sort_values(["value", "id"], kind="stable").assign(rank=range(1, len(rows) + 1))
    figure = go.Figure()
    for key in (k for k in SYMBOLS if (rows["verdict"] == k).any()):
        part = rows[rows["verdict"] == key]
        figure.add_scatter(
            x=part["rank"], y=part["value"], mode="markers", error_y=_errors(part) | {"width": 0},
            name=verdict_word(key, lang), customdata=_hover(part), hovertemplate=_HOVER,
            marker={"symbol": SYMBOLS[key], "size": 8, "color": COLOURS[key], "line": {"width": 2}},
        )  # fmt: skip
    dress(figure, lang=lang, height=360)
    title = Text(
        fr="{n} mondes, de la plus basse estimation à la plus haute (le pointeur nomme le monde)",
        en="{n} worlds, from the lowest estimate to the highest (the pointer names the world)",
    )
    figure.update_xaxes(title={"text": title.in_(lang).format(n=len(rows))}, showticklabels=False, showgrid=False)
    figure.update_layout(showlegend=True, margin={"t": 24})
    return figure


def _constant(worlds: Iterable[Mapping[str, Any]]) -> list[str]:
    """Parameters that never change: they would only lengthen names."""
    seen: dict[str, set[str]] = {}
    total = 0
    for world in worlds:
        total += 1
        for key, value in world.items():
            seen.setdefault(key, set()).add(str(value))
    return [k for k, values in seen.items() if len(values) == 1] if total > 1 else []


def dress(figure: go.Figure | make_subplots, *, lang: Lang, height: int) -> None:
    """Give a figure the house's font, grid and decimal mark."""
    figure.update_layout(
        height=height, font={"family": FONT, "size": 13, "color": INK}, paper_bgcolor="#ffffff", plot_bgcolor="#ffffff",
        separators=",\u202f" if lang == "fr" else ".,", margin={"l": 8, "r": 16, "t": 16, "b": 8},
        legend={"orientation": "h", "yanchor": "top", "y": -0.22, "x": 0, "font": {"size": 12}},
        hoverlabel={"font": {"family": FONT, "size": 12}}, dragmode=False,
    )  # fmt: skip
    for update in (figure.update_xaxes, figure.update_yaxes):
        update(gridcolor=GRID_INK, zeroline=False, automargin=True, title_standoff=8, title_font_size=13)
