"""The loop of :mod:`prodapp.ml.trust.swapping`, compiled at its first call; imports numba."""

from __future__ import annotations

from typing import Any

import numpy as np

from prodapp.ml.compiling import outer


@outer()
def add_up(
    roots: Any, tree: Any, X: Any, copies: Any, unit_of: Any, answers: Any, changes: Any
) -> None:
    """Add the trees' values of each row to ``answers`` (rows,), and to ``changes`` (rows, copies,
    units) what they change by where the columns of a unit are taken from a copy.

    ``X`` is (rows, columns), ``copies`` (rows, copies, columns); ``unit_of`` holds for each column
    the unit that it belongs to, −1 for none.
    """
    left, right, features, thresholds, missing_left, values = tree
    n_rows, n_copies, n_units = changes.shape
    first = np.full(n_units, -1, dtype=np.int64)
    met = np.empty(n_units, dtype=np.int64)
    for index in range(roots.size - 1):
        for row in range(n_rows):
            n_met = 0
            node = roots[index]
            while left[node] >= 0:
                feature = features[node]
                unit = unit_of[feature]
                if unit >= 0 and first[unit] < 0:
                    first[unit] = node
                    met[n_met] = unit
                    n_met += 1
                value = X[row, feature]
                is_left = value <= thresholds[node] or (missing_left[node] and np.isnan(value))
                node = left[node] if is_left else right[node]
            answer = values[node]
            answers[row] += answer
            for place in range(n_met):
                unit = met[place]
                for copy in range(n_copies):
                    node = first[unit]
                    while left[node] >= 0:
                        feature = features[node]
                        if unit_of[feature] == unit:
                            value = copies[row, copy, feature]
                        else:
                            value = X[row, feature]
                        is_left = value <= thresholds[node] or (
                            missing_left[node] and np.isnan(value)
                        )
                        node = left[node] if is_left else right[node]
                    changes[row, copy, unit] += values[node] - answer
                first[unit] = -1
