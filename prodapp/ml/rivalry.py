"""The answers of an earlier model for samples held out from a later one, where that is fair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.pipeline import Pipeline

from prodapp.exceptions import DataRefused, N_
from prodapp.ml.choice import group_column
from prodapp.ml.estimators import available_cpus
from prodapp.ml.fitting import predict
from prodapp.ml.held_out import HeldOut
from prodapp.ml.preprocessing import features_frame
from prodapp.ml.samples import Samples, gather_samples
from prodapp.ml.specification import Specification
from prodapp.ml.table import Column
from prodapp.ml.timeline import Timeline, find_timeline

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

OTHER_COLUMNS = N_(
    "The version in use cannot answer for the new samples: “%(column)s” is missing there, or of "
    "another kind."
)
OTHER_SPLIT = N_(
    "The version in use was made by an earlier release, and which samples it has learned from "
    "cannot be told any more."
)


@dataclass(frozen=True)
class Table:
    """The rows that a version was trained on, and what their columns are."""

    frame: pd.DataFrame
    columns: Sequence[Column]


@dataclass(frozen=True)
class Earlier:
    """An earlier version: its ``pipeline``, what it was trained on and how, and the actual values
    of some held-out samples (``known``), which prove that they are found again."""

    pipeline: Pipeline
    table: Table
    spec: Specification
    n_train: int
    known: FloatArray


def answers_of_earlier(
    earlier: Earlier, table: Table, held_out: HeldOut, *, is_same_table: bool
) -> tuple[FloatArray, BoolArray]:
    """The earlier version's answers for the samples, and which of these it has never learned from.

    Where the tables differ (``is_same_table`` False), a sample counts as learned when a row of the
    same values was. Raises :class:`DataRefused` where the columns do not fit, or where the samples
    that were learned from cannot be told.
    """
    samples = gather_samples(earlier.table.frame, earlier.table.columns, earlier.spec)
    _check_found_again(samples, earlier)
    learned = samples.rows[samples.train_rows]
    if is_same_table:
        is_new = ~np.isin(held_out.rows, learned)
    else:
        names = _common(earlier, table, samples)
        known = np.unique(_digests(earlier.table.frame.iloc[learned], names))
        is_new = ~np.isin(_digests(table.frame.iloc[held_out.rows], names), known)
    return _answers(earlier, table, samples, held_out), is_new


def _check_found_again(samples: Samples, earlier: Earlier) -> None:
    is_same = len(samples.train_rows) == earlier.n_train and bool(
        np.isin(earlier.known, samples.y_test).all()
    )
    if not is_same:
        raise DataRefused(OTHER_SPLIT, code="other_split")


def _common(earlier: Earlier, table: Table, samples: Samples) -> list[str]:
    """The columns by which rows of two tables are told apart."""
    kinds = {column.name: column.kind for column in table.columns}
    wanted = [*(column.name for column in samples.columns), earlier.spec.target]
    there = {column.name: column.kind for column in earlier.table.columns}
    for name in wanted:
        if kinds.get(name) != there[name]:
            raise DataRefused(OTHER_COLUMNS, code="other_columns", column=name)
    return wanted


def _digests(frame: pd.DataFrame, names: Sequence[str]) -> npt.NDArray[np.uint64]:
    """A number for the values of each row; equal rows have equal ones whatever their types are."""
    plain = pd.DataFrame(
        {
            name: values.astype(np.float64)
            if pd.api.types.is_numeric_dtype(values := frame[name])
            else values.astype(object).where(values.notna(), None).map(str)
            for name in names
        }
    )
    digests: npt.NDArray[np.uint64] = np.asarray(pd.util.hash_pandas_object(plain, index=False))
    return digests


def _answers(earlier: Earlier, table: Table, samples: Samples, held_out: HeldOut) -> FloatArray:
    pipeline = earlier.pipeline
    if pipeline.steps[0][0] == "series":  # it looks at the rows before, so at all of them
        timeline = _timeline(earlier.spec, table)
        X = features_frame(table.frame.iloc[timeline.rows], samples.columns)
        X.index = pd.Index(timeline.clock)
        place = np.argsort(timeline.rows)
        asked = pipeline[0].transform(X).iloc[place[held_out.rows]]
        pipeline = pipeline[1:]
    else:
        asked = features_frame(table.frame.iloc[held_out.rows], samples.columns)
    return predict(pipeline, asked, n_jobs=available_cpus(), on_share=lambda _share: None)


def _timeline(spec: Specification, table: Table) -> Timeline:
    group = group_column(spec, table.columns)
    for name in (spec.time_column, group):
        if name is not None and name not in table.frame:
            raise DataRefused(OTHER_COLUMNS, code="other_columns", column=name)
    return find_timeline(
        table.frame, table.columns, time_column=spec.time_column, group_column=group
    )
