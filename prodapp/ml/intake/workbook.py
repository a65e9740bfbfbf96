"""Workbooks (XLSX, XLS): the first sheet that holds a table, as rows of text.

python-calamine reads them: with it the whole of intake takes half the time that openpyxl takes
for the cells alone (``make intake`` shows both), it reads the old binary format too, and it
expands no XML entities. It keeps a sheet as one dense block, so a sheet that names a far-away cell
is refused before it is opened.
"""

from __future__ import annotations

import datetime
import io
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import IO, Any, Final

import numpy as np
import pyarrow as pa
from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from prodapp.exceptions import DataRefused, InvalidInput, N_
from prodapp.ml.intake.careful import Parsed, too_many_rows
from prodapp.ml.intake.cells import Cells, tidy
from prodapp.ml.intake.formats import (
    ARCHIVE_ERRORS,
    Opened,
    damaged,
    too_large_unpacked,
)
from prodapp.ml.intake.layout import Layout, empty_file, layout_of_rows
from prodapp.ml.table import Decision, Limits, Remark

_CHUNK_BYTES: Final = 1 << 20
_SAMPLE_ROWS: Final = 1000
_CELLS_A_CHUNK: Final = 300_000
#: Cells of the block that calamine allocates (some 30 bytes each).
_MAX_CELLS: Final = 60_000_000

_CELL_COLUMN: Final = re.compile(rb'r="([A-Z]{1,3})[0-9]')
_ROW: Final = re.compile(rb'<(?:\w+:)?row\b[^>]*?\br="(\d{1,9})"')
_IN_THREES: Final = re.compile(r"-?\d{1,3}\.\d{3}")


def read_workbook(
    opened: Opened,
    *,
    filename: str,
    overrides: Mapping[str, str],
    limits: Limits,
    on_read: Callable[[float], None],
) -> tuple[Layout, Cells]:
    """The layout and cells of a sheet: the one chosen, else the first visible one with cells.

    Raises ``DataRefused`` for damaged and protected files, for those that are too large unpacked,
    and as a text file does for what is in the sheet.
    """
    if opened.kind == "xlsx":
        _guard(opened.stream, filename=filename, limits=limits)
    opened.stream.seek(0)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(opened.stream.read()))
        name, decision, others = _sheet(book, overrides.get("sheet"))
        rows = _rows(
            book.get_sheet_by_name(name), limits=limits, on_read=on_read, n_bytes=opened.n_bytes
        )
    except CalamineError as error:
        raise _cannot_open(filename, str(error)) from None
    except BaseException as error:
        # A panic of the reader's Rust code is no Exception, and no more than a damaged file.
        if type(error).__name__ != "PanicException":
            raise
        raise damaged(filename) from None
    if not rows.chunks or not rows.width:
        raise empty_file(filename)
    layout = layout_of_rows(rows.sample, decisions=(decision,), overrides=overrides, limits=limits)
    columns = [cells.slice(layout.first_record) for cells in rows.columns(layout.width)]
    lines = np.arange(layout.first_record + 1, rows.n_rows + 1, dtype=np.int64)
    cells = tidy(
        Parsed(columns, lines + rows.first), layout, limits=limits, is_complete=opened.is_complete
    )
    if others:
        message = N_("Sheets that were not read: %(sheets)s.")
        cells.remarks.append(Remark("other_sheets", "info", message, {"sheets": ", ".join(others)}))
    return layout, cells


def _cannot_open(filename: str, error: str) -> DataRefused:
    if "password" in error.lower() or "encrypt" in error.lower():
        return DataRefused(
            N_("%(filename)s is protected by a password. Save it without one."),
            code="password",
            filename=filename,
        )
    return damaged(filename)


def _sheet(book: CalamineWorkbook, chosen: str | None) -> tuple[str, Decision, list[str]]:
    """The sheet to read, why, and the other visible ones."""
    names = [
        sheet.name
        for sheet in book.sheets_metadata
        if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible
    ]
    if chosen is not None:
        if chosen not in book.sheet_names:
            raise InvalidInput(
                N_("There is no sheet “%(sheet)s”; there are: %(sheets)s."),
                sheet=chosen,
                sheets=", ".join(book.sheet_names),
            )
        reason = N_("Chosen by you.")
        return chosen, Decision("sheet", chosen, reason, {"sheets": names}), []
    for name in names:
        sheet = book.get_sheet_by_name(name)
        if sheet.height and sheet.width > 1:
            others = [other for other in names if other != name]
            reason = N_("The first sheet with a table.")
            return name, Decision("sheet", name, reason, {"sheets": names}), others
    if not names:
        names = list(book.sheet_names)
    return names[0], Decision("sheet", names[0], N_("The first sheet.")), []


class _Rows:
    """The rows of a sheet as text: a sample of them, and Arrow columns in chunks."""

    def __init__(self, first: int, width: int) -> None:
        self.first = first
        self.width = width
        self.n_rows = 0
        self.sample: list[list[str]] = []
        self.chunks: list[list[Any]] = []

    def add(self, rows: list[list[str]]) -> None:
        """Take rows in; the first ones are kept for the layout."""
        if len(self.sample) < _SAMPLE_ROWS:
            trimmed = [[cell.strip() for cell in row] for row in rows]
            self.sample.extend(trimmed[: _SAMPLE_ROWS - len(self.sample)])
        columns = zip(*rows, strict=True)
        self.chunks.append([pa.array(cells, type=pa.string()) for cells in columns])
        self.n_rows += len(rows)

    def columns(self, width: int) -> list[Any]:
        return [
            pa.chunked_array([chunk[position] for chunk in self.chunks], type=pa.string())
            for position in range(width)
        ]


def _rows(sheet: Any, *, limits: Limits, on_read: Callable[[float], None], n_bytes: int) -> _Rows:
    start = sheet.start
    # calamine leaves blank rows and columns before the first cell out.
    rows = _Rows(0 if start is None else start[0], 0 if start is None else sheet.width)
    if not rows.width:
        return rows
    a_chunk = max(1, _CELLS_A_CHUNK // rows.width)
    chunk: list[list[str]] = []
    n_rows = max(1, sheet.total_height)
    for row in sheet.iter_rows():
        cells = [_text(value) for value in row]
        chunk.append(cells + [""] * (rows.width - len(cells)))
        if len(chunk) >= a_chunk:
            rows.add(chunk)
            chunk = []
            on_read(n_bytes * rows.n_rows / n_rows)
        if rows.n_rows > limits.max_rows + _SAMPLE_ROWS:
            raise too_many_rows(limits.max_rows + 1, limits)
    if chunk:
        rows.add(chunk)
    return rows


def _text(value: Any) -> str:
    """A cell as text that can be read in one way only."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        text = repr(value)
        # 1.234 could be a thousand and more; 1.2340 could not.
        return text + "0" if _IN_THREES.fullmatch(text) else text
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        seconds = int(value.total_seconds())
        return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return "" if value is None else str(value)


def _guard(stream: IO[bytes], *, filename: str, limits: Limits) -> None:
    """Refuse a workbook that would not fit: inflated by so much, or spread over so many cells."""
    stream.seek(0)
    total = 0
    try:
        with zipfile.ZipFile(stream) as archive:
            for info in archive.infolist():
                last_row, columns, tail = 0, {b"A"}, b""
                is_sheet = info.filename.startswith("xl/worksheets/")
                with archive.open(info) as member:
                    while chunk := member.read(_CHUNK_BYTES):
                        total += len(chunk)
                        if total > limits.max_unpacked_bytes:
                            raise too_large_unpacked(filename, limits.max_unpacked_bytes)
                        if is_sheet:
                            data = tail + chunk
                            columns.update(_CELL_COLUMN.findall(data))
                            last_row = max([last_row, *map(int, _ROW.findall(data))])
                            tail = data[-256:]
                _check_spread(last_row, columns, limits)
    except ARCHIVE_ERRORS:
        raise damaged(filename) from None


def _check_spread(last_row: int, columns: set[bytes], limits: Limits) -> None:
    last = max(columns, key=lambda letters: (len(letters), letters))
    width = 0
    for letter in last:
        width = 26 * width + letter - 64
    if last_row * width > _MAX_CELLS:
        raise DataRefused(
            N_(
                "The sheet reaches to cell %(cell)s, too far to be read. Delete what stands far "
                "off the table, or save the table as CSV."
            ),
            code="sheet_too_large",
            row=last_row,
            cell=f"{last.decode()}{last_row}",
        )
    if last_row > limits.max_rows + _SAMPLE_ROWS:
        raise too_many_rows(limits.max_rows + 1, limits)


def head_of_workbook(opened: Opened, *, filename: str, n_bytes: int) -> Opened:
    """A workbook whose sheets end after their first ``n_bytes``, for a preview in bounded time."""
    opened.stream.seek(0)
    target = io.BytesIO()
    total, is_cut = 0, False
    try:
        with (
            zipfile.ZipFile(opened.stream) as archive,
            zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as copy,
        ):
            for info in archive.infolist():
                with archive.open(info) as member:
                    if info.filename.startswith("xl/worksheets/") and info.file_size > n_bytes:
                        data = member.read(n_bytes)
                        end = data.rfind(b"</row>")
                        data = data[: end + len(b"</row>")] + b"</sheetData></worksheet>"
                        is_cut = True
                    else:
                        data = member.read(_MAX_PART + 1)
                if (total := total + len(data)) > _MAX_PART:
                    raise too_large_unpacked(filename, _MAX_PART)
                copy.writestr(info.filename, data)
    except ARCHIVE_ERRORS:
        raise damaged(filename) from None
    if not is_cut:
        return opened
    return replace(opened, stream=target, n_bytes=target.tell(), is_complete=False)


#: A preview holds the parts of a workbook in memory (shared texts, styles), up to this.
_MAX_PART: Final = 256 << 20
