"""``contrechamp dashboard`` becomes a server of this machine only, which offers its reader nothing to install."""

import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from contrechamp.cli.app import app


@pytest.mark.parametrize("opened", [True, False])
@pytest.mark.parametrize("apart", [True, False])
def test_the_server_listens_here_and_is_told_both_folders(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, opened: bool, apart: bool
) -> None:
    became: list[tuple[list[str], dict[str, str]]] = []

    def execve(_: str, arguments: list[str], environment: dict[str, str]) -> None:
        became.append((arguments, environment))

    monkeypatch.setattr(os, "execve", execve)
    asked: list[Any] = ["dashboard", "--runs", tmp_path / "runs", "--port", "8600", "--open" if opened else "--no-open"]
    asked += ["--vsa", tmp_path / "video"] if apart else []
    done = CliRunner().invoke(app, [str(a) for a in asked])
    assert done.exit_code == 0, done.output
    ((arguments, environment),) = became
    assert {"--server.address=127.0.0.1", "--server.port=8600", "--browser.gatherUsageStats=false"} < set(arguments)
    assert {"--server.showEmailPrompt=false", "--logger.hideWelcomeMessage=true"} < set(arguments)
    assert f"--server.headless={str(not opened).lower()}" in arguments
    assert environment["CONTRECHAMP_RUNS"] == str(tmp_path / "runs")
    assert environment["CONTRECHAMP_VSA"] == str(tmp_path / ("video" if apart else "runs"))
