"""Page: who is flagged by video rules, from an audit's figures or from clips that one can watch."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from contrechamp.audit.reporting import labels, wording
from contrechamp.domain.errors import ContrechampError
from contrechamp.domain.text import Lang, Text
from contrechamp.experiments.base import load
from contrechamp.pipelines.vsa import CANNOT_TELL
from dashboard import files, files_video, frame, views_clips, views_dots, views_video
from dashboard.files_video import MOST_ALERTS, Footage
from dashboard.i18n import LANGUAGES, md, say
from dashboard.i18n_video import AUDIT, CLIPS, COLUMNS, HEADING, INTRO, SHOWS, WORDS
from dashboard.link import Link, Param, choice


@st.cache_resource(show_spinner=False, max_entries=4)
def _audit(run: str, stamp: int) -> tuple[files.Audit, pd.DataFrame | None]:
    del stamp  # part of the key: a run made again under the same name is read again
    return files.read_audit(Path(run)), files_video.read_roles(Path(run))


@st.cache_resource(show_spinner=False, max_entries=4)
def _footage(root: str, name: str, stamp: tuple[int, ...]) -> Footage:
    del stamp
    return files_video.read_footage(Path(root), name)


def main() -> None:
    """Draw the page."""
    root, names = files.runs_folder(), files.run_names(files.runs_folder())
    shelf = files_video.footage_folder()
    footage = files_video.footage_names(shelf)
    link = Link(
        choice("run", names),
        choice("show", list(SHOWS)),
        Param("place", "", str),
        Param("T", -1.0, float, lambda value: f"{value:g}" if value > 0 else ""),
        choice("count", ["static", "present"], default="static"),
        Param("preset", "", str),
        choice("footage", footage),
        Param("clip", "", str),
        Param("alert", -1, int, lambda value: str(value) if value >= 0 else ""),
    )
    lang = link.lang
    frame.header(link, title=HEADING, intro=INTRO)
    link.default("show", list(SHOWS), AUDIT if names or not footage else CLIPS)
    st.segmented_control(
        WORDS["show"].in_(lang), list(SHOWS), format_func=lambda key: SHOWS[key].in_(lang), required=True,
        label_visibility="collapsed", **link.control("show"),
    )  # fmt: skip
    row = st.container(horizontal=True, vertical_alignment="bottom", gap="small")
    if link["show"] == AUDIT:
        _from_audit(link, names, root, row)
    else:
        _from_clips(link, footage, shelf, row)


# --- The audit's figures.


def _from_audit(link: Link, names: list[str], root: Path, row: DeltaGenerator) -> None:
    lang = link.lang
    limits = load(views_video.E09).CANNOT_TELL
    run = frame.choose_run(link, names, root, where=row)
    if run is None:
        frame.limits(limits, lang)
        return
    try:
        audit, roles = _audit(str(run), files.stamp(run))
    except ContrechampError as error:
        frame.damaged(error, run, lang)
        return
    results = audit.results
    if not views_video.has_e09(results):
        st.info(say(WORDS["no_e09"], lang))
        st.code(f"contrechamp audit --claim V11 --out {root}", language=None)
        frame.limits(limits, lang)
        return
    _burden(link, results, roles, row)
    _ladder(results, lang)
    _presets(link, results)
    frame.limits(limits, lang)


def _burden(link: Link, results: tuple[views_dots.Row, ...], roles: pd.DataFrame | None, row: DeltaGenerator) -> None:
    lang = link.lang
    where, times = views_video.places(results), views_video.thresholds(results, roles)
    if not where or not times:
        st.info(say(WORDS["nothing"], lang))
        return
    link.default("place", where, where[0])
    link.default("T", times, views_video.claim_threshold(results))
    row.selectbox(
        WORDS["place"].in_(lang), where, width=150, **link.control("place"),
        format_func=lambda key: labels.value_name("place", key, lang),
    )  # fmt: skip
    row.segmented_control(
        WORDS["T"].in_(lang), times, required=True, **link.control("T"),
        format_func=lambda t: f"{views_video.number(t, lang)} s",
    )  # fmt: skip
    row.selectbox(
        WORDS["count"].in_(lang), ["static", "present"] if roles is not None else ["static"], width=190,
        **link.control("count"), format_func=lambda key: labels.value_name("rule", key, lang),
    )  # fmt: skip
    here = {"place": link["place"], "rule": link["count"], "threshold_s": link["T"]}
    st.subheader(WORDS["burden"].in_(lang), anchor=False)
    st.markdown(md(say(WORDS["burden_read"], lang)))
    numbers = views_video.burden(results, roles, **here)
    _dots(*views_video.burden_panels(numbers, lang=lang), what="burden", head="situation", lang=lang,
          widths=(0.4, 0.3, 0.3))  # fmt: skip
    if numbers["share_of_alerts"] and not any("id" in r for r in numbers["share_of_alerts"].values()):
        st.caption(md(say(WORDS["counts"], lang)))
    table = views_video.against_table(results, **here, lang=lang)
    if len(table):
        st.markdown(f"**{md(say(WORDS['against'], lang))}**")
        st.table(table.rename(columns={c: COLUMNS[c].in_(lang) for c in table.columns}).set_index(
            COLUMNS["reading"].in_(lang)), border="horizontal")  # fmt: skip


def _ladder(results: tuple[views_dots.Row, ...], lang: Lang) -> None:
    st.subheader(WORDS["ladder"].in_(lang), anchor=False)
    st.markdown(md(say(WORDS["ladder_read"], lang)))
    _dots(*views_video.ladder_panels(results, lang=lang), what="ladder", head="body", lang=lang)
    st.subheader(WORDS["pairs"].in_(lang), anchor=False)
    st.markdown(md(say(WORDS["pairs_read"], lang)))
    _dots(*views_video.gap_panels(results, lang=lang), what="pairs", head="body", lang=lang)


def _presets(link: Link, results: tuple[views_dots.Row, ...]) -> None:
    lang = link.lang
    keys = views_video.preset_keys(results)
    st.subheader(WORDS["presets"].in_(lang), anchor=False)
    if not keys:
        st.info(say(WORDS["nothing"], lang))
        return
    link.default("preset", keys, keys[0])
    for said in views_video.spread_sentences(results, lang=lang):
        st.markdown(md(said))
    st.selectbox(
        WORDS["preset"].in_(lang), keys, width=320, **link.control("preset"),
        format_func=lambda key: views_video.preset_name(key, lang),
    )  # fmt: skip
    st.caption(md(views_video.preset_told(link["preset"], lang)))
    _dots(*views_video.preset_panels(results, chosen=link["preset"], lang=lang), what="presets", head="definition",
          lang=lang)  # fmt: skip


def _dots(
    names: dict[str, str], panels: list[views_dots.Panel], *, what: str, head: str, lang: Lang,
    widths: tuple[float, ...] = (),
) -> None:  # fmt: skip
    """A figure of dots, and the same numbers as a table that can be read without seeing it."""
    if not names or not panels:
        st.info(say(WORDS["nothing"], lang))
        return
    figure = views_dots.dots(names, panels, lang=lang, widths=widths)
    st.plotly_chart(figure, theme=None, config=frame.CHART, key=f"dots:{what}", alt=say(WORDS[f"{what}_alt"], lang))
    with st.expander(WORDS["table"].in_(lang), key=f"table:{what}"):
        st.table(views_dots.table_of(names, panels, head=WORDS[head].in_(lang), lang=lang), border="horizontal")


# --- Clips to watch.


def _from_clips(link: Link, names: list[str], shelf: Path, row: DeltaGenerator) -> None:
    lang = link.lang
    asked = st.query_params.get("footage", "")
    if not names:
        st.info(say(WORDS["no_footage"], lang, folder=md(str(shelf))))
        st.code(
            f"contrechamp vsa render --scenes 3 --out {shelf}/clips\n"
            f"contrechamp vsa detect {shelf}/clips --pictures --out {shelf}/video\n"
            f"contrechamp vsa score {shelf}/video --out {shelf}/video-scores",
            language=None,
        )
        _limits(lang)
        return
    link.default("footage", names, names[0])
    row.selectbox(WORDS["footage"].in_(lang), names, width=230, **link.control("footage"))
    if asked and asked not in names:
        st.warning(say(WORDS["gone"], lang, run=md(asked[:80])))
    name = str(link["footage"])
    try:
        seen = _footage(str(shelf), name, files_video.stamp(shelf, name))
        _watch(link, seen, shelf, row)
        _scored(link, seen)
    except ContrechampError as error:
        st.error(say(WORDS["damaged"], lang, run=md(name), cause=md(" ".join(str(error).split()))))
        return
    _limits(lang)


def _watch(link: Link, seen: Footage, shelf: Path, row: DeltaGenerator) -> None:
    lang = link.lang
    if not seen.clips:
        st.info(say(WORDS["none_watched"], lang))
    else:
        link.default("clip", seen.clips, seen.clips[0])
        row.selectbox(WORDS["clip"].in_(lang), seen.clips, width=230, **link.control("clip"))
        _one_clip(link, seen, shelf)
    st.subheader(WORDS["clips"].in_(lang), anchor=False)
    told = say(WORDS["watched"], lang, detector=seen.detector[:80], tracker=seen.tracker[:80])
    st.markdown(md(told))
    st.dataframe(views_clips.clips_table(seen.cameras, seen.alerts, lang=lang), hide_index=True, key="clips:list",
                 alt=WORDS["clips"].in_(lang))  # fmt: skip


def _one_clip(link: Link, seen: Footage, shelf: Path) -> None:
    lang, clip = link.lang, str(link["clip"])
    whole_list = views_clips.with_situations(seen.alerts[seen.alerts["clip_id"] == clip], seen.judged)
    alerts = whole_list.head(MOST_ALERTS).reset_index(drop=True)
    by_id = {int(a["alert_id"]): a for a in alerts.to_dict("records")}
    if by_id:
        link.default("alert", by_id, next(iter(by_id)))
    left, right = st.columns([1, 1])
    drawn = files_video.annotated(shelf, seen.folder.name, clip)
    words = WORDS["video"]
    if drawn is None:
        sidecar = str(seen.cameras.loc[seen.cameras["clip_id"] == clip, "sidecar_sha256"].iloc[0])
        drawn, words = files_video.bare_clip(shelf, clip, sidecar_sha256=sidecar), WORDS["bare"]
    if drawn is None:
        left.info(say(WORDS["no_video"], lang))
    else:
        said = say(words, lang, clip=clip)
        begin = max(by_id[link["alert"]]["t_alert_s"] - 3.0, 0.0) if by_id and link["alert"] in by_id else 0.0
        told: dict[str, str | Path | bytes | BytesIO] = {
            LANGUAGES[lang]: views_clips.subtitles(alerts, lang=lang).encode()
        }
        if words is WORDS["video"]:  # the alerts flash already: the first track, which is shown, is an empty one
            told = {WORDS["no_subtitle"].in_(lang): "", **told}
        left.video(drawn, format="video/mp4", start_time=int(begin), subtitles=told if len(alerts) else None,
                   muted=True, alt=said)  # fmt: skip
        left.caption(md(said))
    sheet = files_video.sheet_of_truth(shelf, clip, lang=lang)
    if sheet is not None:
        said = say(WORDS["sheet"], lang, clip=clip)
        right.image(sheet, caption=md(said), alt=said, width="stretch")
    _alerts(link, seen, alerts, by_id, shelf, total=len(whole_list))


def _alerts(
    link: Link, seen: Footage, alerts: pd.DataFrame, by_id: dict[int, dict[object, object]], shelf: Path,
    *, total: int,
) -> None:  # fmt: skip
    lang, clip = link.lang, str(link["clip"])
    st.subheader(md(say(WORDS["alerts"], lang, clip=clip, n=wording.count(total, lang))), anchor=False)
    if not by_id:
        st.info(say(WORDS["no_alert"], lang))
        return
    if total > len(alerts):
        st.caption(md(say(WORDS["first"], lang, n=wording.count(len(alerts), lang))))
    left, right = st.columns([3, 2])
    left.dataframe(views_clips.alerts_table(alerts, lang=lang), hide_index=True, height=520, key="alerts:list",
                   alt=say(WORDS["alerts"], lang, clip=clip, n=wording.count(total, lang)))  # fmt: skip
    right.selectbox(
        WORDS["alert"].in_(lang), list(by_id), **link.control("alert"),
        format_func=lambda key: views_clips.alert_name(by_id[key], lang),
    )  # fmt: skip
    chosen = by_id[link["alert"]]
    right.markdown(md(views_clips.why(chosen, lang=lang)))
    trace = files_video.read_trace(shelf, seen.folder.name, clip=clip, alert=int(link["alert"]))
    if trace.empty:
        right.caption(WORDS["no_trace"].in_(lang))
        return
    right.plotly_chart(views_clips.trace_figure(trace, chosen, lang=lang), theme=None, config=frame.CHART,
                       key="trace", alt=say(WORDS["trace"], lang, n=str(link["alert"])))  # fmt: skip
    with right.expander(WORDS["table"].in_(lang), key="table:trace"):
        st.table(views_clips.states_of(trace, lang=lang), border="horizontal", hide_index=True)
    moments = files_video.sheet_of_alerts(shelf, seen.folder.name, clip)
    if moments is not None:
        said = say(WORDS["moments"], lang, clip=clip)
        with st.expander(said, key="moments"):
            st.image(moments, alt=said, width="stretch")


def _scored(link: Link, seen: Footage) -> None:
    lang = link.lang
    st.subheader(WORDS["scored"].in_(lang), anchor=False)
    if seen.burden is None:
        st.info(say(WORDS["no_scores"], lang))
        st.code(f"contrechamp vsa score {seen.folder} --out {seen.folder}-scores", language=None)
        return
    keys = views_clips.presets_with_alerts(seen.burden, seen.presets)
    if not keys:
        st.info(say(WORDS["nothing"], lang))
        return
    link.default("preset", keys, keys[0])
    st.selectbox(
        WORDS["preset"].in_(lang), keys, width=320, **link.control("preset"),
        format_func=lambda key: views_video.preset_name(key, lang),
    )  # fmt: skip
    st.markdown(md(say(WORDS["scored_read"], lang)))
    st.caption(md(views_video.preset_told(link["preset"], lang)))
    _dots(*views_clips.scored_panels(seen.burden, preset=link["preset"], lang=lang), what="scored", head="situation",
          lang=lang, widths=(0.36, 0.34, 0.3))  # fmt: skip


def _limits(lang: Lang) -> None:
    parts = (CANNOT_TELL, WORDS["few"], WORDS["no_live"])
    frame.limits(Text(fr=" ".join(p.fr for p in parts), en=" ".join(p.en for p in parts)), lang)


main()
