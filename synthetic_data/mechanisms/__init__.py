"""How things come to be known, one module per mechanism: its functions, and its datasheet.

Every mechanism can be switched off by its own parameter, has its own stream of chance, and leaves in the truth what it
did. :mod:`synthetic_data.recording` puts them together.

What it cannot tell you: which of them bends real records most. Their sizes are inputs here.
"""

from __future__ import annotations

from typing import Final

from synthetic_data.datasheets import Datasheet
from synthetic_data.mechanisms import detection, discovery, duplication, entry, geocoding, mistyping, reporting

#: Datasheet of each mechanism, in the order in which they act.
DATASHEETS: Final[tuple[Datasheet, ...]] = (
    reporting.DATASHEET,
    discovery.DATASHEET,
    detection.DATASHEET,
    entry.DATASHEET,
    mistyping.DATASHEET,
    geocoding.DATASHEET,
    duplication.DATASHEET,
)
