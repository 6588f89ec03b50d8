"""Predictors as bytes: the same back, and nothing from a hostile file."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from contrechamp.domain.errors import ContractError, ContrechampError, IntegrityError, ParameterError
from contrechamp.domain.grid import Grid
from contrechamp.domain.history import Covariates
from models import PREDICTORS, load_predictor
from models.base import BasePredictor
from models.storage import ARRAYS, PARAMS, dumps, key_of, loads, read_arrays

GRID = Grid(0.0, 0.0, 250.0, np.ones((4, 5), dtype=bool))
COUNTS = np.random.default_rng(0).poisson(0.5, (60, GRID.n_cells))
BESIDE = Covariates(places={"bars": np.arange(20.0), "stations": np.arange(20.0) % 7})


def _fitted(key: str = "retro-quartic", **params: Any) -> BasePredictor:
    return load_predictor(key, **params).fit(COUNTS, grid=GRID, covariates=BESIDE)


def _rehashed(files: dict[str, bytes], **changes: Any) -> dict[str, bytes]:
    """The files after somebody who knows the format changed them and wrote the digests again."""
    record = json.loads(files[PARAMS]) | {"arrays_sha256": hashlib.sha256(files[ARRAYS]).hexdigest()} | changes
    record.pop("sha256")
    text = json.dumps(record, sort_keys=True, separators=(",", ":"))
    record["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    return {PARAMS: json.dumps(record).encode(), ARRAYS: files[ARRAYS]}


def _npz(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def _zipped(name: str, data: bytes, compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.writestr(name, data)
    return buffer.getvalue()


def _npy(header: str, body: bytes = b"") -> bytes:
    padded = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded + body


#: Parameters that are not the defaults, or make a costly predictor quick.
OTHER: dict[str, dict[str, Any]] = {
    "retro-quartic": {"bandwidth_m": 400.0}, "etas-per-cell": {"estimator": "em-published"},
    "st-net": {"width": 2, "blocks": 1, "epochs": 1}, "ensemble": {"members": "uniform+trailing-mean"},
    "knox": {"permutations": 9}, "sepp": {"iterations": 2}, "gbm": {"trees": 3},
}  # fmt: skip


@pytest.mark.parametrize("key", PREDICTORS)
def test_the_same_predictor_comes_back(key: str) -> None:
    fitted = _fitted(key, **OTHER.get(key, {}))
    files = dumps(fitted)
    again = loads(files)
    assert type(again) is type(fitted)
    assert again.get_params() == fitted.get_params()
    assert (again.predict() == fitted.predict()).all()
    for name in fitted.LEARNED:
        np.testing.assert_array_equal(getattr(again, name), getattr(fitted, name))
    assert dumps(again) == files == dumps(fitted)


def test_what_is_written_can_be_read_by_a_person() -> None:
    record = json.loads(dumps(_fitted(bandwidth_m=250.5), versions={"contrechamp": "1"})[PARAMS])
    assert record["key"] == "retro-quartic"
    assert record["class"] == "models.retrospective:RetroQuartic"
    assert record["params"] == {"bandwidth_m": 250.5, "window_days": 56}
    assert (record["n_days"], record["n_days_used"], record["n_cells"]) == (60, 56, 20)
    assert record["versions"] == {"numpy": np.__version__, "contrechamp": "1"}


def test_what_is_not_a_fitted_registered_predictor_of_arrays_is_refused() -> None:
    with pytest.raises(ParameterError, match="before fit"):
        dumps(load_predictor("uniform"))

    class Stranger(BasePredictor):
        """Not in the table."""

    with pytest.raises(ParameterError, match="Stranger is not a registered predictor"):
        key_of(Stranger())
    odd = _fitted("etas-per-cell")
    odd.predict()
    odd.mu_per_day_ = np.array([object()])  # type: ignore[attr-defined]
    with pytest.raises(ParameterError, match="keeps mu_per_day_, which is no array of numbers"):
        dumps(odd)


def test_a_digest_that_does_not_match_is_refused() -> None:
    files = dumps(_fitted())
    other = dumps(_fitted(bandwidth_m=500.0))
    with pytest.raises(IntegrityError, match=r"arrays\.npz is not the file that params\.json describes"):
        loads({PARAMS: files[PARAMS], ARRAYS: other[ARRAYS]})
    with pytest.raises(IntegrityError, match=r"params\.json was changed"):
        loads({PARAMS: files[PARAMS].replace(b"300.0", b"310.0"), ARRAYS: files[ARRAYS]})
    with pytest.raises(IntegrityError):
        loads({PARAMS: files[PARAMS], ARRAYS: files[ARRAYS][:-40]})


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"key": "oracle"}, ParameterError, "No predictor is called 'oracle'"),
        ({"key": "os:system"}, ParameterError, "No predictor is called"),
        ({"key": "trailing-mean"}, ParameterError, "has no parameter 'bandwidth_m'"),
        ({"params": {"bandwidth_m": -1}}, ParameterError, "bandwidth_m"),
        ({"params": {"bandwidth_m": float("nan")}}, ParameterError, "bandwidth_m"),
        ({"params": []}, ContractError, "wrong kind for params"),
        ({"n_days": True}, ContractError, "wrong kind for n_days"),
        ({"n_days": 61}, ContractError, "other days or cells"),
        ({"n_cells": 21}, ContractError, "other days or cells"),
        ({"format": 2}, ContractError, "reads format 1"),
        ({"more": 1}, ContractError, "must be an object with"),
    ],
)
def test_params_are_checked_even_when_their_digest_was_written_again(
    changes: dict[str, Any], error: type[ContrechampError], message: str
) -> None:
    with pytest.raises(error, match=message):
        loads(_rehashed(dumps(_fitted()), **changes))


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b" " * (2 << 20), b'{"a":1}'])
def test_params_that_are_not_ours(text: bytes) -> None:
    with pytest.raises(ContractError, match=r"params\.json"):
        loads({**dumps(_fitted()), PARAMS: text})


def test_files_that_are_missing() -> None:
    files = dumps(_fitted())
    with pytest.raises(ContractError, match=r"needs a params\.json.*Got none"):
        loads({ARRAYS: files[ARRAYS]})
    with pytest.raises(ContractError, match=r"arrays\.npz is missing"):
        loads({PARAMS: files[PARAMS]})


GOOD = {"surface_": np.ones(20), "n_days_": np.int64(60), "n_days_used_": np.int64(56)}


@pytest.mark.parametrize(
    ("packed", "message"),
    [
        (_npz(surface_=np.ones(20), n_days_=np.int64(60)), "Missing: n_days_used_; not known: none"),
        (_npz(**GOOD, extra=np.ones(2)), "not known: extra"),
        (_npz(**GOOD | {"surface_": np.array([object()] * 20)}), "only numbers and texts"),
        (_npz(**GOOD | {"surface_": np.zeros(20, dtype=[("a", "f8")])}), "only numbers and texts"),
        (_npz(**GOOD | {"surface_": np.full(20, np.nan)}), "finite numbers"),
        (_npz(**GOOD | {"surface_": np.full(20, -1.0)}), "below 0"),
        (_npz(**GOOD | {"surface_": np.ones((4, 5))}), "one per cell"),
        (_npz(**GOOD | {"n_days_": np.array([60])}), "whole numbers of days"),
        (_npz(**GOOD | {"n_days_": np.float64(60)}), "whole numbers of days"),
    ],
)
def test_arrays_that_no_such_predictor_holds(packed: bytes, message: str) -> None:
    with pytest.raises(ContractError, match=message):
        loads(_rehashed({**dumps(_fitted()), ARRAYS: packed}))


HUGE = _npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }", bytes(16))


@pytest.mark.parametrize(
    ("packed", "message"),
    [
        (b"", "cannot be read"),
        (b"PK\x03\x04 and no more", "cannot be read"),
        (_npz(**GOOD)[:200], "cannot be read"),
        (_zipped("surface_.npy", HUGE), "announces shape"),
        (_zipped("surface_.npy", _npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-1, -2), }", bytes(16))),
         "announces shape"),
        (_zipped("surface_.npy", _npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", b"cos\nsystem\n.")),
         "only numbers and texts"),
        (_zipped("surface_.npy", _npy("__import__('os').getcwd()")), "no header that can be read"),
        (_zipped("surface_.npy", b"not an array"), "no header that can be read"),
        (_zipped("../../surface_.npy", _npy("{}")), "names no array"),
        (_zipped("/etc/passwd", b"x"), "names no array"),
        (_zipped("surface_.npy/", b""), "names no array"),
        (_zipped("surface_.npy", bytes(1 << 20), zipfile.ZIP_DEFLATED), "compressed"),
    ],
)  # fmt: skip
def test_hostile_archives(packed: bytes, message: str) -> None:
    with pytest.raises(ContractError, match=message):
        read_arrays(packed)
    with pytest.raises(ContractError, match=message):
        loads(_rehashed({**dumps(_fitted()), ARRAYS: packed}))


def test_an_archive_too_large_is_refused_unread() -> None:
    with pytest.raises(ContractError, match="at most 1000 bytes"):
        read_arrays(_npz(a=np.zeros(1000)), max_bytes=1000)
    with pytest.raises(ContractError, match="at most 256 arrays"):
        read_arrays(_npz(**{f"a{i}": np.zeros(1) for i in range(257)}))


@pytest.mark.parametrize("damage", [lambda b, i: b[:i], lambda b, i: b[:i] + bytes([b[i] ^ 0x55]) + b[i + 1 :]])
def test_no_damage_passes_or_crashes(damage: Callable[[bytes, int], bytes]) -> None:
    files = dumps(_fitted("uniform"))
    for name, step in ((PARAMS, 7), (ARRAYS, 29)):
        for i in range(0, len(files[name]), step):
            with pytest.raises(ContrechampError):
                loads({**files, name: damage(files[name], i)})


def test_an_array_of_fortran_order_and_an_empty_one() -> None:
    given = {"a": np.asfortranarray(np.arange(6.0).reshape(2, 3)), "b": np.zeros((0, 4)), "c": np.array(["é", "ab"])}
    read = read_arrays(_npz(**given))
    for name, value in given.items():
        np.testing.assert_array_equal(read[name], value)
        assert read[name].dtype == value.dtype
        assert read[name].flags.writeable
