"""Why a row was set aside: one machine-readable reason each, and the frame that keeps the row itself.

Nothing is repaired in silence and nothing is thrown away. A row that breaks its contract goes to quarantine with
its file (name and SHA-256), its line, a reason, what was seen, the bytes of the row as they came (the first 64 KiB)
and the SHA-256 of the whole of it, so that the person who sent it can find it, mend it and send it again.

What it cannot tell you: a reason says which rule a row broke, not why. A coordinate in the sea may be a typing error,
a wrong coordinate system or a boat. Quarantine holds rows as they came, names and telephone numbers included: it is
personal data in clear, to be read by few and kept briefly.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

import pandas as pd

from contrechamp.domain.columns import RAW, REASON, ROW_SHA256, SOURCE_FILE, SOURCE_ROW, STREAM
from contrechamp.domain.text import Text

#: Bytes of a row that quarantine keeps. The digest is always of the whole.
RAW_BYTES: Final = 64 << 10

DETAIL: Final = "detail"
FILE_SHA256: Final = "file_sha256"
QUARANTINE_COLUMNS: Final = (STREAM, SOURCE_FILE, FILE_SHA256, SOURCE_ROW, REASON, DETAIL, RAW, ROW_SHA256)


class Reason(StrEnum):
    """Reasons, in order of precedence: a row that breaks several rules bears the first of them."""

    # the whole file, as one row
    EMPTY_FILE = "empty_file"
    UNREADABLE_FILE = "unreadable_file"
    FILE_TOO_LARGE = "file_too_large"
    NOT_TEXT = "not_text"
    NOT_GEOJSON = "not_geojson"
    BAD_PARQUET = "bad_parquet"
    CORRUPT_GZIP = "corrupt_gzip"
    DECOMPRESSION_BOMB = "decompression_bomb"
    # what is left of a file after the point where it can be read
    TRUNCATED_GZIP = "truncated_gzip"
    TRAILING_BYTES = "trailing_bytes"
    # one line
    LINE_TOO_LONG = "line_too_long"
    NUL_BYTE = "nul_byte"
    BAD_UTF8 = "bad_utf8"
    WRONG_HEADER = "wrong_header"
    BAD_JSON = "bad_json"
    BAD_CSV = "bad_csv"
    BAD_GEOMETRY = "bad_geometry"
    UNEXPECTED_FIELD = "unexpected_field"
    # one record
    WRONG_TYPE = "wrong_type"
    MISSING_FIELD = "missing_field"
    BAD_ID = "bad_id"
    NAIVE_TIME = "naive_time"
    IMPOSSIBLE_TIME = "impossible_time"
    TIME_OUT_OF_WINDOW = "time_out_of_window"
    ENTRY_BEFORE_EVENT = "entry_before_event"
    SWAPPED_LONLAT = "swapped_lonlat"
    WRONG_CRS = "wrong_crs"
    OUT_OF_EXTENT = "out_of_extent"
    AT_SEA = "at_sea"
    UNKNOWN_ZONE = "unknown_zone"
    UNKNOWN_TYPE = "unknown_type"
    UNKNOWN_ORIGIN = "unknown_origin"
    OUT_OF_RANGE = "out_of_range"
    UNEXPECTED_INFORMANT = "unexpected_informant"
    CONFLICTING_DUPLICATE = "conflicting_duplicate"
    # a good row that comes too late
    PURGED = "purged"
    KEY_EXPIRED = "key_expired"


#: What each reason means, for people.
LABELS: Final[Mapping[Reason, Text]] = {
    Reason.EMPTY_FILE: Text(fr="fichier vide", en="empty file"),
    Reason.UNREADABLE_FILE: Text(fr="fichier impossible à ouvrir", en="file that cannot be opened"),
    Reason.FILE_TOO_LARGE: Text(fr="fichier trop gros pour ce format", en="file too large for its format"),
    Reason.NOT_GEOJSON: Text(fr="contenu qui n’est pas du GeoJSON", en="content that is not GeoJSON"),
    Reason.BAD_PARQUET: Text(fr="fichier parquet illisible", en="unreadable parquet file"),
    Reason.NOT_TEXT: Text(fr="contenu qui n’est pas du texte", en="content that is not text"),
    Reason.CORRUPT_GZIP: Text(fr="archive gzip abîmée", en="damaged gzip archive"),
    Reason.DECOMPRESSION_BOMB: Text(fr="archive qui enfle démesurément", en="archive that inflates beyond the limit"),
    Reason.TRUNCATED_GZIP: Text(fr="archive gzip coupée : le reste est perdu", en="gzip archive cut short: rest lost"),
    Reason.TRAILING_BYTES: Text(fr="octets étrangers après l’archive", en="foreign bytes after the archive"),
    Reason.LINE_TOO_LONG: Text(fr="ligne trop longue", en="line too long"),
    Reason.NUL_BYTE: Text(fr="caractère nul dans la ligne", en="NUL character in the line"),
    Reason.BAD_UTF8: Text(fr="texte qui n’est pas en UTF-8", en="text that is not UTF-8"),
    Reason.WRONG_HEADER: Text(fr="en-tête de colonnes inattendu", en="unexpected column header"),
    Reason.BAD_JSON: Text(fr="ligne JSON illisible", en="unreadable JSON line"),
    Reason.BAD_CSV: Text(fr="ligne CSV illisible", en="unreadable CSV line"),
    Reason.BAD_GEOMETRY: Text(fr="géométrie qui n’est pas un point", en="geometry that is not a point"),
    Reason.UNEXPECTED_FIELD: Text(fr="champ absent du contrat", en="field that the contract does not know"),
    Reason.WRONG_TYPE: Text(fr="valeur du mauvais type", en="value of the wrong type"),
    Reason.MISSING_FIELD: Text(fr="champ obligatoire manquant", en="required field missing"),
    Reason.BAD_ID: Text(fr="identifiant mal formé", en="malformed identifier"),
    Reason.NAIVE_TIME: Text(fr="heure sans fuseau", en="time without an offset"),
    Reason.IMPOSSIBLE_TIME: Text(fr="date impossible", en="impossible date"),
    Reason.TIME_OUT_OF_WINDOW: Text(fr="date hors de la période admise", en="date outside the allowed window"),
    Reason.ENTRY_BEFORE_EVENT: Text(fr="saisie ou fin antérieure au fait", en="entered, or ended, before the event"),
    Reason.OUT_OF_RANGE: Text(fr="nombre hors des bornes admises", en="number outside its range"),
    Reason.SWAPPED_LONLAT: Text(fr="longitude et latitude inversées", en="longitude and latitude swapped"),
    Reason.WRONG_CRS: Text(
        fr="coordonnées d’un autre système que celui annoncé", en="coordinates of another system than the declared one"
    ),
    Reason.OUT_OF_EXTENT: Text(fr="hors du territoire", en="outside the territory"),
    Reason.AT_SEA: Text(fr="en mer", en="at sea"),
    Reason.UNKNOWN_ZONE: Text(fr="zone absente du fond de carte", en="zone that the map of zones does not have"),
    Reason.UNKNOWN_TYPE: Text(fr="type inconnu", en="unknown type"),
    Reason.UNKNOWN_ORIGIN: Text(fr="origine inconnue", en="unknown origin"),
    Reason.UNEXPECTED_INFORMANT: Text(fr="informateur sans appel", en="informant on a record that is not a call"),
    Reason.PURGED: Text(
        fr="antérieur à la date de purge : compté, contenu non conservé",
        en="older than the retention date: counted, contents not kept",
    ),
    Reason.KEY_EXPIRED: Text(fr="clef de cette période détruite", en="key of that period destroyed"),
    Reason.CONFLICTING_DUPLICATE: Text(
        fr="identifiant déjà pris par un autre contenu", en="identifier already taken by different content"
    ),
}

RANK: Final[Mapping[str, int]] = {reason.value: rank for rank, reason in enumerate(Reason)}


class Reject(NamedTuple):
    """One row set aside, before it is known which stream and file it belongs to.

    ``raw`` is at most the first :data:`RAW_BYTES` of it, ``row_sha256`` the digest of all of it.
    """

    source_row: int
    reason: Reason
    detail: str
    raw: bytes
    row_sha256: str


def reject(source_row: int, reason: Reason, detail: str, raw: bytes, *, row_sha256: str | None = None) -> Reject:
    """Set ``raw`` aside. ``row_sha256`` is given when ``raw`` is only the beginning of the row."""
    digest = hashlib.sha256(raw).hexdigest() if row_sha256 is None else row_sha256
    return Reject(source_row, reason, detail, raw[:RAW_BYTES], digest)


def quarantine_frame(
    rejected: Iterable[tuple[str, Reject]], *, stream: str, digests: Mapping[str, str]
) -> pd.DataFrame:
    """Lay rejects out as rows of the quarantine table, by file and row.

    Parameters
    ----------
    rejected : iterable of (str, Reject)
        Each with the name of its file.
    stream : str
    digests : mapping of str to str
        SHA-256 of each file.

    Returns
    -------
    pandas.DataFrame
        :data:`QUARANTINE_COLUMNS`.
    """
    rows = sorted(rejected, key=lambda pair: (pair[0], pair[1].source_row))
    return pd.DataFrame(
        {
            STREAM: pd.array([stream] * len(rows), dtype="str"),
            SOURCE_FILE: pd.array([file for file, _ in rows], dtype="str"),
            FILE_SHA256: pd.array([digests.get(file, "") for file, _ in rows], dtype="str"),
            SOURCE_ROW: pd.array([r.source_row for _, r in rows], dtype="int64"),
            REASON: pd.array([r.reason.value for _, r in rows], dtype="str"),
            DETAIL: pd.array([r.detail for _, r in rows], dtype="str"),
            RAW: pd.Series([r.raw for _, r in rows], dtype=object),
            ROW_SHA256: pd.array([r.row_sha256 for _, r in rows], dtype="str"),
        }
    )
