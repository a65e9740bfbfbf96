"""JSON records as the bytes of a CSV file, which then goes the way of every other."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

from prodapp.exceptions import FieldError, InvalidInput, N_

MAX_RECORDS: Final = 100_000
#: How such a file is to be read; nothing is left to be found out.
OVERRIDES: Final = {"encoding": "utf-8", "delimiter": ",", "decimal": ".", "header": "yes"}


def records_as_csv(records: Sequence[Mapping[str, Any]]) -> bytes:
    """Flat objects as rows; a key that one lacks is a missing value.

    Raises :class:`InvalidInput` for none, too many, and for objects within objects.
    """
    if not records or len(records) > MAX_RECORDS:
        message = N_("Give between 1 and %(max)s records.")
        field = FieldError("/records", message, {"max": MAX_RECORDS})
        raise InvalidInput(message, fields=(field,), max=MAX_RECORDS)
    names = list(dict.fromkeys(name for record in records for name in record))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, restval="", lineterminator="\n")
    writer.writeheader()
    for index, record in enumerate(records):
        writer.writerow({name: _cell(value, index, name) for name, value in record.items()})
    # Half a character pair cannot be written: it becomes a question mark.
    return text.getvalue().encode("utf-8", "replace")


def _cell(value: Any, index: int, name: str) -> Any:
    if value is None:
        return ""
    if isinstance(value, dict | list):
        message = N_("Record %(row)s: %(name)s must be a number, a text or null.")
        params: dict[str, Any] = {"row": index + 1, "name": name}
        field = FieldError(f"/records/{index}/{name}", message, params)
        raise InvalidInput(message, fields=(field,), **params)
    return value
