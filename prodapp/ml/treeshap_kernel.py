"""The loops of :mod:`prodapp.ml.treeshap`, which explains them; compiled at their first call.

Written for numba's loops, not for Python's; importing this module imports numba. A block of
samples walks a tree together, so that every inner loop runs over samples and becomes vectors, of
single precision: products of shares lie in [0, 1], leaf values are scaled to [−1, 1], and sums
over trees are in double precision again.

Arrays of the inner functions: ``product[depth, node of quadrature, sample]`` is that of the
factors of the path down to a depth, ``total[depth, side, …]`` the sum of the products of the
leaves below its left and right child, ``passed[depth, side, sample]`` is 1 where the sample
passes every split of the path on the feature of the edge into that child. Depth 0 stands for the
edge into the root, which every sample passes, and is what an edge whose feature is new on the
path takes as its forerunner.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from prodapp.ml.compiling import inner, outer

#: Sums may be reordered, which makes them vectors; NaN must stay NaN, so no full "fastmath".
_MATH: Final = {"contract", "reassoc", "nsz"}
_inner, _outer = inner(fastmath=_MATH), outer(fastmath=_MATH)


@_inner
def _fill_tables(first: Any, tree: Any, path: Any, quadrature: Any, fixed: Any, tables: Any) -> Any:
    """The factors of a tree's edges at each node of the quadrature, a row for each node below.

    ``kept`` multiplies the product of samples that pass the edge, ``lost`` that of those that
    passed up to it, ``rest`` that of all others (those of a leaf are times its value, so that its
    product is its total). ``now`` and ``then`` weigh the totals below, by ∫ without the factor of
    the edge's own feature as it is after and before the edge. A feature that is ``fixed`` is no
    player: its edges multiply by whether the sample passes, or by the share that did.
    """
    left, ratios, values = tree
    edge_feature, before, after = path
    nodes, weights = quadrature
    fixed_feature, is_known = fixed
    kept, lost, rest, now, then = tables
    for row in range(rest.size):
        node = first + row
        scale = values[node] if left[node] < 0 else 1.0
        rest[row] = scale * ratios[node]
        is_player = edge_feature[node] != fixed_feature
        for k in range(nodes.size):
            t = nodes[k]
            factor = before[node] + (1.0 - before[node]) * t
            share = after[node] + (1.0 - after[node]) * t
            weight = weights[k] / (1.0 - t)
            if is_player:
                kept[row, k] = scale * share / factor
                lost[row, k] = scale * after[node] * (1.0 - t) / factor
                now[row, k] = weight / share
                then[row, k] = weight / factor
            else:
                kept[row, k] = scale if is_known else rest[row]
                lost[row, k] = 0.0 if is_known else rest[row]
                now[row, k] = 0.0
                then[row, k] = 0.0


@_inner
def _split(x: Any, threshold: Any, missing_left: Any, above: Any, passed: Any) -> Any:
    """Which samples pass to the left and to the right, of those that ``above`` lets through."""
    to_left, to_right = passed[0], passed[1]
    for s in range(x.size):
        is_left = (x[s] <= threshold) | (missing_left & np.isnan(x[s]))
        to_left[s] = above[s] if is_left else above[s] * 0
        to_right[s] = above[s] - to_left[s]


@_inner
def _multiply(
    parent: Any, above: Any, passed: Any, rest: Any, lost: Any, kept: Any, out: Any
) -> Any:
    """The product after an edge whose feature has been on the path before."""
    for k in range(kept.size):
        second = kept[k] - lost[k]
        first = lost[k] - rest
        for s in range(passed.size):
            out[k, s] = parent[k, s] * (rest + above[s] * first + passed[s] * second)


@_inner
def _multiply_new(parent: Any, passed: Any, lost: Any, kept: Any, out: Any) -> Any:
    """The product after an edge whose feature is new on the path: all samples passed so far."""
    for k in range(kept.size):
        first = lost[k]
        second = kept[k] - first
        for s in range(passed.size):
            out[k, s] = parent[k, s] * (first + passed[s] * second)


@_inner
def _settle(below: Any, passed: Any, now: Any, then: Any, total: Any, account: Any) -> Any:
    """Both edges of a split pay the account of its feature; their totals become the parent's."""
    to_left, to_right = passed[0], passed[1]
    left, right = below[0], below[1]
    now_left, now_right = now
    for k in range(then.size):
        owed = then[k]
        for_left, for_right = now_left[k] - owed, now_right[k] - owed
        for s in range(account.size):
            account[s] += to_left[s] * (for_left * left[k, s] - owed * right[k, s])
            account[s] += to_right[s] * (for_right * right[k, s] - owed * left[k, s])
        for s in range(account.size):
            total[k, s] = left[k, s] + right[k, s]


@_inner
def _settle_leaf(
    product: Any, other: Any, passed: Any, edge: Any, now: Any, then: Any, total: Any, account: Any
) -> Any:
    """As :func:`_settle` where one side is a leaf, whose total (values, samples) is not kept.

    ``passed`` and ``now`` are those of the leaf, then of the ``other`` side; ``edge`` holds the
    factors of the leaf.
    """
    to_leaf, to_other = passed
    rest, lost, kept = edge
    now_leaf, now_other = now
    for k in range(then.size):
        owed = then[k]
        for_leaf, for_other = now_leaf[k] - owed, now_other[k] - owed
        # All that passed so far go to either side.
        second, first = kept[k] - rest, lost[k] - rest
        for s in range(account.size):
            leaf = product[k, s] * (rest + to_leaf[s] * second + to_other[s] * first)
            beyond = other[k, s]
            account[s] += to_leaf[s] * (for_leaf * leaf - owed * beyond)
            account[s] += to_other[s] * (for_other * beyond - owed * leaf)
            total[k, s] = leaf + beyond


@_inner
def _settle_leaves(
    product: Any, passed: Any, edges: Any, now: Any, then: Any, total: Any, account: Any
) -> Any:
    """As :func:`_settle` where both sides are leaves: what a sample passes decides its factors."""
    to_left, to_right = passed[0], passed[1]
    (rest_left, lost_left, kept_left), (rest_right, lost_right, kept_right) = edges
    now_left, now_right = now
    rest = rest_left + rest_right
    for k in range(then.size):
        owed = then[k]
        if_left = (now_left[k] - owed) * kept_left[k] - owed * lost_right[k]
        if_right = (now_right[k] - owed) * kept_right[k] - owed * lost_left[k]
        more_left = kept_left[k] + lost_right[k] - rest
        more_right = kept_right[k] + lost_left[k] - rest
        for s in range(account.size):
            above = product[k, s]
            account[s] += above * (to_left[s] * if_left + to_right[s] * if_right)
            total[k, s] = above * (rest + to_left[s] * more_left + to_right[s] * more_right)


@_inner
def _settle_node(
    depth: Any,
    side: Any,
    is_leaf: Any,
    rows: Any,
    tables: Any,
    work: Any,
    account: Any,
) -> Any:
    """Settle a split whose inner children are done; ``rows`` are the children's in ``tables``."""
    kept, lost, rest, now, then = tables
    product, total, passed = work
    beyond = depth + 1
    first, second = rows
    owed, out = then[first], total[depth, side]
    if is_leaf[0] and is_leaf[1]:
        edges = (
            (rest[first], lost[first], kept[first]),
            (rest[second], lost[second], kept[second]),
        )
        _settle_leaves(
            product[depth], passed[beyond], edges, (now[first], now[second]), owed, out, account
        )
    elif is_leaf[0] or is_leaf[1]:
        side = 0 if is_leaf[0] else 1
        leaf, other = (first, second) if is_leaf[0] else (second, first)
        _settle_leaf(
            product[depth],
            total[beyond, 1 - side],
            (passed[beyond, side], passed[beyond, 1 - side]),
            (rest[leaf], lost[leaf], kept[leaf]),
            (now[leaf], now[other]),
            *(owed, out, account),
        )
    else:
        _settle(total[beyond], passed[beyond], (now[first], now[second]), owed, out, account)


@_inner
def _walk(
    X: Any, first: Any, tree: Any, earlier: Any, tables: Any, work: Any, accounts: Any
) -> Any:
    """Add a tree's SHAP values of one block (features, samples) to ``accounts``."""
    left, right, features, thresholds, missing_left = tree
    kept, lost, rest = tables[:3]
    product, total, passed, at, side, n_visited = work
    depth = 0
    at[0] = first
    side[0] = 0
    n_visited[0] = 0
    while depth >= 0:
        node = at[depth]
        children = (left[node], right[node])
        is_leaf = (left[children[0]] < 0, left[children[1]] < 0)
        same = earlier[children[0]]
        above = passed[same, side[same]]
        beyond = depth + 1
        turn = n_visited[depth]
        if turn == 0:
            x = X[features[node]]
            _split(x, thresholds[node], missing_left[node], above, passed[beyond])
            if is_leaf[0]:
                turn = 1
        if turn == 1 and is_leaf[1]:
            turn = 2
        if turn < 2:
            child = children[turn]
            row = child - first
            if same == 0:
                _multiply_new(
                    product[depth], passed[beyond, turn], lost[row], kept[row], product[beyond]
                )
            else:
                _multiply(
                    product[depth],
                    above,
                    passed[beyond, turn],
                    rest[row],
                    lost[row],
                    kept[row],
                    product[beyond],
                )
            n_visited[depth] = turn + 1
            depth = beyond
            at[depth] = child
            side[depth] = turn
            n_visited[depth] = 0
            continue
        _settle_node(
            *(depth, side[depth], is_leaf),
            (children[0] - first, children[1] - first),
            tables,
            (product, total, passed),
            accounts[features[node]],
        )
        depth -= 1


@_inner
def _add(accounts: Any, phi: Any) -> Any:
    for feature in range(accounts.shape[0]):
        for s in range(accounts.shape[1]):
            phi[feature, s] += accounts[feature, s]
            accounts[feature, s] = 0.0


@_outer
def explain(
    X: Any,
    roots: Any,
    tree: Any,
    ratios: Any,
    values: Any,
    path: Any,
    max_depth: int,
    quadrature: Any,
    fixed: Any,
) -> Any:
    """SHAP values (blocks, features, samples) of the trees at ``roots`` (and their end).

    ``X`` is (blocks, features, samples); ``fixed`` is a feature that is no player (−1: none), and
    whether its values are known.
    """
    edge_feature, earlier, before, after = path
    left = tree[0]
    n_blocks, n_features, n_samples = X.shape
    n_nodes = quadrature[0].size
    size = (roots[1:] - roots[:-1]).max()
    single = np.float32
    work = (
        np.ones((max_depth + 1, n_nodes, n_samples), dtype=single),
        np.zeros((max_depth + 2, 2, n_nodes, n_samples), dtype=single),
        np.ones((max_depth + 2, 2, n_samples), dtype=single),
        np.zeros(max_depth + 2, dtype=np.int64),
        np.zeros(max_depth + 2, dtype=np.int64),
        np.zeros(max_depth + 2, dtype=np.int64),
    )
    kept = np.empty((size, n_nodes), dtype=single)
    lost, now, then = np.empty_like(kept), np.empty_like(kept), np.empty_like(kept)
    rest = np.empty(size, dtype=single)
    accounts = np.zeros((n_features, n_samples), dtype=single)
    phi = np.zeros(X.shape)
    for index in range(roots.size - 1):
        first, end = roots[index], roots[index + 1]
        if left[first] < 0:
            continue
        tables = (kept, lost, rest[: end - first], now, then)
        _fill_tables(
            first, (left, ratios, values), (edge_feature, before, after), quadrature, fixed, tables
        )
        for block in range(n_blocks):
            _walk(X[block], first, tree, earlier, tables, work, accounts)
            _add(accounts, phi[block])
    return phi
