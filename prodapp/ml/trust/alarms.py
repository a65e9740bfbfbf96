"""What speaks against acting on a result: defects of the data that a good figure does not show.

Each alarm carries the figures it rests on; the words are the reader's (``prodapp.ranking``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final

import numpy as np
import pandas as pd

from prodapp.ml.cross_validation import Gap
from prodapp.ml.profile.formulas import formula_pairs
from prodapp.ml.profile.leaks import Suspect, as_numbers, leaks_among
from prodapp.ml.profile.profile import barely_moved, most_frequent_share
from prodapp.ml.samples import Samples
from prodapp.ml.table import Column
from prodapp.ml.trust.segments import Flip
from prodapp.ml.validation import Metrics

CRITICAL, WARNING, INFO = "critical", "warning", "info"
#: Held-out samples below which an order is a first hint only.
FEW_SAMPLES: Final = 30
#: Pairs that may be a formula are looked for among so many of the strongest variables.
_MAX_PAIRED: Final = 12
#: R² lost from random to honest folds that is more than chance: this, or so many over √n.
_GAP: Final = 0.2
_GAP_ERRORS: Final = 4.0
#: The share of steps in one direction from which a variable runs on with time.
_MONOTONE: Final = 0.99
_MOSTLY_DISTINCT: Final = 0.5
#: Remarks of intake on values that may not be what was measured.
_DAMAGE: Final = (
    *("several_scales", "mixed_units", "bare_numbers"),
    *("ambiguous_decimals", "sentinel"),
)


@dataclass(frozen=True)
class Alarm:
    """``code`` is stable; ``severity``: "critical", "warning" or "info". ``variables`` are those it
    is about, none where it is about the whole; ``params`` the figures behind it, plain values."""

    code: str
    severity: str
    variables: tuple[str, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)


def find_alarms(
    samples: Samples, *, metrics: Metrics, gap: Gap, strongest: Sequence[str], flips: Iterable[Flip]
) -> tuple[Alarm, ...]:
    """The alarms of one trained model; ``strongest`` names its variables, the strongest first."""
    columns = [column for column in samples.columns if column.kind != "date"]
    found = [
        *_explains_nothing(metrics),
        *_leaks(samples, columns, strongest),
        *_row_orders(samples, columns),
        *_neighbours(samples, gap),
        *_few_samples(metrics),
        *(_sign_flip(flip) for flip in flips),
        *_barely_moved(samples.X, columns),
    ]
    weights = {CRITICAL: 0, WARNING: 1, INFO: 2}
    return tuple(sorted(found, key=lambda alarm: weights[alarm.severity]))


def damage_alarms(
    remarks: Iterable[Mapping[str, Any]], variables: Iterable[str]
) -> tuple[Alarm, ...]:
    """Alarms on columns among ``variables`` that intake found damaged, by its remarks."""
    names = set(variables)
    return tuple(
        Alarm(
            "damage",
            WARNING,
            (remark["column"],),
            {"reason": remark["message"], "params": dict(remark["params"])},
        )
        for remark in remarks
        if remark["code"] in _DAMAGE and remark.get("column") in names
    )


def _explains_nothing(metrics: Metrics) -> list[Alarm]:
    if metrics.explains:
        return []
    interval = metrics.skill_interval
    params = {"n": metrics.n_test, "r2": metrics.r2, "low": interval.low, "high": interval.high}
    return [Alarm("explains_nothing", CRITICAL, (), params)]


def _few_samples(metrics: Metrics) -> list[Alarm]:
    if metrics.n_test >= FEW_SAMPLES:
        return []
    return [Alarm("too_few_samples", WARNING, (), {"n": metrics.n_test, "limit": FEW_SAMPLES})]


def _leaks(samples: Samples, columns: Sequence[Column], strongest: Sequence[str]) -> list[Alarm]:
    suspects = leaks_among(samples.X, columns, samples.y)
    # Parts of one formula are one alarm.
    alarms = [
        _leak(members)
        for _, members in groupby(
            sorted(suspects, key=lambda s: (s.code, s.together)),
            key=lambda s: (s.code, s.together or s.name),
        )
    ]
    blamed = {suspect.name for suspect in suspects}
    kinds = {column.name: column.kind for column in columns}
    paired = [n for n in strongest if kinds.get(n) == "number" and n not in blamed][:_MAX_PAIRED]
    features = {name: as_numbers(samples.X[name]) for name in paired}
    pairs = formula_pairs(features, samples.y)
    return alarms + [
        Alarm("leak_suspect", CRITICAL, (first, second), {"rule": "pair", "share": r2})
        for first, second, r2 in pairs
    ]


def _leak(members: Iterable[Suspect]) -> Alarm:
    listed = tuple(members)
    first = listed[0]
    params = {"rule": first.code, "reason": first.reason, "params": dict(first.params)}
    return Alarm("leak_suspect", CRITICAL, tuple(s.name for s in listed), params)


def _row_orders(samples: Samples, columns: Sequence[Column]) -> list[Alarm]:
    """Variables that run on with time, and so tell a row by when it came."""
    if samples.time_column is None:
        return []
    alarms = []
    for column in columns:
        if column.kind != "number":
            continue
        values = samples.X[column.name].to_numpy()
        values = values[~np.isnan(values)]
        if len(np.unique(values)) < max(10, _MOSTLY_DISTINCT * len(samples.y)):
            continue
        steps = np.diff(values)
        share = float(max(np.mean(steps >= 0), np.mean(steps <= 0)))
        if share >= _MONOTONE:
            params = {"share": share, "column": samples.time_column}
            alarms.append(Alarm("row_order", WARNING, (column.name,), params))
    return alarms


def _neighbours(samples: Samples, gap: Gap) -> list[Alarm]:
    """Random folds flatter where rows are near-copies of others: of neighbours, or of a group."""
    plan = samples.plan
    is_kept_apart = plan.scheme != "shuffled"
    # Of rows in no order, blocks of neighbours are unlike each other for other reasons (sorting).
    if not (is_kept_apart or gap.blocks == "group" or samples.is_in_order):
        return []
    lost = gap.shuffled_r2 - gap.blocked_r2
    least = max(_GAP, _GAP_ERRORS / float(np.sqrt(gap.n_samples)))
    if lost < least or gap.blocked_r2 >= 0.5 * max(gap.shuffled_r2, 0.0):
        return []
    code = "group_leak" if gap.blocks == "group" else "order_leak"
    is_grave = not is_kept_apart or gap.blocked_r2 <= 0
    params = {
        "shuffled": gap.shuffled_r2,
        "blocked": gap.blocked_r2,
        "n_folds": gap.n_folds,
        "n": gap.n_samples,
        "is_kept_apart": is_kept_apart,
    }
    return [Alarm(code, CRITICAL if is_grave else WARNING, (), params)]


def _sign_flip(flip: Flip) -> Alarm:
    params = {
        "column": flip.column,
        **{f"{key}_up": getattr(flip.up, key) for key in ("level", "slope", "error", "n")},
        **{f"{key}_down": getattr(flip.down, key) for key in ("level", "slope", "error", "n")},
    }
    return Alarm("sign_flip", WARNING, (flip.variable,), params)


def _barely_moved(X: pd.DataFrame, columns: Sequence[Column]) -> list[Alarm]:
    alarms = []
    for column in columns:
        series = X[column.name]
        share = most_frequent_share(series, column)
        if not barely_moved(series, column, share):
            continue
        params: dict[str, Any] = {"share": share}
        if column.kind == "number":
            values = series.dropna()
            params |= {
                "value": float(values.mode().iloc[0] if share is not None else values.median()),
                "low": float(values.min()),
                "high": float(values.max()),
            }
        else:
            params["value"] = str(series.mode().iloc[0])
        alarms.append(Alarm("barely_moved", INFO, (column.name,), params))
    return alarms
