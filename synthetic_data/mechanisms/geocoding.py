"""The wrong place: some records lie in the middle of their quarter, some at the other end of their street.

The others lie within a few metres of the address.

What it cannot tell you: which addresses a real geocoder fails on. Failures fall by lot here, the same everywhere,
where real ones gather in new streets, housing estates and places without a number.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import shapely

from contrechamp.domain.text import Text
from synthetic_data.city import City
from synthetic_data.datasheets import Datasheet
from synthetic_data.plans.police import RecordingPlan
from synthetic_data.streets import Streets

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: How a record was placed.
PLACINGS: Final = ("address", "wrong_end", "quarter")
ADDRESS, WRONG_END, QUARTER = range(3)

DATASHEET: Final = Datasheet(
    "geocoding",
    Text(fr="erreur de géocodage", en="geocoding error"),
    Text(
        fr="Une part des enregistrements est placée au milieu du quartier, une part à l’autre bout de la rue ; les "
        "autres à quelques mètres de l’adresse.",
        en="A share of records is placed in the middle of the quarter, a share at the other end of the street; the "
        "others a few metres from the address.",
    ),
    Text(fr="Aucune : les parts sont des hypothèses.", en="None: shares are assumptions."),
    Text(
        fr="Ni homonymie de rues, ni quartiers mal géocodés plus que d’autres, ni adresse refusée.",
        en="No streets of one name, no quarter geocoded worse than others, no address refused.",
    ),
)


def misplace(
    plan: RecordingPlan, city: City, streets: Streets, site: IntArray, *, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, IntArray]:
    """Place records.

    Returns
    -------
    x_m, y_m : ndarray, shape (n,)
        EPSG:2154 metres, to the decimetre.
    placing : ndarray of int, shape (n,)
        Index in :data:`PLACINGS`. Where there is no street, the wrong end is the right address.
    """
    n = len(site)
    u, step = rng.random(n), rng.standard_normal((n, 2))
    coarse = u < plan.geocode_quarter_share
    turned = ~coarse & (u < plan.geocode_quarter_share + plan.geocode_wrong_end_share)
    placing = np.where(coarse, QUARTER, np.where(turned & (len(streets.edges) > 0), WRONG_END, ADDRESS))
    xy = np.column_stack([city.site_x_m[site], city.site_y_m[site]])
    at = np.flatnonzero(placing == WRONG_END)
    xy[at] = other_end(streets, xy[at])
    near = placing == ADDRESS
    xy[near] += plan.geocode_jitter_m * step[near]
    middle = placing == QUARTER
    xy[middle] = middles(city)[city.site_quarter[site[middle]]]
    xy = np.round(xy, 1)
    return xy[:, 0], xy[:, 1], placing.astype(np.int64)


def middles(city: City) -> FloatArray:
    """Centroid of each quarter, or a point on it where its centroid is not; shape (n_quarters, 2)."""
    shapes = city.quarters.geometry.to_numpy()
    centroid = shapely.centroid(shapes)
    on_it = shapely.contains(shapes, centroid)
    return np.asarray(shapely.get_coordinates(np.where(on_it, centroid, shapely.point_on_surface(shapes))))


def other_end(streets: Streets, xy_m: FloatArray) -> FloatArray:
    """Points at the other end of the nearest piece of street, as far from its line as before; shape (n, 2)."""
    if not len(xy_m):
        return xy_m
    nodes = streets.nodes[["x_m", "y_m"]].to_numpy(dtype=np.float64)
    ends = nodes[streets.edges[["u", "v"]].to_numpy(dtype=np.int64)]
    nearest = shapely.STRtree(shapely.linestrings(ends)).nearest(shapely.points(xy_m))
    start, along = ends[nearest, 0], ends[nearest, 1] - ends[nearest, 0]
    length2 = np.maximum((along**2).sum(axis=1), 1e-9)
    part = np.clip(((xy_m - start) * along).sum(axis=1) / length2, 0.0, 1.0)
    return np.asarray(xy_m + (1 - 2 * part)[:, None] * along, dtype=np.float64)
