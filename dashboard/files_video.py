"""What the video page reads: the runs of ``contrechamp vsa detect`` and ``vsa score``, their tables and their pictures.

A run may come from anybody, so nothing in it is taken at its word. A file counts only if it is a plain file that lies
where it seems to (no link on the way) and is not larger than it should be; a table only if its columns, types and rows
are those expected; a name only if it is a plain one. A path written inside a run is never followed: pictures and clips
are looked for, by name, beside the runs, and scores are paired with what they score by its digest.

What it cannot tell you: who wrote a run. A digest says that two folders belong together.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from contrechamp.domain.errors import ContractError
from contrechamp.domain.situations import SITUATIONS
from contrechamp.domain.text import LANGS, Lang
from contrechamp.domain.video import ALERT_COLUMNS, SITUATION, TRACE_COLUMNS, as_table
from contrechamp.pipelines.vsa_batch import COMMAND as DETECT
from contrechamp.pipelines.vsa_score import PRESET, RUNG, RUNGS
from contrechamp.pipelines.vsa_score_run import COMMAND as SCORE
from contrechamp.pipelines.vsa_steps import CLIP
from contrechamp.store import runs
from contrechamp.store.clips import SIDECAR, VIDEO
from contrechamp.store.files import sha256_file
from dashboard.files import runs_folder

MOST_JSON: Final = 8 << 20
MOST_TABLE: Final = 256 << 20
MOST_ROWS: Final = 5_000_000
MOST_VIDEO: Final = 400 << 20
MOST_PICTURE: Final = 40 << 20
MOST_PIXELS: Final = 60_000_000
#: Longest text of a table: a word that fills the memory is no word.
MOST_TEXT: Final = 2_000
#: More alerts than this are not listed.
MOST_ALERTS: Final = 5_000

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}")
_CAMERA: Final[Mapping[str, str]] = {
    CLIP: "str", "sidecar_sha256": "str", "place": "str", "light": "str", "duration_s": "float64", "status": "str",
    "reason": "str",
}  # fmt: skip
_NUMBERS: Final = ("alerts", "person_h", "stays", "stays_flagged", "share_of_alerts", "share_of_person_h")
_BOUNDED: Final = ("rate", "p_flagged")
_BURDEN: Final[Mapping[str, str]] = {
    SITUATION: "str", RUNG: "str", PRESET: "str", **dict.fromkeys(_NUMBERS, "float64"),
    **{f"{name}{side}": "float64" for name in _BOUNDED for side in ("", "_low", "_high")},
}  # fmt: skip
_JUDGED: Final[Mapping[str, str]] = {
    "scene": "str", RUNG: "str", "alert_id": "int64", SITUATION: "str", "rule_true": "bool", "harm": "bool",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Footage:
    """A run of ``contrechamp vsa detect``, and its scores where there are some.

    Attributes
    ----------
    folder : Path
    detector, tracker : str
    presets : tuple of str
        In the order of the plan.
    cameras : DataFrame
        ``clip_id, sidecar_sha256, place, light, duration_s, status, reason``.
    alerts : DataFrame
        ``clip_id`` and :data:`contrechamp.domain.video.ALERT_COLUMNS`, by clip and time.
    judged : DataFrame or None
        Of the machine's alerts: ``scene, alert_id, situation, rule_true, harm``.
    burden : DataFrame or None
        By ``rung``, ``preset`` and ``situation``: alerts, person-hours, stays, rates with exact bounds.
    """

    folder: Path
    detector: str
    tracker: str
    presets: tuple[str, ...]
    cameras: pd.DataFrame
    alerts: pd.DataFrame
    judged: pd.DataFrame | None
    burden: pd.DataFrame | None

    @property
    def clips(self) -> list[str]:
        """Clips that were watched to their end."""
        return [str(c) for c in self.cameras.loc[self.cameras["status"] == "done", CLIP]]


def footage_folder() -> Path:
    """Folder of the video runs: the environment variable ``CONTRECHAMP_VSA``, or that of the other runs."""
    return Path(os.environ.get("CONTRECHAMP_VSA") or runs_folder())


def plain_file(path: Path, *, under: Path, most: int) -> Path:
    """``path``, if it is a plain file under ``under``, with no link on the way, of ``most`` bytes at most.

    Raises
    ------
    ContractError
        Says which of these does not hold.
    """
    try:
        whole = under.resolve(strict=True)
        if not path.is_file():
            raise ContractError(f"{path} is missing. Is {path.parent} a finished run folder?")
        if path.resolve(strict=True) != whole / path.relative_to(under):
            raise ContractError(f"{path} is a link, or lies behind one, and is not followed.")
        size = path.stat().st_size
    except (OSError, ValueError, RuntimeError) as cause:
        raise ContractError(f"{path} cannot be read: {cause}.") from cause
    if size > most:
        raise ContractError(f"{path} is larger than a file of its kind may be here: {size} bytes, {most} at most.")
    return path


def footage_names(root: Path) -> list[str]:
    """Runs of ``vsa detect`` under ``root``, the latest written first; none when the folder cannot be read."""
    return [p.name for p in _folders(root, DETECT)]


def stamp(root: Path, name: str) -> tuple[int, ...]:
    """When a run and whatever may be its scores were written, to tell them from others made under the same names."""
    told = [root / name, *_folders(root, SCORE)]
    return tuple(_written(p / "run.json") for p in told)


def read_footage(root: Path, name: str) -> Footage:
    """Read a run of ``vsa detect`` and the scores that were made of it.

    Raises
    ------
    ContractError
        If a file is missing, too large, behind a link, or does not hold what it should.
    """
    run = root / name
    told = _json(run / "run.json", under=root)
    try:
        plan = told["plan"]
        detector, tracker, presets = str(plan["detector"]), str(plan["tracker"]), tuple(map(str, plan["presets"]))
    except (KeyError, TypeError) as cause:
        raise ContractError(f"{run / 'run.json'} does not say how its clips were watched ({cause!r}).") from cause
    cameras = _table(run, "cameras", _CAMERA, under=root)
    if not all(_NAME.fullmatch(str(c)) for c in cameras[CLIP]) or cameras[CLIP].duplicated().any():
        raise ContractError(f"{run / 'tables' / 'cameras.parquet'} names a clip twice, or by no plain name.")
    alerts = _table(run, "alerts", {CLIP: "str", **ALERT_COLUMNS}, under=root)
    numbers = alerts[["t_alert_s", "t_since_s", "value", "threshold"]].to_numpy(np.float64)
    if not np.isfinite(numbers).all() or alerts.duplicated([CLIP, "alert_id"]).any():
        raise ContractError(f"{run / 'tables' / 'alerts.parquet'} holds an alert twice, or one without its numbers.")
    judged, burden = _scores(root, run)
    order = alerts.sort_values([CLIP, "t_alert_s", "alert_id"], kind="stable", ignore_index=True)
    return Footage(run, detector, tracker, presets, cameras, order, judged, burden)


def read_trace(root: Path, name: str, *, clip: str, alert: int) -> pd.DataFrame:
    """Why an alert fired, frame by frame: columns of :data:`contrechamp.domain.video.TRACE_COLUMNS`, by time.

    Raises
    ------
    ContractError
        As :func:`read_footage`.
    """
    columns = {CLIP: "str", **TRACE_COLUMNS}
    kept = [(CLIP, "==", clip), ("alert_id", "==", alert)]
    trace = _table(root / name, "trace", columns, under=root, filters=kept)
    if not np.isfinite(trace[["t_s", "clock_s"]].to_numpy(np.float64)).all():
        raise ContractError(f"{root / name / 'tables' / 'trace.parquet'} holds a time that is no number.")
    return trace.sort_values("t_s", kind="stable", ignore_index=True)


def read_roles(run: Path) -> pd.DataFrame | None:
    """Counts of E09 by situation and threshold, in an audit run; None where they cannot be read.

    The results of the run say the same at the T of the claim: without this table the page has that T only.
    """
    columns = {"place": "str", "law": "str", "rule": "str", "repeat": "bool", "T_s": "float64", "role": "str",
               "persons": "float64", "hours": "float64", "flagged": "float64", "alerts": "float64"}  # fmt: skip
    try:
        table = _table(run, "e09_roles", columns, under=run.parent)
    except ContractError:
        return None
    numbers = table[["T_s", "persons", "hours", "flagged", "alerts"]].to_numpy(np.float64)
    sound = np.isfinite(numbers).all() and bool((numbers >= 0).all() and (table["flagged"] <= table["persons"]).all())
    return table if sound and table["role"].isin(list(SITUATIONS)).all() else None


def annotated(root: Path, name: str, clip: str) -> bytes | None:
    """The clip with zones, clocks and alerts drawn on it (``vsa detect --pictures``)."""
    return _video(root / f"{name}-pictures" / f"{clip}.mp4", root)


def sheet_of_alerts(root: Path, name: str, clip: str) -> bytes | None:
    """The frames of its alerts."""
    return _picture(root / f"{name}-pictures" / f"{clip}-alerts.png", root)


def sheet_of_truth(root: Path, clip: str, *, lang: Lang) -> bytes | None:
    """The contact sheet that ``vsa render`` left beside the clip, in another language rather than none."""
    for code in (lang, *(c for c in LANGS if c != lang)):
        for folder in (root, *_plain_folders(root)):
            found = _picture(folder / f"{clip}-{code}.png", root)
            if found is not None:
                return found
    return None


def bare_clip(root: Path, clip: str, *, sidecar_sha256: str) -> bytes | None:
    """The clip as it was filmed, where it lies beside the runs and is the one that was watched."""
    for folder in (root, *_plain_folders(root)):
        try:
            sidecar = plain_file(folder / clip / SIDECAR, under=root, most=MOST_JSON)
            same = sha256_file(sidecar) == sidecar_sha256
        except (ContractError, OSError):
            continue
        if same:
            return _video(folder / clip / VIDEO, root)
    return None


def _folders(root: Path, command: str) -> list[Path]:
    """Run folders of a command, the latest written first."""
    found = []
    for folder in _plain_folders(root):
        if folder.name.endswith(runs.PARTIAL) or not _NAME.fullmatch(folder.name) or not (folder / "tables").is_dir():
            continue
        try:
            told = _json(folder / "run.json", under=root)
        except ContractError:
            continue
        if isinstance(told, dict) and told.get("command") == command:
            found.append(folder)
    return sorted(found, key=lambda p: (_written(p / "run.json"), p.name), reverse=True)


def _plain_folders(root: Path) -> list[Path]:
    """Folders right under ``root`` that are no link."""
    try:
        return sorted(p for p in root.iterdir() if p.is_dir() and not p.is_symlink())
    except OSError:
        return []


def _written(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _json(path: Path, *, under: Path) -> Any:
    return runs.read_json(plain_file(path, under=under, most=MOST_JSON))


def _scores(root: Path, run: Path) -> tuple[pd.DataFrame | None, pd.DataFrame | None]:
    """Judged alerts and burden of a run: its own (a batch scores itself), or those of the folder that scored it."""
    folder: Path | None = run if (run / "tables" / "burden.parquet").is_file() else None
    if folder is None:
        digest = sha256_file(run / "run.json")
        folder = next((p for p in _folders(root, SCORE) if digest in _scored(p, root)), None)
    if folder is None:
        return None, None
    burden = _table(folder, "burden", _BURDEN, under=root)
    judged = _table(folder, "judged", _JUDGED, under=root)
    numbers = burden[[c for c, kind in _BURDEN.items() if kind == "float64"]].to_numpy(np.float64)
    known = burden[RUNG].isin(RUNGS).all() and burden[SITUATION].isin(list(SITUATIONS)).all()
    if not known or np.isinf(numbers).any() or bool((numbers < 0).any()):
        raise ContractError(
            f"{folder / 'tables' / 'burden.parquet'} holds a rung, a situation or a number that is none."
        )
    machine = judged[judged[RUNG] == RUNGS[-1]].drop(columns=RUNG)
    return machine.drop_duplicates(["scene", "alert_id"]), burden


def _scored(folder: Path, root: Path) -> Sequence[str]:
    """Digests of what a folder of scores was made of."""
    inputs = _json(folder / "run.json", under=root).get("inputs")
    entries = inputs if isinstance(inputs, list) else []
    return [str(e.get("sha256")) for e in entries if isinstance(e, dict)]


def _table(
    run: Path, name: str, columns: Mapping[str, str], *, under: Path, filters: list[tuple[str, str, Any]] | None = None
) -> pd.DataFrame:
    """A table of a run, of the columns and types asked; texts stay a dictionary until their lengths are known."""
    path = plain_file(run / "tables" / f"{name}.parquet", under=under, most=MOST_TABLE)
    texts = [c for c, kind in columns.items() if kind == "str"]
    try:
        told = pq.ParquetFile(path).metadata
        if told.num_rows > MOST_ROWS:
            raise ContractError(f"{path} has {told.num_rows} rows; {MOST_ROWS} at most are read here.")
        lacking = [c for c in columns if c not in told.schema.to_arrow_schema().names]
        if lacking:
            raise ContractError(f"{path} lacks {', '.join(lacking)}.")
        table = pq.read_table(path, columns=list(columns), read_dictionary=texts, filters=filters)
        for column in texts:
            for chunk in table[column].chunks:
                words = chunk.dictionary if isinstance(chunk, pa.DictionaryArray) else chunk
                if any(len(str(w)) > MOST_TEXT for w in words.to_pylist()):
                    raise ContractError(f"{path} holds a text of more than {MOST_TEXT} characters.")
        frame = table.to_pandas()
    except (OSError, ValueError, pa.ArrowException, KeyError) as cause:
        raise ContractError(f"{path} cannot be read: {cause}.") from cause
    return as_table(frame, columns, what=name)


def _bytes(path: Path, root: Path, most: int) -> bytes | None:
    try:
        return plain_file(path, under=root, most=most).read_bytes()
    except (ContractError, OSError):
        return None


def _video(path: Path, root: Path) -> bytes | None:
    """An mp4, by its first box."""
    data = _bytes(path, root, MOST_VIDEO)
    return data if data is not None and data[4:8] == b"ftyp" else None


def _picture(path: Path, root: Path) -> bytes | None:
    """A PNG that unpacks to a reasonable number of pixels."""
    data = _bytes(path, root, MOST_PICTURE)
    if data is None or data[:8] != b"\x89PNG\r\n\x1a\n" or data[12:16] != b"IHDR" or len(data) < 33:
        return None
    width, height = struct.unpack(">II", data[16:24])
    return data if 0 < width * height <= MOST_PIXELS else None
