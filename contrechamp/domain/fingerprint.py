"""64-bit fingerprints of texts, to find the few rows worth comparing among millions.

Equal texts have equal fingerprints; different texts hardly ever do (one pair in 2**64 by chance, more if somebody
tries).

What it cannot tell you: that two texts are the same. Who finds equal fingerprints must compare the texts.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

PrintArray = npt.NDArray[np.uint64]

_SEED: Final = np.uint64(0x9E3779B97F4A7C15)
_FACTORS: Final = (np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53))
_SHIFT: Final = np.uint64(32)
_BLOCK: Final = 65_536
#: Longer texts are told apart by their head, their tail and their length.
_HEAD: Final = 192


def fingerprints(texts: Any) -> PrintArray:
    """Fingerprint of each text of an Arrow array or of anything Arrow can make an array of; a missing one is empty.

    Examples
    --------
    >>> a, b, again = fingerprints(["MC-1", "MC-2", "MC-1"])
    >>> a == again, a == b
    (np.True_, np.False_)
    """
    array = texts if isinstance(texts, pa.Array | pa.ChunkedArray) else pa.array(texts, from_pandas=True)
    array = array.cast(pa.large_binary()) if not pa.types.is_large_binary(array.type) else array
    chunks = array.chunks if isinstance(array, pa.ChunkedArray) else [array]
    out = [_of(chunk.slice(at, _BLOCK)) for chunk in chunks for at in range(0, len(chunk), _BLOCK)]
    return np.concatenate(out) if out else np.empty(0, dtype=np.uint64)


def _of(array: Any) -> PrintArray:
    _, offset_buffer, data_buffer = array.buffers()
    offsets = np.frombuffer(offset_buffer, dtype=np.int64)[array.offset : array.offset + len(array) + 1]
    data = np.frombuffer(data_buffer, dtype=np.uint8) if data_buffer is not None else np.empty(0, dtype=np.uint8)
    starts, sizes = offsets[:-1], np.diff(offsets)
    if array.null_count:
        sizes = np.where(np.asarray(array.is_valid()), sizes, 0)
    longest = int(sizes.max(initial=0))
    width = max(8, -(-min(longest, 2 * _HEAD) // 8) * 8)
    column = np.arange(width)
    at = starts[:, None] + column
    if longest > width:  # the tail instead of what lies behind the head
        at = np.where(
            (sizes[:, None] > width) & (column >= width // 2), starts[:, None] + sizes[:, None] - width + column, at
        )
    taken = np.take(data, at, mode="clip") if len(data) else np.zeros(at.shape, dtype=np.uint8)
    taken[column >= sizes[:, None]] = 0
    words = np.ascontiguousarray(taken).view("<u8")
    found = sizes.astype(np.uint64) * _FACTORS[1] + _SEED
    with np.errstate(over="ignore"):
        for at_word, word in enumerate(words.T):
            mixed = (found ^ word) * _FACTORS[0]
            mixed ^= mixed >> _SHIFT
            found = np.where(sizes > 8 * at_word, mixed, found)  # what others beside it are like must not matter
        found *= _FACTORS[1]
    return np.asarray(found ^ (found >> _SHIFT), dtype=np.uint64)
