"""Follow: drop the files of a generated world into a landing folder as its time passes, so that an ingest has work.

A file is dropped when its period is over, at local midnight: a week's file on the Monday after. What has no period in
its name is there from the start. Only names are looked at, never what is inside. Each file appears whole, in one step.
What already lies in the landing folder is not dropped again, and a run that was stopped goes on from there.

What it cannot tell you: how a city's files really come. Here they are on time; lateness is inside them.
"""

from __future__ import annotations

import datetime as dt
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from contrechamp.domain.errors import IntegrityError, ParameterError, bad_parameter
from contrechamp.domain.protocols import Progress, silent
from contrechamp.store.files import sha256_file

STEP: Final = "follow"
#: Clock whose midnights open and close periods.
_TZ: Final = ZoneInfo("Europe/Paris")
_PERIOD: Final = re.compile(r"_(\d{4})(?:-W(\d{2})|-(\d{2})(?:-(\d{2}))?)?(?=\.)")
_PARTIAL: Final = ".partial"


@dataclass(frozen=True, slots=True)
class Due:
    """A file to drop.

    Attributes
    ----------
    at : datetime, optional
        When its period is over, UTC; ``None`` when it has none.
    begins : datetime, optional
        When its period begins.
    path : str
        Where it lies, below the source and below the landing folder alike.
    """

    at: dt.datetime | None
    begins: dt.datetime | None
    path: str


@dataclass(frozen=True, slots=True)
class FollowSummary:
    """What was done.

    Attributes
    ----------
    dropped, already : int
        Files dropped now, and files that were there before.
    left : int
        Files still to drop when it stopped.
    reached : datetime, optional
        Simulated instant, UTC, at which it stopped; ``None`` if no file has a period.
    interrupted : bool
        Whether it was asked to stop before the end.
    """

    dropped: int
    already: int
    left: int
    reached: dt.datetime | None
    interrupted: bool


def period_of(name: str) -> tuple[dt.datetime, dt.datetime] | None:
    """Instants that open and close the period in a file's name, UTC; ``None`` when there is none.

    Examples
    --------
    >>> [t.isoformat() for t in period_of("mc_2017-W01.jsonl.gz")]
    ['2017-01-01T23:00:00+00:00', '2017-01-08T23:00:00+00:00']
    >>> period_of("lieux.geojson.gz") is None
    True
    """
    match = _PERIOD.search(name)
    if match is None:
        return None
    year = int(match[1])
    week, month, day = (int(part) if part else None for part in match.groups()[1:])
    try:
        if week is not None:
            first = dt.date.fromisocalendar(year, week, 1)
            last = first + dt.timedelta(days=7)
        elif month is None:
            first, last = dt.date(year, 1, 1), dt.date(year + 1, 1, 1)
        elif day is None:
            first = dt.date(year, month, 1)
            last = (first + dt.timedelta(days=31)).replace(day=1)
        else:
            first = dt.date(year, month, day)
            last = first + dt.timedelta(days=1)
    except ValueError:
        return None
    return _midnight(first), _midnight(last)


def schedule(source: Path) -> list[Due]:
    """Files of a generated landing folder in the order they are dropped: those without a period first.

    Raises
    ------
    ParameterError
        If there is no such folder, or no file in it.
    """
    if not source.is_dir():
        raise ParameterError(
            f"There is no folder {source} to follow. Give the `landing` folder of a world that `contrechamp generate` "
            "has drawn."
        )
    found = []
    for path in sorted(source.rglob("*")):
        relative = path.relative_to(source)
        hidden = any(part.startswith(".") for part in relative.parts) or path.name.endswith(_PARTIAL)
        if path.is_file() and not hidden:
            period = period_of(path.name)
            begins, at = period if period else (None, None)
            found.append(Due(at, begins, relative.as_posix()))
    if not found:
        raise ParameterError(
            f"The folder {source} holds no file to drop. Give the `landing` folder of a world that `contrechamp "
            "generate` has drawn."
        )
    return sorted(found, key=lambda due: (due.at is not None, due.at or dt.datetime.min, due.path))


def follow(
    source: Path,
    landing: Path,
    *,
    speed: float,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    start: dt.datetime | None = None,
    progress: Progress = silent,
) -> FollowSummary:
    """Drop the files of ``source`` into ``landing`` as simulated time passes.

    Parameters
    ----------
    source, landing : Path
        The landing folder of a generated world, and the folder to fill (made if missing).
    speed : float
        Simulated seconds per real second.
    clock : callable
        Real seconds from any origin, never going back (``time.monotonic``).
    sleep : callable
        Waits so many real seconds (``time.sleep``).
    start : datetime, optional
        Simulated instant to start from, tz-aware: what was due by then is dropped at once. Otherwise, the end of the
        last period already in ``landing``, or the beginning of the first period of the world.
    progress : Progress, default=silent

    Raises
    ------
    ParameterError
        If the speed is not positive, if ``start`` has no time zone, if a folder is within the other, or if there is
        nothing to follow.
    IntegrityError
        If ``landing`` holds a file of the same name that is not the same file.

    Notes
    -----
    Interrupted by the keyboard, it returns what it did: no file is ever half there.
    """
    if not 0 < speed < float("inf"):
        raise bad_parameter(name="speed", where="follow", must="a number in (0, inf)", got=speed)
    if start is not None and start.tzinfo is None:
        raise bad_parameter(name="start", where="follow", must="an instant with a time zone", got=start)
    here, there = source.resolve(), landing.resolve()
    if here == there or here in there.parents or there in here.parents:
        raise ParameterError(
            f"The folder to follow and the one to fill must lie apart. Got {source} and {landing}. Choose another "
            "landing folder."
        )
    todo, already, latest = [], 0, None
    every = schedule(source)
    for due in every:
        target = landing / due.path
        if not target.exists():
            todo.append(due)
            continue
        _check_same(source / due.path, target)
        already += 1
        latest = max((at for at in (latest, due.at) if at is not None), default=None)
    begin = start or latest or min((due.begins for due in every if due.begins is not None), default=None)
    origin, dropped, now = clock(), 0, begin
    progress(STEP, already, len(every))
    try:
        for due in todo:
            if due.at is not None and begin is not None:
                while (now := _passed(begin, clock() - origin, speed)) < due.at:
                    sleep((due.at - now).total_seconds() / speed)
            _drop(source / due.path, landing / due.path)
            dropped += 1
            progress(STEP, already + dropped, len(every))
    except KeyboardInterrupt:
        return FollowSummary(dropped, already, len(todo) - dropped, now, interrupted=True)
    return FollowSummary(dropped, already, 0, now, interrupted=False)


def _passed(begin: dt.datetime, real_s: float, speed: float) -> dt.datetime:
    """Simulated instant after so many real seconds; the end of time when it is further than that."""
    try:
        return begin.astimezone(dt.UTC) + dt.timedelta(seconds=real_s * speed)
    except OverflowError:
        return dt.datetime.max.replace(tzinfo=dt.UTC)


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), tzinfo=_TZ).astimezone(dt.UTC)


def _drop(source: Path, target: Path) -> None:
    """Copy a file under a hidden name beside its target, then rename it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}{_PARTIAL}")
    try:
        shutil.copyfile(source, partial)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _check_same(source: Path, target: Path) -> None:
    if source.stat().st_size != target.stat().st_size or sha256_file(source) != sha256_file(target):
        raise IntegrityError(
            f"{target} is not the file of that name in {source.parent}: the landing folder holds another world, or "
            "the file was changed. Choose an empty landing folder, or remove that file so that it is dropped again."
        )
