"""The flip map: in which worlds a claim is supported, in which refuted, in which the numbers decide nothing.

One square per pair of values of two world keys, one panel per value of a third. A square that gathers several worlds
(told apart by keys that are on no axis) is cut in proportion, and each mark bears its count. Colour, hatching and mark
say the same thing three times, so that a photocopy still reads. In every square stands n, the replicates behind it.

:func:`draw_judged` is what an experiment's figure module calls; :func:`draw_flip` draws any rows of that shape.

What it cannot tell you: how likely each world is. A map that is mostly of one colour is a grid that someone chose.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from matplotlib.patches import Rectangle

from contrechamp.audit.figures import Drawing
from contrechamp.audit.figures.style import INK, canvas, drawing
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.labels import key_name, value_name
from contrechamp.audit.reporting.wording import MARKS, VERDICTS, count, listing
from contrechamp.domain.provenance import canonical_json
from contrechamp.domain.text import Lang, Text

#: Fill and hatching of each verdict; light enough for ink on top.
FILLS: Final[Mapping[str, tuple[str, str]]] = {
    "supported": ("#a9cfe6", ""),
    "refuted": ("#f2bc9a", "////"),
    "inconclusive": ("#e7e6df", ".."),
    "not testable": ("#ffffff", "xx"),
}
_COLUMNS: Final = 4
_LIMITS: Final = Text(
    fr="Limites : la carte dit dans quels mondes le verdict change, non lequel de ces mondes est celui d’une ville.",
    en="Limits: the map says in which worlds the verdict changes, not which of these worlds a city is.",
)


def draw_flip(
    rows: Sequence[Mapping[str, Any]], *, x: str, y: str, facet: str | Sequence[str] = (), lang: Lang,
    claims: Sequence[str] = (), seeds: Text | None = None, limits: Text = _LIMITS,
) -> Drawing | None:  # fmt: skip
    """Draw the verdicts of worlds on a grid of squares.

    Parameters
    ----------
    rows : sequence of mapping
        One per world: ``world`` (mapping), ``verdict`` and, where known, ``n`` (replicates behind it). The ``worlds``
        that :func:`contrechamp.audit.rules.evaluate` returns are such rows, without ``n``.
    x, y : str
        World keys along and up. Numbers are sorted; names keep the order in which they come.
    facet : str or sequence of str, default=()
        World keys whose values make the panels; at most four stand side by side. With several keys the last runs along
        the rows of panels.
    lang : Lang
    claims : sequence of str
        Claims that share this map, named in the caption.
    seeds : Text, optional
        What n counts: *mondes tirés* / *worlds drawn*.
    limits : Text, optional
        What the map does not show, ``Limites : …`` / ``Limits: …``.

    Returns
    -------
    Drawing or None
        None when no row bears both keys.

    Notes
    -----
    Worlds are grouped by the values of ``x``, ``y`` and ``facet``. Keys on no axis are named in the caption.
    """
    known = [r for r in rows if x in r["world"] and y in r["world"]]
    if not known:
        return None
    facets = (facet,) if isinstance(facet, str) else tuple(facet)
    facets = tuple(k for k in facets if any(k in r["world"] for r in known))
    xs, ys = _values(known, x), _values(known, y)
    panels = sorted({tuple(r["world"].get(k) for k in facets) for r in known}, key=lambda t: [_order(v) for v in t])
    across = len({panel[-1:] for panel in panels})
    ncols = across if len(facets) > 1 and across <= _COLUMNS else min(_COLUMNS, len(panels))
    nrows = -(-len(panels) // ncols)
    height = 0.75 + nrows * (0.48 + max(0.36 * len(ys), 0.85))
    figure, axes = canvas(height=height, ncols=ncols, nrows=nrows, sharex=True, sharey=True, squeeze=False)
    for index, axis in enumerate(axes.flat):
        if index >= len(panels):
            axis.set_visible(False)
            continue
        mine = [r for r in known if tuple(r["world"].get(k) for k in facets) == panels[index]]
        _panel(axis, mine, x=x, y=y, xs=xs, ys=ys, lang=lang, columns=ncols)
        if facets:
            colon = "\u202f: " if lang == "fr" else ": "
            pieces = (f"{key_name(k, lang)}{colon}{value_name(k, v, lang)}" for k, v in zip(facets, panels[index],
                                                                                           strict=True))  # fmt: skip
            axis.set_title("\n".join(pieces), fontsize=7)
        if index + ncols >= len(panels):
            axis.set_xlabel(key_name(x, lang))
            axis.tick_params(labelbottom=True)
        if index % ncols == 0:
            axis.set_ylabel(key_name(y, lang), fontsize=7)
    present = [v for v in FILLS if any(r["verdict"] == v for r in known)]
    handles = [Rectangle((0, 0), 1, 1, fc=FILLS[v][0], hatch=FILLS[v][1], ec="#9a9a94", lw=0.4) for v in present]
    names = [f"{MARKS[v]} {VERDICTS[v].in_(lang)}" for v in present]
    figure.legend(handles, names, loc="outside upper right", ncols=len(present), handlelength=1.6)
    on_axes = {x, y, *facets}
    folded = [k for k in known[0]["world"] if k not in on_axes and len(_values(known, k)) > 1]
    return _worded(figure, known, lang, claims=claims, folded=folded, seeds=seeds, limits=limits)


def flip_rows(facts: Facts, experiment: str, *, claim: str | None = None) -> tuple[list[dict[str, Any]], list[str]]:
    """Worlds of one claim's rule with their verdict and their n, and every claim that shares that map.

    Parameters
    ----------
    facts : Facts
    experiment : str
    claim : str, optional
        The first claim judged on the experiment where left out.

    Returns
    -------
    rows : list of dict
        ``world``, ``verdict`` and ``n``, the smallest n among the results the verdict reads. Empty when nothing is
        judged.
    claims : list of str
    """
    judged = facts.judged(experiment)
    if not judged:
        return [], []
    chosen = claim if claim in judged else next(iter(judged))
    key = canonical_json([[w["world"], w["verdict"]] for w in judged[chosen]["worlds"]])
    same = [c for c, j in judged.items() if canonical_json([[w["world"], w["verdict"]] for w in j["worlds"]]) == key]
    rows = [
        {"world": w["world"], "verdict": w["verdict"], "n": min(int(facts.result(i)["n"]) for i in w["results"])}
        for w in judged[chosen]["worlds"]
    ]
    return rows, same


def draw_judged(
    facts: Facts, experiment: str, *, x: str, y: str, facet: str | Sequence[str] = (), lang: Lang,
    claim: str | None = None, seeds: Text | None = None, limits: Text = _LIMITS,
) -> Drawing | None:  # fmt: skip
    """Draw the flip map of a claim judged on an experiment; None when it was judged in fewer than two worlds.

    Parameters
    ----------
    facts : Facts
    experiment : str
    x, y, facet, lang, seeds, limits
        See :func:`draw_flip`.
    claim : str, optional
        The first claim judged on the experiment where left out.
    """
    rows, claims = flip_rows(facts, experiment, claim=claim)
    if len(rows) < 2:
        return None
    return draw_flip(rows, x=x, y=y, facet=facet, lang=lang, claims=claims, seeds=seeds, limits=limits)


def _panel(
    axis: Any, rows: Sequence[Mapping[str, Any]], *, x: str, y: str, xs: Sequence[Any], ys: Sequence[Any], lang: Lang,
    columns: int,
) -> None:  # fmt: skip
    size = 7.5 if len(xs) * columns <= 14 else 6.0
    for i, across in enumerate(xs):
        for j, up in enumerate(ys):
            here = [r for r in rows if r["world"][x] == across and r["world"][y] == up]
            if not here:
                continue
            counts = Counter(r["verdict"] for r in here)
            left = i - 0.5
            for verdict in (v for v in FILLS if counts.get(v)):
                width = counts[verdict] / len(here)
                fill, hatch = FILLS[verdict]
                axis.add_patch(Rectangle((left, j - 0.5), width, 1, fc=fill, ec="#bcbcb6", lw=0, hatch=hatch))
                left += width
            axis.add_patch(Rectangle((i - 0.5, j - 0.5), 1, 1, fill=False, ec="white", lw=1.6))
            marks = " ".join(
                MARKS[v] + (str(counts[v]) if len(here) > 1 else "") for v in FILLS if counts.get(v)
            )  # fmt: skip
            n = _range_of([int(r["n"]) for r in here if r.get("n")], lang)
            axis.text(i, j, f"{marks}\nn {n}" if n else marks, ha="center", va="center", fontsize=size, color=INK,
                      linespacing=1.05, in_layout=False, bbox={"fc": "white", "ec": "none", "alpha": 0.72,
                                                               "pad": 0.6})  # fmt: skip
    axis.set_xlim(-0.5, len(xs) - 0.5)
    axis.set_ylim(-0.5, len(ys) - 0.5)
    axis.set_xticks(range(len(xs)), [value_name(x, v, lang) for v in xs], fontsize=7)
    axis.set_yticks(range(len(ys)), [value_name(y, v, lang) for v in ys], fontsize=7)
    axis.tick_params(length=0)
    for side in axis.spines.values():
        side.set_visible(False)


def _worded(
    figure: Any, rows: Sequence[Mapping[str, Any]], lang: Lang, *, claims: Sequence[str], folded: Sequence[str],
    seeds: Text | None, limits: Text,
) -> Drawing:  # fmt: skip
    tally = Counter(r["verdict"] for r in rows)
    fr = listing([f"{VERDICTS[v].fr} dans {count(tally[v], 'fr')}" for v in FILLS if tally.get(v)], "fr")
    en = listing([f"{VERDICTS[v].en} in {count(tally[v], 'en')}" for v in FILLS if tally.get(v)], "en")
    more_fr = more_en = who_fr = who_en = ""
    if folded:
        more_fr = f" Un carré réunit des mondes que distinguent : {listing([key_name(k, 'fr') for k in folded], 'fr')}."
        more_en = f" A square gathers worlds told apart by: {listing([key_name(k, 'en') for k in folded], 'en')}."
    if any(r.get("n") for r in rows):
        what = seeds or Text(fr="tirages", en="draws")
        more_fr, more_en = f"{more_fr} n : {what.fr}, par monde.", f"{more_en} n: {what.en}, per world."
    if claims:
        who_fr, who_en = f" de {listing(claims, 'fr')}", f" of {listing(claims, 'en')}"
    worlds = count(len(rows), lang)
    return drawing(
        figure,
        lang,
        alt=Text(
            fr=f"Grille de {worlds} mondes, chacun avec son verdict : affirmation {fr}. Les valeurs qui les fondent "
            "sont dans l’annexe des résultats.",
            en=f"Grid of {worlds} worlds, each with its verdict: claim {en}. The values behind them are in the annex "
            "of results.",
        ),
        caption=Text(
            fr=f"Carte des verdicts{who_fr}, {worlds} mondes : affirmation {fr}.{more_fr}",
            en=f"Map of the verdicts{who_en}, {worlds} worlds: claim {en}.{more_en}",
        ),
        limits=limits,
    )


def _range_of(numbers: Sequence[int], lang: Lang) -> str:
    if not numbers:
        return ""
    low, high = min(numbers), max(numbers)
    return count(low, lang) if low == high else f"{count(low, lang)}–{count(high, lang)}"


def _values(rows: Sequence[Mapping[str, Any]], key: str) -> list[Any]:
    found = list(dict.fromkeys(r["world"][key] for r in rows if key in r["world"]))
    return sorted(found) if all(isinstance(v, int | float) for v in found) else found


def _order(value: Any) -> tuple[int, float, str]:
    return (0, float(value), "") if isinstance(value, int | float) else (1, 0.0, str(value))
