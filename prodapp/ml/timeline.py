"""The order in which the rows of a table came, and which of them follow each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from prodapp.ml.profile.order import Order, find_order
from prodapp.ml.table import Column

IntArray = npt.NDArray[np.intp]

#: Of longer tables the order is looked for in stretches of neighbours.
_MAX_LOOKED_AT: Final = 20_000
_STRETCH: Final = 200
#: A step of more than so many usual ones breaks a series.
_BREAK: Final = 5.0


@dataclass(frozen=True)
class Timeline:
    """Rows in their order.

    ``rows`` are positions in the table, earliest first (as they stand where there is no order).
    ``clock`` belongs to the rows so ordered: two rows follow each other in one series exactly when
    their clocks differ by one; at another group, or after a gap in time, it jumps. ``order`` is
    what the profile found, None where a column was named.
    """

    rows: IntArray
    clock: npt.NDArray[np.int64]
    is_ordered: bool
    by: str | None
    order: Order | None


def find_timeline(
    frame: pd.DataFrame,
    columns: Sequence[Column],
    *,
    time_column: str | None = None,
    group_column: str | None = None,
) -> Timeline:
    """The order by ``time_column``, or by a number that was said to tell the time, else by what the
    profile finds; series are kept by group."""
    time_column = time_column or _said_time(columns)
    order = None if time_column else find_order(_looked_at(frame), columns)
    by = time_column or (order.by if order else None)
    rows = np.arange(len(frame))
    seconds = None if by is None else _seconds(frame[by])
    if seconds is not None:
        rows = np.argsort(seconds, kind="stable")
        seconds = seconds[rows]
    labels = np.zeros(len(frame), dtype=np.intp)
    if group_column is not None:
        labels = group_codes(frame[group_column].iloc[rows])
    is_ordered = bool(by or (order and order.is_ordered))
    return Timeline(rows, _clock(labels, seconds), is_ordered, by, order)


def group_codes(values: pd.Series) -> IntArray:
    """Whole numbers for the groups of a column; missing values are one group."""
    codes: IntArray = pd.factorize(values, use_na_sentinel=False)[0].astype(np.intp)
    return codes


def _said_time(columns: Sequence[Column]) -> str | None:
    """A column of numbers has this role only where a person gave it."""
    return next((c.name for c in columns if c.role == "time" and c.kind == "number"), None)


def _looked_at(frame: pd.DataFrame) -> pd.DataFrame:
    if len(frame) <= _MAX_LOOKED_AT:
        return frame
    starts = np.linspace(0, len(frame) - _STRETCH, _MAX_LOOKED_AT // _STRETCH).astype(np.intp)
    return frame.iloc[np.unique(starts[:, np.newaxis] + np.arange(_STRETCH))]


def _seconds(values: pd.Series) -> npt.NDArray[np.float64]:
    """Times as numbers; a row without one is taken to have come with the row before it."""
    filled: Any = values.ffill().bfill()
    if pd.api.types.is_datetime64_any_dtype(filled):
        filled = filled.astype("datetime64[us]").astype(np.int64) / 1e6
    seconds: npt.NDArray[np.float64] = filled.to_numpy(dtype=np.float64)
    return seconds


def _clock(labels: IntArray, seconds: npt.NDArray[np.float64] | None) -> npt.NDArray[np.int64]:
    order = np.argsort(labels, kind="stable")
    breaks = np.zeros(len(labels), dtype=np.int64)
    breaks[1:] = np.diff(labels[order]) != 0
    if seconds is not None:
        steps = np.diff(seconds[order])
        moved = steps[(breaks[1:] == 0) & (steps > 0)]
        if len(moved):
            breaks[1:] |= steps > _BREAK * np.median(moved)
    clock = np.empty(len(labels), dtype=np.int64)
    clock[order] = np.arange(len(labels)) + np.cumsum(breaks)
    return clock
