"""Where parallel work runs: on this machine, or on a Dask cluster that listens at an address.

All parallel work goes through joblib, so the same tasks run in either place and give the same numbers.

What it cannot tell you: whether the machines of a cluster bear the same versions. A worker with other libraries may
give other last digits.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from joblib import parallel_config

from contrechamp.domain.errors import CapabilityError


@contextmanager
def engine(dask: str | None) -> Iterator[None]:
    """Send joblib's work to a Dask scheduler for the time of a block; nothing to do without an address.

    Raises
    ------
    CapabilityError
        If Dask is not installed, or no scheduler answers.
    """
    if dask is None:
        yield
        return
    try:
        from distributed import Client
    except ImportError as cause:
        raise CapabilityError(
            f"The Dask address {dask} was given and dask.distributed is not installed. Install contrechamp[dask], or "
            "leave the address out: everything then runs on this machine."
        ) from cause
    try:
        _knock(dask)  # a client that fails to connect complains again when it is forgotten
        client: Any = Client(dask, timeout="10s", set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as cause:
        raise CapabilityError(
            f"No Dask scheduler answers at {dask}: {cause}. Start one with `dask scheduler` and `dask worker`, or "
            "leave the address out."
        ) from cause
    try:
        with parallel_config(backend="dask", client=client):
            yield
    finally:
        client.close()


def _knock(address: str) -> None:
    """Open and close a connection to the scheduler."""
    parts = urlsplit(address)
    if parts.scheme == "inproc":  # a scheduler of this very process: there is no door to knock at
        return
    if parts.scheme not in ("tcp", "tls") or parts.hostname is None or parts.port is None:
        raise ValueError("an address is tcp://host:port or tls://host:port")
    socket.create_connection((parts.hostname, parts.port), timeout=10).close()
