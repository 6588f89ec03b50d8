"""The claims in the report: a card for each that was decided, both sides side by side, and one line for every claim."""

from __future__ import annotations

from typing import Final

from contrechamp.audit.claims import Claim
from contrechamp.audit.reporting import wording as w
from contrechamp.audit.reporting.blocks import Block, Card, Column, Para, Span, Spans, Table, Terms, Voice
from contrechamp.audit.reporting.experiments import criterion_words, tally, worlds_words
from contrechamp.audit.reporting.facts import Facts, Row
from contrechamp.audit.reporting.labels import world_name
from contrechamp.audit.reporting.tables import MIN_MAP, refs
from contrechamp.domain.text import Lang, Text

DECIDED: Final = ("supported", "refuted", "inconclusive")


def cards(facts: Facts, voice: Voice) -> list[Block]:
    """One card per decided claim, in the order of the register."""
    return [_card(facts, voice, c, line) for c, line in facts.verdicts.items() if line["verdict"] in DECIDED]


def verdict_words(line: Row, voice: Voice) -> Spans:
    """The verdict of a line and the words that must go with it."""
    out = [*voice(Text(fr="{v}, dans les mondes énoncés", en="{v}, under the stated worlds"),
                  v=voice.verdict(line["verdict"]))]  # fmt: skip
    if line["flips"]:
        out += voice(Text(fr=" ; bascule d’un monde à l’autre", en="; flips from world to world"))
    return tuple(out)


def attribution(speaker: str, document: str) -> list[str]:
    """Who says it and in what, each named once: a piece that the other already says is left out.

    Examples
    --------
    >>> attribution("comité de la prospective de la CNIL", "CNIL, cahier IP n° 5"), attribution("CCTP", "CCTP")
    (['comité de la prospective de la CNIL', 'cahier IP n° 5'], ['CCTP'])
    """
    if speaker in ("", "-") or speaker in document:
        return [document] if document not in ("", "-") else []
    if document in ("", "-"):
        return [speaker]
    first, _, rest = document.partition(", ")
    if speaker == first or speaker.endswith(f" {first}"):
        return [speaker, rest] if rest else [speaker]
    return [speaker, document]


def source_words(claim: Claim, voice: Voice, url: object = None) -> Spans:
    """Who says it, where, and the key of the source, which leads to it when it has an address."""
    side = w.SIDES[claim.side].in_(voice.lang)
    where = ", ".join(attribution(claim.source.speaker, claim.source.document))
    page = f", p.\u00a0{claim.source.page}" if claim.source.page else ""
    return voice(
        Text(fr="{side} : {where}{page} [{ref}]", en="{side}: {where}{page} [{ref}]"),
        side=side, where=where or claim.source.ref, page=page, ref=voice.link(claim.source.ref, url),
    )  # fmt: skip


def quote_spans(claim: Claim, voice: Voice) -> Spans:
    """The verbatim quotation between the marks of its own language."""
    lang: Lang = "fr" if claim.quote_lang == "fr" else "en"
    text = w.typeset(claim.quote, lang)
    marked = f"«{w.NNBSP}{text}{w.NNBSP}»" if lang == "fr" else f"“{text}”"
    return (Span(marked, lang="" if lang == voice.lang else lang),)


def _card(facts: Facts, voice: Voice, claim_id: str, line: Row) -> Card:
    claim = facts.claim(claim_id)
    blocks: list[Block] = [
        Para(quote_spans(claim, voice), "quote"),
        Para(
            (
                *source_words(claim, voice, facts.register.sources[claim.source.ref].get("url")),
                Span(". "),
                *voice.plain(claim.gloss),
            )
        ),
    ]
    pairs: list[tuple[Spans, Spans]] = []
    rules = facts.rules(claim_id)
    for judged in line["rules"]:
        experiment = judged["experiment"]
        rule = rules[experiment]
        where = worlds_words(rule, voice)
        said = voice(
            Text(
                fr="étayée si {support} ; réfutée si {refute}{where}.",
                en="supported if {support}; refuted if {refute}{where}.",
            ),
            support=criterion_words(facts, voice, experiment, rule["support"]),
            refute=criterion_words(facts, voice, experiment, rule["refute"]),
            where=f" ({where})" if where else "",
        )
        pairs.append((voice(Text(fr="Règle, {e}", en="Rule, {e}"), e=experiment), said))
        pairs.append((voice(Text(fr="Pourquoi", en="Why")), voice.plain(Text(**rule["why"]))))
        ids = [i for world in judged["worlds"] for i in world["results"]]
        outcome = voice(
            Text(fr="{tally} ; {e} seule : {v}. {ids}", en="{tally}; {e} alone: {v}. {ids}"),
            tally=_named_worlds(judged, voice), e=experiment, v=voice.verdict(judged["verdict"]),
            ids=refs(ids, at_most=6),
        )  # fmt: skip
        pairs.append((voice(Text(fr="Mondes", en="Worlds")), outcome))
    for experiment, why in facts.silent(claim_id).items():
        if experiment in facts.experiments:
            pairs.append((voice(Text(fr="{e} ne décide pas", en="{e} does not decide"), e=experiment),
                          voice.plain(why)))  # fmt: skip
    if claim.note:
        pairs.append((voice(Text(fr="Note", en="Note")), voice.plain(claim.note)))
    blocks.append(Terms(tuple(pairs)))
    kicker = (Span(claim_id, "strong"), Span(" · "), *verdict_words(line, voice))
    return Card(f"claim-{claim_id}", kicker, line["verdict"], tuple(blocks))


def _named_worlds(judged: Row, voice: Voice) -> Spans:
    """Worlds by verdict: named one by one when they are few and disagree, counted otherwise."""
    worlds = judged["worlds"]
    if len(worlds) >= MIN_MAP or len({x["verdict"] for x in worlds}) < 2:
        return tally(judged, voice)
    main = Text(fr="cas principal", en="main case").in_(voice.lang)
    out: list[Span] = []
    for x in worlds:
        name = world_name(x["world"], voice.lang, but={"claim"}) or main
        out += [*([Span("  ")] if out else []), Span(w.MARKS[x["verdict"]], "mark", x["verdict"]), Span(f" {name}")]
    return tuple(out)


def two_sides(facts: Facts, voice: Voice) -> list[Block]:
    """Experiments that judge claims of more than one side, each side's claims with their verdict on it."""
    rows = []
    for experiment in facts.experiments:
        judged = facts.judged(experiment)
        if len({facts.claim(c).side for c in judged}) < 2:
            continue
        mirrors = {c for e, first, second in facts.mirrors if e == experiment for c in (first, second)}
        cells = []
        for sides in (("promoter",), ("critic",), ("authority", "research")):
            mine = [c for c in judged if facts.claim(c).side in sides]
            spans: list[Span] = []
            for claim in mine:
                spans += [Span("; ")] if spans and voice.lang == "en" else [Span("\u202f; ")] if spans else []
                verdict = judged[claim]["verdict"]
                spans += [Span(claim, "strong"), *([Span("\u00a0↔")] if claim in mirrors else [])]
                spans += [Span("\u00a0"), voice.verdict(verdict)]
            cells.append(tuple(spans) or (Span("–"),))
        title = facts.register.experiments[experiment].title
        rows.append((voice(Text(fr="{e}. {t}", en="{e}. {t}"), e=experiment, t=voice.plain(title)), *cells))
    if not rows:
        return []
    heads = (
        Column(voice(Text(fr="Expérience", en="Experiment")), weight=1.2),
        Column(voice(Text(fr="Promoteurs", en="Promoters")), weight=1),
        Column(voice(Text(fr="Critiques", en="Critics")), weight=1),
        Column(voice(Text(fr="Autorités, recherche, presse", en="Authorities, research, press")), weight=1),
    )
    caption = Text(
        fr="La même expérience et les mêmes résultats pour les deux côtés : verdict de chaque affirmation sur cette "
        "seule expérience, dans les mondes énoncés.",
        en="The same experiment and the same results for both sides: verdict of each claim on that experiment alone, "
        "under the stated worlds.",
    )
    note = Text(
        fr="↔ : critères en miroir, dans les mêmes mondes (ce qui étaye l’une réfute l’autre). Les autres affirmations "
        "de la ligne ont chacune leur critère.",
        en="↔: mirrored criteria, in the same worlds (what supports one refutes the other). The other claims of the "
        "line each have their own criterion.",
    )
    return [Table(voice(caption), heads, tuple(rows), note=voice(note))]


def not_testable_here(facts: Facts, voice: Voice) -> list[Block]:
    """Claims that an experiment of this run named without deciding, each with the reason; empty when there are none."""
    rows = []
    for claim_id, line in facts.verdicts.items():
        quiet = [e for e in facts.silent(claim_id) if e in facts.experiments]
        if line["verdict"] == "not testable" and (line["rules"] or quiet):
            claim = facts.claim(claim_id)
            named = ", ".join(dict.fromkeys([*(j["experiment"] for j in line["rules"]), *quiet]))
            rows.append((
                (Span(claim_id, "strong"), Span(f" {named}", "small")), voice.plain(claim.gloss),
                _reason(facts, voice, claim, line),
            ))  # fmt: skip
    if not rows:
        return []
    heads = (
        Column(voice(Text(fr="N°", en="Id"))),
        Column(voice(Text(fr="Ce qui est affirmé (nos mots)", en="What is claimed (our words)")), weight=1),
        Column(
            voice(Text(fr="Pourquoi l’expérience ne décide pas", en="Why the experiment does not decide")), weight=1.4
        ),
    )
    caption = Text(
        fr="Affirmations non testables ici, bien qu’une expérience les concerne.",
        en="Claims not testable here, although an experiment concerns them.",
    )
    return [Table(voice(caption), heads, tuple(rows))]


def every_claim(facts: Facts, voice: Voice) -> Table:
    """One line per claim of the run: side, gloss, verdict, and what decided it, will decide it, or why nothing can."""
    rows = []
    for claim_id, line in facts.verdicts.items():
        claim = facts.claim(claim_id)
        rows.append(
            (
                (Span(claim_id, "strong"),),
                (Span(w.SIDES[claim.side].in_(voice.lang)),),
                voice.plain(claim.gloss),
                (voice.verdict(line["verdict"]), *((Span(" ⇄"),) if line["flips"] else ())),
                _reason(facts, voice, claim, line),
            )
        )
    heads = (
        Column(voice(Text(fr="N°", en="Id"))),
        Column(voice(Text(fr="Côté", en="Side"))),
        Column(voice(Text(fr="Ce qui est affirmé (nos mots)", en="What is claimed (our words)")), weight=1.5),
        Column(voice(Text(fr="Verdict", en="Verdict"))),
        Column(voice(Text(fr="Décidé par, en attente de, ou raison", en="Decided by, awaiting, or reason")), weight=1),
    )
    note = voice(Text(
        fr="⇄ : le verdict bascule d’un monde à l’autre. Tous les verdicts valent dans les mondes énoncés.",
        en="⇄: the verdict flips from world to world. All verdicts hold under the stated worlds.",
    ))  # fmt: skip
    total = len(facts.register.claims)
    caption = (
        Text(fr="Exécution partielle : {k} des {n} affirmations du registre.", en="Partial run: {k} of the {n} claims.")
        if facts.partial
        else Text(fr="Les {n} affirmations du registre.", en="The {n} claims of the register.")
    )
    counts = {"k": w.count(len(rows), voice.lang), "n": w.count(total, voice.lang)}
    return Table(voice(caption, **counts), heads, tuple(rows), note=note, dense=True)


def _reason(facts: Facts, voice: Voice, claim: Claim, line: Row) -> Spans:
    verdict = line["verdict"]
    alone = [
        (Span(f"{j['experiment']} "), Span(w.MARKS[j["verdict"]], "mark", j["verdict"]), Span(" "))
        for j in line["rules"]
    ]
    partial = tuple(s for spans in alone for s in spans)
    if verdict == "pending":
        said = voice(Text(fr="attend {e}", en="awaits {e}"), e=", ".join(line["pending"]))
        return (*said, *((Span(" ; " if voice.lang == "en" else "\u202f; "), *partial) if partial else ()))
    if verdict == "not testable":
        if claim.reason:
            return voice.plain(claim.reason)
        for judged in line["rules"]:  # a rule whose number does not exist says why it is asked for
            ids = [i for world in judged["worlds"] for i in world["results"]]
            missing = dict.fromkeys(w.method(facts.result(i), voice.lang) for i in ids)
            lack = voice(Text(fr="Donnée absente ({what}). ", en="Missing data ({what}). "), what=", ".join(missing))
            return (*lack, *voice.plain(Text(**facts.rules(claim.id)[judged["experiment"]]["why"])))
        why = list(facts.silent(claim.id).values())
        return (
            voice.plain(why[0])
            if why
            else voice(Text(fr="aucune expérience ne la décide", en="no experiment decides it"))
        )
    return partial
