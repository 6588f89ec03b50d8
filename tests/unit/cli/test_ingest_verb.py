"""``contrechamp ingest``: files by default, ``purge`` by name, keys from one place only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from contrechamp.cli.app import app
from contrechamp.domain.errors import ContractError, ParameterError
from contrechamp.pipelines.keys import ring_of
from contrechamp.store import lake as store
from contrechamp.store import retention

KEY = "a test key of thirty-two bytes !"
FINES = "id;t;lon;lat;code;mode;vehicle_class;plate\n" + "".join(
    f"V{year};{year}-01-01T00:00:00Z;5.37;43.3;c;agent;car;AA-00{i}-AA\n" for i, year in enumerate((2017, 2018, 2019))
)


def run(*arguments: object, **env: str) -> Any:
    clean = {"CONTRECHAMP_PSEUDONYM_KEY": KEY, "CONTRECHAMP_KEYS": None, **env}
    return CliRunner().invoke(app, ["ingest", *map(str, arguments)], env=clean)  # type: ignore[arg-type]


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    folder = tmp_path / "landing" / "verbalisations"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text(FINES)
    return folder.parent


def test_a_source_needs_no_sub_command_wherever_it_stands(landing: Path, tmp_path: Path) -> None:
    for i, arguments in enumerate([(landing, "--lake"), ("--json", landing, "--lake"), ("--json", "--lake")]):
        lake = tmp_path / f"lake{i}"
        done = run(*arguments, lake, *([landing] if i == 2 else []))
        assert done.exit_code == 0, done.output
        assert len(store.read_stream(lake, "verbalisations")) == 3


def test_a_folder_called_purge_or_files_is_still_a_folder(
    landing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("./purge", "files"):
        landing = landing.rename(tmp_path / name)
        assert run(name, "--lake", tmp_path / f"lake-{landing.name}").exit_code == 0
    assert run("purge", "--lake", tmp_path / "lake").exit_code == 2, "--before is missing"


def test_purge_counts_then_removes(landing: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    assert run(landing, "--lake", lake).exit_code == 0
    told = run("purge", "--before", "2018-01-01", "--lake", lake, "--dry-run", "--json")
    assert json.loads(told.stdout)["rows"] == 1
    assert len(store.read_stream(lake, "verbalisations")) == 3
    done = run("purge", "--before", "2018-01-01T00:00:00+00:00", "--lake", lake, "--stream", "verbalisations")
    assert done.exit_code == 0
    assert "1 lignes" in done.stderr
    assert store.read_stream(lake, "verbalisations")["record_id"].tolist() == ["V2018", "V2019"]
    (stone,) = retention.read_purges(lake).to_dict("records")
    assert (stone["rows"], stone["asked_at"].microsecond) == (1, 0)


@pytest.mark.parametrize("date", ["yesterday", "2018-13-01", "NaT", ""])
def test_a_date_that_is_none_is_refused(tmp_path: Path, date: str) -> None:
    done = run("purge", "--before", date, "--lake", tmp_path)
    assert isinstance(done.exception, ParameterError)
    assert "`--before`" in str(done.exception)


def test_help_names_the_sub_command() -> None:
    assert "purge" in run("--help").output
    assert "--before" in run("purge", "--help").output


def test_the_keys_come_from_one_place(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    path.write_text(f'[[keys]]\nkey = "{KEY}"\n')
    path.chmod(0o600)
    assert ring_of({"CONTRECHAMP_KEYS": str(path)}).rotates
    assert not ring_of({"CONTRECHAMP_PSEUDONYM_KEY": KEY}).rotates
    with pytest.raises(ParameterError, match="are both set"):
        ring_of({"CONTRECHAMP_KEYS": str(path), "CONTRECHAMP_PSEUDONYM_KEY": KEY})
    with pytest.raises(ParameterError, match="Got 0"):
        ring_of({})


def test_a_table_alone_is_asked_which_format_it_has(tmp_path: Path) -> None:
    table = tmp_path / "published.csv"
    table.write_text("a,b\n1,2\n")
    done = run(table, "--lake", tmp_path / "lake")
    assert isinstance(done.exception, ContractError)
    assert "--format with one of police-uk, chicago, nij-2017" in str(done.exception)
    assert not (tmp_path / "lake").exists()
