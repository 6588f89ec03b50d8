"""Tables of E13: what remains of a crowd after a description, and routes rebuilt between cameras."""

from __future__ import annotations

from math import log2

from contrechamp.audit.reporting.blocks import Block, Table, Voice
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.labels import value_name, world_name
from contrechamp.audit.reporting.tables import Wide, distinct, present, wide
from contrechamp.audit.reporting.wording import count, plain_number
from contrechamp.domain.text import Text


def section(facts: Facts, voice: Voice) -> list[Block]:
    """Bits, searches in the crowd of the rule, common and rare dress, routes."""
    return present(_bits(facts, voice), _searches(facts, voice), _dress(facts, voice), _routes(facts, voice))


def _rule_crowd(facts: Facts) -> int:
    crowds = sorted({int(r["world"]["crowd"]) for r in facts.rows("E13", "candidate_set")})
    return 5_000 if 5_000 in crowds or not crowds else crowds[-1]


def _bits(facts: Facts, voice: Voice) -> Table | None:
    worlds = distinct(facts.rows("E13", "entropy_bits"), "dress")
    crowds = sorted({int(r["world"]["crowd"]) for r in facts.rows("E13", "expected_candidates")})
    columns = [Wide(Text(fr="Bits", en="Bits"), "entropy_bits", {})]
    for crowd in crowds:
        said = {lang: count(crowd, lang) for lang in ("fr", "en")}
        title = Text(fr=f"Candidats sur {said['fr']}", en=f"Candidates of {said['en']}")
        columns.append(Wide(title, "expected_candidates", {"crowd": crowd}))
    crowd = _rule_crowd(facts)
    need = {lang: (plain_number(round(log2(crowd), 1), lang), count(crowd, lang)) for lang in ("fr", "en")}
    return wide(
        facts, voice, "E13", head=Text(fr="Monde", en="World"), rows=worlds, columns=columns, weight=1.4,
        name=lambda x: world_name(x, voice.lang),
        caption=Text(
            fr="E13 : information d’une description sans faute, et nombre attendu de personnes qui y répondent, la "
            "bonne comprise. "
            f"Il faut {need['fr'][0]} bits pour désigner une personne sur {need['fr'][1]}.",
            en="E13: information of a faultless description, and expected number of people who fit it, the right one "
            "included. "
            f"It takes {need['en'][0]} bits to name one person in {need['en'][1]}.",
        ),
    )  # fmt: skip


def _searches(facts: Facts, voice: Voice) -> Table | None:
    crowd = _rule_crowd(facts)
    worlds = distinct(facts.rows("E13", "candidate_set", crowd=crowd), "dress", "noise")
    columns = [
        Wide(Text(fr=f"{fr} : {value_name('query', query, 'fr')}", en=f"{en}: {value_name('query', query, 'en')}"),
             measure, {"crowd": crowd, "query": query})
        for measure, fr, en, queries in (
            ("candidate_set", "Candidats", "Candidates", ("strict", "wide", "ranked")),
            ("top10", "Dix premières", "First ten", ("wide", "ranked", "colour-only")),
        )
        for query in queries
    ]  # fmt: skip
    said = {lang: count(crowd, lang) for lang in ("fr", "en")}
    return wide(
        facts, voice, "E13", head=Text(fr="Monde", en="World"), rows=worlds, columns=columns, weight=1.6,
        name=lambda x: world_name(x, voice.lang),
        caption=Text(
            fr=f"E13 : ce qui reste de {said['fr']} personnes (médiane), et recherches où la bonne est parmi les dix "
            "premières. Le filtre tolérant admet une bande d’écart pour l’âge et la taille ; pour le classement, les "
            "candidats sont les personnes au moins aussi vraisemblables que la bonne. Repère : les couleurs seules.",
            en=f"E13: what is left of {said['en']} people (median), and searches in which the right one is among the "
            "first ten. The tolerant filter lets age and height be one band off; for the ranking, candidates are the "
            "people at least as likely as the right one. Colours alone are the baseline.",
        ),
    )  # fmt: skip


def _dress(facts: Facts, voice: Voice) -> Table | None:
    worlds = distinct(facts.rows("E13", "top10_by_dress"), "dress", "noise")
    columns = [
        Wide(Text(fr=f"{fr} : tenue {value_name('wearer', who, 'fr')}",
                  en=f"{en}: {value_name('wearer', who, 'en')} dress"), measure, {"wearer": who})
        for measure, fr, en in (
            ("candidate_set_by_dress", "Candidats", "Candidates"), ("top10_by_dress", "Dix premières", "First ten"),
        )
        for who in ("common", "rare")
    ]  # fmt: skip
    return wide(
        facts, voice, "E13", head=Text(fr="Monde", en="World"), rows=worlds, columns=columns, weight=1.8,
        name=lambda x: world_name(x, voice.lang),
        caption=Text(
            fr="E13 : le classement, pour une tenue commune (les couleurs les plus portées, une moitié des gens au "
            "moins) et pour une tenue rare (le dernier dixième au plus).",
            en="E13: the ranking, for common dress (the colours most worn, at least half of people) and for rare dress "
            "(the last tenth at most).",
        ),
    )  # fmt: skip


def _routes(facts: Facts, voice: Voice) -> Table | None:
    worlds = distinct(facts.rows("E13", "route_recall"), "dress", "noise")
    near = sorted({int(r["world"]["nearby"]) for r in facts.rows("E13", "route_recall")})
    columns = []
    for people in dict.fromkeys((*near[:1], *near[-1:])):
        said = {lang: count(people, lang) for lang in ("fr", "en")}
        for measure, fr, en in (
            ("route_recall", "Retrouvés", "Found"), ("route_purity", "De la bonne personne", "Of the right person"),
        ):  # fmt: skip
            title = Text(fr=f"{fr}, {said['fr']} à proximité", en=f"{en}, {said['en']} nearby")
            columns.append(Wide(title, measure, {"nearby": people}))
    return wide(
        facts, voice, "E13", head=Text(fr="Monde", en="World"), rows=worlds, columns=columns, weight=1.8,
        name=lambda x: world_name(x, voice.lang),
        caption=Text(
            fr="E13 : parcours reconstitués d’une caméra à l’autre : part des passages retrouvés, et part des liens "
            "qui sont de la bonne personne, selon le nombre de gens que la caméra suivante voit dans le même temps.",
            en="E13: routes rebuilt from camera to camera: share of sightings found, and share of links that are of "
            "the right person, by how many people the next camera sees in the same time.",
        ),
    )  # fmt: skip
