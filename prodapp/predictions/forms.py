"""What the pages of predictions send."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from werkzeug.datastructures import MultiDict

from prodapp.formatting import typed_number
from prodapp.predictions.history import Wanted

_LONGEST = 200
#: Names of form fields: the variable's place, since its name may hold anything.
FIELD = "v"


def record_of_form(
    variables: Sequence[Any], form: MultiDict[str, str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """The record that a form means, and its texts as they were typed.

    What is no number stays text, so that the check of records says so at its field.
    """
    record: dict[str, Any] = {}
    texts: dict[str, str] = {}
    for place, variable in enumerate(variables):
        text = form.get(f"{FIELD}{place}", "").strip()
        texts[variable.name] = text
        record[variable.name] = typed_number(text) if variable.is_number and text else text or None
    return record, texts


@dataclass(frozen=True)
class HistoryForm:
    """Which predictions; ``since`` and ``until`` are days, both included."""

    machine_id: int | None
    version_id: int | None
    actor: str
    request_id: str
    since: str
    until: str
    only: str
    cursor: str

    @classmethod
    def parse(cls, args: MultiDict[str, str]) -> HistoryForm:
        def text(name: str) -> str:
            return args.get(name, "").strip()[:_LONGEST]

        return cls(
            machine_id=args.get("machine_id", type=int),
            version_id=args.get("version_id", type=int),
            actor=text("actor"),
            request_id=text("request_id"),
            since=text("since") if _day(text("since")) else "",
            until=text("until") if _day(text("until")) else "",
            only=text("only") if text("only") in ("new", "told", "untold") else "",
            cursor=text("cursor"),
        )

    @property
    def wanted(self) -> Wanted:
        until = _day(self.until)
        return Wanted(
            machine_id=self.machine_id,
            version_id=self.version_id,
            actor=self.actor,
            request_id=self.request_id,
            since=_day(self.since),
            until=None if until is None else until + timedelta(days=1),
            is_new=True if self.only == "new" else None,
            has_actual={"told": True, "untold": False}.get(self.only),
        )

    @property
    def filters(self) -> Mapping[str, Any]:
        """The filters as parts of an address, without the page."""
        names = ("machine_id", "version_id", "actor", "request_id", "since", "until", "only")
        return {name: getattr(self, name) or None for name in names}


def _day(text: str) -> datetime | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return datetime.combine(day, time.min, UTC) if 1900 <= day.year <= 9000 else None
