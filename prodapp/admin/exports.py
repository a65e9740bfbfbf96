"""The audit trail as a file for spreadsheets."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

from prodapp.models import AuditEvent
from prodapp.spreadsheets import neutral

COLUMNS = (
    "occurred_at",
    "actor",
    "action",
    "subject",
    "before",
    "after",
    "address",
    "request_id",
    "site_id",
)


def events_csv(events: Iterable[AuditEvent]) -> Iterator[str]:
    """Lines of CSV with a byte order mark for Excel; the heads are the names that programs know."""
    yield "\ufeff" + _line(COLUMNS)
    for event in events:
        yield _line([_cell(getattr(event, name)) for name in COLUMNS])


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        return neutral(json.dumps(value, ensure_ascii=False))
    return neutral(value.isoformat() if hasattr(value, "isoformat") else str(value))


def _line(cells: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue()
