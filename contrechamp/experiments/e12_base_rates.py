"""E12, base rates: at the rate of true events that people saw, what share of alerts is right, and who reads them?

The arithmetic is exact and runs over a grid, because nobody knows how many events the cameras filmed that no one saw;
in one corner of it the alert rate is not stated but measured, on E09's people. The one published input, 1,253 live
detections in 2015 with 864 cameras, is a count, so it has an error, and that error is carried into every figure it
touches.

What it cannot tell you: see :data:`CANNOT_TELL`.
"""

from __future__ import annotations

import dataclasses
from itertools import product
from typing import Final

import pandas as pd

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.intervals import Interval
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.results import Measure, Outcome, Result, Scalar
from contrechamp.domain.text import Text
from contrechamp.experiments.e12_measured import corners, measured_rates
from fairness.baserates import (
    DAYS_PER_YEAR,
    HOURS_PER_DAY,
    AlertFlow,
    alert_flow,
    desk_load,
    p_none,
    saturating_alerts_per_day,
)
from fairness.intervals import poisson_rate_interval

ID: Final = "E12"

#: World classes: events as frequent as those seen live in 2015 (times m); an emergency of a very rare kind.
CALIBRATED: Final = "seen-2015"
RARE: Final = "rare"
#: The alert rate is that of a rule played on E09's people, with a perfect machine.
MEASURED: Final = "measured"


@dataclasses.dataclass(frozen=True, slots=True)
class Params:
    """Parameters of E12.

    Attributes
    ----------
    anchor_events, anchor_cameras, anchor_days : int
        Live detections by operators, the cameras they had, the days it took: the calibration of true events.
    sensitivities, fa_per_camera_day, cameras, multipliers : tuples
        The grid. ``multipliers`` is *m*: true events in view for one that operators saw.
    rare_per_year : tuple of float
        City-wide true events a year of the rare class. An assumption, without sampling error.
    operators : int
        People reading alerts at any moment of the day and night.
    minutes_per_alert : float
        An assumption: mean time to open an alert, look, and decide.
    shift_h : float
        Length of a shift.
    loitering_s : tuple of float
        Thresholds T of the rule "still for more than T seconds" whose alert rate is measured, not stated.
    measured_days : int
        Days of one camera on which it is measured, at each place; at least 2, for their spread gives the interval.
    """

    anchor_events: int = 1_253
    anchor_cameras: int = 864
    anchor_days: int = 365
    sensitivities: tuple[float, ...] = (0.5, 0.8, 1.0)
    fa_per_camera_day: tuple[float, ...] = (0.01, 0.1, 1.0)
    cameras: tuple[int, ...] = (50, 864, 1_600)
    multipliers: tuple[float, ...] = (1.0, 5.0, 10.0, 50.0)
    rare_per_year: tuple[float, ...] = (1.0, 10.0)
    operators: int = 20
    minutes_per_alert: float = 2.0
    shift_h: float = 8.0
    loitering_s: tuple[float, ...] = (60.0, 300.0, 900.0)
    measured_days: int = 30

    @classmethod
    def quick(cls) -> Params:
        """The grid of the register."""
        return cls()

    @classmethod
    def full(cls) -> Params:
        """A finer and wider grid, to show where the verdict flips."""
        return cls(
            sensitivities=(0.3, 0.5, 0.8, 0.9, 1.0),
            fa_per_camera_day=(0.001, 0.01, 0.1, 0.3, 1.0, 3.0, 10.0),
            cameras=(50, 864, 1_036, 1_400, 1_600),
            multipliers=(1.0, 2.0, 5.0, 10.0, 20.0, 50.0),
            rare_per_year=(0.1, 1.0, 10.0),
            loitering_s=(30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0),
            measured_days=200,
        )


_ANCHOR: Final = Text(
    fr="détections humaines en direct en 2015 (qui fixent la fréquence des faits)",
    en="live human detections in 2015 (which set the rate of events)",
)
_GIVEN: Final = Text(fr="calcul sur des valeurs posées", en="arithmetic on stated values")
_CELLS: Final = Text(fr="cases de la grille posée", en="cells of the stated grid")

MEASURES: tuple[Measure, ...] = (
    Measure("ppv", "share", Text(fr="part des alertes qui sont justes", en="share of alerts that are right"), _ANCHOR),
    Measure("alerts_per_day", "per_day", Text(fr="alertes par jour", en="alerts per day"), _ANCHOR),
    Measure("alerts_per_shift", "count", Text(fr="alertes par vacation", en="alerts per shift"), _ANCHOR),
    Measure(
        "alerts_per_operator_hour",
        "ratio",
        Text(fr="alertes par opérateur et par heure", en="alerts per operator and hour"),
        _ANCHOR,
    ),
    Measure(
        "false_per_true", "ratio", Text(fr="fausses alertes pour une juste", en="false alerts for one right"), _ANCHOR
    ),
    Measure(
        "minutes_per_true_event",
        "min",
        Text(
            fr="minutes de lecture par fait réellement trouvé (durée de lecture d'une alerte supposée)",
            en="reading minutes per event really found (reading time of an alert assumed)",
        ),
        _ANCHOR,
    ),
    Measure(
        "utilisation",
        "ratio",
        Text(
            fr="temps de lecture demandé rapporté au temps disponible ; au-dessus de 1 la file déborde",
            en="reading time asked for over reading time available; above 1 the queue overflows",
        ),
        _ANCHOR,
    ),
    Measure(
        "share_unread",
        "share",
        Text(
            fr="part d'alertes jamais lues, au minimum (borne fluide : aucune autre tâche, aucune pause)",
            en="share of alerts never read, at least (fluid bound: no other task, no pause)",
        ),
        _ANCHOR,
    ),
    Measure(
        "p_wait",
        "share",
        Text(
            fr="part d'alertes qui trouvent tous les opérateurs occupés (file M/M/c)",
            en="share of alerts that find every operator busy (M/M/c queue)",
        ),
        _ANCHOR,
    ),
    Measure(
        "fa_saturating",
        "per_day",
        Text(
            fr="fausses alertes par caméra et par jour qui suffisent à occuper tous les opérateurs",
            en="false alerts per camera and day that are enough to occupy every operator",
        ),
        _ANCHOR,
    ),
    Measure("false_per_year", "count", Text(fr="fausses alertes par an", en="false alerts per year"), _GIVEN),
    Measure(
        "p_error_free_year",
        "share",
        Text(fr="chance d'une année sans aucune fausse alerte", en="chance of a year without a single false alert"),
        _GIVEN,
    ),
    Measure(
        "measured_false_per_camera_day",
        "per_day",
        Text(
            fr="alertes par caméra et par jour sur des personnes qui ne font qu'être là",
            en="alerts per camera and day on people who are only there",
        ),
        Text(fr="jours de caméra tirés", en="camera-days drawn"),
    ),
    Measure(
        "share_grid_ppv_below_50",
        "share",
        Text(
            fr="part des cases de la grille où moins d'une alerte sur deux est juste",
            en="share of grid cells where less than half of the alerts are right",
        ),
        _CELLS,
    ),
    Measure(
        "share_grid_ppv_over_90",
        "share",
        Text(
            fr="part des cases de la grille où au moins neuf alertes sur dix sont justes",
            en="share of grid cells where at least nine alerts in ten are right",
        ),
        _CELLS,
    ),
)

CANNOT_TELL = Text(
    fr=(
        "Ce que l'expérience ne dit pas : le taux de fausses alertes et la sensibilité d'un produit donné, qui sont "
        "ici une grille, ou ceux d'une règle jouée sur des personnes inventées, en des lieux animés qui ne sont pas "
        "devant toutes les caméras, et où les faits, comptés ici à la moyenne de la ville, peuvent être plus "
        "fréquents ; combien de faits les caméras ont filmés sans que personne les voie ; la fatigue, "
        "les rafales (pluie, fête, panne) ; ni ce que donnerait le tri d'incidents déjà saisis, dont les fausses "
        "alertes ne se comptent pas par caméra. Une part de cases de la grille n'est pas une probabilité."
    ),
    en=(
        "What the experiment does not say: the false-alert rate and the sensitivity of a given product, which are a "
        "grid here, or those of a rule played on invented people, in busy places that are not in front of every "
        "camera, and where events, counted here at the city's mean, may be more frequent; how many events the cameras "
        "filmed that nobody saw; tiredness, and bursts (rain, a street party, a fault); nor what sorting incidents "
        "already logged would give, whose false alerts are not counted by camera. A share of grid cells is not a "
        "probability."
    ),
)


def anchor_rate(params: Params) -> Interval:
    """True events per camera-hour as operators saw them, with the exact Poisson interval of the count.

    Raises
    ------
    ParameterError
        If there were no camera-hours.
    """
    hours = params.anchor_cameras * params.anchor_days * HOURS_PER_DAY
    if hours <= 0:
        raise bad_parameter(
            name="anchor_cameras, anchor_days",
            where="E12",
            must="above 0",
            got=(params.anchor_cameras, params.anchor_days),
        )
    return poisson_rate_interval(events=params.anchor_events, exposure=hours)


def run(params: Params, *, seed: int, jobs: int = 1, progress: Progress = silent) -> Outcome:
    """Fill the grid, exactly, then its measured corner.

    Parameters
    ----------
    params : Params
    seed : int
        Draws the people of the measured corner; the grid does not depend on it.
    jobs : int
        Unused.
    progress : Progress

    Returns
    -------
    Outcome
        Tables ``E12_grid`` (events as often as seen in 2015, times m), ``E12_rare`` and ``E12_measured``.

    Raises
    ------
    ParameterError
        If a parameter is out of range.
    """
    if params.measured_days < 2:
        raise bad_parameter(name="measured_days", where=ID, must="at least 2", got=params.measured_days)
    anchor = anchor_rate(params)
    results: list[Result] = []
    rows: list[dict[str, Scalar | None]] = []
    ppvs: list[Interval] = []
    for sensitivity, fa, cameras, m in product(
        params.sensitivities, params.fa_per_camera_day, params.cameras, params.multipliers
    ):
        world: dict[str, Scalar] = {
            "class": CALIBRATED,
            "sensitivity": sensitivity,
            "fa_per_camera_day": fa,
            "cameras": cameras,
            "m": m,
        }
        at = [
            _figures(
                alert_flow(
                    cameras=cameras,
                    events_per_camera_hour=m * rate,
                    sensitivity=sensitivity,
                    false_alerts_per_camera_day=fa,
                ),
                cameras,
                params,
            )
            for rate in _bounds(anchor)
        ]
        found = {key: _carried(tuple(f[key] for f in at), n=anchor.n) for key in at[0]}
        found["false_per_year"] = Interval.exact(fa * cameras * DAYS_PER_YEAR)
        found["p_error_free_year"] = _error_free(fa * cameras)
        ppvs.append(found["ppv"])
        results += [Result(ID, key, world, interval, "E12_grid") for key, interval in found.items()]
        rows.append(_row(world, found))
    results += _grid_shares(ppvs)
    progress(ID, 1, 3)

    rare_rows: list[dict[str, Scalar | None]] = []
    for sensitivity, fa, cameras, per_year in product(
        params.sensitivities, params.fa_per_camera_day, params.cameras, params.rare_per_year
    ):
        world = {
            "class": RARE,
            "sensitivity": sensitivity,
            "fa_per_camera_day": fa,
            "cameras": cameras,
            "rare_per_year": per_year,
        }
        flow = AlertFlow(true_per_day=sensitivity * per_year / DAYS_PER_YEAR, false_per_day=fa * cameras)
        figures = _figures(flow, cameras, params)
        found = {
            key: _carried((value, value, value), n=1, method="arithmetic")
            for key, value in figures.items()
            if key in ("ppv", "false_per_true", "minutes_per_true_event")
        }
        results += [Result(ID, key, world, interval, "E12_rare") for key, interval in found.items()]
        rare_rows.append(_row(world, found))
    progress(ID, 2, 3)
    more, measured_rows = _measured(params, anchor, seed=seed)
    progress(ID, 3, 3)
    return Outcome(
        results + more,
        {
            "E12_grid": pd.DataFrame(rows),
            "E12_rare": pd.DataFrame(rare_rows),
            "E12_measured": pd.DataFrame(measured_rows),
        },
    )


def _measured(params: Params, anchor: Interval, *, seed: int) -> tuple[list[Result], list[dict[str, Scalar | None]]]:
    """The same figures at the alert rates of a loitering rule; every true event is taken as found."""
    results: list[Result] = []
    rows: list[dict[str, Scalar | None]] = []
    cameras = min(params.cameras)  # such places are not in front of every camera of a city
    rates = measured_rates(thresholds_s=params.loitering_s, camera_days=params.measured_days, seed=seed)
    for (place, threshold), rate in rates.items():
        here: dict[str, Scalar] = {"class": MEASURED, "place": place, "T_s": threshold}
        results.append(Result(ID, "measured_false_per_camera_day", here, rate, "E12_measured"))
        if not rate.estimable:  # too few days, or days that are all alike: nothing to carry
            rows.append(dict(here))
            continue
        for m in (min(params.multipliers), max(params.multipliers)):
            world = {**here, "cameras": cameras, "m": m}
            at = [
                _figures(
                    alert_flow(
                        cameras=cameras,
                        events_per_camera_hour=m * events,
                        sensitivity=1.0,
                        false_alerts_per_camera_day=false,
                    ),
                    cameras,
                    params,
                )
                for false, events in corners(rate, anchor)
            ]
            keys = (
                "ppv",
                "alerts_per_day",
                "alerts_per_operator_hour",
                "false_per_true",
                "utilisation",
                "share_unread",
            )
            method = "mean of camera-days and poisson-exact anchor, propagated"
            found = {key: _carried(tuple(f[key] for f in at), n=rate.n, method=method) for key in keys}
            results += [Result(ID, key, world, interval, "E12_measured") for key, interval in found.items()]
            rows.append(_row(world, found))
    return results, rows


def _bounds(interval: Interval) -> tuple[float, float, float]:
    assert interval.estimate is not None and interval.low is not None and interval.high is not None
    return interval.estimate, interval.low, interval.high


def _figures(flow: AlertFlow, cameras: int, params: Params) -> dict[str, float | None]:
    desk = desk_load(
        alerts_per_day=flow.alerts_per_day, operators=params.operators, minutes_per_alert=params.minutes_per_alert
    )
    room = saturating_alerts_per_day(operators=params.operators, minutes_per_alert=params.minutes_per_alert)
    per_true = flow.alerts_per_true
    return {
        "ppv": flow.ppv,
        "alerts_per_day": flow.alerts_per_day,
        "alerts_per_shift": flow.alerts_per_day * params.shift_h / HOURS_PER_DAY,
        "alerts_per_operator_hour": desk.alerts_per_operator_hour,
        "false_per_true": flow.false_per_true,
        "minutes_per_true_event": None if per_true is None else per_true * params.minutes_per_alert,
        "utilisation": desk.utilisation,
        "share_unread": desk.share_unread,
        "p_wait": desk.p_wait,
        "fa_saturating": max(room - flow.true_per_day, 0.0) / cameras if cameras else None,
    }


def _carried(values: tuple[float | None, ...], *, n: int, method: str = "poisson-exact anchor, propagated") -> Interval:
    """An interval from the values at the anchor's estimate and two bounds; every figure is monotone between them."""
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return Interval.not_estimable(n=n, method=method)
    return Interval(known[0], min(known), max(known), n, method)


def _error_free(false_per_day: float) -> Interval:
    # Under about 1e-308 the chance is below what a float holds; `false_per_year` then tells the story.
    return Interval.exact(p_none(per_day=false_per_day, days=DAYS_PER_YEAR), method="poisson")


def _grid_shares(ppvs: list[Interval]) -> list[Result]:
    known = [_bounds(ppv) for ppv in ppvs if ppv.estimable]
    n, method = len(known), "share of grid cells, anchor propagated"
    out = []
    for key, counts in (
        ("share_grid_ppv_below_50", [sum(cell[i] < 0.5 for cell in known) for i in range(3)]),
        ("share_grid_ppv_over_90", [sum(cell[i] >= 0.9 for cell in known) for i in range(3)]),
    ):
        shares = [count / n for count in counts] if n else []
        interval = Interval(shares[0], min(shares), max(shares), n, method) if n else Interval.not_estimable()
        out.append(Result(ID, key, {"class": CALIBRATED, "grid": "all"}, interval, "E12_grid"))
    return out


def _row(world: dict[str, Scalar], found: dict[str, Interval]) -> dict[str, Scalar | None]:
    row: dict[str, Scalar | None] = dict(world)
    for key, interval in found.items():
        row[key] = interval.estimate
        if interval.low != interval.high:
            row[f"{key}_low"], row[f"{key}_high"] = interval.low, interval.high
    return row
