"""Calibration: what a drawn world gives, against the published figures it is scaled to.

For every anchor of the register, the figure drawn with its interval, its n, and whether the published one lies within;
or the reason why this world does not draw it. A reader sees at once which numbers of the city are held to something
and which are invented.

What it cannot tell you: a world that meets its anchors is not the city. A few totals are right; who, where and why are
inventions, and most published figures are themselves claims of a seller or a service about itself.

Notes
-----
Rates per day are means over whole weeks (Student's t over weeks: days of one week are alike, weeks nearly independent);
streams drawn for a few days only use days, and their intervals are then too narrow if those days are alike.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import yaml

from contrechamp.domain.errors import ContractError
from contrechamp.domain.grid import Grid
from contrechamp.domain.intervals import Interval
from contrechamp.domain.streams import LAYOUTS
from contrechamp.domain.text import Lang, Text
from contrechamp.store.files import read_geoparquet, read_parquet
from fairness.intervals import mean_interval, poisson_rate_interval, rate_interval
from synthetic_data.scenario import Scenario

DAYS_PER_YEAR: Final = 365.25
#: Years that the stock of past offences and the base of events cover, in the sources.
STOCK_YEARS: Final = 21.0
EVENT_YEARS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Anchor:
    """A published figure. ``low`` and ``high`` differ where the source gives a range."""

    key: str
    name: Text
    low: float
    high: float
    unit: str
    source: str


@dataclass(frozen=True, slots=True)
class Figure:
    """What a world gives for an anchor.

    Attributes
    ----------
    anchor : Anchor
    drawn : Interval or None
        None when this world does not draw it.
    how : Text
        How it was measured, or why it is not drawn.
    """

    anchor: Anchor
    drawn: Interval | None
    how: Text

    @property
    def held(self) -> bool | None:
        """Whether the published figure lies within the interval drawn; None when there is none to compare."""
        if self.drawn is None or self.drawn.low is None or self.drawn.high is None:
            return None
        rounding = 1e-9 * max(abs(self.anchor.high), 1.0)
        return self.drawn.low - rounding <= self.anchor.high and self.drawn.high + rounding >= self.anchor.low

    @property
    def ratio(self) -> float | None:
        """Figure drawn over figure published (middle of its range)."""
        if self.drawn is None or self.drawn.estimate is None:
            return None
        return self.drawn.estimate / ((self.anchor.low + self.anchor.high) / 2)

    def to_dict(self) -> dict[str, Any]:
        """Plain form."""
        return {
            "anchor": self.anchor.key,
            "published": [self.anchor.low, self.anchor.high],
            "unit": self.anchor.unit,
            "source": self.anchor.source,
            "estimate": self.drawn.estimate if self.drawn else None,
            "low": self.drawn.low if self.drawn else None,
            "high": self.drawn.high if self.drawn else None,
            "n": self.drawn.n if self.drawn else None,
            "method": self.drawn.method if self.drawn else None,
            "held": self.held,
            "ratio": self.ratio,
            "how": {"fr": self.how.fr, "en": self.how.en},
        }


@lru_cache(maxsize=1)
def load_anchors() -> tuple[Anchor, ...]:
    """Anchors of the register, in its order."""
    raw = yaml.safe_load(files("contrechamp.audit").joinpath("register", "anchors.yaml").read_text("utf-8"))
    made = []
    for item in raw:
        values = item["value"] if isinstance(item["value"], list) else [item["value"]]
        name = Text(fr=item["name"]["fr"], en=item["name"]["en"])
        made.append(Anchor(item["key"], name, float(min(values)), float(max(values)), item["unit"], item["source"]))
    return tuple(made)


class Drawn:
    """A generated folder, read when asked."""

    def __init__(self, run: Path) -> None:
        if not (run / "truth" / "streams_daily.parquet").is_file():
            raise ContractError(
                f"There is no drawn world in {run}: truth/streams_daily.parquet is missing. Give a folder made by "
                "`contrechamp generate --out DIR`, with all its streams."
            )
        self._run, self._truth = run, run / "truth"

    def table(self, name: str, columns: list[str] | None = None) -> pd.DataFrame:
        """Read a table of the truth."""
        return read_parquet(self._truth / f"{name}.parquet", columns=columns)

    @cached_property
    def quarters(self) -> Any:
        """Quarters of the city."""
        return read_geoparquet(self._truth / "city_quarters.parquet")

    @cached_property
    def daily(self) -> pd.DataFrame:
        """Clean rows and quantities by stream and day."""
        return self.table("streams_daily")

    @cached_property
    def cameras(self) -> pd.DataFrame:
        """Sites of cameras."""
        return self.table("cameras", ["quarter"])

    @cached_property
    def incidents(self) -> pd.DataFrame:
        """What happened."""
        return self.table("incidents", ["t_event", "cell", "type", "reported", "detected"])

    @cached_property
    def grid(self) -> Grid:
        """Cells of the city."""
        return Grid.from_dict(json.loads((self._truth / "grid.json").read_text("utf-8")))

    @cached_property
    def n_days(self) -> int:
        """Days drawn."""
        return Scenario.load(self._run / "scenario.resolved.toml").time.n_days

    def per_day(self, stream: str, measure: str, *, scale: float = 1.0) -> Interval | None:
        """Mean per day of a quantity of a stream, over whole weeks where there are two or more; None if not drawn."""
        mine = self.daily[(self.daily["stream"] == stream) & (self.daily["measure"] == measure)]
        if mine.empty:
            return None
        values = mine.set_index("day")["value"].sort_index()
        values = values[values.index < self.n_days]  # a vehicle may be towed just after the last midnight
        if values.empty:
            return None
        span = values.reindex(range(int(values.index.min()), int(values.index.max()) + 1), fill_value=0.0)
        data = span.to_numpy(dtype=np.float64)
        if LAYOUTS[stream].period == "month":  # each month's figure bears its first day
            first = values.index.to_numpy()
            lengths = np.diff(
                np.append(first, first[-1] + pd.Period(self._month_of(int(first[-1])), "M").days_in_month)
            )
            data = values.to_numpy(dtype=np.float64) / lengths
        elif (weeks := len(span) // 7) >= 2:
            data = data[: 7 * weeks].reshape(weeks, 7).mean(axis=1)
        return mean_interval(scale * data)

    def _month_of(self, day: int) -> str:
        start = Scenario.load(self._run / "scenario.resolved.toml").start
        return str((start + pd.Timedelta(days=day, hours=12)).strftime("%Y-%m"))


Measure = Callable[[Drawn], Interval | None]


def _rows(stream: str, *, scale: float = 1.0, measure: str = "rows") -> Measure:
    return lambda drawn: drawn.per_day(stream, measure, scale=scale)


def _population(drawn: Drawn) -> Interval:
    return Interval.exact(float(drawn.quarters["population"].sum()), n=len(drawn.quarters), method="count")


def _area(drawn: Drawn) -> Interval:
    return Interval.exact(float(drawn.quarters.geometry.area.sum()) / 1e6, n=len(drawn.quarters), method="count")


def _cameras(drawn: Drawn) -> Interval:
    return Interval.exact(float(len(drawn.cameras)), n=len(drawn.cameras), method="count")


def _central_cameras(drawn: Drawn) -> Interval:
    """Cameras of the two central districts, for a park of 510."""
    district = drawn.quarters["district_id"].to_numpy()[drawn.cameras["quarter"].to_numpy()]
    share = rate_interval(
        events=int((district <= 2).sum()), trials=len(district), method="clopper-pearson"
    )  # fmt: skip
    return _times(share, 510.0)


def _live_rate(drawn: Drawn) -> Interval:
    hours = 24.0 * drawn.n_days * len(drawn.cameras)
    return poisson_rate_interval(events=int(drawn.incidents["detected"].sum()), exposure=hours)


def _live_year(drawn: Drawn) -> Interval:
    """Live detections a year, for a park of 864."""
    return _times(_live_rate(drawn), 864 * 24 * DAYS_PER_YEAR)


def _funnel(*stages: str) -> Measure:
    """Detections that go at least as far as the first of ``stages``, of 1,253."""

    def measure(drawn: Drawn) -> Interval:
        stage = drawn.table("records", ["known_by", "stage"])
        seen = stage[stage["known_by"] == "detected"]["stage"]
        went = rate_interval(events=int(seen.isin(stages).sum()), trials=len(seen), method="clopper-pearson")
        return _times(went, 1253.0)

    return measure


def _reported(kind: str) -> Measure:
    def measure(drawn: Drawn) -> Interval:
        mine = drawn.incidents[drawn.incidents["type"] == kind]
        return rate_interval(events=int(mine["reported"].sum()), trials=len(mine), method="clopper-pearson")

    return measure


def _located_posts(drawn: Drawn) -> Interval | None:
    daily = drawn.daily[drawn.daily["stream"] == "reseaux_sociaux"]
    total = daily.groupby("measure")["value"].sum()
    if "rows" not in total:
        return None
    return rate_interval(events=int(total.get("located", 0)), trials=int(total["rows"]), method="clopper-pearson")


def _hit_rate(drawn: Drawn) -> Interval | None:
    """Share of the next day's incidents in the 1 % of cells that had most in the 52 weeks before, on the truth."""
    n_cells = drawn.grid.n_cells
    day = drawn.incidents["t_event"].dt.tz_convert("Europe/Paris").dt.tz_localize(None).dt.normalize()
    day_index = (day - day.min()).dt.days.to_numpy()
    n_days = int(day_index.max()) + 1
    if n_days <= 364 + 7:
        return None
    cube = np.zeros((n_days, n_cells))
    np.add.at(cube, (day_index, drawn.incidents["cell"].to_numpy()), 1.0)
    top = max(1, n_cells // 100)
    past = np.cumsum(cube, axis=0)
    hits = np.array([
        cube[d][np.argsort(-(past[d - 1] - (past[d - 365] if d > 364 else 0.0)), kind="stable")[:top]].sum()
        for d in range(364, n_days)
    ])  # fmt: skip
    totals = cube[364:].sum(axis=1)
    return rate_interval(events=int(hits.sum()), trials=int(totals.sum()), method="clopper-pearson")


def _times(interval: Interval, factor: float) -> Interval:
    if interval.estimate is None or interval.low is None or interval.high is None:
        return interval
    return Interval(
        factor * interval.estimate, factor * interval.low, factor * interval.high, interval.n, interval.method,
        interval.level,
    )  # fmt: skip


_OF_DETECTIONS: Final = Text(
    fr="part des détections tirées qui vont jusque-là, × 1 253", en="share of detections drawn that go so far, × 1,253"
)
_YEAR: Final = Text(
    fr="lignes propres déposées, par jour × 365,25", en="clean rows dropped, per day × 365.25"
)  # fmt: skip
_DAY: Final = Text(fr="lignes propres déposées, par jour", en="clean rows dropped, per day")

#: Anchor → how it is measured in a world.
MEASURES: Final[Mapping[str, tuple[Measure, Text]]] = {
    "population": (_population, Text(fr="somme des quartiers (paramètre)", en="sum over quarters (a parameter)")),
    "area": (_area, Text(fr="somme des quartiers (paramètre)", en="sum over quarters (a parameter)")),
    "cameras-2017": (_cameras, Text(fr="sites tirés (paramètre)", en="sites drawn (a parameter)")),
    "cameras-arrondissements-1-2": (
        _central_cameras,
        Text(fr="part des deux arrondissements centraux × 510", en="share of the two central districts × 510"),
    ),
    "live-detection-rate": (
        _live_rate,
        Text(
            fr="incidents vus par un opérateur, par caméra-heure",
            en="incidents seen by an operator, per camera-hour",
        ),
    ),
    "live-detections-year": (
        _live_year,
        Text(fr="le même taux, pour 864 caméras et un an", en="the same rate, for 864 cameras and a year"),
    ),
    "funnel-requests": (_funnel("requested", "intervened", "arrested"), _OF_DETECTIONS),
    "funnel-interventions": (_funnel("intervened", "arrested"), _OF_DETECTIONS),
    "funnel-arrests": (_funnel("arrested"), _OF_DETECTIONS),
    "mains-courantes-year": (_rows("mains_courantes", scale=DAYS_PER_YEAR), _YEAR),
    "mains-courantes-day": (_rows("mains_courantes"), _DAY),
    "fines-year": (_rows("verbalisations", scale=DAYS_PER_YEAR), _YEAR),
    "fines-day": (_rows("verbalisations"), _DAY),
    "tows-year": (_rows("enlevements", scale=DAYS_PER_YEAR), _YEAR),
    "tows-day": (_rows("enlevements"), _DAY),
    "recorded-offences-2008": (
        _rows("statistiques_police", scale=DAYS_PER_YEAR, measure="recorded"),
        Text(fr="faits enregistrés, par jour × 365,25", en="offences recorded, per day × 365.25"),
    ),
    "recorded-offences-day": (
        _rows("statistiques_police", measure="recorded"),
        Text(fr="faits enregistrés, par jour", en="offences recorded, per day"),
    ),
    "fire-rescue-day": (_rows("pompiers"), _DAY),
    "transport-trips-day": (
        _rows("transport", measure="boardings"),
        Text(
            fr="validations déposées : les voyages sans titre n’y sont pas", en="validations dropped: trips without a "
            "ticket are not in them",
        ),
    ),
    "transport-incidents-2015": (
        _rows("transport", measure="incidents", scale=DAYS_PER_YEAR),
        Text(fr="incidents déposés, par jour × 365,25", en="incidents dropped, per day × 365.25"),
    ),
    "history-offences": (
        _rows("stock_infractions", scale=DAYS_PER_YEAR * STOCK_YEARS),
        Text(fr="stock tiré, par jour × 21 ans", en="stock drawn, per day × 21 years"),
    ),
    "history-events": (
        _rows("evenements", scale=DAYS_PER_YEAR * EVENT_YEARS),
        Text(fr="événements publiés, par jour × 10 ans", en="events published, per day × 10 years"),
    ),
    "reporting-vandalism": (
        _reported("degradation"),
        Text(fr="dégradations signalées / survenues", en="acts of vandalism reported / that happened"),
    ),
    "reporting-bicycle-theft": (
        _reported("vol"),
        Text(fr="vols signalés / survenus (tous vols)", en="thefts reported / that happened (all thefts)"),
    ),
    "geolocated-tweets": (
        _located_posts,
        Text(
            fr="messages avec coordonnées / messages (l’ancre est un maximum)",
            en="posts with coordinates / posts (the anchor is a maximum)",
        ),
    ),
    "forecast-skill-analyst": (
        _hit_rate,
        Text(
            fr="part des incidents du lendemain dans le centième de mailles le plus chargé depuis 52 semaines, sur la "
            "vérité ; autre ville, autre police : pas une cible",
            en="share of the next day’s incidents in the 1 % of cells with most in 52 weeks, on the truth; another "
            "city, another police: no target",
        ),
    ),
}  # fmt: skip

_OTHER_YEAR: Final = Text(
    fr="autre année que celle du monde tiré (2017) ; paramètre cameras.n_cameras",
    en="another year than the world drawn (2017); parameter cameras.n_cameras",
)  # fmt: skip

#: Anchors that a world does not draw, and why.
NOT_DRAWN: Final[Mapping[str, Text]] = {
    "cameras-2015": _OTHER_YEAR,
    "cameras-2021": _OTHER_YEAR,
    "cameras-2020-2024": _OTHER_YEAR,
    "cameras-total-2014": _OTHER_YEAR,
    "operators-on-screen": Text(
        fr="paramètre recording.n_operators : inscrit dans les ordres de mission, il n’agit sur aucune détection",
        en="parameter recording.n_operators: written in the orders of mission, it moves no detection",
    ),
    "rough-sleepers-2024": Text(
        fr="chaque habitant a une adresse ici : personne ne dort dehors",
        en="every resident has an address here: nobody sleeps rough",
    ),
    "forecast-skill-model": Text(
        fr="ne se tire pas d’un monde : voir l’expérience E01", en="cannot be drawn from a world: see experiment E01"
    ),
}  # fmt: skip


def calibrate(run: Path) -> tuple[Figure, ...]:
    """Measure every anchor in the folder of a generated world.

    Raises
    ------
    ContractError
        If the folder holds no world drawn with its streams.
    """
    drawn = Drawn(run)
    figures = []
    for anchor in load_anchors():
        if anchor.key in NOT_DRAWN:
            figures.append(Figure(anchor, None, NOT_DRAWN[anchor.key]))
            continue
        measure, how = MEASURES[anchor.key]
        figures.append(Figure(anchor, measure(drawn), how))
    return tuple(figures)


def to_markdown(figures: tuple[Figure, ...], *, lang: Lang) -> str:
    """Table of figures in Markdown."""
    heads = {
        "fr": ("Ancre", "Publié", "Tiré [intervalle à 95 %]", "n", "Tiré / publié", "Mesure", "Source"),
        "en": ("Anchor", "Published", "Drawn [95 % interval]", "n", "Drawn / published", "Measure", "Source"),
    }[lang]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for f in figures:
        published = _number(f.anchor.low, lang)
        if f.anchor.high != f.anchor.low:
            published += f"–{_number(f.anchor.high, lang)}"
        ratio = "—" if f.ratio is None else _number(f.ratio, lang, digits=3)
        cells = (f.anchor.name.in_(lang), published, _interval(f.drawn, lang), str(f.drawn.n) if f.drawn else "—")
        lines.append("| " + " | ".join((*cells, ratio, f.how.in_(lang), f.anchor.source)) + " |")
    return "\n".join(lines) + "\n"


def _interval(interval: Interval | None, lang: Lang) -> str:
    if interval is None:
        return {"fr": "non tiré", "en": "not drawn"}[lang]
    if interval.estimate is None or interval.low is None or interval.high is None:
        return {"fr": "non estimable", "en": "not estimable"}[lang]
    if interval.low == interval.high:
        return _number(interval.estimate, lang)
    low, high = _number(interval.low, lang), _number(interval.high, lang)
    return f"{_number(interval.estimate, lang)} [{low} ; {high}]"


def _number(value: float, lang: Lang, *, digits: int = 4) -> str:
    if value == int(value) and abs(value) < 1e15:
        text = f"{int(value):,}"
    elif abs(value) >= 1000:
        text = f"{value:,.0f}"
    else:
        text = f"{value:.{digits}g}"
    if lang == "en":
        return text
    return text.replace(",", "\u202f").replace(".", ",")
