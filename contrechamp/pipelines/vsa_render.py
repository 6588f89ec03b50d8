"""Scenes written, drawn and filed as clips: one folder a camera.

A plan is a list of scenes; each is a function of its specification alone, so the number of workers changes no byte.

What it cannot tell you: how many people wait, sell or sleep rough anywhere. A plan puts enough of each in view for the
rates by situation to be measured at all.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd
from joblib import Parallel, delayed

from contrechamp.domain.errors import ParameterError, bad_parameter
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.video import Image
from contrechamp.store.clips import Clip, open_clip, write_clip
from contrechamp.store.files import write_json
from synthetic_data.scenes.spec import LIGHTS, PLACES, SceneSpec

#: Casts of the default plan, one after the other: together they hold every situation.
CASTS: Final[tuple[tuple[tuple[str, int], ...], ...]] = (
    (("waiting", 2), ("lost", 1), ("seated", 1), ("rough_seated", 1), ("wheelchair", 1), ("bag_returning", 1)),
    (("waiting", 1), ("vendor", 1), ("tourists", 1), ("rough_lying", 1), ("cane", 1), ("counter_flow", 1)),
    (("talking", 1), ("leafleting", 1), ("smoking", 1), ("pram", 1), ("falling", 1), ("tying_shoe", 1)),
    (("child_playing", 1), ("cleaning", 1), ("busking", 1), ("hurrying", 1), ("sitting_down", 1), ("bag_leaving", 1)),
)  # fmt: skip


def clip_name(spec: SceneSpec) -> str:
    """Name of a scene's clip and of its folder; a swapped scene bears the name of its original and the swap.

    Examples
    --------
    >>> clip_name(SceneSpec(seed=7, swap=(("waiting", "vendor"),)))
    'plaza-day-0007-waiting-as-vendor'
    """
    swaps = "".join(f"-{a}-as-{b}" for a, b in spec.swap)
    return f"{spec.place}-{spec.light}-{spec.seed:04d}{swaps}"


def render_clip(spec: SceneSpec, out: Path, *, progress: Progress = silent) -> Clip:
    """Write a scene's script, draw it and file it as a clip folder.

    Parameters
    ----------
    spec : SceneSpec
    out : Path
        Folder to create; its name is the clip's.
    progress : Progress

    Raises
    ------
    ParameterError
        If the folder exists, or the scene cannot be written.
    """
    from synthetic_data.scenes.render import render_frames
    from synthetic_data.scenes.scripts import write_script

    if out.exists():
        raise ParameterError(f"{out} exists and nothing is overwritten. Choose another --out, or another seed.")
    progress(f"{out.name}: script", 0, 1)
    script = write_script(spec)
    meta = dataclasses.replace(script.meta, clip_id=out.name)

    def drawn() -> Iterator[tuple[Image, pd.DataFrame]]:
        for i, frame in enumerate(render_frames(script), start=1):
            yield frame.image, frame.truth
            progress(out.name, i, meta.n_frames)

    return write_clip(
        out, drawn(), meta=meta, spec=dataclasses.asdict(spec), subjects=script.subjects, events=script.events,
        crf=spec.crf,
    )  # fmt: skip


def render_scenes(plan: Sequence[SceneSpec], out: Path, *, jobs: int = 1, progress: Progress = silent) -> list[Clip]:
    """Render the scenes of a plan, each to its own folder of ``out``.

    Raises
    ------
    ParameterError
        If two scenes have one name, or a folder exists: nothing is then rendered.
    """
    folders = [out / clip_name(spec) for spec in plan]
    if len(set(folders)) < len(folders):
        raise ParameterError(
            "Two scenes of the plan have the same place, light, seed and swaps. Give them other seeds."
        )
    taken = [f for f in folders if f.exists()]
    if taken:
        raise ParameterError(f"{taken[0]} exists and nothing is overwritten. Choose another --out, or another seed.")
    out.mkdir(parents=True, exist_ok=True)
    if jobs <= 1 or len(plan) == 1:
        return [render_clip(spec, folder, progress=progress) for spec, folder in zip(plan, folders, strict=True)]
    work = Parallel(n_jobs=jobs, return_as="generator_unordered", inner_max_num_threads=1, backend="loky")(
        delayed(_render)(spec, folder) for spec, folder in zip(plan, folders, strict=True)
    )
    for done, _ in enumerate(work, start=1):
        progress("render", done, len(plan))
    return [open_clip(folder, check=False) for folder in folders]


def _render(spec: SceneSpec, out: Path) -> str:
    render_clip(spec, out)
    return out.name


def default_plan(
    n: int, *, seed: int, lights: Sequence[str] = LIGHTS, places: Sequence[str] = PLACES, **common: Any
) -> list[SceneSpec]:
    """``n`` cameras: places and casts in turn, lights by turns of places, each with a seed of its own.

    Parameters
    ----------
    n : int
        At least 1.
    seed : int
        Of the first scene; the next ones count up.
    lights, places : sequence of str
    **common
        Other fields of every :class:`~synthetic_data.scenes.spec.SceneSpec`; ``cast`` replaces those of the plan.

    Raises
    ------
    ParameterError
        If ``n`` is below 1, or a field makes no scene.
    """
    if n < 1:
        raise bad_parameter(name="scenes", where="default_plan", must="a whole number of at least 1", got=n)
    rows = []
    for i in range(n):
        turn = {
            "place": places[i % len(places)], "light": lights[(i // len(places)) % len(lights)],
            "cast": CASTS[i % len(CASTS)], "seed": seed + i,
        }  # fmt: skip
        rows.append(SceneSpec(**{**turn, **common}))
    return rows


def write_plan(n: int, out: Path, *, seed: int, fields: Mapping[str, Any] | None = None) -> list[str]:
    """Write the scenes of a :func:`default_plan` as files, for tasks that render one each; return the files.

    ``fields`` are those of every scene, as JSON has them: lists for tuples.
    """
    common = {k: _tupled(v) for k, v in (fields or {}).items()}
    known = {f.name for f in dataclasses.fields(SceneSpec)}
    strange = sorted(set(common) - known)
    if strange:
        raise ParameterError(f"A scene has no field {strange[0]!r}. It has {', '.join(sorted(known))}.")
    written = []
    for spec in default_plan(n, seed=seed, **common):
        path = out / f"{clip_name(spec)}.json"
        write_json(path, dataclasses.asdict(spec))
        written.append(str(path))
    return written


def render_planned(source: str | Path) -> str:
    """Render a scene that :func:`write_plan` wrote, beside its file; a folder is a clip already. Return the folder."""
    path = Path(source)
    if path.suffix != ".json":
        return str(source)
    folder = path.with_suffix("")
    if not folder.exists():
        spec = SceneSpec(**{k: _tupled(v) for k, v in json.loads(path.read_text(encoding="utf-8")).items()})
        render_clip(spec, folder)
    return str(folder)


def _tupled(value: Any) -> Any:
    return tuple(_tupled(v) for v in value) if isinstance(value, list) else value


def with_swaps(plan: Sequence[SceneSpec], swaps: Sequence[tuple[str, str]]) -> list[SceneSpec]:
    """Each scene, then its double in which bodies are swapped; the plan itself without any swap."""
    if not swaps:
        return list(plan)
    return [scene for spec in plan for scene in (spec, dataclasses.replace(spec, swap=tuple(swaps)))]
