"""E20: what each stream is worth, and in which worlds everything must be joined."""

from __future__ import annotations

from typing import Any

from contrechamp.audit.figures import Drawing
from contrechamp.audit.figures.flip import draw_judged
from contrechamp.audit.figures.style import BLUE, RUST, SOFT, canvas, drawing, label, number_axis
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.labels import value_name
from contrechamp.audit.reporting.sections.e20 import in_order, plain_world, world_short
from contrechamp.audit.reporting.wording import count
from contrechamp.domain.text import Lang, Text

_LOOKS = (
    ("shapley_known", SOFT, "D", 0.22, Text(fr="valeur vraie", en="true value")),
    ("shapley_latent", BLUE, "o", 0.0, Text(fr="mesurée sur les incidents", en="measured on incidents")),
    ("shapley_recorded", RUST, "s", -0.22, Text(fr="mesurée sur les enregistrements", en="measured on records")),
)


def draw_streams(facts: Facts, lang: Lang) -> Drawing | None:
    """Shapley value of every stream in two worlds: all tell something new; few do and recording follows one of them."""
    first = plain_world(facts)
    if first is None:
        return None
    rows = facts.rows("E20", "shapley_known")
    fewest = min(r["world"]["n_informative"] for r in rows)
    biased = max(r["world"]["recording_bias"] for r in rows)
    second = {**first, "n_informative": fewest, "recording_bias": biased}
    shown = [first, second] if second != first else [first]
    streams = in_order(r["world"]["stream"] for r in rows)
    figure, axes = canvas(height=3.1, ncols=len(shown), sharey=True, sharex=True, squeeze=False)
    for ax, world in zip(axes[0], shown, strict=True):
        for measure, color, marker, shift, name in _LOOKS:
            for index, stream in enumerate(streams):
                row = facts.one("E20", measure, **world, stream=stream)
                if row is not None and row["value"] is not None:
                    _dot(ax, row, len(streams) - 1 - index + shift, color, marker)
            if world is first:
                ax.plot([], [], marker, color=color, mfc="white" if marker != "o" else color, label=name.in_(lang))
        ax.axvline(0, color=SOFT, lw=0.6)
        ax.set_title(world_short(world, lang), fontsize=7.5)
        label(ax, Text(fr="valeur de Shapley (nats par incident)", en="Shapley value (nats per incident)"), lang,
              which="x")  # fmt: skip
        ax.set_xscale("symlog", linthresh=0.1, linscale=1.2)
        ax.set_xticks([-0.2, -0.05, 0, 0.05, 0.2, 0.5])
        ax.minorticks_off()
        number_axis(ax.xaxis, lang)
        ax.tick_params(axis="y", length=0)
    names = [value_name("stream", s, lang) for s in reversed(streams)]
    axes[0][0].set_yticks(range(len(streams)), names)
    figure.legend(loc="outside upper right", ncols=3)
    n = count(max(int(r["n"]) for r in rows), lang)
    return drawing(
        figure,
        lang,
        alt=Text(
            fr="Points et intervalles : valeur de Shapley de chacun des huit flux, vraie, mesurée sur les incidents "
            "et mesurée sur les enregistrements, dans deux mondes. Valeurs dans l’annexe des résultats.",
            en="Dots and intervals: Shapley value of each of the eight streams, true, measured on incidents and "
            "measured on records, in two worlds. Values in the annex of results.",
        ),
        caption=Text(
            fr="Ce que vaut chaque flux : part du gain de score de la jointure complète qui lui revient, moyenne de "
            f"n = {n} mondes tirés, intervalle de Student à 95 %, échelle logarithmique symétrique. Un flux qui suit "
            "la façon d’enregistrer (police, biais) paraît valoir sur les enregistrements ce qu’il coûte sur les "
            "incidents.",
            en="What each stream is worth: its part of the score gain of the full join, mean of "
            f"n = {n} worlds drawn, 95 % Student interval, symmetric logarithmic scale. A stream that goes with how "
            "incidents are recorded (police, bias) seems to be worth on records what it costs on incidents.",
        ),
        limits=Text(
            fr="Limites : le contenu des flux est fixé par le monde, non mesuré dans une ville ; réponses par oui ou "
            "non, modèle log-linéaire.",
            en="Limits: what streams tell is set by the world, not measured in a city; yes-or-no answers, log-linear "
            "model.",
        ),
    )


def draw_worlds(facts: Facts, lang: Lang) -> Drawing | None:
    """In which worlds everything must be joined."""
    return draw_judged(
        facts, "E20", x="information", y="n_informative", facet=("overlap", "recording_bias"), lang=lang, claim="M06",
        seeds=Text(fr="mondes tirés (graines)", en="worlds drawn (seeds)"),
    )  # fmt: skip


def _dot(ax: Any, row: dict[str, Any], y: float, color: str, marker: str) -> None:
    ax.plot([row["low"], row["high"]], [y, y], color=color, lw=1.1)
    ax.plot(row["value"], y, marker, color=color, mfc=color if marker == "o" else "white")
