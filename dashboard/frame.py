"""What every page has around it: title, links to the pages, language, choice of the run, limits."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from contrechamp.audit.reporting.experiments import cannot_tell
from contrechamp.domain.errors import ContrechampError
from contrechamp.domain.text import LANGS, Lang, Text
from dashboard import i18n
from dashboard.i18n import md, say
from dashboard.link import Link

CHART: Final = {"displayModeBar": False, "scrollZoom": False, "showTips": False}
#: Streamlit leaves six lines above the first one for a header that is hidden here. Constant text, no data.
_STYLE: Final = "<style>.stMainBlockContainer {padding-top: 1.1rem; padding-bottom: 2rem;}</style>"
_FILES: Final = {"claims": "claims.py", "map": "hotspot_map.py", "loop": "patrol_loop.py", "video": "video.py"}


def header(link: Link, *, title: Text, intro: Text | None) -> None:
    """Links to the pages (they carry the language and the run), language, title and introduction."""
    lang = link.lang
    carried = {k: v for k, v in (("lang", lang if lang != "fr" else ""), ("run", _run(link))) if v}
    st.html(_STYLE)
    with st.container(horizontal=True, vertical_alignment="center", key="top"):
        for key, name in i18n.PAGES.items():
            st.page_link(page(key), label=name.in_(lang), query_params=carried)
        st.space("stretch")
        st.segmented_control(
            i18n.LANGUAGE.in_(lang), LANGS, format_func=lambda code: i18n.LANGUAGES[code], required=True,
            label_visibility="collapsed", **link.control("lang"),
        )  # fmt: skip
    st.header(title.in_(lang), anchor=False)
    if intro is not None:
        st.markdown(md(say(intro, lang)))


def page(key: str) -> str:
    """Path of a page, as Streamlit wants it: relative to the entry point."""
    return f"app_pages/{_FILES[key]}"


def choose_run(link: Link, names: list[str], root: Path, *, where: DeltaGenerator) -> Path | None:
    """The run of the address, or the latest; None (and a line that says what to do) when there is none.

    The control goes in ``where``, the lines go where the page is.
    """
    lang = link.lang
    if not names:
        st.info(say(i18n.NO_RUN, lang, folder=md(str(root))))
        return None
    link.default("run", names, names[0])
    where.selectbox(i18n.RUN.in_(lang), names, width=230, **link.control("run"))
    asked = st.query_params.get("run", names[0])
    if asked not in names:
        st.warning(say(i18n.GONE, lang, run=md(asked[:80])))
    return root / str(link["run"])


def damaged(error: ContrechampError, run: Path, lang: Lang) -> None:
    """Say in one paragraph that a run cannot be read."""
    st.error(say(i18n.DAMAGED, lang, run=md(run.name), cause=md(i18n.cause(error))))


def limits(text: Text, lang: Lang) -> None:
    """The line under a page that says what it cannot tell."""
    st.caption(f"**{i18n.LIMITS.in_(lang)}.** {md(say(cannot_tell(text), lang))}")


def _run(link: Link) -> str:
    try:
        return str(link["run"])
    except KeyError:
        return ""
