"""Assemble the verbs into one application."""

from __future__ import annotations

import typer

from contrechamp.cli import (
    audit,
    calibrate,
    claims,
    dashboard,
    experiment,
    export,
    feedback,
    generate,
    hotspot,
    ingest,
    report,
    reproduce,
    streams,
    trace,
    versions,
    vsa,
)
from contrechamp.cli._common import PRESETS_HELP

app = typer.Typer(
    name="contrechamp",
    help="Contrechamp : éprouver les promesses d'une police par les données. (Put the claims of data-driven policing "
    "to the test.)",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("audit", epilog=PRESETS_HELP)(audit.audit)
app.command("verify")(audit.verify)
app.command("trace")(trace.trace)
app.add_typer(report.app, name="report")
app.add_typer(claims.app, name="claims")
app.add_typer(experiment.app, name="experiment")
app.command("generate", epilog=PRESETS_HELP)(generate.generate)
app.add_typer(streams.app, name="streams")
app.command("calibrate")(calibrate.calibrate)
app.add_typer(ingest.app, name="ingest")
app.command("export")(export.export)
app.add_typer(hotspot.app, name="hotspot")
app.add_typer(feedback.app, name="feedback")
app.add_typer(vsa.app, name="vsa")
app.command("reproduce")(reproduce.reproduce)
app.command("dashboard")(dashboard.dashboard)
app.command("show-versions")(versions.show_versions)
