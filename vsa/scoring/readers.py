"""Read anybody's tracks or alerts: MOT Challenge text, CSV with a header. Text in, table out; no file is opened here.

Whoever scores a tracker should not have to rewrite its output. What can be read is read; what cannot is handed back row
by row with its reason, and counted: as many rows come out as went in.

What it cannot tell you: whether the boxes were drawn on this clip. Frames and times are checked against its length, and
nothing else can be.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from contrechamp.domain.columns import X_M, Y_M
from contrechamp.domain.errors import ContractError, Problem
from contrechamp.domain.video import (
    ALERT_COLUMNS,
    BOX,
    FRAME,
    LABEL,
    LABELS,
    SCORE,
    T_S,
    TRACE_COLUMNS,
    TRACK_COLUMNS,
    TRACK_ID,
    Alerts,
    ClipMeta,
    as_table,
)

#: Column → dtype of rows that cannot be used: line of the text (1 is the first), machine-readable reason, the line.
QUARANTINE_COLUMNS: Final[Mapping[str, str]] = {"line": "int64", "reason": "str", "text": "str"}

#: Reason → what it means, for a report.
REASONS: Final[Mapping[str, str]] = {
    "too_few_fields": "fewer fields than the format has",
    "not_a_number": "a frame, an id, a time or a coordinate is not a number, or is NaN or infinite",
    "not_whole": "a frame or an id is not a whole number",
    "no_such_frame": "the clip has no such frame or time",
    "negative_id": "a track has a negative id: a track that was not confirmed",
    "no_size": "a box has no width or no height",
    "unknown_label": "the class is neither a person nor an object",
    "not_counted": "MOT Challenge marks the row as not to be counted",
    "twice": "the same track is twice in one frame",
    "unknown_track": "the alert names neither a box, nor a track that is known, nor a zone",
}

#: Names under which columns are found, in order of preference.
_ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    FRAME: ("frame", "frame_id", "frame_number", "frame_index"),
    T_S: ("t_s", "t_alert_s", "time_s", "timestamp_s", "time", "timestamp", "seconds"),
    TRACK_ID: ("track_id", "id", "tracker_id", "object_id"),
    LABEL: ("label", "class", "class_name", "category"),
    SCORE: ("score", "conf", "confidence"),
    "x1": ("x1_px", "x1", "xmin", "x_min"), "y1": ("y1_px", "y1", "ymin", "y_min"),
    "x2": ("x2_px", "x2", "xmax", "x_max"), "y2": ("y2_px", "y2", "ymax", "y_max"),
    "x": ("x", "left", "bb_left"), "y": ("y", "top", "bb_top"),
    "w": ("w", "width", "bb_width"), "h": ("h", "height", "bb_height"),
    "rule": ("rule", "kind", "event"), "zone": ("zone", "region"), X_M: ("x_m",), Y_M: ("y_m",),
}  # fmt: skip
_PERSONS: Final = frozenset({"person", "pedestrian", "people", "0", "1", ""})
_OBJECTS: Final = frozenset({"object", "bag", "backpack", "handbag", "suitcase"})
_MOT_FIELDS: Final = 6
_MOT_PEDESTRIAN: Final = 1


@dataclass(frozen=True, eq=False)
class Reading:
    """What a text held.

    Attributes
    ----------
    table : DataFrame
        Rows that can be used: of tracks (TRACK_COLUMNS) or of alerts (ALERT_COLUMNS).
    trace : DataFrame
        For alerts, their boxes (TRACE_COLUMNS, one row an alert); empty for tracks.
    quarantine : DataFrame
        Columns of :data:`QUARANTINE_COLUMNS`.
    n_rows : int
        Rows read, header and blank lines apart: those of ``table`` and of ``quarantine`` together.
    """

    table: pd.DataFrame
    trace: pd.DataFrame
    quarantine: pd.DataFrame
    n_rows: int

    @property
    def alerts(self) -> Alerts:
        """The table and its trace, as a rule would have given them."""
        return Alerts(self.table, self.trace)

    @property
    def problems(self) -> list[Problem]:
        """The quarantine, summed by reason."""
        return [
            Problem("*", str(reason), len(rows), tuple(f"line {n}" for n in rows["line"].head(3)))
            for reason, rows in self.quarantine.groupby("reason", sort=True)
        ]


def read_tracks(text: str, *, meta: ClipMeta, ground_truth: bool = False) -> Reading:
    """Read a tracker's output.

    Parameters
    ----------
    text : str
        Either MOT Challenge lines (``frame, id, left, top, width, height, score, …`` without header, frames from 1, 6
        to 10 fields), or a CSV with a header: ``frame`` (from 0), ``track_id``, and ``x1, y1, x2, y2`` or
        ``x, y, w, h``; ``score`` and ``label`` if there are any. Fields are parted by commas, semicolons or tabs.
    meta : ClipMeta
        The clip: frames that it does not have are refused.
    ground_truth : bool, default=False
        Read the MOT lines as truth: the seventh field is a mark (0: not to be counted), the eighth a class (only 1,
        pedestrian, is kept).

    Returns
    -------
    Reading

    Raises
    ------
    ContractError
        If the text holds no row that can be used, or its header lacks a column.
    """
    header, rows = _rows(text, "tracks")
    if header is None:
        parsed = [_mot(fields, meta, ground_truth) for _, fields, _ in rows]
    else:
        places = _places(header, "tracks", need=(TRACK_ID,))
        if FRAME not in places and T_S not in places:
            raise _lacking("tracks", "frame", header)
        box = _box_reader(places)
        if box is None:
            raise _lacking("tracks", "x1, y1, x2, y2 or x, y, w, h", header)
        parsed = [_track(fields, places, box, meta) for _, fields, _ in rows]
    seen: set[tuple[int, int]] = set()
    good: list[dict[str, Any]] = []
    bad: list[tuple[int, str, str]] = []
    for (line, _, raw), row in zip(rows, parsed, strict=True):
        if isinstance(row, str):
            bad.append((line, row, raw))
        elif (row[FRAME], row[TRACK_ID]) in seen:
            bad.append((line, "twice", raw))
        else:
            seen.add((row[FRAME], row[TRACK_ID]))
            good.append(row)
    table = _usable(good, bad, "tracks", TRACK_COLUMNS).sort_values([FRAME, TRACK_ID], ignore_index=True)
    return Reading(table, as_table({}, TRACE_COLUMNS, what="trace"), _quarantine(bad), len(rows))


def read_alerts(text: str, *, meta: ClipMeta, tracks: pd.DataFrame | None = None) -> Reading:
    """Read alerts: a CSV with a header, one row an alert.

    Parameters
    ----------
    text : str
        ``t_s`` or ``frame`` (from 0); a box (``x1, y1, x2, y2`` or ``x, y, w, h``), or a ``track_id``, or, for an alert
        about a place and not a person, a ``zone`` alone; ``rule`` if there is one.
    meta : ClipMeta
    tracks : DataFrame, optional
        Where an alert names a track and no box: its box is then that of the track, in the frame of the alert or, if the
        track is not in it, in the last one before.

    Returns
    -------
    Reading

    Raises
    ------
    ContractError
        As :func:`read_tracks`.
    """
    header, rows = _rows(text, "alerts")
    if header is None:
        raise ContractError(
            "The alerts have no header. Their first line must name the columns, for instance « t_s,track_id » or "
            "« frame,x1,y1,x2,y2 »."
        )
    places = _places(header, "alerts")
    box = _box_reader(places)
    if FRAME not in places and T_S not in places:
        raise _lacking("alerts", "t_s or frame", header)
    if box is None and TRACK_ID not in places and "zone" not in places:
        raise _lacking("alerts", "a box, track_id or zone", header)
    known = _by_track(tracks)
    good: list[dict[str, Any]] = []
    bad: list[tuple[int, str, str]] = []
    for line, fields, raw in rows:
        row = _alert(fields, places, box, meta, known)
        if isinstance(row, str):
            bad.append((line, row, raw))
        else:
            good.append(row | {"alert_id": len(good)})
    table = _usable(good, bad, "alerts", ALERT_COLUMNS)
    trace = as_table(pd.DataFrame(good)[list(TRACE_COLUMNS)], TRACE_COLUMNS, what="trace")
    return Reading(table, trace, _quarantine(bad), len(rows))


def _rows(text: str, what: str) -> tuple[list[str] | None, list[tuple[int, list[str], str]]]:
    """Header (None when the first row is numbers), then line number, fields and text of each row that is not blank."""
    lines = [(n, line.strip("\r\n\ufeff \x00")) for n, line in enumerate(text.split("\n"), start=1)]
    lines = [(n, line) for n, line in lines if line]
    if not lines:
        raise ContractError(f"The {what} are empty. Nothing was scored.")
    mark = max(",;\t", key=lines[0][1].count)
    rows = [(n, _fields(line, mark), line) for n, line in lines]
    return (None, rows) if _is_number(rows[0][1][0]) else ([f.lower() for f in rows[0][1]], rows[1:])


def _fields(line: str, mark: str) -> list[str]:
    try:
        return [f.strip() for f in next(csv.reader(io.StringIO(line), delimiter=mark))]
    except (csv.Error, StopIteration):
        return [f.strip() for f in line.split(mark)]


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _places(header: Sequence[str], what: str, *, need: Sequence[str] = ()) -> dict[str, int]:
    places = {}
    for name, aliases in _ALIASES.items():
        at = next((header.index(a) for a in aliases if a in header), None)
        if at is not None:
            places[name] = at
    for name in need:
        if name not in places:
            raise _lacking(what, name, header)
    return places


def _lacking(what: str, column: str, header: Sequence[str]) -> ContractError:
    shown = ", ".join(header)[:200]
    return ContractError(f"The {what} lack a column: {column}. Their header is: {shown}. Rename it, or add it.")


BoxReader = Callable[[Sequence[str]], tuple[float, float, float, float]]


def _box_reader(places: Mapping[str, int]) -> BoxReader | None:
    for names, wide in ((("x1", "y1", "x2", "y2"), False), (("x", "y", "w", "h"), True)):
        if all(n in places for n in names):
            at = [places[n] for n in names]

            def read(fields: Sequence[str], at: list[int] = at, wide: bool = wide) -> tuple[float, float, float, float]:
                a, b, c, d = (_finite(fields[i]) for i in at)
                return (a, b, a + c, b + d) if wide else (a, b, c, d)

            return read
    return None


class _UnusableError(Exception):
    """A row that cannot be used; its message is the reason."""


def _finite(field: str) -> float:
    try:
        value = float(field)
    except ValueError:
        raise _UnusableError("not_a_number") from None
    if not math.isfinite(value) or abs(value) > 1e12:
        raise _UnusableError("not_a_number")
    return value


def _whole(field: str) -> int:
    value = _finite(field)
    if value != math.floor(value):
        raise _UnusableError("not_whole")
    return int(value)


def _moment(fields: Sequence[str], places: Mapping[str, int], meta: ClipMeta) -> tuple[int, float]:
    """Frame and time of a row, by its frame if it has one."""
    if FRAME in places:
        frame = _whole(fields[places[FRAME]])
        time = _finite(fields[places[T_S]]) if T_S in places and fields[places[T_S]] else frame / meta.fps
    else:
        time = _finite(fields[places[T_S]])
        frame = math.floor(time * meta.fps + 1e-6)
    if not 0 <= frame < meta.n_frames or not 0 <= time <= meta.duration_s:
        raise _UnusableError("no_such_frame")
    return frame, time


def _sized(box: tuple[float, float, float, float]) -> dict[str, float]:
    if not (box[2] > box[0] and box[3] > box[1]):
        raise _UnusableError("no_size")
    return dict(zip(BOX, box, strict=True))


def _mot(fields: Sequence[str], meta: ClipMeta, ground_truth: bool) -> dict[str, Any] | str:
    try:
        if len(fields) < _MOT_FIELDS:
            raise _UnusableError("too_few_fields")
        frame, track = _whole(fields[0]) - 1, _whole(fields[1])
        left, top, width, height = (_finite(f) for f in fields[2:6])
        mark = _finite(fields[6]) if len(fields) > 6 else 1.0
        if ground_truth and (mark == 0 or (len(fields) > 7 and _whole(fields[7]) != _MOT_PEDESTRIAN)):
            raise _UnusableError("not_counted")
        if not 0 <= frame < meta.n_frames:
            raise _UnusableError("no_such_frame")
        if track < 0:
            raise _UnusableError("negative_id")
        row = {FRAME: frame, T_S: frame / meta.fps, TRACK_ID: track, LABEL: LABELS[0], X_M: np.nan, Y_M: np.nan}
        return row | _sized((left, top, left + width, top + height)) | {SCORE: 1.0 if ground_truth else mark}
    except _UnusableError as reason:
        return str(reason)


def _track(fields: Sequence[str], places: Mapping[str, int], box: BoxReader, meta: ClipMeta) -> dict[str, Any] | str:
    try:
        if len(fields) <= max(places.values()):
            raise _UnusableError("too_few_fields")
        frame, time = _moment(fields, places, meta)
        track = _whole(fields[places[TRACK_ID]])
        if track < 0:
            raise _UnusableError("negative_id")
        score = _finite(fields[places[SCORE]]) if SCORE in places else 1.0
        ground = [_finite(fields[places[c]]) if c in places and fields[places[c]] else np.nan for c in (X_M, Y_M)]
        row = {FRAME: frame, T_S: time, TRACK_ID: track, LABEL: _label(fields, places), SCORE: score}
        return row | _sized(box(fields)) | dict(zip((X_M, Y_M), ground, strict=True))
    except _UnusableError as reason:
        return str(reason)


def _alert(
    fields: Sequence[str],
    places: Mapping[str, int],
    box: BoxReader | None,
    meta: ClipMeta,
    known: Mapping[int, tuple[np.ndarray, np.ndarray]],
) -> dict[str, Any] | str:
    try:
        if len(fields) <= max(places.values()):
            raise _UnusableError("too_few_fields")
        frame, time = _moment(fields, places, meta)
        track = _whole(fields[places[TRACK_ID]]) if TRACK_ID in places and fields[places[TRACK_ID]] else None
        named = {c: fields[places[c]] if c in places else "" for c in ("rule", "zone")}
        unknown = track is None or track < 0
        if box is not None and not _blank_box(fields, places):
            at, track = _sized(box(fields)), 0 if track is None or unknown else track
        elif track is not None and not unknown:
            at = _box_of_track(track, frame, known)
        elif named["zone"]:
            at, track = dict.fromkeys(BOX, np.nan), -1
        else:
            raise _UnusableError("unknown_track")
        return (
            {FRAME: frame, "t_alert_s": time, "t_since_s": time, TRACK_ID: track, "preset": "", "value": np.nan}
            | {"threshold": np.nan, "unit": "", T_S: time, "state": "ALERTED", "clock_s": np.nan, "inside": True}
            | at
            | named
        )
    except _UnusableError as reason:
        return str(reason)


def _blank_box(fields: Sequence[str], places: Mapping[str, int]) -> bool:
    return all(not fields[places[n]] for n in ("x1", "y1", "x2", "y2", "x", "y", "w", "h") if n in places)


def _by_track(tracks: pd.DataFrame | None) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    if tracks is None:
        return {}
    ordered = tracks.sort_values(FRAME, kind="stable")
    return {
        int(str(track)): (rows[FRAME].to_numpy(), rows[list(BOX)].to_numpy(dtype=np.float64))
        for track, rows in ordered.groupby(TRACK_ID, sort=False)
    }


def _box_of_track(track: int, frame: int, known: Mapping[int, tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
    frames, boxes = known.get(track, (np.empty(0), np.empty((0, 4))))
    at = int(np.searchsorted(frames, frame, side="right")) - 1
    if at < 0:
        raise _UnusableError("unknown_track")
    return _sized(tuple(boxes[at].tolist()))


def _label(fields: Sequence[str], places: Mapping[str, int]) -> str:
    told = fields[places[LABEL]].lower() if LABEL in places else ""
    if told in _PERSONS:
        return LABELS[0]
    if told in _OBJECTS:
        return LABELS[1]
    raise _UnusableError("unknown_label")


def _usable(
    good: list[dict[str, Any]], bad: list[tuple[int, str, str]], what: str, columns: Mapping[str, str]
) -> pd.DataFrame:
    if not good:
        counts = pd.Series([reason for _, reason, _ in bad], dtype="str").value_counts()
        told = "; ".join(f"{n} × {REASONS[str(reason)]}" for reason, n in counts.items()) or "there is only a header"
        raise ContractError(f"No row of the {what} can be used: {told}. Check the format and the clip.")
    return as_table(pd.DataFrame(good)[list(columns)], columns, what=what)


def _quarantine(bad: list[tuple[int, str, str]]) -> pd.DataFrame:
    return as_table(pd.DataFrame(bad, columns=list(QUARANTINE_COLUMNS)), QUARANTINE_COLUMNS, what="quarantine")
