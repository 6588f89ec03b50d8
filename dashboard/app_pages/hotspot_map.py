"""Page: latent incidents beside records beside the forecast, day by day."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from contrechamp.audit.reporting import wording
from contrechamp.domain.errors import ContrechampError
from contrechamp.domain.grid import FloatArray
from contrechamp.domain.text import Lang, Text
from contrechamp.pipelines.backtest import CANNOT_TELL
from dashboard import files, frame, views_map
from dashboard.i18n import md, say
from dashboard.link import Link, Param, choice

HEADING = Text(
    fr="Ce qui arrive, ce qui s’enregistre, ce qui se prévoit", en="What happens, what is recorded, what is forecast"
)
INTRO = Text(
    fr="Le même jour, trois fois. À gauche les incidents latents, tous, que seule une simulation connaît. Au milieu "
    "ceux que la ville a enregistrés, parce qu’un habitant les a signalés, qu’une patrouille les a "
    "découverts ou qu’un opérateur les a vus à l’écran. À "
    "droite ce que le modèle annonçait la veille, appris sur les seuls enregistrements.",
    en="The same day, three times. Left, the latent incidents, all of them, which only a simulation knows. Middle, "
    "those that the city recorded, because a resident reported them, a patrol discovered them or an operator saw "
    "them on screen. Right, what the "
    "model announced the day before, learned from records alone.",
)
WORDS = {
    "day": Text(fr="Jour", en="Day"),
    "predictor": Text(fr="Prévision montrée", en="Forecast shown"),
    "window": Text(fr="Jours regardés ensemble", en="Days looked at together"),
    "windows": Text(fr="{n} j", en="{n} d"),
    "scale": Text(fr="Échelle des couleurs", en="Colour scale"),
    "incidents": Text(fr="incidents", en="incidents"),
    "records": Text(fr="enregistrements", en="records"),
    "total_latent": Text(fr="{n} incidents par jour en tout.", en="{n} incidents a day in all."),
    "total_recorded": Text(fr="{n} enregistrements par jour en tout.", en="{n} records a day in all."),
    "total_forecast": Text(
        fr="{n} enregistrements attendus par jour. Signale {cells} cellules sur {total}.",
        en="{n} records expected a day. Flags {cells} cells of {total}.",
    ),
    "days": Text(fr="jours", en="days"),
    "or": Text(fr="ou", en="or"),
    "whole": Text(
        fr="Sur les {days} jours d’épreuve, dans le {area} signalé : {truth} des incidents, {records} des "
        "enregistrements.",
        en="Over the {days} days of test, in the {area} flagged: {truth} of incidents, {records} of records.",
    ),
    "ties": Text(
        fr="Toutes les cellules se valent pour cette prévision : celles qu’elle signale sont tirées au sort chaque "
        "jour.",
        en="All cells are equal to this forecast: those it flags are drawn by lot every day.",
    ),
    "figure": Text(
        fr="Trois cartes de la ville inventée pour le {day} : incidents latents, enregistrements, prévision {name}",
        en="Three maps of the invented city for {day}: latent incidents, records, forecast {name}",
    ),
    "noplatform": Text(
        fr="Cette exécution n’a pas fait tourner la plateforme (audit limité à quelques affirmations) : il n’y a pas "
        "de carte.",
        en="This run did not run the platform (audit limited to a few claims): there is no map.",
    ),
    "scales": Text(
        fr="Les deux premières cartes partagent leurs couleurs ; la prévision a les siennes, car elle étale en petites "
        "valeurs ce qui arrive en points. Sous les cartes, l’intervalle (Wilson) tient les incidents d’un jour pour "
        "indépendants ; celui des jours d’épreuve rééchantillonne les jours.",
        en="The first two maps share their colours; the forecast has its own, because it spreads in small values what "
        "happens in points. Under the maps, the interval (Wilson) takes the incidents of a day as independent; that of "
        "the days of test resamples days.",
    ),
}


@st.cache_resource(show_spinner=False, max_entries=3)
def _read(run: str, stamp: int) -> files.Maps:
    del stamp  # part of the key: a run made again under the same name is read again
    return files.read_maps(Path(run))


@st.cache_resource(show_spinner=False, max_entries=3)
def _results(run: str, stamp: int) -> Sequence[Any]:
    del stamp
    return files.read_audit(Path(run)).results


def _window(text: str) -> int:
    if int(text) not in views_map.WINDOWS:
        raise ValueError(text)
    return int(text)


def main() -> None:
    """Draw the page."""
    root = files.runs_folder()
    names = files.run_names(root)
    link = Link(
        choice("run", names),
        Param("day", -1, int),
        Param("predictor", "", str),
        Param("window", 1, _window),
        choice("scale", list(views_map.SCALES), default="root"),
    )
    lang = link.lang
    frame.header(link, title=HEADING, intro=INTRO)
    row = st.container(horizontal=True, vertical_alignment="bottom", gap="small")
    run = frame.choose_run(link, names, root, where=row)
    if run is None:
        frame.limits(CANNOT_TELL, lang)
        return
    if not files.has_maps(run):
        st.info(say(WORDS["noplatform"], lang))
        return
    try:
        maps = _read(str(run), files.stamp(run))
        results = _results(str(run), files.stamp(run))
    except ContrechampError as error:
        frame.damaged(error, run, lang)
        return
    link.default("day", maps.days.tolist(), int(maps.days[-1]))
    link.default("predictor", maps.predictors, maps.predictors[-1])
    _controls(link, maps, row)
    _draw(link, maps, results)


def _controls(link: Link, maps: files.Maps, row: DeltaGenerator) -> None:
    lang = link.lang
    row.select_slider(
        WORDS["day"].in_(lang), [int(d) for d in maps.days], width=250, **link.control("day"),
        format_func=lambda d: views_map.day_name(d, maps.start, lang),
    )  # fmt: skip
    row.selectbox(
        WORDS["predictor"].in_(lang), maps.predictors, width=180, **link.control("predictor"),
        format_func=lambda p: views_map.predictor_name(p, lang),
    )  # fmt: skip
    row.segmented_control(
        WORDS["window"].in_(lang), views_map.WINDOWS, required=True, **link.control("window"),
        format_func=lambda n: say(WORDS["windows"], lang, n=str(n)),
    )  # fmt: skip
    row.segmented_control(
        WORDS["scale"].in_(lang), list(views_map.SCALES), required=True, **link.control("scale"),
        format_func=lambda s: views_map.SCALES[s].in_(lang),
    )  # fmt: skip


def _draw(link: Link, maps: files.Maps, results: Sequence[Any]) -> None:
    lang, predictor = link.lang, link["predictor"]
    last = maps.days.tolist().index(link["day"])
    window = min(link["window"], last + 1)
    layers = [
        views_map.density(maps.layers[name], last=last, window=window, cell_km2=maps.grid.cell_km2)
        for name in ("latent", "recorded", predictor)
    ]
    figure = views_map.maps_figure(
        *layers, grid=maps.grid, outline_m=maps.outline_m, scale=link["scale"], predictor=predictor, lang=lang
    )
    day, name = views_map.day_name(link["day"], maps.start, lang), views_map.predictor_name(predictor, lang)
    alt = say(WORDS["figure"], lang, day=day, name=name)
    st.plotly_chart(figure, theme=None, config=frame.CHART, key="maps", alt=alt)
    span = (int(maps.days[last - window + 1]), int(link["day"]))
    columns = st.columns(3)
    shown: tuple[tuple[str, views_map.ScoredOn, str, str], ...] = (
        ("latent", "truth", "incidents", "total_latent"),
        ("recorded", "records", "records", "total_recorded"),
    )
    sizes: list[int] = []
    for column, (layer, scored_on, what, total) in zip(columns, shown, strict=False):
        caught = views_map.captured(maps.daily, days=span, predictor=predictor, scored_on=scored_on)
        said = [say(WORDS[total], lang, n=_number(maps.layers[layer], last, window, lang))]
        said += [views_map.captured_in_words(c, what=WORDS[what], lang=lang) + "." for c in caught]
        column.markdown("  \n".join(md(s) for s in said))
        sizes = [c.cells for c in caught]
    flagged = f" {WORDS['or'].in_(lang)} ".join(wording.count(c, lang) for c in sizes)
    total, mean = wording.count(maps.grid.n_cells, lang), _number(maps.layers[predictor], last, window, lang)
    said = [say(WORDS["total_forecast"], lang, n=mean, cells=flagged, total=total)]
    said += [WORDS["ties"].in_(lang)] if layers[2].min() == layers[2].max() else []
    columns[2].markdown("  \n".join(md(s) for s in said))
    _whole(maps, results, predictor, lang)
    frame.limits(Text(fr=f"{CANNOT_TELL.fr} {WORDS['scales'].fr}", en=f"{CANNOT_TELL.en} {WORDS['scales'].en}"), lang)


def _whole(maps: files.Maps, results: Sequence[Any], predictor: str, lang: Lang) -> None:
    """The same share over all the days of test, as the audit reports it."""
    found = {
        (r["world"]["area"], r["world"]["scored_on"]): r
        for r in results
        if r["experiment"] == "platform" and r["measure"] == "hit_rate" and r["world"]["predictor"] == predictor
    }
    for area in sorted({a for a, _ in found}):
        said = {}
        for kind in ("truth", "records"):
            if (r := found.get((area, kind))) is not None:
                bounds = f"{wording.bounds(r, lang)} {WORDS['days'].in_(lang)}"
                said[kind] = f"{md(wording.value(r, lang))} ({md(bounds)}, `{r['id']}`)"
        if len(said) == 2:
            share = md(wording.percent(area, lang, digits=2))
            st.caption(say(WORDS["whole"], lang, days=str(len(maps.days)), area=share, **said))


def _number(layer: FloatArray, last: int, window: int, lang: Lang) -> str:
    mean = views_map.expected(layer, last=last, window=window)
    return wording.plain_number(round(mean, 1) if mean < 100 else round(mean), lang)


main()
