"""Stretches of time in which the production was run differently: other material, recipe or tool.

A regime ends where the level of some variable shifts for good. Neighbours are alike, so that a
slow wave looks like a shift to a test that takes rows for independent; the statistic here divides
a shift by what the same series wanders within both sides of it (self-normalisation, Shao & Zhang
2010), and needs no guess at how long its memory is. What is found must be plain to see besides, and
must have happened at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log10
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from prodapp.ml.table import Column

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

MAX_REGIMES: Final = 4
#: Rows of a regime at least, and blocks of neighbours whose means are tested.
MIN_ROWS: Final = 100
_N_BLOCKS: Final = 48
_MIN_IN_BLOCK: Final = 4
#: The chance, at most, that any boundary is found where no level shifts.
_ERROR: Final = 0.005
#: Of two rows, one from each side, so often the same side must have the higher value.
_CLEAR: Final = 0.85
#: Of the shift, what must happen from one block to the next, so many blocks around the boundary at
#: most. A random walk is on another level later too, but has gone there step by step.
_AT_ONCE: Final = 0.6
_AROUND: Final = 2
#: What blocks differ from the next one, squared, over what they differ from the mean of their side:
#: 2 of independent blocks, towards 0 of a level that wanders about, where a shift means nothing.
_STEADY: Final = 0.8


@dataclass(frozen=True)
class _Boundary:
    row: int
    clarity: float


def find_regimes(X: pd.DataFrame, columns: Sequence[Column]) -> list[int]:
    """The rows, after 0, at which a regime begins; none where there is only one.

    ``X`` (samples, variables) is in the order of time. The target is not looked at: a regime is
    how the production was run, not what came of it.
    """
    numbers = [column.name for column in columns if column.kind == "number"]
    if not numbers:
        return []
    # Places instead of values: a few outliers must not hide a level. Missing values are neither.
    places = X[numbers].rank(pct=True).fillna(0.5).to_numpy()
    n_tests = len(numbers) * (2 * MAX_REGIMES - 1)
    begins = [0]
    open_ones = [(0, len(X))]
    while open_ones and len(begins) < MAX_REGIMES:
        open_ones.sort(key=lambda ends: ends[1] - ends[0])
        start, end = open_ones.pop()
        found = _boundary(places[start:end], n_tests)
        if found is not None:
            middle = start + found.row
            begins.append(middle)
            open_ones += [(start, middle), (middle, end)]
    return sorted(begins)[1:]


def regime_names(begins: Sequence[int], times: pd.Series | None, n_rows: int) -> pd.Series:
    """For each row the name of its regime: its number, and from when to when, or from which row to
    which."""
    edges = [0, *begins, n_rows]
    names = np.empty(n_rows, dtype=object)
    for number, (start, end) in enumerate(pairwise(edges), start=1):
        first, last = str(start + 1), str(end)
        if times is not None:
            first, last = (
                "?" if pd.isna(time) else f"{time:%Y-%m-%d %H:%M}"
                for time in (times.iloc[start], times.iloc[end - 1])
            )
        names[start:end] = f"{number} ({first} – {last})"
    return pd.Series(names, dtype=object)


def _boundary(places: FloatArray, n_tests: int) -> _Boundary | None:
    """The clearest shift of a level among those that are beyond chance."""
    n_blocks = min(_N_BLOCKS, len(places) // _MIN_IN_BLOCK)
    if len(places) < 2 * MIN_ROWS or n_blocks < _N_BLOCKS // 2:
        return None
    edges = np.linspace(0, len(places), n_blocks + 1).astype(np.intp)
    blocks = np.add.reduceat(places, edges[:-1], axis=0) / np.diff(edges)[:, np.newaxis]
    best: _Boundary | None = None
    for variable in range(places.shape[1]):
        score, block = shift_score(blocks[:, variable])
        if score <= critical_score(_ERROR / n_tests):
            continue
        row = _refined(places[:, variable], edges, block)
        clarity = _clarity(places[:, variable], row)
        if min(row, len(places) - row) < MIN_ROWS or clarity < _CLEAR:
            continue
        if not _is_a_shift(places[:, variable], row, len(places) // n_blocks):
            continue
        if best is None or clarity > best.clarity:
            best = _Boundary(row, clarity)
    return best


def shift_score(series: FloatArray) -> tuple[float, int]:
    """The largest self-normalised shift of a series' level, and how many values lie before it."""
    n = len(series)
    sums = series.cumsum()
    best, place = 0.0, 0
    for k in range(4, n - 3):
        shift = (sums[k - 1] - k / n * sums[-1]) / np.sqrt(n)
        wander = _wander(series[:k]) + _wander(series[k:][::-1])
        score = shift**2 / (wander / n**2) if wander > 0 else 0.0
        if score > best:
            best, place = float(score), k
    return best, place


def critical_score(error: float) -> float:
    """What the score of independent values stays below, but for a chance of ``error``.

    By 200,000 simulated series of 24 and of 48 values: 27, 67, 122 and 190 at 0.1, 0.01, 0.001 and
    0.0001. Its root grows by 2.9 with each power of ten.
    """
    return (2.3 - 2.95 * log10(error)) ** 2


def _wander(series: FloatArray) -> float:
    """How far the sums of a series stray from a straight line."""
    sums = series.cumsum()
    line = np.arange(1, len(series) + 1) / len(series) * sums[-1]
    return float(((sums - line) ** 2).sum())


def _refined(places: FloatArray, edges: IntArray, block: int) -> int:
    """The row at which the level shifts, within a block of where the blocks have it."""
    low, high = edges[max(block - 1, 0)], edges[min(block + 1, len(edges) - 1)]
    rows = np.arange(low, high)
    strays = np.abs(places.cumsum()[rows - 1] - rows * places.mean())
    return int(rows[strays.argmax()])


def _is_a_shift(places: FloatArray, row: int, block: int) -> bool:
    """Whether the level goes from one side's to the other's at once, and keeps to it on each."""
    shift = places[row:].mean() - places[:row].mean()
    sums = np.concatenate([[0.0], places.cumsum()])
    around = _AROUND * block
    rows = np.arange(max(block, row - around), min(len(places) - block, row + around) + 1)
    jumps = (sums[rows + block] - 2 * sums[rows] + sums[rows - block]) / block
    if (jumps / shift).max() < _AT_ONCE:
        return False
    steps = strays = 0.0
    for side in (places[:row], places[row:]):
        n_blocks = len(side) // block
        means = side[: n_blocks * block].reshape(n_blocks, block).mean(axis=1)
        steps += float((np.diff(means) ** 2).sum())
        strays += float(((means - means.mean()) ** 2).sum())
    return steps >= _STEADY * strays


def _clarity(places: FloatArray, row: int) -> float:
    """How often, of two rows from both sides, the one from the higher side is higher."""
    n_before, n_after = row, len(places) - row
    if not n_before or not n_after:
        return 0.0
    ranks = pd.Series(places).rank().to_numpy()
    share = (ranks[:row].sum() - n_before * (n_before + 1) / 2) / (n_before * n_after)
    return float(max(share, 1 - share))
