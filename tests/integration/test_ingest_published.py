"""Published tables through the whole ingest, and the quarantine explained: the same laws as the streams."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pyproj import Transformer
from typer.testing import CliRunner

from contrechamp.cli.app import app
from contrechamp.domain.errors import ContractError, ParameterError
from contrechamp.pipelines.explain import explain
from contrechamp.pipelines.ingest import IngestReport, ingest, load_mapping
from contrechamp.store import lake as store
from ingest import load_format
from ingest.parsing import Limits

KEY = b"a test key of thirty-two bytes !"

#: Public data are not redistributed: they are read where a folder beside the checkout holds them.
ROOTS = Path(__file__).resolve().parents[3]
OAKLAND = next(ROOTS.glob("*/data/oakland_hrdag"), None)
NEAR_REPEAT = next(ROOTS.glob("*/data/near_repeat_chicago"), None)

POLICE_HEAD = (
    "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,Crime type,"
    "Last outcome category,Context\n"
)
CHICAGO_HEAD = (
    "ID,Case Number,Date,Block,IUCR,Primary Type,Description,Location Description,Arrest,Domestic,Beat,District,Ward,"
    "Community Area,FBI Code,X Coordinate,Y Coordinate,Year,Updated On,Latitude,Longitude,Location\n"
)
NIJ_HEAD = "category,call_group_type,final_case_type,case_desc,occ_date,x_coordina,y_coordina,census_tra\n"


def asb(month: str = "2023-07", lon: str = "-0.128", lat: str = "51.508", outcome: str = "") -> str:
    return f",{month},City,City,{lon},{lat},On or near X,E01,W,Anti-social behaviour,{outcome},\n"


def theft(n: int, when: str = "09/05/2015 01:30:00 PM", x: str = "1165074", updated: str = "02/10/2018") -> str:
    y = "1875917" if x else ""
    lon_lat = '41.815,-87.670,"(41.815, -87.670)"' if x else ",,"
    return (
        f"{n},HY{n},{when},043XX S WOOD ST,0810,THEFT,OVER $500,STREET,false,false,0924,009,12,61,06,{x},{y},2015,"
        f"{updated} 03:50:01 PM,{lon_lat}\n"
    )


def call(kind: str = "DISORDER", when: str = "2012-03-05", x: str = "7643853", y: str = "683038") -> str:
    return f"STREET CRIMES,{kind},DISTP,DISTURBANCE - PRIORITY,{when},{x},{y},6404\n"


def write(path: Path, *parts: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = "".join(parts).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def take(source: Path, name: str, lake: Path, **options: Any) -> IngestReport:
    report = ingest(source, lake=lake, mapping=load_format(name), **options)
    assert report.rows_in == report.committed + report.quarantined + report.duplicates
    return report


def books(report: IngestReport) -> tuple[int, int, int]:
    return report.committed, report.quarantined, report.duplicates


def test_police_uk_archive(tmp_path: Path) -> None:
    archive, lake = tmp_path / "archive", tmp_path / "lake"
    july = archive / "2023-07" / "2023-07-city-street.csv"
    write(july, POLICE_HEAD, asb(), asb(), asb(lon="", lat=""), f"{'a' * 64}", asb(), f"{'a' * 64}", asb())
    write(archive / "2023-08" / "2023-08-city-street.csv.gz", POLICE_HEAD, asb("2023-08"), asb("2023/08"))
    write(archive / "2023-08" / "2023-08-city-outcomes.csv", "Crime ID,Month\nx,2023-08\n")  # another kind of table
    report = take(archive, "police-uk", lake)
    assert books(report) == (4, 2, 1)
    assert report.reasons == {"impossible_time": 1, "missing_field": 1}
    assert [f.source_file for f in report.files] == [
        "incidents/police-uk/2023-07/2023-07-city-street.csv", "incidents/police-uk/2023-08/2023-08-city-street.csv.gz",
    ]  # fmt: skip
    found = store.read_stream(lake, "incidents")
    assert found.dtypes.astype(str)["t_event"] == "datetime64[us, UTC]"
    assert found["t_event"].dt.tz_convert("Europe/London").dt.strftime("%Y-%m-%d %H:%M").value_counts().to_dict() == {
        "2023-07-01 00:00": 3, "2023-08-01 00:00": 1,
    }  # fmt: skip
    assert set(found["t_resolution"]) == {"month"}

    again = take(archive, "police-uk", lake)
    assert books(again) == (0, 0, 7)
    assert again.versions == report.versions
    # a later edition: an outcome has come, a place has been found, one incident has been added
    write(july, POLICE_HEAD, asb(outcome="Closed"), asb(), asb(lon="-0.13"), f"{'a' * 64}", asb(), asb())
    assert books(take(july, "police-uk", lake)) == (2, 0, 3)
    assert len(store.read_stream(lake, "incidents")) == 6


def test_chicago_two_editions_and_a_correction(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    first = write(tmp_path / "Crimes.csv", CHICAGO_HEAD, theft(1), theft(2), theft(3, x=""), theft(4, when=""))
    assert books(take(first, "chicago", lake)) == (2, 2, 0)
    second = write(
        tmp_path / "Crimes_later.csv", CHICAGO_HEAD, theft(1, updated="07/07/2020"), theft(2, x="1165075"), theft(3),
        theft(5, when="03/08/2015 02:30:00 AM"),
    )  # fmt: skip
    report = take(second, "chicago", lake)
    assert books(report) == (1, 2, 1)
    assert report.reasons == {"conflicting_duplicate": 1, "impossible_time": 1}
    found = store.read_stream(lake, "incidents").set_index("record_id")
    assert found.index.tolist() == ["chicago:1", "chicago:2", "chicago:3"]
    assert found["x_m"].tolist() == pytest.approx([1_165_074 * 1200 / 3937] * 3, abs=1e-6)
    assert set(found["t_event"]) == {pd.Timestamp("2015-09-05T18:30:00Z")}
    assert set(found["crs"]) == {"EPSG:26971"}


def test_nij_rows_bear_no_number_and_identical_calls_stay_so_many(tmp_path: Path) -> None:
    lake, other = tmp_path / "lake", tmp_path / "other"
    rows = [call(), call(), call("TRAFFIC"), call(), call(when=""), call(x="-122.68", y="45.52")]
    path = write(tmp_path / "nij.csv", NIJ_HEAD, *rows)
    report = take(path, "nij-2017", lake, batch_rows=1, limits=Limits(chunk_rows=1))
    assert books(report) == (4, 2, 0)
    assert report.reasons == {"missing_field": 1, "wrong_crs": 1}
    assert books(take(write(tmp_path / "longer.csv", NIJ_HEAD, *rows[::-1], call()), "nij-2017", lake)) == (1, 2, 4)
    take(path, "nij-2017", other)  # one batch
    trace = ["source_file", "source_row"]
    mine = store.read_stream(lake, "incidents")
    pd.testing.assert_frame_equal(
        mine[mine["source_file"].str.endswith("nij.csv")].drop(columns=trace).reset_index(drop=True),
        store.read_stream(other, "incidents").drop(columns=trace),
    )


def test_one_table_of_the_lake_has_one_coordinate_system(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    nij = write(tmp_path / "nij.csv", NIJ_HEAD, call())
    take(nij, "nij-2017", lake)
    before = store.table_version(lake, "incidents")
    crimes = write(tmp_path / "c.csv", CHICAGO_HEAD, theft(1))
    with pytest.raises(ContractError, match=r"metres of EPSG:2838, and these are metres of EPSG:26971") as refused:
        take(crimes, "chicago", lake)
    assert refused.value.exit_code == 11
    assert store.table_version(lake, "incidents") == before
    assert len(store.read_ledger(lake)) == 1


def test_killed_at_any_write_and_run_again_gives_the_same_lake(tmp_path: Path, monkeypatch: Any) -> None:
    path = write(tmp_path / "nij.csv", NIJ_HEAD, call(), call(), call(when=""), call(), call("TRAFFIC"))
    append, calls = store.Writer.append, 0
    cut = {"batch_rows": 2, "limits": Limits(chunk_rows=2)}
    take(path, "nij-2017", tmp_path / "whole", **cut)
    tables = ("incidents", "quarantine", "ingested_files")
    expected = [store._read(tmp_path / "whole", t, list(store.IDENTITY[t]), None) for t in tables]
    for fatal in range(1, 12):
        lake, calls = tmp_path / f"killed-{fatal}", 0

        def dying(self: Any, frame: pd.DataFrame, *args: Any, fatal: int = fatal) -> int:
            nonlocal calls
            calls += len(frame) > 0
            done = append(self, frame, *args)
            if calls == fatal and len(frame):
                raise KeyboardInterrupt
            return done

        monkeypatch.setattr(store.Writer, "append", dying)
        try:
            take(path, "nij-2017", lake, **cut)
        except KeyboardInterrupt:
            monkeypatch.setattr(store.Writer, "append", append)
            take(path, "nij-2017", lake, **cut)
        else:
            break
        for name, whole in zip(tables, expected, strict=True):
            pd.testing.assert_frame_equal(store._read(lake, name, list(store.IDENTITY[name]), None), whole)
    assert fatal == 6  # three batches of records, one of them with a row set aside, and the ledger


def test_a_mended_mapping_reads_the_file_again(tmp_path: Path) -> None:
    lake, path = tmp_path / "lake", write(tmp_path / "t.csv", "n;quand;x;y\n1;05/03/2012;5.37;43.3\n2;NC;5.38;43.3\n")
    toml = """
        name = "essai"
        delimiter = ";"
        id = {column = "n"}
        type = {constant = "vol"}
        place = {x = "x", y = "y", crs = "EPSG:4326", into = "EPSG:2154"}
        time = {column = "quand", formats = ["%Y-%m-%d"], timezone = "Europe/Paris", resolution = "day"}
    """.replace("        ", "")
    mapping = write(tmp_path / "essai.toml", toml)
    with pytest.raises(ContractError, match=r"none of which meets its contract.*impossible_time \(2\)"):
        ingest(path, lake=lake, mapping=load_mapping(mapping))
    write(mapping, toml.replace("%Y-%m-%d", "%d/%m/%Y"))
    assert books(ingest(path, lake=lake, mapping=load_mapping(mapping))) == (1, 1, 0)
    write(mapping, toml.replace("%Y-%m-%d", "%d/%m/%Y").replace("delimiter", 'missing = ["NC"]\ndelimiter'))
    third = ingest(path, lake=lake, mapping=load_mapping(mapping))
    assert (books(third), third.reasons) == ((0, 1, 1), {"missing_field": 1})
    # another reading of the same rows contradicts what is there, and is not let in
    write(mapping, toml.replace("%Y-%m-%d", "%m/%d/%Y"))
    with pytest.raises(ContractError, match="conflicting_duplicate"):
        ingest(path, lake=lake, mapping=load_mapping(mapping))
    (row,) = store.read_stream(lake, "incidents").to_dict("records")
    assert (row["record_id"], row["type"], row["format"][:6]) == ("essai:1", "vol", "essai@")
    x, y = Transformer.from_crs(4326, 2154, always_xy=True).transform(5.37, 43.3)
    assert (row["x_m"], row["y_m"]) == pytest.approx((x, y), abs=1e-6)
    assert row["t_event"] == pd.Timestamp("2012-03-04T23:00:00Z")


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("name = ", "cannot be read as TOML"),
        ('name = "a"\n[place]\nzone = "z"', "must then say zones"),
        ('name = "a"\n[time]\ncolumn = "t"\nformats = "%Y"\ntimezone = "UTC"\nresolution = "year"\n[type]\n'
         'constant = "x"\n[place]\nzone = "z"\nzones = "absent.geojson"\nzone_id = "z"\ninto = "EPSG:2154"',
         "read as GeoJSON"),
    ],
)  # fmt: skip
def test_mapping_files_that_cannot_be_used(toml: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=words):
        load_mapping(write(tmp_path / "m.toml", toml))


def test_nothing_to_take(tmp_path: Path) -> None:
    write(tmp_path / "landing" / "incidents" / "a.csv", NIJ_HEAD, call())
    with pytest.raises(ContractError, match=r"--format with one of police-uk, chicago, nij-2017, or --mapping"):
        ingest(tmp_path / "landing", lake=tmp_path / "lake", key=KEY)
    with pytest.raises(ContractError, match=r"named like '\*-street\.csv\*'"):
        take(tmp_path / "landing", "police-uk", tmp_path / "lake")
    with pytest.raises(ParameterError, match="leave --stream out"):
        take(tmp_path / "landing", "police-uk", tmp_path / "lake", stream="verbalisations")
    with pytest.raises(ParameterError, match="at least 16 bytes"):
        ingest(write(tmp_path / "verbalisations" / "v.csv", "id\n"), lake=tmp_path / "lake")


@pytest.mark.skipif(
    OAKLAND is None, reason="no folder */data/oakland_hrdag beside the checkout (HRDAG replication data)"
)
def test_oakland_drug_records_by_zone(tmp_path: Path) -> None:
    assert OAKLAND is not None
    mapping = write(
        tmp_path / "oakland.toml",
        f"""
        name = "oakland-drugs"
        missing = ["NA"]
        id = {{column = ""}}
        type = {{constant = "drug"}}
        [time]
        column = "OCCURRED"
        formats = ["%m/%d/%y"]
        timezone = "America/Los_Angeles"
        resolution = "day"
        [place]
        zone = "bin"
        zones = "{OAKLAND / "oakland_grid_661_bins.geojson"}"
        zone_id = "bin"
        into = "EPSG:26943"
        """,
    )
    lake, table = tmp_path / "lake", OAKLAND / "drug_crimes_with_bins.csv"
    report = ingest(table, lake=lake, mapping=load_mapping(mapping))
    assert (report.rows_in, *books(report)) == (11_545, 11_517, 28, 0)
    assert report.reasons == {"missing_field": 28}
    found = store.read_stream(lake, "incidents")
    local = found["t_event"].dt.tz_convert("America/Los_Angeles")
    assert (str(local.min())[:10], str(local.max())[:10]) == ("2009-01-01", "2012-01-08")
    rows = found.groupby(local.dt.year).size() + 0
    years = store.read_quarantine(lake)["raw"].map(bytes.decode).str.extract(r",\d\d/\d\d/(\d\d),")[0]
    lost = years.astype(int).add(2000).value_counts()
    assert rows.add(lost, fill_value=0).loc[[2009, 2010, 2011]].tolist() == [5348, 3880, 2314]  # as published
    # full cells are 424 m by 562 m: 3 lies north of 2, and 8 east of 3
    zones = load_mapping(mapping).zones
    assert len(zones) == 661
    assert math.dist(zones["2"], zones["3"]) == pytest.approx(562, abs=1)
    assert math.dist(zones["3"], zones["8"]) == pytest.approx(424, abs=1)
    assert {(x, y) for x, y in found[["x_m", "y_m"]].to_numpy().tolist()} <= set(zones.values())
    assert books(ingest(table, lake=lake, mapping=load_mapping(mapping))) == (0, 0, 11_545)


@pytest.mark.skipif(NEAR_REPEAT is None, reason="no folder */data/near_repeat_chicago beside the checkout")
def test_a_file_without_a_header_line(tmp_path: Path) -> None:
    assert NEAR_REPEAT is not None
    mapping = write(
        tmp_path / "arson.toml",
        """
        name = "chicago-arson"
        columns = ["x", "y", "day"]
        type = {constant = "arson"}
        time = {column = "day", formats = "%Y-%m-%d", timezone = "America/Chicago", resolution = "day"}
        place = {x = "x", y = "y", crs = "EPSG:26971", into = "EPSG:26971"}
        """,
    )
    report = ingest(NEAR_REPEAT / "chicago_arson.csv", lake=tmp_path / "lake", mapping=load_mapping(mapping))
    assert books(report) == (522, 0, 0)
    found = store.read_stream(tmp_path / "lake", "incidents").sort_values("source_row")
    assert (found["x_m"].iloc[0], found["y_m"].iloc[0]) == (359192.302798928, 570510.890752286)


# --- the quarantine explained -------------------------------------------------------------------------------------


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["ingest", *map(str, arguments)])


def test_explain_after_an_ingest_and_on_a_lake_that_is_there(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    rows = [call(when="") for _ in range(7)]
    path = write(tmp_path / "nij.csv", NIJ_HEAD, call(), *rows, call(x="-122.68", y="45.52"))
    done = run(path, "--format", "nij-2017", "--lake", lake, "--explain")
    assert done.exit_code == 0
    header, *lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert header == "stream reason file rows first rows motif (reason)"
    assert lines == [
        "incidents missing_field incidents/nij-2017/nij.csv 7 3, 4, 5, 6, 7, … "
        "champ obligatoire manquant (required field missing)",
        "incidents wrong_crs incidents/nij-2017/nij.csv 1 10 "
        "coordonnées d’un autre système que celui annoncé (coordinates of another system than the declared one)",
    ]
    assert "8 lignes en quarantaine" in done.stderr
    assert "9 lignes = 1 versées + 8 en quarantaine + 0 doublons" in done.stderr
    alone = run("--explain", "--lake", lake)
    assert (alone.exit_code, alone.stdout) == (0, done.stdout)
    first, second = json.loads(run("--explain", "--lake", lake, "--json").stdout)["quarantine"]
    assert first == {
        "stream": "incidents", "reason": "missing_field", "source_file": "incidents/nij-2017/nij.csv", "rows": 7,
        "label": {"fr": "champ obligatoire manquant", "en": "required field missing"}, "first_rows": [3, 4, 5, 6, 7],
    }  # fmt: skip
    both = json.loads(run(path, "--format", "nij-2017", "--lake", lake, "--explain", "--json").stdout)
    assert (both["duplicates"], both["quarantine"]) == (9, [first, second])


def test_explain_adds_up_over_streams_reasons_and_files(tmp_path: Path) -> None:
    landing, lake = tmp_path / "landing", tmp_path / "lake"
    head = "id;t;lon;lat;code;mode;vehicle_class;plate\n"
    good = "V-{};2017-03-01T10:00:00+01:00;5.37;43.3;R417;agent;car;AA-123-AA\n"
    write(
        landing / "verbalisations" / "a.csv", head, good.format(1), "x\n", "y\n", good.format(1).replace("R417", "R4")
    )
    write(landing / "verbalisations" / "b.csv", head, "z\n")
    write(landing / "mains_courantes" / "empty.jsonl", "")
    ingest(landing, lake=lake, key=KEY)
    write(tmp_path / "n.csv", NIJ_HEAD, call(), call(when="never"))
    take(tmp_path / "n.csv", "nij-2017", lake)
    assert [(x.stream, x.reason, x.source_file, x.rows, x.first_rows) for x in explain(lake)] == [
        ("incidents", "impossible_time", "incidents/nij-2017/n.csv", 1, (3,)),
        ("mains_courantes", "empty_file", "mains_courantes/empty.jsonl", 1, (0,)),
        ("verbalisations", "bad_csv", "verbalisations/a.csv", 2, (3, 4)),
        ("verbalisations", "bad_csv", "verbalisations/b.csv", 1, (2,)),
        ("verbalisations", "conflicting_duplicate", "verbalisations/a.csv", 1, (5,)),
    ]
    assert sum(x.rows for x in explain(lake)) == len(store.read_quarantine(lake))


def test_explain_when_nothing_could_be_used_and_when_there_is_no_lake(tmp_path: Path) -> None:
    path = write(tmp_path / "n.csv", NIJ_HEAD, call(when="never"))
    done = run(path, "--format", "nij-2017", "--lake", tmp_path / "lake", "--explain")
    assert isinstance(done.exception, ContractError)
    assert "impossible_time" in done.stdout
    done = run(path, "--format", "nij-2017", "--lake", tmp_path / "lake", "--explain", "--json")
    assert [line["rows"] for line in json.loads(done.stdout)["quarantine"]] == [1]
    nowhere = run("--explain", "--lake", tmp_path / "nowhere")
    assert isinstance(nowhere.exception, ContractError)
    assert "no ingest has been here" in str(nowhere.exception)
    assert not (tmp_path / "nowhere").exists()
    assert run("--lake", tmp_path / "lake").exit_code == 2
    assert run("--explain", "--format", "chicago", "--lake", tmp_path / "lake").exit_code == 2
    twice = run(path, "--format", "chicago", "--mapping", path, "--lake", tmp_path / "lake")
    assert isinstance(twice.exception, ParameterError)
