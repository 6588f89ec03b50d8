"""Where a fingerprint may be found among the files of a table, for as long as one ingest runs.

What it cannot tell you: that the row is there. It names the few files in which to look.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from contrechamp.domain.fingerprint import PrintArray

#: Runs longer than this are not merged any more: merging takes memory in proportion.
_LONGEST_RUN: Final = 4_000_000


class FileIndex:
    """Fingerprints of a table's rows, twelve bytes each, in sorted runs."""

    def __init__(self) -> None:
        self._runs: list[tuple[PrintArray, npt.NDArray[np.uint32]]] = []

    def __len__(self) -> int:
        return sum(len(prints) for prints, _ in self._runs)

    def add(self, prints: PrintArray, file: int) -> None:
        """Note the fingerprints of the rows of file number ``file``."""
        if not len(prints):
            return
        self._runs.append((np.sort(prints), np.full(len(prints), file, dtype=np.uint32)))
        while len(self._runs) > 1:
            (a, files_a), (b, files_b) = self._runs[-2:]
            if len(a) > 2 * len(b) or len(a) + len(b) > _LONGEST_RUN:
                break
            both, files = np.concatenate([a, b]), np.concatenate([files_a, files_b])
            order = np.argsort(both, kind="stable")
            self._runs[-2:] = [(both[order], files[order])]

    def files_with(self, prints: PrintArray) -> tuple[npt.NDArray[np.bool_], set[int]]:
        """Tell which fingerprints are there, and in which files.

        Returns
        -------
        ndarray of bool, shape (n,)
            On ``prints``.
        set of int
            Numbers of files.
        """
        order = np.argsort(prints)
        wanted = prints[order]
        found = np.zeros(len(prints), dtype=np.bool_)
        files: set[int] = set()
        for run, of in self._runs:
            first = np.searchsorted(run, wanted, side="left")
            hit = np.flatnonzero(run[np.minimum(first, len(run) - 1)] == wanted)
            if len(hit):
                found[hit] = True
                beyond = np.searchsorted(run, wanted[hit], side="right")
                spans = zip(first[hit].tolist(), beyond.tolist(), strict=True)
                files.update(np.unique(np.concatenate([of[a:b] for a, b in spans])).tolist())
        out = np.empty_like(found)
        out[order] = found
        return out, files
