"""A fitted preprocessing for one row in microseconds; by scikit-learn it takes milliseconds.

Only what stands in nearly every pipeline is done here, and :func:`row_encoder` checks itself on
rows of the training: where anything differs or is not known, there is no such encoder, and the
row goes the slow way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler, TargetEncoder

from prodapp.ml.features.rowwise import OfTwo, Powers, SignedLog
from prodapp.ml.serving.variables import Row, Variable, rows_frame

FloatArray = npt.NDArray[np.float64]
Link = Callable[[Any], FloatArray]

_CLOSE: Final = 1e-12


class _NotKnown(Exception):
    """A part that is not done here."""


@dataclass(frozen=True)
class _Part:
    """The values at ``places`` of a row, through ``links`` one after the other."""

    places: tuple[int, ...]
    links: tuple[Link, ...]

    def __call__(self, row: Row) -> FloatArray:
        found: Any = [row[place] for place in self.places]
        for link in self.links:
            found = link(found)
        return np.asarray(found, dtype=np.float64)


@dataclass(frozen=True)
class RowEncoder:
    """One row of values → the encoded columns that the estimator takes."""

    parts: tuple[_Part, ...]

    def __call__(self, row: Row) -> FloatArray:
        if len(self.parts) == 1:
            return self.parts[0](row)
        return np.concatenate([part(row) for part in self.parts])


def row_encoder(
    preprocessing: ColumnTransformer, variables: Sequence[Variable], rows: Sequence[Row]
) -> RowEncoder | None:
    """The encoder that does on ``rows`` what ``preprocessing`` does; ``None`` where there is none.

    Beside the rows as they are it is tried with each of their values missing.
    """
    position = {variable.name: place for place, variable in enumerate(variables)}
    try:
        parts = [
            _Part(tuple(position[name] for name in names), tuple(_links(transformer)))
            for _, transformer, names in preprocessing.transformers_
            if transformer != "drop" and len(names)
        ]
    except (_NotKnown, KeyError):
        return None
    encoder = RowEncoder(tuple(parts))
    tried = [*rows, [np.nan if variable.is_number else None for variable in variables]]
    expected = preprocessing.transform(rows_frame(variables, tried))
    for row, target in zip(tried, np.asarray(expected, dtype=np.float64), strict=True):
        found = encoder(row)
        if found.shape != target.shape:
            return None
        if not np.allclose(found, target, rtol=_CLOSE, atol=_CLOSE, equal_nan=True):
            return None
    return encoder


def _links(transformer: Any) -> list[Link]:
    chain = (
        [link for _, link in transformer.steps]
        if isinstance(transformer, Pipeline)
        else [transformer]
    )
    return [_link(link) for link in chain]


def _link(transformer: Any) -> Link:
    if isinstance(transformer, SimpleImputer):
        return _imputing(transformer)
    if isinstance(transformer, StandardScaler):
        means, spreads = transformer.mean_, transformer.scale_
        return lambda values: (values - means) / spreads
    if isinstance(transformer, SignedLog | OfTwo | Powers):
        return lambda values: transformer.transform([values])[0]
    if isinstance(transformer, OneHotEncoder):
        return _one_hot(transformer)
    if isinstance(transformer, OrdinalEncoder):
        return _by_table(
            _tables(transformer.categories_, [np.arange(len(c)) for c in transformer.categories_]),
            unknown=[float(transformer.unknown_value)] * len(transformer.categories_),
            missing=float(transformer.encoded_missing_value),
        )
    if isinstance(transformer, TargetEncoder):
        means = [float(transformer.target_mean_)] * len(transformer.categories_)
        return _by_table(
            _tables(transformer.categories_, transformer.encodings_), unknown=means, missing=None
        )
    raise _NotKnown


def _imputing(imputer: SimpleImputer) -> Link:
    fill = imputer.statistics_
    watched = [] if imputer.indicator_ is None else imputer.indicator_.features_

    def impute(values: Any) -> FloatArray:
        given = np.asarray(values, dtype=np.float64)
        is_missing = np.isnan(given)
        filled = np.where(is_missing, fill, given)
        if len(watched) == 0:
            return filled
        return np.concatenate([filled, is_missing[watched]])

    return impute


def _one_hot(encoder: OneHotEncoder) -> Link:
    starts = np.cumsum([0, *(len(categories) for categories in encoder.categories_)]).tolist()
    tables = _tables(
        encoder.categories_,
        [start + np.arange(len(c)) for start, c in zip(starts, encoder.categories_, strict=False)],
    )

    def encode(values: Any) -> FloatArray:
        encoded = np.zeros(starts[-1])
        for table, value in zip(tables, values, strict=True):
            place = table.get(value)
            if place is not None:
                encoded[int(place)] = 1.0
        return encoded

    return encode


def _tables(categories: Sequence[Any], numbers: Sequence[Any]) -> list[dict[Any, float]]:
    return [
        {_key(category): float(number) for category, number in zip(known, its, strict=True)}
        for known, its in zip(categories, numbers, strict=True)
    ]


def _key(category: Any) -> Any:
    """Missing is None, also where scikit-learn has it as NaN."""
    return None if category is None or category != category else category


def _by_table(
    tables: list[dict[Any, float]], *, unknown: list[float], missing: float | None
) -> Link:
    def encode(values: Any) -> FloatArray:
        found = []
        for table, value, other in zip(tables, values, unknown, strict=True):
            if value is None and missing is not None:
                found.append(missing)
            else:
                found.append(table.get(value, other))
        return np.array(found)

    return encode
