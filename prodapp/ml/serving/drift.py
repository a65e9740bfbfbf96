"""Do rows still look like those that a model learned from, and do its intervals still hold?

Each variable of the rows asked for is compared with the training rows kept in the reference:
numbers by the two-sample Kolmogorov–Smirnov test, categories by a chi-square test of their counts.
All variables together are held to one error rate (Holm), so a table of many variables rings no more
often than one of few; a difference must also be large enough to matter, else any would ring once
enough rows are there. What came true is judged by how often it lay outside its interval.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy import stats

from prodapp.ml.serving.variables import Row, Variable

#: The chance that a look at rows that have not changed rings, over all variables.
ERROR_RATE: Final = 0.01
#: Distributions that differ by less than this share of the rows are called the same.
LEAST_DIFFERENCE: Final = 0.15
MIN_ROWS: Final = 30
MIN_ACTUALS: Final = 20


@dataclass(frozen=True)
class VariableDrift:
    """``difference``: the share of rows that would have to move for both to be alike (numbers: the
    greatest distance of the distributions); ``p_value`` is adjusted for all variables."""

    variable: str
    difference: float
    p_value: float
    has_drifted: bool


@dataclass(frozen=True)
class ErrorDrift:
    """Of ``n`` predictions whose true value is known, how many lay outside their interval, beside
    the share that may."""

    n: int
    n_outside: int
    expected_share: float
    p_value: float
    has_drifted: bool


@dataclass(frozen=True)
class Drift:
    """``variables`` are empty, ``errors`` None, where there is too little to judge by."""

    n_rows: int
    variables: tuple[VariableDrift, ...]
    errors: ErrorDrift | None

    @property
    def rings(self) -> bool:
        """Whether somebody should look, and train again on newer data."""
        has_errors = self.errors is not None and self.errors.has_drifted
        return has_errors or any(item.has_drifted for item in self.variables)


def find_drift(
    variables: Sequence[Variable],
    learned: Sequence[Row],
    asked: Sequence[Row],
    *,
    n_actuals: int = 0,
    n_outside: int = 0,
    expected_share: float = 0.1,
) -> Drift:
    """Compare rows ``asked`` for with rows ``learned`` from, and count what lay outside."""
    found: list[VariableDrift] = []
    if len(asked) >= MIN_ROWS and len(learned) >= MIN_ROWS:
        raw = [
            _compared(variable, [r[at] for r in learned], [r[at] for r in asked])
            for at, variable in enumerate(variables)
        ]
        adjusted = _holm([p_value for _, p_value in raw])
        found = [
            VariableDrift(
                variable.name,
                difference,
                p_value,
                p_value < ERROR_RATE and difference >= LEAST_DIFFERENCE,
            )
            for variable, (difference, _), p_value in zip(variables, raw, adjusted, strict=True)
        ]
    found.sort(key=lambda item: (not item.has_drifted, -item.difference))
    errors = _errors(n_actuals, n_outside, expected_share) if n_actuals >= MIN_ACTUALS else None
    return Drift(len(asked), tuple(found), errors)


def _compared(variable: Variable, learned: list[Any], asked: list[Any]) -> tuple[float, float]:
    """The difference and its p-value; dates always move on, so they are not compared."""
    if variable.is_date:
        return 0.0, 1.0
    if not variable.is_number:
        return _counts(learned, asked)
    before, now = (np.array(values, dtype=np.float64) for values in (learned, asked))
    before, now = before[np.isfinite(before)], now[np.isfinite(now)]
    if len(before) < MIN_ROWS or len(now) < MIN_ROWS:
        return _counts([v != v for v in learned], [v != v for v in asked])
    result = stats.ks_2samp(before, now, method="asymp")
    return float(result.statistic), float(result.pvalue)


def _counts(learned: list[Any], asked: list[Any]) -> tuple[float, float]:
    before, now = Counter(learned), Counter(asked)
    names = sorted({*before, *now}, key=str)
    table = np.array([[counts[name] for name in names] for counts in (before, now)])
    if len(names) < 2:
        return 0.0, 1.0
    shares = table / table.sum(axis=1, keepdims=True)
    difference = float(np.abs(shares[0] - shares[1]).sum() / 2)
    return difference, float(stats.chi2_contingency(table, correction=True).pvalue)


def _errors(n: int, n_outside: int, expected: float) -> ErrorDrift:
    p_value = float(stats.binomtest(n_outside, n, expected, alternative="greater").pvalue)
    return ErrorDrift(n, n_outside, expected, p_value, p_value < ERROR_RATE)


def _holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values (Holm 1979)."""
    order = np.argsort(p_values)
    adjusted = np.empty(len(p_values))
    highest = 0.0
    for place, at in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - place) * p_values[at]))
        adjusted[at] = highest
    return adjusted.tolist()
