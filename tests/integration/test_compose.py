"""No engine is needed: the file parses, demands its secrets, binds to the loopback, and every command answers."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
SERVICES: dict[str, Any] = yaml.safe_load(TEXT)["services"]


def test_the_promised_services_are_there() -> None:
    assert set(SERVICES) == {
        "postgres", "airflow-init", "airflow-api", "airflow-scheduler", "airflow-dag-processor", "airflow-triggerer",
        "mlflow", "dashboard", "vsa-worker",
    }  # fmt: skip


def test_ports_are_on_the_loopback() -> None:
    ports = [p for service in SERVICES.values() for p in service.get("ports", [])]
    assert len(ports) == 3
    assert all(p.startswith("127.0.0.1:") for p in ports)


def test_secrets_have_no_default_and_stop_the_start() -> None:
    used = set(re.findall(r"\$\{([A-Z_]+)([^}]*)\}", TEXT))
    assert {name for name, _ in used} == {
        "POSTGRES_PASSWORD", "AIRFLOW_FERNET_KEY", "AIRFLOW_JWT_SECRET", "CONTRECHAMP_PSEUDONYM_KEY",
    }  # fmt: skip
    assert all(rest.startswith(":?") for _, rest in used), "`:?` is Compose's refusal to start without a value"
    example = (ROOT / ".env.example").read_text()
    assert all(f"{name}=\n" in example for name, _ in used), "the example names every secret and fills none"


def test_only_what_seals_sees_the_signing_key() -> None:
    key = SERVICES["airflow-scheduler"]["environment"]["CONTRECHAMP_SIGNING_KEY"]
    holders = {n for n, s in SERVICES.items() if any(key.startswith(v.split(":")[1]) for v in s.get("volumes", []))}
    assert holders == {"airflow-api", "airflow-scheduler", "airflow-dag-processor", "airflow-triggerer"}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(n for n, s in SERVICES.items() if "command" in s))
def test_every_command_exists_and_its_options_are_known(name: str, tmp_path: Path) -> None:
    command = SERVICES[name]["command"]
    verb = [part for part in command if not part.startswith("-")]
    program = Path(sys.executable).with_name(command[0])
    assert program.is_file()
    words = {"airflow": 3 if "db" in verb else 2, "mlflow": 2, "streamlit": 2, "contrechamp": 3}[command[0]]
    environment = {
        "PATH": f"{program.parent}:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
    }
    done = subprocess.run(
        [program, *command[1:words], "--help"],
        capture_output=True,
        text=True,
        env=environment,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    for option in (part.split("=")[0] for part in command if part.startswith("--")):
        assert option in done.stdout, f"{command[0]} does not know {option}"
    if name == "dashboard":
        assert (ROOT / command[2]).is_file()


def test_the_ingest_has_a_landing_it_cannot_write_and_a_lake_that_others_cannot_see() -> None:
    scheduler = SERVICES["airflow-scheduler"]
    assert "./landing:/landing:ro" in scheduler["volumes"]
    assert scheduler["environment"]["CONTRECHAMP_LANDING"] == "/landing"
    assert scheduler["environment"]["CONTRECHAMP_LAKE"].startswith("/lake/")
    holders = {n for n, s in SERVICES.items() if any(v.startswith("lake:") for v in s.get("volumes", []))}
    assert holders == {"airflow-api", "airflow-scheduler", "airflow-dag-processor", "airflow-triggerer"}


def test_the_video_worker_takes_a_card_and_only_when_asked() -> None:
    worker = SERVICES["vsa-worker"]
    assert worker["profiles"] == ["gpu"]
    (device,) = worker["deploy"]["resources"]["reservations"]["devices"]
    assert (device["driver"], device["count"], device["capabilities"]) == ("nvidia", 1, ["gpu"])
    assert not any("profiles" in s for n, s in SERVICES.items() if n != "vsa-worker"), "the rest needs no card"
    assert "./clips:/clips:ro" in worker["volumes"]
    assert not any(v.startswith(("keys:", "lake:")) for v in worker["volumes"]), "it sees neither the key nor the lake"
    assert {"backend=torch", "device=cuda"} <= set(worker["command"])
