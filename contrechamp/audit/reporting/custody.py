"""Where the data come from and what became of every row; then the platform’s own map, scored twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from contrechamp.audit.reporting import experiments as experiment_pages
from contrechamp.audit.reporting import platform_tables
from contrechamp.audit.reporting import wording as w
from contrechamp.audit.reporting.blocks import (
    Block,
    Column,
    Fold,
    Heading,
    Only,
    Para,
    Plate,
    Span,
    Table,
    Voice,
)
from contrechamp.audit.reporting.facts import PLATFORM, Facts
from contrechamp.audit.reporting.labels import value_name
from contrechamp.domain.text import Text

_COUNTS: Final = ("rows_in", "committed", "quarantined", "duplicates")


def custody(facts: Facts, voice: Voice) -> list[Block]:
    """Sources of the claims, the streams made and received, and the law that no row is lost."""
    lang = voice.lang
    out: list[Block] = [Heading(1, voice(Text(fr="Sources et chaîne de garde", en="Sources and custody")), "custody")]
    out.append(Para(voice(
        Text(
            fr="Ce qui est affirmé vient de {n}, dont la clé est entre crochets ; la liste, avec ce qui en a été lu "
            "et les liens, est dans la version HTML. Les données, elles, sont fabriquées ici.",
            en="What is claimed comes from {n}, whose key is in brackets; the list, with what was read and the links, "
            "is in the HTML version. The data are made here.",
        ),
        n=w.counted(len({facts.claim(c).source.ref for c in facts.verdicts}), "source", lang),
    )))  # fmt: skip
    out.append(_sources(facts, voice))
    made: dict[str, Any] = facts.body["platform"].get("generate") or {}
    if "n_latent" in made:
        known = sum(int(made[f"n_{route}"]) for route in ("reported", "discovered", "detected"))
        out.append(Para(voice(
            Text(
                fr="{days} jours, {quarters} quartiers, {cells} cellules. {latent} incidents latents, dont {known} "
                "enregistrés : {reported} par signalement, {discovered} par découverte de patrouille, {detected} à "
                "l’écran. {infractions} infractions latentes, {fines} verbalisations.",
                en="{days} days, {quarters} quarters, {cells} cells. {latent} latent incidents, of which {known} "
                "recorded: {reported} through reports, {discovered} through patrols’ discoveries, {detected} on "
                "screen. {infractions} latent infractions, {fines} fines.",
            ),
            days=w.count(made["n_days"], lang), quarters=w.count(made["n_quarters"], lang),
            cells=w.count(made["n_cells"], lang), latent=w.count(made["n_latent"], lang), known=w.count(known, lang),
            reported=w.count(made["n_reported"], lang), discovered=w.count(made["n_discovered"], lang),
            detected=w.count(made["n_detected"], lang),
            infractions=w.count(made["n_infractions"], lang), fines=w.count(made["n_fines"], lang),
        )))  # fmt: skip
    taken: dict[str, Any] = facts.body["platform"].get("ingest") or {}
    if taken.get("files"):
        out += _streams(taken, voice)
    elif not made:
        out.append(Para(voice(Text(
            fr="Cette exécution ne portait que sur des expériences qui n’ont pas besoin de la plateforme : aucun flux "
            "n’a été produit.",
            en="This run only covered experiments that do not need the platform: no stream was produced.",
        ))))  # fmt: skip
    return out


def _streams(taken: Mapping[str, Any], voice: Voice) -> list[Block]:
    lang = voice.lang
    totals: dict[str, Counter[str]] = {}
    for file in taken["files"]:
        total = totals.setdefault(file["stream"], Counter())
        total.update({k: int(file[k]) for k in _COUNTS} | {"files": 1})
    holds = all(t["rows_in"] == t["committed"] + t["quarantined"] + t["duplicates"] for t in totals.values())
    rows = [
        ((Span(value_name("stream", stream, lang)),), *((Span(w.count(t[k], lang)),) for k in ("files", *_COUNTS)))
        for stream, t in totals.items()
    ]
    names = (
        Text(fr="Fichiers", en="Files"), Text(fr="Lignes reçues", en="Rows in"), Text(fr="Retenues", en="Committed"),
        Text(fr="Quarantaine", en="Quarantined"), Text(fr="Doublons", en="Duplicates"),
    )  # fmt: skip
    heads = (Column(voice(Text(fr="Flux", en="Stream")), weight=1), *(Column(voice(n), "right") for n in names))
    law = (
        Text(fr="Lignes reçues = retenues + quarantaine + doublons : vérifié pour chaque flux.",
             en="Rows in = committed + quarantined + duplicates: checked for every stream.")
        if holds
        else Text(fr="ATTENTION : lignes reçues ≠ retenues + quarantaine + doublons.",
                  en="WARNING: rows in ≠ committed + quarantined + duplicates.")
    )  # fmt: skip
    caption = Text(fr="Flux reçus et ce qu’ils sont devenus.", en="Streams received, and what became of them.")
    out: list[Block] = [Table(voice(caption), heads, tuple(rows), note=voice(law))]
    reasons = taken.get("reasons") or {}
    if reasons:
        said = ", ".join(f"{_reason(str(k), voice)}\u00a0({w.count(v, lang)})" for k, v in reasons.items())
        head = voice(Text(fr="*Raisons de quarantaine.* ", en="*Reasons for quarantine.* "))
        out.append(Para((*head, Span(said), Span("."))))
    columns = (
        Column(voice(Text(fr="Fichier", en="File")), weight=1),
        *(Column(voice(name), "right") for name in names[1:]),
    )
    files = tuple(
        ((Span(f["source_file"], "code"),), *((Span(w.count(f[k], lang)),) for k in _COUNTS)) for f in taken["files"]
    )
    out.append(Para(voice(Text(
        fr="L’empreinte SHA-256 de chaque fichier reçu est dans run.json, celle de chaque fichier de l’exécution dans "
        "manifest.json, signé.",
        en="The SHA-256 of each file received is in run.json, that of every file of the run in the signed "
        "manifest.json.",
    ))))  # fmt: skip
    title = Text(fr="Fichiers reçus ({n})", en="Files received ({n})")
    table = Table((), columns, files, dense=True)
    out.append(Only("html", (Fold(voice(title, n=w.count(len(files), lang)), (table,)),)))
    return out


def _reason(slug: str, voice: Voice) -> str:
    """A reason for quarantine in the words of the ingest; the slug of a reason it does not know."""
    from ingest.quarantine import LABELS

    for reason, label in LABELS.items():
        if reason.value == slug:
            return w.typeset(label.in_(voice.lang), voice.lang)
    return slug


def _sources(facts: Facts, voice: Voice) -> Block:
    """Sources cited, with what was read of them (page only: the list is long)."""
    cited = dict.fromkeys(facts.claim(c).source.ref for c in facts.verdicts)
    read = {"article": Text(fr="lu en entier", en="read whole"), "excerpt": Text(fr="extraits", en="excerpts")}
    rows = []
    for ref in cited:
        source = facts.register.sources[ref]
        title = source["title"]
        named = str(title[voice.lang] if isinstance(title, Mapping) else title)
        how = read.get(str(source.get("read")))
        rows.append(
            (
                (Span(ref, "code"),),
                (voice.link(named, source.get("url")),),
                (Span(str(source.get("date") or "–")),),
                (Span(how.in_(voice.lang) if how else "–"),),
            )
        )
    heads = (
        Column(voice(Text(fr="Clé", en="Key"))),
        Column(voice(Text(fr="Source", en="Source")), weight=1),
        Column(voice(Text(fr="Date", en="Date"))),
        Column(voice(Text(fr="Lecture", en="Reading"))),
    )
    title_words = Text(fr="Sources citées ({n})", en="Sources cited ({n})")
    table = Table((), heads, tuple(rows), dense=True)
    return Only("html", (Fold(voice(title_words, n=w.count(len(rows), voice.lang)), (table,)),))


def platform(facts: Facts, voice: Voice, plates: Mapping[str, Plate]) -> list[Block]:
    """The backtest: figures, tables, and what it cannot tell. Empty when the platform did not run."""
    rows = facts.rows(PLATFORM, "pai")
    if not rows:
        return []
    from contrechamp.pipelines.backtest import CANNOT_TELL

    out: list[Block] = [
        Heading(1, voice(Text(fr="La plateforme mise à l’épreuve", en="The platform put to the test")), "platform"),
        Para(voice(Text(
            fr="Chaque soir, chaque carte apprend des enregistrements et désigne une petite part de la ville pour le "
            "lendemain. On la juge deux fois : sur ce qui est enregistré ce jour-là, seul score qu’une ville réelle "
            "peut calculer, et sur ce qui arrive, que seule une simulation connaît.",
            en="Every evening each map learns from records and flags a small part of the city for the next day. It is "
            "scored twice: on what is recorded that day, the only score a real city can compute, and on what happens, "
            "which only a simulation knows.",
        ))),
    ]  # fmt: skip
    out += experiment_pages.plate_figures(plates, ("city_map", "backtest_pai"), voice)
    out.append(platform_tables.scores(facts, voice, rows))
    out += experiment_pages.plate_figures(plates, ("backtest_gain",), voice)
    out.append(platform_tables.gains(facts, voice, rows))
    out.append(platform_tables.whole_map(facts, voice, rows))
    limit = voice(Text(fr="*Ce que cela ne peut pas dire.* ", en="*What this cannot tell.* "))
    out.append(Para((*limit, *voice.plain(CANNOT_TELL))))
    return out
