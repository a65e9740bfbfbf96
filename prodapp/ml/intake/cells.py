"""The cells of a file as text, with what is empty taken away and remarked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from prodapp.exceptions import DataRefused, N_
from prodapp.ml.intake.layout import Layout
from prodapp.ml.intake.parsing import parse, too_wide
from prodapp.ml.table import Limits, Remark

_LISTED_ROWS: Final = 20


@dataclass
class Cells:
    """Trimmed text by column: Arrow string arrays of equal length, "" where a cell is empty.

    ``columns`` may be emptied while they are converted, so that text and numbers are not both
    held in memory. ``lines`` are the 1-based lines of the file on which the rows begin.
    """

    names: list[str]
    columns: list[Any]
    lines: npt.NDArray[np.int64]
    remarks: list[Remark]


def read_cells(
    stream: IO[bytes],
    layout: Layout,
    *,
    limits: Limits,
    on_read: Callable[[int], None] | None = None,
) -> Cells:
    """Read every cell of ``stream`` below the header.

    Raises ``DataRefused`` for rows wider than the names, an open quotation mark, no data rows and
    what is over the limits.
    """
    columns, remarks = parse(stream, layout, limits=limits, on_read=on_read or (lambda _: None))
    if len(columns[0]) == 0:
        raise _no_rows(layout)
    cells = _tidy(columns, layout, limits)
    cells.remarks.extend(remarks)
    return cells


def _no_rows(layout: Layout) -> DataRefused:
    return DataRefused(
        N_("There are no rows of values below the names. Upload a table with data."),
        code="no_rows",
        row=layout.first_record + 1,
    )


def _tidy(raw: list[Any], layout: Layout, limits: Limits) -> Cells:
    n_rows = len(raw[0])
    n_breaks = np.zeros(n_rows, dtype=np.int64)
    is_blank = np.ones(n_rows, dtype=bool)
    columns: list[Any] = []
    longest: tuple[int, int] | None = None
    for position in range(len(raw)):
        # Let go of each raw column as soon as it is trimmed: they are the size of the file.
        cells, raw[position] = raw[position], None
        if pc.any(pc.match_substring(cells, "\n")).as_py():
            n_breaks += pc.count_substring(cells, "\n").to_numpy().astype(np.int64)
        if (pc.max(pc.binary_length(cells)).as_py() or 0) > limits.max_cell_chars:
            lengths = pc.utf8_length(cells).to_numpy()
            if longest is None and lengths.max() > limits.max_cell_chars:
                longest = (int(lengths.argmax()), position)
        cells = pc.utf8_trim_whitespace(cells)
        if is_blank.any():
            is_blank &= pc.equal(cells, "").to_numpy()
        columns.append(cells)
    lines = layout.first_record + 1 + np.arange(n_rows) + np.cumsum(n_breaks) - n_breaks
    if longest is not None:
        raise DataRefused(
            N_("A cell is longer than %(limit)d characters. Is a quotation mark left open?"),
            code="cell_too_long",
            row=int(lines[longest[0]]),
            column=_name(layout, longest[1]),
            limit=limits.max_cell_chars,
        )
    remarks: list[Remark] = []
    if is_blank.any():
        remarks.append(_blank_rows(lines[is_blank]))
        keep = pa.array(~is_blank)
        columns = [cells.filter(keep) for cells in columns]
        lines = lines[~is_blank]
    if len(lines) == 0:
        raise _no_rows(layout)
    _refuse_spill(columns, lines, layout)
    names, columns, named = _named(columns, layout)
    return Cells(names, columns, lines, remarks + named)


def _name(layout: Layout, position: int) -> str:
    if layout.header is not None and position < len(layout.header) and layout.header[position]:
        return " ".join(layout.header[position].split())
    return f"column {position + 1}"


def _blank_rows(lines: npt.NDArray[np.int64]) -> Remark:
    listed = ", ".join(map(str, lines[:_LISTED_ROWS])) + ("…" if len(lines) > _LISTED_ROWS else "")
    return Remark(
        "blank_rows",
        "info",
        N_("Blank rows left out: %(n)d (%(rows)s)."),
        {"n": len(lines), "rows": listed},
        row=int(lines[0]),
    )


def _refuse_spill(columns: list[Any], lines: npt.NDArray[np.int64], layout: Layout) -> None:
    """Refuse cells to the right of the last name; empty ones (trailing separators) may stand."""
    first: int | None = None
    for cells in columns[layout.n_named :]:
        spilled = np.flatnonzero(pc.not_equal(cells, "").to_numpy())
        if len(spilled) and (first is None or spilled[0] < first):
            first = int(spilled[0])
    if first is None:
        return
    filled = [position for position, cells in enumerate(columns) if cells[first].as_py()]
    raise too_wide(int(lines[first]), layout, n_cells=filled[-1] + 1)


def _named(columns: list[Any], layout: Layout) -> tuple[list[str], list[Any], list[Remark]]:
    """Names made whole and unique; columns without a name and without a value fall away."""
    names: list[str] = []
    kept: list[Any] = []
    remarks: list[Remark] = []
    line = None if layout.header_row is None else layout.header_row + 1

    def remark(code: str, severity: str, message: str, **params: Any) -> None:
        remarks.append(Remark(code, severity, message, params, line, params.get("name")))

    taken = {_name(layout, position) for position in range(layout.n_named)}
    for position, cells in enumerate(columns[: layout.n_named]):
        name = _name(layout, position)
        is_unnamed = layout.header is not None and not layout.header[position]
        if is_unnamed and not pc.any(pc.not_equal(cells, "")).as_py():
            message = N_("Column %(position)d has neither a name nor a value and was left out.")
            remark("empty_column", "info", message, position=position + 1)
            continue
        if is_unnamed:
            message = N_("Column %(position)d has no name; it is called “%(name)s”.")
            remark("unnamed_column", "info", message, position=position + 1, name=name)
        if name in names:
            old, count = name, 2
            while (name := f"{old} ({count})") in taken:
                count += 1
            taken.add(name)
            message = N_("The name “%(old)s” occurs more than once; this one is now “%(name)s”.")
            remark("duplicate_name", "warning", message, old=old, name=name)
        names.append(name)
        kept.append(cells)
    if len(names) < 2:
        raise DataRefused(
            N_("Only one column holds values. Give a target and at least one variable."),
            code="single_column",
            row=line or layout.first_record + 1,
        )
    return names, kept, remarks
