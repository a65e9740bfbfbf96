"""Parquet files: columns that come with their names and types."""

from __future__ import annotations

from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from prodapp.exceptions import DataRefused, N_
from prodapp.ml.intake.careful import Parsed, too_many_rows
from prodapp.ml.intake.cells import Cells, tidy
from prodapp.ml.intake.formats import damaged
from prodapp.ml.intake.layout import Layout, check_width
from prodapp.ml.table import Decision, Limits, Remark


def read_parquet(
    stream: IO[bytes], *, filename: str, limits: Limits, max_rows: int | None = None
) -> tuple[Layout, Cells]:
    """The layout and cells of a Parquet file; of its first ``max_rows`` rows where given.

    Rows are counted from 1. Columns of lists, maps and bytes are left out and remarked. Raises
    ``DataRefused`` for a damaged file and what is over the limits.
    """
    stream.seek(0)
    try:
        file = pq.ParquetFile(stream)
        _check_size(file.metadata, limits)
        names = file.schema_arrow.names
        if max_rows is None:
            table = file.read()
        else:
            batches = list(file.iter_batches(batch_size=max_rows))[:1]
            table = pa.Table.from_batches(batches, schema=file.schema_arrow)
    except (pa.ArrowException, OSError, ValueError):
        raise damaged(filename) from None
    remarks: list[Remark] = []
    columns: list[Any] = []
    kept: list[str] = []
    for name, column in zip(names, table.columns, strict=True):
        cells = _as_cells(column)
        if cells is None:
            message = N_("“%(column)s” holds %(type)s, which is no value; it was left out.")
            params = {"column": name, "type": str(column.type)}
            remarks.append(Remark("unusable_column", "warning", message, params, column=name))
            continue
        kept.append(name)
        columns.append(cells)
    layout = _layout(kept)
    check_width([kept], row=1, limits=limits)
    cells = tidy(
        Parsed(columns, np.arange(1, table.num_rows + 1)), layout, limits=limits, is_complete=False
    )
    cells.remarks[:0] = remarks
    return layout, cells


def _check_size(metadata: Any, limits: Limits) -> None:
    if metadata.num_rows > limits.max_rows:
        raise too_many_rows(limits.max_rows + 1, limits)
    n_bytes = sum(
        metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups)
    )
    if n_bytes > limits.max_unpacked_bytes:
        raise DataRefused(
            N_("Unpacked, the table is larger than %(limit)d MB. Upload a part of it."),
            code="too_large_unpacked",
            limit=limits.max_unpacked_bytes >> 20,
        )


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


def _as_cells(column: Any) -> Any | None:
    """A column as float64, timestamps or text; None for what is none of these."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_boolean(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return pc.fill_null(column.cast(pa.string()), "")
    if pa.types.is_string_view(kind) or pa.types.is_null(kind):
        return pc.fill_null(column.cast(pa.string()), "")
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        floats = column.cast(pa.float64(), safe=False)
        return pc.if_else(pc.is_finite(floats), floats, pa.scalar(None, pa.float64()))
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return column.cast(pa.timestamp("us"), safe=False)
    if pa.types.is_time(kind):
        return pc.fill_null(column.cast(pa.string()), "")
    if pa.types.is_duration(kind):
        hours = column.cast(pa.duration("us"), safe=False).cast(pa.int64())
        return pc.divide(hours.cast(pa.float64()), 3.6e9)
    return None
