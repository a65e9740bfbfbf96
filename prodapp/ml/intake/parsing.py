"""A file of known layout → its cells as raw text, by the quick parser or the careful one.

Arrow's parser works in parallel and takes regular files only. Whatever it does not take goes to
pandas' C engine, which fills short rows up; only then is there reason to look at single rows.
"""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import IO, Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.csv as arrow_csv

from prodapp.exceptions import DataRefused, N_
from prodapp.ml.intake.layout import Layout
from prodapp.ml.table import Limits, Remark

#: Cells parsed between two calls of the progress callback: some tenths of a second.
_CELLS_A_CHUNK: Final = 1_500_000
_BLOCK_BYTES: Final = 4 << 20
_SECONDS_A_CALL: Final = 0.5

OnRead = Callable[[int], None]


def parse(
    stream: IO[bytes], layout: Layout, *, limits: Limits, on_read: OnRead
) -> tuple[list[Any], list[Remark]]:
    """Arrow string arrays of the data rows, at least ``layout.width`` of them, and remarks.

    Blank rows are rows of empty cells; what lies right of ``layout.n_named`` is left to the
    caller to judge. Raises ``DataRefused`` for rows wider than that, an open quotation mark and
    too many rows.
    """
    columns = _parse_quickly(stream, layout, on_read=on_read)
    if columns is not None:
        _check_rows(len(columns[0]), layout, limits)
        return columns, []
    columns = _parse_carefully(stream, layout, limits=limits, on_read=on_read)
    return columns, _short_rows(stream, layout)


class _Source:
    """A file that can be stopped: it ends at once for whoever is reading it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.closed = False
        self.is_stopped = False

    def read(self, size: int = -1) -> bytes:
        return b"" if self.is_stopped else self._stream.read(size)

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        """The file belongs to the caller."""


def _parse_quickly(stream: IO[bytes], layout: Layout, *, on_read: OnRead) -> list[Any] | None:
    """The columns, or None when the file is not regular enough for Arrow."""
    if any("\n" in name for name in layout.header or ()):
        return None  # Arrow skips lines, not records
    names = [str(position) for position in range(layout.width)]
    stream.seek(0)
    source = _Source(stream)
    options = {
        "read_options": arrow_csv.ReadOptions(
            column_names=names,
            skip_rows=layout.first_record,
            encoding=layout.encoding,
            block_size=_BLOCK_BYTES,
        ),
        "parse_options": arrow_csv.ParseOptions(
            delimiter=layout.delimiter,
            quote_char=layout.quotechar,
            newlines_in_values=True,
            ignore_empty_lines=False,
        ),
        "convert_options": arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
        ),
    }
    # In a thread of its own, so that progress is told (and a cancel heard) in the caller's.
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="parse") as executor:
        future = executor.submit(arrow_csv.read_csv, source, **options)
        try:
            while not future.done():
                wait([future], timeout=_SECONDS_A_CALL)
                on_read(stream.tell())
        finally:
            source.is_stopped = True
    try:
        table = future.result()
    except pa.ArrowInvalid:
        return None
    return list(table.columns)


def _parse_carefully(
    stream: IO[bytes], layout: Layout, *, limits: Limits, on_read: OnRead
) -> list[Any]:
    chunks: list[pd.DataFrame] = []
    n_rows = 0
    try:
        for chunk in _chunks(stream, layout):
            chunks.append(chunk)
            n_rows += len(chunk)
            _check_rows(n_rows, layout, limits)
            on_read(stream.tell())
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        raise _misshapen(stream, layout, str(error)) from None
    if not chunks:
        return [pa.chunked_array([], type=pa.string())] * layout.width
    frame = pd.concat(chunks, ignore_index=True) if len(chunks) > 1 else chunks[0]
    del chunks
    return [pa.chunked_array(frame.pop(name)) for name in list(frame.columns)]


def _chunks(stream: IO[bytes], layout: Layout) -> Iterator[pd.DataFrame]:
    """The data rows as frames of text, one spare column wider than any row of the sample."""
    width = layout.width + 1
    stream.seek(0)
    try:
        reader = pd.read_csv(
            stream,
            sep=layout.delimiter,
            quotechar=layout.quotechar,
            encoding=layout.encoding,
            header=None,
            names=range(width),
            index_col=False,
            skiprows=layout.first_record,
            skip_blank_lines=False,
            dtype=str,
            keep_default_na=False,
            na_filter=False,
            chunksize=max(1000, _CELLS_A_CHUNK // width),
        )
    except pd.errors.EmptyDataError:
        return
    with reader:
        while True:
            try:
                with warnings.catch_warnings():
                    # The warning says that cells are cut off.
                    warnings.simplefilter("error", pd.errors.ParserWarning)
                    chunk = next(reader)
            except StopIteration:
                return
            yield chunk


def _check_rows(n_rows: int, layout: Layout, limits: Limits) -> None:
    if n_rows > limits.max_rows:
        raise DataRefused(
            N_("The table has more than %(limit)d rows. Upload a part of them."),
            code="too_many_rows",
            row=layout.first_record + limits.max_rows + 1,
            limit=limits.max_rows,
        )


def _records(stream: IO[bytes], layout: Layout) -> Iterator[tuple[int, list[str]]]:
    """Each data row with its line, one by one; slow, for files that are known to be irregular."""
    stream.seek(0)
    text = io.TextIOWrapper(stream, encoding=layout.encoding, newline="")
    reader = csv.reader(text, delimiter=layout.delimiter, quotechar=layout.quotechar)
    line = 1
    try:
        for position, row in enumerate(reader):
            if position >= layout.first_record:
                yield line, row
            line = reader.line_num + 1
    finally:
        text.detach()


def _short_rows(stream: IO[bytes], layout: Layout) -> list[Remark]:
    """Say which rows end before the last column: cut off, or lacking a separator."""
    short = [
        line for line, row in _records(stream, layout) if len(row) < layout.n_named and any(row)
    ]
    if not short:
        return []
    message = N_("Rows with fewer cells than columns, the rest taken as missing: %(n)d.")
    return [Remark("short_rows", "warning", message, {"n": len(short)}, row=short[0])]


def _misshapen(stream: IO[bytes], layout: Layout, error: str) -> DataRefused:
    """Say where the parser stopped; it counts neither quoted line breaks nor skipped rows."""
    line = layout.first_record + 1
    try:
        for line, row in _records(stream, layout):
            if len(row) > layout.width + 1:
                return too_wide(line, layout, n_cells=len(row))
    except csv.Error:  # an open quotation mark makes one cell of the rest of a large file
        line += 1
    if "EOF inside string" in error:
        return DataRefused(
            N_("A quotation mark opened here is never closed. Close it or take it out."),
            code="open_quote",
            row=line,
        )
    return DataRefused(
        N_("The rows cannot be read: %(error)s. Save the table as CSV again."),
        code="unreadable_rows",
        row=line,
        error=error,
    )


def too_wide(row: int, layout: Layout, *, n_cells: int) -> DataRefused:
    """The refusal of a row that has more cells than there are columns.

    Titles and comments above the table make it look so as much as a separator inside a cell.
    """
    first_row = layout.first_record if layout.header_row is None else layout.header_row
    return DataRefused(
        N_(
            "This row has more cells (%(n_cells)d) than there are columns (%(n_names)d), by row "
            "%(first_row)d, where the table was taken to begin. If that row is a title or a "
            "comment, remove the lines above the table. If a separator is inside a cell, put the "
            "cell in quotation marks."
        ),
        code="row_too_wide",
        row=row,
        n_cells=n_cells,
        n_names=layout.n_named,
        first_row=first_row + 1,
    )
