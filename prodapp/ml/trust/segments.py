"""Parts of the production that may work differently: shifts, products, lots, states of a switch.

In each the variables are ranked anew, and a variable that raises the target in one part and lowers
it in another is found: over all rows such a one looks harmless, or points one way only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from prodapp.ml.table import Column
from prodapp.ml.trust.conditional import Basis, build_basis

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

#: Stands for a column where the parts are regimes (:mod:`prodapp.ml.trust.regimes`): no column of
#: a table has this name.
REGIMES: Final = ""
_MAX_SEGMENTATIONS: Final = 4
_MAX_LEVELS: Final = 8
#: A part has at least so many rows to be looked at, and so many explained samples to be ranked.
_MIN_ROWS: Final = 50
_MIN_EXPLAINED: Final = 30
_TOP: Final = 8
#: Sign flips are looked for on at most so many rows, of so many variables.
_MAX_ROWS: Final = 5_000
_MAX_VARIABLES: Final = 12
#: The chance, at most, that any variable is said to flip though none does.
_ERROR: Final = 0.005
#: Both slopes move the target by this share of its spread at least, for a usual step.
_MIN_SLOPE: Final = 0.05
#: Parts that differ in the variable itself by more than this share of its variance compare curves.
_MAX_TOLD: Final = 0.25
_BATCH: Final = 25
_SHIFTS: Final = ("22–6 h", "6–14 h", "14–22 h")
_MIN_DAYS: Final = 3


@dataclass(frozen=True)
class Level:
    """One part: its rows, and the strongest variables as (name, share of all mean |SHAP|, standard
    error of the share) over ``n_explained`` samples of it; none where these are too few."""

    name: str
    n: int
    n_explained: int
    importances: tuple[tuple[str, float, float], ...]


@dataclass(frozen=True)
class Segmentation:
    """The parts by one ``column`` (:data:`REGIMES`: by none); ``is_shift``: by the hour of its
    times."""

    column: str
    is_shift: bool
    levels: tuple[Level, ...]


@dataclass(frozen=True)
class Slope:
    """What a step of one spread of the variable goes along with in one part, the others held: in
    spreads of the target, with its standard error."""

    level: str
    slope: float
    error: float
    n: int


@dataclass(frozen=True)
class Flip:
    """A variable that raises the target in one part and lowers it in another, beyond chance."""

    variable: str
    column: str
    up: Slope
    down: Slope


def segment_frame(
    frame: pd.DataFrame, columns: Sequence[Column], *, target: str, time_column: str | None
) -> pd.DataFrame:
    """The columns of ``frame`` that part its rows, as text; times as shifts of eight hours."""
    found: dict[str, pd.Series] = {}
    for column in columns:
        is_class = column.kind in ("category", "boolean") and column.role in ("feature", "group")
        if is_class and column.name != target and 2 <= column.n_distinct <= _MAX_LEVELS:
            values = frame[column.name].astype(object)
            found[column.name] = values.where(frame[column.name].notna(), None)
    if time_column is not None and pd.api.types.is_datetime64_any_dtype(frame[time_column]):
        times = frame[time_column].dt
        hours, days = times.hour, times.normalize().nunique()
        if hours.nunique() >= len(_SHIFTS) and days >= _MIN_DAYS:
            shifts = ((hours + 2) // 8 % 3).map(dict(enumerate(_SHIFTS)))
            found[time_column] = shifts.astype(object).where(hours.notna(), None)
    kept = list(found.items())[:_MAX_SEGMENTATIONS]
    return pd.DataFrame(dict(kept), index=frame.index)


def rank_segments(
    parts: pd.DataFrame,
    names: Sequence[str],
    explained: IntArray,
    shap_values: FloatArray,
    *,
    time_column: str | None,
) -> tuple[Segmentation, ...]:
    """Each column of ``parts`` (samples,), with the ranking in each of its parts.

    ``shap_values`` (explained samples, variables ``names``) belong to the samples at ``explained``.
    """
    found = []
    for column in parts.columns:
        cells = parts[column].to_numpy()
        levels = [
            _level(str(level), cells == level, names, explained, shap_values)
            for level in _levels(cells)
        ]
        if len(levels) > 1:
            found.append(Segmentation(str(column), column == time_column, tuple(levels)))
    return tuple(found)


def sign_flips(
    parts: pd.DataFrame,
    X: pd.DataFrame,
    y: FloatArray,
    columns: Sequence[Column],
    variables: Sequence[str],
    *,
    is_ordered: bool,
) -> tuple[Flip, ...]:
    """The first of ``variables`` (numbers) whose partial slope changes its sign between parts.

    Slopes are of what the other variables leave of variable and target (Frisch & Waugh 1933), with
    errors by single samples, or by batches of neighbours where these are alike. All slopes are
    tested together (Bonferroni), so that hardly ever any of them is wrong.
    """
    numbers = [c.name for c in columns if c.kind == "number"]
    wanted = [name for name in variables if name in numbers][:_MAX_VARIABLES]
    columns = [column for column in columns if column.kind != "date"]
    rows = np.arange(len(y))[:: -(-len(y) // _MAX_ROWS)]
    levels = {str(c): _levels(parts[c].to_numpy()[rows]) for c in parts.columns}
    n_tests = len(wanted) * sum(len(found) for found in levels.values())
    if not n_tests or y.std() == 0:
        return ()
    limit = float(stats.norm.isf(_ERROR / (2 * n_tests)))
    X, y, parts = X.iloc[rows], y[rows], parts.iloc[rows]
    basis = build_basis(X, columns)
    positions = {column.name: place for place, column in enumerate(columns)}
    flips = []
    for name in wanted:
        left, moved = _left_over(X[name], y, basis, positions[name])
        for column, found in levels.items():
            cells = parts[column].to_numpy()
            if column == name or _told(X[name], cells) > _MAX_TOLD:
                continue
            slopes = [
                _slope(str(level), left[cells == level], moved[cells == level], is_ordered)
                for level in found
            ]
            flip = _flip(name, column, slopes, limit)
            if flip is not None:
                flips.append(flip)
    return tuple(flips)


def _levels(cells: npt.NDArray[np.object_]) -> list[object]:
    values, counts = np.unique(cells[~pd.isna(cells)].astype(str), return_counts=True)
    return [value for value, n in zip(values, counts, strict=True) if n >= _MIN_ROWS]


def _level(
    name: str,
    is_in: npt.NDArray[np.bool_],
    names: Sequence[str],
    explained: IntArray,
    shap_values: FloatArray,
) -> Level:
    sizes = np.abs(shap_values[is_in[explained]])
    importances: tuple[tuple[str, float, float], ...] = ()
    if len(sizes) >= _MIN_EXPLAINED:
        means = sizes.mean(axis=0)
        total = float(means.sum()) or 1.0
        # Of a ratio of means, by its linear part.
        parts = (sizes - means / total * sizes.sum(axis=1, keepdims=True)) / total
        errors = parts.std(axis=0, ddof=1) / np.sqrt(len(sizes))
        order = np.argsort(-means, kind="stable")[:_TOP].tolist()
        importances = tuple((names[p], float(means[p] / total), float(errors[p])) for p in order)
    return Level(name, int(is_in.sum()), len(sizes), importances)


def _left_over(
    series: pd.Series, y: FloatArray, basis: Basis, place: int
) -> tuple[FloatArray, FloatArray]:
    """What the other variables leave of a variable (in spreads; 0 where missing) and of ``y``."""
    values = series.to_numpy(dtype=np.float64)
    present = ~np.isnan(values)
    known = np.where(present, values, values[present].mean() if present.any() else 0.0)
    both = np.column_stack([known / (known.std() or 1.0), y / y.std()])
    left = both - basis.ridge.fitted(both, without=basis.of([place]))
    return np.where(present, left[:, 0], 0.0), left[:, 1]


def _told(series: pd.Series, cells: npt.NDArray[np.object_]) -> float:
    """How much of a variable's variance the parts tell."""
    values = series.to_numpy(dtype=np.float64)
    known = ~np.isnan(values) & ~pd.isna(cells)
    values = values[known]
    codes = pd.factorize(cells[known])[0]
    counts = np.bincount(codes)
    means = np.bincount(codes, weights=values) / counts
    total = float(((values - values.mean()) ** 2).sum())
    return float((counts * (means - values.mean()) ** 2).sum()) / total if total > 0 else 1.0


def _slope(level: str, x: FloatArray, y: FloatArray, is_ordered: bool) -> Slope:
    x, y = x - x.mean(), y - y.mean()
    total = float((x**2).sum())
    if total <= 0:
        return Slope(level, 0.0, float("inf"), len(x))
    slope = float((x * y).sum()) / total
    scores = x * (y - slope * x)
    if is_ordered:
        n_batches = max(1, len(scores) // _BATCH)
        scores = np.array([part.sum() for part in np.array_split(scores, n_batches)])
    if len(scores) < 2:
        return Slope(level, slope, float("inf"), len(x))
    error = float(np.sqrt((scores**2).sum() * len(scores) / (len(scores) - 1))) / total
    return Slope(level, slope, error, len(x))


def _flip(variable: str, column: str, slopes: Sequence[Slope], limit: float) -> Flip | None:
    sure = [s for s in slopes if abs(s.slope) > max(limit * s.error, _MIN_SLOPE)]
    if not sure:
        return None
    up = max(sure, key=lambda s: s.slope)
    down = min(sure, key=lambda s: s.slope)
    return Flip(variable, column, up, down) if up.slope > 0 > down.slope else None
