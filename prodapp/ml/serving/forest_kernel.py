"""The loops of :mod:`prodapp.ml.serving.forest`, compiled at their first call; imports numba."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numba

_njit: Final[Any] = numba.njit


def _compiled(function: Callable[..., Any]) -> Any:
    """From numba's cache where there is a place for one; NaN must stay NaN, so no "fastmath"."""
    options = {"nogil": True, "error_model": "numpy"}
    try:
        return _njit(function, cache=True, **options)
    except RuntimeError:  # numba: no place for a cache
        return _njit(function, **options)


def _inlined(function: Callable[..., Any]) -> Any:
    return _njit(function, inline="always", error_model="numpy")


@_compiled
def add_up(roots: Any, nodes: Any, X: Any, sums: Any, squares: Any) -> None:
    """Add each tree's value for each row of ``X`` to ``sums``, and its square to ``squares``.

    A tree after the other, all rows through each: its nodes stay in the processor's caches. Four
    rows at a time, whose waits for memory overlap.
    """
    n_rows = X.shape[0]
    for root in roots:
        row = 0
        while row + 4 <= n_rows:
            a = b = c = d = root
            while True:
                child_a, child_b = nodes[a].child, nodes[b].child
                child_c, child_d = nodes[c].child, nodes[d].child
                if child_a < 0 and child_b < 0 and child_c < 0 and child_d < 0:
                    break
                if child_a >= 0:
                    a = _next(nodes[a], X[row])
                if child_b >= 0:
                    b = _next(nodes[b], X[row + 1])
                if child_c >= 0:
                    c = _next(nodes[c], X[row + 2])
                if child_d >= 0:
                    d = _next(nodes[d], X[row + 3])
            _settle(nodes[a], sums, squares, row)
            _settle(nodes[b], sums, squares, row + 1)
            _settle(nodes[c], sums, squares, row + 2)
            _settle(nodes[d], sums, squares, row + 3)
            row += 4
        while row < n_rows:
            node = root
            while nodes[node].child >= 0:
                node = _next(nodes[node], X[row])
            _settle(nodes[node], sums, squares, row)
            row += 1


@_inlined
def _settle(leaf: Any, sums: Any, squares: Any, row: Any) -> None:
    sums[row] += leaf.number
    squares[row] += leaf.number * leaf.number


@_inlined
def _next(node: Any, x: Any) -> Any:
    """The child that a row goes on to: the left one, or the right one, which follows it."""
    feature = node.feature
    if feature < 0:  # missing values go left here
        value = x[~feature]
        return numba.int64(node.child) + (1 if value > node.number else 0)
    value = x[feature]
    return numba.int64(node.child) + (0 if value <= node.number else 1)
