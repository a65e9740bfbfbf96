"""Histories and the answers of batches as files."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, TYPE_CHECKING, Any, Final

from prodapp.exceptions import InvalidInput, N_
from prodapp.models import Prediction
from prodapp.spreadsheets import neutral
from prodapp.storage import storage

if TYPE_CHECKING:
    import pandas as pd

MIME_TYPES: Final[Mapping[str, str]] = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}
_SHEET_ROWS: Final = 1_048_575
_IN_MEMORY: Final = 4 * 1024**2
_COLUMNS: Final = (
    *("id", "occurred_at", "machine_id", "version_id", "output", "low", "high", "level"),
    *("is_new", "actual", "actual_at", "actor", "channel", "request_id", "duration_ms"),
)


def history_csv(predictions: Iterable[Prediction]) -> Iterator[str]:
    """Lines of CSV with a byte order mark for Excel; each input that occurs has a column."""
    rows = list(predictions)
    inputs = list(dict.fromkeys(name for row in rows for name in row.inputs))
    yield "\ufeff" + _line([*_COLUMNS, *(neutral(f"input: {name}") for name in inputs)])
    for row in rows:
        cells = [_cell(getattr(row, name)) for name in _COLUMNS]
        yield _line([*cells, *(_cell(row.inputs.get(name)) for name in inputs)])


def result_file(key: str, kind: str) -> IO[bytes]:
    """The stored answers of a batch as ``kind``: "csv", "xlsx" or "parquet".

    Raises :class:`InvalidInput` for more rows than a sheet has.
    """
    if kind == "parquet":
        return storage().open(key)
    import pandas as pd

    with storage().local_path(key) as path:
        frame = pd.read_parquet(path)
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed by who reads it
    if kind == "xlsx":
        _write_sheet(frame, file)
    else:
        text = frame.select_dtypes(exclude="number").columns
        safe = frame.assign(**{name: frame[name].map(_neutral_value) for name in text})
        safe.columns = [neutral(str(name)) for name in frame.columns]
        file.write(("\ufeff" + safe.to_csv(index=False, lineterminator="\r\n")).encode())
    file.seek(0)
    return file


def _write_sheet(frame: pd.DataFrame, file: IO[bytes]) -> None:
    import xlsxwriter

    if len(frame) > _SHEET_ROWS:
        message = N_("A sheet has %(max)s rows at most. Fetch the answers as CSV or Parquet.")
        raise InvalidInput(message, max=_SHEET_ROWS)
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "nan_inf_to_errors": True,
    }
    book = xlsxwriter.Workbook(file, options)
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, [str(name) for name in frame.columns])
    for at, row in enumerate(frame.itertuples(index=False, name=None), start=1):
        sheet.write_row(at, 0, [_sheet_value(value) for value in row])
    book.close()


def _sheet_value(value: Any) -> Any:
    if value is None or value != value:
        return None
    return value.isoformat() if hasattr(value, "isoformat") else value


def _neutral_value(value: Any) -> Any:
    return neutral(value) if isinstance(value, str) else value


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return neutral(value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _line(cells: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue()
