"""Parquet files: columns that come with their names and types."""

from __future__ import annotations

from typing import IO, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from prodapp.exceptions import N_
from prodapp.ml.intake.careful import Parsed, too_many_rows
from prodapp.ml.intake.cells import Cells, tidy
from prodapp.ml.intake.formats import damaged, too_large_unpacked
from prodapp.ml.intake.layout import Layout, check_width
from prodapp.ml.table import Decision, Limits, Remark

#: Columns that are larger unpacked have to be packed no better than sound data can be.
_PLAIN_BYTES: Final = 64 << 20
_MAX_RATIO: Final = 100
#: Room for the texts of a preview, which is made while somebody waits.
_HEAD_BYTES: Final = 64 << 20


def read_parquet(
    stream: IO[bytes], *, filename: str, limits: Limits, max_rows: int | None = None
) -> tuple[Layout, Cells]:
    """The layout and cells of a Parquet file; of its first ``max_rows`` rows where given.

    Rows are counted from 1. Columns of lists, maps and bytes are left out and remarked. Raises
    ``DataRefused`` for a damaged file and what is over the limits.
    """
    stream.seek(0)
    try:
        table, left_out = _table(stream, filename=filename, limits=limits, max_rows=max_rows)
    except (pa.ArrowException, OSError, ValueError):
        raise damaged(filename) from None
    columns = [_as_cells(column) for column in table.columns]
    layout = _layout(table.column_names)
    cells = tidy(
        Parsed(columns, np.arange(1, table.num_rows + 1)), layout, limits=limits, is_complete=False
    )
    message = N_("“%(column)s” holds %(type)s, which is no value; it was left out.")
    cells.remarks[:0] = [
        Remark(
            "unusable_column",
            "warning",
            message,
            {"column": field.name, "type": str(field.type)},
            column=field.name,
        )
        for field in left_out
    ]
    return layout, cells


def _table(
    stream: IO[bytes], *, filename: str, limits: Limits, max_rows: int | None
) -> tuple[pa.Table, list[pa.Field]]:
    """The columns that hold values, and those that do not, of which nothing is read."""
    file = pq.ParquetFile(stream)
    _check_size(file.metadata, filename=filename, limits=limits)
    fields = list(file.schema_arrow)
    kept = [field.name for field in fields if _is_value(field.type)]
    check_width([kept], row=1, limits=limits)
    # Texts as the file keeps them, each once: whether there is room for all is looked at first.
    texts = [field.name for field in fields if _is_text(field.type)]
    stream.seek(0)
    file = pq.ParquetFile(stream, read_dictionary=texts)
    if max_rows is None:
        table = file.read(columns=kept)
    else:
        head = next(file.iter_batches(batch_size=max_rows, columns=kept), None)
        table = file.read(columns=kept) if head is None else pa.Table.from_batches([head])
    room = limits.max_unpacked_bytes if max_rows is None else _HEAD_BYTES
    if sum(map(_text_bytes, table.columns)) > room:
        raise too_large_unpacked(filename, room)
    return table, [field for field in fields if not _is_value(field.type)]


def _check_size(metadata: Any, *, filename: str, limits: Limits) -> None:
    """Refuse what would not fit, by what the file says of itself, before any of it is unpacked."""
    if metadata.num_rows > limits.max_rows:
        raise too_many_rows(limits.max_rows + 1, limits)
    n_bytes = 0
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        n_bytes += group.total_byte_size
        for column in map(group.column, range(group.num_columns)):
            packed, unpacked = column.total_compressed_size, column.total_uncompressed_size
            if unpacked > max(_PLAIN_BYTES, _MAX_RATIO * packed):
                raise too_large_unpacked(filename, _PLAIN_BYTES)
    if n_bytes > limits.max_unpacked_bytes:
        raise too_large_unpacked(filename, limits.max_unpacked_bytes)


def _text_bytes(column: pa.ChunkedArray) -> int:
    """What the texts of a column take where each row has a copy of its own."""
    if not pa.types.is_dictionary(column.type):
        return 0
    lengths = (pc.binary_length(chunk.dictionary).take(chunk.indices) for chunk in column.chunks)
    return sum(pc.sum(chunk).as_py() or 0 for chunk in lengths)


def _layout(names: list[str]) -> Layout:
    decided = Decision("header", "yes", N_("The file names and types its columns."))
    return Layout(
        encoding="",
        delimiter="",
        header=tuple(name.strip() for name in names),
        units=(),
        header_row=None,
        skip_rows=(),
        first_record=0,
        first_line=1,
        n_named=len(names),
        width=len(names),
        decisions=(decided,),
    )


def _is_text(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _is_value(kind: pa.DataType) -> bool:
    types = pa.types
    if types.is_dictionary(kind):
        kind = kind.value_type
    return (
        _is_text(kind)
        or types.is_boolean(kind)
        or types.is_null(kind)
        or types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_decimal(kind)
        or types.is_temporal(kind)
    )


def _as_cells(column: pa.ChunkedArray) -> Any:
    """A column of values as float64, timestamps or text."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        floats = column.cast(pa.float64(), safe=False)
        return pc.if_else(pc.is_finite(floats), floats, pa.scalar(None, pa.float64()))
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return column.cast(pa.timestamp("us"), safe=False)
    if pa.types.is_duration(kind):
        hours = column.cast(pa.duration("us"), safe=False).cast(pa.int64())
        return pc.divide(hours.cast(pa.float64()), 3.6e9)
    return pc.fill_null(column.cast(pa.string()), "")
