"""Rows left out of training: downtime, start-up, trials, told by conditions, periods or rows.

An exclusion is kept with the data set as a plain document and applied anew to its table, so that
nothing is lost and it can be taken back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from prodapp.exceptions import InvalidInput, N_
from prodapp.lazily import pd

OPERATORS: Final = ("<", "<=", ">", ">=", "=", "!=", "in", "missing", "present")

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Condition:
    """One comparison of a column; ``value`` is a number, a text, or a tuple of them for "in"."""

    column: str
    operator: str
    value: Any = None


@dataclass(frozen=True)
class Exclusion:
    """Rows for which everything given here holds.

    ``conditions`` must all hold; ``start`` and ``end`` (ISO, both included) bound the times of
    column ``time``; ``first_row`` and ``last_row`` (1-based, included) bound positions in the
    table. ``label`` is a person's word for it, as "start-up".
    """

    label: str = ""
    conditions: tuple[Condition, ...] = ()
    time: str | None = None
    start: str | None = None
    end: str | None = None
    first_row: int | None = None
    last_row: int | None = None


@dataclass(frozen=True)
class Excluded:
    """The rows that remain, and how many each exclusion took (a row counts for the first)."""

    frame: pd.DataFrame
    counts: tuple[int, ...]


def exclusion_from(document: Mapping[str, Any]) -> Exclusion:
    """An exclusion from its document (``dataclasses.asdict`` of one); ``InvalidInput`` if wrong."""
    known = set(Exclusion.__dataclass_fields__)
    unknown = sorted(set(document) - known)
    if unknown:
        raise InvalidInput(
            N_("“%(name)s” cannot be chosen; these can: %(known)s."),
            name=unknown[0],
            known=", ".join(sorted(known)),
        )
    conditions = tuple(
        Condition(str(item["column"]), str(item["operator"]), _frozen(item.get("value")))
        for item in document.get("conditions", ())
    )
    for condition in conditions:
        _check(condition)
    found = Exclusion(**{**document, "conditions": conditions})
    is_bounded = any(
        bound is not None for bound in (found.start, found.end, found.first_row, found.last_row)
    )
    if not conditions and not is_bounded:
        raise InvalidInput(N_("Say which rows to leave out: a condition, a period or rows."))
    if (found.start or found.end) and not found.time:
        raise InvalidInput(N_("A period needs the column of times that it is of."))
    return found


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _check(condition: Condition) -> None:
    if condition.operator not in OPERATORS:
        raise InvalidInput(
            N_("“%(operator)s” is no comparison; these are: %(known)s."),
            operator=condition.operator,
            known=" ".join(OPERATORS),
        )
    if condition.operator in ("missing", "present"):
        return
    is_list = isinstance(condition.value, tuple)
    values = condition.value if is_list else (condition.value,)
    if is_list != (condition.operator == "in") or not all(
        isinstance(value, str | int | float) for value in values
    ):
        raise InvalidInput(
            N_("“in” compares with a list of numbers or texts, the others with a single one.")
        )


def excluded_rows(frame: pd.DataFrame, exclusion: Exclusion) -> Flags:
    """Flags of the rows that ``exclusion`` is of; ``InvalidInput`` where it does not fit."""
    flags = np.ones(len(frame), dtype=bool)
    for condition in exclusion.conditions:
        flags &= _holds(_column(frame, condition.column), condition)
    if exclusion.time is not None and (exclusion.start or exclusion.end):
        times = _column(frame, exclusion.time)
        if times.dtype.kind != "M":
            raise InvalidInput(N_("“%(column)s” holds no times."), column=exclusion.time)
        if exclusion.start:
            flags &= (times >= _moment(exclusion.start)).to_numpy()
        if exclusion.end:
            flags &= (times <= _moment(exclusion.end)).to_numpy()
    position = np.arange(1, len(frame) + 1)
    if exclusion.first_row is not None:
        flags &= position >= exclusion.first_row
    if exclusion.last_row is not None:
        flags &= position <= exclusion.last_row
    return flags


def exclude(frame: pd.DataFrame, exclusions: Sequence[Exclusion]) -> Excluded:
    """``frame`` without the excluded rows; the index keeps the positions in the whole table."""
    gone = np.zeros(len(frame), dtype=bool)
    counts = []
    for exclusion in exclusions:
        flags = excluded_rows(frame, exclusion) & ~gone
        counts.append(int(flags.sum()))
        gone |= flags
    return Excluded(frame.loc[~gone], tuple(counts))


def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    if name not in frame:
        raise InvalidInput(N_("There is no column “%(column)s”."), column=name)
    series: pd.Series = frame[name]
    return series


def _moment(text: str) -> pd.Timestamp:
    try:
        moment = pd.Timestamp(text)
    except ValueError:
        raise InvalidInput(N_("“%(value)s” is no date."), value=text) from None
    return moment.tz_convert("UTC").tz_localize(None) if moment.tzinfo else moment


def _holds(series: pd.Series, condition: Condition) -> Flags:
    """Comparisons with a missing value hold for none but "missing"."""
    there: Flags = series.notna().to_numpy()
    operator, value = condition.operator, condition.value
    if operator in ("missing", "present"):
        return there if operator == "present" else ~there
    values = value if operator == "in" else (value,)
    is_number = series.dtype.kind == "f"
    if series.dtype.kind == "M":
        wanted: list[Any] = [_moment(str(one)) for one in values]
    else:
        wanted = [_number(one, condition.column) if is_number else str(one) for one in values]
    if operator in ("=", "!=", "in"):
        same: Flags = series.isin(wanted).to_numpy()
        return there & ~same if operator == "!=" else there & same
    if not is_number and series.dtype.kind != "M":
        raise InvalidInput(
            N_("“%(column)s” holds words, which are not more or less than others."),
            column=condition.column,
        )
    compared = {
        "<": series < wanted[0],
        "<=": series <= wanted[0],
        ">": series > wanted[0],
        ">=": series >= wanted[0],
    }[operator]
    flags: Flags = there & compared.to_numpy()
    return flags


def _number(value: Any, column: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise InvalidInput(
            N_("“%(column)s” holds numbers; “%(value)s” is none."), column=column, value=value
        ) from None
