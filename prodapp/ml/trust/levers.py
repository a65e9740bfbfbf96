"""Where to run a lever: how the target was, and would be expected, in each window of its values.

A window is compared with the production as it was, all other variables as they were. Windows that
were run on better days would look better than they are, so the mean is doubly robust (Robins,
Rotnitzky & Zhao 1994; cross-fitted as in Chernozhukov et al. 2018): a forest that has not seen a
row says what it would have been, and rows that were in the window, weighted by how seldom such
rows are, correct it. What nobody measured cannot be corrected for: association, not cause.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from prodapp.ml.table import Column
from prodapp.ml.trust.conditional import build_basis
from prodapp.ml.trust.outcomes import Outcomes

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]

_MAX_LEVERS: Final = 8
_N_WINDOWS: Final = 5
_N_DRAWS: Final = 3
#: A window has at least so many rows and this share of them; weighted, so many still.
MIN_ROWS: Final = 40
_MIN_SHARE: Final = 0.02
MIN_EFFECTIVE: Final = 30.0
#: Rows whose like were in a window less often than this cannot be compared with it (Crump, Hotz,
#: Imbens & Mitnik 2009); of all rows so many must be left.
LEAST_CHANCE: Final = 0.05
MIN_COMPARABLE: Final = 0.2
ERROR: Final = 0.05
BATCH: Final = 25


@dataclass(frozen=True)
class Purpose:
    """What operators can set, and what is wanted of the target: ``sense`` "raise", "lower" or
    "hold" at ``goal``; None where nobody said."""

    levers: tuple[str, ...] = ()
    sense: str | None = None
    goal: float | None = None


@dataclass(frozen=True)
class Window:
    """Values of a lever, ``low`` to ``high`` both included, or one ``level`` of it.

    ``gain`` is the expected change of what is wanted against the production as it was, in the
    target's unit: a rise, a fall, or for "hold" how much nearer to the goal. ``gain_low`` and
    ``gain_high`` hold for all windows of the lever at once with 95 %. It is of the ``n_compared``
    rows whose like were run in the window too; of these ``n`` were in it, worth ``n_effective``
    after weighting.
    """

    low: float | None
    high: float | None
    level: str | None
    n: int
    n_compared: int
    n_effective: float
    gain: float
    gain_low: float
    gain_high: float


@dataclass(frozen=True)
class LeverFinding:
    """The windows of one lever that were run often enough, in rising order."""

    variable: str
    sense: str
    goal: float | None
    windows: tuple[Window, ...]


def find_windows(
    outcomes: Outcomes, purpose: Purpose, *, random_state: int
) -> tuple[LeverFinding, ...]:
    """The windows of each lever of ``purpose``; none without a sense."""
    known = levers_among(outcomes.columns, purpose)
    if not known or purpose.sense is None:
        return ()
    basis = build_basis(outcomes.X, outcomes.columns)
    names = [column.name for column in outcomes.columns]
    findings = []
    for lever in known:
        chances = partial(basis.ridge.fitted, without=basis.of([names.index(lever.name)]))
        windows = _windows_of(lever, outcomes, chances, purpose, random_state)
        findings.append(LeverFinding(lever.name, purpose.sense, purpose.goal, windows))
    return tuple(findings)


def levers_among(columns: Sequence[Column], purpose: Purpose) -> list[Column]:
    """The columns that ``purpose`` calls levers, some at most; a date is none."""
    known = [c for c in columns if c.name in purpose.levers and c.kind != "date"]
    return known[:_MAX_LEVERS]


def _windows_of(
    lever: Column,
    forests: Outcomes,
    chances: Callable[[FloatArray], FloatArray],
    purpose: Purpose,
    random_state: int,
) -> tuple[Window, ...]:
    rng = np.random.default_rng((random_state, 2))
    series = forests.X[lever.name]
    candidates = _candidates(lever, series, forests.tested)
    if not candidates:
        return ()
    sure = float(stats.norm.isf(ERROR / (2 * len(candidates))))
    as_run = forests.answers(forests.X)
    windows = []
    for bounds, is_in in candidates:
        chance = chances(is_in.astype(np.float64)[:, np.newaxis])[:, 0]
        compared = forests.tested[chance[forests.tested] >= LEAST_CHANCE]
        pool = series.to_numpy()[compared][is_in[compared]]
        if len(pool) < MIN_ROWS or len(compared) < MIN_COMPARABLE * len(forests.tested):
            continue
        drawn = [
            forests.answers(forests.X.assign(**{lever.name: rng.choice(pool, size=len(series))}))
            for _ in range(_N_DRAWS)
        ]
        expected = np.mean([wanted_of(answers, purpose) for answers in drawn], axis=0)
        window = _compared(
            bounds,
            is_in[compared],
            expected[compared],
            np.minimum(chance[compared], 1.0),
            wanted_of(forests.y[compared], purpose),
            wanted_of(as_run[compared], purpose),
            sure=sure,
            is_ordered=forests.is_ordered,
        )
        if window is not None:
            windows.append(window)
    return tuple(windows)


def _candidates(
    lever: Column, series: pd.Series, tested: IntArray
) -> list[tuple[dict[str, Any], Flags]]:
    """Bounds and rows of the windows that were really run."""
    least = max(MIN_ROWS, _MIN_SHARE * len(tested))
    found: list[tuple[dict[str, Any], Flags]] = []
    if lever.kind != "number":
        cells = series.to_numpy()
        found += [
            ({"low": None, "high": None, "level": level}, cells == level)
            for level in sorted({str(cell) for cell in cells if cell is not None})
        ]
    else:
        values = series.to_numpy(dtype=np.float64)
        known = values[~np.isnan(values)]
        distinct = np.unique(known)
        edges = np.quantile(known, np.linspace(0, 1, _N_WINDOWS + 1)) if len(known) else known
        parts = (
            [(value, value) for value in distinct]
            if len(distinct) <= _N_WINDOWS
            else [(a, b) for a, b in pairwise(edges) if b > a]
        )
        for low, high in parts:
            is_in = (values >= low) & (values <= high)
            found.append(({"low": float(low), "high": float(high), "level": None}, is_in))
    return [(bounds, is_in) for bounds, is_in in found if is_in[tested].sum() >= least]


def wanted_of(values: FloatArray, purpose: Purpose) -> FloatArray:
    """The target as more of it is better."""
    if purpose.sense == "hold":
        nearer: FloatArray = -np.abs(values - (purpose.goal or 0.0))
        return nearer
    return -values if purpose.sense == "lower" else values


def _compared(
    bounds: dict[str, Any],
    is_in: Flags,
    expected: FloatArray,
    chance: FloatArray,
    wanted: FloatArray,
    as_run: FloatArray,
    *,
    sure: float,
    is_ordered: bool,
) -> Window | None:
    weights = np.where(is_in, 1 / chance, 0.0)
    weights *= len(weights) / weights.sum()
    n_effective = float(weights.sum() ** 2 / (weights**2).sum())
    if n_effective < MIN_EFFECTIVE:
        return None
    gains = expected + weights * (wanted - as_run) - wanted
    gain = float(gains.mean())
    if is_ordered:
        gains = np.array([p.mean() for p in np.array_split(gains, max(2, len(gains) // BATCH))])
    error = float(gains.std(ddof=1) / np.sqrt(len(gains)))
    return Window(
        **bounds,
        n=int(is_in.sum()),
        n_compared=len(is_in),
        n_effective=n_effective,
        gain=gain,
        gain_low=gain - sure * error,
        gain_high=gain + sure * error,
    )
