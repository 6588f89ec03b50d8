"""The end of the report: deviations, weaknesses, how to replay it, and the annexes."""

from __future__ import annotations

import re
from typing import Any, Final

from contrechamp.audit.reporting import claims as claim_pages
from contrechamp.audit.reporting import wording as w
from contrechamp.audit.reporting.blocks import (
    Block,
    Break,
    Column,
    Fold,
    Heading,
    Items,
    Only,
    Para,
    Span,
    Table,
    Terms,
    Voice,
    spans_of,
    walk,
)
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.tables import experiment_name, full_label, refs, result_list
from contrechamp.domain.text import Text

#: Terms of the register's glossary that the report uses.
TERMS: Final = ("incident", "signalement", "découverte", "enregistrement", "détection", "alerte", "main courante",
                 "PAI", "PEI", "PPV", "carte à noyau", "devin", "témoin", "κ", "ρ", "σ", "monde", "graine",
                 "intervalle", "bootstrap", "correction de Holm", "verdict", "PEI*", "prévision choisie",
                 "zones jumelles", "circularité", "adéquation", "capture-recapture")  # fmt: skip
#: Where ``contrechamp audit`` puts runs unless told otherwise.
RUNS: Final = "runs"


def deviations(facts: Facts, voice: Voice) -> list[Block]:
    """Every difference between the plan frozen and the plan executed, or an explicit « none »."""
    moved = facts.body["plan"]["deviations"]
    out: list[Block] = [
        Heading(1, voice(Text(fr="Écarts au plan gelé", en="Deviations from the frozen plan")), "deviations")
    ]
    if not moved:
        out.append(Para(voice(Text(
            fr="Aucun. Le plan exécuté et le plan gelé ont la même empreinte :",
            en="None. The plan executed and the frozen plan have the same hash:",
        ))))  # fmt: skip
        out.append(Para((Span(str(facts.body["plan"]["sha256"]), "code"),)))
        return out
    heads = (
        Column(voice(Text(fr="Où", en="Where")), weight=2),
        Column(voice(Text(fr="Gelé", en="Frozen")), weight=1),
        Column(voice(Text(fr="Exécuté", en="Executed")), weight=1),
    )
    absent = Text(fr="absent", en="absent").in_(voice.lang)
    rows = tuple(
        ((Span(str(m["path"]), "code"),), *((Span(absent if m[k] is None else str(m[k])),) for k in ("frozen", "now")))
        for m in moved
    )
    caption = Text(fr="{n} ; la liste est complète.", en="{n}; the list is complete.")
    return [*out, Table(voice(caption, n=w.counted(len(moved), "deviation", voice.lang)), heads, rows)]


def weakness(facts: Facts, voice: Voice) -> list[Block]:
    """What someone who disagrees would say first."""
    lang = voice.lang
    sources = {facts.claim(c).source.ref for c in facts.verdicts}
    excerpts = sum(facts.register.sources[ref].get("read") == "excerpt" for ref in sources)
    missing = sum(r["value"] is None for r in facts.results)
    judged = sum(len(line["rules"]) for line in facts.verdicts.values())
    awaiting = len(facts.by_verdict("pending"))
    pieces = [
        (awaiting, Text(fr="en attente d’une expérience : {a}", en="awaiting an experiment: {a}"),
         {"a": w.counted(awaiting, "claim", lang)}),
        (missing, Text(fr="non estimables : {k} sur {t}", en="not estimable: {k} of {t}"),
         {"k": w.counted(missing, "result", lang), "t": w.count(len(facts.results), lang)}),
    ]  # fmt: skip
    lacks = ("\u202f; " if lang == "fr" else "; ").join(t.in_(lang).format(**v) for n, t, v in pieces if n)
    lacks = lacks[:1].upper() + lacks[1:]
    items = [
        voice(Text(
            fr="*Des mondes inventés.* Un résultat vaut pour les mondes énoncés. Rien ne dit lequel ressemble à une "
            "ville réelle ; une hypothèse que personne n’a écrite n’a pas été essayée.",
            en="*Invented worlds.* A result holds for the stated worlds. Nothing says which one resembles a real city; "
            "an assumption nobody wrote down was not tried.")),
        voice(Text(
            fr="*Des seuils choisis.* Ils sont gelés, mais choisis par les auteurs. Un autre seuil peut donner un "
            "autre verdict : les résultats sont publiés pour que l’on puisse appliquer le sien.",
            en="*Chosen thresholds.* They are frozen, but chosen by the authors. Another threshold may give another "
            "verdict: results are published so that one can apply one’s own.")),
        voice(Text(
            fr="*Un gel que l’on n’a pas vu se faire.* Plan gelé le {date}, avant cette exécution. Mais le "
            "code et la graine sont fixes : rien n’empêchait des exécutions d’essai avant de geler. L’historique des "
            "plans est dans le dépôt.",
            en="*A freezing that nobody watched.* The plan has been frozen since {date}, before this run. But code and "
            "seed are fixed: nothing prevented trial runs before freezing. The history of plans is in the "
            "repository."), date=w.date(str(facts.plan.get("frozen_at", "")), lang)),
        voice(Text(
            fr="*Les mêmes mains.* Les auteurs ont écrit la ville, les mesures et les règles. Aucun laboratoire "
            "accrédité, aucune contre-expertise à ce jour.",
            en="*The same hands.* The authors wrote the city, the measurements and the rules. No accredited "
            "laboratory, no counter-expertise so far.")),
        *([voice(Text(
            fr="*Beaucoup de questions.* {n} ici, sans correction d’ensemble : quelques-uns peuvent être dus au hasard "
            "des tirages.",
            en="*Many questions.* {n} here, without an overall correction: a few may be due to the luck of the draw."),
            n=w.counted(judged, "judgement", lang))] if judged > 1 else []),
        *([voice(Text(
            fr="*Des sources lues en partie.* Lues par extraits seulement : {k}, sur {n}. Une affirmation peut y avoir "
            "été précisée ailleurs que dans l’extrait.",
            en="*Sources read in part.* Read in excerpts only: {k}, of {n}. A claim may be qualified elsewhere than in "
            "the excerpt."), k=w.counted(excerpts, "source", lang), n=w.count(len(sources), lang))]
          if excerpts else []),
        *([voice(Text(fr="*Ce qui manque.* {what}.", en="*What is missing.* {what}."), what=lacks)] if lacks else []),
        voice(Text(
            fr="*Ni avis de droit, ni réponse du vendeur.* Le rapport ne qualifie rien en droit, et il ne contient "
            "encore aucune observation de la Ville ni des entreprises.",
            en="*No legal opinion, no reply from the vendor.* The report qualifies nothing in law, and it holds no "
            "comment yet from the City or from the companies.")),
    ]  # fmt: skip
    if facts.environment.get("dirty"):
        items.append(voice(Text(
            fr="*Code modifié.* Le code exécuté différait du commit indiqué.",
            en="*Modified code.* The code executed differed from the commit stated.",
        )))  # fmt: skip
    return [Heading(1, voice(Text(fr="Ce qui affaiblit ce rapport", en="What weakens this report")), "weakness"),
            Items(tuple(items))]  # fmt: skip


def replay(facts: Facts, voice: Voice) -> list[Block]:
    """Commands that check the run and compute it again."""
    # the default folder, not this one's: a replay elsewhere must give the same report to the byte
    run = f"{RUNS}/{facts.started.get('run_id', facts.work.name)}"
    asked = "".join(f" --claim {c}" for c in facts.verdicts) if facts.partial else ""
    mine = Text(fr="EMPREINTE", en="FINGERPRINT").in_(voice.lang)
    commands = (
        (f"contrechamp verify {run}", Text(
            fr="contrôle l’empreinte de chaque fichier et la signature ; sort avec le code 12 et nomme le fichier si "
            "un octet a bougé. Si le dossier est ailleurs, donnez son chemin.",
            en="checks the hash of every file and the signature; exits with code 12 and names the file if one byte "
            "moved. If the folder is elsewhere, give its path.")),
        ("python3 -I verify.py", Text(
            fr="dans le dossier scellé, sans rien installer : les mêmes contrôles par un seul fichier, qui n’use "
            "que de la bibliothèque standard de Python.",
            en="in the sealed folder, with nothing installed: the same checks by a single file that uses only Python’s "
            "standard library.")),
        ("contrechamp trace R-0001", Text(
            fr="dit d’un nombre imprimé sa table, sa graine, le commit, les règles qu’il juge et la commande qui le "
            "recalcule.",
            en="says of a printed number its table, its seed, the commit, the rules it judges and the command that "
            "recomputes it.")),
        (f"contrechamp verify {run} --replay", Text(
            fr="recalcule chaque nombre à partir de la graine et compare.",
            en="recomputes every number from the seed and compares.")),
        (f"contrechamp verify {run} --key {mine}", Text(
            fr="exige que la signature soit celle de cette clef, reçue du signataire par une autre voie.",
            en="requires the signature to be that of this key, received from the signatory by another channel.")),
        (f"contrechamp audit --profile {facts.request['profile']} --seed {facts.request['seed']}{asked}", Text(
            fr="refait tout ; results.json doit porter l’empreinte ci-dessous.",
            en="does it all again; results.json must bear the digest below.")),
    )  # fmt: skip
    colon = w.typeset(" : ", "fr") if voice.lang == "fr" else ": "
    steps = tuple((Span(command, "code"), Span(colon), *voice(text)) for command, text in commands)
    return [
        Heading(1, voice(Text(fr="Vérifier et rejouer", en="Verify and replay")), "replay"),
        Items(steps),
        Para(voice(Text(
            fr="Les empreintes et la signature disent que rien n’a changé depuis le scellement par qui détient cette "
            "clef. Comparez l’empreinte de la clef, que la commande affiche, avec celle reçue du signataire par une "
            "autre voie : une clef inconnue ne dit rien de qui a signé.",
            en="Hashes and signature say that nothing changed since sealing by whoever holds that key. Compare the "
            "fingerprint of the key, which the command prints, with the one received from the signatory by another "
            "channel: an unknown key says nothing about who signed."))),
        Para(voice(Text(fr="Empreinte des résultats : {d}", en="Digest of the results: {d}"),
                   d=Span(str(facts.body["digest"]), "code"))),
    ]  # fmt: skip


def annexes(facts: Facts, voice: Voice, body: list[Block]) -> list[Block]:
    """Every claim on a line; results cited on paper, all of them on the page; words.

    Parameters
    ----------
    body : list of Block
        The report so far: the results its summary cites get a row of their own on paper.
    """
    first = (
        Text(fr="Annexe A. Les affirmations de cette exécution", en="Annex A. The claims of this run")
        if facts.partial
        else Text(fr="Annexe A. Toutes les affirmations", en="Annex A. Every claim")
    )
    out: list[Block] = [
        Break(),
        Heading(1, voice(first), "annex-claims"),
        claim_pages.every_claim(facts, voice),
    ]
    if facts.results:
        out += _results(facts, voice, body)
    last = "C" if facts.results else "B"
    title = Text(fr="Annexe {letter}. Lexique", en="Annex {letter}. Glossary")
    out.append(Heading(1, voice(title, letter=last), "annex-glossary"))
    out.append(_glossary(voice))
    return out


def _results(facts: Facts, voice: Voice, body: list[Block]) -> list[Block]:
    """Annex of the results: on paper those that the summary cites, on the page all of them."""
    out: list[Block] = [Heading(1, voice(Text(fr="Annexe B. Résultats", en="Annex B. Results")), "annex-results")]
    summary = body[: next((i for i, b in enumerate(body) if isinstance(b, Break)), len(body))]
    cited = sorted({s.text for b in walk(summary) for s in spans_of(b) if s.kind == "ref" and "–" not in s.text})
    said = Text(
        fr="Sur papier : les résultats cités dans le résumé, puis la plage de numéros de chaque mesure. La liste "
        "entière ({n}) est dans la version HTML et dans results.json.",
        en="On paper: the results cited in the summary, then the range of ids of each measure. The whole list ({n}) is "
        "in the HTML version and in results.json.",
    )
    paper: list[Block] = [Para(voice(said, n=w.counted(len(facts.results), "result", voice.lang)), "note")]
    if cited:
        paper.append(result_list(facts, voice, [facts.result(i) for i in cited], caption=None, dense=True))
    paper.append(_index(facts, voice))
    out.append(Only("pdf", tuple(paper)))
    every = result_list(facts, voice, facts.results, caption=None, dense=True)
    title = Text(fr="Tous les résultats ({n})", en="Every result ({n})")
    out.append(Only("html", (Fold(voice(title, n=w.count(len(facts.results), voice.lang)), (every,)),)))
    return out


def _index(facts: Facts, voice: Voice) -> Table:
    """Measures with the range of their ids: experiment, measure, table and its hash."""
    grouped: dict[tuple[str, str], list[Any]] = {}
    for row in facts.results:
        grouped.setdefault((row["experiment"], row["measure"]), []).append(row)
    rows = []
    for (experiment, measure), found in grouped.items():
        label = full_label(facts, experiment, measure, voice)
        hashed = str(found[0].get("data_sha256", ""))[:12]
        rows.append((
            (Span(experiment_name(experiment, voice)),), (Span(label),), refs(found),
            (Span(f"{found[0]['table']} {hashed}".strip() or "–", "code"),),
        ))  # fmt: skip
    heads = (
        Column(voice(Text(fr="Exp.", en="Exp."))),
        Column(voice(Text(fr="Mesure", en="Measure")), weight=1),
        Column(voice(Text(fr="Résultats", en="Results"))),
        Column(voice(Text(fr="Table, SHA-256 (début)", en="Table, SHA-256 (start)"))),
    )
    return Table((), heads, tuple(rows), heads=2, dense=True)


def _glossary(voice: Voice) -> Terms:
    from contrechamp.audit.claims import read_yaml

    entries = read_yaml("glossary.yaml")
    by_name = {re.split(r" \(|, ", str(e["fr"]))[0]: e for e in entries}
    picked = [by_name[t] for t in TERMS]
    return Terms(tuple(
        ((voice.raw(str(e[voice.lang]), "strong"),), (voice.raw(str(e["definition"][voice.lang])),)) for e in picked
    ))  # fmt: skip
