"""The cells of a file by column, with what is no data taken away and remarked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from prodapp.exceptions import DataRefused, N_
from prodapp.ml.intake.careful import Parsed
from prodapp.ml.intake.footers import footer_rows
from prodapp.ml.intake.layout import Layout
from prodapp.ml.intake.parsing import too_wide
from prodapp.ml.intake.units import unit_in_name, unit_of_cell
from prodapp.ml.table import Limits, Remark

_LISTED_ROWS: Final = 20
#: A few rows that are too wide are left out and listed; more mean that the layout was mistaken.
_MOST_WIDE: Final = 0.05

Flags = npt.NDArray[np.bool_]


@dataclass
class Cells:
    """Trimmed text by column: Arrow string arrays of equal length, "" where a cell is empty.

    A column may also be of numbers or times already (null where missing). ``columns`` may be
    emptied while they are converted, so that text and numbers are not both held in memory.
    ``lines`` are the 1-based lines of the file on which the rows begin; ``units`` holds what a
    row of units or the names say, ``marks`` the decimal mark by position of columns of numbers.
    """

    names: list[str]
    columns: list[Any]
    units: list[str | None]
    lines: npt.NDArray[np.int64]
    remarks: list[Remark]
    marks: dict[int, str] = field(default_factory=dict)


def tidy(parsed: Parsed, layout: Layout, *, limits: Limits, is_complete: bool = True) -> Cells:
    """Take blank rows, comments, repeated names, sums and notes below the table out of ``parsed``
    (which is emptied), and give every column a name of its own.

    The foot of a file that goes on (``is_complete`` False) is not looked for. Raises
    ``DataRefused`` for no data rows, too many rows wider than the names, and what is over the
    limits.
    """
    n_rows = len(parsed.columns[0])
    if n_rows == 0:
        raise _no_rows(layout)
    columns, is_blank, lines = _trimmed(parsed, layout, limits)
    remarks: list[Remark] = []
    drop = is_blank.copy()
    if is_blank.any():
        message = N_("Blank rows left out: %(n)d (%(rows)s).")
        remarks.append(_left_out("blank_rows", "info", message, lines[is_blank]))
    wide = _spilled(columns, lines, layout) | dict(parsed.wide)
    if wide:
        remarks.append(_wide_rows(wide, layout, n_rows=n_rows))
        drop |= np.isin(lines, list(wide))
    columns = columns[: layout.n_named]
    _drop(drop, _repeated_names(columns, layout), lines, remarks, _REPEATED)
    _drop(drop, _comments(columns, layout), lines, remarks, _COMMENTS)
    if is_complete:
        _drop(drop, footer_rows(columns, ~drop), lines, remarks, _FOOTER)
    if parsed.is_short is not None and (short := parsed.is_short & ~drop).any():
        message = N_("Rows with fewer cells than columns, the rest taken as missing: %(n)d.")
        params = {"n": int(short.sum())}
        remarks.append(
            Remark("short_rows", "warning", message, params, row=int(lines[short.argmax()]))
        )
    if drop.all():
        raise _no_rows(layout)
    if drop.any():
        keep = pa.array(~drop)
        columns = [cells.filter(keep) for cells in columns]
        lines = lines[~drop]
    cells = _named(columns, layout, parsed.marks)
    return Cells(
        cells.names, cells.columns, cells.units, lines, remarks + cells.remarks, cells.marks
    )


def _no_rows(layout: Layout) -> DataRefused:
    return DataRefused(
        N_("There are no rows of values below the names. Upload a table with data."),
        code="no_rows",
        row=layout.first_line,
    )


def _trimmed(
    parsed: Parsed, layout: Layout, limits: Limits
) -> tuple[list[Any], Flags, npt.NDArray[np.int64]]:
    """The columns trimmed, which rows are blank, and the line of each row."""
    raw = parsed.columns
    n_rows = len(raw[0])
    n_breaks = np.zeros(n_rows, dtype=np.int64)
    is_blank = np.ones(n_rows, dtype=bool)
    columns: list[Any] = []
    longest: tuple[int, int] | None = None
    for position in range(len(raw)):
        # Let go of each raw column as soon as it is trimmed: they are the size of the file.
        cells, raw[position] = raw[position], None
        if pa.types.is_string(cells.type):
            if parsed.lines is None and pc.any(pc.match_substring(cells, "\n")).as_py():
                n_breaks += pc.count_substring(cells, "\n").to_numpy().astype(np.int64)
            if (pc.max(pc.binary_length(cells)).as_py() or 0) > limits.max_cell_chars:
                lengths = pc.utf8_length(cells).to_numpy()
                if longest is None and lengths.max() > limits.max_cell_chars:
                    longest = (int(lengths.argmax()), position)
            cells = pc.utf8_trim_whitespace(cells)
        if is_blank.any():
            is_blank &= _is_empty(cells)
        columns.append(cells)
    lines = parsed.lines
    if lines is None:
        lines = layout.first_line + np.arange(n_rows) + np.cumsum(n_breaks) - n_breaks
    if longest is not None:
        raise DataRefused(
            N_("A cell is longer than %(limit)d characters. Is a quotation mark left open?"),
            code="cell_too_long",
            row=int(lines[longest[0]]),
            column=_name(layout, longest[1]),
            limit=limits.max_cell_chars,
        )
    return columns, is_blank, lines


def _is_empty(cells: Any) -> Flags:
    empty = pc.equal(cells, "") if pa.types.is_string(cells.type) else pc.is_null(cells)
    flags: Flags = pc.fill_null(empty, True).to_numpy()
    return flags


def _name(layout: Layout, position: int) -> str:
    if layout.header is not None and position < len(layout.header) and layout.header[position]:
        return " ".join(layout.header[position].split())
    return f"column {position + 1}"


def _left_out(code: str, severity: str, message: str, lines: npt.NDArray[np.int64]) -> Remark:
    listed = ", ".join(map(str, lines[:_LISTED_ROWS])) + ("…" if len(lines) > _LISTED_ROWS else "")
    return Remark(code, severity, message, {"n": len(lines), "rows": listed}, row=int(lines[0]))


_REPEATED: Final = ("repeated_names", N_("Rows that repeat the names left out: %(n)d (%(rows)s)."))
_COMMENTS: Final = ("comment_rows", N_("Rows of comment left out: %(n)d (%(rows)s)."))
_FOOTER: Final = (
    "footer_rows",
    N_("Sums or notes below the table left out: %(n)d (%(rows)s)."),
)


def _drop(
    drop: Flags,
    found: Flags | None,
    lines: npt.NDArray[np.int64],
    remarks: list[Remark],
    what: tuple[str, str],
) -> None:
    """Add the rows ``found`` to those to drop, with a remark."""
    if found is None or not (found := found & ~drop).any():
        return
    remarks.append(_left_out(what[0], "warning", what[1], lines[found]))
    drop |= found


def _spilled(columns: list[Any], lines: npt.NDArray[np.int64], layout: Layout) -> dict[int, int]:
    """Line → number of cells of the rows filled to the right of the last name."""
    found: dict[int, int] = {}
    for position, cells in enumerate(columns[layout.n_named :]):
        for row in np.flatnonzero(~_is_empty(cells)):
            found[int(lines[row])] = layout.n_named + position + 1
    return found


def _wide_rows(wide: dict[int, int], layout: Layout, *, n_rows: int) -> Remark:
    """Say which rows were left out for having more cells than columns; refuse when many are."""
    first = min(wide)
    if len(wide) > _MOST_WIDE * max(n_rows, len(wide)):
        raise too_wide(first, layout, n_cells=wide[first])
    message = N_(
        "Rows with more cells than there are columns left out: %(n)d (%(rows)s). Put cells that "
        "hold a separator in quotation marks."
    )
    return _left_out("wide_rows", "warning", message, np.array(sorted(wide)))


def _repeated_names(columns: Sequence[Any], layout: Layout) -> Flags | None:
    """Rows that are the row of names once more, as in files pasted together."""
    found: Flags | None = None
    for cells, name in zip(columns, layout.header or (), strict=False):
        if not pa.types.is_string(cells.type):
            return None
        same = pc.equal(cells, name).to_numpy()
        found = same if found is None else found & same
        if not found.any():
            return None
    return found


def _comments(columns: Sequence[Any], layout: Layout) -> Flags | None:
    """Rows that begin with the mark of comments seen above the table and fill nothing else."""
    if layout.comment is None or not pa.types.is_string(columns[0].type):
        return None
    found: Flags = pc.starts_with(columns[0], layout.comment).to_numpy()
    for cells in columns[1:]:
        if not found.any():
            return None
        found &= _is_empty(cells)
    return found


def _named(columns: list[Any], layout: Layout, marks: Mapping[int, str]) -> Cells:
    """Names made whole and unique; columns without a name and without a value fall away."""
    cells = Cells([], [], [], np.empty(0, dtype=np.int64), [])
    line = None if layout.header_row is None else layout.header_row + 1

    def remark(code: str, severity: str, message: str, **params: Any) -> None:
        cells.remarks.append(Remark(code, severity, message, params, line, params.get("name")))

    taken = {_name(layout, position) for position in range(layout.n_named)}
    header = None if layout.header is None else (*layout.header, *[""] * layout.n_named)
    for position, column in enumerate(columns):
        name = _name(layout, position)
        is_unnamed = header is not None and not header[position]
        if is_unnamed and _is_empty(column).all():
            message = N_("Column %(position)d has neither a name nor a value and was left out.")
            remark("empty_column", "info", message, position=position + 1)
            continue
        if is_unnamed:
            message = N_("Column %(position)d has no name; it is called “%(name)s”.")
            remark("unnamed_column", "info", message, position=position + 1, name=name)
        if name in cells.names:
            old, count = name, 2
            while (name := f"{old} ({count})") in taken:
                count += 1
            taken.add(name)
            message = N_("The name “%(old)s” occurs more than once; this one is now “%(name)s”.")
            remark("duplicate_name", "warning", message, old=old, name=name)
        if position in marks:
            cells.marks[len(cells.names)] = marks[position]
        cells.names.append(name)
        cells.columns.append(column)
        unit = layout.units[position] if position < len(layout.units) else ""
        cells.units.append(unit_of_cell(unit) or unit_in_name(name))
    if len(cells.names) < 2:
        raise DataRefused(
            N_("Only one column holds values. Give a target and at least one variable."),
            code="single_column",
            row=line or layout.first_line,
        )
    return cells
