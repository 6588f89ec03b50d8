"""Page: the claims and their verdicts; one claim opened, with all that was measured for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from contrechamp.audit.claims import SIDES, Claim, ExperimentCard, Register, load_register
from contrechamp.audit.plan import claims_rules
from contrechamp.audit.reporting import wording
from contrechamp.audit.reporting.claims import attribution
from contrechamp.audit.rules import VERDICTS, Rule
from contrechamp.domain.errors import ContrechampError
from contrechamp.domain.results import Measure
from contrechamp.domain.text import Lang, Text
from contrechamp.experiments import EXPERIMENTS
from contrechamp.experiments.base import load
from dashboard import files, frame, views
from dashboard.i18n import ALL, md, say, verdict
from dashboard.link import Link, choice, free, put, several

HEADING = Text(fr="Affirmations et verdicts", en="Claims and verdicts")
INTRO = Text(
    fr="Chaque ligne est une affirmation publique sur la police par les données, d’un promoteur comme d’un critique. "
    "Les critères sont gelés avant l’exécution ; quelques affirmations opposées sont jugées en miroir ({mirrors}), "
    "les autres ont chacune leur critère. Un verdict vaut dans les mondes énoncés, inventés ; il ne dit pas ce "
    "qui s’est passé à Marseille. Cliquez à gauche d’une ligne pour l’ouvrir.",
    en="Each line is a public claim about data-driven policing, from a promoter or from a critic. Criteria are frozen "
    "before the run; some opposed claims are judged by mirrored criteria ({mirrors}), the others each have their own. "
    "A verdict holds under the stated, invented worlds; it does not say what happened in Marseille. "
    "Click at the left of a line to open it.",
)
LIMITS = Text(
    fr="Une affirmation non testable n’est ni vraie ni fausse : la raison est donnée en l’ouvrant. « En attente » "
    "nomme l’expérience qui tranchera. Un verdict change avec les mondes : lisez-les tous avant de le citer.",
    en="A claim that is not testable is neither true nor false: open it for the reason. “Pending” names the experiment "
    "that will decide. A verdict changes with the worlds: read them all before quoting it.",
)
WORDS = {
    "side": Text(fr="Camp", en="Side"),
    "system": Text(fr="Dispositif", en="System"),
    "verdict": Text(fr="Verdict", en="Verdict"),
    "text": Text(fr="Mots cherchés", en="Words sought"),
    "gloss": Text(fr="Ce qui est affirmé, en nos mots", en="What is claimed, in our words"),
    "decided": Text(fr="Décidé par", en="Decided by"),
    "none": Text(fr="Aucune affirmation ne répond à ces filtres.", en="No claim matches these filters."),
    "shown": Text(fr="{n} affirmations sur {total}", en="{n} claims of {total}"),
    "back": Text(fr="← Toutes les affirmations", en="← All claims"),
    "before": Text(fr="‹ Précédente", en="‹ Previous"),
    "after": Text(fr="Suivante ›", en="Next ›"),
    "page": Text(fr="p. {page}", en="p. {page}"),
    "link": Text(fr="lire la source", en="read the source"),
    "how": Text(fr="Comment on l’éprouve", en="How it is tested"),
    "support": Text(fr="Étayée si", en="Supported if"),
    "refute": Text(fr="Réfutée si", en="Refuted if"),
    "reason": Text(fr="Pourquoi on ne peut pas l’éprouver", en="Why it cannot be tested"),
    "note": Text(fr="Réserve", en="Caveat"),
    "known": Text(fr="Ce que l’on sait par ailleurs", en="What is known otherwise"),
    "rule": Text(fr="Règle gelée, appliquée dans chaque monde", en="Frozen rule, applied in each world"),
    "why": Text(fr="Pourquoi cette règle", en="Why this rule"),
    "among": Text(fr="Mondes retenus : {worlds}.", en="Worlds that count: {worlds}."),
    "else": Text(
        fr="Si ni l’un ni l’autre, ou les deux : indécise dans ce monde. Si les mondes divergent : indécise.",
        en="If neither or both: inconclusive in that world. If worlds disagree: inconclusive.",
    ),
    "counts": Text(
        fr="Sur {n} mondes : {supported} étayent, {refuted} réfutent, {inconclusive} ne tranchent pas.",
        en="Of {n} worlds: {supported} support, {refuted} refute, {inconclusive} do not decide.",
    ),
    "silent": Text(fr="Ne décide pas cette affirmation", en="Does not decide this claim"),
    "pending": Text(
        fr="N’a pas été exécutée ici : le verdict l’attend.", en="Has not been run here: the verdict awaits it."
    ),
    "awaits": Text(fr="le verdict attend {experiments}", en="the verdict awaits {experiments}"),
    "flips": Text(
        fr="le verdict change d’un monde à l’autre : certains étayent, d’autres réfutent",
        en="the verdict changes from world to world: some support, others refute",
    ),
    "marked": Text(
        fr="⇄ : le verdict change d’un monde à l’autre ; ouvrez l’affirmation pour voir lesquels.",
        en="⇄: the verdict changes from world to world; open the claim to see which.",
    ),
    "partial": Text(
        fr="Exécution partielle : {k} des {n} affirmations du registre.", en="Partial run: {k} of the {n} claims."
    ),
    "untold": Text(fr=" Non testable, faute de nombre, dans {n}.", en=" Not testable, for want of a number, in {n}."),
    "empty": Text(fr="Rien d’estimable pour cette mesure.", en="Nothing estimable for this measure."),
    "all": Text(fr="Tous les résultats lus par la règle ({n})", en="Every result that the rule reads ({n})"),
    "noline": Text(fr="Cette exécution ne portait pas sur cette affirmation.", en="This run was not about this claim."),
    "norun": Text(fr="Pas encore de verdict : aucune exécution.", en="No verdict yet: no run."),
    "world": Text(fr="monde", en="world"),
    "measure": Text(fr="mesure", en="measure"),
    "estimate": Text(fr="estimation", en="estimate"),
    "interval": Text(fr="intervalle", en="interval"),
    "unit_of_n": Text(fr="n compte des", en="n counts"),
    "method": Text(fr="méthode", en="method"),
    "id": Text(fr="résultat", en="result"),
    "plan": Text(
        fr="Profil {profile}, graine {seed}, empreinte des résultats {digest}",
        en="Profile {profile}, seed {seed}, results digest {digest}",
    ),
    "figure": Text(
        fr="Estimation et intervalle dans chaque monde, avec les seuils gelés : {label}",
        en="Estimate and interval in each world, with the frozen thresholds: {label}",
    ),
    "bars": Text(fr="Nombre d’affirmations par camp et par verdict", en="Number of claims by side and verdict"),
}


@st.cache_resource(show_spinner=False, max_entries=8)
def _read(run: str, stamp: int) -> files.Audit:
    del stamp  # part of the key: a run made again under the same name is read again
    return files.read_audit(Path(run))


def _audit(run: Path) -> files.Audit:
    return _read(str(run), files.stamp(run))


def main() -> None:
    """Draw the page."""
    register = load_register()
    link = Link(
        choice("run", files.run_names(files.runs_folder())),
        several("side", SIDES),
        several("system", sorted({c.system for c in register.claims.values()})),
        several("verdict", VERDICTS),
        free("text"),
        choice("claim", list(register.claims)),
    )
    lang = link.lang
    root = files.runs_folder()
    names = files.run_names(root)
    if link["claim"]:
        frame.header(link, title=HEADING, intro=None)
    else:
        plan = files.plan_without_run()
        pairs = views.mirrors_in_words(plan["rules"])
        intro = Text(fr=INTRO.fr.format(mirrors=pairs), en=INTRO.en.format(mirrors=pairs))
        frame.header(link, title=HEADING, intro=intro)
    row = st.container(horizontal=True, vertical_alignment="bottom", gap="small")
    run = frame.choose_run(link, names, root, where=row)
    audit = None
    if run is not None:
        try:
            audit = _audit(run)
        except ContrechampError as error:
            frame.damaged(error, run, lang)
    if audit is not None and len(audit.lines) < len(register.claims):
        counts = {"k": str(len(audit.lines)), "n": str(len(register.claims))}
        st.warning(md(say(WORDS["partial"], lang, **counts)))
    table = views.claims_frame(register, None if audit is None else audit.lines, lang=lang)
    if link["claim"]:
        _one(link, register, audit, list(table["id"]), row)
    else:
        _all(link, table, register, row)
    if audit is not None:
        said = say(WORDS["plan"], lang, profile=audit.profile, seed=str(audit.seed), digest=audit.digest[:16])
        st.caption(md(said))
    frame.limits(LIMITS, lang)


def _all(link: Link, table: pd.DataFrame, register: Register, row: DeltaGenerator) -> None:
    lang = link.lang
    judged = bool((table["verdict"] != "").any())
    systems = sorted(table["system"].unique())
    row.multiselect(
        WORDS["side"].in_(lang), SIDES, format_func=lambda s: wording.SIDES[s].in_(lang), placeholder=ALL.in_(lang),
        width=205, wrap=True, **link.control("side"),
    )  # fmt: skip
    row.multiselect(
        WORDS["system"].in_(lang), systems, format_func=lambda s: views.system_name(register, s, lang=lang),
        placeholder=ALL.in_(lang), width=230, wrap=True, **link.control("system"),
    )  # fmt: skip
    row.multiselect(
        WORDS["verdict"].in_(lang), VERDICTS, format_func=lambda v: verdict(v, lang), disabled=not judged,
        placeholder=ALL.in_(lang), width=205, wrap=True, **link.control("verdict"),
    )  # fmt: skip
    row.text_input(WORDS["text"].in_(lang), max_chars=80, width=160, **link.control("text"))
    found = views.filter_claims(
        table, sides=link["side"], systems=link["system"], verdicts=link["verdict"] if judged else [],
        text=link["text"],
    )  # fmt: skip
    if judged:
        st.plotly_chart(views.counts_figure(found, lang=lang), theme=None, config=frame.CHART, key="counts",
                        alt=WORDS["bars"].in_(lang))  # fmt: skip
    said = say(WORDS["shown"], lang, n=str(len(found)), total=str(len(table)))
    st.caption(md(f"{said}. {say(WORDS['marked'], lang)}") if found["flips"].any() else said)
    if found.empty:
        st.info(WORDS["none"].in_(lang))
        return
    st.session_state["claims:shown"] = list(found["id"])
    shown = found[["id", "verdict_word", "side_word", "system_word", "gloss", "decided"]]
    text = st.column_config.TextColumn
    st.dataframe(
        shown, key="claims:table", on_select=_open, selection_mode="single-row", hide_index=True, row_height=64,
        height=min(64 * len(shown) + 40, 620), alt=HEADING.in_(lang),
        column_config={
            "id": text("id", width=56, pinned=True),
            "verdict_word": text(WORDS["verdict"].in_(lang), width=128),
            "side_word": text(WORDS["side"].in_(lang), width=96),
            "system_word": text(WORDS["system"].in_(lang), width=190),
            "gloss": text(WORDS["gloss"].in_(lang), width=480),
            "decided": text(WORDS["decided"].in_(lang), width=130),
        },
    )  # fmt: skip


def _open() -> None:
    rows = st.session_state["claims:table"]["selection"]["rows"]
    shown = st.session_state.get("claims:shown", [])
    if rows and rows[0] < len(shown):
        put("claim", shown[rows[0]])


def _one(link: Link, register: Register, audit: files.Audit | None, ids: Sequence[str], row: DeltaGenerator) -> None:
    lang, claim = link.lang, register.claims[link["claim"]]
    at = ids.index(claim.id)
    last = len(ids) - 1
    row.button(WORDS["back"].in_(lang), on_click=put, args=("claim", ""))
    row.button(WORDS["before"].in_(lang), on_click=put, args=("claim", ids[max(at - 1, 0)]), disabled=at == 0)
    row.button(WORDS["after"].in_(lang), on_click=put, args=("claim", ids[min(at + 1, last)]), disabled=at == last)
    line = None if audit is None else audit.lines.get(claim.id)
    plan = files.plan_without_run() if audit is None else audit.plan
    rules, silent = claims_rules(plan, claim.id)
    reason = "" if audit is None or line is None else views.why_not_testable(line, silent, audit.results, lang=lang)
    _what(claim, register, line, lang, judged=audit is not None, reason=reason)
    whys = {raw["experiment"]: raw.get("why") for raw in plan["rules"] if raw["claim"] == claim.id}
    for key in claim.experiments:
        with st.container(border=True):
            _experiment(
                register.experiments[key], next((r for r in rules if r.experiment == key), None), silent.get(key),
                whys.get(key), line, audit, lang,
            )  # fmt: skip


def _what(
    claim: Claim, register: Register, line: Mapping[str, Any] | None, lang: Lang, *, judged: bool, reason: str
) -> None:
    system = register.systems[claim.system]["name"][lang]
    st.subheader(f"{claim.id} · {wording.SIDES[claim.side].in_(lang)}", anchor=False)
    st.caption(md(wording.typeset(str(system), lang)))
    if line is not None:
        st.markdown(f"### {md(verdict(line['verdict'], lang))}")
        said = [wording.UNDER.in_(lang)] if line["verdict"] in ("supported", "refuted", "inconclusive") else []
        if line["pending"]:
            said.append(say(WORDS["awaits"], lang, experiments=wording.listing(line["pending"], lang)))
        if line["flips"]:
            said.append(say(WORDS["flips"], lang))
        if reason and claim.reason is None:
            said.append(reason)
        if said:
            st.markdown(f"*{md(' · '.join(said))}*")
    else:
        st.markdown(f"*{md((WORDS['noline'] if judged else WORDS['norun']).in_(lang))}*")
    quote = f"« {claim.quote} »" if claim.quote_lang == "fr" else f"“{claim.quote}”"
    st.markdown(f"> {md(wording.typeset(quote, 'fr' if claim.quote_lang == 'fr' else 'en'))}")
    source = register.sources[claim.source.ref]
    title = str(source["title"])
    title = wording.typeset(title, "fr" if "«" in title else lang)
    who = attribution(claim.source.speaker, claim.source.document)
    who += [say(WORDS["page"], lang, page=claim.source.page)] if claim.source.page else []
    url = str(source.get("url") or "")
    where = (
        f" · [{WORDS['link'].in_(lang)}](<{url}>)" if url.startswith(("https://", "http://")) and ">" not in url else ""
    )
    st.caption(md(", ".join(dict.fromkeys(who))) + f" · {md(claim.source.ref)} {md(title)}{where}")
    st.markdown(f"**{md(WORDS['gloss'].in_(lang))}.** {md(say_text(claim.gloss, lang))}")
    parts = (("how", claim.how), ("support", claim.support_if), ("refute", claim.refute_if), ("reason", claim.reason),
             ("note", claim.note), ("known", claim.known_status))  # fmt: skip
    for name, text in parts:
        if text is not None:
            st.markdown(f"**{md(WORDS[name].in_(lang))}.** {md(say_text(text, lang))}")


def say_text(text: Text, lang: Lang) -> str:
    """Register text, typeset; it is no template."""
    return wording.typeset(text.in_(lang), lang)


def _experiment(
    card: ExperimentCard, rule: Rule | None, silent: Any, why: Any, line: Mapping[str, Any] | None,
    audit: files.Audit | None, lang: Lang,
) -> None:  # fmt: skip
    st.markdown(f"#### {card.id} · {md(say_text(card.title, lang))}")
    st.markdown(md(say_text(card.question, lang)))
    if silent is not None:
        st.markdown(f"**{md(WORDS['silent'].in_(lang))}.** {md(wording.typeset(str(silent[lang]), lang))}")
    judged = next((j for j in line["rules"] if j["experiment"] == card.id), None) if line else None
    if card.id not in EXPERIMENTS:
        st.markdown(f"*{md(WORDS['pending'].in_(lang))}*")
        return
    module = load(card.id)
    measures = {m.key: m for m in module.MEASURES}
    if rule is not None:
        _rule(rule, why, measures, lang)
    if judged is not None and rule is not None and audit is not None:
        _measured(judged, rule, measures, audit, lang)
    elif silent is None:
        st.markdown(f"*{md(WORDS['pending'].in_(lang))}*")
    frame.limits(module.CANNOT_TELL, lang)


def _rule(rule: Rule, why: Any, measures: Mapping[str, Measure], lang: Lang) -> None:
    st.markdown(f"**{md(WORDS['rule'].in_(lang))}**")
    said = []
    for side, criterion in (("support", rule.support), ("refute", rule.refute)):
        conditions = (" ; " if lang == "fr" else "; ").join(views.criterion_in_words(criterion, measures, lang=lang))
        said.append(f"- *{md(WORDS[side].in_(lang))}* {md(wording.typeset(conditions, lang))}.")
    st.markdown("\n".join(said))
    if why is not None:
        st.markdown(f"**{md(WORDS['why'].in_(lang))}.** {md(wording.typeset(str(why[lang]), lang))}")
    tail = WORDS["else"].in_(lang)
    if rule.worlds:
        tail = say(WORDS["among"], lang, worlds=views.worlds_that_count(rule, lang=lang)) + " " + tail
    st.caption(md(wording.typeset(tail, lang)))


def _measured(
    judged: Mapping[str, Any], rule: Rule, measures: Mapping[str, Measure], audit: files.Audit, lang: Lang
) -> None:
    counts = judged["counts"]
    said = say(WORDS["counts"], lang, n=str(len(judged["worlds"])), **{k: str(v) for k, v in counts.items()})
    said += say(WORDS["untold"], lang, n=str(counts["not testable"])) if counts.get("not testable") else ""
    st.markdown(f"**{md(verdict(judged['verdict'], lang))}** · {md(said)}")
    table = views.worlds_frame(judged, audit.results, measures=measures, lang=lang)
    for key in rule.measures:
        label = views.label_of(key, measures, lang=lang)
        figure = views.worlds_figure(table, rule, measure=key, lang=lang)
        st.markdown(f"**{md(label)}**")
        if figure is None:
            st.caption(WORDS["empty"].in_(lang))
            continue
        st.plotly_chart(figure, theme=None, config=frame.CHART, key=f"plot:{judged['experiment']}:{key}",
                        alt=say(WORDS["figure"], lang, label=label))  # fmt: skip
    with st.expander(say(WORDS["all"], lang, n=str(len(table))), expanded=len(table) <= 12):
        columns = {"world_name": "world", "label": "measure", "estimate": "estimate", "interval": "interval", "n": "n",
                   "unit_of_n": "unit_of_n", "method": "method", "verdict_word": "verdict", "id": "id"}  # fmt: skip
        names = {c: WORDS[w].in_(lang) if w in WORDS else w for c, w in columns.items()}
        st.dataframe(table[list(columns)].rename(columns=names), hide_index=True, alt=say(WORDS["all"], lang, n=""),
                     key=f"table:{judged['experiment']}")  # fmt: skip


main()
