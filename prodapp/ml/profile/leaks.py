"""Columns that state the target rather than explain it.

A rule each for what was met in public data: a single column that predicts the target nearly
perfectly on rows it was not fitted to, a class that is a threshold of the target, flags that
together are the target, parts that sum up to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from prodapp.exceptions import N_
from prodapp.ml.table import Column

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

#: A single column that reaches this share of the target's variance on unseen rows.
SUSPECT_R2: Final = 0.97
_MAX_ROWS: Final = 20_000
_MIN_ROWS: Final = 40
_MAX_BINS: Final = 200
_MIN_CLASS: Final = 10
#: A flag that tells the target: how often it is right, and how much of it all flags cover.
_PRECISION: Final = 0.8
_COVERED: Final = 0.9
_EXACT: Final = 0.9999


@dataclass(frozen=True)
class Suspect:
    """A column that may state the target; ``reason`` is a template filled from ``params``.

    ``code``: "single_variable", "threshold", "flag_of_target" or "part_of_target".
    """

    name: str
    code: str
    reason: str
    params: Mapping[str, Any] = field(default_factory=dict)


def suspect_leaks(
    frame: pd.DataFrame, columns: Sequence[Column], *, target: str
) -> tuple[Suspect, ...]:
    """Columns of ``frame`` that may state ``target``; the first rule that fits names each."""
    y = _as_numbers(frame[target])
    rows = np.flatnonzero(~np.isnan(y))
    if len(rows) < _MIN_ROWS or len(np.unique(y[rows])) < 2:
        return ()
    # Evenly over the file; halves drawn at random, so that no order makes one unlike the other.
    rows = rows[:: max(1, len(rows) // _MAX_ROWS)]
    y = y[rows]
    is_fitted = np.random.default_rng(0).random(len(rows)) < 0.5
    found: dict[str, Suspect] = {}
    features: dict[str, Floats] = {}
    for column in columns:
        if column.name == target or column.role != "feature":
            continue
        x = _as_numbers(frame[column.name])[rows]
        suspect = _threshold(column, x, y) or _single(column, x, y, is_fitted)
        if suspect is not None:
            found[column.name] = suspect
        elif column.kind in ("number", "boolean"):
            features[column.name] = x
    for suspect in (*_flags(features, y), *_parts(features, y)):
        found.setdefault(suspect.name, suspect)
    return tuple(found[column.name] for column in columns if column.name in found)


def _as_numbers(series: pd.Series) -> Floats:
    if isinstance(series.dtype, pd.CategoricalDtype):
        codes = series.cat.codes.to_numpy().astype(np.float64)
        codes[codes < 0] = np.nan
        return codes
    return series.to_numpy(dtype=np.float64)


def _single(column: Column, x: Floats, y: Floats, is_fitted: Flags) -> Suspect | None:
    there = ~np.isnan(x)
    fitted, tested = is_fitted & there, ~is_fitted & there
    if min(fitted.sum(), tested.sum()) < _MIN_ROWS // 2:
        return None
    r2 = _best_r2(x, y, fitted, tested)
    if r2 < SUSPECT_R2:
        return None
    reason = N_("Alone it explains %(share).0f %% of the target on rows that it was not fitted to.")
    return Suspect(column.name, "single_variable", reason, {"share": 100 * r2})


def _best_r2(x: Floats, y: Floats, fitted: Flags, tested: Flags) -> float:
    """R² on the tested rows: of the mean in each of up to 200 steps of x, or of a straight line."""
    edges = np.unique(np.quantile(x[fitted], np.linspace(0, 1, _n_bins(int(fitted.sum())) + 1)))
    bins = np.clip(np.searchsorted(edges, x, "right") - 1, 0, max(0, len(edges) - 2))
    if len(edges) > 1 and len(np.unique(x[fitted])) <= _MAX_BINS:
        edges = np.unique(x[fitted])
        bins = np.clip(np.searchsorted(edges, x), 0, len(edges) - 1)
    counts = np.bincount(bins[fitted], minlength=len(edges))
    sums = np.bincount(bins[fitted], weights=y[fitted], minlength=len(edges))
    means = np.where(counts > 0, sums / np.maximum(counts, 1), y[fitted].mean())
    total = float(((y[tested] - y[tested].mean()) ** 2).sum())
    if total == 0:
        return 0.0
    errors = [float(((y[tested] - means[bins[tested]]) ** 2).sum())]
    spread = x[fitted].std()
    if spread > 0:
        slope = np.mean((x[fitted] - x[fitted].mean()) * (y[fitted] - y[fitted].mean())) / spread**2
        line = y[fitted].mean() + slope * (x - x[fitted].mean())
        errors.append(float(((y[tested] - line[tested]) ** 2).sum()))
    return 1.0 - min(errors) / total


def _n_bins(n_rows: int) -> int:
    return int(min(_MAX_BINS, max(2, n_rows // 10)))


def _threshold(column: Column, x: Floats, y: Floats) -> Suspect | None:
    """A class of rows that is cut out of the target by a threshold."""
    if len(np.unique(y)) <= 2:
        return None
    classes = np.unique(x[~np.isnan(x)])
    if not 2 <= len(classes) <= 10:
        return None
    spans = []
    for value in classes:
        inside = y[x == value]
        if len(inside) < _MIN_CLASS:
            return None
        spans.append((float(inside.min()), float(inside.max())))
    spans.sort()
    if any(after[0] < before[1] for before, after in pairwise(spans)):
        return None
    reason = N_("Its classes are parts of the target's range: below and above %(value).4g.")
    return Suspect(column.name, "threshold", reason, {"value": spans[1][0]})


def _flags(features: Mapping[str, Floats], y: Floats) -> list[Suspect]:
    """Rare flags that, each nearly always right, together are a target of two values."""
    values = np.unique(y)
    if len(values) != 2:
        return []
    is_rare = np.mean(y == values[1]) < 0.5
    event = y == (values[1] if is_rare else values[0])
    flags: dict[str, tuple[Flags, float]] = {}
    for name, x in features.items():
        levels = np.unique(x[~np.isnan(x)])
        if len(levels) != 2:
            continue
        raised = x == levels[1]
        if raised.sum() >= _MIN_CLASS and np.mean(event[raised]) >= _PRECISION:
            flags[name] = raised, float(np.mean(event[raised]))
    if not flags:
        return []
    covered = np.any([raised for raised, _ in flags.values()], axis=0)
    if np.mean(covered[event]) < _COVERED:
        return []
    reason = N_(
        "Where it is set the target is so in %(right).0f %% of the rows, and such columns together "
        "cover %(covered).0f %% of them."
    )
    return [
        Suspect(
            name,
            "flag_of_target",
            reason,
            {"right": 100 * right, "covered": 100 * float(np.mean(covered[event]))},
        )
        for name, (_, right) in flags.items()
    ]


def _parts(features: Mapping[str, Floats], y: Floats) -> list[Suspect]:
    """Columns that sum up to the target, some of them perhaps taken away."""
    names = [name for name, x in features.items() if not np.isnan(x).any()]
    if len(names) < 2 or len(y) <= 2 * len(names):
        return []
    x = np.column_stack([features[name] for name in names])
    design = np.column_stack([x, np.ones(len(y))])
    coefficients, *_ = np.linalg.lstsq(design, y, rcond=None)
    total = ((y - y.mean()) ** 2).sum()
    if 1 - ((y - design @ coefficients) ** 2).sum() / total < _EXACT:
        return []
    unit = np.rint(coefficients[:-1])
    if (np.abs(coefficients[:-1] - unit) > 0.02).any() or (np.abs(unit) > 1).any():
        return []
    members = [name for name, one in zip(names, unit, strict=True) if one]
    if len(members) < 2:
        return []
    reason = N_("The target is the sum of %(names)s.")
    listed = ", ".join(members[:10])
    return [Suspect(name, "part_of_target", reason, {"names": listed}) for name in members]
