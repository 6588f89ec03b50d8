"""Streets: crossings, the pieces of street between them, and which of these are main roads.

Crossings are drawn among the addresses, close together where it is dense. Two are joined when the circle between them
holds no third (a Gabriel graph); some of these joints are then left out, never one that would cut off a crossing.
Main roads are the pieces that the shortest ways between quarters use most.

What it cannot tell you: how anybody drives. There are no lanes, one-way streets, bridges, slopes or bus routes, and no
street has a name.

References
----------
.. [1] Gabriel & Sokal (1969), "A new statistical approach to geographic variation analysis", Syst. Zool. 18(3).
   doi:10.2307/2412323
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, dijkstra, minimum_spanning_tree
from scipy.spatial import Delaunay, cKDTree

from contrechamp.domain.columns import CRS_M
from synthetic_data.city import City

if TYPE_CHECKING:
    import networkx as nx

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Classes of road, from the busiest.
ROAD_CLASSES: Final = ("main", "secondary", "local")
#: Crossings per km² of land, and the power of density that spreads them.
_PER_KM2: Final = 50.0
_POWER: Final = 0.75
#: Share of the joints that are not needed to hold the streets together and are kept all the same.
_KEPT: Final = 0.55
#: Share of the length of main and of secondary roads.
_SHARES: Final = (0.07, 0.15)
#: Shortest ways are drawn between at most so many quarters, so many times.
_MOST_HUBS: Final = 150
_ROUNDS: Final = 3
#: A street may cross a gap in the land as wide as this, for instance between two zones badly drawn.
_GAP_M: Final = 15.0


@dataclass(frozen=True, eq=False)
class Streets:
    """A network of streets.

    Attributes
    ----------
    nodes : DataFrame
        Crossings: x_m, y_m, piece (number of the piece of land). A node's number is its row.
    edges : DataFrame
        Pieces of street: u, v (numbers of nodes, u < v), length_m, road_class (main, secondary or local).
    """

    nodes: pd.DataFrame
    edges: pd.DataFrame

    def to_networkx(self) -> nx.Graph:
        """Undirected graph with ``x_m``, ``y_m`` on the nodes, ``length_m`` and ``road_class`` on the edges."""
        import networkx as nx

        graph = nx.Graph()
        graph.add_nodes_from(enumerate(self.nodes.to_dict("records")))
        e = self.edges
        graph.add_edges_from(
            (u, v, {"length_m": length, "road_class": word})
            for u, v, length, word in zip(
                e["u"].tolist(), e["v"].tolist(), e["length_m"].tolist(), e["road_class"].tolist(), strict=True
            )
        )
        return graph

    def to_geodataframe(self) -> gpd.GeoDataFrame:
        """One straight line per piece of street, with the columns of ``edges``; EPSG:2154."""
        xy = self.nodes[["x_m", "y_m"]].to_numpy(dtype=np.float64)
        ends = xy[self.edges[["u", "v"]].to_numpy(dtype=np.int64)]
        return gpd.GeoDataFrame(self.edges, geometry=list(shapely.linestrings(ends)), crs=CRS_M)

    def nearest(self, x_m: npt.ArrayLike, y_m: npt.ArrayLike) -> IntArray:
        """Number of the crossing nearest to each point; shape (n,)."""
        tree = cKDTree(self.nodes[["x_m", "y_m"]].to_numpy(dtype=np.float64))
        return np.asarray(tree.query(np.column_stack([x_m, y_m]))[1], dtype=np.int64)


def draw_streets(city: City, *, rng: np.random.Generator) -> Streets:
    """Draw the streets of a city; those of each piece of land hang together.

    Notes
    -----
    Where an arm of the sea cuts a few crossings off the streets of their piece of land, they are left out. A piece of
    land without any address has one crossing and no street.
    """
    land = shapely.buffer(city.land, _GAP_M)
    pieces = shapely.get_parts(land)
    xy = _crossings(city, rng=rng)
    piece = _piece_of(xy, pieces)
    u, v = _gabriel(xy)
    shapely.prepare(land)
    dry = shapely.covers(land, shapely.linestrings(xy[np.column_stack([u, v])])) & (piece[u] == piece[v])
    u, v = u[dry], v[dry]
    xy, piece, u, v = _largest_of_each(xy, piece, u, v)
    length = np.hypot(*(xy[u] - xy[v]).T)
    kept = _thin(u, v, length, n=len(xy), rng=rng)
    u, v, length = u[kept], v[kept], length[kept]
    bare = np.setdiff1d(np.arange(len(pieces)), piece)
    lone = shapely.get_coordinates(shapely.point_on_surface(pieces[bare]))
    busy = _use(city, xy, u, v, length)
    nodes = np.round(np.vstack([xy, lone]), 1)
    return Streets(
        pd.DataFrame({"x_m": nodes[:, 0], "y_m": nodes[:, 1], "piece": np.concatenate([piece, bare])}),
        pd.DataFrame(
            {
                "u": u,
                "v": v,
                "length_m": np.round(length, 1),
                "road_class": pd.Series([ROAD_CLASSES[k] for k in _classes(busy, length).tolist()], dtype="str"),
            }
        ),
    )


def _crossings(city: City, *, rng: np.random.Generator) -> FloatArray:
    """Draw crossings among the addresses and push them apart: each is the middle of the addresses nearest to it."""
    xy = np.column_stack([city.site_x_m, city.site_y_m])
    n = max(1, min(round(_PER_KM2 * city.land.area / 1e6), len(xy) // 3))
    weight = np.repeat(city.cell_density, city.sites_per_cell) ** _POWER
    chosen = np.argsort(-(np.log(weight) + rng.gumbel(size=len(xy))), kind="stable")[:n]
    drawn = xy[np.sort(chosen)]
    own = cKDTree(drawn).query(xy)[1]
    size = np.maximum(np.bincount(own, minlength=n), 1)
    middle = np.column_stack([np.bincount(own, xy[:, i], minlength=n) for i in (0, 1)]) / size[:, None]
    middle = np.round(middle, 1)
    land = city.land
    shapely.prepare(land)
    return np.unique(np.where(shapely.contains_xy(land, *middle.T)[:, None], middle, drawn), axis=0)


def _piece_of(xy_m: FloatArray, pieces: npt.NDArray[np.object_]) -> IntArray:
    points = shapely.points(xy_m)
    return np.asarray(shapely.STRtree(pieces).nearest(points), dtype=np.int64)


def _gabriel(xy_m: FloatArray) -> tuple[IntArray, IntArray]:
    """Pairs (u < v) of points whose diametral circle holds no third point."""
    n = len(xy_m)
    if n < 4 or np.linalg.matrix_rank(xy_m - xy_m[0]) < 2:
        u, v = np.triu_indices(n, 1)
    else:
        mesh = Delaunay(xy_m).simplices
        pairs = np.sort(np.vstack([mesh[:, [0, 1]], mesh[:, [1, 2]], mesh[:, [0, 2]]]), axis=1)
        u, v = np.unique(pairs, axis=0).T.astype(np.int64)
    middle = (xy_m[u] + xy_m[v]) / 2
    radius = np.hypot(*(xy_m[u] - xy_m[v]).T) / 2
    nearest = cKDTree(xy_m).query(middle)[0] if len(u) else np.empty(0)
    alone = nearest >= radius - 1e-6
    return u[alone].astype(np.int64), v[alone].astype(np.int64)


def _largest_of_each(
    xy_m: FloatArray, piece: IntArray, u: IntArray, v: IntArray
) -> tuple[FloatArray, IntArray, IntArray, IntArray]:
    """Keep the largest connected part of each piece of land."""
    n = len(xy_m)
    part = connected_components(coo_array((np.ones(len(u)), (u, v)), shape=(n, n)), directed=False)[1]
    size = np.bincount(part)[part]
    # of equal parts, the one with the lowest crossing
    order = np.lexsort((np.arange(n), -size, piece))
    first = order[np.searchsorted(piece[order], piece)]
    stays = part == part[first]
    number = np.cumsum(stays) - 1
    both = stays[u] & stays[v]
    return xy_m[stays], piece[stays], number[u[both]], number[v[both]]


def _graph(u: IntArray, v: IntArray, value: FloatArray, *, n: int) -> csr_array:
    return coo_array((value, (u, v)), shape=(n, n)).tocsr()


def _thin(u: IntArray, v: IntArray, length: FloatArray, *, n: int, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Which joints stay: those of the shortest tree, and a share of the others."""
    tree = coo_array(minimum_spanning_tree(_graph(u, v, length, n=n)))
    low, high = np.minimum(tree.row, tree.col).astype(np.int64), np.maximum(tree.row, tree.col).astype(np.int64)
    return np.isin(u * n + v, low * n + high) | (rng.random(len(u)) < _KEPT)


def _use(city: City, xy_m: FloatArray, u: IntArray, v: IntArray, length_m: FloatArray) -> FloatArray:
    """How much the shortest ways between the middles of quarters use each piece of street.

    Busy pieces are then made quicker and the ways drawn again: traffic gathers on fewer streets.
    """
    if len(u) == 0:
        return np.zeros(0)
    middle = shapely.get_coordinates(shapely.point_on_surface(city.quarters.geometry.to_numpy()))
    hubs, own = np.unique(cKDTree(xy_m).query(middle)[1], return_inverse=True)
    residents = np.bincount(own, city.quarters["population"].to_numpy().astype(np.float64))
    most = np.sort(np.argsort(-residents, kind="stable")[:_MOST_HUBS])
    hubs, weight = hubs[most], np.sqrt(residents[most] / max(float(residents.max()), 1.0)) + 1e-3
    cost = length_m
    for _ in range(_ROUNDS):
        use = _traffic(u, v, cost, n=len(xy_m), hubs=hubs, weight=weight)
        cost = length_m * np.where(_classes(use, length_m) == 0, 0.5, 1.0)
    return use


def _traffic(u: IntArray, v: IntArray, cost: FloatArray, *, n: int, hubs: IntArray, weight: FloatArray) -> FloatArray:
    """Sum over pairs of hubs of the product of their weights, on each piece of the cheapest way between them."""
    away, before = dijkstra(_graph(u, v, cost, n=n), directed=False, indices=hubs, return_predecessors=True)
    origin, end = np.nonzero(np.isfinite(away[:, hubs]))
    here, load = hubs[end], weight[origin] * weight[end]
    steps, loads = [np.empty(0, dtype=np.int64)], [np.empty(0)]
    while len(here):  # all ways are walked back at once, a step at a time
        back = before[origin, here].astype(np.int64)
        on = back >= 0
        origin, here, back, load = origin[on], here[on], back[on], load[on]
        steps.append(np.minimum(here, back) * n + np.maximum(here, back))
        loads.append(load)
        here = back
    key = u * n + v
    order = np.argsort(key)
    piece = order[np.searchsorted(key[order], np.concatenate(steps))]
    return np.bincount(piece, np.concatenate(loads), minlength=len(u)).astype(np.float64)


def _classes(busy: FloatArray, length: FloatArray) -> IntArray:
    """Index of the class of each piece of street: the busiest by share of length."""
    order = np.argsort(-busy, kind="stable")
    share = np.empty(len(busy))
    if len(busy):
        share[order] = (np.cumsum(length[order]) - length[order]) / length.sum()
    out = np.digitize(share, np.cumsum(_SHARES))
    out[busy == 0] = len(ROAD_CLASSES) - 1
    return np.asarray(out, dtype=np.int64)
