"""Clips to look at: a sheet of frames with names, and the clip again with what a rule saw.

The zone is drawn where it lies on the ground, a clock over each person says how long that person has been in it, and an
alert flashes on whom it fell. A figure that cannot be looked at cannot be doubted.

What it cannot tell you: what the rule thought. The clock over a head counts seconds inside a zone, all visits together;
the rule's own clock is in its trace.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from contrechamp.domain.columns import X_M, Y_M
from contrechamp.domain.errors import ParameterError
from contrechamp.domain.situations import SITUATIONS
from contrechamp.domain.text import Lang, Text
from contrechamp.domain.video import (
    BOX,
    FRAME,
    LABEL,
    SITUATION,
    SUBJECT_ID,
    TRACK_ID,
    ClipMeta,
    FloatArray,
    Image,
    SceneTruth,
    Zone,
)
from contrechamp.store.clips import Clip
from contrechamp.store.files import write_bytes
from contrechamp.store.video import write_mp4

#: Seconds during which an alert flashes.
FLASH_S: Final = 2.0
_ZONE: Final = (255, 214, 64)
_CALM: Final = (96, 220, 255)
_STAYS: Final = (255, 165, 60)
_ALERT: Final = (255, 48, 48)
_OBJECT: Final = (214, 140, 255)
_PAPER: Final = (250, 249, 246)
_INK: Final = (27, 27, 27)
_ALERT_WORD: Final = Text(fr="ALERTE", en="ALERT")
_OBJECT_WORD: Final = Text(fr="objet", en="object")
_TRUTH_NOTE: Final = Text(
    fr="Scène de synthèse, vérité. Zone surveillée en jaune ; en orange, qui reste ; en bleu, qui passe.",
    en="Synthetic scene, truth. Watched zone in yellow; in orange, who stays; in blue, who passes.",
)
_TRACKS_NOTE: Final = Text(
    fr="Scène de synthèse, vue par la machine. Zone en jaune ; en orange, qui y est entré ; en rouge, une alerte.",
    en="Synthetic scene, as the machine saw it. Zone in yellow; in orange, who has been in it; in red, an alert.",
)


@dataclass(frozen=True, slots=True)
class Overlay:
    """What is drawn over the frames of a clip.

    Attributes
    ----------
    boxes : mapping of int to DataFrame
        Frame → rows with ``who``, ``label``, the box, ``clock_s`` and, where truth is known, ``situation``.
    alerts : DataFrame
        ``track_id``, ``t_alert_s``, ``preset``.
    note : Text
        What the colours mean.
    """

    meta: ClipMeta
    boxes: Mapping[int, pd.DataFrame] = field(default_factory=dict)
    alerts: pd.DataFrame = field(default_factory=pd.DataFrame)
    note: Text = _TRUTH_NOTE

    @classmethod
    def of_truth(cls, truth: SceneTruth) -> Overlay:
        """True boxes and situations."""
        return cls(truth.meta, _by_frame(truth.frames.rename(columns={SUBJECT_ID: "who"}), truth.meta))

    @classmethod
    def of_tracks(cls, tracks: pd.DataFrame, alerts: pd.DataFrame, meta: ClipMeta) -> Overlay:
        """What the machine saw: tracks and alerts."""
        return cls(meta, _by_frame(tracks.rename(columns={TRACK_ID: "who"}), meta), alerts, _TRACKS_NOTE)


def dwell_clocks(rows: pd.DataFrame, meta: ClipMeta) -> FloatArray:
    """Seconds that each row's person has been in a zone so far, visits together; 0 outside all zones until then.

    Parameters
    ----------
    rows : DataFrame
        ``frame``, ``who``, the box, and ``x_m, y_m`` for zones on the ground.
    meta : ClipMeta

    Returns
    -------
    ndarray of shape (n_rows,)
    """
    boxes = rows[list(BOX)].to_numpy(dtype=np.float64)
    feet_px = np.column_stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]])
    ground = rows[[X_M, Y_M]].to_numpy(dtype=np.float64)
    inside = np.zeros(len(rows), dtype=np.bool_)
    for zone in watched_zones(meta):
        inside |= zone.contains(ground if zone.plane == "ground" else feet_px)
    counted = pd.DataFrame({"who": rows["who"].to_numpy(), FRAME: rows[FRAME].to_numpy(), "in": inside})
    ordered = counted.sort_values(["who", FRAME], kind="stable")
    return (ordered.groupby("who")["in"].cumsum().reindex(counted.index) / meta.fps).to_numpy(dtype=np.float64)


def watched_zones(meta: ClipMeta) -> tuple[Zone, ...]:
    """The zone called ``zone``, where stays are counted; all zones where none bears that name."""
    named = tuple(z for z in meta.zones if z.name == "zone")
    return named or meta.zones


def contact_sheet(
    clip: Clip, out: Path, *, overlay: Overlay, lang: Lang, columns: int = 3, rows: int = 3,
    at_s: Sequence[float] = (),
) -> Path:  # fmt: skip
    """Write a sheet of frames as PNG, with the zone, the boxes and their names.

    Parameters
    ----------
    clip : Clip
    out : Path
        File to write.
    overlay : Overlay
    lang : {"fr", "en"}
    columns, rows : int
    at_s : sequence of float
        Times to show; evenly spread over the clip where left out. As many as there is room for.

    Returns
    -------
    Path
        ``out``.
    """
    from io import BytesIO

    from PIL import Image as Pictures

    meta, n = clip.meta, columns * rows
    if n < 1:
        raise ParameterError(f"A contact sheet needs at least one column and one row. Got {columns} × {rows}.")
    spread = (np.arange(n) + 0.5) * meta.duration_s / n
    wanted = sorted({min(int(t * meta.fps), meta.n_frames - 1) for t in (at_s or spread.tolist())})[:n]
    width, rows = 640, -(-len(wanted) // columns)
    height = round(width * meta.camera.height_px / meta.camera.width_px)
    gap, head = 8, 54
    sheet = Pictures.new("RGB", (gap + columns * (width + gap), head + rows * (height + gap)), _PAPER)
    placed = 0
    for i, t_s, image in clip.frames():
        if i not in wanted:
            continue
        drawn = draw_frame(image, i, overlay=overlay, lang=lang, scale=width / meta.camera.width_px)
        at = (gap + (placed % columns) * (width + gap), head + (placed // columns) * (height + gap))
        sheet.paste(drawn.resize((width, height)) if drawn.size != (width, height) else drawn, at)
        _tag(sheet, (at[0] + 4, at[1] + 4), _seconds(t_s, lang), size=13)
        placed += 1
    pen = _pen(sheet)
    pen.text((gap, 8), f"{meta.clip_id} · {meta.duration_s:g} s", font=_font(18), fill=_INK)
    pen.text((gap, 32), overlay.note.in_(lang), font=_font(13), fill=_INK)
    buffer = BytesIO()
    sheet.save(buffer, format="PNG", optimize=False)
    write_bytes(out, buffer.getvalue())
    return out


def annotated_clip(clip: Clip, out: Path, *, overlay: Overlay, lang: Lang, crf: int = 23) -> Path:
    """Write the clip again with zones, boxes, dwell clocks and the flash of each alert; return ``out``."""

    def drawn() -> Iterator[Image]:
        for i, _, image in clip.frames():
            yield np.asarray(draw_frame(image, i, overlay=overlay, lang=lang), dtype=np.uint8)

    write_mp4(out, drawn(), fps=clip.meta.fps, crf=crf)
    return out


def draw_run(
    clips: Mapping[str, Clip], watched: Mapping[str, Any], folder: Path, *, lang: Lang
) -> list[Path]:  # fmt: skip
    """Annotated clip of each camera, and a sheet of the moments of its alerts where it has some; files written.

    Raises
    ------
    ParameterError
        If the folder exists.
    """
    if folder.exists():
        raise ParameterError(f"{folder} exists and nothing is overwritten. Remove it, or choose another --out.")
    written = []
    for name, clip in clips.items():
        seen = watched[name]
        overlay = Overlay.of_tracks(seen.tracks, seen.alerts.table, clip.meta)
        written.append(annotated_clip(clip, folder / f"{name}.mp4", overlay=overlay, lang=lang))
        moments = sorted({float(t) + 0.25 for t in seen.alerts.table["t_alert_s"]})
        if moments:
            chosen = [moments[i] for i in np.unique(np.linspace(0, len(moments) - 1, 9).round().astype(int))]
            sheet = folder / f"{name}-alerts.png"
            written.append(contact_sheet(clip, sheet, overlay=overlay, lang=lang, at_s=chosen))
    return written


def draw_frame(image: Image, index: int, *, overlay: Overlay, lang: Lang, scale: float = 1.0) -> Any:
    """One frame with its overlay, as a picture of ``scale`` times the size."""
    from PIL import Image as Pictures

    meta = overlay.meta
    height, width = image.shape[:2]
    picture = Pictures.fromarray(image).resize((round(width * scale), round(height * scale)))
    pen = _pen(picture)
    for zone in watched_zones(meta):
        outline = zone_outline(zone, meta) * scale
        if len(outline) >= 2:
            pen.line([*map(tuple, outline), tuple(outline[0])], fill=_ZONE, width=2)
    flashing = _flashing(overlay.alerts, index / meta.fps)
    told = []
    for row in overlay.boxes.get(index, pd.DataFrame()).to_dict("records"):
        corners = np.array([row[c] for c in BOX]) * scale
        alert = flashing.get(int(row["who"]))
        colour = _ALERT if alert is not None else _colour(row)
        blink = alert is not None and int(index / meta.fps * 4) % 2 == 0
        pen.rectangle([tuple(corners[:2]), tuple(corners[2:])], outline=colour, width=4 if blink else 2)
        told.append((alert is None, colour != _STAYS, corners, _words(row, lang, alerted=alert is not None), colour))
    taken: list[FloatArray] = []
    bodies = [corners for _, _, corners, _, _ in told]
    for _, _, corners, words, colour in sorted(told, key=lambda one: one[:2]):  # alerts first, then those who stay
        _label(picture, corners, words, colour, taken, bodies)
    if flashing:
        presets = sorted({p for said in flashing.values() for p in said.split(",")})
        words = f"{_ALERT_WORD.in_(lang)} · {' · '.join(presets)}"
        _tag(picture, (6, picture.height - 24), words, size=14, colour=_ALERT)
    return picture


def zone_outline(zone: Zone, meta: ClipMeta) -> FloatArray:
    """Outline of a zone on the image, shape (n, 2), pixels; what lies behind the camera is left out."""
    points = np.asarray(zone.points, dtype=np.float64)
    if zone.plane == "image":
        return points
    following = np.roll(points, -1, axis=0)
    steps = np.linspace(0.0, 1.0, 12, endpoint=False)
    dense = (points[:, None] + (following - points)[:, None] * steps[None, :, None]).reshape(-1, 2)
    shown, depth = meta.camera.project(np.column_stack([dense, np.zeros(len(dense))]))
    kept: FloatArray = shown[depth > 0.5]
    return kept


def _by_frame(rows: pd.DataFrame, meta: ClipMeta) -> dict[int, pd.DataFrame]:
    told = rows.assign(clock_s=dwell_clocks(rows, meta))
    return {int(str(frame)): part for frame, part in told.groupby(FRAME)}


def _flashing(alerts: pd.DataFrame, t_s: float) -> dict[int, str]:
    """Track → presets whose alert is on the screen now."""
    if alerts.empty:
        return {}
    begun = alerts["t_alert_s"].to_numpy(dtype=np.float64)
    now = alerts[(begun <= t_s + 1e-9) & (t_s < begun + FLASH_S)]
    return {int(str(who)): ",".join(sorted(set(part["preset"]))) for who, part in now.groupby(TRACK_ID)}


def _colour(row: Mapping[Any, Any]) -> tuple[int, int, int]:
    if row[LABEL] == "object":
        return _OBJECT
    situation = SITUATIONS.get(row.get(SITUATION, ""))
    stays = situation.stays if situation is not None else row["clock_s"] > 0
    return _STAYS if stays else _CALM


def _words(row: Mapping[Any, Any], lang: Lang, *, alerted: bool) -> str:
    """What is written over a box: nothing over a passer-by outside the zone, whose colour says it."""
    if row[LABEL] == "object":
        return _OBJECT_WORD.in_(lang)
    key = row.get(SITUATION, "passing")
    said = [SITUATIONS[key].label.in_(lang)] if key in SITUATIONS and key != "passing" else []
    if row["clock_s"] >= 1:
        said.append(f"{row['clock_s']:.0f} s")
    if alerted:
        said = [_ALERT_WORD.in_(lang), *said]
    return " · ".join(said)


def _seconds(value: float, lang: Lang) -> str:
    text = f"{value:.0f} s" if value >= 10 else f"{value:.1f} s"
    return text.replace(".", ",") if lang == "fr" else text


def _label(
    picture: Any, corners: FloatArray, words: str, colour: tuple[int, int, int], taken: list[FloatArray],
    bodies: Sequence[FloatArray],
) -> None:  # fmt: skip
    """Words near a box where they hide no one, else where they hide no words, else nowhere: all can be read."""
    if not words:
        return
    pen, font = _pen(picture), _font(11)
    width, height = pen.textlength(words, font=font) + 4, 14
    middle = (corners[0] + corners[2] - width) / 2
    rows = [corners[1] - height * k - 2 for k in range(1, 9)] + [corners[3] + 2 + height * k for k in range(3)]
    places = [(middle + dx, y) for y in rows for dx in (0.0, -width / 2, width / 2, -width, width)]
    inside = [(x, y) for x, y in places if 0 <= x <= picture.width - width and 0 <= y <= picture.height - height]
    for hidden in ([*taken, *bodies], taken):
        for x, y in inside:
            at = np.array([x, y, x + width, y + height])
            if not any((at[:2] < other[2:]).all() and (at[2:] > other[:2]).all() for other in hidden):
                taken.append(at)
                foot = y + height if y < corners[1] else y
                pen.line([(x + width / 2, foot), ((corners[0] + corners[2]) / 2, corners[1])], fill=colour, width=1)
                pen.rectangle([(x, y), (x + width, y + height)], fill=_INK)
                pen.text((x + 2, y), words, font=font, fill=colour)
                return


def _tag(
    picture: Any, at: tuple[float, float], words: str, *, size: int, colour: tuple[int, int, int] = _PAPER
) -> None:
    pen, font = _pen(picture), _font(size)
    pen.rectangle([at, (at[0] + pen.textlength(words, font=font) + 6, at[1] + size + 5)], fill=_INK)
    pen.text((at[0] + 3, at[1] + 1), words, font=font, fill=colour)


def _pen(picture: Any) -> Any:
    from PIL import ImageDraw

    return ImageDraw.Draw(picture)


@cache
def _font(size: int) -> Any:
    from matplotlib import get_data_path
    from PIL import ImageFont

    return ImageFont.truetype(str(Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"), size)
