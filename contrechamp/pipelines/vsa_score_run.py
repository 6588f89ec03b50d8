"""A run of ``vsa detect`` scored, and scores written as a folder of their own: a finished run is never edited.

What it cannot tell you: see :data:`contrechamp.pipelines.vsa.CANNOT_TELL`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from contrechamp.domain.errors import ContractError, ParameterError
from contrechamp.domain.protocols import Progress, silent
from contrechamp.pipelines.vsa import CANNOT_TELL
from contrechamp.pipelines.vsa_batch import read_batch, versions
from contrechamp.pipelines.vsa_score import RUNGS, ClipScore, Scores, score_batch, score_folder, whole_scores
from contrechamp.pipelines.vsa_steps import clip_of, noting, plan_of, read_step, watched_camera, write_step
from contrechamp.store import runs
from contrechamp.store.files import sha256_file

COMMAND: Final = "vsa score"
SCORES: Final = "scores.json"


def check_new(out: Path | None) -> None:
    """Refuse at once a folder that exists.

    Raises
    ------
    ParameterError
        Nothing is overwritten.
    """
    if out is not None and out.exists():
        raise ParameterError(f"{out} exists and nothing is overwritten. Choose another --out.")


def score_run(
    run: Path, *, clips: Path | None = None, seed: int = 0, rungs: Sequence[str] = RUNGS, jobs: int = 1,
    progress: Progress = silent,
) -> Scores:  # fmt: skip
    """Score every camera of a run that was watched to its end.

    Parameters
    ----------
    run : Path
        Folder of a ``vsa detect``.
    clips : Path, optional
        Where the clips are now.
    seed : int, default=0
        Of the draws of scenes.
    rungs : sequence of str
    jobs : int, default=1
    progress : Progress

    Raises
    ------
    ContractError
        If no camera was watched to its end, or a clip has no truth.
    """
    told, opened, watched = read_batch(run, clips=clips)
    if not watched:
        raise ContractError(f"No camera of {run} was watched to its end: there is nothing to score.")
    return score_batch(opened, watched, plan=told["plan"], seed=seed, rungs=rungs, jobs=jobs, progress=progress)


def score_camera(work: Path, name: str) -> str:
    """Score one camera of a batch that is being made (:mod:`contrechamp.pipelines.vsa_steps`); return its name."""

    def step() -> None:
        scored = score_folder(
            clip_of(work, name).folder, watched_camera(work, name), plan=plan_of(work).to_dict()
        )  # fmt: skip
        for part in _PARTS:
            write_step(work, name, f"score_{part}", getattr(scored, part))

    noting(work, name, None, step)
    return name


def pool_cameras(work: Path, names: Sequence[str]) -> None:
    """Put the scores of the cameras of a batch together, in its folder: ``scores.json`` and their tables."""
    if not names:
        return
    plan = plan_of(work)
    clips = {name: clip_of(work, name) for name in names}
    parts = [
        ClipScore(
            clip.meta.clip_id, clip.meta.duration_s, RUNGS,
            **{part: read_step(work, name, f"score_{part}") for part in _PARTS},
        )
        for name, clip in clips.items()
    ]  # fmt: skip
    watched = {name: watched_camera(work, name) for name in names}
    scores = whole_scores(parts, clips, watched, plan=plan.to_dict(), seed=plan.seed)
    runs.write_tables(work, scores.tables)
    runs.write_json(work / SCORES, {**scores.to_dict(), "limits": {"fr": CANNOT_TELL.fr, "en": CANNOT_TELL.en}})


_PARTS: Final = ("judged", "reference", "exposure", "tracks")


def write_scores(scores: Scores, out: Path, *, inputs: Sequence[Path], truth: str | None, seed: int) -> Path:
    """Write scores as a folder: ``scores.json``, ``run.json`` with the digests of what was scored, ``tables/``.

    Raises
    ------
    ParameterError
        If ``out`` exists or cannot be made.
    """
    out = out.absolute()
    work = runs.begin(out.parent, run_id=out.name)
    runs.write_tables(work, scores.tables)
    limits = {"fr": CANNOT_TELL.fr, "en": CANNOT_TELL.en}
    runs.write_json(work / SCORES, {**scores.to_dict(), "limits": limits})
    files = [p / "run.json" if p.is_dir() else p for p in inputs]
    read = [{"path": str(p), "sha256": sha256_file(p)} for p in files]
    runs.write_json(
        work / "run.json",
        {"command": COMMAND, "seed": seed, "inputs": read, "truth": truth, "versions": versions()},
    )
    return runs.finish(work)
