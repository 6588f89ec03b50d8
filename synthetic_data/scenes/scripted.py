"""Small scenes placed by hand, whose events are known before anything is computed.

On these a rule fed with the truth has no excuse: what it finds must be what was put there. Each scene holds what should
be found and, beside it, what looks like it and is not. All play on the open middle of the plaza, 15 m from the camera.

What it cannot tell you: how a rule does where people are not placed to suit it.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from contrechamp.domain.columns import X_M, Y_M
from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.situations import SITUATIONS
from contrechamp.domain.video import FRAME, LABEL, POSTURE, SITUATION, SPEED, SUBJECT_ID, ClipMeta, Line, Zone, as_table
from synthetic_data.scenes.acting import Motion, dress
from synthetic_data.scenes.layouts import ONE_WAY, WATCHED
from synthetic_data.scenes.occurrences import DENSITY_PER_M2, OWNER_NEAR_M, events_table
from synthetic_data.scenes.spec import POSE_COLUMNS, SUBJECT_COLUMNS, SceneSpec, Script
from synthetic_data.scenes.walkers import Pause

WALK_M_S: Final = 1.25
RUN_M_S: Final = 3.5
#: Four metres by four, its edges 2 m from (0, 15).
SQUARE: Final = Zone(WATCHED, ((-2.0, 13.0), (2.0, 13.0), (2.0, 17.0), (-2.0, 17.0)))
#: Across the way of those who walk along y = 15; from its left to its right is towards +x.
LINE: Final = Line("line", (0.0, 12.0), (0.0, 18.0))
PASSAGE: Final = Zone(ONE_WAY, ((-2.0, 12.0), (2.0, 12.0), (2.0, 19.0), (-2.0, 19.0)))
#: The way people go in the passage: away from the camera.
PASSAGE_FLOW_RAD: Final = 0.0

_HEIGHT_M: Final = 1.7
_Y_M: Final = 15.0

Point = tuple[float, float, float]  #: seconds, metres, metres


@dataclass(frozen=True, slots=True)
class Placed:
    """A person or an object placed by hand.

    Attributes
    ----------
    situation : str
    points : tuple of (t_s, x_m, y_m)
        Straight lines between them; it exists from the first to the last.
    acts : tuple of (from_s, to_s)
        When the posture of the situation is held, endless ends allowed.
    owner : int, default=-1
        Of an object, who put it down (1 is the first placed).
    """

    situation: str
    points: tuple[Point, ...]
    acts: tuple[tuple[float, float], ...] = ()
    owner: int = -1


def placed_script(
    placed: Sequence[Placed], *, duration_s: float, fps: float, events: Sequence[tuple[str, float, float, int, str]],
    zones: tuple[Zone, ...] = (), lines: tuple[Line, ...] = (), name: str = "placed",
) -> Script:  # fmt: skip
    """A script from hand-placed subjects, numbered from 1, and the events one knows of.

    Parameters
    ----------
    placed : sequence of Placed
    duration_s, fps : float
    events : sequence of (kind, from_s, to_s, subject, zone)
    zones, lines : tuple
        Of the clip, instead of the plaza's.
    name : str
        Identifier of the clip.
    """
    spec = SceneSpec(place="plaza", duration_s=duration_s, fps=fps, flow_per_min=0.0)
    subjects, poses = [], []
    for number, item in enumerate(placed, start=1):
        is_object = item.owner >= 0
        subjects.append({
            SUBJECT_ID: number, LABEL: "object" if is_object else "person", SITUATION: item.situation,
            "height_m": 0.5 if is_object else _HEIGHT_M, "build": 1.0, "appearance_seed": number,
            "accessories": "handbag" if is_object else ",".join(SITUATIONS[item.situation].accessories),
            "owner_id": item.owner,
        })  # fmt: skip
        poses.append(_poses(item, number, fps=fps, n_frames=spec.n_frames))
    where = as_table(pd.concat(poses), POSE_COLUMNS, what="poses")
    rows: list[dict[str, Any]] = [
        {"kind": kind, "t_begin_s": a, "t_end_s": min(b, duration_s), SUBJECT_ID: who, "zone": zone}
        for kind, a, b, who, zone in events
    ]
    return Script(
        spec, ClipMeta(name, fps, spec.n_frames, spec.camera, zones, lines, spec.light, spec.place, spec.seed),
        as_table(pd.DataFrame(subjects), SUBJECT_COLUMNS, what="subjects"),
        where.sort_values([FRAME, SUBJECT_ID], kind="stable", ignore_index=True),
        events_table(rows, {n: item.situation for n, item in enumerate(placed, start=1)}),
    )  # fmt: skip


def _poses(item: Placed, number: int, *, fps: float, n_frames: int) -> pd.DataFrame:
    t, x, y = np.array(item.points, dtype=np.float64).T
    frames = np.arange(n_frames, dtype=np.int64)
    frames = frames[(frames / fps >= t[0] - 1e-9) & (frames / fps <= t[-1] + 1e-9)]
    at = frames / fps
    xs, ys = np.interp(at, t, x), np.interp(at, t, y)
    if item.owner >= 0:
        return pd.DataFrame({
            FRAME: frames, X_M: xs, Y_M: ys, "heading_rad": 0.0, SPEED: 0.0, "phase": 0.0, POSTURE: "standing",
            "posture_to": "standing", "blend": 0.0, "height_over_ground_m": 0.0, SUBJECT_ID: number,
        })  # fmt: skip
    legs = np.clip(np.searchsorted(t, at, side="right") - 1, 0, len(t) - 2)
    way = np.column_stack([np.diff(x), np.diff(y)])
    length = np.hypot(way[:, 0], way[:, 1])
    speed = (length / np.diff(t))[legs]
    turned = pd.Series(np.where(length > 0, np.arctan2(way[:, 0], way[:, 1]), np.nan)).ffill().bfill().fillna(np.pi)
    motion = Motion(
        frames=frames, t_s=at, x_m=xs, y_m=ys, heading_rad=turned.to_numpy()[legs], speed_m_s=speed,
        distance_m=np.interp(at, t, np.concatenate([[0.0], np.cumsum(length)])),
        pauses=tuple(Pause(0, a, b) for a, b in item.acts), seats=(),
    )  # fmt: skip
    shown = dress(motion, item.situation, acts=(True,) * len(item.acts), height_m=_HEIGHT_M)
    return shown.assign(subject_id=number)


def _across(
    t_s: float, y_m: float = _Y_M, *, x_m: float = 0.0, way: int = 1, speed: float = WALK_M_S
) -> tuple[Point, ...]:
    """Straight along x, at ``x_m`` at ``t_s``, from 8 m to one side to 8 m to the other, ``way`` +1 to the right."""
    half_s = 8.0 / speed
    return ((t_s - half_s, x_m - 8.0 * way, y_m), (t_s + half_s, x_m + 8.0 * way, y_m))


def scripted_stay(
    *, dwell_s: float = 90.0, enter_s: float = 10.0, gaps: Sequence[tuple[float, float]] = (),
    situation: str = "waiting", fps: float = 10.0,
) -> Script:  # fmt: skip
    """Someone stays in :data:`SQUARE` from ``enter_s`` for ``dwell_s``; someone else walks through it at 6 s.

    Parameters
    ----------
    dwell_s : float
        From the entry to the last exit, gaps included; more than 10.
    enter_s : float
        At least 5.
    gaps : sequence of (float, float)
        Absences: seconds after the entry, and how long, 2 at least. The person steps out over the near edge and back.
    situation : str
        Whose posture is held while staying.
    fps : float

    Returns
    -------
    Script
        Subject 1 stays, once more than there are gaps; subject 2 passes, in 3.2 s.
    """
    last_s = enter_s + dwell_s
    parts = _presences(enter_s, last_s, gaps)
    cross_s = 2.0 / WALK_M_S
    points: list[Point] = [(enter_s - 4.8, -8.0, _Y_M), (enter_s + cross_s, 0.0, _Y_M)]
    for (_, out_s), (in_s, _) in itertools.pairwise(parts):
        beyond = 2.0 + WALK_M_S * (in_s - out_s) / 2
        points += [
            (out_s - cross_s, 0.0, _Y_M), ((out_s + in_s) / 2, 0.0, _Y_M - beyond), (in_s + cross_s, 0.0, _Y_M),
        ]  # fmt: skip
    points += [(last_s - cross_s, 0.0, _Y_M), (last_s + 4.8, 8.0, _Y_M)]
    still = [(a + cross_s, b - cross_s) for a, b in parts]
    stays = [("stay", a, b, 1, SQUARE.name) for a, b in parts]
    return placed_script(
        [Placed(situation, tuple(points), tuple(still)), Placed("passing", _across(6.0, 14.0))],
        duration_s=last_s + 6.0, fps=fps, zones=(SQUARE,), name="scripted-stay",
        events=[*stays, ("stay", 6.0 - cross_s, 6.0 + cross_s, 2, SQUARE.name)],
    )  # fmt: skip


def _presences(enter_s: float, last_s: float, gaps: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Spans inside, between the gaps."""
    edges = [enter_s, *(enter_s + t for after, length in gaps for t in (after, after + length)), last_s]
    spans = list(zip(edges[::2], edges[1::2], strict=True))
    outs = np.array(edges[2::2]) - np.array(edges[1:-1:2])
    if min(b - a for a, b in spans) < 4.0 * 2.0 / WALK_M_S / 2 or (outs < 2.0).any() or (outs > 8.0 / WALK_M_S).any():
        raise bad_parameter(
            name="gaps", where="scripted_stay", must="absences of 2 to 6.4 s, between presences of 3.2 s at least",
            got=tuple(gaps),
        )  # fmt: skip
    return spans


def scripted_crossing(*, times_s: Sequence[float] = (8.0, 14.0, 20.0), fps: float = 10.0) -> Script:
    """People cross :data:`LINE` at ``times_s``, to the right and to the left by turns.

    Nobody else does: one comes within 1 m and turns back, one passes beyond its far end, one walks along it.
    """
    crossers = [
        Placed("passing", _across(t, 13.5 + 1.5 * (k % 3), way=1 if k % 2 == 0 else -1)) for k, t in enumerate(times_s)
    ]
    middle = float(np.mean(times_s))
    others = [
        Placed("lost", ((middle - 5.6, -8.0, 16.0), (middle, -1.0, 16.0), (middle + 5.6, -8.0, 16.0))),
        Placed("passing", _across(middle, 19.0)),
        Placed("passing", ((middle - 6.4, 1.0, 11.0), (middle + 6.4, 1.0, 19.0))),
    ]
    return placed_script(
        [*crossers, *others], duration_s=max(times_s) + 8.0, fps=fps, lines=(LINE,), name="scripted-crossing",
        events=[("crossing", t, t, k + 1, LINE.name + "+-"[k % 2]) for k, t in enumerate(times_s)],
    )  # fmt: skip


def scripted_fall(*, at_s: float = 10.0, down_s: float = 15.0, fps: float = 10.0) -> Script:
    """Someone falls at ``at_s`` and is standing again ``down_s`` later (endless: never).

    Beside: one who sits down on the ground, one who ties a shoe, one who sleeps on the ground from the beginning.
    """
    end_s = at_s + 30.0 + (down_s if np.isfinite(down_s) else 0.0)
    up_s = at_s + down_s
    walks_on = ((up_s, 0.0, 14.0), (up_s + 6.4, 8.0, 14.0)) if np.isfinite(down_s) else ((end_s, 0.0, 14.0),)
    placed = [
        Placed("falling", ((at_s - 6.4, -8.0, 14.0), (at_s, 0.0, 14.0), *walks_on), ((at_s, up_s),)),
        Placed("sitting_down", ((0.0, 3.0, 15.0), (end_s, 3.0, 15.0)), ((at_s - 2.0, np.inf),)),
        Placed("tying_shoe", ((0.0, -3.0, 16.5), (end_s, -3.0, 16.5)), ((at_s, at_s + 20.0),)),
        Placed("rough_lying", ((0.0, 2.0, 18.5), (end_s, 2.0, 18.5)), ((-60.0, np.inf),)),
    ]
    return placed_script(
        placed, duration_s=end_s, fps=fps, events=[("fall", at_s, up_s, 1, "")], name="scripted-fall"
    )  # fmt: skip


def scripted_abandonment(
    *, put_s: float = 10.0, away_s: float = 60.0, situation: str = "bag_returning", fps: float = 10.0
) -> Script:
    """Someone puts a bag down at ``put_s``, is more than 3 m away from 2.4 s after, for ``away_s`` (endless: for good).

    Subject 1 is the owner, subject 3 the bag. Subject 2 stands 1 m from a bag of their own, subject 4, all along.
    """
    gone_s = put_s + OWNER_NEAR_M / WALK_M_S
    returns = np.isfinite(away_s)
    end_s = gone_s + (away_s + 12.0 if returns else 150.0)
    points: list[Point] = [(put_s - 6.4, -8.0, 15.0), (put_s, 0.0, 15.0)]
    if returns:
        back_s = gone_s + away_s
        far_m = OWNER_NEAR_M + min(3.0, WALK_M_S * away_s / 2)
        turn_s = put_s + far_m / WALK_M_S
        at_bag_s = back_s + OWNER_NEAR_M / WALK_M_S
        points += [
            (turn_s, far_m, 15.0), (at_bag_s - far_m / WALK_M_S + 1e-6, far_m, 15.0), (at_bag_s, 0.0, 15.0),
            (at_bag_s + 6.4, -8.0, 15.0),
        ]  # fmt: skip
        bag_until_s = at_bag_s
    else:
        points.append((put_s + 6.4, 8.0, 15.0))
        back_s = bag_until_s = end_s
    placed = [
        Placed(situation, tuple(points)),
        Placed("waiting", ((0.0, -3.0, 17.0), (end_s, -3.0, 17.0))),
        Placed(situation, ((put_s, 0.0, 15.0), (bag_until_s, 0.0, 15.0)), owner=1),
        Placed("waiting", ((0.0, -2.0, 17.0), (end_s, -2.0, 17.0)), owner=2),
    ]
    return placed_script(
        placed, duration_s=end_s, fps=fps, events=[("abandonment", gone_s, back_s, 3, "")],
        name="scripted-abandonment",
    )  # fmt: skip


def scripted_density(*, dense_s: tuple[float, float] = (20.0, 40.0), fps: float = 10.0) -> Script:
    """As many people as make :data:`SQUARE` too dense are in it from ``dense_s[0]`` until ``dense_s[1]``.

    They come one a second, the last at ``dense_s[0]``, and leave one a second, the first at ``dense_s[1]``.
    """
    needed = int(np.ceil(DENSITY_PER_M2 * 16.0))
    begin, end = dense_s
    placed, stays = [], []
    for k in range(needed):
        x, y = -1.2 + 1.2 * (k % 3), 13.8 + 1.2 * (k // 3)
        in_s, out_s = begin - (needed - 1 - k), end + k
        inside_s = (x + 2.0) / WALK_M_S, (2.0 - x) / WALK_M_S
        placed.append(
            Placed("waiting", (
                (in_s - 4.8, -8.0, y), (in_s, -2.0, y), (in_s + inside_s[0], x, y), (out_s - inside_s[1], x, y),
                (out_s, 2.0, y), (out_s + 4.8, 8.0, y),
            ))
        )  # fmt: skip
        stays.append(("stay", in_s, out_s, k + 1, SQUARE.name))
    return placed_script(
        placed, duration_s=end + needed + 5.0, fps=fps, zones=(SQUARE,), name="scripted-density",
        events=[*stays, ("density", begin, end, -1, SQUARE.name)],
    )  # fmt: skip


def scripted_counter_flow(*, at_s: float = 12.0, fps: float = 10.0) -> Script:
    """Three walk through :data:`PASSAGE` as they should, one the other way, entering at ``at_s``; one stands in it."""
    through_s = 7.0 / WALK_M_S
    with_flow = [at_s - 3.0, at_s, at_s + 3.0]
    xs = (-1.5, -0.5, 1.5)
    lead_s = 2.0 / WALK_M_S
    placed = [
        Placed("counter_flow", ((at_s - lead_s, 0.5, 21.0), (at_s + through_s + lead_s, 0.5, 10.0))),
        *(
            Placed("passing", ((t - lead_s, x, 10.0), (t + through_s + lead_s, x, 21.0)))
            for t, x in zip(with_flow, xs, strict=True)
        ),
        Placed("smoking", ((0.0, -1.0, 18.0), (at_s + 20.0, -1.0, 18.0))),
    ]
    spans = [(at_s, at_s + through_s), *((t, t + through_s) for t in with_flow), (0.0, at_s + 20.0)]
    return placed_script(
        placed, duration_s=at_s + 20.0, fps=fps, zones=(PASSAGE,), name="scripted-counter-flow",
        events=[
            ("counter_flow", at_s, at_s + through_s, 1, PASSAGE.name),
            *(("stay", a, b, k, PASSAGE.name) for k, (a, b) in enumerate(spans, start=1)),
        ],
    )  # fmt: skip


def scripted_running(*, at_s: float = 10.0, fps: float = 10.0) -> Script:
    """One runs past, before the camera's eyes at ``at_s``, all the time that they are there; two walk, one briskly."""
    half_s = 8.0 / RUN_M_S
    placed = [
        Placed("hurrying", _across(at_s, speed=RUN_M_S)),
        Placed("passing", _across(at_s, 17.0, way=-1)),
        Placed("passing", _across(at_s, 13.0, speed=1.9)),
    ]
    return placed_script(
        placed, duration_s=at_s + 10.0, fps=fps, events=[("running", at_s - half_s, at_s + half_s, 1, "")],
        name="scripted-running",
    )  # fmt: skip
