"""The card of the trained detector, in French and in English, made from its manifest: no figure is typed by hand.

What it cannot tell you: a card describes a detector on drawn stills. No card makes it fit for a street.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from contrechamp.domain.situations import SITUATIONS
from contrechamp.domain.text import Lang, Text

_TITLE: Final = Text(
    fr="# `yolo` · Petit réseau entraîné sur des scènes dessinées",
    en="# `yolo` · Small network trained on drawn scenes",
)
_OTHER: Final = Text(fr="[English](yolo.en.md)", en="[Français](yolo.md)")
_WHAT: Final = Text(
    fr="Met une boîte autour de chaque personne et de chaque bagage laissé, avec une note entre 0 et 1. Le réseau est "
    "un {base} réduit au huitième de sa largeur, parti de poids tirés au sort : rien n’est repris de photographies.",
    en="Puts a box around each person and each bag left behind, with a score between 0 and 1. The network is a {base} "
    "cut to an eighth of its width, started from random weights: nothing is taken from photographs.",
)
_TRAINED: Final = Text(
    fr="{images} images fixes dessinées de {imgsz} pixels de côté, montrées {epochs} fois, graine {seed}. Chaque "
    "personne y est mise dans une situation tirée également parmi les {n} : ce que le réseau manque ne vient pas d’un "
    "manque d’exemples. On ne lui demande pas ceux dont moins de {px} pixels, ou moins de {share} % du corps, "
    "dépassent.",
    en="{images} drawn stills of {imgsz} pixels a side, shown {epochs} times, seed {seed}. Each person in them is put "
    "in a situation drawn evenly from the {n}: what the network misses is not for want of examples. It is not asked "
    "for those of whom fewer than {px} pixels, or less than {share}% of the body, show.",
)
_STAGES: Final = Text(
    fr="Il ne partait pas du hasard mais de poids (SHA-256 `{sha}`) entraînés de même sur {images} images montrées "
    "{epochs} fois.",
    en="It did not start from chance but from weights (SHA-256 `{sha}`) trained alike on {images} stills shown "
    "{epochs} times.",
)
_THEN: Final = Text(fr=", puis ", en=", then ")
_KEPT_AWAY: Final = Text(
    fr="Vus à l’entraînement : lieux {places} ; lumières {lights} ; caméras de {low} à {high} m. Jamais vus, et gardés "
    "pour l’épreuve : lieux {new_places} ; lumière {new_lights} ; caméras au-dessus de {high} m.",
    en="Seen in training: places {places}; lights {lights}; cameras at {low} to {high} m. Never seen, and kept for the "
    "test: places {new_places}; light {new_lights}; cameras above {high} m.",
)
_SCORES_SAY: Final = Text(
    fr="Rappel : part des personnes qui reçoivent une boîte d’une note d’au moins {at}. AP50 : précision moyenne à "
    "recouvrement de moitié (COCO). Intervalles à 95 % par rééchantillonnage des images ({replicates} tirages). "
    "L’AP50 d’une situation compte les fausses boîtes de toutes et baisse avec sa rareté : pour comparer des "
    "situations, lire le rappel.",
    en="Recall: share of persons given a box with a score of at least {at}. AP50: average precision at half overlap "
    "(COCO). 95% intervals by resampling images ({replicates} draws). The AP50 of a situation counts everybody’s "
    "false boxes and falls with its rarity: to compare situations, read the recall.",
)
_HEADS: Final[Mapping[str, Text]] = {
    "what": Text(fr="Ce qu’il fait", en="What it does"),
    "trained": Text(fr="Sur quoi il fut entraîné", en="What it was trained on"),
    "facts": Text(fr="Ce que dit le code", en="What the code says"),
    "scores": Text(fr="Ses scores", en="Its scores"),
    "sets": Text(fr="Selon les images", en="By stills"),
    "situation": Text(fr="Par situation, dans les lieux jamais vus", en="By situation, in places never seen"),
    "visibility": Text(
        fr="Par part visible du corps, dans les lieux jamais vus",
        en="By share of the body that shows, in places never seen",
    ),
    "limits": Text(fr="Ce qu’il ne peut pas dire", en="What it cannot tell you"),
    "use": Text(fr="Usage", en="Use"),
    "references": Text(fr="Références", en="References"),
}
_COLUMNS: Final = Text(
    fr="| {what} | Boîtes vraies | Rappel | AP50 |\n|---|---|---|---|",
    en="| {what} | True boxes | Recall | AP50 |\n|---|---|---|---|",
)
_WHICH: Final[Mapping[str, Text]] = {
    "sets": Text(fr="Images", en="Stills"),
    "situation": Text(fr="Situation", en="Situation"),
    "visibility": Text(fr="Part visible", en="Share that shows"),
}
_SETS: Final[Mapping[str, Text]] = {
    "seen": Text(fr="lieux, lumières et caméras de l’entraînement", en="places, lights and cameras of training"),
    "unseen": Text(fr="lieux jamais vus", en="places never seen"),
    "unseen light": Text(fr="lieux et lumière jamais vus", en="places and light never seen"),
    "unseen camera": Text(fr="lieux et hauteurs de caméra jamais vus", en="places and camera heights never seen"),
}
_LABELS: Final[Mapping[str, Text]] = {
    "person": Text(fr="personnes", en="persons"),
    "object": Text(fr="bagages", en="bags"),
}
_FALSE: Final = Text(
    fr="Fausses boîtes de personne par image, dans les lieux jamais vus : {value} (n = {n} images).",
    en="False boxes of persons an image, in places never seen: {value} (n = {n} images).",
)
_FACTS: Final = Text(
    fr="- Fichiers scellés par leur SHA-256, vérifié à chaque chargement : {files}.\n"
    "- Ni pickle ni `.pt` : safetensors, ONNX et OpenVINO, qui ne peuvent exécuter de code.\n"
    "- Images d’entraînement et étiquettes : SHA-256 `{data}`.\n"
    "- Refaire : {again}.",
    en="- Files sealed by their SHA-256, checked at every load: {files}.\n"
    "- Neither pickle nor `.pt`: safetensors, ONNX and OpenVINO, which cannot run code.\n"
    "- Training images and labels: SHA-256 `{data}`.\n"
    "- To make it again: {again}.",
)
_LIMITS: Final = Text(
    fr="Comment voit un produit vendu à une ville : ce réseau n’a jamais vu une personne réelle. Les écarts entre "
    "situations viennent ici du corps, de ce qui le cache et de la caméra ; ceux qu’ajoutent des photographies "
    "inégalement choisies n’y sont pas. Un lieu dessiné jamais vu reste plus proche des autres qu’une rue.",
    en="How a product sold to a city sees: this network never saw a real person. Gaps between situations come here "
    "from the body, from what hides it and from the camera; those added by photographs unevenly chosen are not in it. "
    "A drawn place never seen is still nearer to the others than a street.",
)
_USE: Final = Text(
    fr="Fait pour mesurer, sur des scènes dessinées dont on sait tout, ce qu’un détecteur ajoute à une règle. Pas fait "
    "pour être branché sur une caméra : il n’y a pas de mode pour cela.",
    en="Made to measure, on drawn scenes of which all is known, what a detector adds to a rule. Not made to be plugged "
    "into a camera: there is no mode for that.",
)
_REFERENCES: Final = (
    "- Redmon et al. (2016), “You only look once: unified, real-time object detection”, CVPR, "
    "doi:10.1109/CVPR.2016.91.\n"
    "- Lin et al. (2014), “Microsoft COCO: common objects in context”, ECCV, doi:10.1007/978-3-319-10602-1_48."
)


def detector_card(manifest: Mapping[str, Any], *, lang: Lang) -> str:
    """The card as Markdown.

    Parameters
    ----------
    manifest : mapping
        As written by :func:`contrechamp.pipelines.vsa_training.train_detector`.
    lang : {"fr", "en"}
    """
    training, evaluation = manifest["training"], manifest["evaluation"]
    rows: Sequence[Mapping[str, Any]] = evaluation["scores"]
    unseen = evaluation["sets"]["unseen"]
    seen = training["stills"]
    new_lights = [x for x in unseen["ranges"]["lights"] if x not in seen["lights"]]
    unit = "Mo" if lang == "fr" else "MB"
    files = ", ".join(
        f"`{name}` ({_number(f['bytes'] / 1e6, 2, lang)} {unit})" for name, f in sorted(manifest["files"].items())
    )
    parts = [
        _TITLE.in_(lang), _OTHER.in_(lang),
        _head("what", lang), _WHAT.in_(lang).format(base=manifest["architecture"]["base"].removesuffix(".yaml")),
        _head("trained", lang),
        _TRAINED.in_(lang).format(
            images=_whole(training["images"], lang), imgsz=training["imgsz"], epochs=training["epochs"],
            seed=training["seed"], n=len(SITUATIONS), px=training["min_visible_px"],
            share=round(100 * training["min_visibility"]),
        ),
        *_stages(training, lang),
        _KEPT_AWAY.in_(lang).format(
            places=_list(seen["places"]), lights=_list(seen["lights"]), new_lights=_list(new_lights),
            new_places=_list(unseen["ranges"]["places"]), low=_number(seen["camera_height_m"][0], 1, lang),
            high=_number(seen["camera_height_m"][1], 1, lang),
        ),
        _head("facts", lang),
        _FACTS.in_(lang).format(files=files, data=training["data_sha256"], again=_again(training, lang)),
        _head("scores", lang),
        _SCORES_SAY.in_(lang).format(at=_number(evaluation["at_score"], 2, lang), replicates=evaluation["replicates"]),
        _head("sets", lang, level=3), _sets_table(rows, evaluation["sets"], lang),
        _FALSE.in_(lang).format(
            value=_number(unseen["false_boxes_per_image"]["person"], 2, lang), n=_whole(unseen["images"], lang)
        ),
        _head("situation", lang, level=3), _slices_table("situation", rows, lang),
        _head("visibility", lang, level=3), _slices_table("visibility", rows, lang),
        _head("limits", lang), _LIMITS.in_(lang), _head("use", lang), _USE.in_(lang),
        _head("references", lang), _REFERENCES,
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def _chain(training: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The trainings that led to the weights, the first one first."""
    before = training.get("start")
    return [*(_chain(before) if before else []), training]


def _stages(training: Mapping[str, Any], lang: Lang) -> list[str]:
    return [
        _STAGES.in_(lang).format(sha=stage["sha256"][:12], images=_whole(stage["images"], lang), epochs=stage["epochs"])
        for stage in reversed(_chain(training)[:-1])
    ]


def _again(training: Mapping[str, Any], lang: Lang) -> str:
    commands = []
    for number, stage in enumerate(_chain(training), start=1):
        asked = " ".join(f"--{name} {stage[name]}" for name in ("seed", "images", "epochs", "imgsz"))
        after = f" --start etape{number - 1}" if number > 1 else ""
        commands.append(f"`contrechamp vsa train --out etape{number} {asked}{after}`")
    return _THEN.in_(lang).join(commands)


def _head(name: str, lang: Lang, *, level: int = 2) -> str:
    return f"{'#' * level} {_HEADS[name].in_(lang)}"


def _sets_table(rows: Sequence[Mapping[str, Any]], sets: Mapping[str, Any], lang: Lang) -> str:
    lines = [
        _line(
            f"{_SETS[r['stills']].in_(lang)}, {_LABELS[r['label']].in_(lang)} "
            f"({_whole(sets[r['stills']]['images'], lang)} images)", r, lang,
        )
        for r in rows if r["by"] == "all"
    ]  # fmt: skip
    return "\n".join([_COLUMNS.in_(lang).format(what=_WHICH["sets"].in_(lang)), *lines])


def _slices_table(by: str, rows: Sequence[Mapping[str, Any]], lang: Lang) -> str:
    chosen = [r for r in rows if r["by"] == by and r["stills"] == "unseen" and r["label"] == "person" and r["n_boxes"]]
    if by == "situation":
        chosen = sorted(chosen, key=lambda r: -(r["recall"] or 0.0))
    lines = [_line(SITUATIONS[r["key"]].label.in_(lang) if by == "situation" else r["key"], r, lang) for r in chosen]
    return "\n".join([_COLUMNS.in_(lang).format(what=_WHICH[by].in_(lang)), *lines])


def _line(what: str, row: Mapping[str, Any], lang: Lang) -> str:
    cells = [what, _whole(row["n_boxes"], lang), *(_interval(row, name, lang) for name in ("recall", "ap50"))]
    return f"| {' | '.join(cells)} |"


def _interval(row: Mapping[str, Any], name: str, lang: Lang) -> str:
    value, low, high = row[name], row[f"{name}_low"], row[f"{name}_high"]
    if value is None:
        return "–"
    if low is None or high is None:
        return _number(value, 3, lang)
    between = " ; " if lang == "fr" else ", "
    return f"{_number(value, 3, lang)} [{_number(low, 3, lang)}{between}{_number(high, 3, lang)}]"


def _number(value: float, digits: int, lang: Lang) -> str:
    text = f"{value:.{digits}f}"
    return text.replace(".", ",") if lang == "fr" else text


def _whole(value: int, lang: Lang) -> str:
    text = f"{value:,}"
    return text.replace(",", " ") if lang == "fr" else text


def _list(names: Sequence[str]) -> str:
    return ", ".join(names)
