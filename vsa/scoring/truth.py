"""Truth in the shapes that measurement needs: perfect tracks, perfect boxes, and what a rule should have found.

The oracle ladder starts here. Tracks that are the subjects themselves put a rule before a machine that never errs: what
it then raises is the burden of the rule, which no better detector takes away.

What it cannot tell you: a reference event says that the condition of a rule was met (this person stayed 300 s), not
that anything was wrong. In the scenes of this project no one who stays does harm: ``harm`` is False for everybody but
the subjects that a scenario names as targets, and ``rule_true`` is not a justification of an alert.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

import numpy as np
import pandas as pd
import shapely

from contrechamp.domain.columns import X_M, Y_M
from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.video import (
    BOX,
    EVENT_COLUMNS,
    FRAME,
    LABEL,
    SITUATION,
    SUBJECT_ID,
    TRACK_COLUMNS,
    TRACK_ID,
    VISIBILITY,
    VISIBLE_BOX,
    Label,
    SceneTruth,
    as_table,
)
from vsa.scoring.matching import EVERYBODY, NO_SUBJECT

RULE_TRUE: Final = "rule_true"
HARM: Final = "harm"

#: Column → dtype of a table of true boxes. The situation is there for whoever sets the chances of a miss; an oracle
#: ignores it. The subject is there so that an error can last from frame to frame, as it does in life.
ORACLE_BOX_COLUMNS: Final[Mapping[str, str]] = {
    FRAME: "int64", SUBJECT_ID: "int64", LABEL: "str", SITUATION: "str", VISIBILITY: "float64",
    **dict.fromkeys(BOX, "float64"), **dict.fromkeys(VISIBLE_BOX, "float64"),
}  # fmt: skip


#: Rule → kind of event of a scene that meets it. Every shipped definition of loitering is held to the same one: so many
#: seconds in the zone without leaving it.
REFERENCE_RULES: Final[Mapping[str, str]] = {
    "loitering": "stay", "loitering_supervision": "stay", "loitering_roboflow": "stay", "loitering_frigate": "stay",
    "presence": "stay", "crossing": "crossing", "fall": "fall", "abandonment": "abandonment",
    "abandoned_object": "abandonment", "density": "density", "counter_flow": "counter_flow", "running": "running",
}  # fmt: skip


def oracle_tracks(truth: SceneTruth, *, min_visibility: float = 0.0, label: Label | None = None) -> pd.DataFrame:
    """Return the tracks of a machine that never errs.

    Parameters
    ----------
    truth : SceneTruth
    min_visibility : float, default=0.0
        Frames in which less of a subject can be seen are left out: the track has a gap.
    label : {"person", "object"}, optional

    Returns
    -------
    DataFrame
        Columns of :data:`contrechamp.domain.video.TRACK_COLUMNS`, by frame then subject: the track's id is the
        subject's, the box is the whole body's, the foot point is the true one, the score is 1.
    """
    seen = _seen(truth, min_visibility, label)
    table = seen.assign(track_id=seen[SUBJECT_ID], score=1.0)
    return as_table(table.sort_values([FRAME, TRACK_ID]), TRACK_COLUMNS, what="oracle tracks")


def oracle_boxes(truth: SceneTruth, *, min_visibility: float = 0.0, label: Label | None = None) -> pd.DataFrame:
    """Return the true boxes, for oracle detectors to look up.

    Parameters
    ----------
    truth : SceneTruth
    min_visibility : float, default=0.0
    label : {"person", "object"}, optional

    Returns
    -------
    DataFrame
        Columns of :data:`ORACLE_BOX_COLUMNS`, by frame then subject: the whole body and what shows of it.
    """
    seen = _seen(truth, min_visibility, label)
    return as_table(seen.sort_values([FRAME, SUBJECT_ID]), ORACLE_BOX_COLUMNS, what="oracle boxes")


def reference_events(
    truth: SceneTruth,
    *,
    rule: str,
    dwell_s: float = 0.0,
    density_per_m2: float | None = None,
    targets: Collection[int] = (),
) -> pd.DataFrame:
    """List the moments at which a rule's condition really became true.

    Parameters
    ----------
    truth : SceneTruth
    rule : str
        A key of :data:`REFERENCE_RULES`; ``-`` and ``_`` are the same.
    dwell_s : float, default=0.0
        How long the condition must hold: the stay, the abandonment, the presence, the density. An event that does not
        last that long is none; one that does begins ``dwell_s`` after it started.
    density_per_m2 : float, optional
        For density, persons per square metre from which a zone is too dense, counted from the true foot points. Without
        it the events that the scene itself states are taken.
    targets : collection of int, default=()
        Subjects that a scenario marks as doing harm.

    Returns
    -------
    DataFrame
        Columns of :data:`contrechamp.domain.video.EVENT_COLUMNS`, then ``rule_true`` (True) and ``harm``.

    Raises
    ------
    ParameterError
        If the rule has no reference here, or a parameter is out of range.
    """
    where = "reference_events"
    kind = rule.lower().replace("-", "_")
    if kind not in REFERENCE_RULES:
        raise bad_parameter(name="rule", where=where, must="one of " + ", ".join(REFERENCE_RULES), got=rule)
    if not (np.isfinite(dwell_s) and dwell_s >= 0):
        raise bad_parameter(name="dwell_s", where=where, must="a time of at least 0 seconds", got=dwell_s)
    if density_per_m2 is not None and not (np.isfinite(density_per_m2) and density_per_m2 > 0):
        raise bad_parameter(name="density_per_m2", where=where, must="above 0", got=density_per_m2)
    if kind == "density" and density_per_m2 is not None:
        spans = dense_spans(truth, density_per_m2=density_per_m2)
    else:
        spans = truth.events[truth.events["kind"] == REFERENCE_RULES[kind]]
    # A stay of exactly the threshold counts: times are frame numbers over a rate, equal only up to rounding.
    long = (spans["t_end_s"] - spans["t_begin_s"] >= dwell_s - 1e-9).to_numpy()
    found = spans[long].assign(t_begin_s=spans.loc[long, "t_begin_s"] + dwell_s)
    found["t_end_s"] = found[["t_begin_s", "t_end_s"]].max(axis=1)
    table = as_table(found.sort_values(["t_begin_s", SUBJECT_ID]), EVENT_COLUMNS, what="reference events")
    return table.assign(rule_true=True, harm=table[SUBJECT_ID].isin(list(targets)))


def dense_spans(truth: SceneTruth, *, density_per_m2: float) -> pd.DataFrame:
    """Spans in which a ground zone holds at least ``density_per_m2`` persons per square metre, as EVENT_COLUMNS."""
    meta = truth.meta
    rows: list[tuple[int, str, float, float, int, str, str]] = []
    people = truth.frames[truth.frames[LABEL] == "person"]
    feet = people[[X_M, Y_M]].to_numpy(dtype=np.float64)
    for zone in (z for z in meta.zones if z.plane == "ground"):
        inside = people.loc[zone.contains(feet), FRAME].to_numpy()
        full = np.bincount(inside, minlength=meta.n_frames) >= density_per_m2 * shapely.Polygon(zone.points).area - 1e-9
        edge = np.diff(np.concatenate([[False], full, [False]]).astype(np.int8))
        for begin, end in zip(np.flatnonzero(edge == 1), np.flatnonzero(edge == -1), strict=True):
            rows.append((len(rows), "density", begin / meta.fps, end / meta.fps, NO_SUBJECT, zone.name, EVERYBODY))
    return as_table(pd.DataFrame(rows, columns=list(EVENT_COLUMNS)), EVENT_COLUMNS, what="density")


def judge_alerts(
    alerts: pd.DataFrame,
    reference: pd.DataFrame,
    *,
    tolerance_s: float = 0.0,
    targets: Collection[int] = (),
    by: Collection[str] = (SUBJECT_ID,),
) -> pd.DataFrame:
    """Give each alert its two labels: was the condition met for that person at that time, and was there harm?

    Parameters
    ----------
    alerts : DataFrame
        As returned by :func:`vsa.scoring.matching.alert_subjects`.
    reference : DataFrame
        As returned by :func:`reference_events`.
    tolerance_s : float, default=0.0
        How early or late an alert may be: half a frame for a perfect machine, a second or so for a real one.
    targets : collection of int, default=()
        Subjects that a scenario marks as doing harm.
    by : collection of str, default=("subject_id",)
        Columns that an alert and its event must share; add ``"zone"`` where zones are several.

    Returns
    -------
    DataFrame
        ``alerts`` with ``rule_true`` and ``harm``. An alert on nobody is never true.

    Raises
    ------
    ParameterError
        If ``tolerance_s`` is negative.
    """
    if not tolerance_s >= 0:
        raise bad_parameter(name="tolerance_s", where="judge_alerts", must="at least 0 seconds", got=tolerance_s)
    keys = list(by)
    numbered = alerts[[*keys, "t_alert_s"]].reset_index(drop=True).reset_index(names="row")
    both = numbered.merge(reference[[*keys, "t_begin_s", "t_end_s"]], on=keys)
    slack = tolerance_s + 1e-9
    met = both[(both["t_alert_s"] >= both["t_begin_s"] - slack) & (both["t_alert_s"] <= both["t_end_s"] + slack)]
    true = np.isin(np.arange(len(alerts)), met["row"].unique())
    if SUBJECT_ID in keys and "matched_by" in alerts:
        true &= (alerts["matched_by"] != "nobody").to_numpy()
    return alerts.assign(rule_true=true, harm=alerts[SUBJECT_ID].isin(list(targets)).to_numpy())


def _seen(truth: SceneTruth, min_visibility: float, label: Label | None) -> pd.DataFrame:
    if not 0 <= min_visibility <= 1:
        raise bad_parameter(name="min_visibility", where="truth", must="a share in [0, 1]", got=min_visibility)
    frames = truth.frames
    kept = frames[VISIBILITY] >= min_visibility
    return frames[kept & (frames[LABEL] == label) if label is not None else kept]
