"""Columns of a table → numbers that an estimator takes, inside the pipeline.

Every encoded number comes from exactly one source variable, so importances and SHAP values of
encoded columns add up to those of their variable without a remainder.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from prodapp.ml.table import Column


def build_preprocessing(columns: Sequence[Column], *, scale: bool) -> ColumnTransformer:
    """The transformer for these variables; ``scale`` gives numbers mean 0 and spread 1.

    Numbers: the median stands in for missing values, and a column of 0 and 1 says where, for each
    variable that misses any. Categories: one column each, "missing" counts as a category, and one
    never seen in training gives zeros throughout.
    """
    numbers = [column.name for column in columns if column.kind == "number"]
    categories = [column.name for column in columns if column.kind != "number"]
    imputer = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False, dtype=np.float64)
    steps = []
    if numbers:
        steps.append(
            ("numbers", make_pipeline(imputer, StandardScaler()) if scale else imputer, numbers)
        )
    if categories:
        steps.append(("categories", encoder, categories))
    return ColumnTransformer(steps)


def features_frame(frame: pd.DataFrame, columns: Sequence[Column]) -> pd.DataFrame:
    """The variables of ``frame`` in the types that the pipeline is fitted on.

    Numbers become float64; categories become plain text in object columns, missing ones None, so
    that a frame read from a file, a store or a request gives the same answer.
    """
    series: dict[str, pd.Series] = {}
    for column in columns:
        values = frame[column.name]
        if column.kind == "number":
            series[column.name] = values.astype(np.float64)
        else:
            text = values.astype(object)
            series[column.name] = text.where(values.notna(), None)
    return pd.DataFrame(series, index=frame.index)


def source_positions(
    preprocessing: ColumnTransformer, features: Sequence[str]
) -> npt.NDArray[np.intp]:
    """For each encoded column of a fitted transformer, the position of its variable."""
    position = {name: index for index, name in enumerate(features)}
    sources: list[int] = []
    for _, transformer, names in preprocessing.transformers_:
        if isinstance(transformer, Pipeline):
            transformer = transformer[0]
        if isinstance(transformer, SimpleImputer):
            sources += [position[name] for name in names]
            if transformer.indicator_ is not None:
                sources += [position[names[index]] for index in transformer.indicator_.features_]
        elif isinstance(transformer, OneHotEncoder):
            for name, categories in zip(names, transformer.categories_, strict=True):
                sources += [position[name]] * len(categories)
    return np.array(sources, dtype=np.intp)


def sum_by_source(
    values: npt.NDArray[np.float64], sources: npt.NDArray[np.intp], n_features: int
) -> npt.NDArray[np.float64]:
    """Add up the last axis of ``values`` (…, encoded columns) by variable → (…, variables)."""
    summed = np.zeros((*values.shape[:-1], n_features))
    for encoded, source in enumerate(sources):
        summed[..., source] += values[..., encoded]
    return summed
