"""How fast are five years of incidents drawn? Ratio to the same branching process, one incident at a time, same run.

    python benchmarks/bench_world.py [--days 1826] [--rows 20000]

Both draw from one background and one kernel. The baseline draws each incident in a Python loop: its cell by inversion,
its address, its follow-ons and where each of them goes. It is run on as many incidents as told, and compared per
incident, those before day 0 included. Not a test: it prints, it does not judge.
"""

from __future__ import annotations

import argparse
import bisect
import resource
import time

import numpy as np

from contrechamp.domain.rng import stream
from synthetic_data.background import Background
from synthetic_data.calendar import draw_calendar
from synthetic_data.city import City, draw_city
from synthetic_data.clock import DAY_US, SLOT_US
from synthetic_data.incidents import draw_incidents
from synthetic_data.intensity import ConditionalIntensity
from synthetic_data.places import draw_places
from synthetic_data.scenario import Scenario
from synthetic_data.triggering import Triggering
from synthetic_data.weather import draw_weather


def row_by_row(law: Background, trigger: Triggering, city: City, *, n: int) -> float:
    """Seconds per incident of the plain loop, over ``n`` incidents at least."""
    rng = stream(1, "bench", "rows")
    x, y, k, cell_m = city.site_x_m.tolist(), city.site_y_m.tolist(), city.sites_per_cell, city.grid.cell_m
    edges = [np.cumsum(row).tolist() for row in law.place]
    number = np.full(city.grid.shape, -1)
    number[city.grid.land] = np.arange(city.grid.n_cells)
    raster = number.tolist()
    rows: list[tuple[float, int, int, int]] = []
    began = time.perf_counter()
    todo: list[tuple[float, int, int, int]] = []
    slot = len(law.slots) - 1
    while len(rows) < n:
        slot -= 1
        for code in range(len(edges)):
            for _ in range(rng.poisson(law.tempo[code, slot])):
                cell = min(bisect.bisect(edges[code], rng.random() * edges[code][-1]), len(edges[code]) - 1)
                t = law.slots.start_us + slot * SLOT_US + rng.random() * SLOT_US
                todo.append((t, code, cell * k + int(rng.integers(k)), -1))
        while todo:
            one = todo.pop()
            rows.append(one)
            t, code, site, _ = one
            for _ in range(rng.poisson(trigger.mean)):
                born, there = t + rng.exponential(trigger.lag_days * DAY_US), site
                if rng.random() >= trigger.same_address:
                    cell = -1
                    while cell < 0:
                        to_x, to_y = rng.normal(x[site], trigger.sd_m), rng.normal(y[site], trigger.sd_m)
                        j, i = int((to_y - city.grid.y0_m) // cell_m), int((to_x - city.grid.x0_m) // cell_m)
                        inside = 0 <= j < len(raster) and 0 <= i < len(raster[0])
                        cell = raster[j][i] if inside else -1
                    there = min(
                        range(cell * k, cell * k + k), key=lambda s: (x[s] - to_x) ** 2 + (y[s] - to_y) ** 2
                    )  # fmt: skip
                todo.append((born, code, there, len(rows) - 1))
    rows.sort()
    return (time.perf_counter() - began) / len(rows)


def main() -> None:
    """Print seconds, incidents, rates and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=int, default=1826, help="days to draw")
    parser.add_argument("--rows", type=int, default=20_000, help="incidents of the row-by-row baseline")
    asked = parser.parse_args()
    scenario = Scenario.load().with_overrides({"time.n_days": asked.days})
    city = draw_city(scenario.city, rng=stream(1, "world", "city"))
    places = draw_places(scenario, city, rng=stream(1, "world", "places"))

    clock, cpu = time.perf_counter(), time.process_time()
    calendar = draw_calendar(scenario, city, places, rng=stream(1, "world", "calendar"))
    weather = draw_weather(
        scenario.weather, start=scenario.start, n_days=asked.days, rng=stream(1, "world", "weather")
    )  # fmt: skip
    sky = time.perf_counter() - clock
    drawn = draw_incidents(
        scenario, city, places=places, calendar=calendar, weather=weather, rng=stream(1, "world", "incidents")
    )
    seconds, cpu = time.perf_counter() - clock, time.process_time() - cpu
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    n = len(drawn) + len(drawn.before)
    print(f"{city.grid.n_cells} cells, {asked.days} days, {len(calendar):,} events")
    print(f"calendar and weather        {sky:8.2f} s")
    print(f"calendar to incidents       {seconds:8.2f} s ({cpu:.2f} s of processor), {len(drawn):,} latent incidents")
    print(f"rate                        {n / (seconds - sky):12,.0f} incidents/s; peak memory {peak_gb:.2f} GB")
    each = row_by_row(drawn.background, drawn.trigger, city, n=asked.rows)
    print(f"row by row (baseline)       {1 / each:12,.0f} incidents/s over {asked.rows:,}")
    print(f"ratio {each * n / (seconds - sky):,.0f}; {n:,} incidents row by row would take {each * n:,.0f} s")

    law = ConditionalIntensity.of(drawn, city)
    some = slice(0, 1_000)
    law.at(drawn.t_us[some], drawn.type_code[some], drawn.cell[some])  # compile
    clock = time.perf_counter()
    law.at(drawn.t_us, drawn.type_code, drawn.cell)
    print(f"intensity at every incident {time.perf_counter() - clock:8.2f} s")


if __name__ == "__main__":
    main()
