"""Tables of E12: alerts and base rates."""

from __future__ import annotations

from contrechamp.audit.reporting import wording as w
from contrechamp.audit.reporting.blocks import Block, Column, Para, Span, Table, Voice
from contrechamp.audit.reporting.facts import Facts, Row
from contrechamp.audit.reporting.labels import world_name
from contrechamp.audit.reporting.tables import Wide, cell, distinct, present, source_note, wide
from contrechamp.audit.reporting.worlds import alert_world
from contrechamp.domain.text import Text


def section(facts: Facts, voice: Voice) -> list[Block]:
    """Tables of E12."""
    base = alert_world(facts)
    if base is None:
        return []
    rows = facts.rows("E12", "ppv", **base)
    ms = sorted({r["world"]["m"] for r in rows})
    used: list[Row] = []
    body = []
    for fa in sorted({r["world"]["fa_per_camera_day"] for r in rows}, reverse=True):
        for m in (ms[0], ms[-1]):
            world = {**base, "fa_per_camera_day": fa, "m": m}
            ppv = facts.one("E12", "ppv", **world)
            if ppv is None:
                continue
            others = [facts.one("E12", k, **world) for k in ("alerts_per_day", "minutes_per_true_event", "utilisation")]
            used += [r for r in (ppv, *others) if r is not None]
            title = (
                world_name({"fa_per_camera_day": fa, "m": m}, voice.lang)
                .replace(world_name({"fa_per_camera_day": fa}, voice.lang), w.plain_number(fa, voice.lang))
                .replace(world_name({"m": m}, voice.lang), f"m = {w.plain_number(m, voice.lang)}")
            )
            body.append(
                ((Span(title),), cell(ppv, voice), (Span(w.natural(ppv, voice.lang), "strong"),),
                 *(cell(r, voice) for r in others))
            )  # fmt: skip
    heads = (
        Column(voice(Text(fr="Fausses alertes par caméra et jour ; m", en="False alerts per camera and day; m"))),
        Column(voice(Text(fr="Alertes justes", en="Alerts right")), "right", 1),
        Column(voice(Text(fr="En fréquence naturelle", en="Natural frequency")), "right", 1),
        Column(voice(Text(fr="Alertes par jour", en="Alerts per day")), "right", 1),
        Column(voice(Text(fr="Minutes par fait trouvé", en="Minutes per event found")), "right", 1),
        Column(voice(Text(fr="Charge (1 : déborde)", en="Load (1: overflows)")), "right", 1),
    )
    caption = voice(
        Text(fr="E12 : {cameras} caméras, sensibilité {se} ; m, faits réels pour un fait vu en 2015.",
             en="E12: {cameras} cameras, sensitivity {se}; m, true events per event seen in 2015."),
        cameras=w.count(base["cameras"], voice.lang), se=w.percent(base["sensitivity"], voice.lang),
    )  # fmt: skip
    out: list[Block] = [Table(caption, heads, tuple(body), note=source_note(facts, voice, used))]
    rule = facts.rows("E12", "measured_false_per_camera_day")
    if rule:
        most = max(float(r["world"]["m"]) for r in facts.rows("E12", "ppv", **{"class": "measured"}))
        few = min(int(r["world"]["cameras"]) for r in facts.rows("E12", "ppv", **{"class": "measured"}))
        city = {"m": most}
        out += present(
            wide(
                facts, voice, "E12", head=Text(fr="Règle « immobile plus de T »", en="Rule 'still for more than T'"),
                caption=Text(
                    fr=f"E12 : aux taux d’alerte mesurés sur les personnes d’E09, machine parfaite, {few} caméras "
                    "devant de tels lieux, aucun fait vrai manqué, "
                    f"{w.plain_number(most, 'fr')} faits réels pour un fait vu en 2015.",
                    en=f"E12: at the alert rates measured on E09’s people, perfect machine, {few} cameras in front of "
                    f"such places, no true event missed, {w.plain_number(most, 'en')} true events per event seen in "
                    "2015.",
                ),
                rows=distinct(rule, "place", "T_s"), weight=1.6,
                columns=[
                    Wide(Text(fr="Par caméra et jour", en="Per camera and day"), "measured_false_per_camera_day", {}),
                    Wide(Text(fr="Alertes justes", en="Alerts right"), "ppv", city),
                    Wide(Text(fr="Alertes par jour", en="Alerts a day"), "alerts_per_day", city),
                    Wide(Text(fr="Charge (1 : déborde)", en="Load (1: overflows)"), "utilisation", city),
                ],
                name=lambda x: world_name(x, voice.lang),
            )
        )  # fmt: skip
    below = facts.rows("E12", "share_grid_ppv_below_50")
    if below:
        from contrechamp.audit.reporting.tables import stated

        said = Text(
            fr="Sur toute la grille posée, moins d’une alerte sur deux est juste dans {share} des cases ; une part de "
            "cases n’est pas une probabilité.",
            en="Over the whole stated grid, less than half of alerts are right in {share} of cells; a share of cells "
            "is not a probability.",
        )
        out.append(Para(voice(said, share=stated(below[0], voice))))
    return out
