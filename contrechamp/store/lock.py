"""Many may bring files into a lake at once; nobody may while rows are being removed from it.

A lock of the operating system on the folder of the lake, shared by the ingests and held alone by a purge: it leaves no
file, and goes with the process that held it, however that process ends. Two ingests need none between them, their
commits are transactions; a purge does, because it takes away files that a commit in the making already relies on.

What it cannot tell you: whether another machine is at work on the same lake. On an object store there is no such lock,
and a purge there leaves young files that no version of the table knows of (see :mod:`contrechamp.store.retention`).
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

from contrechamp.domain.errors import CapabilityError, ContractError

P = ParamSpec("P")
R = TypeVar("R")

#: What a file system without locks answers.
_NO_LOCKS: Final = frozenset({errno.ENOLCK, errno.ENOTSUP, errno.EINVAL})


def local_folder(lake: str | Path) -> Path | None:
    """Folder of a lake on this machine's file system; None for an object store."""
    text = str(lake)
    if text.startswith("file://"):
        return Path(text.removeprefix("file://"))
    return None if "://" in text else Path(text)


@contextmanager
def held(lake: str | Path, *, alone: bool) -> Iterator[bool]:
    """Hold the lock of a lake, with others or alone.

    Parameters
    ----------
    lake : str or Path
    alone : bool
        Alone: refuse at once if anybody is at work. Otherwise: wait until whoever is alone has ended.

    Yields
    ------
    bool
        Whether there is a lock: an object store and some file systems have none.

    Raises
    ------
    ContractError
        If the lock is wanted alone and others are at work.
    CapabilityError
        If there is no such folder and none can be made.
    """
    folder = local_folder(lake)
    if folder is None or (alone and not folder.is_dir()):
        yield False
        return
    made = not folder.is_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
    except OSError as cause:
        raise CapabilityError(
            f"The lake {lake} cannot be opened, nor made: {cause.strerror}. Nothing was read or written. Give a folder "
            "on a disk that lets you write."
        ) from cause
    try:
        yield _taken(handle, lake, alone=alone)
    finally:
        os.close(handle)
        if made:
            with suppress(OSError):  # only if nothing came into it
                folder.rmdir()


def _taken(handle: int, lake: str | Path, *, alone: bool) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB if alone else fcntl.LOCK_SH)
    except BlockingIOError:
        raise ContractError(
            f"Somebody is bringing files into the lake {lake}, or removing rows from it. A removal needs it alone: "
            "nothing was removed. Run this again when the other has ended."
        ) from None
    except OSError as refused:
        if refused.errno not in _NO_LOCKS:
            raise
        return False
    return True


def with_others(function: Callable[P, R]) -> Callable[P, R]:
    """Hold the lock of the keyword argument ``lake``, with others, while ``function`` runs."""

    @wraps(function)
    def at_work(*args: P.args, **kwargs: P.kwargs) -> R:
        lake: Any = kwargs["lake"]
        with held(lake, alone=False):
            return function(*args, **kwargs)

    return at_work
