"""Page: the patrol loop played live."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from contrechamp.audit.reporting import wording
from contrechamp.domain.errors import ContrechampError
from contrechamp.domain.text import Text
from contrechamp.experiments.base import load
from dashboard import files, frame, views_loop
from dashboard.i18n import md, say
from dashboard.link import Link, choice, decimal, whole
from dashboard.views_loop import Setting
from fairness.feedback import AllocationRule, Arrivals

HEADING = Text(fr="La boucle des patrouilles", en="The patrol loop")
INTRO = Text(
    fr="Deux zones dont le nombre vrai d’incidents est connu, parce que nous le fixons. Chaque jour une patrouille va "
    "où le fichier l’envoie ; ce qu’elle découvre entre au fichier, avec ce que les habitants signalent. Si presque "
    "rien n’est signalé, le fichier finit par compter les patrouilles plutôt que les incidents. Changez la règle et "
    "la part signalée, et regardez la part enregistrée quitter, ou non, la part vraie.",
    en="Two zones whose true number of incidents is known, because we set it. Each day one patrol goes where the file "
    "sends it; what it discovers enters the file, with what residents report. If next to nothing is reported, the "
    "file ends up counting patrols rather than incidents. Change the rule and the share reported, and watch the "
    "recorded share leave the true share, or not.",
)
WORDS = {
    "rule": Text(fr="Règle d’affectation de la patrouille", en="How the patrol is sent"),
    "rho": Text(fr="Part des incidents signalée par les habitants", en="Share of incidents reported by residents"),
    "rho_help": Text(
        fr="0 : rien n’est signalé, seules les patrouilles remplissent le fichier. 1 : tout l’est, il n’y a plus de "
        "boucle.",
        en="0: nothing is reported, only patrols fill the file. 1: everything is, there is no loop left.",
    ),
    "rate1": Text(fr="Incidents par jour, zone 1", en="Incidents a day, zone 1"),
    "rate2": Text(fr="Incidents par jour, zone 2", en="Incidents a day, zone 2"),
    "start1": Text(fr="Enregistrements au départ, zone 1", en="Records at the start, zone 1"),
    "start2": Text(fr="Enregistrements au départ, zone 2", en="Records at the start, zone 2"),
    "days": Text(fr="Jours", en="Days"),
    "reps": Text(fr="Villes simulées", en="Simulated cities"),
    "seed": Text(fr="Graine", en="Seed"),
    "law": Text(fr="Incidents d’un jour", en="Incidents of a day"),
    "more": Text(
        fr="Autres réglages : incidents par jour {rate1} et {rate2} ; au départ {start1} et {start2} enregistrements ; "
        "{days} jours ; {reps} villes ; graine {seed}",
        en="Other settings: {rate1} and {rate2} incidents a day; {start1} and {start2} records at the start; "
        "{days} days; {reps} cities; seed {seed}",
    ),
    "under": Text(
        fr="Dans ces mondes (règle : {rule} ; taux vrais {rate1} et {rate2} par jour ; {days} jours ; {reps} villes), "
        "la part enregistrée s’écarte de la vérité de plus de 20 points dans {here} ; quand tout est signalé, dans "
        "{control}.",
        en="Under these worlds (rule: {rule}; true rates {rate1} and {rate2} a day; {days} days; {reps} cities), the "
        "recorded share is more than 20 points off the truth in {here}; when everything is reported, in {control}.",
    ),
    "cities": Text(fr="{share} des villes ({bounds})", en="{share} of cities ({bounds})"),
    "figure": Text(
        fr="Part de la zone 1 dans le fichier, jour par jour et au dernier jour, dans le monde choisi et dans le "
        "témoin, avec la part vraie",
        en="Share of zone 1 in the file, day by day and on the last day, in the chosen world and in the control, with "
        "the true share",
    ),
    "try": Text(fr="À essayer :", en="Try:"),
}
#: Worlds worth a visit: what the address of each says.
VISITS = (
    (
        Text(fr="rien n’est signalé, tout à la première zone", en="nothing reported, all to the top zone"),
        {"rule": "top", "rho": 0.0},
    ),
    (Text(fr="la moitié est signalée", en="half is reported"), {"rule": "top", "rho": 0.5}),
    (
        Text(fr="la zone calme a dix enregistrements de plus", en="the quiet zone starts ten records ahead"),
        {"rule": "top", "rho": 0.1, "rate1": 0.3, "start1": 20},
    ),
    (
        Text(fr="découvertes pondérées", en="weighted discoveries"),
        {"rule": "importance-weighted", "rho": 0.1},
    ),
)


@st.cache_data(show_spinner=False, max_entries=64)
def _play(setting: Setting) -> views_loop.Played:
    return views_loop.play(setting)


@st.cache_data(show_spinner=False, max_entries=64)
def _read_seed(run: str, stamp: int) -> int:
    del stamp  # part of the key: a run made again under the same name is read again
    return files.run_seed(Path(run))


def _seed(names: Sequence[str]) -> int:
    """Seed of the run the address names, or of the latest: the cities are then the report's. 1 without a run."""
    asked = st.query_params.get("run", "")
    name = asked if asked in names else next(iter(names), "")
    run = files.runs_folder() / name
    try:
        return _read_seed(str(run), files.stamp(run)) if name else 1
    except ContrechampError:
        return 1


def main() -> None:
    """Draw the page."""
    names = files.run_names(files.runs_folder())
    link = Link(
        choice("run", names),
        choice("rule", [r.value for r in AllocationRule], default=AllocationRule.PROPORTIONAL.value),
        decimal("rho", default=0.0, low=0.0, high=1.0),
        decimal("rate1", default=0.5, low=0.05, high=1.0),
        decimal("rate2", default=0.5, low=0.05, high=1.0),
        whole("start1", default=10, low=1, high=1000),
        whole("start2", default=10, low=1, high=1000),
        choice("law", [a.value for a in Arrivals], default=Arrivals.BERNOULLI.value),
        whole("days", default=1000, low=30, high=2000),
        whole("reps", default=400, low=20, high=1000),
        whole("seed", default=_seed(names), low=0, high=2**31),
    )
    lang = link.lang
    frame.header(link, title=HEADING, intro=INTRO)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(WORDS["try"].in_(lang), width="content")
        for number, (name, values) in enumerate(VISITS):
            st.button(name.in_(lang), key=f"visit:{number}", on_click=link.visit, kwargs=values)
    _controls(link)
    setting = Setting(
        rule=link["rule"], rho=link["rho"], rates=(link["rate1"], link["rate2"]),
        start=(link["start1"], link["start2"]), arrivals=link["law"], n_days=link["days"], n_reps=link["reps"],
        seed=link["seed"],
    )  # fmt: skip
    played = _play(setting)
    st.markdown(md(views_loop.sentence(played, setting, WORDS, lang)))
    st.plotly_chart(views_loop.drift_figure(played, rho=setting.rho, lang=lang), theme=None, config=frame.CHART,
                    key="drift", alt=say(WORDS["figure"], lang))  # fmt: skip
    st.table(views_loop.drift_table(played, rho=setting.rho, lang=lang), border="horizontal")
    frame.limits(load("E02").CANNOT_TELL, lang)


def _controls(link: Link) -> None:
    lang = link.lang
    rules, laws = views_loop.rule_names(lang), views_loop.arrival_names(lang)
    first = st.columns([3, 4], vertical_alignment="bottom")
    first[0].selectbox(WORDS["rule"].in_(lang), list(rules), format_func=rules.__getitem__, **link.control("rule"))
    shares = sorted({round(0.05 * k, 2) for k in range(21)} | {link["rho"]})
    first[1].select_slider(
        WORDS["rho"].in_(lang), shares, format_func=lambda s: wording.percent(s, lang),
        help=say(WORDS["rho_help"], lang), **link.control("rho"),
    )  # fmt: skip
    values = {name: wording.plain_number(link[name], lang) for name in ("rate1", "rate2", "start1", "start2", "days")}
    summary = say(WORDS["more"], lang, **values, reps=str(link["reps"]), seed=str(link["seed"]))
    with st.expander(md(summary), key="loop:more"):
        second = st.columns(4, vertical_alignment="bottom")
        for column, name in zip(second, ("rate1", "rate2"), strict=False):
            column.slider(WORDS[name].in_(lang), 0.05, 1.0, step=0.05, **link.control(name))
        for column, name in zip(second[2:], ("start1", "start2"), strict=False):
            column.number_input(WORDS[name].in_(lang), 1, 1000, step=1, **link.control(name))
        third = st.columns(4, vertical_alignment="bottom")
        third[0].selectbox(WORDS["law"].in_(lang), list(laws), format_func=laws.__getitem__, **link.control("law"))
        third[1].slider(WORDS["days"].in_(lang), 30, 2000, step=10, **link.control("days"))
        third[2].slider(WORDS["reps"].in_(lang), 20, 1000, step=20, **link.control("reps"))
        third[3].number_input(WORDS["seed"].in_(lang), 0, 2**31, step=1, **link.control("seed"))


main()
