"""Ids in addresses."""

from __future__ import annotations

from typing import Any

from werkzeug.routing import IntegerConverter, Map

from prodapp.rest.schemas import MAX_ID


class IdConverter(IntegerConverter):
    """``<id:machine_id>``: a number that a database can look up; a larger one names nothing."""

    # Digits are converted before they are compared, and Python refuses to convert thousands.
    regex = r"\d{1,19}"

    def __init__(self, map: Map, **kwargs: Any) -> None:  # noqa: A002 - werkzeug's name
        super().__init__(map, min=1, max=MAX_ID, **kwargs)
