"""Columns of a table → numbers that an estimator takes, inside the pipeline.

Every encoded number comes from one source variable, or from two (a ratio, a product) that share it
equally, so importances and SHAP values of encoded columns add up to those of the variables without
a remainder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    OneHotEncoder,
    OrdinalEncoder,
    PowerTransformer,
    StandardScaler,
    TargetEncoder,
)

from prodapp.ml.features.rowwise import CalendarParts, OfTwo, Pair, Powers, SignedLog
from prodapp.ml.table import Column

_TARGET_FOLDS: Final = 5
#: The name of a part that takes features made of the variable at a position.
_SERIES: Final = "series of "
_ONE_BY_ONE: Final = (StandardScaler, PowerTransformer, OrdinalEncoder, TargetEncoder)


def build_preprocessing(
    columns: Sequence[Column],
    *,
    scale: bool,
    steps: Sequence[Mapping[str, Any]] = (),
    made: Mapping[str, str] | None = None,
    random_state: int = 0,
) -> ColumnTransformer:
    """The transformer for these variables; ``scale`` gives numbers mean 0 and spread 1.

    Numbers: the median stands in for missing values, and a column of 0 and 1 says where, for each
    variable that misses any. Categories: one column each, "missing" counts as a category, and one
    never seen in training gives zeros throughout. Resolved ``steps`` of feature engineering decide
    otherwise, and add features; ``made`` tells the variables of those that the frame holds already
    (:class:`~prodapp.ml.features.series.SeriesFeatures`).
    """
    numbers = [column.name for column in columns if column.kind == "number"]
    categories = [c.name for c in columns if c.kind in ("category", "boolean", "text")]

    def entry(*transformers: Any) -> Any:
        chain = [t for t in transformers if t is not None] + ([StandardScaler()] if scale else [])
        return make_pipeline(*chain) if len(chain) > 1 else chain[0]

    entries: list[tuple[str, Any, list[str]]] = []
    for place, ((transform, imputation), names) in enumerate(_number_groups(numbers, steps)):
        name = "numbers" if place == 0 else f"numbers {place + 1}"
        entries.append((name, entry(_transform(transform), _imputer(imputation)), names))
    for place, column in enumerate(columns):
        names = [name for name, source in (made or {}).items() if source == column.name]
        if names:
            entries.append((f"{_SERIES}{place}", entry(_imputer(None)), names))
    for place, step in enumerate(steps):
        maker = _maker(step)
        if maker is not None:
            name = f"{step['step']} {place + 1}"
            entries.append((name, entry(maker, _imputer(None)), list(step["columns"])))
    for method, names in _category_groups(categories, steps):
        name = "categories" if method == "one_hot" else f"categories by {method}"
        entries.append((name, _encoder(method, random_state), names))
    return ColumnTransformer(entries)


def _number_groups(
    numbers: Sequence[str], steps: Sequence[Mapping[str, Any]]
) -> list[tuple[tuple[Any, Any], list[str]]]:
    """Numbers by their (transform, imputation) steps; a later step replaces an earlier one."""
    of_number: dict[str, list[Any]] = {name: [None, None] for name in numbers}
    for step in steps:
        place = {"transform": 0, "imputation": 1}.get(step["step"])
        if place is not None:
            for name in step["columns"]:
                of_number[name][place] = step
    groups: list[tuple[tuple[Any, Any], list[str]]] = []
    for name, (transform, imputation) in of_number.items():
        same = next((g for g in groups if g[0] == (transform, imputation)), None)
        if same is None:
            groups.append(((transform, imputation), [name]))
        else:
            same[1].append(name)
    return groups


def _category_groups(
    categories: Sequence[str], steps: Sequence[Mapping[str, Any]]
) -> list[tuple[str, list[str]]]:
    methods = dict.fromkeys(categories, "one_hot")
    for step in steps:
        if step["step"] == "encoding":
            methods.update(dict.fromkeys(step["columns"], step["method"]))
    return [
        (method, [name for name in categories if methods[name] == method])
        for method in ("one_hot", "ordinal", "target")
        if method in methods.values()
    ]


def _transform(step: Mapping[str, Any] | None) -> Any:
    if step is None:
        return None
    return SignedLog() if step["method"] == "log" else PowerTransformer(method="yeo-johnson")


def _imputer(step: Mapping[str, Any] | None) -> SimpleImputer:
    if step is None:
        return SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    return SimpleImputer(
        strategy=step["strategy"],
        fill_value=float(step["fill_value"]) if step["strategy"] == "constant" else None,
        add_indicator=step["indicator"],
        keep_empty_features=True,
    )


def _maker(step: Mapping[str, Any]) -> Any:
    kind = step["step"]
    if kind == "calendar":
        return CalendarParts(list(step["parts"]))
    if kind in ("ratio", "product"):
        return OfTwo(kind)
    return Powers(step["degree"]) if kind == "polynomial" else None


def _encoder(method: str, random_state: int) -> Any:
    if method == "ordinal":
        return OrdinalEncoder(
            handle_unknown="use_encoded_value",
            unknown_value=-1,
            encoded_missing_value=-2,
            dtype=np.float64,
        )
    if method == "target":
        # What it learns from gets the means of other folds: of its own row it would be the answer.
        folds = KFold(_TARGET_FOLDS, shuffle=True, random_state=random_state)
        return TargetEncoder(target_type="continuous", cv=folds)
    return OneHotEncoder(handle_unknown="ignore", sparse_output=False, dtype=np.float64)


def features_frame(frame: pd.DataFrame, columns: Sequence[Column]) -> pd.DataFrame:
    """The variables of ``frame`` in the types that the pipeline is fitted on.

    Numbers become float64; dates stay; categories become plain text in object columns, missing ones
    None, so that a frame read from a file, a store or a request gives the same answer.
    """
    series: dict[str, pd.Series] = {}
    for column in columns:
        values = frame[column.name]
        if column.kind == "number":
            series[column.name] = values.astype(np.float64)
        elif column.kind == "date":
            series[column.name] = pd.to_datetime(values)
        else:
            text = values.astype(object)
            series[column.name] = text.where(values.notna(), None)
    return pd.DataFrame(series, index=frame.index)


def source_positions(
    preprocessing: ColumnTransformer, features: Sequence[str]
) -> npt.NDArray[np.intp]:
    """For each encoded column of a fitted transformer, the number of what it comes from.

    Of ``n`` variables, the number of one is its position, that of two at positions a < b is
    n + a·n + b.
    """
    n = len(features)
    position = {name: index for index, name in enumerate(features)}
    numbers: list[int] = []
    for part, transformer, names in preprocessing.transformers_:
        if part.startswith(_SERIES):
            places = [int(part.removeprefix(_SERIES))] * len(names)
        else:
            places = [position[name] for name in names]
        pairs: list[Pair] = [(place, place) for place in places]
        chain = transformer if isinstance(transformer, Pipeline) else [transformer]
        for link in chain:
            pairs = _sources_out(link, pairs)
        numbers += [a if a == b else n + min(a, b) * n + max(a, b) for a, b in pairs]
    return np.array(numbers, dtype=np.intp)


def _sources_out(transformer: Any, sources: list[Pair]) -> list[Pair]:
    if isinstance(transformer, SimpleImputer):
        if transformer.indicator_ is None:
            return sources
        return sources + [sources[index] for index in transformer.indicator_.features_]
    if isinstance(transformer, OneHotEncoder):
        counted = zip(sources, transformer.categories_, strict=True)
        return [source for source, categories in counted for _ in categories]
    if isinstance(transformer, _ONE_BY_ONE):
        return sources
    made: list[Pair] = transformer.sources_out(sources)
    return made


def sum_by_source(
    values: npt.NDArray[np.float64], sources: npt.NDArray[np.intp], n_features: int
) -> npt.NDArray[np.float64]:
    """Add up the last axis of ``values`` (…, encoded columns) by variable → (…, variables).

    What comes from two variables is shared equally: a Shapley value of the pair, as of one player,
    leaves nothing by which to prefer either.
    """
    summed = np.zeros((*values.shape[:-1], n_features))
    for encoded, source in enumerate(sources.tolist()):
        if source < n_features:
            summed[..., source] += values[..., encoded]
        else:
            for member in members(source, n_features):
                summed[..., member] += values[..., encoded] / 2
    return summed


def encoded_columns(
    sources: npt.NDArray[np.intp], variable: int, n_features: int
) -> list[tuple[int, float]]:
    """The encoded columns that a variable has a part in, and its share of each."""
    of_column = (members(source, n_features) for source in sources.tolist())
    return [(column, 1 / len(parts)) for column, parts in enumerate(of_column) if variable in parts]


def members(source: int, n_features: int) -> tuple[int, ...]:
    """The positions of the variables behind a number of :func:`source_positions`."""
    return (source,) if source < n_features else divmod(source - n_features, n_features)
