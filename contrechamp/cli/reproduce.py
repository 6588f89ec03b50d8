"""``contrechamp reproduce``: run published papers again, and set their figures beside ours."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from contrechamp.cli._common import emit, emit_table, progress_bar, say, workers
from contrechamp.domain.text import Lang


def reproduce(
    paper: Annotated[str, typer.Argument(metavar="list | ARTICLE", help="« list », ou la clef d'un article (a key).")],
    data: Annotated[
        Path | None, typer.Option(metavar="DOSSIER", help="Données de l'article, non distribuées (data not shipped).")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Dossier à créer : résultats, tables, figure (must not exist).")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0)] = None,
    jobs: Annotated[int | None, typer.Option(min=1)] = None,
    lang: Annotated[Lang, typer.Option(help="Langue de la table.")] = "fr",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Refaire un article publié et comparer ses chiffres aux nôtres. (Run a published paper again.)"""
    if paper == "list":
        _list(lang, as_json)
        return
    from contrechamp.audit.plan import DEFAULT_SEED
    from contrechamp.pipelines import reproduce as pipeline

    if out is not None:
        pipeline.check_out(out)
    with progress_bar(1) as (progress, advance):
        advance(paper)
        found = pipeline.reproduce(
            paper,
            data=data,
            seed=DEFAULT_SEED if seed is None else seed,
            jobs=workers(jobs),
            progress=progress,
        )
    if out is not None:
        say(f"Écrit (written): {pipeline.write(found, out)}")
    if as_json:
        emit(pipeline.to_dict(found))
        return
    from contrechamp.pipelines.papers.base import KINDS, STATUSES

    words = {"fr": ("chiffre", "publié", "ici", "tolérance", "", "source"),
             "en": ("figure", "published", "ours", "tolerance", "", "source")}[lang]  # fmt: skip
    rows = []
    for c in found.comparisons:
        ours = "—" if c.ours.estimate is None else _number(c.ours.estimate, lang)
        if c.ours.low is not None and c.ours.high is not None and c.ours.high > c.ours.low:
            ours += f" [{_number(c.ours.low, lang)} ; {_number(c.ours.high, lang)}]"
        bound = "—" if c.published.tolerance is None else f"± {_number(c.published.tolerance, lang)}"
        kind = KINDS[c.published.kind].in_(lang)
        said = STATUSES[c.status].in_(lang)
        rows.append((c.published.label.in_(lang), _number(c.published.value, lang), ours, bound, said, kind))
    print(f"{found.dossier.title.in_(lang)}\n{found.dossier.reference}\n")
    emit_table(rows, words)
    heading = {"fr": "Non reproduit :", "en": "Not reproduced:"}[lang]
    print("".join(f"\n{heading} {m.what.in_(lang)} {m.why.in_(lang)}" for m in found.dossier.missing))
    print(f"\n{found.dossier.limits.in_(lang)}")


def _list(lang: Lang, as_json: bool) -> None:
    from contrechamp.pipelines.reproduce import PAPERS, load_dossier

    dossiers = [load_dossier(key) for key in PAPERS]
    if as_json:
        emit(
            [
                {
                    "key": d.key,
                    "title": {"fr": d.title.fr, "en": d.title.en},
                    "reference": d.reference,
                    "figures": len(d.published),
                    "data": [{"name": f.name, "sha256": f.sha256, "source": f.source} for f in d.data],
                }
                for d in dossiers
            ]
        )
        return
    needs = {"fr": ("à apporter", "aucune"), "en": ("bring them", "none")}[lang]
    header = {"fr": ("clef", "chiffres", "données", "article"), "en": ("key", "figures", "data", "paper")}[lang]
    emit_table([(d.key, len(d.published), needs[not d.data], d.title.in_(lang)) for d in dossiers], header)


def _number(value: float, lang: Lang) -> str:
    text = f"{value:.6g}"
    return text.replace(".", ",") if lang == "fr" else text
