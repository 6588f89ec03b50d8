"""Sentences of the video page, in both languages."""

from __future__ import annotations

from typing import Final

from contrechamp.domain.text import Text

HEADING: Final = Text(fr="Vidéo : qui est signalé", en="Video: who is flagged")
INTRO: Final = Text(
    fr="Une règle de vidéosurveillance algorithmique compte un temps, une posture ou un passage, puis signale. Les "
    "scènes sont inventées : on y sait donc sur qui tombe chaque alerte. D’abord ce que fait la règle avec une machine "
    "parfaite, qu’aucun progrès ne corrigera, puis ce qu’ajoutent de vraies machines.",
    en="A rule of algorithmic video surveillance counts a time, a posture or a crossing, then flags. The scenes are "
    "invented, so it is known on whom each alert falls. First what the rule does with a perfect machine, which no "
    "progress will mend, then what real machines add.",
)
#: What the page shows, as the address says it.
AUDIT, CLIPS = "audit", "clips"
SHOWS: Final = {
    AUDIT: Text(fr="Les chiffres de l’audit (E09)", en="Figures of the audit (E09)"),
    CLIPS: Text(fr="Des clips à regarder", en="Clips to watch"),
}
WORDS: Final = {
    "show": Text(fr="Montrer", en="Show"),
    "place": Text(fr="Lieu", en="Place"),
    "T": Text(fr="Signalé après T", en="Flagged after T"),
    "count": Text(fr="Ce que compte la règle", en="What the rule counts"),
    "preset": Text(fr="Définition livrée", en="Shipped definition"),
    "footage": Text(fr="Exécution de `vsa detect`", en="Run of `vsa detect`"),
    "clip": Text(fr="Clip", en="Clip"),
    "alert": Text(fr="Alerte expliquée", en="Alert explained"),
    "table": Text(fr="Les mêmes nombres, en table", en="The same numbers, as a table"),
    "situation": Text(fr="situation", en="situation"),
    "body": Text(fr="corps montré", en="body shown"),
    "definition": Text(fr="définition, T", en="definition, T"),
    "no_e09": Text(
        fr="Cette exécution n’a pas joué l’expérience E09. Pour la jouer, en une minute ou deux :",
        en="This run did not play experiment E09. To play it, in a minute or two:",
    ),
    "no_footage": Text(
        fr="Aucune exécution de vidéo dans le dossier {folder}. Pour en faire une, puis recharger la page :",
        en="No video run in the folder {folder}. To make one, then reload the page:",
    ),
    "gone": Text(
        fr="L’exécution de vidéo {run} que nomme l’adresse n’est pas dans ce dossier ; la plus récente est montrée.",
        en="The video run {run} that the address names is not in this folder; the latest is shown.",
    ),
    "damaged": Text(
        fr="L’exécution de vidéo {run} ne peut pas être lue. {cause} Choisissez-en une autre, ou refaites-la avec "
        "contrechamp vsa detect.",
        en="The video run {run} cannot be read. {cause} Choose another one, or make it again with contrechamp vsa "
        "detect.",
    ),
    "burden": Text(fr="Qui une machine parfaite signale", en="Whom a perfect machine flags"),
    "burden_read": Text(
        fr="Deux lectures, et aucune n’est l’autre. Par le nombre : de tous ceux qui sont signalés, combien sont dans "
        "cette situation (●), à côté de sa part du temps passé là (◇). Par heure de présence : ce que coûte une heure "
        "passée là. Par passage : la chance d’être signalé en venant.",
        en="Two readings, and neither is the other. By number: of all who are flagged, how many are in this situation "
        "(●), beside its share of the time spent there (◇). Per hour of presence: what an hour spent there costs. Per "
        "passage: the chance of being flagged by coming.",
    ),
    "burden_alt": Text(
        fr="Pour chaque situation, part des signalés et part des heures, alertes par heure de présence, signalés pour "
        "mille passages ; les mêmes nombres sont en table dessous",
        en="For each situation, share of those flagged and share of hours, alerts per hour of presence, flagged per "
        "thousand passages; the same numbers are in a table below",
    ),
    "counts": Text(
        fr="À ce réglage, les intervalles sont faits ici à partir des comptes de l’exécution.",
        en="At this setting, intervals are made here from the counts of the run.",
    ),
    "against": Text(
        fr="Les sans-abri et les autres, dans chaque lecture",
        en="People sleeping rough and the others, in each reading",
    ),
    "ladder": Text(fr="L’échelle des machines", en="The ladder of machines"),
    "ladder_read": Text(
        fr="Les mêmes séjours, vus par des machines de moins en moins parfaites. 1 : la règle seule. 2 : la règle et "
        "un suiveur. 3 : un détecteur en plus.",
        en="The same stays, seen by machines that are less and less perfect. 1: the rule alone. 2: the rule and a "
        "tracker. 3: a detector as well.",
    ),
    "ladder_alt": Text(
        fr="Un panneau par échelon, de la machine parfaite aux détecteurs : part des images où la personne est "
        "détectée, suivie, part des séjours signalés, selon le corps montré",
        en="A panel a rung, from the perfect machine to detectors: share of frames in which the person is detected, "
        "followed, share of stays flagged, by the body shown",
    ),
    "pairs": Text(fr="Même pas, autre corps", en="Same steps, another body"),
    "pairs_read": Text(
        fr="Chaque scène est jouée deux fois, pas pour pas, avec un autre corps à la place de qui attend debout. "
        "L’écart est donc dû au corps. À gauche de zéro : moins détecté, moins suivi, moins signalé.",
        en="Each scene is played twice, step for step, with another body in place of who waits standing. So the gap is "
        "due to the body. Left of zero: less detected, less followed, less flagged.",
    ),
    "pairs_alt": Text(
        fr="Écarts entre scènes jumelles, selon le corps et l’échelon : détection, suivi, signalement",
        en="Gaps between twin scenes, by body and rung: detection, tracking, being flagged",
    ),
    "presets": Text(fr="Une même durée, plusieurs définitions livrées", en="One duration, several shipped definitions"),
    "presets_alt": Text(
        fr="Alertes par caméra et par jour de chaque définition livrée, sur les mêmes pistes parfaites",
        en="Alerts per camera and day of each shipped definition, on the same perfect tracks",
    ),
    "nothing": Text(fr="Rien d’estimable ici.", en="Nothing estimable here."),
    "clips": Text(fr="Clips de cette exécution", en="Clips of this run"),
    "watched": Text(fr="Détecteur : {detector} ; suiveur : {tracker}.", en="Detector: {detector}; tracker: {tracker}."),
    "none_watched": Text(fr="Aucun clip n’a été vu jusqu’au bout.", en="No clip was watched to its end."),
    "video": Text(
        fr="Clip {clip}, avec la zone, les boîtes et les alertes de la machine, aussi en sous-titres",
        en="Clip {clip}, with the zone, the boxes and the alerts of the machine, also as subtitles",
    ),
    "no_subtitle": Text(fr="sans", en="none"),
    "bare": Text(
        fr="Clip {clip} tel qu’il a été filmé ; les alertes sont en sous-titres",
        en="Clip {clip} as it was filmed; the alerts are its subtitles",
    ),
    "no_video": Text(
        fr="Pas de vidéo à montrer pour ce clip. `contrechamp vsa detect … --pictures` écrit le clip annoté à côté de "
        "l’exécution.",
        en="No video to show for this clip. `contrechamp vsa detect … --pictures` writes the annotated clip beside the "
        "run.",
    ),
    "sheet": Text(
        fr="Planche-contact du clip {clip} : qui est là, en vérité",
        en="Contact sheet of {clip}: who is there, in truth",
    ),
    "moments": Text(
        fr="Images des alertes du clip {clip}, vues par la machine",
        en="Frames of the alerts of {clip}, as the machine saw them",
    ),
    "alerts": Text(fr="Alertes du clip {clip} ({n})", en="Alerts of {clip} ({n})"),
    "first": Text(fr="Les {n} premières sont listées.", en="The first {n} are listed."),
    "no_alert": Text(fr="Aucune alerte sur ce clip.", en="No alert on this clip."),
    "trace": Text(
        fr="Compteur de la règle au fil de la vidéo, jusqu’à l’alerte {n} ; les états sont en table dessous",
        en="The rule’s clock along the video, until alert {n}; its states are in a table below",
    ),
    "no_trace": Text(
        fr="L’exécution n’a pas gardé la trace de cette alerte.", en="The run kept no trace of this alert."
    ),
    "scored": Text(fr="Qui est signalé dans cette exécution", en="Who is flagged in this run"),
    "scored_read": Text(
        fr="Alertes sur des personnes qui ne faisaient aucun tort, tous clips ensemble. 1 : la règle avec une machine "
        "parfaite. 2 : un suiveur en plus. 3 : la machine qui a tourné.",
        en="Alerts on people who did no harm, all clips together. 1: the rule with a perfect machine. 2: a tracker as "
        "well. 3: the machine that ran.",
    ),
    "scored_alt": Text(
        fr="Pour chaque situation et chaque échelon, part des séjours signalés, alertes par heure de présence, part "
        "des alertes et des heures",
        en="For each situation and rung, share of stays flagged, alerts per hour of presence, share of alerts and of "
        "hours",
    ),
    "no_scores": Text(
        fr="Cette exécution n’a pas été comparée à la vérité. Pour savoir sur qui tombent ses alertes :",
        en="This run was not held against the truth. To know on whom its alerts fall:",
    ),
    "no_live": Text(
        fr="Il n’existe pas d’exécution sans vérité : une caméra, un flux ou une vidéo seule sont refusés, car on n’y "
        "saurait pas sur qui une alerte tombe à tort.",
        en="There is no run without truth: a camera, a stream or a lone video is refused, because it could not be "
        "known on whom an alert wrongly falls.",
    ),
    "few": Text(
        fr="Les personnes d’une même scène se ressemblent : avec peu de scènes, ces intervalles sont trop courts.",
        en="Persons of one scene resemble each other: with few scenes these intervals are too short.",
    ),
}
COLUMNS: Final = {
    "reading": Text(fr="lecture", en="reading"),
    "estimate": Text(fr="estimation", en="estimate"),
    "interval": Text(fr="intervalle à 95\u00a0%", en="95% interval"),
    "n": Text(fr="n", en="n"),
    "method": Text(fr="méthode", en="method"),
    "id": Text(fr="résultat", en="result"),
}
