"""E09: who is flagged by "static for more than T", what operators gain, what machines add."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from matplotlib.patches import Rectangle

from contrechamp.audit.figures import Drawing
from contrechamp.audit.figures.flip import draw_judged
from contrechamp.audit.figures.style import (
    LOOKS,
    RULE,
    RUST,
    canvas,
    curve,
    drawing,
    label,
    number_axis,
    percent_axis,
    threshold_line,
)
from contrechamp.audit.reporting.facts import Facts, Row
from contrechamp.audit.reporting.labels import key_name, value_name
from contrechamp.audit.reporting.sections.e09 import in_order
from contrechamp.audit.reporting.wording import percent, plain_number, typeset
from contrechamp.domain.text import Lang, Text
from contrechamp.domain.video import BOX, SITUATION, SUBJECT_ID, VISIBLE_BOX, VISIBLE_PX
from contrechamp.experiments.e09_ladder import BASE, TRACKS, scene_spec
from synthetic_data.scenes.render import Renderer
from synthetic_data.scenes.scripts import write_script

#: Half of the width and height of what is cut out of a frame, pixels.
_HALF_W: Final = 120
_HALF_H: Final = 75

_STATED = Text(
    fr="Limites : durées de séjour et affluences sont posées, non relevées.",
    en="Limits: dwell times and numbers of people are stated, not surveyed.",
)


def draw_roles(facts: Facts, lang: Lang) -> Drawing | None:
    """Share of those flagged beside share of hours, situation by situation, in each place."""
    flagged = facts.rows("E09", "share_of_alerts")
    if not flagged:
        return None
    places = list(dict.fromkeys(r["world"]["place"] for r in flagged))
    roles = sorted(
        dict.fromkeys(r["world"]["role"] for r in flagged),
        key=lambda role: max(float(r["value"] or 0) for r in flagged if r["world"]["role"] == role),
    )
    figure, axes = canvas(height=0.7 + 0.2 * len(roles), ncols=len(places), sharey=True, squeeze=False)
    for axis, place in zip(axes.flat, places, strict=True):
        for look, (measure, name) in enumerate(
            (
                ("share_of_alerts", Text(fr="part des personnes signalées", en="share of persons flagged")),
                ("share_of_hours", Text(fr="part des heures de présence", en="share of hours of presence")),
            )
        ):
            rows = {r["world"]["role"]: r for r in facts.rows("E09", measure, place=place)}
            color, marker, _ = LOOKS[look]
            for height, role in enumerate(roles):
                row = rows.get(role)
                if row is None or row["value"] is None:
                    continue
                axis.hlines(height, row["low"], row["high"], color=color, lw=1.2)
                axis.plot(row["value"], height, marker, color=color, mfc="white" if look else color,
                          label=name.in_(lang) if height == 0 and axis is axes.flat[0] else "")  # fmt: skip
        axis.set_yticks(range(len(roles)), [value_name("role", r, lang) for r in roles], fontsize=7)
        axis.set_ylim(-0.7, len(roles) - 0.3)
        axis.grid(axis="y", color=RULE, lw=0.4)
        axis.set_title(value_name("place", place, lang), fontsize=8)
        percent_axis(axis.xaxis, lang)
    figure.legend(loc="outside lower center", ncols=2)
    threshold = plain_number(float(flagged[0]["world"]["T_s"]), lang)
    return drawing(
        figure,
        lang,
        alt=Text(
            fr="Points : pour chaque situation, sa part des personnes signalées et sa part des heures de présence, "
            "dans chaque lieu.",
            en="Dots: for each situation, its share of persons flagged and its share of hours of presence, in each "
            "place.",
        ),
        caption=Text(
            fr=f"Qui est signalé, machine parfaite, règle « immobile », T = {threshold} s. Barres : intervalle à 95 %.",
            en=f"Who is flagged, perfect machine, rule “still”, T = {threshold} s. Bars: 95 % interval.",
        ),
        limits=_STATED,
    )


def draw_curve(facts: Facts, lang: Lang) -> Drawing | None:
    """Precision and recall against T, by how long targets stay."""
    rows = facts.rows("E09", "precision")
    if not rows:
        return None
    shares = sorted({float(r["world"]["prevalence"]) for r in rows})
    share = shares[len(shares) // 2]
    stays = sorted({float(r["world"]["target_stay_min"]) for r in rows})
    stays = [stays[0], stays[len(stays) // 2], stays[-1]] if len(stays) > 3 else stays
    place = rows[0]["world"]["place"]
    figure, axes = canvas(height=2.4, ncols=len(stays), sharey=True, squeeze=False)
    names = {"precision": Text(fr="précision", en="precision"), "recall": Text(fr="rappel", en="recall"),
             "false_positive_rate": Text(fr="autres passages signalés", en="other passages flagged")}  # fmt: skip
    for index, (axis, stay) in enumerate(zip(axes.flat, stays, strict=True)):
        for look, (measure, name) in enumerate(names.items()):
            found = _by_threshold(
                facts.rows("E09", measure, place=place, prevalence=share, target_stay_min=stay, rule="static")
            )
            times = [float(r["world"]["T_s"]) / 60 for r in found]
            curve(axis, times, found, look=look, name=name.in_(lang) if index == 0 else "")
        threshold_line(axis, 0.5, "")
        colon = "\u202f: " if lang == "fr" else ": "
        axis.set_title(f"{key_name('target_stay_min', lang).split(' (')[0]}{colon}{plain_number(stay, lang)} min",
                       fontsize=7.5)  # fmt: skip
        axis.set_ylim(-0.02, 1.02)
        number_axis(axis.xaxis, lang)
        percent_axis(axis.yaxis, lang)
        label(axis, Text(fr="T (minutes)", en="T (minutes)"), lang, which="x")
    figure.legend(loc="outside lower center", ncols=3)
    where, part = value_name("place", place, lang), value_name("prevalence", share, lang)
    return drawing(
        figure,
        lang,
        alt=Text(
            fr="Courbes selon T : précision, rappel et part des autres passages signalés, quand les cibles restent "
            "comme les autres et quand elles restent bien plus longtemps.",
            en="Curves against T: precision, recall and share of other passages flagged, when targets stay like others "
            "and when they stay much longer.",
        ),
        caption=Text(
            fr=f"Ce que gagne l’exploitant, {where}, {part} de cibles, machine parfaite, règle « immobile ». 0 min "
            ": les cibles restent comme les autres. Pointillés : 50 %.",
            en=f"What the operator gains, {where}, {part} of targets, perfect machine, rule “still”. 0 min: targets "
            "stay like others. Dotted: 50 %.",
        ),
        limits=_STATED,
    )


def draw_ladder(facts: Facts, lang: Lang) -> Drawing | None:
    """Share of frames in which a person is detected, by body, on each rung."""
    rows = facts.rows("E09", "seen_share")
    worlds = in_order([x["world"] for x in rows])
    rungs = [r for r in dict.fromkeys(x["rung"] for x in worlds) if r != TRACKS]
    if not rungs:
        return None
    bodies = list(dict.fromkeys(x["body"] for x in worlds))[::-1]
    figure, axes = canvas(height=0.8 + 0.24 * len(bodies) * max(1, len(rungs) / 3), squeeze=False)
    axis = axes.flat[0]
    for look, rung in enumerate(rungs):
        color, marker, _ = LOOKS[look % len(LOOKS)]
        for height, body in enumerate(bodies):
            row = facts.one("E09", "seen_share", rung=rung, body=body)
            if row is None or row["value"] is None:
                continue
            at = height + 0.22 * (look - (len(rungs) - 1) / 2)
            axis.hlines(at, row["low"], row["high"], color=color, lw=1.2)
            axis.plot(row["value"], at, marker, color=color, mfc="white" if look % 2 else color,
                      label=value_name("rung", rung, lang) if height == 0 else "")  # fmt: skip
    axis.set_yticks(range(len(bodies)), [value_name("body", b, lang) for b in bodies], fontsize=7)
    axis.set_xlim(-0.02, 1.02)
    percent_axis(axis.xaxis, lang)
    label(axis, Text(fr="images où la personne est détectée", en="frames in which the person is detected"), lang,
          which="x")  # fmt: skip
    figure.legend(loc="outside lower center", ncols=2)
    return drawing(
        figure,
        lang,
        alt=Text(
            fr="Points : part des images où la personne est détectée, selon le corps montré et l’échelon.",
            en="Dots: share of frames in which the person is detected, by body shown and rung.",
        ),
        caption=Text(
            fr="Même pas, même lieu, même lumière, autre corps. Barres : intervalle à 95 %, par scène.",
            en="Same steps, place and light, another body. Bars: 95 % interval, by scene.",
        ),
        limits=Text(
            fr="Limites : images de synthèse ; une personne allongée là où quelqu’un attendait est une question "
            "posée à une machine.",
            en="Limits: synthetic images; a person lying where someone waited is a question put to a machine.",
        ),
    )


def draw_worlds(facts: Facts, lang: Lang) -> Drawing | None:
    """Map of the operators' verdicts."""
    return draw_judged(
        facts, "E09", claim="V11", x="prevalence", y="target_stay_min", facet=("place", "rule"), lang=lang,
        seeds=Text(fr="cibles tirées", en="targets drawn"),
    )  # fmt: skip


def draw_hourly(facts: Facts, lang: Lang) -> Drawing | None:
    """Map of the critics' verdict per hour."""
    if "C08" not in facts.judged("E09"):
        return None
    return draw_judged(
        facts, "E09", claim="C08", x="T_s", y="repeat", facet=("place", "rule"), lang=lang,
        seeds=Text(fr="alertes à tort", en="wrong alerts"),
    )  # fmt: skip


def _by_threshold(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda r: float(r["world"]["T_s"]))


def draw_scene(facts: Facts, lang: Lang) -> Drawing | None:
    """The same instant of the first scene with each body in turn, as the camera sees it, boxes from the truth."""
    rows = facts.rows("E09", "seen_share", rung=TRACKS)
    if not rows:
        return None
    asked = facts.request["parameters"]["E09"]
    spec = scene_spec(
        0, duration_s=float(asked["clip_s"]), fps=float(asked["clip_fps"]), seed=int(facts.request["seed"])
    )
    bodies = [BASE, *(b for b in dict.fromkeys(str(r["world"]["body"]) for r in rows) if b != BASE)]
    twins = [write_script(spec if b == BASE else replace(spec, swap=((BASE, b),))) for b in bodies]
    waiting = twins[0].subjects.loc[twins[0].subjects[SITUATION] == BASE, SUBJECT_ID].to_numpy()
    drawn = [Renderer(script).frame(spec.n_frames // 2) for script in twins]
    # around the one among those who wait who shows best when standing
    seen = drawn[0].truth[drawn[0].truth[SUBJECT_ID].isin(waiting)]
    if seen.empty:
        return None
    star = seen.iloc[int(seen[VISIBLE_PX].to_numpy().argmax())]
    x, y = (int((star[a] + star[b]) / 2) for a, b in ((BOX[0], BOX[2]), (BOX[1], BOX[3])))
    left = min(max(x - _HALF_W, 0), spec.width_px - 2 * _HALF_W)
    top = min(max(y - _HALF_H, 0), spec.height_px - 2 * _HALF_H)
    figure, axes = canvas(height=3.6, ncols=3, nrows=-(-len(bodies) // 3), squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    for axis, body, picture in zip(axes.flat, bodies, drawn, strict=False):
        axis.imshow(picture.image[top : top + 2 * _HALF_H, left : left + 2 * _HALF_W], interpolation="nearest")
        for _, person in picture.truth[picture.truth[SUBJECT_ID].isin(waiting)].iterrows():
            x1, y1, x2, y2 = (float(person[c]) for c in VISIBLE_BOX)
            axis.add_patch(Rectangle((x1 - left, y1 - top), x2 - x1, y2 - y1, fill=False, ec=RUST, lw=1.0))
        axis.set_xlim(0, 2 * _HALF_W)
        axis.set_ylim(2 * _HALF_H, 0)
        found = facts.one("E09", "seen_share", rung="yolo", body=body)
        share = "" if found is None or found["value"] is None else f" : {percent(float(found['value']), lang)}"
        axis.set_title(typeset(value_name("body", body, lang) + share, lang), fontsize=7.5)
    return drawing(
        figure,
        lang,
        alt=Text(
            fr="Vignettes : le même instant d’une même scène de synthèse, où les personnes qui attendent debout sont "
            "remplacées par un autre corps : assis au sol, allongé, en fauteuil, enfant, vendeur.",
            en="Pictures: the same instant of one synthetic scene, in which the people who stand and wait are replaced "
            "by another body: seated on the ground, lying, in a wheelchair, a child, a vendor.",
        ),
        caption=Text(
            fr="La première scène, et ses jumelles : mêmes pas, même lumière, autre corps (cadres). En tête, quand un "
            "détecteur est essayé : part des images où il voit la personne, sur toutes les scènes (intervalles au "
            "tableau).",
            en="The first scene and its twins: same steps, same light, another body (frames). Above, when a detector "
            "is tried: share of images in which it sees the person, over all scenes (intervals in the table).",
        ),
        limits=Text(
            fr="Limites : personnes de synthèse ; l’image du milieu, cadrée sur qui s’y voit le mieux debout.",
            en="Limits: synthetic people; one image, the middle one; cut round who shows best in it standing.",
        ),
    )
