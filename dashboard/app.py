"""The dashboard: claims and verdicts, the map, the patrol loop, video. Start it with ``contrechamp dashboard``.

A router and nothing else: the pages are in ``app_pages/``, what they draw in the ``views`` modules.

What it cannot tell you: what happened in Marseille. Everything shown comes from an invented city.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from contrechamp.domain.errors import ContrechampError
from dashboard.i18n import PAGES, TITLE, cause, md
from dashboard.link import language

HERE = Path(__file__).resolve().parent
FILES = {"claims": "claims.py", "map": "hotspot_map.py", "loop": "patrol_loop.py", "video": "video.py"}


def main() -> None:
    """Set the page up and run the one that the address names."""
    lang = language()
    pages = [
        st.Page(HERE / "app_pages" / FILES[key], title=f"{name.in_(lang)} · {TITLE.in_(lang)}", url_path=key,
                default=key == "claims")
        for key, name in PAGES.items()
    ]  # fmt: skip
    st.set_page_config(page_title=TITLE.in_(lang), layout="wide", initial_sidebar_state="collapsed")
    page = st.navigation(pages, position="hidden")
    try:
        page.run()
    except ContrechampError as error:  # one paragraph for a user's problem; ours keep their traceback, in the log
        st.error(md(cause(error)))


main()
