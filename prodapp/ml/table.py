"""What intake hands over: the table, and every decision that led to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Limits:
    """The largest table that is taken in."""

    max_rows: int = 5_000_000
    max_columns: int = 2_000
    max_cell_chars: int = 100_000
    max_unpacked_bytes: int = 2 << 30


@dataclass(frozen=True)
class Dialect:
    """Everything needed to read the file again in the same way.

    ``header_row`` is the 0-based line of the names (None: the file has none); ``skip_rows`` are
    0-based lines before the data that are neither names nor data. ``decimal`` and ``thousands``
    are those of most number columns; each column is voted on its own. Workbooks and Parquet files
    have no encoding and no delimiter ("").
    """

    encoding: str
    delimiter: str
    decimal: str
    thousands: str | None
    header_row: int | None
    skip_rows: tuple[int, ...]
    quotechar: str


@dataclass(frozen=True)
class Decision:
    """One thing that intake decided, and why; ``reason`` is a template filled from ``params``.

    ``column`` is None for what holds for the whole file. What ``name`` means, and which of them a
    person can decide otherwise, is in :mod:`prodapp.ml.intake.choices`.
    """

    name: str
    value: str
    reason: str
    params: Mapping[str, Any] = field(default_factory=dict)
    column: str | None = None


@dataclass(frozen=True)
class Remark:
    """Something that a person should know about the data.

    ``row`` is the 1-based line of the file, ``severity`` is "info" or "warning", ``message`` is a
    template filled from ``params``. ``remedy`` holds the overrides that read the file otherwise,
    where the remark offers that.
    """

    code: str
    severity: str
    message: str
    params: Mapping[str, Any] = field(default_factory=dict)
    row: int | None = None
    column: str | None = None
    remedy: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Column:
    """What one column is.

    ``kind``: "number", "category", "boolean", "date", "text" or "empty". ``role`` is a suggestion:
    "feature", "identifier", "time", "constant" or "empty"; ``role_reason`` (a template without
    places) says why it is not a feature. The figures are over all rows read; ``minimum``,
    ``maximum`` and ``mean`` are of numbers only. ``unit`` is what the file says beside the name or
    the values.
    """

    name: str
    kind: str
    role: str
    role_reason: str | None
    n_missing: int
    n_distinct: int
    minimum: float | None
    maximum: float | None
    mean: float | None
    examples: tuple[str, ...]
    unit: str | None = None


@dataclass(frozen=True)
class Preview:
    """The beginning of a table as it would be read; ``rows`` are formatted, "" means missing.

    ``n_rows`` counts the rows seen; ``is_complete`` is False when only the head was given.
    """

    dialect: Dialect
    decisions: tuple[Decision, ...]
    remarks: tuple[Remark, ...]
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    n_rows: int
    is_complete: bool


@dataclass(frozen=True)
class Table:
    """A whole table.

    ``frame`` holds float64 for numbers, ``category`` for categories and booleans, ``str`` for
    text and ``datetime64[us]`` for dates; ``columns`` describes its columns in the same order.
    """

    frame: pd.DataFrame
    dialect: Dialect
    decisions: tuple[Decision, ...]
    remarks: tuple[Remark, ...]
    columns: tuple[Column, ...]
