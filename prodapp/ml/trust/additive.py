"""A sum of smooth functions: it tells collinear variables apart where trees do not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.linear_model import RidgeCV

from prodapp.ml.table import Column

FloatArray = npt.NDArray[np.float64]

_HINGES: Final = (0.1, 0.3, 0.5, 0.7, 0.9)
_MAX_CATEGORIES: Final = 12
_PENALTIES: Final = np.logspace(-2, 4, 13)
_FARTHEST: Final = 6.0


class Additive:
    """Ridge regression on hinges of the numbers and on the frequent categories."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns
        self._shapes: list[Any] = []
        self._ridge = RidgeCV(alphas=_PENALTIES)

    def fit(self, X: pd.DataFrame, y: FloatArray) -> Additive:
        """Learn from the rows of ``X``, which holds the columns by name."""
        self._shapes = [_shape(X[column.name], column) for column in self._columns]
        self._ridge.fit(self._design(X), y)
        return self

    def predict(self, X: pd.DataFrame) -> FloatArray:
        """(rows,): what it says of each."""
        answers: FloatArray = self._ridge.predict(self._design(X))
        return answers

    def _design(self, X: pd.DataFrame) -> FloatArray:
        parts = [
            _functions(X[column.name], column, shape)
            for column, shape in zip(self._columns, self._shapes, strict=True)
        ]
        return np.hstack(parts)


def _shape(series: pd.Series, column: Column) -> Any:
    """Middle, spread and hinges of a number; the frequent values of a category."""
    if column.kind != "number":
        return list(series.dropna().value_counts().index[:_MAX_CATEGORIES])
    values = series.to_numpy(dtype=np.float64)
    values = values[~np.isnan(values)]
    if not len(values):
        return 0.0, 1.0, np.zeros(0)
    middle, spread = float(np.median(values)), float(values.std()) or 1.0
    return middle, spread, np.unique((np.quantile(values, _HINGES) - middle) / spread)


def _functions(series: pd.Series, column: Column, shape: Any) -> FloatArray:
    if column.kind != "number":
        cells = series.to_numpy()
        flags = [(cells == level).astype(np.float64) for level in shape]
        return np.column_stack(flags) if flags else np.zeros((len(series), 1))
    middle, spread, hinges = shape
    z = (series.to_numpy(dtype=np.float64) - middle) / spread
    is_missing = np.isnan(z)
    z = np.clip(np.where(is_missing, 0.0, z), -_FARTHEST, _FARTHEST)
    bent = [np.maximum(z - hinge, 0.0) for hinge in hinges]
    return np.column_stack([z, *bent, is_missing.astype(np.float64)])
