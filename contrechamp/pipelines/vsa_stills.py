"""Stills with their boxes: what a detector is trained on, and what it is tested on and never saw.

Some places, one light and high cameras are kept out of training altogether (:data:`UNSEEN`), so that the score says how
the detector fares where it has not been, among drawn places. Images are pressed as JPEG, as a camera presses its own.

What it cannot tell you: an unseen drawn place is nearer to a seen one than any street is to either.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.rng import stream
from contrechamp.domain.video import LABEL, LABELS, VISIBILITY, VISIBLE_BOX, VISIBLE_PX, Image, SceneTruth
from contrechamp.store.files import write_bytes, write_text
from synthetic_data.scenes.render import Renderer
from synthetic_data.scenes.stills import StillRanges, random_still

#: Least pixels and least share of a subject that must show for a detector to be asked for it.
MIN_VISIBLE_PX: Final = 60
MIN_VISIBILITY: Final = 0.25
#: Quality of the JPEG, drawn between the two.
_QUALITY: Final = (60, 95)

#: What the network is trained on…
SEEN: Final = StillRanges(
    places=("plaza", "corner", "school"), lights=("day", "night", "glare"), camera_height_m=(3.0, 6.5)
)
#: …and where it is tested: two places, one light and a range of cameras that it never saw.
UNSEEN: Final = StillRanges(places=("hall", "market"), lights=("day", "dusk", "night", "glare"))
#: Each set of stills takes its own seeds.
_PARTS: Final = {"train": 0, "val": 1, "seen": 2, "unseen": 3}
_SPAN: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Still:
    """One drawn image and what is in it.

    Attributes
    ----------
    jpeg : bytes
    truth : SceneTruth
        Subjects of whom too few pixels show have visibility 0: nobody is asked to find them.
    """

    jpeg: bytes
    truth: SceneTruth

    @property
    def image(self) -> Image:
        """The image as a detector gets it."""
        from PIL import Image as Pictures

        return np.asarray(Pictures.open(io.BytesIO(self.jpeg)).convert("RGB"))


def still_seeds(part: str, n: int, *, seed: int) -> list[int]:
    """Seeds of the ``n`` stills of a part; parts and run seeds share none.

    Raises
    ------
    ParameterError
        If ``n`` is negative or too large for its range.
    """
    if part not in _PARTS or not 0 <= n <= _SPAN:
        raise bad_parameter(
            name="part, n", where="still_seeds", must=f"one of {', '.join(_PARTS)}, and 0 to {_SPAN}", got=(part, n)
        )
    first = (seed * len(_PARTS) + _PARTS[part]) * _SPAN
    return list(range(first, first + n))


def draw_still(seed: int, *, ranges: StillRanges, width_px: int, height_px: int) -> Still:
    """Draw one still; same arguments, same bytes."""
    from PIL import Image as Pictures

    script = random_still(seed, ranges=ranges, width_px=width_px, height_px=height_px)
    drawn = Renderer(script).frame(0)
    quality = int(stream(seed, "scene", "jpeg").integers(*_QUALITY))
    pressed = io.BytesIO()
    Pictures.fromarray(drawn.image).save(pressed, format="JPEG", quality=quality)
    enough = drawn.truth[VISIBLE_PX] >= MIN_VISIBLE_PX
    truth = drawn.truth.assign(**{VISIBILITY: drawn.truth[VISIBILITY].where(enough, 0.0)})
    return Still(pressed.getvalue(), SceneTruth(script.meta, truth.reset_index(drop=True)))


def draw_stills(
    seeds: Sequence[int], *, ranges: StillRanges, width_px: int = 640, height_px: int = 360, jobs: int = 1
) -> list[Still]:
    """Draw many; the number of jobs changes nothing but the time."""
    made = Parallel(n_jobs=jobs)(
        delayed(draw_still)(s, ranges=ranges, width_px=width_px, height_px=height_px) for s in seeds
    )
    return list(made)


def write_training_set(
    folder: Path, *, seed: int, images: int, validation: int, imgsz: int, jobs: int = 1, progress: Progress = silent
) -> str:
    """Draw square stills into ``folder`` as YOLO reads them; return the digest of all images and labels.

    Parameters
    ----------
    folder : Path
    seed : int
    images, validation : int
        How many of each.
    imgsz : int
        Side, pixels: people are drawn at the size they have in a frame of 640 by 360, so that the network is trained
        on pieces of a frame at its own scale.
    jobs : int, default=1
    progress : Progress

    Returns
    -------
    str
        SHA-256 over the names and bytes of the files.
    """
    seen = hashlib.sha256()
    for part, n in (("train", images), ("val", validation)):
        seeds = still_seeds(part, n, seed=seed)
        drawn = Parallel(n_jobs=jobs, return_as="generator")(
            delayed(draw_still)(s, ranges=SEEN, width_px=imgsz, height_px=imgsz) for s in seeds
        )
        for at, still in enumerate(drawn):
            digests = (
                write_bytes(folder / "images" / part / f"{at:06d}.jpg", still.jpeg),
                write_text(folder / "labels" / part / f"{at:06d}.txt", label_lines(still.truth)),
            )
            progress(f"stills {part}", at + 1, n)
            seen.update(f"{part}/{at:06d} {' '.join(digests)}\n".encode())
    return seen.hexdigest()


def label_lines(truth: SceneTruth) -> str:
    """Labels as YOLO reads them: class, then centre and size of the visible box as shares of the image.

    Those of whom too little shows have no line.
    """
    rows: pd.DataFrame = truth.frames[truth.frames[VISIBILITY] >= MIN_VISIBILITY]
    size = np.array([truth.meta.camera.width_px, truth.meta.camera.height_px] * 2, dtype=np.float64)
    boxes = (rows[list(VISIBLE_BOX)].to_numpy(dtype=np.float64) / size).clip(0.0, 1.0)
    lines = [
        f"{LABELS.index(label)} {(x1 + x2) / 2:.6f} {(y1 + y2) / 2:.6f} {x2 - x1:.6f} {y2 - y1:.6f}\n"
        for label, (x1, y1, x2, y2) in zip(rows[LABEL], boxes, strict=True)
        if x2 > x1 and y2 > y1
    ]
    return "".join(lines)
