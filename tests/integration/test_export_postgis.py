"""The event tables in a real PostGIS: same rows and places, twice changes nothing, a purge goes through."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import psycopg
import pytest
import sqlalchemy

from contrechamp.domain.errors import CapabilityError, ContractError, ParameterError
from contrechamp.pipelines.export import export
from contrechamp.pipelines.ingest import ingest
from contrechamp.pipelines.purge import purge
from contrechamp.store import lake as store

_SPEC = importlib.util.spec_from_file_location("postgis_server", Path(__file__).with_name("postgis_server.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
postgis_server = importlib.util.module_from_spec(_SPEC)
sys.modules["postgis_server"] = postgis_server
_SPEC.loader.exec_module(postgis_server)

KEY = b"a test key of thirty-two bytes !"


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    with postgis_server.running() as found:
        yield found


@pytest.fixture
def to(server: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("PGPASSWORD", server.password)
    with psycopg.connect(server.address, autocommit=True) as opened:
        opened.execute("DROP SCHEMA IF EXISTS contrechamp CASCADE")
    return str(server.address)


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    landing, lake = tmp_path / "landing", tmp_path / "lake"
    (landing / "mains_courantes").mkdir(parents=True)
    (landing / "verbalisations").mkdir()
    texts = ['une « phrase », "citée"', "a;b,c\\td\ne", "", None, "\\N"]
    rows = [
        {"id": f"A{i}", "t_event": f"201{7 + i % 3}-03-01T10:00:00.123456Z", "t_entry": "2019-12-01T11:00:00Z",
         "lon": 5.37 + i / 1000, "lat": 43.3, "type": "tapage", "origin": "call", "unit": "U1", "text": text,
         "informant_name": None if i % 2 else "Zoé", "informant_phone": None}
        for i, text in enumerate(texts)
    ]  # fmt: skip
    (landing / "mains_courantes" / "a.jsonl").write_text("\n".join(json.dumps(r) for r in rows))
    (landing / "verbalisations" / "a.csv").write_text(
        "id;t;lon;lat;code;mode;vehicle_class;plate\nV1;2018-01-01T00:00:00Z;5.37;43.3;c;agent;car;AA-001-AA\n"
    )
    (landing / "meteo").mkdir()
    (landing / "meteo" / "a.csv").write_text("station;t;temp_c;rain_mm;wind_m_s\nS;2018-01-01T00:00:00Z;5.5;0;3\n")
    ingest(landing, lake=lake, key=KEY)
    return lake


def states(to: str) -> dict[str, list[Any]]:
    """Each row with the transaction that wrote it."""
    with psycopg.connect(to) as opened:
        return {
            t: opened.execute(f"SELECT xmin::text, record_id FROM contrechamp.{t} ORDER BY 2").fetchall()  # type: ignore[arg-type]
            for t in ("mains_courantes", "verbalisations", "meteo")
        }


def test_rows_and_places_are_those_of_the_lake(lake: Path, to: str) -> None:
    done = export(lake, to=to)
    assert {(x.stream, x.rows, x.inserted) for x in done} == {
        ("mains_courantes", 5, 5),
        ("verbalisations", 1, 1),
        ("meteo", 1, 1),
    }
    engine = sqlalchemy.create_engine(to.replace("postgresql://", "postgresql+psycopg://"))
    found = gpd.read_postgis("SELECT * FROM contrechamp.mains_courantes ORDER BY record_id", engine, geom_col="geom")
    engine.dispose()
    expected = store.read_stream(lake, "mains_courantes")
    assert found.crs.to_epsg() == 2154
    np.testing.assert_array_equal(found.geometry.x, expected["x_m"])
    np.testing.assert_array_equal(found.geometry.y, expected["y_m"])
    for column in expected.columns.drop(["x_m", "y_m"]):
        one, other = found[column], expected[column]
        if column.startswith("t_"):
            assert one.dt.tz_convert("UTC").tolist() == other.tolist()
        else:
            assert (
                one.astype(object).where(one.notna(), None).tolist()
                == other.astype(object).where(other.notna(), None).tolist()
            )
    with psycopg.connect(to) as opened:
        indexes = opened.execute("SELECT indexdef FROM pg_indexes WHERE tablename = 'mains_courantes'").fetchall()
        near = opened.execute(
            "SELECT record_id FROM contrechamp.mains_courantes WHERE ST_DWithin(geom, "
            "ST_Transform(ST_SetSRID(ST_MakePoint(5.37, 43.3), 4326), 2154), 100) ORDER BY 1"
        ).fetchall()
    assert any("gist (geom)" in d for (d,) in indexes)
    assert any("(t_event)" in d for (d,) in indexes)
    assert any("UNIQUE" in d and "(record_id)" in d for (d,) in indexes)
    assert near == [("A0",), ("A1",)], "a thousandth of a degree of longitude is 81 m here"


def test_a_second_export_changes_nothing(lake: Path, to: str) -> None:
    export(lake, to=to)
    before = states(to)
    again = export(lake, to=to)
    assert {(x.inserted, x.updated, x.deleted) for x in again} == {(0, 0, 0)}
    assert states(to) == before


def test_what_changes_in_the_lake_or_by_hand_is_brought_back_alone(lake: Path, to: str) -> None:
    export(lake, to=to)
    before = dict((i, x) for x, i in states(to)["mains_courantes"])
    with psycopg.connect(to) as opened:
        opened.execute("UPDATE contrechamp.mains_courantes SET row_sha256 = 'x', text = 'y' WHERE record_id = 'A1'")
    purge(lake, before=pd.Timestamp("2018-01-01", tz="UTC"), key=KEY, asked_at=pd.Timestamp("2026-01-01", tz="UTC"))
    done = {x.stream: x for x in export(lake, to=to)}["mains_courantes"]
    assert (done.rows, done.inserted, done.updated, done.deleted) == (3, 0, 1, 2)
    after = dict((i, x) for x, i in states(to)["mains_courantes"])
    assert set(after) == {"A1", "A2", "A4"}
    assert {i for i in after if after[i] != before[i]} == {"A1"}


def test_a_failed_export_leaves_the_table_as_it_was(lake: Path, to: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from contrechamp.store import postgis

    export(lake, to=to)
    before = states(to)
    copy = postgis._copy

    def broken(*arguments: Any) -> int:
        copy(*arguments)
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(postgis, "_copy", broken)
    with pytest.raises(CapabilityError, match="written whole or not at all"):
        export(lake, to=to)
    assert states(to) == before


def test_a_table_that_is_not_ours_is_left_alone(lake: Path, to: str) -> None:
    with psycopg.connect(to) as opened:
        opened.execute("CREATE SCHEMA contrechamp")
        opened.execute("CREATE TABLE contrechamp.verbalisations (mine int)")
    with pytest.raises(ContractError, match="not one that this export made"):
        export(lake, to=to, streams=["verbalisations"])
    assert export(lake, to=to, streams=["verbalisations"], schema='city "2"')[0].inserted == 1


def test_no_message_shows_the_password(
    lake: Path, server: Any, to: str, cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    done = cli("export", "--lake", lake, "--to", to.replace("@", ":not-the-password@"))
    assert done.code == 13
    assert "password authentication failed" in done.err
    good = cli(
        "export", "--lake", lake, "--to", to.replace("@", f":{server.password}@"), "--json", env={"PGPASSWORD": ""}
    )
    assert good.code == 0, good.err
    assert sum(line["inserted"] for line in json.loads(good.out)["streams"]) == 7
    assert not any(word in x.out + x.err for x in (done, good) for word in ("not-the-password", server.password))
    with pytest.raises(CapabilityError, match="cannot be used"):
        export(lake, to="postgresql://eva:hidden-word@127.0.0.1:1/city")
    monkeypatch.delenv("PGPASSWORD")
    with pytest.raises(ContractError, match="permission denied") as refused:
        export(lake, to=f"postgresql://reader:reading-only@127.0.0.1:{server.port}/city", schema="other")
    assert "reading-only" not in str(refused.value)


def test_what_makes_no_sense_is_refused(lake: Path, to: str) -> None:
    with pytest.raises(ParameterError, match="goes to a PostgreSQL database") as refused:
        export(lake, to="mysql://eva:hidden@host/city")
    assert "hidden" not in str(refused.value)
    with pytest.raises(ParameterError, match="No stream is named rumours"):
        export(lake, to=to, streams=["rumours"])
    with pytest.raises(ContractError, match="There is no trafic in a lake"):
        export(lake, to=to, streams=["trafic"])
    with pytest.raises(ContractError, match="no stream in a lake"):
        export(lake / "nowhere", to=to)
