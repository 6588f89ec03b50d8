"""Column names, spelled once. Units are in the name; times are tz-aware UTC; coordinates are EPSG:2154 metres."""

from __future__ import annotations

from typing import Final

# latent truth (written by the simulator, read by measurement only)
INCIDENT_ID: Final = "incident_id"
KNOWN_BY: Final = "known_by"  # reported | discovered | detected | none

# events, latent or recorded
T_EVENT: Final = "t_event"  # datetime64[us, UTC]
T_ENTRY: Final = "t_entry"
X_M: Final = "x_m"
Y_M: Final = "y_m"
TYPE: Final = "type"
QUARTER_ID: Final = "quarter_id"
DISTRICT_ID: Final = "district_id"
CELL: Final = "cell"

# records
RECORD_ID: Final = "record_id"
ORIGIN: Final = "origin"  # call | officer | camera  (mains courantes); agent | camera (verbalisations)
UNIT: Final = "unit"
TEXT: Final = "text"
INFORMANT: Final = "informant_pseudonym"
PLATE: Final = "plate_pseudonym"
CODE: Final = "code"
VEHICLE_CLASS: Final = "vehicle_class"
SOURCE_FILE: Final = "source_file"
SOURCE_ROW: Final = "source_row"
ROW_SHA256: Final = "row_sha256"
REASON: Final = "reason"
RAW: Final = "raw"
STREAM: Final = "stream"


#: The twelve types of the municipal log.
INCIDENT_TYPES: Final = (
    "tapage", "degradation", "vol", "rixe", "depot_sauvage", "stationnement_genant",
    "vente_sauvette", "intrusion", "attroupement", "violence", "accident", "autre",
)  # fmt: skip

CRS_M: Final = "EPSG:2154"
CRS_LONLAT: Final = "EPSG:4326"
