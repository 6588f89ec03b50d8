"""Scores of sound events: matched one by one within a collar, and second by second.

The two counts of the field's own toolbox: an alert is right when it begins within 0.2 s of a sound and ends within
0.2 s or half of the sound's length; a second is right when both sides say that something sounds in it.

What it cannot tell you: whether anyone needed to come. A sound rightly named may be a saw at work.

References
----------
.. [1] Mesaros, Heittola & Virtanen (2016), "Metrics for polyphonic sound event detection", Applied Sciences 6(6):162.
"""

from __future__ import annotations

import networkx as nx
import numpy as np
import numpy.typing as npt
import pandas as pd


def event_counts(
    alerts: pd.DataFrame, sounds: pd.DataFrame, *, collar_s: float = 0.2, share_of_length: float = 0.5
) -> dict[str, int]:
    """Alerts and sounds matched one to one, as many as can be.

    Parameters
    ----------
    alerts, sounds : DataFrame
        ``onset_s, offset_s``.
    collar_s : float, default=0.2
    share_of_length : float, default=0.5
        The end may be off by this share of the sound's length, if that is more than the collar.

    Returns
    -------
    dict
        ``event_hits, event_false, event_missed``.
    """
    begin, end = alerts["onset_s"].to_numpy(np.float64), alerts["offset_s"].to_numpy(np.float64)
    onset, offset = sounds["onset_s"].to_numpy(np.float64), sounds["offset_s"].to_numpy(np.float64)
    slack = np.maximum(collar_s, share_of_length * (offset - onset))
    near = (np.abs(begin[:, None] - onset) <= collar_s) & (np.abs(end[:, None] - offset) <= slack)
    graph = nx.Graph()
    top = [("alert", int(i)) for i in range(len(begin))]
    graph.add_nodes_from(top)
    graph.add_edges_from((("alert", int(i)), ("sound", int(j))) for i, j in zip(*np.nonzero(near), strict=True))
    hits = len(nx.bipartite.maximum_matching(graph, top_nodes=top)) // 2 if near.any() else 0
    return {"event_hits": hits, "event_false": len(begin) - hits, "event_missed": len(onset) - hits}


def segment_counts(
    alerts: pd.DataFrame, sounds: pd.DataFrame, *, end_s: float, segment_s: float = 1.0
) -> dict[str, int]:
    """Segments in which both, one or the other say that something sounds.

    Returns
    -------
    dict
        ``segment_hits, segment_false, segment_missed``.
    """
    n = int(np.ceil(end_s / segment_s - 1e-9))
    told, there = _active(alerts, n, segment_s), _active(sounds, n, segment_s)
    return {
        "segment_hits": int((told & there).sum()),
        "segment_false": int((told & ~there).sum()),
        "segment_missed": int((~told & there).sum()),
    }


def _active(events: pd.DataFrame, n: int, segment_s: float) -> npt.NDArray[np.bool_]:
    """Segments that an event touches."""
    out = np.zeros(n, dtype=np.bool_)
    for onset, offset in zip(events["onset_s"], events["offset_s"], strict=True):
        out[int(np.floor(onset / segment_s + 1e-9)) : int(np.ceil(offset / segment_s - 1e-9))] = True
    return out
