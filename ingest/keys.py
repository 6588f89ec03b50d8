"""The keys under which persons become pseudonyms, each valid for a stretch of time.

A ring holds one key per period; the time of the event says which one a row is treated with. A lake may live its whole
life under a single key, and then nothing here shows: pseudonyms and marks are those of that key alone.

What rotation buys: the pseudonyms of two periods cannot be joined, so what can be learnt about a person from a table is
learnt about one period at a time; a key that leaks gives away its own period; and destroying a key cuts the way back
from its pseudonyms to persons, while counts, places and times stay usable. What it costs: nobody can follow a repeat
across a rotation, the police no more than their auditors, and figures that count distinct persons must be computed
within a period. A pseudonym made under a ring carries the short name of its key (``inf_1f0c…_…``), so that comparing
across periods is visibly comparing different things, and is never a silent "no match".

Late rows are treated under the key of their own period while the ring still holds it, and so are recognised when they
come twice. Once that key is destroyed they can be neither pseudonymised nor recognised: they are set aside as
``key_expired``, never treated under another key.

What it cannot tell you: that a person cannot be followed across a rotation by other means. Habits, places and words in
a text are under no key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from contrechamp.domain.errors import ContractError, ParameterError
from ingest.pseudonyms import check_key, key_mark

#: Digits of a key's mark that stand in its pseudonyms.
NAME_DIGITS: Final = 8

#: Value of :meth:`KeyRing.period_of` where no period of the ring holds the instant.
NO_PERIOD: Final = -1

_SHAPE: Final = (
    "A key ring is a TOML or JSON file with a list `keys`, in the order of their periods; each has `from` (a date or "
    "an instant with an offset; the first may leave it out) and `key` (a text, 16 bytes at least), or, once destroyed, "
    "`mark` and `destroyed = true`"
)


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a ring.

    Attributes
    ----------
    mark : str
        :func:`~ingest.pseudonyms.key_mark` of the secret; outlives it.
    since_us : int or None
        First instant of its period, microseconds since 1970 UTC, by the time of the event; None: from the beginning.
    secret : bytes or None
        None once destroyed.
    bare : bool
        Its pseudonyms do not carry its name: the key of a lake begun before there was a ring.
    """

    mark: str
    since_us: int | None
    secret: bytes | None
    bare: bool = False

    def __repr__(self) -> str:
        """Everything but the secret: representations end in logs."""
        state = "destroyed" if self.secret is None else "held"
        return f"Key(mark={self.mark!r}, since_us={self.since_us}, {state})"

    @property
    def name(self) -> str:
        """What stands in its pseudonyms; "" for a bare key."""
        return "" if self.bare else self.mark[:NAME_DIGITS]


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Keys in the order of their periods. Build it with :func:`single`, :func:`ring_from` or :func:`as_ring`."""

    keys: tuple[Key, ...]

    @property
    def mark(self) -> str:
        """What tells lakes apart: the mark of the first key, and whether its pseudonyms carry its name."""
        first = self.keys[0]
        return first.mark if first.bare else f"ring-{first.mark}"

    @property
    def rotates(self) -> bool:
        """Whether there is anything beyond one bare key."""
        return len(self.keys) > 1 or not self.keys[0].bare

    @property
    def current(self) -> bytes:
        """Secret of the last period, which is never destroyed."""
        secret = self.keys[-1].secret
        assert secret is not None
        return secret

    def period_of(self, t_us: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Position in :attr:`keys` of the period of each instant.

        Parameters
        ----------
        t_us : ndarray of int64, shape (n,)
            Microseconds since 1970 UTC.

        Returns
        -------
        ndarray of int64, shape (n,)
            :data:`NO_PERIOD` before the first period.
        """
        starts = np.array([np.iinfo(np.int64).min if k.since_us is None else k.since_us for k in self.keys], np.int64)
        return np.asarray(np.searchsorted(starts, t_us, side="right") - 1, dtype=np.int64)

    def usable(self, period: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Tell which periods have a key that is still held."""
        held = np.array([k.secret is not None for k in self.keys] + [False])  # the last for NO_PERIOD
        return np.asarray(held[period], dtype=np.bool_)

    def why_not(self, period: int) -> str:
        """Say, for a quarantine line, why the rows of a period cannot be treated."""
        if period == NO_PERIOD:
            return f"no key of the ring is valid before {_iso(self.keys[0].since_us)}"
        return f"the key {self.keys[period].mark[:NAME_DIGITS]} of this period has been destroyed"


def single(key: object) -> KeyRing:
    """Ring of one key, valid always, whose pseudonyms bear no name.

    Raises
    ------
    ParameterError
        If it is no key, or too short.
    """
    secret = check_key(key)
    return KeyRing((Key(key_mark(secret), None, secret, bare=True),))


def as_ring(key: KeyRing | bytes | None) -> KeyRing:
    """Take a ring as it is, and one key as the ring of that key.

    Raises
    ------
    ParameterError
        If it is neither.
    """
    return key if isinstance(key, KeyRing) else single(key)


def ring_from(data: Mapping[str, Any]) -> KeyRing:
    """Build a ring from the plain data of its file.

    Parameters
    ----------
    data : mapping
        ``keys``: a list of tables with ``from``, ``key``, ``mark``, ``destroyed``, ``bare``. The first may be ``bare``:
        the key of a lake begun before there was a ring. ``mark`` is checked where the key is given.

    Raises
    ------
    ParameterError
        If it does not make sense. No message contains a key.

    Examples
    --------
    >>> first, second = {"key": "the key of the first year"}, {"from": "2027-01-01", "key": "of the second year"}
    >>> ring = ring_from({"keys": [first, second]})
    >>> ring.period_of(np.array([0, 1_800_000_000_000_000]))
    array([0, 1])
    """
    entries = data.get("keys")
    if not isinstance(entries, list) or not entries or not all(isinstance(e, Mapping) for e in entries):
        raise ParameterError(f"{_SHAPE}. Got no such list.")
    keys: list[Key] = []
    for position, entry in enumerate(entries):
        keys.append(_key_from(entry, position, last=position == len(entries) - 1))
    starts = [k.since_us for k in keys[1:]]
    if None in starts or any(
        before is not None and after is not None and after <= before
        for before, after in zip([k.since_us for k in keys], starts, strict=False)
    ):
        raise ParameterError(
            "The keys of a ring must be in the order of their periods, each beginning (`from`) after the one before; "
            f"only the first may have no beginning. Got {[_iso(k.since_us) for k in keys]}."
        )
    if len({k.mark for k in keys}) < len(keys) or len({k.name for k in keys}) < len(keys):
        raise ParameterError("Two keys of the ring are the same. A rotation needs a new key: `openssl rand -hex 32`.")
    return KeyRing(tuple(keys))


def _key_from(entry: Mapping[str, Any], position: int, *, last: bool) -> Key:
    where = f"key number {position + 1} of the ring"
    odd = sorted(set(entry) - {"from", "key", "mark", "destroyed", "bare"})
    if odd:
        raise ParameterError(f"{where.capitalize()} has unknown entries: {', '.join(map(str, odd))}. {_SHAPE}.")
    bare, destroyed = entry.get("bare", False), entry.get("destroyed", False)
    if type(bare) is not bool or type(destroyed) is not bool or (bare and position):
        raise ParameterError(
            f"In {where}, `bare` and `destroyed` are true or false, and only the first key may be bare: the one with "
            "which a lake was begun before there was a ring."
        )
    since = None if "from" not in entry else _instant(entry["from"], where)
    text, mark = entry.get("key"), entry.get("mark")
    if destroyed:
        if text is not None or not _is_mark(mark) or last:
            raise ParameterError(
                f"In {where}, which is said to be destroyed, `key` must be gone and `mark` (16 hexadecimal digits, "
                "shown in the table of keys of the lake) must stand in its place; the last key cannot be destroyed, "
                f"since today's rows need it: add its successor first. {_SHAPE}."
            )
        return Key(str(mark), since, None, bare=bare)
    if not isinstance(text, str):
        raise ParameterError(f"In {where}, there is no `key`, nor `destroyed = true`. {_SHAPE}.")
    try:
        secret = check_key(text.encode())
    except ParameterError as short:
        raise ParameterError(f"In {where}: {short}") from None
    if mark not in (None, key_mark(secret)):
        raise ParameterError(
            f"In {where}, `mark` is {mark!r} and the key's own is {key_mark(secret)}: this is another key than the one "
            "the mark was written for."
        )
    return Key(key_mark(secret), since, secret, bare=bare)


def _is_mark(mark: object) -> bool:
    return isinstance(mark, str) and len(mark) == 16 and set(mark) <= set("0123456789abcdef")


def _instant(value: object, where: str) -> int:
    """Microseconds since 1970 of a date (at 00:00 UTC) or of an instant with an offset."""
    try:
        if not isinstance(value, str | date | datetime):
            raise TypeError
        stamp = pd.Timestamp(value)
        if stamp.tzinfo is None:
            if stamp != stamp.normalize():
                raise ValueError
            stamp = stamp.tz_localize("UTC")
        return int(stamp.tz_convert("UTC").as_unit("us").value) // 1000
    except (ValueError, TypeError, OverflowError):
        raise ParameterError(
            f"In {where}, `from` must be a date or an instant with an offset (2027-01-01T00:00:00Z). Got {value!r}."
        ) from None


def _iso(us: int | None) -> str:
    return "the beginning" if us is None else pd.Timestamp(us, unit="us", tz="UTC").isoformat()


def check_succession(ring: KeyRing, known: Mapping[str, int | None], *, latest_us: int | None) -> tuple[Key, ...]:
    """Check that a ring continues the keys a lake has been built with; return those that are new to it.

    Parameters
    ----------
    ring : KeyRing
    known : mapping of str to int or None
        Mark and beginning of each key the lake knows. Empty for a lake that has seen no ring.
    latest_us : int or None
        Latest event in the lake.

    Raises
    ------
    ContractError
        If a key the lake knows is missing or has other dates, or a new key begins before the latest event committed:
        one person would bear two pseudonyms in one period.
    """
    given = {k.mark: k.since_us for k in ring.keys}
    for mark, since in known.items():
        if given.get(mark, "absent") != since:
            raise ContractError(
                f"The key {mark[:NAME_DIGITS]} of this lake, valid from {_iso(since)}, is "
                + ("not in the ring" if mark not in given else f"said by the ring to begin at {_iso(given[mark])}")
                + ". A ring only grows: a key that is no longer held stays in it with its mark and destroyed = true."
            )
    new = tuple(k for k in ring.keys if k.mark not in known)
    for key in new:
        if key is ring.keys[0] and not known:
            continue  # with no key known, what the lake holds is under the first: its own mark says so
        held = [us for us in (latest_us, *known.values()) if us is not None]
        if key.since_us is None or any(us >= key.since_us for us in held):
            raise ContractError(
                f"The key {key.mark[:NAME_DIGITS]} is new to this lake and begins at {_iso(key.since_us)}, but the "
                f"lake already holds keys or events up to {_iso(max(held, default=None))}: one person would bear two "
                "pseudonyms in one period. Let the new key begin after the last event committed."
            )
    return new
