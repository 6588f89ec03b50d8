"""``contrechamp claims``: the register and the frozen plan."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from contrechamp.cli._common import emit, emit_table, say

app = typer.Typer(
    help="Le registre des affirmations et le plan gelé. (Claims register, frozen plan.)", no_args_is_help=True
)

Runs = Annotated[Path, typer.Option("--runs", help="Dossier des exécutions, pour lire les verdicts.")]


def _verdicts(root: Path) -> dict[str, Any]:
    from contrechamp.audit.steps import load_results
    from contrechamp.store.runs import list_runs

    found = list_runs(root)
    return {v["claim"]: v for v in load_results(found[0])["verdicts"]} if found else {}


@app.command("list")
def list_claims(
    side: Annotated[str | None, typer.Option(help="promoter, critic, authority, research.")] = None,
    system: Annotated[str | None, typer.Option(help="Système visé, par exemple S-MRS-OBS.")] = None,
    verdict: Annotated[str | None, typer.Option(help="Verdict de la dernière exécution.")] = None,
    lang: Annotated[Literal["fr", "en"], typer.Option()] = "fr",
    runs: Runs = Path("runs"),
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Lister les affirmations, avec le verdict de la dernière exécution s'il y en a une. (List the claims.)"""
    from contrechamp.audit.claims import load_register

    lines = _verdicts(runs)
    rows: list[dict[str, Any]] = [
        {
            "id": c.id,
            "side": c.side,
            "system": c.system,
            "kind": c.kind,
            "testability": c.testability,
            "experiments": list(c.experiments),
            "verdict": lines[c.id]["verdict"] if c.id in lines else None,
            "quote": c.quote,
            "gloss": {"fr": c.gloss.fr, "en": c.gloss.en},
        }
        for c in load_register().claims.values()
    ]
    wanted = {"side": side, "system": system, "verdict": verdict}
    rows = [r for r in rows if all(v is None or r[k] == v for k, v in wanted.items())]
    if as_json:
        emit(rows)
        return
    table = [
        (r["id"], r["side"], r["system"], r["verdict"] or "-", ",".join(r["experiments"]), r["gloss"][lang])
        for r in rows
    ]
    emit_table(table, ("id", "side", "system", "verdict", "experiments", "gloss"))
    if not lines:
        say("Aucune exécution trouvée : pas de verdict. (No run found: no verdict. Run `contrechamp audit`.)")


@app.command("show")
def show_claim(
    claim: Annotated[str, typer.Argument(metavar="ID")],
    lang: Annotated[Literal["fr", "en"], typer.Option()] = "fr",
    runs: Runs = Path("runs"),
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Montrer une affirmation : citation, source, critères, verdict. (Show one claim.)"""
    import dataclasses

    from contrechamp.audit.claims import load_register

    register = load_register()
    entry = register.claims[register.select((claim,))[0]]
    line = _verdicts(runs).get(claim)
    if as_json:
        emit({**dataclasses.asdict(entry), "line": line})
        return
    source = register.sources[entry.source.ref]
    print(f"{entry.id} · {entry.side} · {entry.system} · {entry.kind}")
    print(f"« {entry.quote} »")
    page = f", p. {entry.source.page}" if entry.source.page else ""
    where = f"{entry.source.ref} {source.get('url') or ''}".rstrip()
    print(f"  {entry.source.speaker}, {entry.source.document}{page} — {where}")
    for label, text in (
        ("=", entry.gloss),
        ("?", entry.how),
        ("+", entry.support_if),
        ("-", entry.refute_if),
        ("!", entry.reason),
    ):
        if text is not None:
            print(f"  {label} {text.in_(lang)}")
    print(f"  → {line['verdict'] if line else 'aucune exécution (no run)'}")


@app.command("freeze")
def freeze(
    out: Annotated[Path, typer.Option(help="Fichier du plan à écrire.")] = Path("plan.json"),
) -> None:
    """Geler règles, seuils et paramètres dans un plan daté et haché. (Freeze rules, thresholds and parameters.)"""
    from contrechamp.audit import plan
    from contrechamp.store.runs import write_json

    frozen = plan.freeze(frozen_at=f"{datetime.now(UTC):%Y-%m-%d}")
    write_json(out, frozen)
    say(f"Plan gelé (frozen) : {out}")
    print(frozen["sha256"])
