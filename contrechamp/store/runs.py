"""A run is a folder: built beside its final place, renamed once, never edited afterwards.

While it is built the folder bears the suffix ``.partial``; a reader that lists runs never sees it. A run that
was interrupted leaves its partial folder behind, which the next build of the same id replaces.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

import pandas as pd

from contrechamp.domain.errors import ContractError, ContrechampError, ParameterError
from contrechamp.domain.provenance import plain
from contrechamp.store.files import write_parquet, write_text

PARTIAL: Final = ".partial"
IfTaken = Literal["replace", "rename"]
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}")


def begin(root: Path, *, run_id: str, if_taken: IfTaken = "replace") -> Path:
    """Create the folder in which the run is built.

    Parameters
    ----------
    root : Path
    run_id : str
    if_taken : {"replace", "rename"}, default="replace"
        ``replace`` empties an earlier interrupted attempt and refuses the id of a finished run. ``rename`` touches
        neither and takes the first free name of ``id``, ``id-2``, ``id-3``…: two runs begun at once never meet.

    Raises
    ------
    ParameterError
        If the id is not a plain file name, if a finished run already bears it, or if the folder cannot be made.
    """
    if not _RUN_ID.fullmatch(run_id) or run_id.endswith(PARTIAL):
        raise ParameterError(
            f"A run id is letters, digits, dots, dashes and underscores, and does not end in {PARTIAL}. Got {run_id!r}."
        )
    try:
        str(root).encode()
    except UnicodeEncodeError as cause:
        raise ParameterError(f"The folder {root!a} bears a name that is not UTF-8. Choose another --out.") from cause
    if if_taken == "rename":
        return _begin_free(root, run_id)
    if (root / run_id).exists():
        raise ParameterError(
            f"The run {root / run_id} exists and a finished run is never edited. Choose another --out, or remove it."
        )
    work = root / f"{run_id}{PARTIAL}"
    try:
        if work.exists():
            shutil.rmtree(work)
        (work / "tables").mkdir(parents=True)
    except OSError as cause:
        raise _cannot_create(work, cause) from cause
    return work


def _begin_free(root: Path, run_id: str) -> Path:
    for name in (run_id, *(f"{run_id}-{n}" for n in range(2, 1000))):
        work = root / f"{name}{PARTIAL}"
        if (root / name).exists():
            continue
        try:
            root.mkdir(parents=True, exist_ok=True)
            work.mkdir()  # fails if another process has just made it
            (work / "tables").mkdir()
        except FileExistsError as cause:
            if not root.is_dir():
                raise _cannot_create(work, cause) from cause
            continue
        except OSError as cause:
            raise _cannot_create(work, cause) from cause
        return work
    raise ParameterError(f"{root} holds a thousand runs named {run_id}. Choose another --out.")


def _cannot_create(work: Path, cause: OSError) -> ParameterError:
    return ParameterError(
        f"The run folder {work} cannot be created: {cause.strerror}. Give a folder you can write to with --out."
    )


def finish(work: Path) -> Path:
    """Give the finished run its name in one rename and return it.

    Raises
    ------
    ContrechampError
        If ``work`` is not a partial run or its final name is taken.
    """
    if not work.name.endswith(PARTIAL):
        raise ContrechampError(f"{work} is not a run being built.")
    final = work.with_name(work.name.removesuffix(PARTIAL))
    if final.exists():
        raise ContrechampError(f"The run {final} appeared while this one was being built; {work} is kept aside.")
    work.replace(final)
    return final


def write_json(path: Path, value: Any) -> None:
    """Write plain values as indented, key-sorted JSON with rounded floats, atomically."""
    text = json.dumps(plain(value), indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
    write_text(path, text)


def read_json(path: Path) -> Any:
    """Read JSON written by :func:`write_json`.

    Raises
    ------
    ContractError
        If the file is missing or is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as cause:
        raise ContractError(f"{path} is missing. Is {path.parent} a finished run folder?") from cause
    except (ValueError, OSError, RecursionError) as cause:
        raise ContractError(f"{path} cannot be read as JSON: {cause}. The folder may be damaged.") from cause


def write_tables(work: Path, tables: Mapping[str, pd.DataFrame]) -> None:
    """Write each table to ``tables/<name>.parquet``."""
    for name, table in sorted(tables.items()):
        write_parquet(table, work / "tables" / f"{name}.parquet")


def read_table(run: Path, name: str) -> pd.DataFrame:
    """Read a table of a run.

    Raises
    ------
    ContractError
        If the run has no such table.
    """
    path = run / "tables" / f"{name}.parquet"
    if not path.is_file():
        known = sorted(p.stem for p in (run / "tables").glob("*.parquet"))
        raise ContractError(f"The run {run} has no table {name!r}. It has: {', '.join(known) or 'none'}.")
    return pd.read_parquet(path)


def list_runs(root: Path) -> list[Path]:
    """Finished runs under ``root``, newest id first. Partial folders are left out."""
    if not root.is_dir():
        return []
    found = [
        p for p in root.iterdir() if p.is_dir() and not p.name.endswith(PARTIAL) and (p / "results.json").is_file()
    ]
    return sorted(found, key=lambda p: p.name, reverse=True)
