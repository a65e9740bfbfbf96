"""One file, from its layout to its columns: previewed from its head, or read whole."""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, AnyStr, Final

from prodapp.exceptions import DataRefused, N_
from prodapp.ml.columns import describe_column, format_cell
from prodapp.ml.intake.cells import read_cells
from prodapp.ml.intake.conversion import Converted, convert
from prodapp.ml.intake.layout import Layout, check_overrides, detect_layout
from prodapp.ml.progress import Progress, no_progress
from prodapp.ml.table import Dialect, Limits, Preview, Remark, Table

_PREVIEW_ROWS: Final = 20
#: Shares of the reading stage: finding the encoding, cutting cells; the rest is conversion.
_ENCODING_SHARE: Final = 0.1
_CELLS_SHARE: Final = 0.7


def preview_table(
    head: bytes,
    *,
    filename: str,
    is_complete: bool,
    overrides: Mapping[str, str] | None = None,
    limits: Limits | None = None,
) -> Preview:
    """How the file that begins with ``head`` would be read.

    Without the whole file (``is_complete`` False) the half line at the end of ``head`` is left
    out, and figures and decisions are those of the head. Raises ``DataRefused`` as
    :func:`read_table` does, but that a head is not refused for what its numbers lack: they may
    come later.
    """
    if not is_complete:
        head = _whole_lines(head)
    table = _read(
        io.BytesIO(head),
        n_bytes=len(head),
        filename=filename,
        overrides=overrides or {},
        limits=limits or Limits(),
        progress=no_progress,
    )
    if is_complete:
        _refuse_without_target(table)
    rows = table.frame.head(_PREVIEW_ROWS).astype(object)
    return Preview(
        dialect=table.dialect,
        decisions=table.decisions,
        remarks=table.remarks,
        columns=table.columns,
        rows=tuple(
            tuple("" if value != value else format_cell(value) for value in row)  # NaN ≠ NaN
            for row in rows.itertuples(index=False, name=None)
        ),
        n_rows=len(table.frame),
        is_complete=is_complete,
    )


def read_table(
    source: Path,
    *,
    overrides: Mapping[str, str] | None = None,
    progress: Progress | None = None,
    limits: Limits | None = None,
    filename: str | None = None,
) -> Table:
    """Read the whole file at ``source``.

    ``overrides`` may hold "encoding", "delimiter", "decimal" (".", ",") and "header" ("yes",
    "no"). ``filename`` is the name people know the file by, for messages. Raises ``DataRefused``
    with row and column when the file is no usable table, ``InvalidInput`` for a bad override.
    """
    with source.open("rb") as stream:
        table = _read(
            stream,
            n_bytes=source.stat().st_size,
            filename=filename or source.name,
            overrides=overrides or {},
            limits=limits or Limits(),
            progress=progress or no_progress,
        )
    _refuse_without_target(table)
    return table


def _read(
    stream: IO[bytes],
    *,
    n_bytes: int,
    filename: str,
    overrides: Mapping[str, str],
    limits: Limits,
    progress: Progress,
) -> Table:
    check_overrides(overrides)

    def within(start: float, end: float, total: float) -> Callable[[float], None]:
        return lambda done: progress("reading", start + (end - start) * min(1.0, done / total))

    progress("reading", 0.0)
    total = max(1, n_bytes)
    layout = detect_layout(
        stream,
        filename=filename,
        overrides=overrides,
        limits=limits,
        on_read=within(0.0, _ENCODING_SHARE, total),
    )
    cells = read_cells(
        stream, layout, limits=limits, on_read=within(_ENCODING_SHARE, _CELLS_SHARE, total)
    )
    converted = convert(
        cells,
        delimiter=layout.delimiter,
        decimal=overrides.get("decimal"),
        on_column=within(_CELLS_SHARE, 1.0, 1.0),
    )
    return _table(layout, converted, cells.remarks)


def _refuse_without_target(table: Table) -> None:
    """Refuse a table that no model could be trained on, before anyone chooses a target in it."""
    if not any(column.kind == "number" and column.n_distinct > 1 for column in table.columns):
        raise DataRefused(
            N_(
                "No column holds numbers that vary, so none can be the target. Add the measure to "
                "explain as a column of numbers; if there is one, check its decimal mark."
            ),
            code="no_numeric_target",
        )


def _table(layout: Layout, converted: Converted, remarks: list[Remark]) -> Table:
    frame = converted.frame
    return Table(
        frame=frame,
        dialect=Dialect(
            encoding=layout.encoding,
            delimiter=layout.delimiter,
            decimal=converted.decimal,
            thousands=converted.thousands,
            header_row=layout.header_row,
            skip_rows=layout.skip_rows,
            quotechar=layout.quotechar,
        ),
        decisions=(*layout.decisions, converted.decision),
        remarks=(*remarks, *converted.remarks),
        columns=tuple(
            describe_column(frame[name], name=name, kind=kind)
            for name, kind in zip(frame.columns, converted.kinds, strict=True)
        ),
    )


def _whole_lines(head: bytes) -> bytes:
    """``head`` up to its last whole record, so that nothing is judged by half a line."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = head[: len(head) // 2 * 2].decode("utf-16", errors="ignore")
        return text[: _last_record_end(text, newline="\n", quote='"')].encode("utf-16")
    return head[: _last_record_end(head, newline=b"\n", quote=b'"')]


def _last_record_end(head: AnyStr, *, newline: AnyStr, quote: AnyStr) -> int:
    """Where the last whole record ends; the end of ``head`` when none does."""
    end = head.rfind(newline) + 1
    n_quotes = head.count(quote, 0, end)
    # An odd number of quotation marks: the head ends inside a quoted cell of several lines.
    while n_quotes % 2 and end > 0:
        previous = head.rfind(newline, 0, end - 1) + 1
        n_quotes -= head.count(quote, previous, end)
        end = previous
    return end or len(head)
