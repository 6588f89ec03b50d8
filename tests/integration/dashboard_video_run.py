"""A small video run for the dashboard, made by the pipelines: one drawn clip, a perfect detector, its scores."""

from pathlib import Path

from contrechamp.pipelines.vsa_batch import read_batch, run_batch
from contrechamp.pipelines.vsa_pictures import Overlay, contact_sheet, draw_run
from contrechamp.pipelines.vsa_render import render_scenes
from contrechamp.pipelines.vsa_score_run import score_run, write_scores
from contrechamp.pipelines.vsa_steps import plan_for
from contrechamp.store.clips import read_truth
from synthetic_data.scenes.spec import SceneSpec

RUN = "video"
CLIP = "plaza-day-0003"
PRESETS = ("hikvision-default", "house-continuous-60s")
SPEC = SceneSpec(
    place="plaza", seed=3, duration_s=13.0, fps=3.0, width_px=320, height_px=180, focal_px=260.0,
    cast=(("waiting", 2), ("rough_seated", 1), ("wheelchair", 1)), flow_per_min=6.0, dwell_s=(60.0, 90.0),
)  # fmt: skip


def build(root: Path, *, scored: bool = True) -> Path:
    """Make clip, run, pictures and scores under ``root``; return the run's folder."""
    (clip,) = render_scenes([SPEC], root / "clips")
    contact_sheet(clip, root / "clips" / f"{CLIP}-fr.png", overlay=Overlay.of_truth(read_truth(clip)), lang="fr")
    done = run_batch([clip.folder], root / RUN, plan=plan_for("oracle", presets=PRESETS))
    _, clips, watched = read_batch(done.folder)
    draw_run(clips, watched, root / f"{RUN}-pictures", lang="fr")
    if scored:
        write_scores(score_run(done.folder), root / f"{RUN}-scores", inputs=[done.folder], truth=None, seed=0)
    return done.folder
