"""Read a user's map: GeoJSON or GeoPackage, one layer, as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import geopandas as gpd

from contrechamp.domain.errors import ContractError

#: First bytes of the formats that are read. GDAL reads many more, some of which send it elsewhere.
_BEGINNINGS: Final = {"GeoPackage": b"SQLite format 3\x00", "GeoJSON": b"{"}


def read_vector(path: Path) -> gpd.GeoDataFrame:
    """Read the one layer of a GeoJSON or GeoPackage file.

    Raises
    ------
    ContractError
        If the file is missing, of another format, damaged, without geometry, or holds several layers.
    """
    remedy = "Give a GeoJSON or a GeoPackage file with one layer of polygons."
    try:
        with path.open("rb") as file:
            head = file.read(256).removeprefix(b"\xef\xbb\xbf").lstrip()
    except OSError as cause:
        raise ContractError(f"The map {path} cannot be read: {cause.strerror or cause}. {remedy}") from cause
    if not head.startswith(tuple(_BEGINNINGS.values())):
        raise ContractError(f"The map {path} is neither {' nor '.join(sorted(_BEGINNINGS))}. {remedy}")
    try:
        found = gpd.list_layers(path)
        layers = found.loc[found["geometry_type"].notna(), "name"].astype(str).tolist()
        frame = gpd.read_file(path, layer=layers[0]) if len(layers) == 1 else None
    except (ValueError, RuntimeError) as cause:  # what GDAL raises through pyogrio is a RuntimeError
        raise ContractError(f"The map {path} cannot be read: {str(cause).splitlines()[0]}. {remedy}") from cause
    if frame is None:
        got = f"{len(layers)} layers with a geometry ({', '.join(layers)})" if layers else "no layer with a geometry"
        raise ContractError(f"The map {path} must hold one layer of polygons. Got {got}. {remedy}")
    return gpd.GeoDataFrame(frame)
