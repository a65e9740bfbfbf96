"""The audit trail: one row for each act, in the act's own transaction."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select, tuple_
from sqlalchemy.orm import Session

from prodapp.caller import Caller
from prodapp.exceptions import FieldError, InvalidInput, N_
from prodapp.extensions import db
from prodapp.models import AuditEvent

PAGE_SIZE = 50
MAX_EXPORTED = 100_000
BATCH = 500


@dataclass(frozen=True)
class EventFilter:
    """Which events. ``site_ids`` of ``None`` means every site; ``action`` also takes the first
    part of actions (``user`` finds ``user.created``); ``since`` is in, ``until`` is not."""

    site_ids: tuple[int, ...] | None
    actor: str = ""
    action: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class EventPage:
    """Events from the newest on; ``next_cursor`` leads to older ones, where there are some."""

    items: Sequence[AuditEvent]
    next_cursor: str | None


def record(
    session: Session,
    caller: Caller,
    action: str,
    subject: str,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Note that ``caller`` did ``action`` (``machine.renamed``) to ``subject`` (``machine:3``)."""
    session.add(
        AuditEvent(
            site_id=caller.site_id,
            user_id=caller.user_id,
            actor=caller.name,
            action=action,
            subject=subject,
            before=before,
            after=after,
            address=caller.address,
            request_id=caller.request_id,
        )
    )


def events(
    wanted: EventFilter, *, cursor: str | None = None, page_size: int = PAGE_SIZE
) -> EventPage:
    """A page of the history, which is never counted. Raises :class:`InvalidInput` for a cursor
    that no page gave."""
    statement = _statement(wanted)
    if cursor:
        statement = statement.where(tuple_(*_place_of(cursor)) > _AT)
    rows = db.session.scalars(statement.limit(page_size + 1)).all()
    items = rows[:page_size]
    has_more = len(rows) > page_size
    return EventPage(items, _cursor_of(items[-1]) if has_more else None)


def all_events(wanted: EventFilter) -> Iterator[AuditEvent]:
    """The newest events up to :data:`MAX_EXPORTED`, read in batches."""
    cursor: str | None = None
    for _ in range(MAX_EXPORTED // BATCH):
        page = events(wanted, cursor=cursor, page_size=BATCH)
        yield from page.items
        cursor = page.next_cursor
        if cursor is None:
            return


_AT = tuple_(AuditEvent.occurred_at, AuditEvent.id)


def _statement(wanted: EventFilter) -> Select[AuditEvent]:
    statement = select(AuditEvent).order_by(AuditEvent.occurred_at.desc(), AuditEvent.id.desc())
    if wanted.site_ids is not None:
        statement = statement.where(AuditEvent.site_id.in_(wanted.site_ids))
    if wanted.actor:
        statement = statement.where(AuditEvent.actor == wanted.actor)
    if wanted.action:
        part = AuditEvent.action.startswith(f"{wanted.action}.", autoescape=True)
        statement = statement.where((AuditEvent.action == wanted.action) | part)
    if wanted.subject:
        statement = statement.where(AuditEvent.subject == wanted.subject)
    if wanted.since is not None:
        statement = statement.where(AuditEvent.occurred_at >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(AuditEvent.occurred_at < wanted.until)
    return statement


def _cursor_of(event: AuditEvent) -> str:
    text = f"{event.occurred_at.isoformat()}/{event.id}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _place_of(cursor: str) -> tuple[datetime, UUID]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        moment, _, event_id = text.partition("/")
        return datetime.fromisoformat(moment).astimezone(UTC), UUID(event_id)
    except (binascii.Error, ValueError, OverflowError) as error:
        message = N_("This cursor leads nowhere. Begin with the first page.")
        raise InvalidInput(message, fields=(FieldError("/cursor", message),)) from error
