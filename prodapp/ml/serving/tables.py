"""A file's table → the rows that a version takes, and the same rows with their answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from prodapp.exceptions import DataRefused, N_
from prodapp.ml.columns import format_cell
from prodapp.ml.serving.predictor import Predictor
from prodapp.ml.serving.variables import LARGEST, Variable, listed
from prodapp.ml.table import Table

FloatArray = npt.NDArray[np.float64]
OnShare = Callable[[float], None]

#: Rows answered at a time, some tenths of a second.
_PORTION: Final = 5_000
_NAMES: Final = ("predicted", "predicted_low", "predicted_high", "is_new", "new_because")


@dataclass(frozen=True)
class Answered:
    """The table with the answers beside it; ``n_new`` rows are unlike those learned from."""

    frame: pd.DataFrame
    n_new: int


def inputs_of(table: Table, variables: Sequence[Variable]) -> pd.DataFrame:
    """The columns of ``table`` that a version takes, in its types.

    Raises ``DataRefused`` for a column that is missing, and for cells that are no numbers or dates
    where these are wanted.
    """
    missing = [v.name for v in variables if v.name not in table.frame.columns]
    if missing:
        raise DataRefused(
            N_("The file lacks columns that this version takes: %(names)s."),
            code="columns_missing",
            names=listed(missing),
        )
    columns = {v.name: _converted(table.frame[v.name], v) for v in variables}
    return pd.DataFrame(columns).reset_index(drop=True)


def answer_table(
    predictor: Predictor, table: Table, *, level: float, n_jobs: int, on_share: OnShare
) -> Answered:
    """Each row of ``table`` with its answer. Raises as :func:`inputs_of` does."""
    X = inputs_of(table, predictor.variables)
    values, spreads = predictor.values_of_frame(X, n_jobs=n_jobs)
    low, high = predictor.bounds(values, spreads, level=level)
    reasons: list[str] = []
    for start in range(0, len(X), _PORTION):
        portion = X.iloc[start : start + _PORTION]
        rows = [list(row) for row in portion.itertuples(index=False, name=None)]
        reasons += [_reasons(predictor, row, start + at) for at, row in enumerate(rows)]
        on_share(len(reasons) / len(X))
    is_new = np.array([bool(text) for text in reasons], dtype=bool)
    made: Sequence[Any] = (values, low, high, is_new, reasons)
    frame = table.frame.reset_index(drop=True)
    for name, column in zip(_NAMES, made, strict=True):
        frame[_free(name, frame)] = column
    return Answered(frame, int(is_new.sum()))


def _reasons(predictor: Predictor, row: Sequence[Any], place: int) -> str:
    return "; ".join(
        item.kind if item.variable is None else f"{item.kind}: {item.variable}"
        for item in predictor.surprises(list(row), place=place)
    )


def _converted(series: pd.Series, variable: Variable) -> pd.Series:
    if variable.is_number:
        return _as_numbers(series, variable)
    if variable.is_date:
        return _as_dates(series, variable)
    texts = series.astype(object).map(format_cell, na_action="ignore")
    return texts.where(texts.notna(), None)


def _as_numbers(series: pd.Series, variable: Variable) -> pd.Series:
    numbers = pd.to_numeric(series.astype(object), errors="coerce").astype(np.float64)
    wrong = (numbers.isna() & series.notna()) | (numbers.abs() > LARGEST)
    _refuse(
        series, wrong, N_("“%(column)s” must hold numbers; a cell holds “%(value)s”."), variable
    )
    return numbers


def _as_dates(series: pd.Series, variable: Variable) -> pd.Series:
    dates = pd.to_datetime(series.astype(object), errors="coerce")
    wrong = dates.isna() & series.notna()
    message = N_("“%(column)s” must hold dates; a cell holds “%(value)s”.")
    _refuse(series, wrong, message, variable)
    return dates


def _refuse(series: pd.Series, wrong: pd.Series, message: str, variable: Variable) -> None:
    if wrong.any():
        value = series[wrong].iloc[0]
        raise DataRefused(
            message, code="inputs_wrong", column=variable.name, value=format_cell(value)[:60]
        )


def _free(name: str, frame: pd.DataFrame) -> str:
    while name in frame.columns:
        name += "_"
    return name
