"""Features of a row from its own values: parts of dates, ratios, products, powers, logarithms.

Each class says with ``sources_out`` which variables its columns come from, as pairs of positions;
a column of one variable has it twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

FloatArray = npt.NDArray[np.float64]
Pair = tuple[int, int]

#: Larger values count as missing: forests compare in single precision.
_LARGEST: Final = 1e30
#: What pandas calls a part, where it has another name.
_ACCESSORS: Final = {"weekday": "day_of_week"}


def _finite(values: FloatArray) -> FloatArray:
    with np.errstate(invalid="ignore"):
        return np.where(np.abs(values) < _LARGEST, values, np.nan)


class _RowWise(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Nothing is learned from the data but the names of the columns."""

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002
        names = getattr(X, "columns", None)
        if names is None:
            names = [f"x{place}" for place in range(np.shape(X)[1])]
        self.feature_names_in_ = np.asarray(names, dtype=object)
        self.n_features_in_ = len(names)
        return self

    def names_out(self, names: Sequence[str]) -> list[str]:
        raise NotImplementedError

    def sources_out(self, sources: Sequence[Pair]) -> list[Pair]:
        """The variables of each column made, of those of each column given."""
        raise NotImplementedError

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        names = self.feature_names_in_ if input_features is None else input_features
        return np.asarray(self.names_out(list(names)), dtype=object)


class CalendarParts(_RowWise):
    """Whole numbers for the parts of dates; weekdays count from Monday as 0."""

    def __init__(self, parts: Sequence[str]) -> None:
        self.parts = parts

    def transform(self, X: pd.DataFrame) -> FloatArray:
        made = [
            getattr(X[name].dt, _ACCESSORS.get(part, part))
            for name in X.columns
            for part in self.parts
        ]
        return np.stack([part.to_numpy(dtype=np.float64, na_value=np.nan) for part in made], axis=1)

    def names_out(self, names: Sequence[str]) -> list[str]:
        return [f"{name} · {part}" for name in names for part in self.parts]

    def sources_out(self, sources: Sequence[Pair]) -> list[Pair]:
        return [source for source in sources for _ in self.parts]


class OfTwo(_RowWise):
    """The ratio or the product of two columns; over zero it is missing."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def transform(self, X: Any) -> FloatArray:
        first, second = np.asarray(X, dtype=np.float64).T
        if self.kind == "product":
            made = first * second
        else:
            with np.errstate(over="ignore"):
                made = first / np.where(second == 0, np.nan, second)
        return _finite(made)[:, np.newaxis]

    def names_out(self, names: Sequence[str]) -> list[str]:
        return [(" × " if self.kind == "product" else " ÷ ").join(names)]

    def sources_out(self, sources: Sequence[Pair]) -> list[Pair]:
        return [(sources[0][0], sources[1][0])]


class Powers(_RowWise):
    """The second to the highest power of each column, of its distance from the mean.

    Of a plain column far from zero a power would be its straight copy.
    """

    def __init__(self, degree: int) -> None:
        self.degree = degree

    def fit(self, X: Any, y: Any = None) -> Self:
        values = np.asarray(X, dtype=np.float64)
        known = np.isfinite(values)
        counts = np.maximum(known.sum(axis=0), 1)
        self.means_ = np.where(known, values, 0.0).sum(axis=0) / counts
        return super().fit(X, y)

    def transform(self, X: Any) -> FloatArray:
        centred = np.asarray(X, dtype=np.float64) - self.means_
        powers = [centred**power for power in range(2, self.degree + 1)]
        return _finite(np.concatenate(powers, axis=1))

    def names_out(self, names: Sequence[str]) -> list[str]:
        return [f"{name} ^ {power}" for power in range(2, self.degree + 1) for name in names]

    def sources_out(self, sources: Sequence[Pair]) -> list[Pair]:
        return [source for _ in range(2, self.degree + 1) for source in sources]


class SignedLog(_RowWise):
    """sign(x) · ln(1 + |x|): the logarithm, for zero and negative values too."""

    def transform(self, X: Any) -> FloatArray:
        values = np.asarray(X, dtype=np.float64)
        return np.sign(values) * np.log1p(np.abs(values))

    def names_out(self, names: Sequence[str]) -> list[str]:
        return list(names)

    def sources_out(self, sources: Sequence[Pair]) -> list[Pair]:
        return list(sources)
