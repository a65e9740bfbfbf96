"""One file, from its layout to its columns: previewed from its beginning, or read whole."""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, AnyStr, Final

import pandas as pd

from prodapp.exceptions import DataRefused, N_
from prodapp.ml.columns import describe_column, format_cell
from prodapp.ml.intake.cells import Cells, tidy
from prodapp.ml.intake.choices import check_overrides
from prodapp.ml.intake.conversion import Converted, convert
from prodapp.ml.intake.encoding import unmarked_wide_encoding
from prodapp.ml.intake.formats import Opened, open_table
from prodapp.ml.intake.layout import Layout, detect_layout
from prodapp.ml.intake.parquet import read_parquet
from prodapp.ml.intake.parsing import parse
from prodapp.ml.intake.workbook import head_of_workbook, read_workbook
from prodapp.ml.progress import Progress, no_progress
from prodapp.ml.table import Dialect, Limits, Preview, Table

#: A preview looks at so many bytes of the beginning of a file, unpacked.
PREVIEW_BYTES: Final = 2 << 20
_PREVIEW_ROWS: Final = 20
#: Shares of the reading stage: finding the encoding, cutting cells; the rest is conversion.
_ENCODING_SHARE: Final = 0.1
_CELLS_SHARE: Final = 0.7


def preview_file(
    stream: IO[bytes],
    *,
    filename: str,
    overrides: Mapping[str, str] | None = None,
    limits: Limits | None = None,
) -> Preview:
    """How the whole file ``stream`` (seekable) would be read, from a bounded part of it.

    Text and packed text are looked at for :data:`PREVIEW_BYTES`, workbooks for as much of their
    first sheet, Parquet for its first rows. Raises as :func:`preview_table` does.
    """
    return preview_and_head(stream, filename=filename, overrides=overrides, limits=limits)[0]


def preview_and_head(
    stream: IO[bytes],
    *,
    filename: str,
    overrides: Mapping[str, str] | None = None,
    limits: Limits | None = None,
) -> tuple[Preview, Table]:
    """As :func:`preview_file`, with the part of the table that was looked at."""
    limits = limits or Limits()
    overrides = overrides or {}
    stream.seek(0)
    head = stream.read(PREVIEW_BYTES)
    is_complete = not stream.read(1)
    if is_complete or not head.startswith((b"PK", b"PAR1")):
        return _preview_of_bytes(head, filename, is_complete, overrides, limits)
    options = {"filename": filename, "limits": limits}
    with open_table(stream, max_bytes=PREVIEW_BYTES, **options) as opened:  # type: ignore[arg-type]
        return _preview(opened, filename=filename, overrides=overrides, limits=limits)


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
    come later. Workbooks and Parquet files need :func:`preview_file` or all of their bytes.
    """
    return _preview_of_bytes(head, filename, is_complete, overrides or {}, limits or Limits())[0]


def _preview_of_bytes(
    head: bytes, filename: str, is_complete: bool, overrides: Mapping[str, str], limits: Limits
) -> tuple[Preview, Table]:
    with open_table(
        io.BytesIO(head),
        filename=filename,
        limits=limits,
        is_complete=is_complete,
        max_bytes=PREVIEW_BYTES,
    ) as opened:
        return _preview(opened, filename=filename, overrides=overrides, limits=limits)


def _preview(
    opened: Opened, *, filename: str, overrides: Mapping[str, str], limits: Limits
) -> tuple[Preview, Table]:
    if opened.kind == "text" and not opened.is_complete:
        head = _whole_lines(opened.stream.read())
        opened = Opened("text", io.BytesIO(head), len(head), False, opened.decisions)
    elif opened.kind == "xlsx":
        opened = head_of_workbook(opened, filename=filename, n_bytes=PREVIEW_BYTES)
    table = _read(
        opened,
        filename=filename,
        overrides=overrides,
        limits=limits,
        progress=no_progress,
        max_rows=_PARQUET_HEAD_ROWS if opened.kind == "parquet" else None,
    )
    is_complete = opened.is_complete and not (
        opened.kind == "parquet" and len(table.frame) == _PARQUET_HEAD_ROWS
    )
    if is_complete:
        _refuse_without_target(table)
    preview = Preview(
        dialect=table.dialect,
        decisions=table.decisions,
        remarks=table.remarks,
        columns=table.columns,
        rows=first_rows(table.frame),
        n_rows=len(table.frame),
        is_complete=is_complete,
    )
    return preview, table


def first_rows(frame: pd.DataFrame) -> tuple[tuple[str, ...], ...]:
    """The rows that a preview shows, formatted; "" means missing."""
    rows = frame.head(_PREVIEW_ROWS).astype(object)
    return tuple(
        tuple("" if value != value else format_cell(value) for value in row)  # NaN ≠ NaN
        for row in rows.itertuples(index=False, name=None)
    )


_PARQUET_HEAD_ROWS: Final = 5_000


def read_table(
    source: Path,
    *,
    overrides: Mapping[str, str] | None = None,
    progress: Progress | None = None,
    limits: Limits | None = None,
    filename: str | None = None,
    needs_target: bool = True,
) -> Table:
    """Read the whole file at ``source``.

    Without ``needs_target`` a table of which nothing can be learned will do, as one row to be
    predicted. ``overrides`` are the choices of :mod:`prodapp.ml.intake.choices`. ``filename`` is
    the name people know the file by, for messages. Raises ``DataRefused`` with row and column when
    the file is no usable table, ``InvalidInput`` for a bad override.
    """
    filename = filename or source.name
    limits = limits or Limits()
    with (
        source.open("rb") as stream,
        open_table(stream, filename=filename, limits=limits) as opened,
    ):
        table = _read(
            opened,
            filename=filename,
            overrides=overrides or {},
            limits=limits,
            progress=progress or no_progress,
        )
    if needs_target:
        _refuse_without_target(table)
    return table


def _read(
    opened: Opened,
    *,
    filename: str,
    overrides: Mapping[str, str],
    limits: Limits,
    progress: Progress,
    max_rows: int | None = None,
) -> Table:
    check_overrides(overrides)

    def within(start: float, end: float, total: float) -> Callable[[float], None]:
        return lambda done: progress("reading", start + (end - start) * min(1.0, done / total))

    progress("reading", 0.0)
    total = max(1, opened.n_bytes)
    on_read = within(_ENCODING_SHARE, _CELLS_SHARE, total)
    if opened.kind == "text":
        layout = detect_layout(
            opened.stream,
            filename=filename,
            overrides=overrides,
            limits=limits,
            on_read=within(0.0, _ENCODING_SHARE, total),
        )
        parsed = parse(
            opened.stream,
            layout,
            limits=limits,
            on_read=on_read,
            as_text=_has_choices(overrides),
        )
        cells = tidy(parsed, layout, limits=limits, is_complete=opened.is_complete)
    elif opened.kind == "parquet":
        layout, cells = read_parquet(
            opened.stream, filename=filename, limits=limits, max_rows=max_rows
        )
    else:
        layout, cells = read_workbook(
            opened, filename=filename, overrides=overrides, limits=limits, on_read=on_read
        )
    converted = convert(
        cells,
        delimiter=layout.delimiter,
        overrides=overrides,
        on_column=within(_CELLS_SHARE, 1.0, 1.0),
    )
    return _table(opened, layout, converted, cells)


def _has_choices(overrides: Mapping[str, str]) -> Callable[[str], bool]:
    """Whether a person decided how the column of this name is read: then it comes as text."""
    if {"decimal", "missing"} & set(overrides):
        return lambda _: True
    named = {key.partition(":")[2] for key in overrides}
    return lambda name: " ".join(name.split()) in named or not name


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


def _table(opened: Opened, layout: Layout, converted: Converted, cells: Cells) -> Table:
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
        decisions=(*opened.decisions, *layout.decisions, *converted.decisions),
        remarks=(*cells.remarks, *converted.remarks),
        columns=tuple(
            describe_column(frame[name], name=name, kind=kind, unit=unit)
            for name, kind, unit in zip(
                frame.columns, converted.kinds, converted.units, strict=True
            )
        ),
    )


def _whole_lines(head: bytes) -> bytes:
    """``head`` up to its last whole record, so that nothing is judged by half a line."""
    wide = _wide_encoding(head)
    if wide is not None:
        size = 4 if "32" in wide else 2
        text = head[: len(head) // size * size].decode(wide, errors="ignore")
        kept = text[: _last_record_end(text, newline="\n", quote='"')]
        # The plain names write a byte order mark again, those with a byte order have none.
        return kept.encode(wide)
    return head[: _last_record_end(head, newline=b"\n", quote=b'"')]


def _wide_encoding(head: bytes) -> str | None:
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return unmarked_wide_encoding(head[:4096])


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
