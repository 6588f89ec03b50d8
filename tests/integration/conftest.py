"""One small audit, made once per session through the command line, shared by the tests that only read it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

#: A city small enough for a test: the same code, fewer events. Given to the command line and to the DAG alike.
SMALL = {
    "time.n_days": "392",
    "incidents.latent_per_day": "540",
    "recording.records_per_day": "160",
    "fines.fines_per_day": "80",
    "fines.infractions_per_day": "3000",
}
SEED = 11


@dataclass(frozen=True)
class Done:
    """A finished command."""

    code: int
    out: str
    err: str


def run_cli(*arguments: str | Path, env: dict[str, str] | None = None, timeout: float = 900) -> Done:
    """Run ``contrechamp`` as a user would."""
    program = Path(sys.executable).with_name("contrechamp")
    done = subprocess.run(
        [program, *map(str, arguments)], capture_output=True, text=True, env={**os.environ, **(env or {})},
        timeout=timeout, check=False,
    )  # fmt: skip
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def cli() -> Callable[..., Done]:
    """The command line, as a function: ``cli("verify", path).code``."""
    return run_cli


@dataclass(frozen=True)
class Audit:
    """A sealed audit, the environment its key was made in, its seed and the scenario's overrides."""

    run: Path
    summary: dict[str, Any]
    env: dict[str, str]
    seed: int
    overrides: dict[str, str]


@pytest.fixture(scope="session")
def audit(tmp_path_factory: pytest.TempPathFactory) -> Audit:
    folder = tmp_path_factory.mktemp("audit")
    env = {"XDG_CONFIG_HOME": str(folder / "config")}
    sets = [part for k, v in SMALL.items() for part in ("--set", f"{k}={v}")]
    done = run_cli(
        "audit",
        "--profile",
        "quick",
        "--seed",
        str(SEED),
        "--out",
        folder / "runs",
        "--jobs",
        "2",
        "--json",
        *sets,
        env=env,
    )
    assert done.code == 0, done.err[-3000:]
    summary = json.loads(done.out)
    return Audit(Path(summary["run"]), summary, env, SEED, SMALL)
