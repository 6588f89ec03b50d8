"""Embedded scenarios do what their names say: silence where nothing differs, the effect where it was planted."""

import json
import tomllib
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom, binomtest, chi2_contingency, chisquare, kstest
from typer.testing import CliRunner

from contrechamp.cli.app import app
from contrechamp.domain.columns import INCIDENT_TYPES
from contrechamp.domain.errors import ParameterError
from contrechamp.domain.rng import stream
from contrechamp.pipelines.generate import AUDITED, generate
from contrechamp.pipelines.ingest import ingest
from contrechamp.store.files import read_parquet
from synthetic_data.calendar import draw_calendar
from synthetic_data.cameras import draw_cameras
from synthetic_data.city import draw_city
from synthetic_data.incidents import draw_incidents
from synthetic_data.people import draw_people
from synthetic_data.places import draw_places
from synthetic_data.presets import PRESETS
from synthetic_data.recording import draw_fines, draw_patrols, draw_records, report_propensity
from synthetic_data.scenario import Scenario
from synthetic_data.streets import draw_streets
from synthetic_data.units import draw_units
from synthetic_data.weather import draw_weather

FEWER = {"time.n_days": 7, "city.sites_per_cell": 8}
SEEDS = range(40)


def load(name, **more):
    return Scenario.load(name).with_overrides(FEWER | more)


def happen(scenario, city, *, seed, name="incidents"):
    """Incidents of a seed, under one draw of places, events and weather."""
    places = draw_places(scenario, city, rng=stream(3, "places"))
    days = scenario.time.n_days
    return draw_incidents(
        scenario, city, places=places, calendar=draw_calendar(scenario, city, places, rng=stream(3, "calendar")),
        weather=draw_weather(scenario.weather, start=scenario.start, n_days=days, rng=stream(3, "weather")),
        rng=stream(seed, name),
    )  # fmt: skip


def surroundings(scenario, city):
    """People, cameras and streets of a city, under one draw."""
    places = draw_places(scenario, city, rng=stream(3, "places"))
    units = draw_units(scenario, city, rng=stream(3, "units"))
    return (
        draw_people(scenario, city, units, rng=stream(3, "people")),
        draw_cameras(scenario, city, places, rng=stream(3, "cameras")),
        draw_streets(city, rng=stream(3, "streets")),
    )


def leaves(tree, path=""):
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value


def uniform(p_values):
    """p-values under a true hypothesis: uniform as a whole, and below 5 % about one time in twenty."""
    return kstest(p_values, "uniform").pvalue > 1e-3 and (np.array(p_values) < 0.05).sum() <= binom.ppf(
        0.9995, len(p_values), 0.05
    )


@pytest.fixture(scope="module")
def equal():
    scenario = load("equal-city")
    return scenario, draw_city(scenario.city, rng=stream(3, "city"))


# --- by name, by file ---------------------------------------------------------------------------------------------


def test_every_preset_is_embedded_named_and_holds_only_what_differs():
    folder = resources.files("synthetic_data") / "scenarios"
    assert {Path(f.name).stem for f in folder.iterdir()} == set(PRESETS)
    massilia = dict(leaves(Scenario.load().to_dict()))
    for name in PRESETS:
        assert Scenario.load(name).name == name
        if name != "massilia":
            given = dict(leaves(tomllib.loads((folder / f"{name}.toml").read_text("utf-8"))))
            same = [key for key, value in given.items() if massilia[key] == value]
            assert not same, name
    assert len({Scenario.load(name).digest for name in PRESETS}) == len(PRESETS) == 5


def test_a_name_is_a_preset_and_a_path_is_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("dirty").write_text('name = "mine"\n[time]\nn_days = 21\n', encoding="utf-8")
    assert Scenario.load("dirty").dirt.malformed == 0.010
    assert Scenario.load("./dirty").time.n_days == Scenario.load(Path("dirty")).time.n_days == 21
    with pytest.raises(ParameterError, match=r"Name a preset \(massilia, equal-city, no-feedback"):
        Scenario.load("equal_city")
    with pytest.raises(ParameterError, match="planted_quarters"):
        Scenario.load("planted-effect").with_overrides({"incidents.planted_quarters": 111})


def test_the_help_of_generate_and_audit_lists_the_presets():
    for verb in ("generate", "audit"):
        shown = CliRunner().invoke(app, [verb, "--help"]).output
        assert all(f"{name} : {said.fr.split()[0]}" in shown for name, said in PRESETS.items()), verb


# --- equal-city: nothing to find ----------------------------------------------------------------------------------


def test_in_the_equal_city_counts_per_cell_and_quarter_differ_by_chance_only(equal):
    scenario, city = equal
    addresses = np.bincount(city.site_quarter, minlength=len(city.quarters))
    by_cell, by_quarter = [], []
    for seed in SEEDS:
        drawn = happen(scenario, city, seed=seed)
        by_cell.append(chisquare(np.bincount(drawn.cell, minlength=city.grid.n_cells)).pvalue)
        counts = np.bincount(drawn.quarter, minlength=len(addresses))
        by_quarter.append(chisquare(counts, len(drawn) * addresses / addresses.sum()).pvalue)
    assert uniform(by_cell)
    assert uniform(by_quarter)
    # the same test is not silent where there is something to find
    unequal = happen(load("massilia"), city, seed=0)
    assert chisquare(np.bincount(unequal.cell, minlength=city.grid.n_cells)).pvalue < 1e-100


def test_in_the_equal_city_residents_follow_addresses_and_groups_still_live_apart(equal):
    scenario, city = equal
    addresses = np.bincount(city.site_quarter, minlength=len(city.quarters))
    exact = scenario.city.population * addresses / addresses.sum()
    assert np.abs(city.quarters["population"] - exact).max() < 1
    assert np.ptp(city.cell_population) == 0
    assert city.cell_population.sum() == pytest.approx(860_000)
    assert city.quarters["share_b"].std() > 0.1
    assert np.average(city.quarters["share_b"], weights=city.quarters["population"]) == pytest.approx(0.30, abs=0.005)


def test_in_the_equal_city_the_recorded_share_is_the_same_in_every_quarter():
    scenario = load("equal-city", **{"city.population": 20_000})
    city = draw_city(scenario.city, rng=stream(3, "city"))
    people, cameras, streets = surroundings(scenario, city)
    hours = draw_patrols(scenario, city, rng=stream(3, "patrols"))
    per_km2 = hours / city.area_km2
    assert np.allclose(per_km2, per_km2[:, :, :1], rtol=1e-4)
    n, log, fined = len(city.quarters), [], []
    for seed in SEEDS:
        drawn = happen(scenario, city, seed=seed)
        records = draw_records(
            scenario, city, drawn, hours, people=people, cameras=cameras, streets=streets,
            rng=stream(seed, "recording"),
        )  # fmt: skip
        known = records.known_by > 0
        table = np.array([np.bincount(drawn.quarter[known == k], minlength=n) for k in (False, True)])
        log.append(chi2_contingency(table[:, table.sum(axis=0) > 0]).pvalue)
        fines = draw_fines(scenario, city, hours, people=people, cameras=cameras, rng=stream(seed, "fines"))
        daily = fines.daily.groupby("quarter_id").sum()
        seen = np.array([daily["n_infractions"] - daily["n_recorded"], daily["n_recorded"]])
        fined.append(chi2_contingency(seen).pvalue)
    assert uniform(log)
    assert uniform(fined)
    chance = report_propensity(scenario, city, drawn.cell_risk)
    assert np.allclose(chance, chance[:, :1])
    assert chance[:, 0] == pytest.approx([scenario.types[t].report_propensity for t in INCIDENT_TYPES])


# --- no-feedback: no patrol --------------------------------------------------------------------------------------


def test_without_feedback_nothing_is_discovered_and_reports_are_those_of_massilia(tmp_path):
    frames, summaries = {}, {}
    for name in ("massilia", "no-feedback"):
        summaries[name] = generate(load(name), seed=4, work=tmp_path / name, streams=AUDITED)
        frames[name] = read_parquet(tmp_path / name / "truth" / "incidents.parquet")
    alone, both = frames["no-feedback"], frames["massilia"]
    assert set(alone["known_by"]) == {"reported", "detected", "none"}  # cameras are not patrols
    assert summaries["no-feedback"].n_discovered == 0 == summaries["no-feedback"].visibility
    assert summaries["massilia"].n_discovered > 1000
    assert alone.drop(columns="known_by").equals(both.drop(columns="known_by"))
    # whoever reports in massilia reports here; some come first here whom a patrol had beaten there
    first = (both["known_by"] == "reported").to_numpy()
    assert (alone.loc[first, "known_by"] == "reported").all()
    assert (both.loc[(alone["known_by"] == "reported").to_numpy() & ~first, "known_by"] == "discovered").all()
    types = Scenario.load().types
    expected = sum(p.weight * p.report_propensity for p in types.values()) / sum(p.weight for p in types.values())
    assert (alone["known_by"] == "reported").mean() == pytest.approx(expected, abs=4 * np.sqrt(0.16 * 0.84 / 18_900))


# --- planted-effect: there, and nowhere else ----------------------------------------------------------------------


def test_the_planted_effect_is_added_to_massilia_and_only_where_the_truth_says(tmp_path):
    for name in ("massilia", "planted-effect"):
        generate(load(name), seed=4, work=tmp_path / name, streams=AUDITED)
    base, more = (read_parquet(tmp_path / n / "truth" / "incidents.parquet") for n in ("massilia", "planted-effect"))
    told = json.loads((tmp_path / "planted-effect" / "truth" / "planted.json").read_text())
    assert not (tmp_path / "massilia" / "truth" / "planted.json").exists()
    assert (told["factor"], len(told["quarters"])) == (2.0, 5)
    columns = ["t_event", "x_m", "y_m", "type", "quarter_id", "cell"]
    both = more[columns].merge(base[columns].assign(usual=True), how="left", on=columns)
    extra = both[both["usual"].isna()]
    assert len(more) - len(extra) == len(base)
    assert len(extra) == told["n_incidents"]
    assert set(extra["quarter_id"]) == set(told["quarters"])
    # twice as many: extra and usual incidents in equal shares; follow-on incidents widen chance by 1 / (1 - 0.15)
    usual = int(base["quarter_id"].isin(told["quarters"]).sum())
    assert abs(len(extra) - usual) < 4 * np.sqrt(len(extra) + usual) / (1 - 0.15)


def test_what_is_planted_is_recorded_as_everything_else_is():
    plain, more = load("massilia"), load("planted-effect", **{"incidents.planted_factor": 5.0})
    city = draw_city(plain.city, rng=stream(3, "city"))
    hours = draw_patrols(plain, city, rng=stream(3, "patrols"))
    people, cameras, streets = surroundings(plain, city)
    drawn = {s.name: happen(s, city, seed=3) for s in (plain, more)}
    records = {
        s.name: draw_records(
            s, city, drawn[s.name], hours, people=people, cameras=cameras, streets=streets, rng=stream(3, "recording")
        )
        for s in (plain, more)
    }
    planted, usual = drawn["planted-effect"], ~drawn["planted-effect"].planted
    assert records["planted-effect"].visibility == pytest.approx(records["massilia"].visibility, rel=1e-9)
    for name in ("p_report", "p_discover", "p_detect"):
        assert np.allclose(getattr(records["planted-effect"], name)[usual], getattr(records["massilia"], name))
    assert np.isin(planted.quarter[planted.planted], planted.planted_quarters).all()
    child = np.flatnonzero(planted.parent >= 0)
    assert (planted.t_us[child] > planted.t_us[planted.parent[child]]).all()
    assert (planted.planted[child] == planted.planted[planted.parent[child]]).all()


@pytest.mark.parametrize("seed", range(3))
def test_a_blind_reader_finds_the_planted_quarters_and_no_other(equal, seed):
    """On the equal city, every quarter tested against its addresses at 1 % over all of them (Bonferroni)."""
    _, city = equal
    planted = load(
        "equal-city",
        **{"time.n_days": 28, "incidents.planted_quarters": 5, "incidents.planted_factor": 3.0},
    )
    drawn = happen(planted, city, seed=seed, name="planted")
    share = np.bincount(city.site_quarter, minlength=len(city.quarters)) / len(city.site_quarter)
    counts = np.bincount(drawn.quarter, minlength=len(share))
    usual = 28 * 2700  # expected without the effect: known to the law
    found = [q for q, k in enumerate(counts) if binomtest(int(k), usual, share[q]).pvalue < 0.01 / len(counts)]
    assert found == drawn.planted_quarters.tolist()


# --- dirty --------------------------------------------------------------------------------------------------------


def test_the_dirty_city_fills_the_quarantine_five_times_as_much(tmp_path):
    shares = {}
    for name in ("massilia", "dirty"):
        made = generate(load(name), seed=4, work=tmp_path / name, streams=AUDITED)
        report = ingest(tmp_path / name / "landing", lake=tmp_path / name / "lake", key=b"k" * 32)
        assert all(f.rows_in == f.committed + f.quarantined + f.duplicates for f in report.files)
        rows = sum(f.rows_in for f in report.files)
        assert rows == sum(made.rows.values())
        quarantined = sum(f.quarantined for f in report.files)
        kept = ("clean", "late", "exact_duplicate")  # a record entered again otherwise is in conflict, not a duplicate
        planted = sum(n for dirt in made.dirt.values() for fault, n in dirt.items() if fault not in kept)
        assert quarantined == planted
        shares[name] = quarantined / rows
    plan = Scenario.load("dirty").dirt
    faults = sum(getattr(plan, f) for f in plan.__dataclass_fields__) - plan.exact_duplicate - plan.late
    assert shares["dirty"] == pytest.approx(faults / (1 + plan.exact_duplicate + plan.reentered), abs=0.012)
    assert shares["dirty"] / shares["massilia"] == pytest.approx(
        5 * 1.011 / 1.055, rel=0.12
    )  # a row more per duplicate
