"""Person AP50 of the shipped detector on scripted scenes of places and a light it never saw.

The card's figures are over stills drawn at random, crowded and from all sides; this is the same measure over scenes as
`contrechamp vsa render` makes them. Beside it, HOG, a people detector trained on photographs.

    python benchmarks/heldout_scenes.py [--casts 4] [--seeds 2] [--hog]
"""

from __future__ import annotations

import argparse
from itertools import product

import numpy as np
import pandas as pd

from contrechamp.domain.video import SceneTruth
from contrechamp.pipelines.vsa_render import CASTS
from contrechamp.pipelines.vsa_stills import MIN_VISIBILITY, UNSEEN
from synthetic_data.scenes.render import Renderer
from synthetic_data.scenes.scripts import write_script
from synthetic_data.scenes.spec import SceneSpec
from vsa.detectors import load_detector
from vsa.scoring.detection import detection_scores, labelled_images

SECONDS, EVERY_S = 40, 5


def main() -> None:
    """Render, detect, score, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--casts", type=int, default=len(CASTS))
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--hog", action="store_true")
    asked = parser.parse_args()
    for key in ("yolo", "hog") if asked.hog else ("yolo",):
        detector = load_detector(key)
        clips, scenes = [], []
        grid = product(UNSEEN.places, ("day", "dusk"), range(asked.casts), range(asked.seeds))
        for number, (place, light, cast, seed) in enumerate(grid):
            spec = SceneSpec(
                place=place, light=light, seed=500 + seed, duration_s=float(SECONDS), fps=1.0, cast=CASTS[cast],
                dwell_s=(20.0, 40.0),
            )  # fmt: skip
            script = write_script(spec)
            renderer = Renderer(script)
            frames = list(range(0, SECONDS, EVERY_S))
            drawn = [renderer.frame(i) for i in frames]
            found = detector.detect([d.image for d in drawn], indices=frames)
            truth = SceneTruth(script.meta, pd.concat([d.truth for d in drawn], ignore_index=True), script.events)
            clips.append((truth, frames, found))
            scenes.append(number)
        table = detection_scores(
            labelled_images(clips, scenes=scenes), label="person", min_visibility=MIN_VISIBILITY, at_score=0.25,
            rng=np.random.default_rng(1),
        )  # fmt: skip
        columns = ["by", "key", "n_boxes", "n_images", "ap50", "ap50_low", "ap50_high", "recall"]
        print(f"{key}: {len(clips)} scenes of {', '.join(UNSEEN.places)}, day and dusk; interval by scene")
        print(table[columns].round(3).to_string(index=False))


if __name__ == "__main__":
    main()
