"""The raw files a city would drop each week: the log as JSON lines, the fines as CSV, with their dirt.

Each record gets at most one fault, drawn with the shares of the scenario's ``dirt`` section, so that what a reader of
the files must find is known exactly: the counts by fault come back with the files.

What it cannot tell you: real files are dirty in ways nobody listed. These are the listed ones.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import Transformer

from contrechamp.domain.columns import CRS_LONLAT, CRS_M, DISTRICT_ID, INCIDENT_TYPES
from synthetic_data.city import City
from synthetic_data.geography import points_within
from synthetic_data.incidents import Incidents, instants, local_to_utc_us
from synthetic_data.names import person_name, person_phone, plates
from synthetic_data.recording import FINE_CODES, VEHICLE_CLASSES, Fines, Records
from synthetic_data.scenario import LOCAL_TZ, DirtPlan, Scenario

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Streams and the folder each is dropped in.
MAINS_COURANTES: Final = "mains_courantes"
VERBALISATIONS: Final = "verbalisations"

#: What an ``impossible_time`` becomes, in equal parts. The last needs a time of entry.
_TIMES: Final = ("time_1870", "time_2999", "no_such_date", "entry_before_event")
#: Faults that add a row, and the one that is none: the row is right and only comes late.
EXTRA_ROW: Final = ("exact_duplicate", "reentered")
NO_FAULT: Final = ("clean", "late")
_CSV_HEADER: Final = "id;t;lon;lat;code;mode;vehicle_class;plate"
_LOG_GAPS: Final = ("t_event", "lat", "type", "origin", "id")
_FINE_GAPS: Final = (1, 3, 4, 7, 0)

_CALLED: Final = ("Appel d’un riverain : {what}, secteur {where}.", "Signalement reçu au standard : {what} ({where}).",
                  "Le requérant signale {what} à {where}.")  # fmt: skip
_FOUND: Final = ("Constaté en patrouille : {what}, secteur {where}.", "{where} : {what}, équipage sur place.",
                 "De passage à {where}, l’équipage relève {what}.")  # fmt: skip
_WHAT: Final[Mapping[str, str]] = {
    "tapage": "un tapage", "degradation": "une dégradation", "vol": "un vol", "rixe": "une rixe",
    "depot_sauvage": "un dépôt sauvage", "stationnement_genant": "un stationnement gênant",
    "vente_sauvette": "une vente à la sauvette", "intrusion": "une intrusion", "attroupement": "un attroupement",
    "violence": "des violences", "accident": "un accident", "autre": "un fait divers",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Drop:
    """The files of one stream and the truth of their dirt.

    Attributes
    ----------
    stream : str
        Folder name.
    files : mapping of str to bytes
        Content before compression, by file name; one per ISO week.
    dirt : mapping of str to int
        Number of records per fault, ``"clean"`` and ``"late"`` included; they sum to ``n_records``.
    n_records : int
        Records before any duplication.
    n_rows : int
        Rows in the files, headers left out: one per record plus one per duplicate.
    """

    stream: str
    files: Mapping[str, bytes]
    dirt: Mapping[str, int]
    n_records: int
    n_rows: int

    @property
    def n_valid(self) -> int:
        """Records that meet their contract, each counted once."""
        return sum(self.dirt.get(kind, 0) for kind in (*NO_FAULT, *EXTRA_ROW))


def drop_log(
    scenario: Scenario, city: City, incidents: Incidents, records: Records, *, rng: np.random.Generator
) -> Drop:
    """Write the municipal log as weekly JSON-lines files."""
    what = records.incident
    n = len(what)
    fault, fault_names = _draw_faults(scenario.dirt, n, ("unknown_type", *_TIMES), rng=rng)
    site = incidents.site[what]
    lon, lat = _degrees(city, site, fault, fault_names, rng=rng)
    entry_us = records.t_entry_us
    again_us = entry_us + (rng.uniform(0.5, 72.0, n) * 3600).astype(np.int64) * 1_000_000
    t_event, t_entry, t_again = _iso(incidents.t_us[what]), _iso(entry_us), _iso(again_us)
    gap = rng.integers(len(_LOG_GAPS), size=n).tolist()
    cut = rng.uniform(0.2, 0.9, n).tolist()
    year = int(scenario.time.start[:4])
    names = [json.dumps(name, ensure_ascii=False)[1:-1] for name in city.quarters["name"].tolist()]
    texts: dict[tuple[int, int, int, bool], str] = {}
    district = city.quarters[DISTRICT_ID].to_numpy()[incidents.quarter[what]].tolist()

    rows: list[list[str]] = []
    columns = zip(
        incidents.type_code[what].tolist(), incidents.quarter[what].tolist(), records.caller.tolist(),
        (records.variant % len(_CALLED)).tolist(), records.named_in_text.tolist(), records.crew.tolist(),
        fault.tolist(), strict=True,
    )  # fmt: skip
    for i, (kind, quarter, caller, variant, named, crew, f) in enumerate(columns):
        called = caller >= 0
        key = (kind, quarter, variant, called)
        if key not in texts:
            template = (_CALLED if called else _FOUND)[variant]
            texts[key] = template.format(what=_WHAT[INCIDENT_TYPES[kind]], where=names[quarter])
        text, who = texts[key], person_name(caller) if called else ""
        if named:
            text = f"{text} Appelant : {who}."
        fields = {
            "id": f'"MC{year}-{i + 1:07d}"', "t_event": f'"{t_event[i]}"', "t_entry": f'"{t_entry[i]}"',
            "lon": lon[i], "lat": lat[i], "type": f'"{INCIDENT_TYPES[kind]}"',
            "origin": '"call"' if called else '"officer"', "unit": f'"PM{district[i]:02d}-{crew}"', "text": f'"{text}"',
            "informant_name": f'"{who}"' if called else "null",
            "informant_phone": f'"{person_phone(caller)}"' if called else "null",
        }  # fmt: skip
        if f == 0:
            rows.append([_json(fields)])
            continue
        spoilt = fault_names[f]
        if spoilt == "missing_field":
            if i % 2:
                del fields[_LOG_GAPS[gap[i]]]
            else:
                fields[_LOG_GAPS[gap[i]]] = "null"
        elif spoilt == "unknown_type":
            fields["type"] = '"nuisance_xyz"'
        elif spoilt == "entry_before_event":
            fields["t_event"], fields["t_entry"] = f'"{t_again[i]}"', fields["t_event"]
        elif spoilt in _TIMES:
            fields["t_event"] = f'"{_spoil_time(t_event[i], spoilt)}"'
            fields["t_entry"] = f'"{_spoil_time(t_entry[i], spoilt)}"'
        line = _json(fields)
        if spoilt == "malformed":
            line = line[: int(cut[i] * len(line))]
        elif spoilt == "exact_duplicate":
            rows.append([line, line])
            continue
        elif spoilt == "reentered":
            rows.append([line, _json(fields | {"t_entry": f'"{t_again[i]}"', "unit": '"SAISIE"'})])
            continue
        rows.append([line])
    return _weekly(scenario, MAINS_COURANTES, rows, entry_us, again_us, fault, fault_names, header=None, rng=rng)


def drop_fines(scenario: Scenario, city: City, fines: Fines, *, rng: np.random.Generator) -> Drop:
    """Write the fines as weekly CSV files separated by semicolons, each with its header."""
    n = len(fines.t_us)
    fault, fault_names = _draw_faults(scenario.dirt, n, ("unknown_origin", *_TIMES[:3]), rng=rng)
    lon, lat = _degrees(city, fines.site, fault, fault_names, rng=rng)
    t = _iso(fines.t_us)
    codes, classes = list(FINE_CODES), list(VEHICLE_CLASSES)
    year = int(scenario.time.start[:4])
    gap = rng.integers(len(_FINE_GAPS), size=n).tolist()
    again_us = fines.t_us + (rng.uniform(0.5, 72.0, n) * 3600).astype(np.int64) * 1_000_000

    rows: list[list[str]] = []
    columns = zip(
        fines.code.tolist(),
        fines.camera.tolist(),
        fines.vehicle.tolist(),
        plates(fines.plate),
        fault.tolist(),
        strict=True,
    )
    for i, (code, camera, vehicle, plate, f) in enumerate(columns):
        mode = "camera" if camera else "agent"
        fields = [f"PV{year}-{i + 1:07d}", t[i], lon[i], lat[i], codes[code], mode, classes[vehicle], plate]
        spoilt = fault_names[f]
        if spoilt == "missing_field":
            fields[_FINE_GAPS[gap[i]]] = ""
        elif spoilt == "unknown_origin":
            fields[5] = "borne_xyz"
        elif spoilt in _TIMES:
            fields[1] = _spoil_time(t[i], spoilt)
        elif spoilt == "malformed":
            fields = fields[:5] if i % 2 else [*fields, "?"]
        line = ";".join(fields)
        if spoilt == "exact_duplicate":
            rows.append([line, line])
        elif spoilt == "reentered":
            rows.append([line, ";".join([*fields[:4], codes[(code + 1) % len(codes)], *fields[5:]])])
        else:
            rows.append([line])
    return _weekly(
        scenario, VERBALISATIONS, rows, fines.t_us, again_us, fault, fault_names, header=_CSV_HEADER, rng=rng
    )


def _json(fields: Mapping[str, str]) -> str:
    return "{" + ",".join([f'"{key}":{value}' for key, value in fields.items()]) + "}"


def _draw_faults(
    plan: DirtPlan, n: int, extra: tuple[str, ...], *, rng: np.random.Generator
) -> tuple[IntArray, tuple[str, ...]]:
    """Draw the fault of each record: an index in the names returned, 0 for none."""
    shares = {
        "missing_field": plan.missing_field,
        "malformed": plan.malformed,
        "wrong_crs": plan.wrong_crs,
        "swapped_lonlat": plan.swapped_lonlat,
        "at_sea": plan.at_sea,
        "exact_duplicate": plan.exact_duplicate,
        "reentered": plan.reentered,
        "late": plan.late,
    }
    times = [kind for kind in extra if kind in _TIMES]
    for kind in extra:
        shares[kind] = plan.impossible_time / len(times) if kind in times else plan.unknown_type
    edges = np.cumsum(list(shares.values()))
    fault = np.searchsorted(edges, rng.random(n), side="right") + 1
    return np.where(fault > len(shares), 0, fault), ("clean", *shares)


def _degrees(
    city: City, site: IntArray, fault: IntArray, names: tuple[str, ...], *, rng: np.random.Generator
) -> tuple[list[str], list[str]]:
    """Longitudes and latitudes as text, spoilt where the fault says so."""
    x, y = city.site_x_m[site].copy(), city.site_y_m[site].copy()
    wet = np.flatnonzero(fault == names.index("at_sea"))
    if len(wet):
        west, south, _, north = city.land.bounds
        x0, reach = city.centre_m[0], 0.05 * np.sqrt(city.land.area)
        off = shapely.box(west, south, x0, north).difference(city.land.buffer(reach))
        if off.area <= 0:  # a small land leaves no room to the west
            off = shapely.box(x0, south, *city.land.bounds[2:]).difference(city.land.buffer(300))
        if off.area <= 0:  # a land as square as its frame leaves none at all
            off = shapely.box(west, south, *city.land.bounds[2:]).buffer(2000).difference(city.land.buffer(300))
        at = points_within(off, n=len(wet), rng=rng)
        x[wet], y[wet] = at[:, 0], at[:, 1]
    lon, lat = Transformer.from_crs(CRS_M, CRS_LONLAT, always_xy=True).transform(x, y)
    lon_text, lat_text = [f"{v:.6f}" for v in lon.tolist()], [f"{v:.6f}" for v in lat.tolist()]
    for i in np.flatnonzero(fault == names.index("wrong_crs")).tolist():
        lon_text[i], lat_text[i] = f"{x[i]:.1f}", f"{y[i]:.1f}"
    for i in np.flatnonzero(fault == names.index("swapped_lonlat")).tolist():
        lon_text[i], lat_text[i] = lat_text[i], lon_text[i]
    return lon_text, lat_text


def _iso(t_us: IntArray) -> list[str]:
    """ISO 8601 to the second with the offset of Europe/Paris."""
    local = instants(t_us).tz_convert(LOCAL_TZ).tz_localize(None)
    hours = np.round((np.asarray(local.as_unit("us").asi8) - t_us) / 3.6e9).astype(np.int64)
    stamps = np.datetime_as_string(local.to_numpy().astype("datetime64[s]"))
    return [f"{stamp}+{hour:02d}:00" for stamp, hour in zip(stamps.tolist(), hours.tolist(), strict=True)]


def _spoil_time(stamp: str, kind: str) -> str:
    if kind == "no_such_date":
        return f"{stamp[:5]}02-30{stamp[10:]}"
    return {"time_1870": "1870", "time_2999": "2999"}[kind] + stamp[4:]


def _weekly(
    scenario: Scenario,
    stream: str,
    rows: list[list[str]],
    at_us: IntArray,
    again_us: IntArray,
    fault: IntArray,
    names: tuple[str, ...],
    *,
    header: str | None,
    rng: np.random.Generator,
) -> Drop:
    """Sort rows into the files of their weeks."""
    # weeks begin at local midnight: a change of clock moves their UTC border by an hour
    mondays = np.arange(0, scenario.time.n_days, 7)
    edges = local_to_utc_us(scenario, mondays, np.zeros_like(mondays))
    last = len(mondays) - 1

    def week_of(t_us: IntArray) -> IntArray:
        return np.clip(np.searchsorted(edges, t_us, side="right") - 1, 0, last)

    week = week_of(at_us)
    late = np.flatnonzero(fault == names.index("late"))
    shift = rng.integers(1, 4, size=len(late))
    fault = fault.copy()
    fault[late[week[late] + shift > last]] = 0  # no later file to come in
    moved = week[late] + shift <= last
    week[late[moved]] += shift[moved]
    week_again = np.maximum(week_of(again_us), week)

    twice = names.index("reentered")
    lines: list[list[tuple[int, str]]] = [[] for _ in range(last + 1)]
    columns = zip(
        rows, week.tolist(), at_us.tolist(), week_again.tolist(), again_us.tolist(), fault.tolist(), strict=True
    )
    for row, w, t, w_again, t_again, f in columns:
        lines[w].append((t, row[0]))
        if len(row) > 1:
            lines[w_again if f == twice else w].append((t_again if f == twice else t, row[1]))
    files: dict[str, bytes] = {}
    prefix, ending = ("mc", "jsonl") if header is None else ("verb", "csv")
    for w, content in enumerate(lines):
        content.sort(key=_first)
        iso = (dt.date.fromisoformat(scenario.time.start) + dt.timedelta(days=7 * w)).isocalendar()
        body = "\n".join(([header] if header else []) + [line for _, line in content]) + (
            "\n" if content or header else ""
        )
        files[f"{prefix}_{iso.year}-W{iso.week:02d}.{ending}.gz"] = body.encode()
    counts = np.bincount(fault, minlength=len(names)).tolist()
    n_rows = sum(len(content) for content in lines)
    return Drop(stream, files, dict(zip(names, counts, strict=True)), len(rows), n_rows)


def _first(item: tuple[int, str]) -> int:
    return item[0]
