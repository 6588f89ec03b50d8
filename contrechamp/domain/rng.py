"""One run seed, many named random streams.

A stream depends on the seed and on its names only, so adding a component, reordering calls or changing the
number of workers changes no other number.
"""

from __future__ import annotations

import hashlib

import numpy as np

from contrechamp.domain.errors import bad_parameter


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """Return the generator of the stream ``names`` under run seed ``seed``.

    Parameters
    ----------
    seed : int
        Run seed, at least 0.
    *names : str or int
        Path of the stream, for instance ``"incidents", "rep", 12``. ``1`` and ``"1"`` are different names.

    Raises
    ------
    ParameterError
        If the seed is negative or no name is given.

    Examples
    --------
    >>> a = stream(7, "reports", "rep", 0).integers(1000, size=3)
    >>> b = stream(7, "reports", "rep", 0).integers(1000, size=3)
    >>> bool((a == b).all())
    True
    """
    if seed < 0:
        raise bad_parameter(name="seed", where="stream", must="a whole number of at least 0", got=seed)
    if not names:
        raise bad_parameter(name="names", where="stream", must="at least one name", got=names)
    path = "\x1f".join(f"{type(name).__name__}:{name}" for name in names)
    digest = hashlib.sha256(path.encode()).digest()
    key = tuple(int.from_bytes(digest[i : i + 4], "big") for i in range(0, 16, 4))
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))
