"""The loops of :mod:`prodapp.ml.growing`, compiled at their first call; imports numba.

Every variable keeps its own order of a tree's rows, which a split parts without unsorting it: so
rows are sorted once, not at every node. Choices are those of scikit-learn's best splitter, and so
are the numbers of nodes (depth first, left before right) and what counts as constant or pure.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from prodapp.ml.compiling import inner, outer

#: Values nearer than this are one value, and spreads below it none, as scikit-learn has it.
_SAME: Final = np.float32(1e-7)
_PURE: Final = float(np.finfo(np.float64).eps)


@outer()
def part_orders(orders: Any, places: Any, found: Any) -> None:
    """Of ``orders`` (variables, rows) those rows that have a place, by it, into ``found``."""
    for variable in range(orders.shape[0]):
        n_found = 0
        for row in orders[variable]:
            place = places[row]
            if place >= 0:
                found[variable, n_found] = place
                n_found += 1


@inner()
def _shuffle(variables: Any, state: Any) -> Any:
    """Puts the variables in a random order (xorshift; Marsaglia 2003)."""
    for last in range(variables.size - 1, 0, -1):
        state ^= state << np.uint64(13)
        state ^= state >> np.uint64(7)
        state ^= state << np.uint64(17)
        other = np.int64(state % np.uint64(last + 1))
        variables[last], variables[other] = variables[other], variables[last]
    return state


@inner()
def _best_cut(x: Any, order: Any, shares: Any, of_node: Any, min_leaf: Any, best: Any) -> Any:
    """The best cut of one variable: how good, and after how many rows (0: none beats ``best``).

    ``shares`` are weight and weighted target of each row, ``of_node`` their sums over ``order``.
    """
    weights, targets = shares
    n_rows = order.size
    weight = total = 0.0
    cut = 0
    row = order[0]
    for n_left in range(1, n_rows - min_leaf + 1):
        weight += weights[row]
        total += targets[row]
        value = x[row]
        row = order[n_left]
        if n_left < min_leaf or x[row] <= value + _SAME:
            continue
        rest = of_node[1] - total
        gain = total * total / weight + rest * rest / (of_node[0] - weight)
        if gain > best:
            best = gain
            cut = n_left
    return best, cut


@inner()
def _sums(order: Any, weights: Any, targets: Any, y: Any) -> Any:
    """Weight, mean and variance of some rows."""
    weight = total = squares = 0.0
    for row in order:
        weight += weights[row]
        total += targets[row]
        squares += targets[row] * y[row]
    mean = total / weight
    return weight, mean, squares / weight - mean * mean


@inner()
def _part(order: Any, is_left: Any, spare: Any) -> None:
    """Rows that go left to the front, all others behind them, each in the order they have."""
    n_left = n_right = 0
    for place in range(order.size):
        row = order[place]
        goes_left = is_left[row]
        order[n_left] = row
        spare[n_right] = row
        n_left += goes_left
        n_right += 1 - goes_left
    for place in range(n_right):
        order[n_left + place] = spare[place]


@inner()
def _best_split(X: Any, orders: Any, shares: Any, of_node: Any, min_leaf: Any, tried: Any) -> Any:
    """Variable and number of rows to the left, of the first ``tried[1]`` of the variables
    ``tried[0]``, and further ones while none of them varies; 0 rows where there is no split."""
    variables, n_tried = tried
    best, chosen, cut = -np.inf, 0, 0
    varies = False
    for n_seen in range(variables.size):
        if n_seen >= n_tried and varies:
            break
        variable = variables[n_seen]
        x, order = X[variable], orders[variable]
        if x[order[-1]] <= x[order[0]] + _SAME:
            continue
        varies = True
        best, n_left = _best_cut(x, order, shares, of_node, min_leaf, best)
        if n_left > 0:
            chosen, cut = variable, n_left
    return chosen, cut


@outer()
def grow(X: Any, orders: Any, weights: Any, y: Any, limits: Any, seed: Any, tree: Any) -> int:
    """Grow one tree into the arrays of ``tree``; how many nodes it has.

    ``X`` is (variables, rows), ``orders`` (variables, rows) what sorts each, and is left in
    disorder; ``limits`` are the greatest depth, the fewest rows of a leaf and how many variables
    are tried at a node.
    """
    left, right, features, thresholds, impurities, n_rows_of, weights_of, values, depths = tree
    max_depth, min_leaf, n_tried = limits
    n_variables, n_rows = X.shape
    fewest = max(2, 2 * min_leaf)
    targets = weights * y
    shares = (weights, targets)
    is_left = np.zeros(n_rows, dtype=np.uint8)
    spare = np.empty(n_rows, dtype=orders.dtype)
    variables = np.arange(n_variables)
    state = np.uint64(seed) * np.uint64(2685821657736338717) + np.uint64(88172645463325252)
    starts, ends = np.zeros(n_rows + 1, dtype=np.int64), np.zeros(n_rows + 1, dtype=np.int64)
    parents = np.full(n_rows + 1, -1, dtype=np.int64)
    ends[0] = n_rows
    n_waiting = 1
    n_nodes = 0
    while n_waiting > 0:
        n_waiting -= 1
        start, end, parent = starts[n_waiting], ends[n_waiting], parents[n_waiting]
        node = n_nodes
        n_nodes += 1
        depth = 0
        # The first child of a parent that comes up is its left one.
        if parent >= 0:
            depth = depths[parent] + 1
            if left[parent] < 0:
                left[parent] = node
            else:
                right[parent] = node
        # What sorts the variable that was split last has the rows of the node together already.
        of = features[parent] if parent >= 0 else 0
        weight, mean, impurity = _sums(orders[of, start:end], weights, targets, y)
        depths[node], n_rows_of[node] = depth, end - start
        weights_of[node], values[node], impurities[node] = weight, mean, impurity
        left[node] = right[node] = -1
        features[node], thresholds[node] = -2, -2.0
        if depth >= max_depth or end - start < fewest or impurity <= _PURE:
            continue
        state = _shuffle(variables, state)
        variable, cut = _best_split(
            *(X, orders[:, start:end], shares, (weight, mean * weight), min_leaf),
            (variables, n_tried),
        )
        if cut == 0:
            continue
        order = orders[variable, start:end]
        below, above = X[variable, order[cut - 1]], X[variable, order[cut]]
        features[node] = variable
        thresholds[node] = np.float64(below) / 2 + np.float64(above) / 2
        # Of leaves the sums are all that is asked for.
        if max(cut, order.size - cut) >= fewest:
            for place in range(order.size):
                is_left[order[place]] = place < cut
            for other in range(n_variables):
                if other != variable:
                    _part(orders[other, start:end], is_left, spare)
        for first, last in ((start + cut, end), (start, start + cut)):
            starts[n_waiting], ends[n_waiting], parents[n_waiting] = first, last, node
            n_waiting += 1
    return n_nodes
