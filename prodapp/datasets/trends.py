"""One column of an imported table over time or over its rows, in few enough points to be drawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import flask_babel
import numpy as np
import numpy.typing as npt

from prodapp.charts import TrendPlot, trend_plot
from prodapp.exceptions import InvalidInput, N_
from prodapp.formatting import integer
from prodapp.lazily import pq
from prodapp.models import Dataset
from prodapp.storage import storage

Floats = npt.NDArray[np.float64]

#: As many steps as a screen can tell apart; each shows its lowest and highest value.
_MAX_STEPS: Final = 300
_TABLE_ROWS: Final = 20
_MANY_DAYS: Final = 4 * 86_400.0


@dataclass(frozen=True)
class Step:
    """Rows next to each other: where they begin, their lowest, mean and highest value."""

    position: float
    low: float
    mean: float
    high: float


@dataclass(frozen=True)
class Trend:
    """A column of numbers over ``time`` (seconds of the Unix epoch), or over row numbers from 1
    where the table has no times (``time`` None). ``start`` and ``end`` bound the positions."""

    column: str
    time: str | None
    start: float
    end: float
    steps: Sequence[Step]

    def plot(self) -> TrendPlot:
        """The drawing of it."""
        steps = [(step.position, step.low, step.mean, step.high) for step in self.steps]
        return trend_plot(steps, start=self.start, end=self.end)

    def spans(self, exclusions: Iterable[Mapping[str, Any]]) -> list[tuple[float, float]]:
        """The periods among ``exclusions`` that lie on this axis, from position to position."""
        names = ("first_row", "last_row") if self.time is None else ("start", "end")
        found = []
        for document in exclusions:
            ends = [document.get(name) for name in names]
            if document.get("time") == self.time and any(end is not None for end in ends):
                first, last = (None if end is None else position_of(end) for end in ends)
                found.append(
                    (self.start if first is None else first, self.end if last is None else last)
                )
        return found

    def words(self, position: float) -> str:
        """A position as people say it: a row's number, or the time; the day where it is long."""
        if self.time is None:
            return integer(round(position))
        at = datetime.fromtimestamp(position, tz=UTC)
        if self.end - self.start > _MANY_DAYS:
            return str(flask_babel.format_date(at, "short", rebase=False))
        return str(flask_babel.format_datetime(at, "short", rebase=False))

    def rows_of_table(self) -> list[Step]:
        """About twenty of the steps, for the table beside the drawing."""
        return list(self.steps[:: max(1, len(self.steps) // _TABLE_ROWS)])


def trend_columns(dataset: Dataset) -> list[str]:
    """The columns that a trend can be drawn of."""
    columns = dataset.preview["columns"]
    return [c["name"] for c in columns if c["kind"] == "number" and c["n_distinct"] > 1]


def trend_of(dataset: Dataset, column: str) -> Trend:
    """The trend of ``column`` in the imported table of ``dataset``.

    Raises ``InvalidInput`` for a column that holds no numbers.
    """
    if column not in trend_columns(dataset):
        raise InvalidInput(N_("“%(column)s” holds no numbers that vary."), column=column)
    time = _time_column(dataset)
    wanted = [column] if time is None else [column, time]
    with storage().local_path(dataset.table_key or "") as path:
        table = pq.read_table(path, columns=wanted)
    values = table[column].to_numpy().astype(np.float64)
    positions = np.arange(1, len(values) + 1, dtype=np.float64)
    if time is not None:
        moments = table[time].to_numpy().astype("datetime64[us]")
        there = ~np.isnat(moments)
        if not there.any():
            raise InvalidInput(N_("“%(column)s” holds no times."), column=time)
        positions = moments[there].astype(np.int64) / 1e6
        values = values[there]
        order = np.argsort(positions, kind="stable")
        positions, values = positions[order], values[order]
    start, end = float(positions[0]), float(positions[-1])
    return Trend(column, time, start, end, _steps(positions, values))


def position_of(bound: float | str) -> float:
    """Where a row's number or an ISO time (tables keep them without a zone) lies on the axis."""
    if not isinstance(bound, str):
        return float(bound)
    at = datetime.fromisoformat(bound)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _time_column(dataset: Dataset) -> str | None:
    order = (dataset.preview.get("profile") or {}).get("order") or {}
    if order.get("by"):
        return str(order["by"])
    return next(
        (
            c["name"]
            for c in dataset.preview["columns"]
            if c["kind"] == "date" and not c["n_missing"]
        ),
        None,
    )


def _steps(positions: Floats, values: Floats) -> list[Step]:
    """The rows in at most :data:`_MAX_STEPS` pieces of equal width, but for empty ones."""
    width = (positions[-1] - positions[0]) or 1.0
    n_steps = min(_MAX_STEPS, len(values))
    edges = positions[0] + width * np.arange(n_steps + 1) / n_steps
    bounds = np.searchsorted(positions, edges)
    bounds[-1] = len(positions)
    found = []
    for number in range(n_steps):
        inside = values[bounds[number] : bounds[number + 1]]
        inside = inside[np.isfinite(inside)]
        if len(inside):
            middle = float(edges[number : number + 2].mean())
            ends = float(inside.min()), float(inside.mean()), float(inside.max())
            found.append(Step(middle, *ends))
    return found
