"""A file that tells which predictions came true how."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from shutil import copyfileobj
from typing import IO, Any, Final
from uuid import UUID

from prodapp.caller import Caller
from prodapp.exceptions import DataRefused, N_
from prodapp.predictions.history import record_actuals
from prodapp.storage import storage

#: Names of the column of ids: our own, and that of the exported history.
_IDS: Final = ("prediction_id", "id")
_VALUE: Final = "actual"


def record_file(
    caller: Caller, machine_id: int, *, source: IO[bytes], filename: str
) -> dict[str, int]:
    """Tell the true values of a file; counts those recorded and those of unknown predictions.

    Raises ``DataRefused`` for a file without both columns, or with an id that is none.
    """
    from prodapp.ml.intake import read_table

    with tempfile.TemporaryDirectory(dir=storage().scratch) as folder:
        path = Path(folder) / "actuals"
        with path.open("wb") as file:
            copyfileobj(source, file)
        frame = read_table(path, filename=filename, needs_target=False).frame
    name = next((name for name in _IDS if name in frame.columns), None)
    if name is None or _VALUE not in frame.columns:
        raise DataRefused(
            N_("The file needs the columns “prediction_id” and “actual”."), code="columns_missing"
        )
    values = dict(_pairs(frame[name].tolist(), frame[_VALUE].tolist()))
    n_recorded = record_actuals(caller, machine_id, values)
    return {"n_recorded": n_recorded, "n_unknown": len(values) - n_recorded}


def _pairs(ids: list[Any], values: list[Any]) -> list[tuple[UUID, float]]:
    pairs = []
    for row, (text, value) in enumerate(zip(ids, values, strict=True), start=2):
        if value is None or value != value or value == "":
            continue  # not told
        try:
            pair = UUID(str(text)), float(value)
        except ValueError as error:
            raise _refused(row) from error
        if not math.isfinite(pair[1]):
            raise _refused(row)
        pairs.append(pair)
    return pairs


def _refused(row: int) -> DataRefused:
    return DataRefused(
        N_("This line does not hold the id of a prediction and a number."),
        code="actuals_wrong",
        row=row,
    )
