"""Traps that once made a project import the wrong thing, ship without its data, or lose its code to git."""

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("contrechamp", "synthetic_data", "ingest", "models", "vsa", "fairness", "dashboard", "dags")


def test_tests_have_no_init_and_no_two_files_of_one_name() -> None:
    assert not list((ROOT / "tests").rglob("__init__.py"))
    names = Counter(p.name for p in (ROOT / "tests").rglob("test_*.py"))
    assert [n for n, k in names.items() if k > 1] == []
    assert names["test_packaging_traps.py"] == 1


def test_no_face_shadows_a_package() -> None:
    # Streamlit puts dashboard/ first on the path: dashboard/models.py would hide the package models.
    for folder in ("dashboard", "dags"):
        stems = {p.stem for p in (ROOT / folder).iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()}
        assert stems.isdisjoint(PACKAGES), folder
        assert "app" in stems or folder == "dags"


def test_git_ignores_no_source() -> None:
    patterns = (ROOT / ".gitignore").read_text().splitlines()
    assert not {p.strip("/") for p in patterns} & {*PACKAGES, "tests", "papers", "benchmarks", "docs"}


def test_every_package_is_declared_and_typed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    include = project["tool"]["setuptools"]["packages"]["find"]["include"]
    assert sorted(include) == sorted(f"{p}*" for p in PACKAGES)
    assert set(project["tool"]["importlinter"]["root_packages"]) == set(PACKAGES)


def test_constraints_hold_versions_only() -> None:
    lines = (ROOT / "constraints.txt").read_text().split()
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!]+", line) for line in lines), "no path, no local build"
    assert "torch==2.13.0" in lines
    assert any(line.startswith("jupedsim==") for line in lines)


@pytest.mark.slow
def test_the_wheel_carries_code_and_data(tmp_path: Path) -> None:
    source = tmp_path / "source"
    skip = shutil.ignore_patterns("__pycache__")
    for folder in (*PACKAGES, "papers"):
        shutil.copytree(ROOT / folder, source / folder, ignore=skip)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    code = f"import setuptools.build_meta as backend; backend.build_wheel({str(tmp_path)!r})"
    subprocess.run([sys.executable, "-c", code], cwd=source, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "contrechamp/audit/register/claims_M.yaml",
        "contrechamp/audit/register/plan.json",
        "contrechamp/py.typed",
        "synthetic_data/scenarios/massilia.toml",
        "models/__init__.py",
        "dashboard/app.py",
        "dashboard/.streamlit/config.toml",
    } <= names
    assert not [n for n in names if n.startswith("tests/")]


def test_every_command_is_in_the_readme() -> None:
    import typer.main

    from contrechamp.cli.app import app

    readme = (ROOT / "README.md").read_text()
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        line = " ".join(x for x in readme.splitlines() if x.startswith(f"contrechamp {name}"))
        assert line, f"README does not show `contrechamp {name}`"
        for verb, below in getattr(command, "commands", {}).items():
            assert below.hidden or verb in line, f"README does not show `contrechamp {name} {verb}`"


def test_pinned_versions_are_inside_the_declared_ranges() -> None:
    from packaging.requirements import Requirement

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pins = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().split())
    extras = [r for group in project["optional-dependencies"].values() for r in group]
    for text in (*project["dependencies"], *extras):
        need = Requirement(text)
        if need.name != "contrechamp":
            assert need.specifier.contains(pins[need.name.lower()]), text
