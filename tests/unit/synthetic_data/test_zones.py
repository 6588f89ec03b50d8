"""A user's zones as quarters: read in any reference system, mended or refused with a reason, and drawn upon."""

import gzip
import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pyproj import Transformer
from typer.testing import CliRunner

from contrechamp.cli.app import app
from contrechamp.domain.errors import ContractError, ParameterError
from contrechamp.domain.rng import stream
from contrechamp.pipelines.generate import AUDITED, generate
from contrechamp.pipelines.ingest import ingest
from contrechamp.store.files import read_parquet
from synthetic_data.city import draw_city
from synthetic_data.scenario import Scenario
from synthetic_data.zones import EXTENT_LONLAT, check_zones, fit, read_zones

#: Public data are not redistributed: they are read where a folder beside the checkout holds them.
MARSEILLE = next(Path(__file__).resolve().parents[4].glob("*/data/marseille_quartiers/*.geojson"), None)
SMALL = Scenario.load().with_overrides({"time.n_days": 7, "city.sites_per_cell": 4, "city.n_districts": 5})
X0, Y0 = 840_000, 6_520_000  # near Lyon: far from the port of Massilia


def squares(n=4, side_m=1000.0, crs="EPSG:2154"):
    """A chessboard of zones near Lyon, plus an island 3 km off, with awkward names."""
    corners = [(X0 + side_m * i, Y0 + side_m * j) for j in range(n) for i in range(n)]
    shapes = [shapely.box(x, y, x + side_m, y + side_m) for x, y in corners]
    shapes.append(shapely.box(X0 + (n + 3) * side_m, Y0, X0 + (n + 3.5) * side_m, Y0 + side_m))
    names = [f'Le "Clos"\\{i}\n d\'en haut' for i in range(len(shapes))]
    people = [1000 * (i + 1) for i in range(len(shapes))]
    codes = [100 + i for i in range(len(shapes))]
    frame = gpd.GeoDataFrame({"code": codes, "nom": names, "hab": people}, geometry=shapes, crs="EPSG:2154")
    return frame.to_crs(crs)


def with_geometry(at, shape):
    frame = squares()
    frame.loc[at, "geometry"] = shape
    return frame


# --- reading ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "crs"), [("z.geojson", "EPSG:4326"), ("z.gpkg", "EPSG:2154"), ("z.gpkg", "EPSG:32631"), ("z.gpkg", 3857)]
)
def test_zones_come_to_the_same_place_from_any_reference_system(tmp_path, name, crs):
    path = tmp_path / name
    squares(crs=crs).to_file(path)
    zones = read_zones(path, id_column="code", name_column="nom", population_column="hab")
    assert zones.ids == tuple(str(100 + i) for i in range(17))
    assert zones.population.tolist() == [1000 * (i + 1) for i in range(17)]
    assert zones.names[3] == 'Le "Clos"\\3 d\'en haut'
    assert zones.repaired == ()
    assert zones.area_km2 == pytest.approx(16.5, rel=1e-5)
    corner = np.array([shape.bounds for shape in zones.shapes]) - [shape.bounds for shape in squares().geometry]
    assert np.abs(corner).max() < 0.1


def test_an_unreadable_file_is_refused_in_one_paragraph(tmp_path):
    damaged = tmp_path / "damaged.gpkg"
    squares().to_file(damaged)
    damaged.write_bytes(damaged.read_bytes()[:5000])
    (tmp_path / "text.geojson").write_text("<html></html>")
    (tmp_path / "broken.geojson").write_text('{"type": "FeatureCollection", "features": [')
    (tmp_path / "empty.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    (tmp_path / "bare.geojson").write_text(
        '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"a":1},"geometry":null}]}'
    )
    squares().to_file(tmp_path / "two.gpkg", layer="one")
    squares().to_file(tmp_path / "two.gpkg", layer="two")
    for name in ("absent.gpkg", "damaged.gpkg", "text.geojson", "broken.geojson", "empty.geojson", "bare.geojson",
                 "two.gpkg", "."):  # fmt: skip
        with pytest.raises(ContractError) as caught:
            read_zones(tmp_path / name)
        assert "\n" not in str(caught.value), name
        assert str(caught.value).endswith("."), name


# --- what cannot serve --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (squares().iloc[:0], "is empty"),
        (squares().set_crs(None, allow_override=True), "does not say its coordinate reference system"),
        (squares().set_geometry(squares().centroid), "must hold zones, which are polygons. Got Point"),
        (squares().set_crs(4326, allow_override=True), "must lie in mainland France"),
        (squares().set_geometry(squares().to_crs(4326).translate(40, 0)), "project it to EPSG:2154"),
        (squares(n=32, side_m=200.0), "at most 1000 zones. Got 1025"),
        (squares(side_m=100.0), "between 5 and 5000 km² together. Got 0.165 km²"),
    ],
    ids=["empty", "no-crs", "points", "metres-as-degrees", "elsewhere", "too-many", "too-small"],
)
def test_what_cannot_serve_is_refused_in_one_paragraph(frame, words):
    with pytest.raises(ContractError) as caught:
        check_zones(frame, where="z.gpkg")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("frame", "check", "column", "rows", "first"),
    [
        (with_geometry(3, None), "no_geometry", "geometry", 1, "103"),
        (with_geometry(3, shapely.Point(X0, Y0)), "not_a_polygon", "geometry", 1, "103"),
        (with_geometry(5, shapely.box(X0, Y0, X0 + 500, Y0 + 500)), "overlap", "geometry", 1, "100 and 105"),
        (with_geometry(5, shapely.Polygon([(X0, Y0), (X0 + 9, Y0), (X0, Y0)])), "too_small", "geometry", 1, "105"),
        (squares().assign(code=7), "same_identifier", "code", 17, "7, 7, 7"),
        (squares().assign(code=[None, *range(16)]), "no_identifier", "code", 1, "row 1"),
        (squares().assign(hab=[-1.0, *[5000.0] * 15, np.nan]), "not_a_population", "hab", 2, "100, 116"),
    ],
)
def test_rows_at_fault_are_refused_with_a_table(frame, check, column, rows, first):
    with pytest.raises(ContractError) as caught:
        check_zones(frame, where="z.gpkg", id_column="code", population_column="hab")
    paragraph, *table = str(caught.value).split("\n")
    assert "cannot serve as they are" in paragraph
    assert [line.split() for line in table] == [[check, column, str(rows), "rows", *first.split()]]


def test_an_invalid_outline_is_mended_and_a_sliver_of_overlap_let_through():
    spur = shapely.Polygon([(X0, Y0), (X0 + 1000, Y0), (X0 + 1000, Y0 + 1000), (X0 - 200, Y0 + 1000), (X0, Y0 + 1000)])
    assert not spur.is_valid
    zones = check_zones(with_geometry(0, spur), where="z.gpkg", id_column="code")
    assert [(p.check, p.rows, p.first_ids) for p in zones.repaired] == [("invalid_repaired", 1, ("100",))]
    assert zones.shapes[0].equals(squares().geometry[0])
    half_a_metre = shapely.box(X0 - 0.5, Y0, X0 + 999.9, Y0 + 1000.4)
    assert len(check_zones(with_geometry(0, half_a_metre), where="z.gpkg")) == 17


def test_a_column_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(ParameterError, match=r"no column `nome`\. It has code, nom, hab\."):
        check_zones(squares(), where="z.gpkg", name_column="nome")


# --- drawing on them ----------------------------------------------------------------------------------------------


def test_residents_are_the_column_or_else_by_area_and_the_centre_follows_them():
    counted = check_zones(squares(), where="z", population_column="hab")
    scenario = fit(SMALL, counted)
    assert (scenario.city.population, scenario.city.n_quarters, scenario.city.area_km2) == (153_000, 17, 16.5)
    city = draw_city(scenario.city, rng=stream(1, "city"), zones=counted)
    assert city.quarters["population"].tolist() == [1000 * (i + 1) for i in range(17)]
    blind = check_zones(squares(), where="z")
    spread = draw_city(fit(SMALL, blind).city, rng=stream(1, "city"), zones=blind)
    assert spread.quarters["population"].to_numpy()[:16] == pytest.approx(860_000 / 16.5, abs=1)
    assert int(spread.quarters["population"].sum()) == 860_000
    assert spread.quarters["quarter_id"].tolist()[:2] == ["Q001", "Q002"]
    # the middle of the 17 squares falls in the chessboard; that of the residents is farther north-east
    assert spread.centre_m == pytest.approx((X0 + (16 * 2000 + 7250) / 17, Y0 + (16 * 2000 + 500) / 17), abs=1)
    assert city.centre_m[0] > spread.centre_m[0]
    assert shapely.intersects_xy(city.land, *city.centre_m)
    every = draw_city(fit(Scenario.load("equal-city"), blind).city, rng=stream(1, "city"), zones=blind)
    addresses = np.bincount(every.site_quarter)
    assert every.quarters["population"].to_numpy() / addresses == pytest.approx(860_000 / addresses.sum(), rel=1e-3)
    with pytest.raises(ParameterError, match="as many residents at every address"):
        fit(Scenario.load("equal-city"), counted)


def test_everything_is_drawn_on_the_zones_and_comes_through_ingest(tmp_path):
    zones = check_zones(squares(), where="z", id_column="code", name_column="nom")
    made = generate(SMALL, seed=3, work=tmp_path, zones=zones, streams=AUDITED)
    assert made.n_quarters == 17
    assert Scenario.load(tmp_path / "scenario.resolved.toml") == fit(SMALL, zones)
    incidents = read_parquet(tmp_path / "truth" / "incidents.parquet")
    assert len(incidents) / 7 == pytest.approx(2700, rel=0.05)
    home = squares().set_index(squares()["code"].astype(str)).geometry.loc[incidents["quarter_id"]]
    points = shapely.points(incidents["x_m"], incidents["y_m"])
    assert shapely.distance(home.to_numpy(), points).max() < 0.1
    assert set(incidents["quarter_id"]) == set(zones.ids)  # the island too
    quarters = gpd.read_parquet(tmp_path / "truth" / "city_quarters.parquet")
    assert quarters["district_id"].nunique() == 5
    told = json.loads((tmp_path / "truth" / "geography.json").read_text())
    assert (told["n_zones"], told["names"], told["population"]) == (17, "given", "by area")
    # a name with quotes, a backslash and a line end does not break a raw line
    (first, *_) = sorted((tmp_path / "landing" / "mains_courantes").iterdir())
    texts = []
    for line in gzip.decompress(first.read_bytes()).decode().splitlines():
        if line.endswith("}"):
            texts.append(json.loads(line).get("text"))
    assert any('Le "Clos"\\' in text for text in texts)
    report = ingest(tmp_path / "landing", lake=tmp_path / "lake", key=b"k" * 32)
    kept = ("clean", "late", "exact_duplicate")
    dirt = sum(n for faults in made.dirt.values() for fault, n in faults.items() if fault not in kept)
    assert sum(f.quarantined for f in report.files) == dirt


def test_a_land_as_square_as_its_frame_still_has_somewhere_off_it(tmp_path):
    full = squares().iloc[:16]
    made = generate(SMALL, seed=3, work=tmp_path, zones=check_zones(full, where="z"), streams=AUDITED)
    assert made.dirt["mains_courantes"]["at_sea"] > 0


def test_one_zone_and_a_strip_without_a_cell_of_its_own_make_a_city():
    one = check_zones(squares().dissolve().explode().iloc[:1], where="z")
    city = draw_city(fit(SMALL, one).city, rng=stream(1, "city"), zones=one)
    assert (len(city.quarters), city.grid.n_cells, set(city.quarters["district_id"])) == (1, 256, {1})
    frame = squares().iloc[:16]
    strip = shapely.box(X0 + 4000, Y0, X0 + 4040, Y0 + 4000)  # 40 m wide: between the centres of 250 m cells
    frame = gpd.GeoDataFrame(geometry=[*frame.geometry, strip], crs="EPSG:2154")
    thin = check_zones(frame, where="z")
    city = draw_city(fit(SMALL, thin).city, rng=stream(1, "city"), zones=thin)
    assert not (city.cell_quarter == 16).any()
    assert int(city.quarters["population"].sum()) == 860_000
    assert np.isfinite(city.quarters.drop(columns=["quarter_id", "name", "geometry"]).to_numpy(dtype=float)).all()


def test_the_command_takes_a_file_of_zones_and_says_what_is_invented(tmp_path):
    squares().to_file(tmp_path / "z.gpkg")
    common = ["generate", "--days", "7", "--set", "city.sites_per_cell=2", "--set", "incidents.latent_per_day=300",
              "--set", "recording.records_per_day=90", "--set", "fines.fines_per_day=20", "--json"]  # fmt: skip
    done = CliRunner().invoke(app, [*common, "--out", str(tmp_path / "o"), "--geography", str(tmp_path / "z.gpkg")])
    assert done.exit_code == 0, done.exception
    assert json.loads(done.stdout)["n_quarters"] == 17
    assert "16.5 km²" in done.stderr
    assert "whatever happens there is invented" in done.stderr
    lost = CliRunner().invoke(app, [*common, "--out", str(tmp_path / "p"), "--name-column", "nom"])
    assert isinstance(lost.exception, ParameterError)
    assert not (tmp_path / "p").exists()


@pytest.mark.skipif(MARSEILLE is None, reason="no */data/marseille_quartiers/*.geojson beside the checkout")
def test_the_111_quarters_of_marseille_make_a_city():
    zones = read_zones(MARSEILLE, id_column="code_qua", name_column="nom")
    assert len(zones) == 111
    assert zones.area_km2 == pytest.approx(238.1, abs=0.05)
    assert zones.repaired == ()
    scenario = fit(Scenario.load().with_overrides({"city.sites_per_cell": 4}), zones)
    assert (scenario.city.n_quarters, scenario.city.n_districts) == (111, 16)
    city = draw_city(scenario.city, rng=stream(1, "city"), zones=zones)
    assert (len(city.quarters), int(city.quarters["population"].sum())) == (111, 860_000)
    assert shapely.area(city.land) / 1e6 == pytest.approx(238.1, abs=0.05)
    assert city.grid.n_cells == pytest.approx(238.1 * 16, abs=40)
    assert city.quarters["district_id"].nunique() == 16
    assert "Belsunce" in set(city.quarters["name"])
    # the Vieux-Port, from its public coordinates: within 3 km of the middle of the quarters
    port = Transformer.from_crs(4326, 2154, always_xy=True).transform(5.3698, 43.2951)
    assert np.hypot(city.centre_m[0] - port[0], city.centre_m[1] - port[1]) < 3000
    with pytest.raises(ContractError, match="same_identifier"):
        read_zones(MARSEILLE, id_column="num_qua")


def test_the_extent_is_the_one_pyproj_declares():
    from pyproj import CRS

    assert CRS("EPSG:2154").area_of_use.bounds == pytest.approx(EXTENT_LONLAT)
