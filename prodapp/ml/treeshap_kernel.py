"""The loops of :mod:`prodapp.ml.treeshap`, which explains them; compiled at their first use."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np


def explain_block(
    X: Any,
    roots: Any,
    left: Any,
    right: Any,
    features: Any,
    thresholds: Any,
    missing_left: Any,
    covers: Any,
    values: Any,
    used: Any,
    max_depth: int,
    nodes: Any,
    weights: Any,
    phi: Any,
) -> None:
    """Add the SHAP values of a block to ``phi``; ``X`` and ``phi`` are (features, samples).

    Compiled by numba; written for its loops, not for Python's. Depth 0 stands for the edge into
    the root, a split that every sample passes (o = 1, z = 1), and is what an edge whose feature
    is new on the path takes as its forerunner.
    """
    n_samples, n_nodes = X.shape[1], nodes.size
    product = np.ones((max_depth + 1, n_nodes, n_samples))
    below = np.zeros((max_depth + 1, n_nodes, n_samples))
    passes = np.ones((max_depth + 1, n_samples))
    share = np.ones(max_depth + 1)
    path_feature = np.full(max_depth + 1, -1, dtype=np.int64)
    before = np.zeros(max_depth + 1, dtype=np.int64)
    dead = np.zeros(max_depth + 1, dtype=np.int64)
    at = np.zeros(max_depth + 1, dtype=np.int64)
    n_visited = np.zeros(max_depth + 1, dtype=np.int64)
    settled = np.empty(n_samples)
    owed = np.empty(n_samples)

    for root in roots:
        depth = 0
        at[0] = root
        n_visited[0] = 0
        while depth >= 0:
            node = at[depth]
            is_end = (used[node] & ~dead[depth]) == 0
            if not is_end and n_visited[depth] < 2:
                child = left[node] if n_visited[depth] == 0 else right[node]
                goes_left = n_visited[depth] == 0
                n_visited[depth] += 1
                feature = features[node]
                earlier = depth
                while earlier > 0 and path_feature[earlier] != feature:
                    earlier -= 1
                ratio = covers[child] / covers[node]
                z_before = share[earlier]
                z = z_before * ratio
                depth += 1
                at[depth] = child
                n_visited[depth] = 0
                path_feature[depth] = feature
                before[depth] = earlier
                share[depth] = z
                threshold = thresholds[node]
                nan_left = missing_left[node]
                n_alive = 0.0
                passed, passes_now, row = passes[earlier], passes[depth], X[feature]
                for s in range(n_samples):
                    is_left = (row[s] <= threshold) | (nan_left & np.isnan(row[s]))
                    o = passed[s] if is_left == goes_left else 0.0
                    passes_now[s] = o
                    n_alive += o
                dead[depth] = dead[depth - 1]
                if n_alive == 0.0 and feature <= 62:
                    dead[depth] |= np.int64(1) << feature
                for k in range(n_nodes):
                    t = nodes[k]
                    factor = z_before + (1.0 - z_before) * t
                    kept = (z + (1.0 - z) * t) / factor
                    lost = z * (1.0 - t) / factor
                    above, here = product[depth - 1, k], product[depth, k]
                    first, second = lost - ratio, kept - lost
                    for s in range(n_samples):
                        here[s] = above[s] * (ratio + passed[s] * first + passes_now[s] * second)
                continue
            if is_end:
                value = values[node]
                for k in range(n_nodes):
                    here, total = product[depth, k], below[depth, k]
                    for s in range(n_samples):
                        total[s] = value * here[s]
            if depth > 0:
                earlier = before[depth]
                feature = path_feature[depth]
                is_alive = feature > 62 or (dead[depth - 1] >> feature) & 1 == 0
                if is_alive:
                    z = share[depth]
                    z_before = share[earlier]
                    for s in range(n_samples):
                        settled[s] = 0.0
                        owed[s] = 0.0
                    for k in range(n_nodes):
                        t = nodes[k]
                        weight = weights[k] / (1.0 - t)
                        now = weight / (z + (1.0 - z) * t)
                        then = weight / (z_before + (1.0 - z_before) * t)
                        total = below[depth, k]
                        for s in range(n_samples):
                            settled[s] += now * total[s]
                            owed[s] += then * total[s]
                    passed, passes_now, account = passes[earlier], passes[depth], phi[feature]
                    for s in range(n_samples):
                        account[s] += passes_now[s] * settled[s] - passed[s] * owed[s]
                is_first = n_visited[depth - 1] == 1
                for k in range(n_nodes):
                    total, parent = below[depth, k], below[depth - 1, k]
                    for s in range(n_samples):
                        parent[s] = total[s] if is_first else parent[s] + total[s]
            depth -= 1


@functools.cache
def compiled() -> Any:
    """The kernel, compiled at its first call, from numba's cache where that can be written."""
    import numba

    # Sums may be reordered, which makes them vectors; NaN must stay NaN, so no full "fastmath".
    options: dict[str, Any] = {
        "nogil": True,
        "error_model": "numpy",
        "fastmath": {"contract", "reassoc", "nsz"},
    }
    try:
        return numba.njit(explain_block, cache=True, **options)
    except RuntimeError:  # numba: no place for a cache
        return numba.njit(explain_block, **options)
