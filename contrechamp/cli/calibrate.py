"""``contrechamp calibrate``: a generated city against the published figures it is scaled to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from contrechamp.cli._common import emit
from contrechamp.domain.text import Lang


def calibrate(
    run: Annotated[Path, typer.Argument(metavar="DOSSIER", help="Dossier fait par generate (made by generate).")],
    lang: Annotated[Lang, typer.Option(help="Langue de la table.")] = "fr",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Comparer la ville tirée aux chiffres publiés. (Compare the drawn city with published figures.)"""
    from contrechamp.audit.calibration import calibrate as measure
    from contrechamp.audit.calibration import to_markdown

    figures = measure(run)
    if as_json:
        emit([figure.to_dict() for figure in figures])
    else:
        print(to_markdown(figures, lang=lang), end="")
