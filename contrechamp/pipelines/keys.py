"""The key ring: read from its file, and checked against the keys that a lake has been built with.

What it cannot tell you: who else has read the file. Its permissions are looked at when it is read, and copies of it are
not known here.
"""

from __future__ import annotations

import json
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pandas as pd

from contrechamp.domain.errors import ParameterError
from contrechamp.store import retention
from ingest.keys import KeyRing, check_succession, ring_from, single

#: Environment variables: one key, or the file of a ring of keys.
KEY_VARIABLE: Final = "CONTRECHAMP_PSEUDONYM_KEY"
RING_VARIABLE: Final = "CONTRECHAMP_KEYS"


def ring_of(environment: Mapping[str, str]) -> KeyRing:
    """Ring of keys of the file named by :data:`RING_VARIABLE`, or of the one key in :data:`KEY_VARIABLE`.

    Raises
    ------
    ParameterError
        If neither is set, or both, or what is there is no key. No message contains a key.
    """
    path, key = environment.get(RING_VARIABLE, ""), environment.get(KEY_VARIABLE, "").encode()
    if path and key:
        raise ParameterError(
            f"{RING_VARIABLE} and {KEY_VARIABLE} are both set, and a lake has one or the other. To begin a ring with "
            f"the key of a lake, make it the first key of the file, with bare = true, and unset {KEY_VARIABLE}."
        )
    if path:
        return load_ring(Path(path))
    if len(key) < 16:
        raise ParameterError(
            f"The pseudonymisation key must hold at least 16 bytes and be kept secret. Got {len(key)}. "
            f"Set {KEY_VARIABLE}, for instance with: export CONTRECHAMP_PSEUDONYM_KEY=$(openssl rand -hex 32)"
        )
    return single(key)


def load_ring(path: Path) -> KeyRing:
    """Read a key ring from a TOML or JSON file that only its owner can read.

    Raises
    ------
    ParameterError
        If the file is missing, open to others, unreadable or does not make sense. No message contains a key.
    """
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise ParameterError(f"The key ring {path} is not a file.")
        if mode & 0o077:
            raise ParameterError(
                f"The key ring {path} can be read or changed by others (permissions {stat.S_IMODE(mode):04o}): whoever "
                f"reads it can undo every pseudonym. Close it with: chmod 600 {path}"
            )
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as cause:
        raise ParameterError(f"The key ring {path} cannot be read ({type(cause).__name__}).") from None
    try:
        data = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
        if not isinstance(data, dict):
            raise ValueError
    except (ValueError, RecursionError):  # the parser's own words may quote the line at fault, and a key with it
        raise ParameterError(f"The key ring {path} is neither TOML nor, if it ends in .json, a JSON object.") from None
    return ring_from(data)


def register(lake: str | Path, ring: KeyRing, *, storage_options: dict[str, str] | None = None) -> None:
    """Check that a ring continues the keys of a lake, and note those that are new to it.

    A lake under one key only needs no note: its tables bear the mark of the key.

    Raises
    ------
    ContractError
        If it does not (:func:`~ingest.keys.check_succession`).
    """
    known = retention.known_keys(lake, storage_options=storage_options)
    if not known and not ring.rotates:
        return
    given = {k.mark: k.since_us for k in ring.keys}
    if known == given:
        return
    latest = retention.latest_event(lake, storage_options=storage_options)
    new = check_succession(ring, known, latest_us=latest)
    lines = pd.DataFrame(
        {
            "since": pd.Series(
                [None if k.since_us is None else pd.Timestamp(k.since_us, unit="us", tz="UTC") for k in new],
                dtype="datetime64[us, UTC]",
            ),
            "mark": pd.array([k.mark for k in new], dtype="str"),
        }
    )
    retention.note_keys(lake, lines, storage_options=storage_options)
