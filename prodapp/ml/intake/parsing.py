"""A file of known layout → its cells, by the quick parser or the careful one.

Arrow's parser works in parallel and takes regular files only; columns that the sample shows to be
plain numbers come out of it as numbers at once, and the whole is read again as text where that
fails. A file that is not regular goes through Python's parser, row by row: it alone can say on
which lines rows are too short or too wide.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from typing import IO, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from prodapp.exceptions import DataRefused, N_
from prodapp.ml.intake.careful import CarefulParser, OnRead, Parsed, check_rows
from prodapp.ml.intake.dialect import records
from prodapp.ml.intake.layout import Layout
from prodapp.ml.table import Limits

_BLOCK_BYTES: Final = 4 << 20
_SECONDS_A_CALL: Final = 0.5
_SAMPLE_BYTES: Final = 1 << 18

#: Numbers that can be read in one way only, and those that need such a one beside them.
_PLAIN: Final = {mark: re.compile(rf"-?(?:0|[1-9]\d*)(?:\{mark}\d+)?") for mark in ".,"}
_TELLING: Final = {
    mark: re.compile(rf"-?(?:0\{mark}\d+|\d+\{mark}(?:\d{{1,2}}|\d{{4,}})|\d{{4,}}\{mark}\d+)")
    for mark in ".,"
}


def parse(
    stream: IO[bytes],
    layout: Layout,
    *,
    limits: Limits,
    on_read: OnRead,
    as_text: Callable[[str], bool] = lambda _: False,
) -> Parsed:
    """Cut ``stream`` into cells; columns whose name ``as_text`` is true for stay text.

    What lies right of ``layout.n_named`` is left to the caller to judge. Raises ``DataRefused``
    for an open quotation mark, a cell too long to be read and too many rows.
    """
    numbers = _plain_numbers(stream, layout, as_text)
    columns = _parse_quickly(stream, layout, numbers, on_read=on_read) if numbers else None
    if columns is None or not _are_finite(columns):
        numbers = {}
        columns = _parse_quickly(stream, layout, numbers, on_read=on_read)
    if columns is None:
        return CarefulParser(stream, layout, limits, on_read).parse()
    check_rows(len(columns[0]), layout, limits)
    return Parsed(columns, marks=numbers)


def _are_finite(columns: list[Any]) -> bool:
    """Whether no cell said "nan" or "inf" or was too large: these must be seen as text."""
    floats = [cells for cells in columns if pa.types.is_floating(cells.type)]
    return all(pc.all(pc.is_finite(cells)).as_py() in (True, None) for cells in floats)


def _plain_numbers(
    stream: IO[bytes], layout: Layout, as_text: Callable[[str], bool]
) -> dict[int, str]:
    """Decimal mark by position of the columns that the sample shows to be plain decimals."""
    rows = _sampled_rows(stream, layout)
    found: dict[int, str] = {}
    for position in range(layout.n_named):
        name = layout.header[position] if layout.header and position < len(layout.header) else ""
        cells = [row[position] for row in rows if position < len(row) and row[position]]
        if not cells or as_text(name):
            continue
        for mark in ".,":
            plain, telling = _PLAIN[mark].fullmatch, _TELLING[mark].fullmatch
            if all(map(plain, cells)) and any(map(telling, cells)):
                found[position] = mark
    marks = list(found.values())
    usual = max(set(marks), key=marks.count) if marks else ""
    # Arrow takes one decimal mark a file; columns of the other one stay text for now.
    return {position: mark for position, mark in found.items() if mark == usual}


def _sampled_rows(stream: IO[bytes], layout: Layout) -> list[list[str]]:
    stream.seek(0)
    text = io.TextIOWrapper(stream, encoding=layout.encoding, newline="")
    try:
        sample = text.read(_SAMPLE_BYTES)
    finally:
        text.detach()
        stream.seek(0)
    rows = records(sample, layout.delimiter, quote=layout.quotechar)
    return rows[layout.first_record : -1 or None]


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


def _parse_quickly(
    stream: IO[bytes], layout: Layout, numbers: Mapping[int, str], *, on_read: OnRead
) -> list[Any] | None:
    """The columns, or None when the file is not regular enough for Arrow."""
    names = [str(position) for position in range(layout.width)]
    types = dict.fromkeys(names, pa.string())
    types |= {str(position): pa.float64() for position in numbers}
    stream.seek(0)
    source = _Source(stream)
    options = {
        "read_options": arrow_csv.ReadOptions(
            column_names=names,
            skip_rows=layout.first_line - 1,
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
            column_types=types,
            strings_can_be_null=False,
            null_values=[""],
            decimal_point=next(iter(numbers.values()), "."),
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


def too_wide(row: int, layout: Layout, *, n_cells: int) -> DataRefused:
    """The refusal of rows that have more cells than there are columns.

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
