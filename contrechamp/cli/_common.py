"""What the verbs share: output, progress, the number of workers."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.text import LANGS
from synthetic_data.presets import DEFAULT_PRESET, PRESETS

#: What ``--scenario`` takes, for the commands that have it.
SCENARIO_HELP: Final = f"Nom d'un préréglage ou fichier TOML (preset or file) ; par défaut « {DEFAULT_PRESET} »."
#: The presets, one paragraph each, for the end of a command's help.
PRESETS_HELP: Final = "\n\n".join(
    ["Préréglages de --scenario (presets) :"]
    + [f"{name} : {said.in_(LANGS[0])}. ({said.in_(LANGS[1]).capitalize()}.)" for name, said in PRESETS.items()]
)


def say(message: str) -> None:
    """Tell a person something, on stderr; nothing where it is closed (stdout is for data)."""
    if sys.stderr is not None:
        print(message, file=sys.stderr)


def emit(data: Any) -> None:
    """Print machine-readable data on stdout."""
    print(json.dumps(data, ensure_ascii=False, indent=1, default=str))


def emit_table(rows: Sequence[Sequence[object]], header: Sequence[str]) -> None:
    """Print a plain, aligned table on stdout; the last column is not padded."""
    cells = [[str(c) for c in row] for row in (header, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    for row in cells:
        padded = [c.ljust(w) for c, w in zip(row[:-1], widths[:-1], strict=True)]
        print("  ".join([*padded, row[-1]]).rstrip())


def this_command() -> str:
    """How the user can call this program again: its name, or its path where the name is not found."""
    if shutil.which("contrechamp"):
        return "contrechamp"
    try:
        return str(Path(sys.argv[0]).resolve().relative_to(Path.cwd()))
    except ValueError:
        return sys.argv[0]


def workers(jobs: int | None) -> int:
    """Number of workers: as asked, else one per core."""
    if jobs is not None and jobs < 1:
        raise ParameterError(f"The `--jobs` option must be a whole number of at least 1. Got {jobs}.")
    return jobs or os.cpu_count() or 1


def parse_sets(pairs: Sequence[str]) -> dict[str, str]:
    """Read repeated ``--set name=value``.

    Raises
    ------
    ParameterError
        If one has no ``=``.
    """
    out: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise ParameterError(f"An override is written --set name=value. Got {pair!r}.")
        out[name.strip()] = value.strip()
    return out


@contextmanager
def progress_bar(steps: int) -> Iterator[tuple[Progress, Any]]:
    """Progress bar on a terminal; silence elsewhere.

    Yields
    ------
    progress, advance
        ``progress`` is handed to long functions; ``advance(label)`` announces the next of ``steps`` steps.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        yield silent, lambda label: say(f"· {label}")
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        whole = bar.add_task("", total=steps)
        state = {"done": -1}

        def advance(label: str) -> None:
            state["done"] += 1
            bar.update(whole, completed=state["done"], description=label)

        def inside(step: str, done: int, total: int) -> None:
            share = done / total if total else 1.0
            bar.update(whole, completed=min(state["done"] + share, steps))

        yield inside, advance
