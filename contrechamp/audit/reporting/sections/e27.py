"""Tables of E27: placebo."""

from __future__ import annotations

from collections.abc import Sequence

from contrechamp.audit.reporting.blocks import Block, Column, Span, Spans, Table, Voice
from contrechamp.audit.reporting.facts import Facts, Row
from contrechamp.audit.reporting.labels import value_name
from contrechamp.audit.reporting.tables import (
    Wide,
    cell,
    distinct,
    present,
    refs,
    wide,
)
from contrechamp.domain.text import Text


def section(facts: Facts, voice: Voice) -> list[Block]:
    """Tables of E27."""
    columns = [
        Wide(Text(fr="Tirés au hasard", en="Drawn at random"), "p_placebo", {"selection": "random"}),
        Wide(Text(fr="Les pires de l’an passé", en="Last year’s worst"), "p_placebo", {"selection": "worst_last_year"}),
        Wide(Text(fr="Par le calcul (hasard)", en="By calculation (random)"), "p_placebo_closed_form",
             {"comparison": "national_mean"}),
        Wide(Text(fr="Par le calcul (pires)", en="By calculation (worst)"), "p_placebo_worst_closed_form",
             {"transient": _first_transient(facts)}),
        Wide(Text(fr="Écart qu’un placebo n’atteint plus", en="Gap a placebo no longer reaches"), "gap_needed_points",
             {"comparison": "national_mean"}),
    ]  # fmt: skip
    caption = Text(
        fr="E27 : probabilité qu’un placebo obtienne l’avance annoncée, selon la dispersion annuelle supposée.",
        en="E27: probability that a placebo obtains the announced lead, by assumed yearly spread.",
    )
    first = wide(facts, voice, "E27", caption=caption, head=Text(fr="Monde", en="World"),
                 rows=distinct(facts.rows("E27", "p_placebo"), "sd"), columns=columns)  # fmt: skip
    rows = [*facts.rows("E27", "pai_if_area_unknown"), *facts.rows("E27", "pai_given_area")]
    second = Text(
        fr="E27 : PAI de l’annonce selon la surface désignée.",
        en="E27: PAI of the headline by flagged area.",
    )
    return [*present(first), *([_row_table(facts, voice, rows, second)] if rows else [])]


def _first_transient(facts: Facts) -> float | None:
    """The passing share that goes with every spread: the first of the parameters."""
    shares = facts.request["parameters"]["E27"]["transients"]
    return float(shares[0]) if shares else None


def _row_table(facts: Facts, voice: Voice, rows: Sequence[Row], caption: Text) -> Table:
    """Results of one measure laid out in one line."""
    heads = [Column(voice(Text(fr="Surface", en="Area")))]
    cells: list[Spans] = [(Span("PAI"),)]
    for row in rows:
        area = row["world"].get("area_share")
        name = value_name("area_share", area, voice.lang) if area is not None else Text(
            fr="non publiée", en="not published").in_(voice.lang)  # fmt: skip
        heads.append(Column((Span(name),), "right", 1))
        cells.append(cell(row, voice))
    note = voice(Text(fr="Valeurs sans aléa. {ids}", en="Values without sampling. {ids}"), ids=refs(rows))
    return Table(voice(caption), tuple(heads), (tuple(cells),), note=note)
