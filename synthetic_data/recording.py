"""How what happens becomes what is known: residents report, patrols find, operators see, and the rest is lost.

Three routes, independent given the incident, each its own mechanism (:mod:`synthetic_data.mechanisms`). When several
would, the first to come is the one on record. What is known enters the log some time later, not always under the right
type, not always at the right place, and now and then twice.

What it cannot tell you: the propensities are inputs. The log alone cannot separate them; that is the point.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from contrechamp.domain.columns import (
    CELL,
    INCIDENT_ID,
    INCIDENT_TYPES,
    KNOWN_BY,
    QUARTER_ID,
    RECORD_ID,
    T_ENTRY,
    T_EVENT,
    TYPE,
    X_M,
    Y_M,
)
from synthetic_data.city import City
from synthetic_data.fines import FINE_CODES as FINE_CODES
from synthetic_data.fines import VEHICLE_CLASSES as VEHICLE_CLASSES
from synthetic_data.fines import Fines as Fines
from synthetic_data.fines import draw_fines as draw_fines
from synthetic_data.incidents import Incidents, instants, words
from synthetic_data.mechanisms.detection import STAGES, draw_stages, p_detect
from synthetic_data.mechanisms.discovery import exposure, p_discover
from synthetic_data.mechanisms.duplication import draw_more, expected_more
from synthetic_data.mechanisms.entry import DETECTED as DETECTED
from synthetic_data.mechanisms.entry import DISCOVERED as DISCOVERED
from synthetic_data.mechanisms.entry import NONE as NONE
from synthetic_data.mechanisms.entry import REPORTED as REPORTED
from synthetic_data.mechanisms.entry import ROUTES as ROUTES
from synthetic_data.mechanisms.entry import entry_delay_us, first_route
from synthetic_data.mechanisms.geocoding import PLACINGS, misplace
from synthetic_data.mechanisms.mistyping import mistype
from synthetic_data.mechanisms.reporting import Callers
from synthetic_data.mechanisms.reporting import report_propensity as report_propensity
from synthetic_data.patrols import draw_patrols as draw_patrols
from synthetic_data.patrols import patrols_frame as patrols_frame
from synthetic_data.people import People
from synthetic_data.scenario import Scenario
from synthetic_data.solving import solve
from synthetic_data.streets import Streets

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Records:
    """Rows of the municipal log, in order of entry, and the truth about them.

    Attributes
    ----------
    known_by : ndarray of int, shape (n_incidents,)
        Route by which every latent incident came to be known first, an index in :data:`ROUTES`.
    p_report, p_discover, p_detect : ndarray, shape (n_incidents,)
        Chance of each route, as drawn from.
    reported, detected : ndarray of bool, shape (n_incidents,)
        Whether a resident told, and whether an operator saw, first or not.
    incident, route : ndarray of int, shape (n_records,)
        Latent incident of each record, and the route by which the record came: that of the incident, or ``reported``
        for what is entered again.
    original : ndarray of int, shape (n_records,)
        For what is entered again, the record of the same incident that it repeats; -1 for the others.
    t_entry_us : ndarray of int
        When it entered the log, microseconds of UTC.
    type_code : ndarray of int
        Type as written, an index in :data:`contrechamp.domain.columns.INCIDENT_TYPES`.
    x_m, y_m : ndarray
        Place as written, EPSG:2154 metres.
    placing : ndarray of int
        How it was placed, an index in :data:`synthetic_data.mechanisms.geocoding.PLACINGS`.
    caller : ndarray of int
        Person who called, -1 when nobody did.
    stage : ndarray of int
        What became of a detection, an index in :data:`synthetic_data.mechanisms.detection.STAGES`; 0 for the others.
    named_in_text, variant, crew : ndarray
        Whether the free text repeats the caller's name, which wording it uses, and which crew wrote it.
    visibility : float
        The constant solved so that the expected number of records is the scenario's, what was planted left out; times
        ``patrol_sight``.
    """

    known_by: IntArray
    p_report: FloatArray
    p_discover: FloatArray
    p_detect: FloatArray
    reported: BoolArray
    detected: BoolArray
    incident: IntArray
    route: IntArray
    original: IntArray
    t_entry_us: IntArray
    type_code: IntArray
    x_m: FloatArray
    y_m: FloatArray
    placing: IntArray
    caller: IntArray
    stage: IntArray
    named_in_text: BoolArray
    variant: IntArray
    crew: IntArray
    visibility: float

    def __len__(self) -> int:
        return len(self.incident)

    def to_frame(self, scenario: Scenario, city: City, incidents: Incidents) -> pd.DataFrame:
        """Frame with the columns of ``truth/records.parquet``, one row per record.

        Returns
        -------
        DataFrame
            record_id, incident_id, known_by (route of the record), t_event, t_entry, true type and type ``as_written``,
            true x_m, y_m, cell and quarter_id, ``x_written_m``, ``y_written_m``, ``moved_m`` (metres between them),
            placing (address, wrong_end or quarter), caller (person, -1), repeats (record_id repeated, or missing),
            stage (what became of a detection, or "").
        """
        what = self.incident
        ids = record_ids(scenario, len(self))
        x, y = city.site_x_m[incidents.site[what]], city.site_y_m[incidents.site[what]]
        return pd.DataFrame(
            {
                RECORD_ID: ids,
                INCIDENT_ID: incidents.ids[what],
                KNOWN_BY: words(self.route, ROUTES),
                T_EVENT: instants(incidents.t_us[what]),
                T_ENTRY: instants(self.t_entry_us),
                TYPE: words(incidents.type_code[what], INCIDENT_TYPES),
                "type_as_written": words(self.type_code, INCIDENT_TYPES),
                X_M: x,
                Y_M: y,
                CELL: incidents.cell[what],
                QUARTER_ID: words(incidents.quarter[what], city.quarters[QUARTER_ID].tolist()),
                "x_written_m": self.x_m,
                "y_written_m": self.y_m,
                "moved_m": np.round(np.hypot(self.x_m - x, self.y_m - y), 1),
                "placing": words(self.placing, PLACINGS),
                "caller": self.caller,
                "repeats": ids.reindex(self.original).reset_index(drop=True),
                "stage": words(self.stage, STAGES),
            }
        )


def record_ids(scenario: Scenario, n: int) -> pd.Series[str]:
    """Numbers of the first ``n`` rows of the log, in order of entry."""
    year = scenario.time.start[:4]
    return pd.Series([f"MC{year}-{i:07d}" for i in range(1, n + 1)], dtype="str")


def draw_records(
    scenario: Scenario,
    city: City,
    incidents: Incidents,
    hours: FloatArray,
    *,
    people: People,
    cameras: pd.DataFrame,
    streets: Streets,
    rng: np.random.Generator,
) -> Records:
    """Decide which incidents enter the log, by which route, when, by whose hand, and with which errors.

    Parameters
    ----------
    hours : ndarray, shape (n_days, 3, n_quarters)
        Crew-hours of patrol.
    people : People
        Who may call.
    cameras : DataFrame
        From :func:`synthetic_data.cameras.draw_cameras`.
    streets : Streets
        Where an address may be mistaken for the other end of its street.
    rng : numpy.random.Generator
        Fresh: each mechanism gets a child of it, so that one that is switched off moves no other.

    Raises
    ------
    ParameterError
        If residents and operators alone give more than ``recording.records_per_day``, or if no eyesight of patrols
        reaches it.
    """
    plan, n = scenario.recording, len(incidents)
    routes_rng, callers_rng, entry_rng, twice_rng, type_rng, place_rng, text_rng, stage_rng = rng.spawn(8)
    p_report = report_propensity(scenario, city, incidents.cell_risk)[incidents.type_code, incidents.quarter]
    seen_live = p_detect(scenario, city, incidents, cameras)
    exposed = exposure(scenario, city, incidents, hours)
    # what was planted comes on top: it is seen with the eyesight of the city without it
    usual = ~incidents.planted
    missed, seen = ((1 - p_report) * (1 - seen_live))[usual], exposed[usual]
    more = float(p_report[usual].sum()) * expected_more(plan.duplicate_share)
    visibility = plan.patrol_sight * solve(
        lambda v: more + float((1 - missed * np.exp(-v * seen)).sum()),
        target=plan.records_per_day * scenario.time.n_days,
        what="recording.records_per_day",
    )
    found = p_discover(exposed, visibility=visibility)
    reported, discovered, detected = routes_rng.random((3, n)) < np.vstack([p_report, found, seen_live])
    known_by = first_route(plan, reported=reported, discovered=discovered, detected=detected, rng=routes_rng)

    first = np.flatnonzero(known_by != NONE)
    first_us = incidents.t_us + entry_delay_us(plan, n, rng=entry_rng)
    # one number more per call that the desk does not tell from the first
    times = np.where(reported, draw_more(plan.duplicate_share, n, rng=twice_rng), 0)
    again = np.repeat(np.arange(n), times)
    incident = np.concatenate([first, again])
    t_entry = np.concatenate([first_us[first], first_us[again] + entry_delay_us(plan, len(again), rng=twice_rng)])
    order = np.argsort(t_entry, kind="stable")
    incident, t_entry = incident[order], t_entry[order]
    is_first = order < len(first)
    row_of = np.full(n, -1, dtype=np.int64)
    row_of[incident[is_first]] = np.flatnonzero(is_first)
    route = np.where(is_first, known_by[incident], REPORTED)

    m = len(incident)
    calls = route == REPORTED
    caller = np.full(m, -1, dtype=np.int64)
    pool = Callers(plan, city, people, rng=callers_rng)
    caller[calls] = pool.draw(incidents.site[incident[calls]], rng=callers_rng)
    x_m, y_m, placing = misplace(plan, city, streets, incidents.site[incident], rng=place_rng)
    stage = np.where(route == DETECTED, draw_stages(plan, m, rng=stage_rng), 0)
    return Records(
        known_by=known_by,
        p_report=p_report,
        p_discover=found,
        p_detect=seen_live,
        reported=reported,
        detected=detected,
        incident=incident,
        route=route,
        original=np.where(is_first, -1, row_of[incident]),
        t_entry_us=t_entry,
        type_code=mistype(plan, incidents.type_code[incident], incidents.day[incident], rng=type_rng),
        x_m=x_m,
        y_m=y_m,
        placing=placing,
        caller=caller,
        stage=stage,
        named_in_text=(caller >= 0) & (text_rng.random(m) < plan.name_in_text),
        variant=text_rng.integers(0, 1 << 30, size=m),
        crew=text_rng.integers(1, 7, size=m),
        visibility=visibility,
    )


def known_by_words(records: Records) -> pd.Series[str]:
    """Column ``known_by`` of the truth, one word per latent incident."""
    return words(records.known_by, ROUTES).rename(KNOWN_BY)
