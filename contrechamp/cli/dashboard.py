"""``contrechamp dashboard``: open the dashboard on this machine only."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from contrechamp.cli._common import say
from contrechamp.domain.errors import CapabilityError


def dashboard(
    runs: Annotated[Path, typer.Option("--runs", help="Dossier des exécutions.")] = Path("runs"),
    vsa: Annotated[
        Path | None, typer.Option("--vsa", help="Dossier des exécutions de `vsa detect`, sinon celui de --runs.")
    ] = None,
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8501,
    open_browser: Annotated[bool, typer.Option("--open/--no-open", help="Ouvrir le navigateur.")] = True,
) -> None:
    """Ouvrir le tableau de bord sur cette machine (http://127.0.0.1:PORT). (Open the dashboard.)"""
    found = find_spec("dashboard")
    if found is None or found.origin is None:
        raise CapabilityError("The dashboard is not installed beside contrechamp. Reinstall the project.")
    app = Path(found.origin).resolve().parent / "app.py"
    arguments = [
        sys.executable, "-m", "streamlit", "run", str(app),
        "--server.address=127.0.0.1", f"--server.port={port}", "--browser.gatherUsageStats=false",
        "--server.showEmailPrompt=false",
        "--logger.hideWelcomeMessage=true",  # with it goes an offer to install things, made to the reader of the page
        f"--server.headless={'false' if open_browser else 'true'}", "--server.fileWatcherType=none",
    ]  # fmt: skip
    say(f"http://127.0.0.1:{port}  (Ctrl-C pour fermer)")
    if not runs.is_dir():
        say(f"{runs} n'existe pas encore : les pages s'ouvriront sans exécution. (No runs yet.)")
    sys.stderr.flush()
    # This process becomes the server: whoever stops it stops the server.
    folders = {"CONTRECHAMP_RUNS": str(runs.resolve()), "CONTRECHAMP_VSA": str((vsa or runs).resolve())}
    os.execve(sys.executable, arguments, {**os.environ, **folders})  # noqa: S606
