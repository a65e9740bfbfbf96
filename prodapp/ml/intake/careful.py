"""Row by row through a file that is not regular: which rows are too short, too wide, left open."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from prodapp.exceptions import DataRefused, N_
from prodapp.ml.intake.layout import Layout
from prodapp.ml.table import Limits

_CELLS_A_CHUNK: Final = 500_000

OnRead = Callable[[int], None]


@dataclass
class Parsed:
    """The data rows: one Arrow array a column, of text or of float64 (then null where empty).

    Blank rows are rows of empty cells. ``lines`` are the 1-based lines on which the rows begin
    (None: to be told from the line breaks in their cells); ``is_short`` marks rows that
    were filled up; ``wide`` holds line and number of cells of the rows left out for being too wide;
    ``marks`` the decimal marks, by position, of columns that are numbers already.
    """

    columns: list[Any]
    lines: npt.NDArray[np.int64] | None = None
    is_short: npt.NDArray[np.bool_] | None = None
    wide: list[tuple[int, int]] = field(default_factory=list)
    marks: Mapping[int, str] = field(default_factory=dict)


def check_rows(n_rows: int, layout: Layout, limits: Limits) -> None:
    """Raise ``DataRefused`` for more rows than are taken."""
    if n_rows > limits.max_rows:
        raise too_many_rows(layout.first_line + limits.max_rows, limits)


def too_many_rows(row: int, limits: Limits) -> DataRefused:
    """The refusal of a table with more rows than are taken."""
    return DataRefused(
        N_("The table has more than %(limit)d rows. Upload a part of them."),
        code="too_many_rows",
        row=row,
        limit=limits.max_rows,
    )


class CarefulParser:
    """Reads a file row by row; slow, for files that are known to be irregular."""

    def __init__(self, stream: IO[bytes], layout: Layout, limits: Limits, on_read: OnRead) -> None:
        self._stream = stream
        self._layout = layout
        self._limits = limits
        self._on_read = on_read
        self._chunks: list[list[Any]] = []
        self._rows: list[list[str]] = []
        self._lines: list[int] = []
        self._short: list[bool] = []
        self._wide: list[tuple[int, int]] = []

    def parse(self) -> Parsed:
        n_named = self._layout.n_named
        a_chunk = max(1, _CELLS_A_CHUNK // n_named)
        for line, row in self._records():
            is_short = len(row) < n_named and any(row)
            if len(row) < n_named:
                row.extend([""] * (n_named - len(row)))
            while len(row) > n_named and not row[-1].strip():
                row.pop()
            if len(row) > n_named:
                self._wide.append((line, len(row)))
                continue
            self._rows.append(row)
            self._lines.append(line)
            self._short.append(is_short)
            if len(self._rows) >= a_chunk:
                self._flush()
        self._flush()
        columns = [
            pa.chunked_array([chunk[position] for chunk in self._chunks], type=pa.string())
            for position in range(n_named)
        ]
        return Parsed(
            columns,
            np.array(self._lines, dtype=np.int64),
            np.array(self._short, dtype=bool),
            self._wide,
        )

    def _flush(self) -> None:
        if not self._rows:
            return
        if len(self._lines) > self._limits.max_rows:
            raise too_many_rows(self._lines[self._limits.max_rows], self._limits)
        columns = zip(*self._rows, strict=True)
        self._chunks.append([pa.array(cells, type=pa.string()) for cells in columns])
        self._rows = []
        self._on_read(self._stream.tell())

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        """Each data row with the line on which it begins."""
        self._stream.seek(0)
        text = io.TextIOWrapper(self._stream, encoding=self._layout.encoding, newline="")
        record: list[str] = []

        def lines() -> Iterator[str]:
            for line in text:
                record.append(line)
                yield line

        reader = csv.reader(
            lines(), delimiter=self._layout.delimiter, quotechar=self._layout.quotechar
        )
        line, last = 1, ""
        try:
            for position, row in enumerate(reader):
                if position >= self._layout.first_record:
                    yield line, row
                last = "".join(record) if len(record) > 1 else ""
                record.clear()
                start, line = line, reader.line_num + 1
            if last and self._is_open(last):
                raise _open_quote(start)
        except csv.Error:
            # The field limit: a quotation mark makes one cell of the rest of a large file.
            n_quotes = sum(part.count(self._layout.quotechar) for part in record)
            raise _open_quote(line) if n_quotes % 2 else _cell_too_long(line) from None
        finally:
            text.detach()

    def _is_open(self, record: str) -> bool:
        """Whether the file ends inside quotation marks."""
        reader = csv.reader(
            io.StringIO(record, newline=""),
            delimiter=self._layout.delimiter,
            quotechar=self._layout.quotechar,
            strict=True,
        )
        try:
            list(reader)
        except csv.Error as error:
            return "unexpected end" in str(error)
        return False


def _open_quote(line: int) -> DataRefused:
    return DataRefused(
        N_("A quotation mark opened here is never closed. Close it or take it out."),
        code="open_quote",
        row=line,
    )


def _cell_too_long(line: int) -> DataRefused:
    return DataRefused(
        N_("A cell is too long to be read. Is a quotation mark left open?"),
        code="cell_too_long",
        row=line,
    )
