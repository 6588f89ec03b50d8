"""Small deterministic files: parquet, gzip, JSON and text written whole or not at all, and their digests.

The same content gives the same bytes on the same installation: no clock, host or user name goes into a header.
Each writer replaces its target in one step and returns the SHA-256 of what it wrote.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from contrechamp.domain.errors import ContractError
from contrechamp.domain.provenance import canonical_json

_CHUNK: Final = 1 << 20


def write_bytes(path: Path, data: bytes) -> str:
    """Write ``data`` to ``path`` through a temporary sibling; make missing folders; return the SHA-256."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(data)
    partial.replace(path)
    return hashlib.sha256(data).hexdigest()


def write_text(path: Path, text: str) -> str:
    """Write UTF-8 text as it is, line ends included; return the SHA-256."""
    return write_bytes(path, text.encode())


def write_json(path: Path, value: Any) -> str:
    """Write canonical JSON and a final line end; return the SHA-256."""
    return write_text(path, canonical_json(value) + "\n")


def write_gz(path: Path, data: bytes, *, level: int = 4) -> str:
    """Compress ``data`` with neither name nor time in the header, write it, return the SHA-256 of the file."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=level, fileobj=buffer, mtime=0) as packed:
        packed.write(data)
    return write_bytes(path, buffer.getvalue())


def read_gz(path: Path) -> bytes:
    """Read a gzip file whole.

    Raises
    ------
    ContractError
        If the file is not gzip, or is cut short.
    """
    try:
        return gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as cause:
        raise ContractError(
            f"{path} cannot be unpacked: {cause}. It should be a complete gzip file; fetch or drop it again."
        ) from cause


def write_parquet(frame: pd.DataFrame, path: Path) -> str:
    """Write a frame as zstd parquet (GeoParquet when it has a geometry), index left out; return the SHA-256."""
    buffer = io.BytesIO()
    if isinstance(frame, gpd.GeoDataFrame):
        frame.to_parquet(buffer, index=False, compression="zstd")
    else:
        table = pa.table({str(name): _column(frame[name]) for name in frame.columns})
        pq.write_table(table, buffer, compression="zstd")
    return write_bytes(path, buffer.getvalue())


def _column(values: pd.Series[Any]) -> Any:
    zone = getattr(values.dtype, "tz", None)
    if zone is None:
        return pa.array(values, from_pandas=True)
    naive = values.dt.tz_convert(None)
    return (
        pa.array(naive, from_pandas=True).cast(pa.timestamp(naive.dt.unit)).cast(pa.timestamp(naive.dt.unit, str(zone)))
    )


def read_parquet(path: Path, *, columns: list[str] | None = None) -> pd.DataFrame:
    """Read a parquet file written by :func:`write_parquet`."""
    return pd.read_parquet(path, columns=columns)


def read_geoparquet(path: Path) -> gpd.GeoDataFrame:
    """Read a GeoParquet file written by :func:`write_parquet`."""
    return gpd.read_parquet(path)


def sha256_file(path: Path) -> str:
    """Hexadecimal SHA-256 of a file, read by blocks."""
    seen = hashlib.sha256()
    with path.open("rb") as handle:
        while block := handle.read(_CHUNK):
            seen.update(block)
    return seen.hexdigest()
