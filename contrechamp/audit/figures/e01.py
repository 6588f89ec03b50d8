"""E01: the gain of the forecast a city would choose, each predictor on records and on truth, and the map of worlds."""

from __future__ import annotations

from typing import Any, Final

from matplotlib.ticker import FixedLocator, NullLocator

from contrechamp.audit.figures import Drawing
from contrechamp.audit.figures.flip import draw_judged
from contrechamp.audit.figures.style import (
    BLUE,
    LOOKS,
    RUST,
    SOFT,
    canvas,
    drawing,
    label,
    percent_axis,
    threshold_line,
)
from contrechamp.audit.reporting.facts import Facts, Row
from contrechamp.audit.reporting.labels import key_name, value_name
from contrechamp.audit.reporting.wording import count, percent, typeset
from contrechamp.audit.reporting.worlds import ordered_worlds, usual_share, world_short
from contrechamp.domain.text import Lang, Text

_KINDS: Final = (
    ("gain_latent", BLUE, "o", 0.2, Text(fr="incidents latents", en="latent incidents")),
    ("gain_recorded", RUST, "s", 0.0, Text(fr="enregistrements", en="records")),
    ("gain_ceiling", SOFT, "D", -0.2, Text(fr="plafond : devin", en="ceiling: clairvoyant")),
)
#: Gain from which a forecast is said to be worth more than a free map.
_THRESHOLD: Final = 0.1


def draw_gain(facts: Facts, lang: Lang) -> Drawing | None:
    """Gains by world, one panel per area: on what happens, on records, and the ceiling."""
    rows = facts.rows("E01", "gain_latent")
    if not any(r["value"] is not None for r in rows):
        return None
    share = usual_share(rows)
    rows = [r for r in rows if r["world"].get("recorded_share") == share]
    areas = sorted({r["world"]["area"] for r in rows})
    worlds = ordered_worlds(rows)
    figure, axes = canvas(
        height=0.9 + (0.24 if len(worlds) <= 12 else 0.165) * len(worlds), ncols=len(areas), sharey=True, squeeze=False
    )
    for ax, area in zip(axes[0], areas, strict=True):
        for measure, color, marker, shift, name in _KINDS:
            for index, world in enumerate(worlds):
                row = facts.one("E01", measure, **world, area=area)
                if row is None or row["value"] is None:
                    continue
                y = len(worlds) - 1 - index + shift
                ax.plot([row["low"], row["high"]], [y, y], color=color, lw=1.1)
                ax.plot(row["value"], y, marker, color=color, mfc=color if marker == "o" else "white")
            if area == areas[0]:
                ax.plot([], [], marker, color=color, mfc=color if marker == "o" else "white", label=name.in_(lang))
        ax.axvline(0, color=SOFT, lw=0.6)
        threshold_line(ax, _THRESHOLD, typeset("seuil 10 %" if lang == "fr" else "threshold 10 %", lang), vertical=True)
        title = Text(fr=f"Surface signalée : {percent(area, 'fr')}", en=f"Flagged area: {percent(area, 'en')}")
        label(ax, title, lang, which="title")
        label(ax, Text(fr="gain relatif de PAI", en="relative gain in PAI"), lang, which="x")
        _gain_axis(ax, lang)
        ax.tick_params(axis="y", length=0)
    ticks = [world_short({k: v for k, v in w.items() if k != "recorded_share"}, lang) for w in reversed(worlds)]
    axes[0][0].set_yticks(range(len(worlds)), ticks, fontsize=7.5 if len(worlds) <= 12 else 6.3)
    figure.legend(loc="outside upper right", ncols=3)
    n = _counted(rows, lang)
    kept = (
        Text(fr=f" Part enregistrée : {percent(share, 'fr')}.", en=f" Recorded share: {percent(share, 'en')}.")
        if share is not None
        else Text(fr=" ", en=" ")
    )
    return drawing(
        figure,
        lang,
        alt=Text(
            fr="Points et intervalles : gain relatif de la prévision choisie sur la meilleure carte gratuite, dans "
            "chaque monde (contagion, biais d’enregistrement), jugé sur les incidents latents et sur les "
            "enregistrements, avec le plafond d’un devin. Valeurs dans le tableau du chapitre.",
            en="Dots and intervals: relative gain of the chosen forecast over the best free map in each world "
            "(contagion, recording bias), scored on latent incidents and on records, with the ceiling of a "
            "clairvoyant. Values in the table of the chapter.",
        ),
        caption=Text(
            fr="Gain de PAI de la prévision que la ville aurait choisie sur ses enregistrements, par rapport à la "
            f"meilleure carte gratuite : médiane des mondes où le gain est estimable (n = {n} par ligne), intervalle à "
            f"95 %, échelle logarithmique symétrique.{kept.fr} κ : nombre moyen d’incidents que chacun entraîne à "
            "proximité.",
            en="Gain in PAI of the forecast the city would have chosen on its records, over the best free map: median "
            f"of the worlds in which the gain is estimable (n = {n} per line), 95 % interval, symmetric logarithmic "
            f"scale.{kept.en} κ: mean number of incidents that each one brings nearby.",
        ),
        limits=Text(
            fr="Limites : les prévisions du registre, non toutes ; mondes inventés.",
            en="Limits: the forecasts of the registry, not all of them; invented worlds.",
        ),
    )


def draw_predictors(facts: Facts, lang: Lang) -> Drawing | None:
    """What each predictor gains on records against what it gains on what happens, one panel per turnover of places."""
    small = min((r["world"]["area"] for r in facts.rows("E01", "predictor_gain_latent")), default=0.0)
    rows = [r for r in facts.rows("E01", "predictor_gain_latent", area=small) if r["value"] is not None]
    if not rows:
        return None
    keys = list(dict.fromkeys(r["world"]["predictor"] for r in rows))
    turnovers = sorted({r["world"]["turnover"] for r in rows})
    figure, axes = canvas(height=3.1, ncols=len(turnovers), sharex=True, sharey=True, squeeze=False)
    for ax, turnover in zip(axes[0], turnovers, strict=True):
        for look, key in enumerate(keys):
            color, marker, _ = LOOKS[look % len(LOOKS)]
            for truth in (r for r in rows if r["world"]["predictor"] == key and r["world"]["turnover"] == turnover):
                record = facts.one("E01", "predictor_gain_recorded", **truth["world"])
                if record is None or record["value"] is None:
                    continue
                hollow = truth["world"]["kappa"] < max(r["world"]["kappa"] for r in rows) / 2
                _cross(ax, record, truth, color=color, marker=marker, hollow=hollow, size=4 + look // len(LOOKS))
            if ax is axes[0][0]:
                ax.plot([], [], marker, color=color, label=value_name("predictor", key, lang))
        ends = [-0.6, 5.0]
        ax.plot(ends, ends, color=SOFT, lw=0.7, ls=(0, (2, 2)), zorder=0)
        ax.axhline(0, color=SOFT, lw=0.5, zorder=0)
        ax.axvline(0, color=SOFT, lw=0.5, zorder=0)
        colon = "\u202f: " if lang == "fr" else ": "
        ax.set_title(f"{key_name('turnover', lang)}{colon}{value_name('turnover', turnover, lang)}")
        label(ax, Text(fr="gain sur les enregistrements", en="gain on records"), lang, which="x")
        ax.set_xscale("symlog", linthresh=0.2, linscale=0.9)
        ax.set_yscale("symlog", linthresh=0.2, linscale=0.9)
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_locator(FixedLocator([-0.5, -0.1, 0, 0.1, 0.5, 2]))
            axis.set_minor_locator(NullLocator())
            percent_axis(axis, lang)
    label(axes[0][0], Text(fr="gain sur les incidents latents", en="gain on latent incidents"), lang, which="y")
    figure.legend(loc="outside upper right", ncols=min(len(keys), 5))
    n = _counted(rows, lang)
    return drawing(
        figure,
        lang,
        alt=Text(
            fr="Nuage de points : pour chaque prévision et chaque ville, gain sur les enregistrements en abscisse, "
            "gain sur les incidents latents en ordonnée, avec la diagonale. Valeurs dans le tableau du chapitre.",
            en="Scatter: for each forecast and city, gain on records across, gain on latent incidents up, with the "
            "diagonal. Values in the table of the chapter.",
        ),
        caption=Text(
            fr=f"Ce qu’une prévision gagne sur ses enregistrements, et ce qu’elle gagne sur ce qui arrive, à "
            f"{percent(small, 'fr')} de surface : médiane des graines (n = {n}), intervalles à 95 %. Sous la "
            "diagonale, l’essai sur enregistrements promet trop. Points vides : contagion faible ou nulle.",
            en="What a forecast gains on its records, and what it gains on what happens, at "
            f"{percent(small, 'en')} of the area: median of seeds (n = {n}), 95 % intervals. Below the diagonal, the "
            "trial on records promises too much. Hollow dots: weak or no contagion.",
        ),
        limits=Text(
            fr="Limites : moyenne sur les façons d’enregistrer ; mondes inventés.",
            en="Limits: averaged over ways of recording; invented worlds.",
        ),
    )


def draw_worlds(facts: Facts, lang: Lang) -> Drawing | None:
    """Flip map: contagion by recording bias, a panel per recorded share, and a row of panels per kind of city."""
    rows = facts.rows("E01", "share_worlds_supported")
    several = tuple(k for k in ("latent_per_day", "turnover") if len({r["world"].get(k) for r in rows}) > 1)
    claim = next((c for c in ("M04", "M15", "V12") if c in facts.judged("E01")), None)
    if claim is None:
        return None
    return draw_judged(
        facts, "E01", x="kappa", y="recording_bias", facet=(*several, "recorded_share"), lang=lang, claim=claim,
        seeds=Text(fr="mondes tirés (graines)", en="worlds drawn (seeds)"),
    )  # fmt: skip


def _cross(ax: Any, record: Row, truth: Row, *, color: str, marker: str, hollow: bool, size: float) -> None:
    ax.plot([record["low"], record["high"]], [truth["value"]] * 2, color=color, lw=0.6, alpha=0.6)
    ax.plot([record["value"]] * 2, [truth["low"], truth["high"]], color=color, lw=0.6, alpha=0.6)
    ax.plot(record["value"], truth["value"], marker, color=color, mfc="white" if hollow else color, ms=size)


def _gain_axis(ax: Any, lang: Lang) -> None:
    ax.set_xscale("symlog", linthresh=0.2, linscale=0.9)
    ax.xaxis.set_major_locator(FixedLocator([-0.5, 0, 0.5, 5]))
    ax.xaxis.set_minor_locator(NullLocator())
    percent_axis(ax.xaxis, lang)


def _counted(rows: list[Row], lang: Lang) -> str:
    """Numbers of worlds behind the rows: « 5 à 6 »."""
    found = sorted({int(r["n"]) for r in rows if r["value"] is not None}) or [0]
    n = count(found[0], lang)
    return n + ((" à " if lang == "fr" else " to ") + count(found[-1], lang) if found[0] < found[-1] else "")
