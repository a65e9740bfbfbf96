"""What each edge of a forest means for the paths through it, for :mod:`prodapp.ml.treeshap`.

Compiled at its first call; importing this module imports numba.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from prodapp.ml.compiling import outer


@outer()
def trace_paths(roots: Any, left: Any, right: Any, features: Any, ratios: Any) -> Any:
    """What the edge into each node carries, and the most features on one path.

    Per node: the feature of the edge (−1 at roots); the depth of the edge before on its path with
    the same feature, 0 where there is none; the share of training samples that passed all splits
    of the path on that feature, before the edge and after it.
    """
    n_nodes = left.size
    edge_feature = np.full(n_nodes, -1, dtype=np.int32)
    earlier = np.zeros(n_nodes, dtype=np.int32)
    before = np.ones(n_nodes)
    after = np.ones(n_nodes)
    depths = np.zeros(n_nodes, dtype=np.int32)
    n_distinct = np.zeros(n_nodes, dtype=np.int32)
    path = np.zeros(n_nodes + 1, dtype=np.int64)
    waiting = np.zeros(n_nodes + 1, dtype=np.int64)
    for root in roots[:-1]:
        waiting[0] = root
        n_waiting = 1
        while n_waiting > 0:
            n_waiting -= 1
            node = waiting[n_waiting]
            depth = depths[node]
            path[depth] = node
            if left[node] < 0:
                continue
            feature = features[node]
            same = depth
            while same > 0 and edge_feature[path[same]] != feature:
                same -= 1
            for child in (left[node], right[node]):
                depths[child] = depth + 1
                edge_feature[child] = feature
                earlier[child] = same
                before[child] = after[path[same]]
                after[child] = before[child] * ratios[child]
                n_distinct[child] = n_distinct[node] + (1 if same == 0 else 0)
                waiting[n_waiting] = child
                n_waiting += 1
    return edge_feature, earlier, before, after, depths.max(), n_distinct.max()
