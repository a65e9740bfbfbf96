"""Features of a row from the rows before it in the same series: lags, windows, differences.

Nothing is fitted, and nothing later than a row enters it: so they may be computed once for a whole
table, before any split. What a split must keep is a distance of ``reach`` rows between samples that
are learned from and samples that are judged by, so that no window spans both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from prodapp.ml.features.catalogue import STEPS
from prodapp.ml.features.plan import resolve_steps
from prodapp.ml.table import Column

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]


class SeriesFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Adds columns to a frame whose index is a clock.

    Rows follow each other where their index differs by one (:mod:`prodapp.ml.timeline`); anything
    else is a border, which no lag and no window crosses: the value is then missing. Rows may come
    in any order. ``steps`` are resolved steps of :mod:`prodapp.ml.features.catalogue`.
    """

    def __init__(self, steps: Sequence[Mapping[str, Any]]) -> None:
        self.steps = steps

    @property
    def reach(self) -> int:
        """How many rows back the farthest looking feature looks."""
        farthest = [0]
        for step in self.steps:
            if step["step"] == "rolling":
                farthest += [window - 1 for window in step["windows"]]
            else:
                farthest += step["lags"]
        return max(farthest)

    def made(self) -> dict[str, str]:
        """The name of each new column, and its variable."""
        return {name: column for name, column, _, _, _ in self._plan()}

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:  # noqa: ARG002
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        if not self.steps:
            return X
        clock = X.index.to_numpy()
        order = np.argsort(clock, kind="stable")
        n_before = _n_before(clock[order])
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        made: dict[str, FloatArray] = {}
        for name, column, kind, rows, statistic in self._plan():
            values = X[column].to_numpy(dtype=np.float64)[order]
            found = _rolled(values, rows, statistic) if kind == "rolling" else _moved(values, rows)
            n_needed = rows - 1 if kind == "rolling" else rows
            if kind == "differences":
                found = values - found
            made[name] = np.where(n_before >= n_needed, found, np.nan)[back]
        return pd.concat([X, pd.DataFrame(made, index=X.index)], axis=1)

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        names = self.feature_names_in_ if input_features is None else input_features
        return np.asarray([*names, *self.made()], dtype=object)

    def _plan(self) -> list[tuple[str, str, str, int, str]]:
        """(new name, variable, kind of step, rows, statistic) of each new column."""
        plan = []
        for step in self.steps:
            for column in step["columns"]:
                if step["step"] == "rolling":
                    plan += [
                        (f"{column} · {kind} {rows}", column, "rolling", rows, kind)
                        for rows in step["windows"]
                        for kind in step["statistics"]
                    ]
                else:
                    word = "lag" if step["step"] == "lags" else "difference"
                    plan += [
                        (f"{column} · {word} {rows}", column, step["step"], rows, "")
                        for rows in step["lags"]
                    ]
        return plan


def series_features(
    engineering: Iterable[Mapping[str, Any]], columns: Sequence[Column]
) -> SeriesFeatures:
    """The steps of an engineering that look at earlier rows, for these variables."""
    steps = resolve_steps(engineering, columns)
    return SeriesFeatures([step for step in steps if STEPS[step["step"]].needs_order])


def _n_before(clock: npt.NDArray[np.int64]) -> IntArray:
    """For each row in order, how many rows of its series come before it."""
    places = np.arange(len(clock))
    is_border = np.concatenate([[True], np.diff(clock) != 1])[: len(clock)]
    n_before: IntArray = places - np.maximum.accumulate(np.where(is_border, places, 0))
    return n_before


def _moved(values: FloatArray, rows: int) -> FloatArray:
    moved = np.full(len(values), np.nan)
    moved[rows:] = values[: max(0, len(values) - rows)]
    return moved


def _rolled(values: FloatArray, rows: int, statistic: str) -> FloatArray:
    """Of the last ``rows`` values, at least half of which must be there."""
    rolling = pd.Series(values).rolling(rows, min_periods=(rows + 1) // 2)
    found: FloatArray = getattr(rolling, statistic)().to_numpy()
    return found
