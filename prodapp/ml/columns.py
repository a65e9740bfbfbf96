"""What each column is, and the part it can play."""

from __future__ import annotations

from typing import Final

import numpy as np

from prodapp.exceptions import N_
from prodapp.lazily import pd
from prodapp.ml.table import Column

#: A text with more distinct values than this is no category: its effect could not be told.
MAX_CATEGORIES: Final = 50
#: Fewer rows than this can look like a count by chance.
_MIN_COUNTED_ROWS: Final = 10
_COUNTING_STEPS: Final = 0.9
_N_EXAMPLES: Final = 3

_TRUE_FALSE: Final = tuple(
    frozenset(pair)
    for pair in (
        *(("true", "false"), ("yes", "no"), ("on", "off"), ("t", "f"), ("y", "n")),
        *(("sim", "não"), ("sim", "nao"), ("s", "n"), ("ligado", "desligado")),
        *(("verdadeiro", "falso"), ("v", "f"), ("aberto", "fechado"), ("open", "closed")),
    )
)

IDENTIFIES_ROWS = N_("Each row has a text of its own, so it names rows rather than drives them.")
COUNTS_ROWS = N_("It only counts the rows up.")
TOO_MANY_TEXTS = N_("It has more than 50 different texts, too many to compare.")
IS_TIME = N_("It says when, not how the machine was run.")
IS_CONSTANT = N_("It has the same value in every row, so it cannot explain anything.")
IS_EMPTY = N_("It has no values.")


def text_kind(distinct: pd.Index[str]) -> str:
    """ "boolean", "category" or "text", by the distinct values of a column of text."""
    if frozenset(str(value).lower() for value in distinct) in _TRUE_FALSE:
        return "boolean"
    return "category" if len(distinct) <= MAX_CATEGORIES else "text"


def describe_column(series: pd.Series, *, name: str, kind: str, unit: str | None = None) -> Column:
    """Describe one converted column and suggest its role."""
    present = series.dropna()
    distinct = present.drop_duplicates()
    role, reason = _role(present, kind=kind, n_distinct=len(distinct))
    numbers = present if kind == "number" and len(present) else None
    return Column(
        name=name,
        kind=kind,
        role=role,
        role_reason=reason,
        n_missing=len(series) - len(present),
        n_distinct=len(distinct),
        minimum=None if numbers is None else float(numbers.min()),
        maximum=None if numbers is None else float(numbers.max()),
        mean=None if numbers is None else float(numbers.mean()),
        examples=tuple(format_cell(value) for value in distinct.iloc[:_N_EXAMPLES]),
        unit=unit,
    )


def _role(present: pd.Series, *, kind: str, n_distinct: int) -> tuple[str, str | None]:
    if n_distinct == 0:
        return "empty", IS_EMPTY
    if n_distinct == 1 and len(present) > 1:
        return "constant", IS_CONSTANT
    if kind == "date":
        return "time", IS_TIME
    if kind in ("text", "category") and n_distinct == len(present) and n_distinct > 2:
        return "identifier", IDENTIFIES_ROWS
    if kind == "text":
        return "identifier", TOO_MANY_TEXTS
    if kind == "number" and len(present) >= _MIN_COUNTED_ROWS:
        steps = np.diff(present.to_numpy(dtype=float))
        # Some rows may have been taken out since they were counted.
        if bool((steps > 0).all()) and np.mean(steps == 1) >= _COUNTING_STEPS:
            return "identifier", COUNTS_ROWS
    return "feature", None


def format_cell(value: object) -> str:
    """A value as people read it: numbers without noise, dates in ISO order, "" for missing."""
    if value is None or value is pd.NaT:
        return ""
    if isinstance(value, float | np.floating):
        return "" if np.isnan(value) else f"{value:.15g}"
    if isinstance(value, pd.Timestamp):
        is_day = value == value.normalize()
        return value.strftime("%Y-%m-%d" if is_day else "%Y-%m-%d %H:%M:%S")
    return str(value)
