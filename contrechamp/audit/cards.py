"""Model cards: one page per predictor and language, made from its code, its parameters and its scores.

``python -m contrechamp.audit.cards docs/models`` writes them all. Parameters, domains, schedule, references and what is
stored are read from the code, so that a card cannot say something else than what runs; the sentences are in
:mod:`contrechamp.audit.card_texts`. Scores come from a table of a frozen backtest, where one is given, with their
intervals and their n; a card without one says so.

What it cannot tell you: a card describes a map of records. No card makes it fit for a use.

References
----------
.. [1] Mitchell et al. (2019), "Model cards for model reporting", FAT* '19, 220-229, doi:10.1145/3287560.3287596.
"""

from __future__ import annotations

import argparse
import inspect
import json
import math
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from contrechamp.audit.card_texts import CARD_TEXTS, PARAMETER_TEXTS
from contrechamp.domain.errors import ContractError, ContrechampError, ParameterError
from contrechamp.domain.text import LANGS, Lang, Text
from contrechamp.pipelines.backtest import MEASURES
from contrechamp.pipelines.vsa_card import detector_card
from contrechamp.store.files import write_text
from models import PREDICTORS, predictor_class
from models.base import BasePredictor, Choice, Domain
from vsa.detectors.weights import read_weights

#: Beside the cards: results of the last frozen backtest, as ``results.json`` of a run holds them. May be absent.
SCORES: Final = "scores.json"
#: Measures a card shows.
SHOWN: Final = ("hit_rate", "pai", "pei", "gain_pai", "log_gain")

_HEADS: Final[Mapping[str, Text]] = {
    "what": Text(fr="Ce qu’il fait", en="What it does"),
    "parameters": Text(fr="Paramètres", en="Parameters"),
    "facts": Text(fr="Ce que dit le code", en="What the code says"),
    "scores": Text(fr="Ses scores", en="Its scores"),
    "limits": Text(fr="Ce qu’il ne peut pas dire", en="What it cannot tell you"),
    "use": Text(fr="Usage", en="Use"),
    "references": Text(fr="Références", en="References"),
}
_PARAMETER_HEAD: Final = Text(fr="| Nom | Défaut | Domaine | Sens |", en="| Name | Default | Domain | Meaning |")
_SCORE_HEAD: Final = Text(
    fr="| Mesure | Surface | Évalué sur | Valeur | Intervalle | n (jours) |",
    en="| Measure | Area | Scored on | Value | Interval | n (days) |",
)
_NO_SCORES: Final = Text(
    fr="Aucun score figé n’est joint à cette fiche. `contrechamp hotspot backtest` les mesure, sur les enregistrements "
    "et, dans un monde simulé, sur ce qui est arrivé.",
    en="No frozen score is attached to this card. `contrechamp hotspot backtest` measures them, on records and, in a "
    "simulated world, on what happened.",
)
_ON: Final[Mapping[str, Text]] = {
    "records": Text(fr="enregistrements", en="records"),
    "truth": Text(fr="incidents réels (simulés)", en="latent incidents (simulated)"),
}
_SCORES_SAY: Final = Text(
    fr="Mesurés dans une ville inventée, sous sa façon d’enregistrer. Ceux sur les enregistrements disent comment la "
    "carte annonce l’enregistrement, non ce qui arrive aux gens.",
    en="Measured in an invented city, under its way of recording. Those on records say how well the map foretells "
    "recording, not what happens to people.",
)
_USE: Final = Text(
    fr="Fait pour être comparé à d’autres sur données synthétiques ou publiées, et pour éprouver ce qui se dit de tels "
    "outils. Pas fait pour diriger des patrouilles, ni pour juger une personne, un immeuble ou un quartier.",
    en="Made to be compared with others on synthetic or published data, and to test what is said of such tools. Not "
    "made to direct patrols, nor to judge a person, a building or a neighbourhood.",
)
_INDEX: Final[Mapping[str, Text]] = {
    "detector": Text(
        fr="Ce qui regarde des images n’est pas un prédicteur et a sa propre fiche : [`yolo`]({}).",
        en="What looks at images is no predictor and has a card of its own: [`yolo`]({}).",
    ),
    "title": Text(fr="# Fiches des prédicteurs", en="# Model cards of the predictors"),
    "intro": Text(
        fr="Écrites d’après le code par `make docs`. Chaque carte range des lieux selon ce qui y fut *enregistré*.",
        en="Written from the code by `make docs`. Every map ranks places by what was *recorded* in them.",
    ),
    "head": Text(fr="| Clef | Nom | Réestimé tous les |", en="| Key | Name | Estimated again every |"),
}
_UNITS: Final[Mapping[str, Text]] = {
    "days": Text(fr="jours", en="days"),
    "weeks": Text(fr="semaines", en="weeks"),
    "cells": Text(fr="mailles", en="cells"),
    "m": Text(fr="m", en="m"),
}
#: What no bounds and no list of names can say.
_DOMAINS: Final[Mapping[str, Text]] = {
    "Members": Text(
        fr="au moins deux clefs jointes par `+`, aucune deux fois, pas `ensemble`",
        en="two keys or more joined by `+`, none twice, not `ensemble`",
    ),
}


def card(key: str, *, lang: Lang, scores: Sequence[Mapping[str, Any]] = ()) -> str:
    """The card of one predictor, as Markdown.

    Parameters
    ----------
    key : str
        Of :data:`models.PREDICTORS`.
    lang : {"fr", "en"}
    scores : sequence of mapping
        Results of a backtest, as :meth:`contrechamp.domain.results.Result.to_dict` writes them. Those of other
        predictors are ignored.

    Raises
    ------
    ParameterError
        If the predictor does not exist, or nothing is written about it or about one of its parameters.
    """
    cls = predictor_class(key)
    if key not in CARD_TEXTS:
        raise ParameterError(
            f"Nothing is written about the predictor {key!r}. Say what it does and what it cannot tell, in French and "
            "in English, in contrechamp/audit/card_texts.py."
        )
    said = CARD_TEXTS[key]
    other: Lang = "en" if lang == "fr" else "fr"
    parts = [
        f"# `{key}` · {said.title.in_(lang)}",
        f"[{'English' if other == 'en' else 'Français'}]({card_name(key, lang=other)})",
        *_section("what", said.what.in_(lang), lang),
        *_section("parameters", _parameters(key, cls, lang), lang),
        *_section("facts", _facts(key, cls, lang), lang),
        *_section("scores", _scores(key, scores, lang), lang),
        *_section("limits", said.limits.in_(lang), lang),
        *_section("use", _USE.in_(lang), lang),
    ]
    references = references_of(cls)
    if references:
        parts += _section("references", "\n".join(f"- {one}" for one in references), lang)
    return "\n\n".join(parts) + "\n"


def index(*, lang: Lang) -> str:
    """The list of cards, as Markdown."""
    rows = [
        f"| [`{key}`]({card_name(key, lang=lang)}) | {CARD_TEXTS[key].title.in_(lang)} | "
        f"{_days(predictor_class(key).REFIT_DAYS, lang)} |"
        for key in PREDICTORS
    ]
    table = "\n".join([_INDEX["head"].in_(lang), "|---|---|---|", *rows])
    detector = _INDEX["detector"].in_(lang).format(card_name("yolo", lang=lang))
    return "\n\n".join([_INDEX["title"].in_(lang), _INDEX["intro"].in_(lang), table, detector]) + "\n"


def all_cards(scores: Sequence[Mapping[str, Any]] = ()) -> dict[str, str]:
    """Every file of ``docs/models``, by its name."""
    files = {card_name("README", lang=lang): index(lang=lang) for lang in LANGS}
    files |= {card_name(key, lang=lang): card(key, lang=lang, scores=scores) for key in PREDICTORS for lang in LANGS}
    manifest = read_weights().manifest
    return files | {card_name("yolo", lang=lang): detector_card(manifest, lang=lang) for lang in LANGS}


def card_name(key: str, *, lang: Lang) -> str:
    """File name of a card: ``<key>.md`` in French, ``<key>.en.md`` in English."""
    return f"{key}.md" if lang == "fr" else f"{key}.en.md"


def references_of(cls: type[BasePredictor]) -> list[str]:
    """References of the module that defines ``cls``, one line each, without their numbers."""
    text = inspect.cleandoc(sys.modules[cls.__module__].__doc__ or "")
    _, _, after = text.partition("\nReferences\n")
    return [" ".join(one.split()) for one in re.split(r"\n\.\. \[\d+\] ", after)[1:]]


def read_scores(folder: Path) -> list[dict[str, Any]]:
    """Results of the last frozen backtest kept beside the cards; none where there is no such file.

    Raises
    ------
    ContractError
        If the file is no list of results.
    """
    path = folder / SCORES
    if not path.exists():
        return []
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        rows = found["results"] if isinstance(found, dict) else found
        ok = isinstance(rows, list) and all(
            isinstance(r, dict)
            and isinstance(r.get("world"), dict)
            and {"measure", "value", "low", "high", "n"} <= set(r)
            for r in rows
        )
    except (OSError, ValueError, KeyError, RecursionError) as cause:
        raise ContractError(f"{path} cannot be read as results: {cause}. Copy results.json of a run there.") from cause
    if not ok:
        raise ContractError(f"{path} must be a list of results, as results.json of a run holds them.")
    return list(rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write every card into a folder. Nothing else there is touched."""
    parser = argparse.ArgumentParser(prog="python -m contrechamp.audit.cards", description=main.__doc__)
    parser.add_argument("folder", type=Path, help="docs/models")
    folder: Path = parser.parse_args(arguments).folder
    try:
        files = all_cards(read_scores(folder))
    except ContrechampError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    for name, text in files.items():
        write_text(folder / name, text)
    return 0


def _section(name: str, body: str, lang: Lang) -> list[str]:
    return [f"## {_HEADS[name].in_(lang)}", body]


def _parameters(key: str, cls: type[BasePredictor], lang: Lang) -> str:
    rows = [_PARAMETER_HEAD.in_(lang), "|---|---|---|---|"]
    for name, default in cls().get_params().items():
        meaning = PARAMETER_TEXTS.get(f"{key}.{name}", PARAMETER_TEXTS.get(name))
        if meaning is None:
            raise ParameterError(
                f"Nothing is written about the parameter {name!r} of {key!r}. Say what it means, in French and in "
                "English, in PARAMETER_TEXTS of contrechamp/audit/card_texts.py."
            )
        shown = f"`{default}`" if isinstance(default, str) else number(default, lang)
        rows.append(f"| `{name}` | {shown} | {domain_text(cls.CONSTRAINTS[name], name, lang)} | {meaning.in_(lang)} |")
    return "\n".join(rows)


def domain_text(domain: Domain, name: str, lang: Lang) -> str:
    """Values a parameter may take, in words made from the domain itself; the unit from the end of the name."""
    kind = type(domain).__name__
    if kind in _DOMAINS:
        return _DOMAINS[kind].in_(lang)
    if isinstance(domain, Choice):
        return ", ".join(f"`{one}`" for one in domain.names)
    whole = {"fr": "entier, " if domain.whole else "", "en": "whole, " if domain.whole else ""}[lang]
    opening = "[" if domain.closed else {"fr": "]", "en": "("}[lang]
    separator = {"fr": " ; ", "en": ", "}[lang]
    counted = name.startswith("n_")  # n_bands_m counts bands, not metres
    unit = None if counted else _UNITS.get(name.rpartition("_")[2] if "_" in name else "")
    return (
        f"{whole}{opening}{number(domain.low, lang)}{separator}{number(domain.high, lang)}]"
        f"{f' {unit.in_(lang)}' if unit else ''}"
    )


def number(value: float, lang: Lang) -> str:
    """A number as the language writes it: 1 500 or 1,500; 0,05 or 0.05; large powers of two as such."""
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if value >= 2**31 and value == int(value) and int(value) & (int(value) - 1) == 0:
        return f"2^{int(value).bit_length() - 1}"
    text = f"{int(value):,}" if value == int(value) else f"{value:,.6g}"
    return text if lang == "en" else text.replace(",", "\u202f").replace(".", ",")


def _facts(key: str, cls: type[BasePredictor], lang: Lang) -> str:
    places = {
        True: Text(fr="refuse de tourner sans couches de lieux", en="refuses to run without layers of places"),
        False: Text(fr="tourne sans couches de lieux", en="runs without layers of places"),
    }[cls.NEEDS_PLACES]
    level = {
        True: Text(
            fr="deux fois plus d’enregistrements donnent la même carte, deux fois plus haute",
            en="twice the records give the same map, twice as high",
        ),
        False: Text(
            fr="sans proportion : deux fois plus d’enregistrements peuvent changer la carte",
            en="no proportion: twice the records may change the map",
        ),
    }[cls.LINEAR]
    stored = ", ".join(f"`{name}`" for name in ("surface_", *cls.LEARNED))
    lines = {
        "fr": [
            f"Classe `{PREDICTORS[key]}` ; {places.fr}.",
            f"Réestimé tous les {_days(cls.REFIT_DAYS, 'fr')} ; entre-temps, il voit les nouveaux jours.",
            f"Niveau : {level.fr}.",
            f"Conservé sans pickle, en `params.json` et `arrays.npz` : {stored}.",
            "Ne reçoit que des enregistrements, jamais ce qui est arrivé sans être enregistré.",
        ],
        "en": [
            f"Class `{PREDICTORS[key]}`; {places.en}.",
            f"Estimated again every {_days(cls.REFIT_DAYS, 'en')}; in between it is only shown newer days.",
            f"Level: {level.en}.",
            f"Stored without pickle, as `params.json` and `arrays.npz`: {stored}.",
            "Handed records only, never what happened and was not recorded.",
        ],
    }[lang]
    return "\n".join(f"- {line}" for line in lines)


def _days(count: int, lang: Lang) -> str:
    one = {"fr": "jour", "en": "day"}[lang]
    if count == 1:
        return {"fr": "jours", "en": "day"}[lang]
    return f"{count} {one}s"


def _scores(key: str, scores: Sequence[Mapping[str, Any]], lang: Lang) -> str:
    labels = {m.key: m.label for m in MEASURES}
    rows: list[tuple[int, str]] = []
    for r in scores:
        world = r["world"]
        extra = set(world) - {"predictor", "scored_on", "area"}
        if world.get("predictor") != key or r["measure"] not in SHOWN or extra or world.get("scored_on") not in _ON:
            continue
        area = f"{number(100 * float(world['area']), lang)} %" if "area" in world else "–"
        estimable = r["value"] is not None
        value = (
            number(_rounded(r["value"]), lang) if estimable else {"fr": "non estimable", "en": "not estimable"}[lang]
        )
        between = {"fr": " ; ", "en": ", "}[lang]
        interval = between.join(number(_rounded(r[end]), lang) for end in ("low", "high")) if estimable else ""
        rows.append(
            (
                SHOWN.index(r["measure"]),
                f"| {labels[r['measure']].in_(lang)} | {area} | {_ON[world['scored_on']].in_(lang)} | {value} | "
                f"{f'[{interval}]' if interval else '–'} | {int(r['n'])} |",
            )
        )
    if not rows:
        return _NO_SCORES.in_(lang)
    ordered = [row for _, row in sorted(rows, key=lambda one: one[0])]
    return "\n".join([_SCORES_SAY.in_(lang), "", _SCORE_HEAD.in_(lang), "|---|---|---|---|---|---|", *ordered])


def _rounded(value: float) -> float:
    """Three significant digits."""
    return float(f"{float(value):.3g}")


if __name__ == "__main__":
    raise SystemExit(main())
