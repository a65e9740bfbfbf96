"""What a model takes of each variable, and records of JSON as rows of such values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import pandas as pd

from prodapp.exceptions import FieldError, N_
from prodapp.ml.columns import format_cell
from prodapp.ml.table import Column

#: Larger numbers are no measurement, and forests, which compare in single precision, lose them.
LARGEST: Final = 1e30
_MAX_SEEN: Final = 2_000
_LISTED: Final = 10

MISSING_FIELD = N_("Missing: name every variable, with null where its value is not known.")
UNKNOWN_FIELD = N_("This version has no such variable. It takes: %(known)s.")
NOT_A_NUMBER = N_("This must be a number or null.")
TOO_LARGE = N_("This number is too large to be a measurement.")
NOT_A_TEXT = N_("This must be a text or null. Known are: %(known)s.")
NOT_A_DATE = N_("This must be a date such as 2026-01-31 or 2026-01-31T14:05:00, or null.")

Row = list[Any]


@dataclass(frozen=True)
class Variable:
    """One input of a version, as its training rows had it.

    ``kind`` is that of its column. ``low``, ``middle`` and ``high`` are the least, median and
    greatest of numbers; ``seen`` are the values of anything else, the most frequent first (at most
    2,000). ``has_missing`` says whether the model has met missing values of it.
    """

    name: str
    kind: str
    unit: str | None
    low: float | None
    middle: float | None
    high: float | None
    seen: tuple[str, ...]
    has_missing: bool

    @property
    def is_number(self) -> bool:
        return self.kind == "number"

    @property
    def is_date(self) -> bool:
        return self.kind == "date"

    @property
    def default(self) -> Any:
        """What a form starts from: the median, or the most frequent value."""
        if self.is_number:
            return self.middle
        return self.seen[0] if self.seen else None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Variable:
        return cls(**{**document, "seen": tuple(document["seen"])})


def describe_variable(column: Column, values: pd.Series) -> Variable:
    """The variable of ``column`` from its values in the training rows (``features_frame``)."""
    known = values.dropna()
    low = middle = high = None
    seen: tuple[str, ...] = ()
    if column.kind == "number":
        numbers = known.to_numpy(dtype=np.float64)
        if len(numbers):
            low, middle, high = (
                float(numbers.min()),
                float(np.median(numbers)),
                float(numbers.max()),
            )
    else:
        counts = known.value_counts()
        # Of like frequency, in the order of their texts: the same training gives the same form.
        texts = sorted(counts.items(), key=lambda item: (-item[1], format_cell(item[0])))
        seen = tuple(format_cell(value) for value, _ in texts[:_MAX_SEEN])
    return Variable(
        name=column.name,
        kind=column.kind,
        unit=column.unit,
        low=low,
        middle=middle,
        high=high,
        seen=seen,
        has_missing=len(known) < len(values),
    )


def row_of(
    variables: Sequence[Variable], record: Mapping[str, Any], *, pointer: str = ""
) -> tuple[Row, list[FieldError]]:
    """The values of one record in the order of ``variables``, and what is wrong with it.

    Numbers are floats (NaN where null), dates timestamps (NaT), all others texts (None).
    """
    errors: list[FieldError] = []
    row: Row = []
    for variable in variables:
        where = f"{pointer}/{_token(variable.name)}"
        if variable.name not in record:
            errors.append(FieldError(where, MISSING_FIELD))
            continue
        value, error = _VALUES.get(variable.kind, _text)(variable, record[variable.name])
        if error is not None:
            errors.append(FieldError(where, *error))
        row.append(value)
    if len(record) != len(variables) or errors:
        known = {variable.name for variable in variables}
        params = {"known": listed([variable.name for variable in variables])}
        errors += [
            FieldError(f"{pointer}/{_token(name)}", UNKNOWN_FIELD, params)
            for name in record
            if name not in known
        ]
    return row, errors


def rows_frame(variables: Sequence[Variable], rows: Sequence[Row]) -> pd.DataFrame:
    """Rows as the frame that pipelines take."""
    columns: dict[str, pd.Series] = {}
    for place, variable in enumerate(variables):
        values = [row[place] for row in rows]
        if variable.is_number:
            columns[variable.name] = pd.Series(values, dtype=np.float64)
        elif variable.is_date:
            columns[variable.name] = pd.Series(pd.to_datetime(values))
        else:
            columns[variable.name] = pd.Series(values, dtype=object)
    return pd.DataFrame(columns, index=pd.RangeIndex(len(rows)))


def record_of(variables: Sequence[Variable], row: Sequence[Any]) -> dict[str, Any]:
    """A row as a record of JSON."""
    return {v.name: plain(value) for v, value in zip(variables, row, strict=True)}


def plain(value: Any) -> Any:
    """A value of a row as JSON has it; missing ones are null."""
    if value is None or value is pd.NaT:
        return None
    if isinstance(value, float):
        return None if math.isnan(value) else value
    return format_cell(value) if isinstance(value, pd.Timestamp) else value


def listed(names: Sequence[str]) -> str:
    """Some names for a message."""
    shown = ", ".join(f"“{name}”" for name in names[:_LISTED])
    return f"{shown}, …" if len(names) > _LISTED else shown or "–"


Found = tuple[Any, tuple[Any, ...] | None]


def _number(_variable: Variable, value: Any) -> Found:
    if value is None:
        return math.nan, None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan, (NOT_A_NUMBER,)
    if not abs(value) <= LARGEST:
        return math.nan, (TOO_LARGE,)
    return float(value), None


def _text(variable: Variable, value: Any) -> Found:
    if value is None:
        return None, None
    text = str(value).lower() if isinstance(value, bool) else value
    if isinstance(value, bool):
        matching = [seen for seen in variable.seen if seen.lower() == text]
        if matching:
            return matching[0], None
    elif isinstance(value, int | float):
        text = format_cell(float(value))
        if text in variable.seen:
            return text, None
    elif isinstance(value, str):
        return value.strip() or None, None
    return None, (NOT_A_TEXT, {"known": listed(variable.seen)})


def _date(_variable: Variable, value: Any) -> Found:
    if value is None:
        return pd.NaT, None
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value.strip())
        except ValueError:
            return pd.NaT, (NOT_A_DATE,)
        if moment.tzinfo is not None:
            moment = moment.astimezone(UTC).replace(tzinfo=None)
        if 1700 <= moment.year <= 2200:
            return pd.Timestamp(moment), None
    return pd.NaT, (NOT_A_DATE,)


_VALUES: Final = {"number": _number, "date": _date}


def _token(name: str) -> str:
    """A name as a part of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")
