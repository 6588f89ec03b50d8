"""The whole report, in order, as blocks: what was asked, what was found, what was decided, and what weakens it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

import contrechamp
from contrechamp.audit.reporting import claims as claim_pages
from contrechamp.audit.reporting import experiments as experiment_pages
from contrechamp.audit.reporting import wording as w
from contrechamp.audit.reporting.blocks import (
    Block,
    Column,
    Document,
    Heading,
    Items,
    Para,
    Plate,
    Span,
    Spans,
    Table,
    Terms,
    Voice,
)
from contrechamp.audit.reporting.closing import annexes, deviations, replay, weakness
from contrechamp.audit.reporting.custody import custody, platform
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.findings import findings
from contrechamp.audit.rules import VERDICTS
from contrechamp.domain.text import Lang, Text

TITLE: Final = Text(
    fr="Contrechamp : audit d’une plateforme « Big Data de la tranquillité publique »",
    en="Contrechamp: audit of a « Big Data de la tranquillité publique » platform",
)
SUBTITLE: Final = Text(
    fr="Les affirmations de ses promoteurs et de ses critiques, mises à l’épreuve sur une ville inventée",
    en="The claims of its promoters and of its critics, put to the test on an invented city",
)
_MEANING: Final[Mapping[str, Text]] = {
    "supported": Text(fr="le critère d’appui est rempli dans tous les mondes que sa règle retient",
                      en="the criterion for support is met in every world its rule admits"),
    "refuted": Text(fr="le critère de réfutation d’une règle est rempli dans tous les mondes que cette règle retient",
                    en="a rule’s criterion for refutation is met in every world its rule admits"),
    "inconclusive": Text(fr="l’intervalle chevauche le seuil, ou les mondes ne s’accordent pas",
                         en="the interval straddles the threshold, or worlds disagree"),
    "not testable": Text(fr="aucune expérience ne peut la décider, ou le nombre qui la déciderait n’est pas publié ; "
                            "la raison est donnée",
                         en="no experiment can decide it, or the number that would decide is not published; the "
                            "reason is given"),
    "pending": Text(fr="l’expérience qui la décidera n’est pas encore construite",
                    en="the experiment that will decide it is not built yet"),
}  # fmt: skip


def build(facts: Facts, lang: Lang, plates: Mapping[str, Plate]) -> Document:
    """Assemble the report of a run in one language."""
    voice = Voice(lang)
    body: list[Block] = [
        *_summary(facts, voice),
        *_method(facts, voice),
        *custody(facts, voice),
        *platform(facts, voice, plates),
        *experiment_pages.sections(facts, voice, plates),
        *_decided(facts, voice),
        *deviations(facts, voice),
        *weakness(facts, voice),
        *replay(facts, voice),
    ]
    body += annexes(facts, voice, body)
    started = str(facts.started.get("started_at", ""))
    return Document(
        lang=lang,
        title=w.typeset(TITLE.in_(lang), lang),
        subtitle=w.typeset(SUBTITLE.in_(lang), lang),
        date=started,
        facts=Terms(_identity(facts, voice)),
        blocks=body,
        banner=_banner(facts, lang),
        keywords=("Contrechamp", "audit", "predictive policing", "police prédictive", "simulation"),
    )


def _banner(facts: Facts, lang: Lang) -> str:
    """What a run limited to some claims says of itself, everywhere; empty when it judged the whole register."""
    if not facts.partial:
        return ""
    said = Text(
        fr="Exécution partielle : {k} des {n} affirmations du registre", en="Partial run: {k} of the {n} claims"
    )
    return w.typeset(
        said.in_(lang).format(k=w.count(len(facts.verdicts), lang), n=w.count(len(facts.register.claims), lang)), lang
    )


def _identity(facts: Facts, voice: Voice) -> tuple[tuple[Spans, Spans], ...]:
    request, lang = facts.request, voice.lang

    def code(text: object) -> Spans:
        return (Span(str(text), "code"),)

    pairs: list[tuple[Text, Spans]] = [
        (Text(fr="Exécution", en="Run"), code(facts.started.get("run_id", facts.work.name))),
        (Text(fr="Commencée le", en="Started on"), (Span(w.date(str(facts.started.get("started_at", "")), lang)),)),
        (Text(fr="Profil, graine", en="Profile, seed"), code(f"{request['profile']}, {request['seed']}")),
        (
            Text(fr="Plan gelé le", en="Plan frozen on"),
            (Span(w.date(str(facts.plan.get("frozen_at", "")), lang) + " "), *code(facts.plan["sha256"])),
        ),
        (Text(fr="Scénario", en="Scenario"), code(request.get("scenario_sha256", "–"))),
        (Text(fr="Résultats", en="Results"), code(facts.body["digest"])),
    ]
    environment = facts.environment
    commit = environment.get("commit")
    version = f"contrechamp {contrechamp.__version__}"
    if commit:
        dirty = Text(fr=" avec modifications", en=" with changes").in_(lang) if environment.get("dirty") else ""
        version += f", {commit}{dirty}"
    tail = Text(fr=" ; versions et commit : run.json", en="; versions and commit: run.json")
    pairs.append((Text(fr="Logiciel", en="Software"), (*code(version), *(() if commit else voice(tail)))))
    return tuple((voice(term), spans) for term, spans in pairs)


def _summary(facts: Facts, voice: Voice) -> list[Block]:
    lang = voice.lang
    flips = sum(bool(line["flips"]) for line in facts.verdicts.values())
    sides = Counter(facts.claim(c).side for c in facts.verdicts)
    some = Text(
        fr="Une ville passe commande d’un outil qui doit expliquer hier, surveiller aujourd’hui et prévoir demain. Des "
        "élus et des vendeurs disent ce qu’il fera ; des associations, des chercheurs et des journalistes disent ce "
        "qu’il fera d’autre. Cette exécution ne porte que sur une partie de ce qui est affirmé ({ids}), mis à "
        "l’épreuve d’un calcul que chacun peut refaire, sur une ville, des personnes et des faits entièrement "
        "inventés. Le rapport ne dit pas ce qui s’est passé à Marseille. Il dit ce qui est possible, trivial, fragile "
        "ou exclu *dans les mondes énoncés*.",
        en="A city orders a tool meant to explain yesterday, watch today and foresee tomorrow. Officials and vendors "
        "say what it will do; associations, researchers and journalists say what else it will do. This run is about "
        "part of what is claimed only ({ids}), put to a calculation that anyone can run again, on a city, persons and "
        "events that are entirely invented. The report does not say what happened in Marseille. It says what is "
        "possible, trivial, fragile or ruled out *under the stated worlds*.",
    )
    asked = list(facts.verdicts)
    ids = ", ".join(asked) if len(asked) <= 12 else f"{', '.join(asked[:12])}…"
    lead = voice(some, ids=ids) if facts.partial else voice(
        Text(
            fr="Une ville passe commande d’un outil qui doit expliquer hier, surveiller aujourd’hui et prévoir demain. "
            "Des élus et des vendeurs disent ce qu’il fera ; des associations, des chercheurs et des journalistes "
            "disent ce qu’il fera d’autre. Ce rapport prend {n} de ces affirmations, {a} du côté des promoteurs et {b} "
            "d’ailleurs, et met chacune à l’épreuve d’un calcul que chacun peut refaire, sur une ville, des personnes "
            "et des faits entièrement inventés. Il ne dit pas ce qui s’est passé à Marseille. Il dit ce qui est "
            "possible, trivial, fragile ou exclu *dans les mondes énoncés*.",
            en="A city orders a tool meant to explain yesterday, watch today and foresee tomorrow. Officials and "
            "vendors say what it will do; associations, researchers and journalists say what else it will do. This "
            "report takes {n} of these claims, {a} from promoters and {b} from others, and puts each to a calculation "
            "that anyone can run again, on a city, persons and events that are entirely invented. It does not say what "
            "happened in Marseille. It says what is possible, trivial, fragile or ruled out *under the stated worlds*.",
        ),
        n=w.count(len(facts.verdicts), lang), a=w.count(sides["promoter"], lang),
        b=w.count(len(facts.verdicts) - sides["promoter"], lang),
    )  # fmt: skip
    rows = []
    for verdict in VERDICTS:
        if facts.partial and not facts.by_verdict(verdict):
            continue
        extra = voice(_MEANING[verdict])
        if verdict == "inconclusive":
            both = sum(bool(line["flips"]) for line in facts.verdicts.values() if line["verdict"] == verdict)
            tail = (
                Text(fr=" (dont {k} basculent d’un monde à l’autre)", en=" (of which {k} flip from world to world)")
                if both > 1
                else Text(fr=" (dont {k} bascule d’un monde à l’autre)", en=" (of which {k} flips from world to world)")
            )
            extra = (*extra, *(voice(tail, k=w.count(both, lang)) if both else ()))
        if verdict == "pending":
            partial = sum(bool(x["rules"]) for x in facts.verdicts.values() if x["verdict"] == verdict)
            tail = (
                Text(fr=" ({k} ont déjà un verdict partiel)", en=" ({k} already have a partial verdict)")
                if partial > 1
                else Text(fr=" ({k} a déjà un verdict partiel)", en=" ({k} already has a partial verdict)")
            )
            extra = (*extra, *(voice(tail, k=w.count(partial, lang)) if partial else ()))
        which = facts.by_verdict(verdict)
        names = ", ".join(which) if len(which) <= 24 else Text(fr="annexe A", en="annex A").in_(lang)
        rows.append(
            (
                (voice.verdict(verdict),),
                (Span(w.count(len(which), lang), "strong"),),
                extra,
                (Span(names or "–", "small"),),
            )
        )
    heads = (
        Column(voice(Text(fr="Verdict", en="Verdict"))),
        Column(voice(Text(fr="Nombre", en="Number")), "right"),
        Column(voice(Text(fr="Ce que cela veut dire, dans les mondes énoncés", en="What it means, under the stated "
                                                                                  "worlds")),
               weight=1.5),
        Column(voice(Text(fr="Lesquelles", en="Which")), weight=1),
    )  # fmt: skip
    banner = _banner(facts, lang)
    caption = (
        Text(fr="Verdicts. {banner}.", en="Verdicts. {banner}.")
        if banner
        else Text(fr="Verdicts des {n} affirmations du registre.", en="Verdicts of the {n} claims of the register.")
    )
    out: list[Block] = [
        Heading(1, voice(Text(fr="Résumé", en="Summary")), "summary"),
        *([Para(voice.strong(f"{banner}."))] if banner else []),
        Para(lead),
        Table(voice(caption, n=w.count(len(facts.verdicts), lang), banner=banner), heads, tuple(rows)),
    ]
    said = findings(facts, voice)
    if said:
        out += [Para(voice(Text(fr="*Ce que l’on apprend*", en="*What is learned*"))), Items(tuple(said))]
    flip_note = Text(
        fr="Lire ces chiffres : chaque nombre porte le numéro R-… du résultat dont il vient ; entre parenthèses, son "
        "intervalle et son n, avec ce qu’il compte.",
        en="Reading these figures: each number bears the R-… id of the result it comes from; in brackets, its interval "
        "and its n, with what it counts.",
    )
    turned = Text(
        fr=" Changent de verdict selon le monde : {k} en tout ; la carte de ces mondes est dans le chapitre de "
        "l’expérience.",
        en=" Changing verdict with the world: {k} in all; the map of these worlds is in the chapter of the experiment.",
    )
    if said or flips:
        more = voice(turned, k=w.counted(flips, "claim", lang)) if flips else ()
        out.append(Para((*voice(flip_note), *more), "note"))
    return out


def mirrors_words(facts: Facts, lang: Lang) -> str:
    """Which claims mirrored criteria judge, by experiment: « C02 et M30 (E02) »; empty when there are none."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for experiment, first, second in facts.mirrors:
        hub = next((c for c in (first, second) if facts.claim(c).side == "critic"), first)
        grouped.setdefault((experiment, hub), []).append(second if hub == first else first)
    joint = {"fr": " face à ", "en": " against "}[lang]
    said = [f"{hub}{joint}{w.listing(others, lang)} ({e})" for (e, hub), others in grouped.items()]
    return ("\u202f; " if lang == "fr" else "; ").join(said)


def _method(facts: Facts, voice: Voice) -> list[Block]:
    rules = len(facts.plan["plan"]["rules"])
    return [
        Heading(1, voice(Text(fr="La question et la méthode", en="The question and the method")), "method"),
        Para(voice(Text(
            fr="*Question.* Pour chaque affirmation faite pour la plateforme ou contre elle : dans quels mondes "
            "tient-elle, dans lesquels tombe-t-elle, et à quel seuil, fixé avant cette exécution ?",
            en="*Question.* For each claim made for the platform or against it: in which worlds does it hold, in which "
            "does it fall, and at what threshold, set before this run?",
        ))),
        Items((
            voice(Text(
                fr="*Une ville inventée.* Massilia, ses habitants, ses faits, ses fichiers et ses patrouilles sont "
                "tirés au sort à partir d’une graine. Aucune personne, aucun lieu, aucune donnée réelle n’y entre ; "
                "les groupes sont neutres. Les volumes suivent des chiffres publiés.",
                en="*An invented city.* Massilia, its residents, events, files and patrols are drawn from a seed. No "
                "real person, place or record enters; groups are neutral. Volumes follow published figures.")),
            voice(Text(
                fr="*La vérité à part.* Un incident arrive, ou n’arrive pas ; quelqu’un le signale, une patrouille le "
                "découvre, un opérateur le voit à l’écran, ou personne ne le sait. La plateforme ne voit que "
                "l’enregistrement ; la mesure voit les deux.",
                en="*Truth held apart.* An incident happens or not; someone reports it, a patrol discovers it, an "
                "operator sees it on screen, or nobody knows. The platform sees the record only; the measurement sees "
                "both.")),
            voice(Text(
                fr="*Des seuils gelés.* {n}, une par affirmation et par expérience : le plan qui les contient a été "
                "gelé et haché le {date}, avant cette exécution. Le code et la graine étant fixes, des exécutions "
                "d’essai étaient possibles avant cette date ; l’historique des plans est dans le dépôt. Une règle lit "
                "une borne d’intervalle, et un intervalle à cheval sur le seuil ne décide rien.",
                en="*Frozen thresholds.* {n}, one per claim and experiment: the plan that holds them was frozen and "
                "hashed on {date}, before this run. As code and seed are fixed, trial runs were possible before that "
                "date; the history of plans is in the repository. A rule reads a bound of an interval, and an interval "
                "that straddles the threshold decides nothing."),
                n=w.counted(rules, "rule", voice.lang),
                date=w.date(str(facts.plan.get("frozen_at", "")), voice.lang)),
            *_mirror_item(facts, voice),
            voice(Text(
                fr="*Des mondes, pas un monde.* Chaque expérience visite une grille de mondes. Si le verdict y change, "
                "l’affirmation est « indécise » et la carte des mondes est publiée.",
                en="*Worlds, not one world.* Each experiment visits a grid of worlds. Where the verdict changes, the "
                "claim is “inconclusive” and the map of worlds is published.")),
            voice(Text(
                fr="*Des intervalles.* Taux : Wilson ou Clopper–Pearson ; jours qui se suivent : bootstrap par blocs ; "
                "différences : tirages appariés. Une quantité sans dénominateur est dite « non estimable », jamais 0.",
                en="*Intervals.* Rates: Wilson or Clopper–Pearson; successive days: block bootstrap; differences: "
                "paired draws. A quantity without a denominator is said “not estimable”, never 0.")),
        )),
    ]  # fmt: skip


def _mirror_item(facts: Facts, voice: Voice) -> list[Spans]:
    pairs = mirrors_words(facts, voice.lang)
    if not pairs:
        return []
    said = Text(
        fr="*Des miroirs, là où il y en a.* Sont jugées par les mêmes résultats, dans les mêmes mondes, critères "
        "échangés : {pairs}. Les autres affirmations opposées ont chacune leur critère.",
        en="*Mirrors, where there are any.* Judged by the same results, in the same worlds, criteria exchanged: "
        "{pairs}. Other opposed claims each have their own criterion.",
    )
    return [voice(said, pairs=pairs)]


def _decided(facts: Facts, voice: Voice) -> list[Block]:
    cards = claim_pages.cards(facts, voice)
    both, silent = claim_pages.two_sides(facts, voice), claim_pages.not_testable_here(facts, voice)
    out: list[Block] = []
    if both:
        title = Text(fr="Les deux côtés, par la même mesure", en="Both sides, by the same measure")
        out += [Heading(1, voice(title), "two-sides"), *both]
    if cards or silent:
        out.append(Heading(1, voice(Text(fr="Les affirmations jugées", en="The claims judged")), "decided"))
    return [*out, *cards, *silent]
