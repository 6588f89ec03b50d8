"""What happens in a scene, read from where everyone is: stays, crossings, runs, people against the flow, density.

A position between two frames lies on the straight line between them, so entries, exits and crossings have a time of
their own rather than that of a frame. Falls and abandoned bags come from the script, which knows what was meant.

What it cannot tell you: these are definitions, with numbers chosen by hand (named below). Another definition of running
or of too dense gives other events on the same scene.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from contrechamp.domain.columns import X_M, Y_M
from contrechamp.domain.video import (
    EVENT_COLUMNS,
    FRAME,
    LABEL,
    SITUATION,
    SUBJECT_ID,
    BoolArray,
    FloatArray,
    Line,
    Zone,
    as_table,
)

#: Persons per square metre from which a zone is too dense: beyond 2.2 m² each, level C of walkways.
DENSITY_PER_M2: Final = 0.45
DENSITY_S: Final = 2.0  #: for at least as long
#: Running: this fast for this long, seconds.
RUNNING_M_S: Final = 2.5
RUNNING_S: Final = 1.0
#: Against the flow: this fast against it, over this way, metres.
AGAINST_M_S: Final = 0.3
AGAINST_M: Final = 2.0
#: A bag is abandoned while its owner is farther than this, metres, or out of the scene.
OWNER_NEAR_M: Final = 3.0
#: Speeds are taken over this long, seconds.
_SPEED_OVER_S: Final = 0.5

Rows = list[dict[str, Any]]


def find_events(
    poses: pd.DataFrame, subjects: pd.DataFrame, *, fps: float, n_frames: int, zones: Sequence[Zone],
    lines: Sequence[Line], flows: Mapping[str, float], dense_zones: Sequence[str],
    falls: Sequence[tuple[int, float, float]] = (),
) -> pd.DataFrame:  # fmt: skip
    """Every event of a scene.

    Parameters
    ----------
    poses, subjects : DataFrame
        Columns of a script.
    fps : float
    n_frames : int
    zones : sequence of Zone
        On the ground. A stay is counted in each, for each person.
    lines : sequence of Line
        On the ground; a crossing's ``zone`` is the name of the line, then ``+`` from its left to its right or ``-``.
    flows : mapping of str to float
        Zone → the way people go in it, clockwise from +y.
    dense_zones : sequence of str
        Zones whose density is watched. The event has no subject: id -1.
    falls : sequence of (subject, from, to)
        Seconds; ``to`` may be endless.

    Returns
    -------
    DataFrame
        Columns of :data:`~contrechamp.domain.video.EVENT_COLUMNS`, by beginning, then kind, zone and subject.
    """
    situations = dict(zip(subjects[SUBJECT_ID], subjects[SITUATION], strict=True))
    people = set(subjects.loc[subjects[LABEL] == "person", SUBJECT_ID])
    paths = {int(str(k)): _Path(at, fps, n_frames) for k, at in poses.groupby(SUBJECT_ID, sort=True)}
    rows: Rows = []
    for number, path in paths.items():
        if number not in people:
            continue
        for zone in zones:
            rows += [_row("stay", *span, number, zone.name) for span in path.stays(zone)]
        for line in lines:
            rows += [_row("crossing", t, t, number, line.name + sign) for t, sign in path.crossings(line)]
        rows += [_row("running", *span, number, "") for span in path.runs()]
        for zone in zones:
            if zone.name in flows:
                rows += [
                    _row("counter_flow", *span, number, zone.name) for span in path.against(zone, flows[zone.name])
                ]
    rows += [_row("fall", a, min(b, n_frames / fps), k, "") for k, a, b in falls if a < n_frames / fps and b > 0]
    rows += _abandonments(paths, subjects, fps, n_frames)
    for zone in zones:
        if zone.name in dense_zones:
            rows += _densities(poses[poses[SUBJECT_ID].isin(people)], zone, fps, n_frames)
    return events_table(rows, situations)


def events_table(rows: Rows, situations: Mapping[int, str]) -> pd.DataFrame:
    """Number events and order them by beginning, then kind, zone and subject.

    Parameters
    ----------
    rows : list of dict
        kind, t_begin_s, t_end_s, subject_id, zone.
    situations : mapping
        Of subjects; an event without subject has none.
    """
    ordered = sorted(rows, key=lambda r: (r["t_begin_s"], r["kind"], r["zone"], r[SUBJECT_ID]))
    table = [{"event_id": k, SITUATION: situations.get(r[SUBJECT_ID], ""), **r} for k, r in enumerate(ordered, 1)]
    return as_table(pd.DataFrame(table) if table else {}, EVENT_COLUMNS, what="events")


def _row(kind: str, begin_s: float, end_s: float, subject: int, zone: str) -> dict[str, Any]:
    return {
        "kind": kind, "t_begin_s": round(max(0.0, float(begin_s)), 6), "t_end_s": round(float(end_s), 6),
        SUBJECT_ID: int(subject), "zone": zone,
    }  # fmt: skip


def _runs(inside: BoolArray) -> Iterator[tuple[int, int]]:
    """First and last index of each run of True."""
    edges = np.diff(np.concatenate([[0], inside.astype(np.int8), [0]]))
    yield from zip(np.flatnonzero(edges == 1).tolist(), (np.flatnonzero(edges == -1) - 1).tolist(), strict=True)


class _Path:
    """One subject's way through the frames in which it exists."""

    def __init__(self, at: pd.DataFrame, fps: float, n_frames: int) -> None:
        self.frames: npt.NDArray[np.int64] = at[FRAME].to_numpy()
        self.t: FloatArray = self.frames / fps
        self.xy: FloatArray = at[[X_M, Y_M]].to_numpy(dtype=np.float64)
        self.fps, self.n_frames = fps, n_frames

    def stays(self, zone: Zone) -> Iterator[tuple[float, float]]:
        """Entry and exit; the clip's ends where the person was inside before or after it."""
        for first, last in _runs(zone.contains(self.xy)):
            begin, end = self.t[first], self.t[last]
            if first > 0:
                begin = self._edge(zone, first - 1, first)
            if last + 1 < len(self.t):
                end = self._edge(zone, last, last + 1)
            elif self.frames[last] == self.n_frames - 1:
                end = self.n_frames / self.fps
            yield begin, end

    def _edge(self, zone: Zone, a: int, b: int) -> float:
        """When the edge of a zone is met between two frames."""
        step = shapely.LineString(self.xy[[a, b]])
        hits = shapely.intersection(step, shapely.Polygon(zone.points).exterior)
        met = shapely.get_coordinates(hits)
        length = float(np.hypot(*(self.xy[b] - self.xy[a])))
        if not len(met) or length == 0:
            return float(self.t[b])
        share = np.hypot(*(met - self.xy[a]).T) / length
        return float(
            self.t[a] + (self.t[b] - self.t[a]) * (share.max() if zone.contains(self.xy[[a]])[0] else share.min())
        )

    def crossings(self, line: Line) -> Iterator[tuple[float, str]]:
        """When a line is crossed, and which way."""
        start, way = np.asarray(line.start), np.asarray(line.end) - np.asarray(line.start)
        off = self.xy - start
        side = way[0] * off[:, 1] - way[1] * off[:, 0]  # positive on the left
        along = off @ way / (way @ way)
        left = side > 0
        for a in np.flatnonzero(left[1:] != left[:-1]).tolist():
            share = side[a] / (side[a] - side[a + 1])
            if 0.0 <= along[a] + share * (along[a + 1] - along[a]) <= 1.0:
                yield float(self.t[a] + share * (self.t[a + 1] - self.t[a])), "+" if left[a] else "-"

    def _velocity(self) -> FloatArray:
        """Over half a second around each frame, metres a second; 0 for those who are there too briefly."""
        half = max(1, round(_SPEED_OVER_S * self.fps / 2))
        n = len(self.t)
        a, b = np.maximum(np.arange(n) - half, 0), np.minimum(np.arange(n) + half, n - 1)
        took = (self.t[b] - self.t[a])[:, None]
        moved = self.xy[b] - self.xy[a]
        return np.divide(moved, took, out=np.zeros_like(moved), where=took > 0)

    def runs(self) -> Iterator[tuple[float, float]]:
        """While running."""
        fast = np.hypot(*self._velocity().T) >= RUNNING_M_S
        yield from ((self.t[a], self.t[b]) for a, b in _runs(fast) if self.t[b] - self.t[a] >= RUNNING_S - 1e-9)

    def against(self, zone: Zone, flow_rad: float) -> Iterator[tuple[float, float]]:
        """While going against the flow of a zone."""
        flow = np.array([np.sin(flow_rad), np.cos(flow_rad)])
        against = zone.contains(self.xy) & (self._velocity() @ flow <= -AGAINST_M_S)
        for a, b in _runs(against):
            if (self.xy[a] - self.xy[b]) @ flow >= AGAINST_M:
                yield self.t[a], self.t[b]


def _abandonments(paths: Mapping[int, _Path], subjects: pd.DataFrame, fps: float, n_frames: int) -> Rows:
    rows: Rows = []
    bags = subjects[subjects["owner_id"] >= 0]
    for number, owner in zip(bags[SUBJECT_ID].tolist(), bags["owner_id"].tolist(), strict=True):
        if number not in paths:
            continue
        bag = paths[number]
        apart = np.full(len(bag.frames), np.inf)
        if owner in paths:
            _, here, there = np.intersect1d(bag.frames, paths[owner].frames, return_indices=True)
            apart[here] = np.hypot(*(bag.xy[here] - paths[owner].xy[there]).T)
        for a, b in _runs(apart > OWNER_NEAR_M):
            begin = _reaches(bag.t, apart, a - 1, a) if a > 0 else bag.t[a]
            end = _reaches(bag.t, apart, b, b + 1) if b + 1 < len(apart) else n_frames / fps
            rows.append(_row("abandonment", begin, end, number, ""))
    return rows


def _reaches(t: FloatArray, apart: FloatArray, a: int, b: int) -> float:
    """When the owner is just near enough, between two frames; the second one where the owner is out of the scene."""
    if not np.isfinite(apart[a]) or not np.isfinite(apart[b]):
        return float(t[b])
    return float(t[a] + (t[b] - t[a]) * (OWNER_NEAR_M - apart[a]) / (apart[b] - apart[a]))


def _densities(people: pd.DataFrame, zone: Zone, fps: float, n_frames: int) -> Rows:
    inside = zone.contains(people[[X_M, Y_M]].to_numpy(dtype=np.float64))
    count = np.bincount(people[FRAME].to_numpy()[inside], minlength=n_frames)
    dense = count / shapely.Polygon(zone.points).area >= DENSITY_PER_M2
    return [
        _row("density", a / fps, (b + 1) / fps, -1, zone.name)
        for a, b in _runs(dense)
        if (b + 1 - a) / fps >= DENSITY_S - 1e-9
    ]
