"""The stock of past offences since 1998: one series made of several policies, vocabularies and ways of placing.

Places follow the same latent risk as the run's incidents. What changes from year to year is who looks, how hard and
where, the words used, whether the origin was noted, and how well an address was placed.

What it cannot tell you: how offences changed. Nothing that happens changes in these years; everything that is seen to
change is a change of policy, of words or of placing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from scipy.spatial import cKDTree

from contrechamp.domain.columns import DISTRICT_ID, INCIDENT_TYPES
from contrechamp.domain.text import Text
from synthetic_data.cameras import coverage
from synthetic_data.clock import local_to_utc_us
from synthetic_data.datasheets import Datasheet
from synthetic_data.mechanisms.reporting import report_propensity
from synthetic_data.streams.dense import FloatArray, IntArray, clean, pick
from synthetic_data.streams.draws import Rhythm

if TYPE_CHECKING:
    from synthetic_data.world import World

SINCE: Final = dt.date(1998, 1, 1)
_SINCE_US: Final = int(pd.Timestamp(SINCE).as_unit("us").asm8.astype(np.int64))
#: Years at which policy changes, and the two at which the vocabulary does. Assumptions.
REGIMES: Final = (2002, 2007, 2012)
NEW_WORDS: Final = (2003, 2011)
#: From this year on, fines are issued from cameras and the origin of each row is noted. Assumptions.
CAMERAS_FROM: Final = 2011
ORIGIN_FROM: Final = 2004
_NO_ORIGIN: Final = 0.9

#: Source and origin of the four ways into the stock, and their share where nothing changed. Shares are assumptions.
WAYS: Final = (("main_courante", "call", 0.42), ("main_courante", "officer", 0.20), ("verbalisation", "agent", 0.30),
               ("verbalisation", "camera", 0.08))  # fmt: skip
#: The words of three eras for each type of the log, and for each code of fine with its share.
LOG_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "tapage": ("TAPAGE", "bruit"), "degradation": ("DEGRADATIONS", "dégradation"), "vol": ("VOL", "vol simple"),
    "rixe": ("COUPS", "rixe ou coups"), "depot_sauvage": ("DIVERS", "ordures"),
    "stationnement_genant": ("STATIONNEMENT", "stationnement"), "vente_sauvette": ("DIVERS", "vente illicite"),
    "intrusion": ("DIVERS", "intrusion"), "attroupement": ("TAPAGE", "troubles"), "violence": ("COUPS", "violences"),
    "accident": ("ACCIDENT", "accident"), "autre": ("DIVERS", "divers"),
}  # fmt: skip
FINE_WORDS: Final[Mapping[str, tuple[str, str, float]]] = {
    "STAT-GENANT": ("STATIONNEMENT", "STAT-G", 0.30), "STAT-TRES-GENANT": ("STATIONNEMENT", "STAT-G", 0.20),
    "STAT-DANGEREUX": ("STATIONNEMENT", "STAT-D", 0.06), "STAT-PAYANT": ("HORODATEUR", "STAT-P", 0.28),
    "CIRC-BUS": ("CIRCULATION", "CIRC", 0.06), "CIRC-SENS": ("CIRCULATION", "CIRC", 0.05),
    "DEPOT": ("SALUBRITE", "DEPOT", 0.03), "BRUIT": ("SALUBRITE", "BRUIT", 0.02),
}  # fmt: skip
_N_LOG: Final = len(INCIDENT_TYPES)
_FINES: Final = Rhythm(14.0, 3.5, 0.1)
_MEMORY: Final = 0.7


def stock_infractions(world: World, *, rng: np.random.Generator) -> pd.DataFrame:
    """Draw every row from 1998 to the day before the run (D24), in order of time; a row reaches the city at once."""
    plan, city = world.scenario.services, world.city
    opening = dt.date.fromisoformat(world.scenario.time.start)
    n_days = max((opening - SINCE).days, 0)
    days = pd.date_range(SINCE, periods=n_days, freq="D")
    year, weekday = days.year.to_numpy(dtype=np.int64), days.day_of_week.to_numpy()
    years = np.unique(year)
    level, effort = _levels(world, years, rng=rng), _effort(world, years, rng=rng)
    rate = level[:, year - SINCE.year]
    week = np.array(world.scenario.fines.weekday_effort)
    rate[2:] *= (week / week.mean())[weekday]
    rate *= plan.stock_per_day * n_days / rate.sum() if n_days else 0.0
    laws, by_hour = _laws(world), _hour_edges(world)

    parts: list[tuple[IntArray, ...]] = []
    for i, y in enumerate(years):
        of_year = np.flatnonzero(year == y)
        for way in range(len(WAYS)):
            n = rng.poisson(rate[way, of_year])
            day = np.repeat(of_year, n)
            law = laws[way] * effort[way, i][city.cell_quarter]
            what, cell = np.divmod(pick(law.ravel(), size=len(day), rng=rng), city.grid.n_cells)
            slot = np.searchsorted(by_hour, what + (way >= 2) * _N_LOG + rng.random(len(day)), side="right") % 48
            minute = 30 * slot + rng.integers(30, size=len(day))
            site = cell * city.sites_per_cell + rng.integers(city.sites_per_cell, size=len(day))
            parts.append((day, 60 * minute, what, site, np.full(len(day), way)))
    day, second, what, site, ways = (
        np.concatenate([part[i] for part in parts]) if parts else np.empty(0, dtype=np.int64) for i in range(5)
    )
    t_us = local_to_utc_us(world.scenario, day - n_days, second)
    order = np.argsort(t_us, kind="stable")
    order = order[t_us[order] >= _SINCE_US]  # the year opens an hour earlier on the local clock
    t_us, what, site, ways, when = t_us[order], what[order], site[order], ways[order], year[day[order]]
    x, y_m = _place(world, site, when, rng=rng)
    words, origins = _words(world, what, ways, when, rng=rng)
    return clean(
        "stock_infractions",
        {
            "id": _numbered(len(t_us)), "t": t_us, "x_m": x, "y_m": y_m,
            "source": _text(ways, [source for source, _, _ in WAYS]), "type": words, "origin": origins,
        },
        t_drop_us=t_us,
    )  # fmt: skip


def _levels(world: World, years: IntArray, *, rng: np.random.Generator) -> FloatArray:
    """Relative volume of each way into the stock by year; steps at each change of policy. Shape (4, n_years)."""
    steps = world.scenario.services.stock_regime_sd * rng.standard_normal((len(REGIMES), len(WAYS)))
    log = sum(np.outer(step, years >= at) for step, at in zip(steps, REGIMES, strict=True))
    out = np.array([share for _, _, share in WAYS])[:, None] * np.exp(log)
    out[3, years < CAMERAS_FROM] = 0.0
    return np.asarray(out, dtype=np.float64)


def _effort(world: World, years: IntArray, *, rng: np.random.Generator) -> FloatArray:
    """Relative effort by way, year and quarter; waves by district for what officers find. (4, n_years, n_quarters)."""
    district = np.unique(world.city.quarters[DISTRICT_ID].to_numpy(), return_inverse=True)[1]
    shocks = rng.standard_normal((len(years), int(district.max()) + 1))
    wave = np.zeros_like(shocks)
    for i in range(len(years)):
        wave[i] = shocks[i] if i == 0 else _MEMORY * wave[i - 1] + np.sqrt(1 - _MEMORY**2) * shocks[i]
    out = np.ones((len(WAYS), len(years), len(district)))
    out[1:3] = np.exp(world.scenario.services.stock_wave_sd * wave[:, district])
    return out


def _laws(world: World) -> list[FloatArray]:
    """Where each way finds each type or code, at today's effort; shapes (12 or 8, n_cells)."""
    scenario, city, risk = world.scenario, world.city, world.incidents.cell_risk
    types = [scenario.types[name] for name in INCIDENT_TYPES]
    weight = np.array([p.weight for p in types])
    seen = weight * np.array([p.discovery_ease for p in types])
    quarter = city.cell_quarter
    told = report_propensity(scenario, city, risk)[:, quarter]
    patrol = (world.hours.sum(axis=(0, 1)) / city.area_km2)[quarter]
    view = coverage(world.cameras, city, contrast=scenario.cameras.contrast)
    view = view if view.any() else np.ones(len(view))
    shares = np.array([share for _, _, share in FINE_WORDS.values()])
    return [
        weight[:, None] * told * risk, seen[:, None] * risk * patrol,
        shares[:, None] * city.cell_population * patrol, shares[:, None] * city.cell_population * view,
    ]  # fmt: skip


def _hour_edges(world: World) -> FloatArray:
    """Cumulated laws of the half hour, those of the 12 types then of the 8 codes, each one 1 above the one before."""
    types = [world.scenario.types[name] for name in INCIDENT_TYPES]
    rhythms = [Rhythm(p.peak_h, p.spread_h, p.floor) for p in types] + [_FINES] * len(FINE_WORDS)
    edges = np.cumsum([rhythm.hour_law() for rhythm in rhythms], axis=1)
    edges[:, -1] = 1.0
    return np.asarray((edges + np.arange(len(rhythms))[:, None]).ravel(), dtype=np.float64)


def _place(world: World, site: IntArray, year: IntArray, *, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Points as they were noted: at the address, or, less and less often, at the middle of its cell or quarter."""
    plan, city = world.scenario.services, world.city
    last = int(year.max(initial=SINCE.year + 1))
    along = (year - SINCE.year) / max(last - SINCE.year, 1)
    coarse = rng.random(len(site)) < plan.stock_coarse_first + along * (
        plan.stock_coarse_last - plan.stock_coarse_first
    )
    wide = coarse & (rng.random(len(site)) < 0.5)
    x, y = city.site_x_m[site], city.site_y_m[site]
    centre = city.grid.centres_m[site // city.sites_per_cell]
    x, y = np.where(coarse, centre[:, 0], x), np.where(coarse, centre[:, 1], y)
    middle = city.quarters.geometry.centroid
    nearest = cKDTree(np.column_stack([city.site_x_m, city.site_y_m])).query(np.column_stack([middle.x, middle.y]))[1]
    quarter = city.site_quarter[site]
    x = np.where(wide, city.site_x_m[nearest][quarter], x)
    return x, np.where(wide, city.site_y_m[nearest][quarter], y)


def _words(
    world: World, what: IntArray, way: IntArray, year: IntArray, *, rng: np.random.Generator
) -> tuple[pd.Series[str], pd.Series[str]]:
    """Type of each row in the words of its time, and its origin where it was noted."""
    table = [[old, middle, today] for today, (old, middle) in LOG_WORDS.items()]
    table += [[old, middle, today] for today, (old, middle, _) in FINE_WORDS.items()]
    of_its_time = rng.random(len(what)) < world.scenario.services.stock_drift
    era = np.where(of_its_time, np.searchsorted(NEW_WORDS, year, side="right"), 2)
    row = what + (way >= 2) * _N_LOG
    unknown = of_its_time & (year < ORIGIN_FROM) & (rng.random(len(what)) < _NO_ORIGIN)
    origins = [*(origin for _, origin, _ in WAYS), "unknown"]
    words = _text(3 * row + era, [word for eras in table for word in eras])
    return words, _text(np.where(unknown, len(WAYS), way), origins)


def _text(codes: IntArray, vocabulary: list[str]) -> pd.Series[str]:
    """Words by their index, millions at a time."""
    coded = pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), pa.array(vocabulary, pa.large_string()))
    return _series(coded.dictionary_decode())


def _numbered(n: int) -> pd.Series[str]:
    digits = pc.utf8_lpad(pa.array(np.arange(1, n + 1)).cast(pa.large_string()), 8, "0")
    return _series(
        pc.binary_join_element_wise(pa.scalar("ST", pa.large_string()), digits, pa.scalar("", pa.large_string()))
    )


def _series(texts: Any) -> pd.Series[str]:
    return pd.Series(pd.array(texts, dtype="str"))


DATASHEETS: Final = (
    Datasheet(
        key="stock_infractions",
        title=Text(fr="Stock d’infractions depuis 1998", en="Stock of offences since 1998"),
        invented=Text(
            fr="Les changements de politique en 2002, 2007 et 2012, les vagues d’effort par arrondissement, trois "
            "vocabulaires, l’origine rarement notée avant 2004, un géocodage qui s’améliore. Les lieux suivent le même "
            "risque latent que la période simulée.",
            en="The changes of policy in 2002, 2007 and 2012, the waves of effort by district, three vocabularies, an "
            "origin seldom noted before 2004, a geocoding that improves. Places follow the same latent risk as the "
            "run.",
        ),
        anchor=Text(
            fr="2,4 millions d’infractions depuis 1998, sur 21 ans : 313 par jour en moyenne.",
            en="2.4 million offences since 1998, over 21 years: 313 a day on average.",
        ),
        leaves_out=Text(
            fr="Toute évolution des faits eux-mêmes, de la ville et de sa population, toute répétition proche, et les "
            "doublons entre sources.",
            en="Any change of what happens, of the city and of its people, any near repeat, and duplicates between "
            "sources.",
        ),
    ),
)
