"""Say what quarantine holds: which rule, how many rows, of which file, and where to look.

For the person who sent the file. The rows themselves stay in the quarantine table, which is personal data in clear:
see :mod:`ingest.quarantine`.

Only what is still at fault is there: a row that a later edition of its file no longer has at fault has left quarantine
for the table ``repaired``.

What it cannot tell you: whether a row that left was mended or taken out of its file; nor whether a row at fault came
again, mended, in a file of another name.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from contrechamp.domain.columns import REASON, SOURCE_FILE, SOURCE_ROW, STREAM
from contrechamp.domain.text import Text
from contrechamp.store import lake as store
from ingest.quarantine import LABELS, Reason

#: Row numbers shown of each file and reason.
FIRST_ROWS: Final = 5


@dataclass(frozen=True, slots=True)
class QuarantineLine:
    """Rows of one file set aside for one reason.

    Attributes
    ----------
    stream, reason, source_file : str
    label : Text
        The reason, for people.
    rows : int
    first_rows : tuple of int
        Line numbers of the first few in the file as dropped; 0 is the file as a whole.
    """

    stream: str
    reason: str
    source_file: str
    label: Text
    rows: int
    first_rows: tuple[int, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain form for ``--json``."""
        return {
            "stream": self.stream,
            "reason": self.reason,
            "label": {"fr": self.label.fr, "en": self.label.en},
            "source_file": self.source_file,
            "rows": self.rows,
            "first_rows": list(self.first_rows),
        }


def explain(lake: str | Path, *, storage_options: dict[str, str] | None = None) -> tuple[QuarantineLine, ...]:
    """Count the quarantine of a lake by stream, reason and file.

    Returns
    -------
    tuple of QuarantineLine
        By stream, most frequent reason of the stream first, then by file. Their rows add up to those of the table.

    Raises
    ------
    ContractError
        If there is no lake there.
    """
    trace = store.quarantine_trace(lake, storage_options=storage_options)
    lines = [
        QuarantineLine(
            stream=str(stream),
            reason=str(reason),
            source_file=str(file),
            label=_label(str(reason)),
            rows=len(numbers),
            first_rows=tuple(int(n) for n in numbers.sort_values().head(FIRST_ROWS)),
        )
        for (stream, reason, file), numbers in trace.groupby([STREAM, REASON, SOURCE_FILE])[SOURCE_ROW]
    ]
    total = trace.groupby([STREAM, REASON]).size().to_dict()
    return tuple(sorted(lines, key=lambda x: (x.stream, -int(total[x.stream, x.reason]), x.reason, x.source_file)))


def _label(reason: str) -> Text:
    """Label of a reason; the slug itself for one that another version of this software wrote."""
    return LABELS[Reason(reason)] if reason in LABELS else Text(fr=reason, en=reason)
