"""What happens to the target over the values of one variable, all others as they were.

Accumulated local effects (Apley & Zhu 2020): between two neighbouring values only rows that lie
there are moved from one to the other, and what they gain is added up. So no row is asked about that
could not be, as a curve of averages over all rows would. The curve is the trained model's; how sure
it is comes from small forests, each of another half of the rows (:mod:`prodapp.ml.trust.ranks`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from prodapp.ml.table import Column

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]
Answer = Callable[[pd.DataFrame], FloatArray]

_MAX_VARIABLES: Final = 8
_MAX_STEPS: Final = 16
#: Rows that a step has at least, so that its mean is one.
_MIN_IN_STEP: Final = 10
_MAX_LEVELS: Final = 8
_SURE: Final = 1.96


@dataclass(frozen=True)
class Effect:
    """The curve of one variable, centred on the mean of the rows.

    ``places`` are the values between the steps (numbers, rising), or the most frequent categories;
    ``heights`` the effects there, with the bounds ``lows`` and ``highs`` (95 %, at each place by
    itself; None where no other forests were grown). ``counts`` are rows: in each step, one fewer
    than places, or of each category. ``difference`` is the highest place over the lowest, with
    its standard error (None likewise).
    """

    variable: str
    is_number: bool
    places: tuple[Any, ...]
    heights: tuple[float, ...]
    lows: tuple[float, ...] | None
    highs: tuple[float, ...] | None
    counts: tuple[int, ...]
    lowest: int
    highest: int
    difference: float
    error: float | None


@dataclass(frozen=True)
class Grid:
    """Where the curve of one variable is drawn, and how many rows lie there."""

    name: str
    is_number: bool
    places: npt.NDArray[Any]
    counts: IntArray


def build_grids(
    X: pd.DataFrame, columns: Sequence[Column], variables: Sequence[str]
) -> tuple[Grid, ...]:
    """Grids of the first of ``variables``, by the rows of ``X``; none for what has one value."""
    kinds = {column.name: column.kind for column in columns}
    grids = []
    for name in variables:
        if kinds.get(name) == "number":
            grid = _steps(name, X[name].to_numpy(dtype=np.float64))
        elif kinds.get(name) in ("category", "boolean"):
            grid = _levels(name, X[name])
        else:
            continue
        if grid is not None:
            grids.append(grid)
        if len(grids) == _MAX_VARIABLES:
            break
    return tuple(grids)


def draw_curves(grids: Sequence[Grid], X: pd.DataFrame, answer: Answer) -> list[FloatArray]:
    """The curve over each grid, as ``answer`` has it of the rows ``X``, all asked at once."""
    moved: list[pd.DataFrame] = []
    steps: list[IntArray] = []
    for grid in grids:
        if grid.is_number:
            values = X[grid.name].to_numpy(dtype=np.float64)
            there = np.flatnonzero(~np.isnan(values))
            step = _step_of(grid, values[there])
            rows = X.iloc[there]
            moved += [rows.assign(**{grid.name: grid.places[step + end]}) for end in (0, 1)]
            steps.append(step)
        else:
            moved += [
                X.assign(**{grid.name: np.full(len(X), level, dtype=object)})
                for level in grid.places
            ]
            steps.append(np.zeros(0, dtype=np.intp))
    if not moved:
        return []
    answers = answer(pd.concat(moved))
    parts = iter(np.split(answers, np.cumsum([len(frame) for frame in moved])[:-1]))
    return [
        _accumulated(grid, step, next(parts), next(parts))
        if grid.is_number
        else _centred(np.array([next(parts).mean() for _ in grid.places]), grid.counts)
        for grid, step in zip(grids, steps, strict=True)
    ]


def summarize(
    grids: Sequence[Grid], curves: Sequence[FloatArray], others: Sequence[Sequence[FloatArray]]
) -> tuple[Effect, ...]:
    """The effects: ``curves`` with the spread of ``others``, the same curves of other forests."""
    found = []
    for place, (grid, heights) in enumerate(zip(grids, curves, strict=True)):
        lowest, highest = int(np.argmin(heights)), int(np.argmax(heights))
        lows = highs = error = None
        if len(others) > 1:
            drawn = np.array([curve[place] for curve in others])
            spread = drawn.std(axis=0, ddof=1)
            lows, highs = _rounded(heights - _SURE * spread), _rounded(heights + _SURE * spread)
            error = float((drawn[:, highest] - drawn[:, lowest]).std(ddof=1))
        found.append(
            Effect(
                variable=grid.name,
                is_number=grid.is_number,
                places=tuple(grid.places.tolist()),
                heights=_rounded(heights),
                lows=lows,
                highs=highs,
                counts=tuple(int(count) for count in grid.counts),
                lowest=lowest,
                highest=highest,
                difference=float(heights[highest] - heights[lowest]),
                error=error,
            )
        )
    return tuple(found)


def _steps(name: str, values: FloatArray) -> Grid | None:
    values = values[~np.isnan(values)]
    distinct = np.unique(values)
    if len(distinct) < 2:
        return None
    n_steps = int(min(_MAX_STEPS, max(2, len(values) // _MIN_IN_STEP)))
    places = distinct
    if len(distinct) > n_steps + 1:
        places = np.unique(np.quantile(values, np.linspace(0, 1, n_steps + 1), method="nearest"))
    counts = np.bincount(
        np.clip(np.searchsorted(places, values, side="left") - 1, 0, len(places) - 2),
        minlength=len(places) - 1,
    )
    return Grid(name, True, places, counts.astype(np.intp))


def _levels(name: str, series: pd.Series) -> Grid | None:
    counts = series.dropna().value_counts()[:_MAX_LEVELS]
    if len(counts) < 2:
        return None
    rows = counts.to_numpy().astype(np.intp)
    return Grid(name, False, counts.index.to_numpy(dtype=object), rows)


def _step_of(grid: Grid, values: FloatArray) -> IntArray:
    step = np.searchsorted(grid.places, values, side="left") - 1
    return np.clip(step, 0, len(grid.places) - 2).astype(np.intp)


def _accumulated(grid: Grid, step: IntArray, before: FloatArray, after: FloatArray) -> FloatArray:
    n_steps = len(grid.places) - 1
    rows = np.bincount(step, minlength=n_steps)
    gained = np.bincount(step, weights=after - before, minlength=n_steps) / np.maximum(rows, 1)
    heights = np.concatenate([[0.0], np.cumsum(gained)])
    middles = (heights[:-1] + heights[1:]) / 2
    centred: FloatArray = heights - np.average(middles, weights=np.maximum(grid.counts, 1))
    return centred


def _centred(heights: FloatArray, counts: IntArray) -> FloatArray:
    centred: FloatArray = heights - np.average(heights, weights=counts)
    return centred


def _rounded(values: FloatArray) -> tuple[float, ...]:
    """As many digits as anybody reads."""
    return tuple(float(f"{value:.5g}") for value in values)
