"""The loops of :mod:`prodapp.ml.serving.forest`, compiled at their first call; imports numba."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from prodapp.ml.compiling import inner, outer


@outer()
def add_up(roots: Any, nodes: Any, X: Any, sums: Any, squares: Any) -> None:
    """Add each tree's value for each row of ``X`` to ``sums``, and its square to ``squares``.

    A tree after the other, all rows through each: its nodes stay in the processor's caches. Eight
    rows at a time, whose waits for memory overlap.
    """
    n_rows = X.shape[0]
    at = np.empty(8, dtype=np.int64)
    for root in roots:
        row = 0
        while row + 8 <= n_rows:
            at[:] = root
            is_moving = True
            while is_moving:
                is_moving = False
                for place in range(8):
                    node = nodes[at[place]]
                    if node.child >= 0:
                        at[place] = _next(node, X[row + place])
                        is_moving = True
            for place in range(8):
                _settle(nodes[at[place]], sums, squares, row + place)
            row += 8
        while row < n_rows:
            single = numba.int64(root)
            while nodes[single].child >= 0:
                single = _next(nodes[single], X[row])
            _settle(nodes[single], sums, squares, row)
            row += 1


@inner(inline="always")
def _settle(leaf: Any, sums: Any, squares: Any, row: Any) -> None:
    sums[row] += leaf.number
    squares[row] += leaf.number * leaf.number


@inner(inline="always")
def _next(node: Any, x: Any) -> Any:
    """The child that a row goes on to: the left one, or the right one, which follows it."""
    feature = node.feature
    if feature < 0:  # missing values go left here
        value = x[~feature]
        return numba.int64(node.child) + (1 if value > node.number else 0)
    value = x[feature]
    return numba.int64(node.child) + (0 if value <= node.number else 1)
