"""The layout of a file: where its names and data begin, and how its cells are parted."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import IO, Final

from prodapp.exceptions import DataRefused, InvalidInput, N_
from prodapp.ml.intake.dialect import (
    QUOTE,
    declared_delimiter,
    detect_delimiter,
    has_header,
    records,
)
from prodapp.ml.intake.encoding import detect_encoding
from prodapp.ml.table import Decision, Limits

OVERRIDES: Final = ("encoding", "delimiter", "decimal", "header")

_SAMPLE_CHARS: Final = 1 << 18
_HEADER_RECORDS: Final = 200


@dataclass(frozen=True)
class Layout:
    """How to cut a file into cells.

    ``header`` holds the trimmed names (None without a header row), ``first_record`` is the
    0-based record of the first data row, ``n_named`` the number of columns that a row may fill and
    ``width`` the largest number of cells in a row of the sample (≥ ``n_named``).
    """

    encoding: str
    delimiter: str
    header: tuple[str, ...] | None
    header_row: int | None
    skip_rows: tuple[int, ...]
    first_record: int
    n_named: int
    width: int
    decisions: tuple[Decision, ...]
    quotechar: str = QUOTE


def check_overrides(overrides: Mapping[str, str]) -> None:
    """Raise ``InvalidInput`` for a choice that intake does not offer."""
    for name, value in overrides.items():
        if name not in OVERRIDES:
            raise InvalidInput(
                N_("“%(name)s” cannot be chosen; these can: %(known)s."),
                name=name,
                known=", ".join(OVERRIDES),
            )
        if name == "decimal" and value not in (".", ","):
            raise InvalidInput(
                N_("The decimal mark must be “.” or “,”, not “%(value)s”."), value=value
            )


def detect_layout(
    stream: IO[bytes],
    *,
    filename: str,
    overrides: Mapping[str, str],
    limits: Limits,
    on_read: Callable[[int], None] | None = None,
) -> Layout:
    """Find the layout of ``stream`` (a seekable file of bytes, read to its end for its encoding).

    Raises ``DataRefused`` when it is no table of at least two columns and one data row.
    """
    encoding, encoded = detect_encoding(
        stream, filename=filename, override=overrides.get("encoding"), on_read=on_read
    )
    sample = _sample(stream, encoding, filename=filename)
    body, delimiter, parted = _parted(sample, override=overrides.get("delimiter"))
    rows = records(body, delimiter)
    filled = [position for position, row in enumerate(rows) if any(row)]
    start = (filled[0] if filled else 0) + (body is not sample)
    rows = [rows[position] for position in filled]
    _check_width(rows, row=start + 1, limits=limits)
    named = has_header(rows[:_HEADER_RECORDS], override=overrides.get("header"))
    is_named = named.value == "yes"
    widths = Counter(len(row) for row in rows)
    return Layout(
        encoding=encoding,
        delimiter=delimiter,
        header=tuple(rows[0]) if is_named else None,
        header_row=start if is_named else None,
        skip_rows=tuple(range(start)),
        first_record=start + is_named,
        n_named=len(rows[0]) if is_named else widths.most_common(1)[0][0],
        width=max(widths),
        decisions=(encoded, parted, named),
    )


def _parted(sample: str, *, override: str | None) -> tuple[str, str, Decision]:
    """The sample without a ``sep=`` line, the separator of its cells, and why that one."""
    first_line = sample.splitlines(keepends=True)[0]
    declared = declared_delimiter(first_line)
    if declared is None:
        return sample, *detect_delimiter(sample, override=override)
    body = sample[len(first_line) :]
    if override is not None:
        return body, *detect_delimiter(body, override=override)
    return (
        body,
        declared,
        Decision("delimiter", declared, N_("The first line of the file names it.")),
    )


def _sample(stream: IO[bytes], encoding: str, *, filename: str) -> str:
    """The head of the stream as whole lines, line ends untouched; blank ones are refused."""
    stream.seek(0)
    text = io.TextIOWrapper(stream, encoding=encoding, newline="")
    try:
        sample = text.read(_SAMPLE_CHARS)
        if len(sample) == _SAMPLE_CHARS:
            cut = max(sample.rfind("\n"), sample.rfind("\r")) + 1
            sample = sample[: cut or None]
    finally:
        text.detach()
        stream.seek(0)
    if not sample.strip():
        raise DataRefused(
            N_("%(filename)s is empty. Upload a table with a row of names and rows of values."),
            code="empty_file",
            filename=filename,
        )
    return sample


def _check_width(rows: list[list[str]], *, row: int, limits: Limits) -> None:
    width = max((len(cells) for cells in rows), default=0)
    if width < 2:
        raise DataRefused(
            N_(
                "Only one column was found. Part the cells by semicolons, commas or tabs, and "
                "give a target and at least one variable."
            ),
            code="single_column",
            row=row,
        )
    if width > limits.max_columns:
        raise DataRefused(
            N_("Columns in the table: %(n)d; at most %(limit)d are taken. Leave some out."),
            code="too_many_columns",
            row=row,
            n=width,
            limit=limits.max_columns,
        )
