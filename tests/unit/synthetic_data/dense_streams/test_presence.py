"""D05: telephones are conserved, zones share the city out, and who is missed is missed as much as asked."""

import numpy as np
import pytest

from contrechamp.domain.rng import stream
from synthetic_data.streams.activity import home_cell, standard_poverty
from synthetic_data.streams.dense import window
from synthetic_data.streams.presence import chance_counted, count_persons, presence_telecom, telecom_zones


def _counts(world, name="a"):
    span = window(world.scenario)
    zone = telecom_zones(world)
    return count_persons(world, zone, span.starts_us(900), span, rng=stream(1, "presence", name))


def test_customers_are_neither_made_nor_lost(small_world):
    residents, visitors = _counts(small_world())
    assert len(set(residents.sum(axis=1))) == 1
    assert residents.min() >= 0
    assert visitors.min() >= 0


def test_rows_are_zones_times_quarter_hours_less_what_is_kept_back(small_world):
    world = small_world()
    for least in (0, 20, 100):
        plan = small_world({"mobility.suppress_below": least})
        rows = presence_telecom(plan, rng=stream(1, "presence", "a"))
        residents, visitors = _counts(world)
        seen = residents + visitors
        assert len(rows) == int((seen >= max(least, 1)).sum())
        assert rows["count"].sum() == seen[seen >= max(least, 1)].sum()
        assert rows["count"].min() >= max(least, 1)
    assert seen.shape == (96 * 3, 60)


def test_zones_share_out_people_and_land(small_world):
    world = small_world()
    zone = telecom_zones(world)
    assert np.unique(zone).tolist() == list(range(60))
    homes = np.bincount(zone[home_cell(world)], minlength=60) / len(world.people)
    land = np.bincount(zone, minlength=60) / len(zone)
    weight = 0.85 * homes + 0.15 * land
    assert weight.max() < 3 / 60
    assert len(np.unique(telecom_zones(small_world({"mobility.telecom_zones": 5})))) == 5


def test_who_is_missed_is_missed_as_much_as_asked(small_world):
    off = {"mobility.operator_spread": 0.0, "mobility.poor_undercount": 0.0, "mobility.child_undercount": 0.0}
    assert np.allclose(chance_counted(small_world(off), rng=stream(1, "x")), 0.3)
    world = small_world(off | {"mobility.child_undercount": 0.7, "mobility.poor_undercount": 0.15})
    p = chance_counted(world, rng=stream(1, "x"))
    adult = world.people.age >= 15
    quarter, z = world.people.quarter, standard_poverty(world)
    by_quarter = np.array([p[adult & (quarter == q)][0] for q in range(len(z))])
    assert np.polyfit(z, np.log(by_quarter), 1)[0] == pytest.approx(-0.15)
    assert p[~adult] == pytest.approx(0.3 * by_quarter[quarter[~adult]])
    assert np.average(by_quarter, weights=np.bincount(quarter, minlength=len(z))) == pytest.approx(0.3)


def test_the_equal_city_counts_adults_alike(small_world):
    world = small_world(preset="equal-city")
    p = chance_counted(world, rng=stream(1, "x"))
    assert p[world.people.age >= 15] == pytest.approx(0.3)
    assert standard_poverty(world).std() > 0.5  # poverty differs there, and nothing counted follows it


@pytest.mark.parametrize(("undercount", "slope"), [(0.0, 0.0), (0.5, -0.5)])
def test_the_poor_are_under_counted_in_the_rows_or_not_at_all(small_world, undercount, slope):
    world = small_world(
        {
            "mobility.poor_undercount": undercount, "mobility.operator_spread": 0.0, "mobility.child_undercount": 0.0,
            "mobility.visitors_share": 0.0, "mobility.telecom_zones": 1000, "mobility.suppress_below": 0,
        }
    )  # fmt: skip
    rows = presence_telecom(world, rng=stream(2, "presence"))
    night = rows[(rows["t"].dt.tz_convert("Europe/Paris").dt.hour == 4) & (rows["t"].dt.minute == 30)]
    zone = telecom_zones(world)
    cell = np.empty(zone.max() + 1, dtype=np.int64)
    cell[zone] = np.arange(len(zone))  # as many zones as cells
    quarter = world.city.cell_quarter[cell[night["zone"].str[1:].astype(int) - 1]]
    n_quarters = len(world.city.quarters)
    counted = np.bincount(quarter, night["count"], minlength=n_quarters) / 3
    residents = np.bincount(world.city.cell_quarter[home_cell(world)], minlength=n_quarters)
    z = standard_poverty(world)
    fit, cov = np.polyfit(z, np.log(counted / residents), 1, w=np.sqrt(counted), cov="unscaled")
    assert abs(fit[0] - slope) < 4 * np.sqrt(cov[0, 0])
    assert np.sqrt(cov[0, 0]) < 0.03


def test_an_event_fills_its_zone_while_it_lasts(small_world):
    base = small_world()
    span = window(base.scenario)
    start = span.midnights_us[1] + 15 * 3600 * 1_000_000
    event = base.calendar.iloc[[0]].assign(
        t_start_us=start, t_end_us=start + 7200 * 1_000_000, cell=100, attendance=3000, quarter=0
    )
    quiet = small_world(calendar=base.calendar.iloc[:0])
    world = small_world(calendar=event)
    step = (start - span.midnights_us[0]) // 900_000_000
    zone = telecom_zones(world)[100]
    with_event, without = (np.stack(_counts(w)) for w in (world, quiet))
    more = (with_event - without)[:, :, zone].astype(float)
    customers = with_event[0, 0].sum() / len(world.people)
    residents, visitors = more[:, step + 1]
    assert abs(residents - 3000 * 0.8 * customers) < 150
    assert abs(visitors - 3000 * 0.2 * 0.3) < 80
    assert abs(more[:, step - 8]).max() < 60


def test_the_city_goes_to_work_and_comes_home(small_world):
    everybody = {"mobility.operator_share": 1.0, "mobility.operator_spread": 0.0, "mobility.child_undercount": 0.0,
                 "mobility.poor_undercount": 0.0}  # fmt: skip
    world = small_world(everybody, calendar=small_world().calendar.iloc[:0])
    people, zone = world.people, telecom_zones(world)
    jobs = np.bincount(zone[people.work_cell[people.work_cell >= 0]], minlength=60)
    homes = np.bincount(zone[home_cell(world)[people.work_cell >= 0]], minlength=60)
    residents, _ = _counts(world)
    day, night = residents[96 + 44], residents[96 + 18]  # Monday at 11 h and at 4.30 h
    assert np.corrcoef(day - night, jobs - homes)[0, 1] > 0.9
