"""Second implementation of the incident process, slow and obvious: Ogata's thinning, one incident at a time.

It takes the background and the kernel as numbers and shares no code with the simulator: every intensity is a direct
double sum over the past, every Gaussian mass a product of ``math.erf``, every address found by looking at all of them.
The world is tiny and made by hand.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from contrechamp.domain.columns import INCIDENT_TYPES
from contrechamp.domain.grid import Grid
from synthetic_data.city import City
from synthetic_data.scenario import Scenario

CELL_M, SITES = 250.0, 3
LAND = np.array([[1, 1, 1, 0], [1, 1, 1, 1], [0, 1, 1, 1]], dtype=bool)
SHAPES = {"x0_m": 900_000.0, "y0_m": 6_245_000.0, "cell_m": CELL_M}


def tiny_city() -> City:
    """Ten cells, three addresses in each, two quarters."""
    rng = np.random.default_rng(7)
    grid = Grid(SHAPES["x0_m"], SHAPES["y0_m"], CELL_M, LAND)
    centre = np.repeat(grid.centres_m, SITES, axis=0)
    site = np.round(centre + CELL_M * rng.uniform(-0.49, 0.49, centre.shape), 1)
    west = grid.centres_m[:, 0] < SHAPES["x0_m"] + 2 * CELL_M
    half = [shapely.box(900_000, 6_245_000, 900_500, 6_245_750), shapely.box(900_500, 6_245_000, 901_000, 6_245_750)]
    quarters = gpd.GeoDataFrame(
        {"quarter_id": ["Q1", "Q2"], "poverty": [0.1, 0.5], "lighting": [0.9, 0.3], "population": [500, 500]},
        geometry=half, crs="EPSG:2154",
    )  # fmt: skip
    cell_quarter = np.where(west, 0, 1)
    return City(
        quarters=quarters, land=shapely.union_all(half), grid=grid, cell_quarter=cell_quarter,
        cell_density=np.linspace(0.5, 1.5, grid.n_cells), cell_population=np.full(grid.n_cells, 100.0),
        site_x_m=site[:, 0].copy(), site_y_m=site[:, 1].copy(), site_quarter=np.repeat(cell_quarter, SITES),
        centre_m=(900_500.0, 6_245_400.0),
    )  # fmt: skip


class TinyPlaces:
    """Two bars and one stop, each in one cell."""

    def __init__(self, city: City) -> None:
        self.city = city

    def layer(self, kind: str, *, bandwidth_m: float = 200.0) -> np.ndarray:
        out = np.zeros(self.city.grid.n_cells)
        out[{"bar": [2, 5], "station": [7]}[kind]] = 1.0
        return out


def tiny_scenario(**changes: float) -> Scenario:
    """Six days, two types that matter, families of two."""
    weights = {f"types.{name}.weight": 1e-6 for name in INCIDENT_TYPES}
    weights |= {"types.vol.weight": 0.6, "types.tapage.weight": 0.4}
    return Scenario.load().with_overrides(
        {
            "time.n_days": 6, "city.population": 1000, "recording.records_per_day": 1,
            "incidents.latent_per_day": 20, "incidents.near_repeat": 0.5, "incidents.near_repeat_days": 0.4,
            "incidents.repeat_share": 0.3, "incidents.event_effect": 1.0,
        } | weights | changes
    )  # fmt: skip


def tiny_calendar(scenario: Scenario) -> pd.DataFrame:
    """Two events that overlap, each bringing a few incidents."""
    opening = int(scenario.start.tz_convert("UTC").as_unit("us").asm8.astype(np.int64))
    hour = 3_600_000_000
    return pd.DataFrame(
        {
            "event_id": [4, 9],
            "kind": ["festival", "concert"],
            "t_start_us": [opening + 30 * hour, opening + 33 * hour],
            "t_end_us": [opening + 40 * hour, opening + 60 * hour],
            "x_m": [900_100.0, 900_400.0],
            "y_m": [6_245_100.0, 6_245_300.0],
            "attendance": [200, 100],
        }
    )


@dataclass
class Happened:
    """One incident; ``kernel`` is the law of the cell of its follow-ons."""

    day: float
    kind: int
    cell: int
    site: int
    kernel: list[float]
    cause: str = "background"
    parent: int = -1
    event: int = -1


def gaussian_law(city: City, x: float, y: float, sd: float) -> list[float]:
    """Law of the land cell in which a Gaussian around (x, y) falls, given that it is on land."""
    half = city.grid.cell_m / 2

    def mass(low: float, high: float) -> float:
        return 0.5 * (math.erf(high / sd / math.sqrt(2)) - math.erf(low / sd / math.sqrt(2)))

    masses = [
        mass(cx - half - x, cx + half - x) * mass(cy - half - y, cy + half - y)
        for cx, cy in city.grid.centres_m.tolist()
    ]
    return [m / sum(masses) for m in masses]


def follow_on_law(city: City, trigger, site: int) -> list[float]:
    """Law of the cell of a follow-on of an incident at an address."""
    law = gaussian_law(city, city.site_x_m[site], city.site_y_m[site], trigger.sd_m)
    home = site // city.sites_per_cell
    return [(1 - trigger.same_address) * p + trigger.same_address * (c == home) for c, p in enumerate(law)]


class SlowIntensity:
    """Intensities as direct sums, in incidents a day."""

    def __init__(self, city: City, background, trigger) -> None:
        self.city, self.background, self.trigger = city, background, trigger
        self.first_day = -background.slots.n_before / 48
        self.last_day = self.first_day + len(background.slots) / 48
        self.types = range(len(background.tempo))
        self.cells = range(city.grid.n_cells)
        self.event_law = [
            gaussian_law(city, x, y, background.event_sd_m)
            for x, y in zip(background.event_x_m, background.event_y_m, strict=True)
        ]

    def slot(self, day: float) -> int:
        return math.floor((day - self.first_day) * 48)

    def held(self, day: float) -> list[int]:
        s, b = self.slot(day), self.background
        return [e for e in range(len(b.event_id)) if b.event_first[e] <= s < b.event_last[e]]

    def base(self, day: float, kind: int) -> float:
        return 48 * float(self.background.tempo[kind, self.slot(day)])

    def of_event(self, event: int, kind: int) -> float:
        return 48 * float(self.background.event_rate[event, kind])

    def of_incident(self, past: Happened, day: float) -> float:
        b = 1 / self.trigger.lag_days
        return self.trigger.mean * b * math.exp(-b * (day - past.day))

    def in_city(self, history: list[Happened], day: float, kind: int) -> float:
        total = self.base(day, kind) + sum(self.of_event(e, kind) for e in self.held(day))
        return total + sum(self.of_incident(p, day) for p in history if p.kind == kind and p.day < day)

    def in_cell(self, history: list[Happened], day: float, kind: int, cell: int) -> float:
        total = self.base(day, kind) * float(self.background.place[kind, cell])
        total += sum(self.of_event(e, kind) * self.event_law[e][cell] for e in self.held(day))
        return total + sum(self.of_incident(p, day) * p.kernel[cell] for p in history if p.kind == kind and p.day < day)


def simulate(slow: SlowIntensity, *, rng: np.random.Generator) -> list[Happened]:
    """Draw the process from its start by thinning; within a half hour the intensity can only fall."""
    history: list[Happened] = []
    day = slow.first_day
    while True:
        edge = slow.first_day + (slow.slot(day) + 1) / 48
        if edge <= day:  # rounding
            edge += 1 / 48
        middle = (day + edge) / 2
        bound = sum(slow.base(middle, k) + sum(slow.of_event(e, k) for e in slow.held(middle)) for k in slow.types)
        bound += sum(slow.of_incident(p, day) for p in history)
        step = float(rng.exponential(1 / bound))
        if day + step >= edge:
            day = edge
            if day > slow.last_day - 1e-9:
                return history
            continue
        day += step
        rates = [slow.in_city(history, day, k) for k in slow.types]
        if rng.random() * bound < sum(rates):
            kind = int(rng.choice(len(rates), p=np.array(rates) / sum(rates)))
            history.append(_happen(slow, history, day, kind, rng=rng))


def _happen(slow: SlowIntensity, history: list[Happened], day: float, kind: int, *, rng: np.random.Generator):
    """Draw the cell by its intensity, then which part of the intensity it owes, then the address."""
    rates = np.array([slow.in_cell(history, day, kind, c) for c in slow.cells])
    cell = int(rng.choice(len(rates), p=rates / rates.sum()))
    parts = [("background", -1, slow.base(day, kind) * float(slow.background.place[kind, cell]))]
    parts += [("event", e, slow.of_event(e, kind) * slow.event_law[e][cell]) for e in slow.held(day)]
    parts += [
        ("near-repeat", i, slow.of_incident(p, day) * p.kernel[cell]) for i, p in enumerate(history) if p.kind == kind
    ]
    share = np.array([p[2] for p in parts])
    cause, which, _ = parts[int(rng.choice(len(parts), p=share / share.sum()))]
    city, trigger = slow.city, slow.trigger
    addresses = [s for s in range(len(city.site_x_m)) if s // city.sites_per_cell == cell]
    if cause == "background":
        site = addresses[int(rng.integers(len(addresses)))]
    elif cause == "event":
        start = slow.background.event_x_m[which], slow.background.event_y_m[which]
        site = _moved(city, start, slow.background.event_sd_m, addresses, cell, rng)
    else:
        home = history[which].site
        same = trigger.same_address * (home // city.sites_per_cell == cell) / history[which].kernel[cell]
        start = city.site_x_m[home], city.site_y_m[home]
        site = home if rng.random() < same else _moved(city, start, trigger.sd_m, addresses, cell, rng)
    parent = which if cause == "near-repeat" else -1
    event = int(slow.background.event_id[which]) if cause == "event" else -1
    return Happened(day, kind, cell, site, follow_on_law(city, trigger, site), cause, parent, event)


def _moved(city: City, start, sd: float, addresses: list[int], cell: int, rng: np.random.Generator) -> int:
    """Address of the cell nearest to a Gaussian point, drawn until it falls in that cell."""
    cx, cy = city.grid.centres_m[cell]
    while True:
        x, y = start[0] + sd * rng.standard_normal(), start[1] + sd * rng.standard_normal()
        if abs(x - cx) <= city.grid.cell_m / 2 and abs(y - cy) <= city.grid.cell_m / 2:
            return min(addresses, key=lambda s: math.hypot(city.site_x_m[s] - x, city.site_y_m[s] - y))
