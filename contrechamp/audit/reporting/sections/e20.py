"""Tables of E20: what joining streams adds, world by world, and what each stream is worth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from contrechamp.audit.reporting.blocks import Block, Voice
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.labels import value_name
from contrechamp.audit.reporting.tables import Wide, distinct, present, wide
from contrechamp.audit.reporting.wording import percent, plain_number, typeset
from contrechamp.domain.text import Lang, Text
from synthetic_data.stream_worlds import STREAMS

#: Keys of a world, streams left out.
WORLD: Final = ("n_informative", "information", "overlap", "recording_bias")


def section(facts: Facts, voice: Voice) -> list[Block]:
    """Tables of E20."""
    columns = [
        Wide(Text(fr="Gain des huit flux", en="Gain of all eight"), "gain_full_join", {}),
        Wide(Text(fr="Le même, enregistrés", en="The same, records"), "gain_full_join_recorded", {}),
        Wide(Text(fr="Retrait le moins coûteux", en="Least costly to drop"), "least_drop_cost", {}),
        Wide(Text(fr="Manque des trois meilleurs", en="Shortfall of best three"), "best_three_shortfall", {}),
    ]
    caption = Text(
        fr="E20 : gain de score logarithmique des huit flux sur mains courantes, calendrier et météo, jugé sur les "
        "incidents puis sur les enregistrements ; ce que coûte de retirer le flux qui coûte le moins ; ce qui manque "
        "aux trois meilleurs flux. En parts du gain sur une prévision constante.",
        en="E20: log-score gain of all eight streams over log, calendar and weather, scored on incidents then on "
        "records; what it costs to drop the stream that costs least; what the best three streams fall short of. As "
        "shares of the gain over a constant forecast.",
    )
    rows = _picked(distinct(facts.rows("E20", "gain_full_join"), *WORLD))
    first = wide(
        facts, voice, "E20", caption=caption, head=Text(fr="Monde", en="World"), rows=rows, columns=columns,
        name=lambda x: world_short(x, voice.lang), weight=2.4,
    )  # fmt: skip
    at = plain_world(facts)
    second = None
    if at is not None:
        shares = [
            Wide(Text(fr="Vraie", en="True"), "shapley_known", at),
            Wide(Text(fr="Mesurée, incidents", en="Measured, incidents"), "shapley_latent", at),
            Wide(Text(fr="Mesurée, enregistrements", en="Measured, records"), "shapley_recorded", at),
            Wide(Text(fr="Coût du retrait", en="Cost of dropping"), "drop_cost", at),
        ]
        said = Text(
            fr=f"E20 : valeur de Shapley de chaque flux, en nats par incident ({world_short(at, 'fr')}).",
            en=f"E20: Shapley value of each stream, in nats per incident ({world_short(at, 'en')}).",
        )
        streams = [{"stream": s} for s in in_order(r["world"]["stream"] for r in facts.rows("E20", "shapley_known"))]
        second = wide(
            facts, voice, "E20", caption=said, head=Text(fr="Flux", en="Stream"), rows=streams, columns=shares,
            name=lambda x: value_name("stream", x["stream"], voice.lang),
        )  # fmt: skip
    return present(first, second)


def _picked(worlds: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Worlds at the ends of every axis, and in the middle of the number of streams; the annex has the others."""
    kept = list(worlds)
    for key in WORLD:
        values = sorted({x[key] for x in worlds})
        ends = {values[0], values[-1]} | ({values[len(values) // 2]} if key == "n_informative" else set())
        kept = [x for x in kept if x[key] in ends]
    return kept


def in_order(streams: Iterable[str]) -> list[str]:
    """Streams in the order of the experiment: the log first, then what a city has anyway, then the others."""
    return sorted(set(streams), key=STREAMS.index)


def plain_world(facts: Facts) -> dict[str, Any] | None:
    """The world in which most streams tell something strong and new, and recording is even; None without results."""
    rows = facts.rows("E20", "gain_full_join")
    if not rows:
        return None
    best = max(
        (r["world"] for r in rows),
        key=lambda x: (-x["recording_bias"], -x["overlap"], x["n_informative"], x["information"]),
    )
    return {key: best[key] for key in WORLD}


def world_short(world: Mapping[str, Any], lang: Lang) -> str:
    """Short name of a world: « 7 flux à 0,05 nat, redites 0 %, biais 0,5 »."""
    many, nats = plain_number(float(world["n_informative"]), lang), plain_number(float(world["information"]), lang)
    repeats, bias = percent(float(world["overlap"]), lang), plain_number(float(world["recording_bias"]), lang)
    said = Text(
        fr=f"{many} flux à {nats} nat, redites {repeats}, biais {bias}",
        en=f"{many} streams of {nats} nats, repeats {repeats}, bias {bias}",
    )
    return typeset(said.in_(lang), lang)
