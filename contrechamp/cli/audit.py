"""``contrechamp audit`` and ``contrechamp verify``: the main job and its check."""

from __future__ import annotations

import os
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from contrechamp.cli._common import SCENARIO_HELP, emit, parse_sets, progress_bar, say, this_command, workers
from contrechamp.domain.errors import EXIT_REFUTED, ContractError, IntegrityError, ParameterError

LABELS = {
    "generate": "la ville et ses flux · city and streams",
    "ingest": "ingestion · ingest",
    "backtest": "prédiction rejouée · backtest",
    "experiments": "expériences · experiments",
    "decide": "verdicts",
    "report": "rapport · report",
    "seal": "scellement · seal",
}


def audit(
    profile: Annotated[
        Literal["quick", "full"], typer.Option(help="quick : 4 minutes au plus ; full : des heures.")
    ] = "quick",
    claim: Annotated[list[str] | None, typer.Option(help="Limiter à ces affirmations (repeatable).")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Graine ; par défaut celle du plan gelé.")] = None,
    lang: Annotated[Literal["fr", "en"], typer.Option(help="Langue du rapport annoncé ; les deux sont écrits.")] = "fr",
    out: Annotated[Path, typer.Option(help="Dossier des exécutions (folder of runs).")] = Path("runs"),
    scenario: Annotated[str | None, typer.Option(metavar="NOM|FICHIER", help=SCENARIO_HELP)] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Surcharge du scénario : clef=valeur.")] = None,
    plan: Annotated[
        Path | None, typer.Option(help="Plan gelé à opposer (frozen plan to hold the run against).")
    ] = None,
    allow_deviation: Annotated[bool, typer.Option("--allow-deviation", help="Continuer si le plan a changé.")] = False,
    jobs: Annotated[int | None, typer.Option(help="Processus ; par défaut un par cœur.")] = None,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Sortir en 20 si une affirmation est réfutée.")
    ] = False,
    no_tracking: Annotated[bool, typer.Option("--no-tracking", help="Ne rien consigner dans MLflow.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Résumé en JSON sur la sortie standard.")] = False,
) -> None:
    """Lancer l'audit : ville, flux, ingestion, prédiction, expériences, verdicts, rapport signé. (Run the audit.)"""
    from contrechamp.audit import steps
    from contrechamp.audit.environment import describe_environment
    from contrechamp.audit.keys import default_key_file, exposed, signing_key
    from contrechamp.audit.reporting.wording import VERDICTS, verdict_count

    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    count = workers(jobs)
    signing_key(default_key_file())  # a key that cannot be used is said now, not after minutes of work
    if exposed(default_key_file()):
        say(
            f"Attention : d'autres utilisateurs peuvent lire la clef {default_key_file()} (chmod 600). "
            "(Others can read the signing key.)"
        )
    now = datetime.now(UTC)
    run_id = f"{now:%Y%m%dT%H%M%SZ}-{profile}"
    work = steps.begin(
        out,
        run_id=run_id,
        started_at=now.isoformat(timespec="seconds"),
        profile=profile,
        seed=seed,
        claims=claim or (),
        scenario=scenario,
        overrides=parse_sets(set_ or ()),
        plan=plan,
        allow_deviation=allow_deviation,
        if_taken="rename",
    )
    uri = None if no_tracking else os.environ.get("MLFLOW_TRACKING_URI", f"sqlite:///{out.resolve() / 'mlflow.db'}")
    with progress_bar(len(LABELS)) as (progress, advance):
        advance(LABELS["generate"])
        steps.generate(work, progress=progress)
        advance(LABELS["ingest"])
        steps.ingest(work, progress=progress)
        advance(LABELS["backtest"])
        tested = steps.backtest(work, jobs=count, tracking_uri=uri, progress=progress)
        if "tracking" in tested:
            say(f"MLflow : {tested['tracking']}")
        advance(LABELS["experiments"])
        steps.experiments(work, jobs=count, progress=progress)
        advance(LABELS["decide"])
        results = steps.decide(work)
        advance(LABELS["report"])
        steps.report(work, progress=progress)
        advance(LABELS["seal"])
        run = steps.seal(work, environment=describe_environment())
    verdicts = Counter(v["verdict"] for v in results["verdicts"])
    from contrechamp.audit.evidence import check

    fingerprint = check(run).fingerprint
    summary = {
        "run": str(run),
        "key": fingerprint,
        "report_pdf": str(run / f"report.{lang}.pdf"),
        "report_html": str(run / f"report.{lang}.html"),
        "digest": results["digest"],
        "verdicts": dict(sorted(verdicts.items())),
    }
    if as_json:
        emit(summary)
    else:
        say("Verdicts : " + ", ".join(verdict_count(verdicts[v], v, lang) for v in VERDICTS if verdicts[v]))
        say(f"Empreinte des résultats (results digest) : {results['digest']}")
        say(f"Empreinte de la clef, à transmettre par une autre voie (key fingerprint) : {fingerprint}")
        say(f"Vérifier (verify) : {this_command()} verify {run}")
        say(f"Sans ce logiciel (without this software) : python3 -I {run / 'verify.py'}")
        print(summary["report_html"])
        print(summary["report_pdf"])
    if exit_code and verdicts["refuted"]:
        raise typer.Exit(EXIT_REFUTED)


def verify(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Dossier d'une exécution scellée, ou son archive (sealed run).")
    ],
    replay: Annotated[bool, typer.Option("--replay", help="Recalculer aussi tous les nombres.")] = False,
    key: Annotated[
        str | None, typer.Option("--key", "--fingerprint", help="Empreinte attendue de la clef du signataire.")
    ] = None,
    jobs: Annotated[int | None, typer.Option(help="Processus pour --replay.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Constat en JSON.")] = False,
) -> None:
    """Vérifier empreintes et signature d'un dossier d'audit ; avec --replay, recalculer. (Verify an audit folder.)"""
    from contrechamp.audit.evidence import require_intact

    if replay and directory.is_file():
        raise ParameterError(f"{directory} is an archive, and a replay needs a folder. Unpack it and give the folder.")
    found = require_intact(directory, fingerprint=key)
    summary: dict[str, object] = {
        "run": str(directory), "files": found.files, "intact": True, "key": found.fingerprint,
        "key_expected": key is not None, "records": found.records, "timestamp": found.stamped or None,
        "published_verifier": found.published_verifier, **_consistent(directory),
    }  # fmt: skip
    if not as_json:
        say(
            f"{found.files} fichiers et {found.records} enregistrements tels qu'ils ont été scellés (as sealed) par la "
            f"clef {found.fingerprint}."
        )
        if key is None:
            say(
                "Cette clef n'est comparée à rien : elle ne dit pas qui a scellé. Demandez son empreinte au signataire "
                "par une autre voie, puis --key EMPREINTE. (Unchecked key: it does not say who sealed.)"
            )
        if found.stamped:
            say(
                f"Le jeton d'horodatage dit {found.stamped} ; ses certificats ne sont pas vérifiés ici : openssl ts "
                "-verify. (Time stamp; its certificates are not checked here.)"
            )
        if not found.published_verifier:
            say(
                "Le verify.py de ce dossier n'est pas celui de cette version : ne l'exécutez pas sans l'avoir comparé. "
                "(Its verify.py is not the one of this version: do not run it uncompared.)"
            )
        for line in summary["notes"]:  # type: ignore[attr-defined]
            say(line)
    if replay:
        from contrechamp.audit.replay import require_same

        say("Recalcul en cours… (replaying)")
        again = require_same(directory, jobs=workers(jobs))
        summary["replay"] = {"results": again.results, "verdicts": again.verdicts, "digest": again.digest,
                             "other_bytes": list(again.notes)}  # fmt: skip
        if not as_json:
            say(f"{again.results} résultats et {again.verdicts} verdict(s) recalculés : identiques. (Identical.)")
            if again.notes:
                say(
                    "Mêmes nombres, autres octets, à lire avec prudence (same numbers, other bytes, read with care): "
                    + ", ".join(again.notes)
                )
    if as_json:
        emit(summary)


def _consistent(directory: Path) -> dict[str, object]:
    """Check what a run says of itself; a run of another version is left to that version, and that is said."""
    from contrechamp.audit.bundle import contradictions, held_against_shipped_plan, read_bundle

    try:
        bundle = read_bundle(directory)
    except ContractError as other:
        note = f"Plan et verdicts non contrôlés (not checked): {other}"
        return {"plan": "not checked", "notes": [note]}
    faults = contradictions(bundle)
    if faults:
        raise IntegrityError(f"{directory} contradicts itself: " + " | ".join(faults[:10]))
    if held_against_shipped_plan(bundle):
        return {"plan": "shipped", "notes": []}
    note = (
        f"Attention : cette exécution a été opposée à un autre plan que celui de cette version (plan gelé "
        f"{bundle.plan['frozen_sha256']}). Comparez ses règles. (Held against another plan than the shipped one.)"
    )
    return {"plan": "other", "notes": [note]}
