"""The layout of a file: where its names and data begin, and how its cells are parted."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import IO, Final

from prodapp.exceptions import DataRefused, N_
from prodapp.ml.intake.dialect import (
    declared_delimiter,
    detect_delimiter,
    detect_quote,
    records,
)
from prodapp.ml.intake.encoding import detect_encoding
from prodapp.ml.intake.heading import Heading, find_heading, is_value
from prodapp.ml.table import Decision, Limits

_SAMPLE_CHARS: Final = 1 << 18
_HEADING_RECORDS: Final = 400
_LISTED_ROWS: Final = 3
#: The share of the sampled rows that are one cell wider than the names, as R writes tables.
_MOST: Final = 0.9


@dataclass(frozen=True)
class Layout:
    """How to cut a file into cells.

    ``header`` holds the trimmed names (None without a row of names), ``units`` the row of units
    below them, ``header_row`` the 0-based record of the names, ``skip_rows`` the records above
    that are neither; ``first_record`` is the 0-based record of the first data row, ``first_line``
    its 1-based line. ``n_named`` is the number of columns that a row may fill, ``width`` the
    largest number of cells in a row of the sample (≥ ``n_named``).
    """

    encoding: str
    delimiter: str
    header: tuple[str, ...] | None
    units: tuple[str, ...]
    header_row: int | None
    skip_rows: tuple[int, ...]
    first_record: int
    first_line: int
    n_named: int
    width: int
    decisions: tuple[Decision, ...]
    quotechar: str = '"'
    comment: str | None = None


def detect_layout(
    stream: IO[bytes],
    *,
    filename: str,
    overrides: Mapping[str, str],
    limits: Limits,
    on_read: object = None,
) -> Layout:
    """Find the layout of ``stream`` (a seekable file of bytes, read to its end for its encoding).

    Raises ``DataRefused`` when it is no table of at least two columns and one data row.
    """
    encoding, encoded = detect_encoding(
        stream,
        filename=filename,
        override=overrides.get("encoding"),
        on_read=on_read,  # type: ignore[arg-type]
    )
    sample = _sample(stream, encoding, filename=filename)
    body, delimiter, parted = _parted(sample, override=overrides.get("delimiter"))
    quote, quoted = detect_quote(body, delimiter, override=overrides.get("quote"))
    ends: list[int] = []
    rows = records(body, delimiter, quote=quote, ends=ends)
    offset = 0 if body is sample else 1
    layout = layout_of_rows(
        rows,
        offset=offset,
        decisions=(encoded, parted, *quoted),
        overrides=overrides,
        limits=limits,
    )
    n_above = layout.first_record - offset
    return replace(
        layout,
        encoding=encoding,
        delimiter=delimiter,
        quotechar=quote,
        first_line=offset + 1 + (ends[n_above - 1] if n_above else 0),
    )


def layout_of_rows(
    rows: Sequence[list[str]],
    *,
    decisions: tuple[Decision, ...],
    overrides: Mapping[str, str],
    limits: Limits,
    offset: int = 0,
) -> Layout:
    """The layout of a file that begins with these rows of trimmed cells, after ``offset`` lines."""
    filled = [place for place, row in enumerate(rows) if any(row)]
    first = filled[0] if filled else 0
    check_width([rows[place] for place in filled], row=first + offset + 1, limits=limits)
    heading = find_heading(
        rows[:_HEADING_RECORDS],
        header=overrides.get("header"),
        first_row=_without(offset, overrides.get("first_row")),
        units_row=overrides.get("units_row"),
    )
    data = [rows[place] for place in filled if place >= heading.first]
    names, shifted = _with_row_names(heading.names, data)
    widths = Counter(len(row) for row in data)
    usual = max(widths, key=lambda width: (widths[width], width)) if widths else len(rows[first])
    n_named = usual if names is None else len(names)
    if names is not None and usual > n_named and _fill_beyond(data, n_named):
        n_named = usual
    units = heading.units or ()
    skipped = [place + offset for place in range(heading.start)]
    return Layout(
        encoding="",
        delimiter="",
        header=names,
        units=("", *units) if shifted and units else units,
        header_row=None if heading.names_row is None else heading.names_row + offset,
        skip_rows=(*range(offset), *skipped),
        first_record=heading.first + offset,
        first_line=heading.first + offset + 1,
        n_named=n_named,
        width=max([n_named, *(len(row) for row in data)]),
        decisions=(
            *decisions,
            *heading.decisions,
            *shifted,
            *_skipped([place for place in filled if place < heading.start], rows, offset),
        ),
        comment=_comment_mark(rows, heading),
    )


def _without(offset: int, first_row: str | None) -> str | None:
    if first_row is None or not first_row.isdecimal() or not offset:
        return first_row
    return str(max(1, int(first_row) - offset))


def _skipped(places: list[int], rows: Sequence[list[str]], offset: int) -> list[Decision]:
    """The rows above the table, said with what stands in the first of them."""
    if not places:
        return []
    listed = ", ".join(str(place + offset + 1) for place in places[:_LISTED_ROWS])
    first = next(cell for cell in rows[places[0]] if cell)
    return [
        Decision(
            "skipped",
            listed + ("…" if len(places) > _LISTED_ROWS else ""),
            N_("Rows above the table that fill too few columns: %(n)d, as “%(cell)s”."),
            {"n": len(places), "cell": first[:60]},
        )
    ]


def _with_row_names(
    names: tuple[str, ...] | None, data: Sequence[list[str]]
) -> tuple[tuple[str, ...] | None, list[Decision]]:
    """R leaves the name of its first column, which numbers or names the rows, out."""
    if names is None or not data or not all(names):
        return names, []
    width = len(names) + 1
    wider = [row for row in data if len(row) == width and row[-1]]
    firsts = {row[0] for row in wider}
    counted = [str(number) for number in range(1, len(wider) + 1)]
    is_named = [row[0] for row in wider] == counted or not any(map(is_value, firsts))
    if len(wider) < _MOST * len(data) or len(firsts) < len(wider) or not is_named:
        return names, []
    reason = N_("Every row has one cell more than there are names; the first one names the row.")
    return ("", *names), [Decision("row_names", "yes", reason)]


def _fill_beyond(data: Sequence[list[str]], n_named: int) -> bool:
    """Whether most rows fill cells to the right of the names."""
    return sum(any(row[n_named:]) for row in data) >= _MOST * len(data)


def _comment_mark(rows: Sequence[list[str]], heading: Heading) -> str | None:
    """``#`` (or ``%``, ``//``) where rows above the table begin with it."""
    above = [row[0] for row in rows[: heading.start] if row]
    for mark in ("#", "%", "//"):
        if any(cell.startswith(mark) for cell in above):
            return mark
    return None


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
        raise empty_file(filename)
    return sample


def empty_file(filename: str) -> DataRefused:
    """The refusal of a file without a single filled cell."""
    return DataRefused(
        N_("%(filename)s is empty. Upload a table with a row of names and rows of values."),
        code="empty_file",
        filename=filename,
    )


def check_width(rows: list[list[str]], *, row: int, limits: Limits) -> None:
    """Raise ``DataRefused`` for rows of a single column or of more than are taken."""
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
