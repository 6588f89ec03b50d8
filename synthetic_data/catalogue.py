"""All that is said of how the world is made: the datasheets of its mechanisms and of its streams, by key."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from synthetic_data import mechanisms
from synthetic_data.datasheets import Datasheet
from synthetic_data.streams import GENERATORS


def load_datasheets() -> Mapping[str, Datasheet]:
    """Every datasheet by its key: mechanisms in the order in which they act, then streams in that of the register.

    Raises
    ------
    LookupError
        If a stream has none. Our bug: a stream without one must not ship.
    """
    found = {sheet.key: sheet for sheet in mechanisms.DATASHEETS}
    for key, where in GENERATORS.items():
        module = import_module(where.partition(":")[0])
        sheet = next((sheet for sheet in getattr(module, "DATASHEETS", ()) if sheet.key == key), None)
        if sheet is None:
            raise LookupError(f"the stream {key} has no datasheet in {module.__name__}")
        found[key] = sheet
    return found
