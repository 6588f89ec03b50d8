"""Write the report of a run: figures, HTML and PDF, in each language, from the same blocks.

French and English, page and paper, carry the same numbers: they are read once from ``results.json`` and printed by one
module (:mod:`contrechamp.audit.reporting.wording`). Two builds of the same run give the same bytes.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from contrechamp.audit.completeness import require_complete
from contrechamp.audit.figures import draw_all
from contrechamp.audit.reporting.content import build
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.html import HtmlRenderer
from contrechamp.audit.reporting.typst import TypstRenderer, compile_pdf
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.text import LANGS, Lang
from contrechamp.store.files import write_bytes

FIGURES: Final = "figures"


def write_report(work: Path, *, langs: tuple[Lang, ...] = LANGS, progress: Progress = silent) -> list[Path]:
    """Draw the figures and write ``report.<lang>.html`` and ``report.<lang>.pdf`` in a run folder.

    Parameters
    ----------
    work : Path
        Folder of a run that has ``results.json`` and ``plan.json``. Tables and truth are used where they are.
    langs : tuple of {"fr", "en"}, default=both
    progress : Progress

    Returns
    -------
    list of Path
        Reports first, then figures.

    Raises
    ------
    ContractError
        If the run has no results yet, or if its report would forget a claim, an experiment or a figure, or say one
        twice (see :mod:`contrechamp.audit.completeness`).
    """
    facts = Facts(work)
    reports: list[Path] = []
    figures: list[Path] = []
    for done, lang in enumerate(langs, start=1):
        plates = draw_all(facts, lang=lang, folder=work / FIGURES, progress=progress)
        figures += [work / FIGURES / plate.name for plate in plates.values()]
        document = build(facts, lang, plates)
        require_complete(facts, document, plates)
        page = HtmlRenderer(lambda name: (work / FIGURES / name).read_bytes()).render(document)
        reports.append(work / f"report.{lang}.html")
        write_bytes(reports[-1], page.encode())
        footer = f"{facts.started.get('run_id', work.name)} · {str(facts.body['digest'])[:16]}"
        source = TypstRenderer(f"/{FIGURES}").render(document, footer=footer)
        reports.append(work / f"report.{lang}.pdf")
        write_bytes(reports[-1], compile_pdf(source, root=work, timestamp=_moment(document.date)))
        progress("report", done, len(langs))
    return reports + figures


def _moment(iso: str) -> datetime | None:
    """Instant of the run in UTC, or None: the PDF then bears no date."""
    try:
        moment = datetime.fromisoformat(iso)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
