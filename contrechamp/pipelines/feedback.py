"""A closed loop lived once, kept whole, and lived again: the run behind ``contrechamp feedback run``.

The history is written day by day and cell by cell, with a fingerprint; a replay lives the same days and names the first
one that differs.

What it cannot tell you: see :data:`contrechamp.pipelines.loops.CANNOT_TELL`. A history that replays is the same
history, not a truer one.
"""

from __future__ import annotations

import dataclasses
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

import contrechamp
from contrechamp.domain.errors import ContractError, IntegrityError, ParameterError
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.provenance import plain
from contrechamp.domain.results import Result
from contrechamp.domain.text import LANGS
from contrechamp.pipelines.loops import CANNOT_TELL, COMMAND, Lived, LoopPlan, live, results_of
from contrechamp.store import runs
from contrechamp.store.files import write_bytes
from fairness.closed_loop import LoopHistory, check_replay

#: Libraries whose version a history may depend on.
_LIBRARIES: Final = ("numpy", "scipy", "pandas", "numba", "scikit-learn")


def history_tables(history: LoopHistory) -> dict[str, pd.DataFrame]:
    """The history as tables: one row per day and cell, one row per day."""
    n_days, n_cells = history.hours.shape
    return {
        "history": pd.DataFrame(
            {
                "day": np.repeat(np.arange(n_days, dtype=np.int32), n_cells),
                "cell": np.tile(np.arange(n_cells, dtype=np.int32), n_days),
                **{name: getattr(history, name).ravel() for name in _CUBES},
            }
        ),
        "days": pd.DataFrame(
            {"day": np.arange(n_days, dtype=np.int32), "prevented": history.prevented, "moved": history.moved}
        ),
    }


_CUBES: Final = {
    "hours": np.float64, "expected": np.float32, "happened": np.int32, "reported": np.int32, "found_only": np.int32
}  # fmt: skip


def read_history(folder: Path) -> tuple[LoopPlan, int, LoopHistory, str]:
    """Plan, seed, history and fingerprint of a run folder.

    Raises
    ------
    ContractError
        If it is not the folder of a ``feedback run``, or a table is missing or of another shape.
    """
    said = runs.read_json(folder / "run.json")
    if not isinstance(said, dict) or said.get("command") != COMMAND:
        raise ContractError(f"{folder} is not the folder of a `contrechamp {COMMAND}`. Give one that it wrote.")
    plan, seed, first_day = LoopPlan.parse(said["plan"]), int(said["seed"]), int(said["plan"]["history_days"])
    table, days = (runs.read_table(folder, name) for name in ("history", "days"))
    shape = (plan.history_days + plan.days, plan.rows * plan.columns)
    if len(table) != shape[0] * shape[1] or len(days) != shape[0] or set(_CUBES) - set(table.columns):
        raise ContractError(
            f"The history of {folder} does not have {shape[0]} days of {shape[1]} cells, as its plan says. The folder "
            "is damaged: run the loop again."
        )
    table, days = table.sort_values(["day", "cell"]), days.sort_values("day")
    cubes = {name: table[name].to_numpy(kind).reshape(shape) for name, kind in _CUBES.items()}
    history = LoopHistory(
        **cubes, prevented=days["prevented"].to_numpy(np.int64), moved=days["moved"].to_numpy(np.int64),
        first_day=first_day,
    )  # fmt: skip
    return plan, seed, history, str(said["fingerprint"])


def run_feedback(
    plan: LoopPlan, *, seed: int, out: Path | None = None, progress: Progress = silent
) -> tuple[Lived, list[Result], Path | None]:
    """Live a plan, measure it and, where asked, write it as a run folder.

    Parameters
    ----------
    plan : LoopPlan
    seed : int
    out : Path, optional
        Folder to create.
    progress : Progress

    Returns
    -------
    lived, results, folder

    Raises
    ------
    ParameterError
        If ``out`` exists or cannot be made.
    """
    check_new(out)
    progress("feedback: loop", 0, 2)
    lived = live(plan, seed=seed)
    progress("feedback: measure", 1, 2)
    results = results_of(lived)
    folder = None if out is None else _write(lived, results, out)
    progress("feedback: measure", 2, 2)
    return lived, results, folder


def check_new(out: Path | None) -> None:
    """Refuse at once a folder that exists.

    Raises
    ------
    ParameterError
        Nothing is overwritten.
    """
    if out is not None and out.exists():
        raise ParameterError(f"{out} exists and nothing is overwritten. Choose another --out.")


def replay(folder: Path) -> Lived:
    """Live the plan of a run folder again and refuse any day that differs.

    Raises
    ------
    ContractError
        If the folder cannot be read.
    IntegrityError
        Naming the first day that differs; or if the fingerprint is not that of the history.
    """
    plan, seed, history, fingerprint = read_history(folder)
    again = live(plan, seed=seed)
    check_replay(history, again.history)
    if history.fingerprint() != fingerprint:
        raise IntegrityError(
            f"Every day of {folder} replays, but the fingerprint in run.json is another: {fingerprint}. The file was "
            "changed after the run."
        )
    return again


def body(lived: Lived, results: Sequence[Result]) -> dict[str, Any]:
    """Plain form of a run: what ``--json`` prints and ``results.json`` holds."""
    return dict(
        plain(
            {
                "command": COMMAND, "seed": lived.seed, "plan": dataclasses.asdict(lived.plan),
                "fingerprint": lived.history.fingerprint(), "results": [r.to_dict() for r in results],
                "limits": {"fr": CANNOT_TELL.fr, "en": CANNOT_TELL.en},
            }
        )
    )  # fmt: skip


def provenance(**more: Any) -> dict[str, Any]:
    """What ``run.json`` says of where the numbers come from."""
    versions = {"contrechamp": contrechamp.__version__, "python": platform.python_version()}
    return {**more, "versions": versions | {name: version(name) for name in _LIBRARIES}}


def _write(lived: Lived, results: Sequence[Result], out: Path) -> Path:
    from contrechamp.pipelines.feedback_drawing import draw_run
    from contrechamp.pipelines.papers.drawing import image

    out = out.absolute()
    work = runs.begin(out.parent, run_id=out.name)
    runs.write_json(work / "results.json", body(lived, results))
    runs.write_tables(work, history_tables(lived.history))
    for lang in LANGS:
        for form in ("svg", "png"):
            drawn = image(lambda said: draw_run(lived, said), lang, form=form)
            write_bytes(work / "figures" / f"feedback_{lang}.{form}", drawn)
    runs.write_json(
        work / "run.json",
        provenance(
            command=COMMAND, seed=lived.seed, plan=dataclasses.asdict(lived.plan),
            fingerprint=lived.history.fingerprint(),
        ),
    )  # fmt: skip
    return runs.finish(work)
