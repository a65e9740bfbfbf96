"""Whether the rows of a table follow each other in time, or were sorted, or are in no order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from prodapp.exceptions import N_
from prodapp.ml.table import Column

Floats = npt.NDArray[np.float64]

#: The share of steps in one direction from which rows count as ordered.
_MONOTONE: Final = 0.99
#: A neighbour correlation beyond so many standard errors of independent rows, and this large.
_STANDARD_ERRORS: Final = 4.0
_LEAST: Final = 0.2
#: The share of the columns that must depend on their neighbours.
_COLUMNS: Final = 0.25
_GAP: Final = 5.0
_MIN_ROWS: Final = 30
#: Neighbours are judged by so many rows from the middle: ranking millions outlasts reading them.
_MAX_ROWS: Final = 20_000


@dataclass(frozen=True)
class Order:
    """The order of the rows; ``reason`` is a template filled from ``params``.

    ``by`` names the time column. ``interval_seconds`` is the usual step in time, ``n_gaps`` counts
    steps of more than five of it, ``n_repeated`` times that stand more than once. ``sorted_by``
    names columns that the rows were sorted by, as a target is: then neighbours say nothing.
    """

    is_ordered: bool
    reason: str
    params: Mapping[str, Any] = field(default_factory=dict)
    by: str | None = None
    interval_seconds: float | None = None
    n_gaps: int = 0
    n_repeated: int = 0
    sorted_by: tuple[str, ...] = ()


def find_order(frame: pd.DataFrame, columns: Sequence[Column]) -> Order:
    """The order of the rows of ``frame``."""
    for column in columns:
        if column.kind == "date" and column.n_distinct > 2:
            found = _by_time(frame[column.name], column.name)
            if found is not None:
                return found
    numbers = [c for c in columns if c.kind == "number" and c.role == "feature"]
    values = {c.name: frame[c.name].to_numpy(dtype=np.float64) for c in numbers}
    sorted_by = tuple(c.name for c in numbers if c.n_distinct > 10 and _is_sorted(values[c.name]))
    if sorted_by:
        reason = N_("The rows are sorted by “%(column)s”, so their order says nothing.")
        return Order(False, reason, {"column": sorted_by[0]}, sorted_by=sorted_by)
    n_alike = sum(_depends_on_neighbours(v) for v in values.values())
    if n_alike and n_alike >= _COLUMNS * len(values):
        reason = N_("Neighbouring rows are alike in %(n)d of %(total)d columns of numbers.")
        return Order(True, reason, {"n": n_alike, "total": len(values)})
    return Order(False, N_("No column of times orders the rows, and neighbours are not alike."))


def _by_time(series: pd.Series, name: str) -> Order | None:
    times = series.dropna().to_numpy().astype("datetime64[us]").astype(np.int64)
    steps = np.diff(times)
    if len(steps) < 2:
        return None
    share = max(np.mean(steps >= 0), np.mean(steps <= 0))
    moved = np.abs(steps[steps != 0])
    if not len(moved):
        return None
    interval = float(np.median(moved)) / 1e6
    is_ordered = bool(share >= _MONOTONE)
    reason = (
        N_("“%(column)s” runs on in one direction from row to row.")
        if is_ordered
        else N_("“%(column)s” gives the time of each row; the rows are not in its order yet.")
    )
    return Order(
        is_ordered=True,
        reason=reason,
        params={"column": name},
        by=name,
        interval_seconds=interval,
        n_gaps=int(np.sum(moved > _GAP * interval * 1e6)),
        n_repeated=int(len(times) - len(np.unique(times))),
    )


def _is_sorted(values: Floats) -> bool:
    steps = np.diff(values[~np.isnan(values)])
    if len(steps) < _MIN_ROWS:
        return False
    return bool(max(np.mean(steps >= 0), np.mean(steps <= 0)) >= _MONOTONE)


def _depends_on_neighbours(values: Floats) -> bool:
    """Whether the lag-one rank correlation is beyond what independent rows give."""
    present = values[~np.isnan(values)]
    start = max(0, (len(present) - _MAX_ROWS) // 2)
    present = present[start : start + _MAX_ROWS]
    if len(present) < _MIN_ROWS:
        return False
    ranks = pd.Series(present).rank().to_numpy()
    ranks = ranks - ranks.mean()
    total = float((ranks**2).sum())
    if total == 0:
        return False
    correlation = float((ranks[1:] * ranks[:-1]).sum()) / total
    return bool(correlation > max(_LEAST, _STANDARD_ERRORS / np.sqrt(len(present))))
