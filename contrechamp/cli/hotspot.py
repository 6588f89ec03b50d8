"""``contrechamp hotspot``: the predictors."""

from __future__ import annotations

from typing import Annotated

import typer

from contrechamp.cli._common import emit, emit_table

app = typer.Typer(help="Les prédicteurs de points chauds. (The hot-spot predictors.)", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep `list` a sub-command while it is alone."""


@app.command("list")
def list_predictors(as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Lister les prédicteurs et leurs paramètres. (List the predictors and their parameters.)"""
    from models import PREDICTORS, load_predictor

    rows = []
    for key in PREDICTORS:
        predictor = load_predictor(key)
        first = (type(predictor).__doc__ or "").strip().splitlines()[0]
        rows.append({"key": key, "parameters": predictor.get_params(), "summary": first})
    if as_json:
        emit(rows)
    else:
        emit_table([(r["key"], r["parameters"], r["summary"]) for r in rows], ("key", "parameters", "summary"))
