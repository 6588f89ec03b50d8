"""HMAC-SHA256 of many short messages: every row bears a keyed mark, every person a keyed pseudonym.

For millions of messages of some hundred bytes, the calls from Python take longer than the digests. Where compiled loops
are loaded anyway (:mod:`ingest.scan`) and the OpenSSL that Python itself uses still offers its plain SHA-256, one
compiled loop calls it for all of them; otherwise Python does. The result is the same, and is checked once before the
compiled loop is trusted.

What it cannot tell you: anything :mod:`hmac` does not.
"""

from __future__ import annotations

import ctypes
import hashlib
import hmac
import sys
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib import import_module
from typing import Any, Final

import numpy as np
import numpy.typing as npt

#: Fewer messages are not worth a compiled loop.
_MANY: Final = 5_000
#: ``SHA256_CTX`` of OpenSSL, in words of eight bytes.
STATE_WORDS: Final = 14

Bytes = npt.NDArray[np.uint8]


def keyed_states(key: bytes) -> tuple[Any, Any]:
    """SHA-256 in the two states from which HMAC under ``key`` starts."""
    inner, outer = _pads(key)
    return hashlib.sha256(inner), hashlib.sha256(outer)


def hmac_sha256(messages: Sequence[bytes], *, key: bytes, prefix: bytes) -> Bytes:
    """HMAC-SHA256 of ``prefix`` followed by each message.

    Returns
    -------
    ndarray of uint8, shape (n, 32)

    Examples
    --------
    >>> hmac_sha256([b"ab"], key=b"k", prefix=b"").tobytes() == hmac.digest(b"k", b"ab", "sha256")
    True
    """
    if len(messages) >= _MANY and "ingest.scan" in sys.modules and (native := _native()) is not None:
        return native(messages, key, prefix)
    inner, outer = keyed_states(key)
    inner.update(prefix)
    digests = []
    for message in messages:
        within, around = inner.copy(), outer.copy()
        within.update(message)
        around.update(within.digest())
        digests.append(around.digest())
    return np.frombuffer(b"".join(digests), dtype=np.uint8).reshape(-1, 32)


def _pads(key: bytes) -> tuple[bytes, bytes]:
    block = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\x00")
    return bytes(b ^ 0x36 for b in block), bytes(b ^ 0x5C for b in block)


@lru_cache(maxsize=1)
def _native() -> Callable[[Sequence[bytes], bytes, bytes], Bytes] | None:
    """Bind the plain SHA-256 of Python's own OpenSSL; None where there is none, or where it says something else."""
    try:
        import _hashlib

        library = ctypes.CDLL(_hashlib.__file__)
        update, final = library.SHA256_Update, library.SHA256_Final
        init = library.SHA256_Init
    except (ImportError, OSError, AttributeError):
        return None
    from ingest.scan import hmac_each

    linker = import_module("llvmlite.binding")
    for symbol, function in (("SHA256_Update", update), ("SHA256_Final", final)):
        linker.add_symbol(symbol, ctypes.cast(function, ctypes.c_void_p).value)

    def begun(first: bytes) -> npt.NDArray[np.uint64]:
        state, data = np.zeros(STATE_WORDS, np.uint64), np.frombuffer(first, np.uint8)
        init(ctypes.c_void_p(state.ctypes.data))
        update(ctypes.c_void_p(state.ctypes.data), ctypes.c_void_p(data.ctypes.data), ctypes.c_size_t(len(data)))
        return state

    def digests(messages: Sequence[bytes], key: bytes, prefix: bytes) -> Bytes:
        inner, outer = _pads(key)
        sizes = np.fromiter(map(len, messages), dtype=np.int64, count=len(messages))
        out = np.empty((len(messages), 32), dtype=np.uint8)
        data = np.frombuffer(b"".join(messages) or b"\x00", dtype=np.uint8)
        hmac_each(data, np.concatenate([[0], np.cumsum(sizes)]), begun(inner + prefix), begun(outer), out)
        return out

    probe = [b"x" * n for n in (0, 1, 54, 55, 56, 63, 64, 65, 200)]
    expected = b"".join(hmac.digest(b"key", b"p" + message, "sha256") for message in probe)
    return digests if digests(probe, b"key", b"p").tobytes() == expected else None
