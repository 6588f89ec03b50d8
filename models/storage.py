"""A fitted predictor as two small files, and back: ``params.json`` says what it is, ``arrays.npz`` what it learned.

Nothing that is read can run: the JSON names a predictor of :data:`models.PREDICTORS`, and the arrays are plain numbers.
A file from anywhere is checked before anything of the size it announces is made: digests first, then names, types and
shapes. This module turns predictors into bytes and back; who owns a disk puts them there.

What it cannot tell you: a digest shows that a file is the one that was written, not who wrote it, on which records, nor
whether the predictor is any good.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import struct
import zipfile
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from contrechamp.domain.errors import ContractError, IntegrityError, ParameterError
from models import PREDICTORS, predictor_class
from models.base import BasePredictor

PARAMS: Final = "params.json"
ARRAYS: Final = "arrays.npz"
FORMAT: Final = 1
#: Most bytes of each file.
MAX_PARAMS_BYTES: Final = 1 << 20
MAX_ARRAYS_BYTES: Final = 1 << 31
#: Most arrays in one file.
MAX_ARRAYS: Final = 256
#: Kinds of numbers that may be stored: bool, integers, floats, text.
_KINDS: Final = "biufU"


def dumps(predictor: BasePredictor, *, versions: Mapping[str, str] | None = None) -> dict[str, bytes]:
    """Write a fitted predictor as bytes, by file name.

    Parameters
    ----------
    predictor : BasePredictor
        Fitted, and registered.
    versions : mapping of str to str, optional
        Programs it was made with, by name; numpy's is added.

    Returns
    -------
    dict of str to bytes
        ``params.json`` and ``arrays.npz``. The same predictor gives the same bytes.

    Raises
    ------
    ParameterError
        If it is not fitted, not registered, or learned something that is no plain array.
    """
    key = key_of(predictor)
    arrays = {name: np.asarray(value) for name, value in predictor.to_arrays().items()}
    odd = sorted(name for name, value in arrays.items() if value.dtype.kind not in _KINDS)
    if odd:
        raise ParameterError(
            f"The predictor {key} keeps {', '.join(odd)}, which is no array of numbers: it cannot be stored without "
            "pickle. Keep what it learned as arrays, and name them in LEARNED."
        )
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **{name: arrays[name] for name in sorted(arrays)})
    packed = buffer.getvalue()
    record = {
        "format": FORMAT,
        "key": key,
        "class": PREDICTORS[key],
        "params": {name: _number(value) for name, value in predictor.get_params().items()},
        "n_days": int(predictor.n_days_),
        "n_days_used": int(predictor.n_days_used_),
        "n_cells": int(arrays["surface_"].size),
        "versions": {"numpy": np.__version__} | dict(versions or {}),
        "arrays_sha256": hashlib.sha256(packed).hexdigest(),
    }
    record["sha256"] = _digest(record)
    text = json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
    return {PARAMS: text.encode(), ARRAYS: packed}


def loads(files: Mapping[str, bytes]) -> BasePredictor:
    """Rebuild a predictor from :func:`dumps`.

    Returns
    -------
    BasePredictor
        It predicts the day after the last one it saw; for another day, ``fit`` it again.

    Raises
    ------
    IntegrityError
        If a digest does not match.
    ContractError
        If a file is missing, too large, not what it should be, or does not hold what its predictor needs.
    ParameterError
        If the predictor does not exist here or a parameter is out of its domain.
    """
    record = describe(files)
    packed = files.get(ARRAYS)
    if packed is None:
        raise ContractError(f"A stored predictor needs {PARAMS} and {ARRAYS}. {ARRAYS} is missing.")
    found = hashlib.sha256(packed).hexdigest()
    if found != record["arrays_sha256"]:
        raise IntegrityError(
            f"{ARRAYS} is not the file that {PARAMS} describes: its SHA-256 is {found}, the one written down "
            f"{record['arrays_sha256']}. Fetch both files again, or fit the predictor again."
        )
    cls = predictor_class(record["key"])
    arrays = read_arrays(packed)
    expected = {"surface_", "n_days_", "n_days_used_", *cls.LEARNED}
    if set(arrays) != expected:
        raise ContractError(
            f"{ARRAYS} must hold {', '.join(sorted(expected))} for {record['key']}. "
            f"Missing: {', '.join(sorted(expected - set(arrays))) or 'none'}; "
            f"not known: {', '.join(sorted(set(arrays) - expected)) or 'none'}."
        )
    surface = arrays["surface_"]
    days = [arrays[name] for name in ("n_days_", "n_days_used_")]
    whole = all(day.ndim == 0 and day.dtype.kind in "iu" and day >= 0 for day in days)
    if not (whole and surface.ndim == 1 and surface.dtype.kind == "f" and np.isfinite(surface).all()):
        raise ContractError(f"{ARRAYS} must hold a map of finite numbers, one per cell, and whole numbers of days.")
    said = [record["n_days"], record["n_days_used"], record["n_cells"]]
    if (surface < 0).any() or [*(int(day) for day in days), surface.size] != said:
        raise ContractError(
            f"{ARRAYS} holds a map below 0, or other days or cells than {PARAMS} says. Fit the predictor again."
        )
    return cls.from_arrays(record["params"], arrays)


def describe(files: Mapping[str, bytes]) -> dict[str, Any]:
    """What ``params.json`` says, checked against its own digest: key, parameters, days, versions.

    Raises
    ------
    IntegrityError, ContractError, ParameterError
        As :func:`loads`.
    """
    text = files.get(PARAMS)
    if text is None or len(text) > MAX_PARAMS_BYTES:
        got = "none" if text is None else f"{len(text)} bytes"
        raise ContractError(f"A stored predictor needs a {PARAMS} of at most {MAX_PARAMS_BYTES} bytes. Got {got}.")
    try:
        record = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as cause:
        raise ContractError(f"{PARAMS} cannot be read as JSON: {cause}. Fetch it again.") from cause
    needed: dict[str, type] = {
        "format": int, "key": str, "class": str, "params": dict, "n_days": int, "n_days_used": int, "n_cells": int,
        "versions": dict, "arrays_sha256": str, "sha256": str,
    }  # fmt: skip
    if not isinstance(record, dict) or set(record) != set(needed):
        raise ContractError(f"{PARAMS} must be an object with {', '.join(sorted(needed))}.")
    wrong = sorted(name for name, kind in needed.items() if type(record[name]) is not kind)
    if wrong:
        raise ContractError(f"{PARAMS} holds a value of the wrong kind for {', '.join(wrong)}.")
    if record["format"] != FORMAT:
        raise ContractError(f"{PARAMS} is in format {record['format']}; this program reads format {FORMAT}.")
    if record["sha256"] != _digest({name: value for name, value in record.items() if name != "sha256"}):
        raise IntegrityError(f"{PARAMS} was changed after it was written: its own SHA-256 does not match.")
    predictor_class(record["key"])
    return dict(record)


def key_of(predictor: BasePredictor) -> str:
    """Key of a predictor in :data:`models.PREDICTORS`.

    Raises
    ------
    ParameterError
        If its class is not registered.
    """
    cls = type(predictor)
    for key, where in PREDICTORS.items():
        if where == f"{cls.__module__}:{cls.__qualname__}":
            return key
    raise ParameterError(
        f"{cls.__qualname__} is not a registered predictor. Those that exist are {', '.join(PREDICTORS)}."
    )


def read_arrays(packed: bytes, *, max_bytes: int = MAX_ARRAYS_BYTES) -> dict[str, npt.NDArray[Any]]:
    """Read plain arrays from the bytes of an ``.npz``, trusting nothing in it.

    Only what :func:`numpy.savez` writes is read: members without compression, named like a Python name, each holding
    exactly the bytes that its shape and type announce. Nothing is unpickled and nothing is written.

    Raises
    ------
    ContractError
        Otherwise.
    """
    if len(packed) > max_bytes:
        raise ContractError(f"{ARRAYS} must hold at most {max_bytes} bytes. Got {len(packed)}.")
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            members = archive.infolist()
            if len(members) > MAX_ARRAYS:
                raise ContractError(f"{ARRAYS} must hold at most {MAX_ARRAYS} arrays. Got {len(members)}.")
            names = [member.filename.removesuffix(".npy") for member in members]
            for member, name in zip(members, names, strict=True):
                if not (member.filename.endswith(".npy") and name.isidentifier() and name.isascii()):
                    raise ContractError(f"{ARRAYS} holds {member.filename!r}, which names no array.")
                if member.compress_type != zipfile.ZIP_STORED or member.file_size > len(packed):
                    raise ContractError(f"{ARRAYS} holds {name} compressed: arrays are stored as they are.")
            if len(set(names)) != len(names):
                raise ContractError(f"{ARRAYS} holds two arrays of one name.")
            return {name: _array(archive.read(member), name) for member, name in zip(members, names, strict=True)}
    except (
        zipfile.BadZipFile,
        EOFError,
        OSError,
        ValueError,
        NotImplementedError,
        RuntimeError,
        struct.error,
    ) as cause:
        raise ContractError(f"{ARRAYS} cannot be read: {cause}. It should be a complete .npz file.") from cause


def _array(data: bytes, name: str) -> npt.NDArray[Any]:
    file = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(file)
        read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
        shape, fortran, dtype = read(file)
    except (ValueError, KeyError, TypeError, SyntaxError, MemoryError, RecursionError) as cause:
        raise ContractError(f"The array {name} of {ARRAYS} has no header that can be read: {cause}.") from cause
    if dtype.hasobject or dtype.kind not in _KINDS or not dtype.itemsize:
        raise ContractError(f"The array {name} of {ARRAYS} holds {dtype}: only numbers and texts are read.")
    body = data[file.tell() :]
    sides_ok = all(isinstance(side, int) and side >= 0 for side in shape) and len(shape) <= 8
    if not sides_ok or math.prod(shape) * dtype.itemsize != len(body):
        raise ContractError(
            f"The array {name} of {ARRAYS} announces shape {shape} of {dtype} and holds {len(body)} bytes."
        )
    flat = np.frombuffer(body, dtype=dtype) if body else np.zeros(0, dtype=dtype)
    return flat.reshape(shape, order="F" if fortran else "C").copy()


def _digest(record: Mapping[str, Any]) -> str:
    text = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _number(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
