"""Columns that state the target rather than explain it.

A rule each for what was met in public data: a single column that predicts the target nearly
perfectly on rows it was not fitted to, a class that is a threshold of the target, flags that
together are the target, parts that sum up or multiply to it.
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
from prodapp.ml.profile.formulas import parts_of_product, parts_of_sum, smooth_answers
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


@dataclass(frozen=True)
class Suspect:
    """A column that may state the target; ``reason`` is a template filled from ``params``.

    ``code``: "single_variable", "threshold", "flag_of_target" or "part_of_target"; ``together``
    names all the columns that only together state it, this one among them.
    """

    name: str
    code: str
    reason: str
    params: Mapping[str, Any] = field(default_factory=dict)
    together: tuple[str, ...] = ()


def suspect_leaks(
    frame: pd.DataFrame, columns: Sequence[Column], *, target: str
) -> tuple[Suspect, ...]:
    """Columns of ``frame`` that may state ``target``; the first rule that fits names each."""
    others = [c for c in columns if c.name != target and c.role == "feature"]
    return leaks_among(frame, others, as_numbers(frame[target]))


def leaks_among(frame: pd.DataFrame, columns: Sequence[Column], y: Floats) -> tuple[Suspect, ...]:
    """Those of ``columns`` that may state ``y`` (rows,)."""
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
        x = as_numbers(frame[column.name])[rows]
        suspect = _threshold(column, x, y) or _single(column, x, y, is_fitted)
        if suspect is not None:
            found[column.name] = suspect
        elif column.kind in ("number", "boolean"):
            features[column.name] = x
    for suspect in (*_flags(features, y), *_parts(features, y)):
        found.setdefault(suspect.name, suspect)
    return tuple(found[column.name] for column in columns if column.name in found)


def as_numbers(series: pd.Series) -> Floats:
    """The values; of classes numbers in the order of their names, NaN where missing."""
    if series.dtype == object:
        series = series.astype("category")
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
    """R² on the tested rows: of the mean in each of up to 200 steps of x, or of a smooth curve over
    x or its logarithm."""
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
    for values in (x, np.log(x)) if (x[fitted | tested] > 0).all() else (x,):
        curve = smooth_answers(values, y, fitted=fitted, tested=tested)
        errors.append(float(((y[tested] - curve) ** 2).sum()))
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
            tuple(flags),
        )
        for name, (_, right) in flags.items()
    ]


def _parts(features: Mapping[str, Floats], y: Floats) -> list[Suspect]:
    """Columns that sum up to the target, some of them perhaps taken away, or multiply to it."""
    for find, reason in (
        (parts_of_sum, N_("The target is the sum of %(names)s.")),
        (parts_of_product, N_("The target is the product or quotient of %(names)s.")),
    ):
        members = find(features, y)
        if members:
            params = {"names": ", ".join(members[:10])}
            return [Suspect(name, "part_of_target", reason, params, members) for name in members]
    return []
