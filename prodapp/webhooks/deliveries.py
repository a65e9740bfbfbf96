"""The log of what was told to whom: reading it, sending again, testing, forgetting."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, Unpack

from sqlalchemy import delete, select, update
from sqlalchemy.orm import joinedload

from prodapp import audit
from prodapp.auth.objects import MAX_ID
from prodapp.caller import Caller
from prodapp.exceptions import Conflict, N_, NotFound
from prodapp.extensions import command, db
from prodapp.happenings import Happening, delivery
from prodapp.listing import Order, Sorts, listed
from prodapp.models import Webhook, WebhookDelivery
from prodapp.models.types import db_now
from prodapp.pagination import Page
from prodapp.webhooks.service import webhook_of

#: What lists can be sorted by (newest first is by id).
SORTS: Final[Sorts] = {
    "created_at": WebhookDelivery.id,
    "event": WebhookDelivery.event,
    "n_attempts": WebhookDelivery.n_attempts,
}


KEPT: Final = timedelta(days=30)
BATCH: Final = 500
#: What the log can be filtered by: the outcomes, and what still waits.
STATES: Final = ("waiting", "delivered", "failed", "stopped")


def state_of(found: WebhookDelivery) -> str:
    """One of :data:`STATES`."""
    return found.outcome or "waiting"


def list_deliveries(
    caller: Caller,
    webhook_id: int,
    *,
    state: str | None = None,
    **order: Unpack[Order],
) -> Page[WebhookDelivery]:
    """The messages to a webhook, the newest first. Raises :class:`NotFound`."""
    statement = select(WebhookDelivery).where(
        WebhookDelivery.webhook_id == webhook_of(caller, webhook_id).id
    )
    if state:
        outcome = None if state == "waiting" else state
        statement = statement.where(WebhookDelivery.outcome.is_not_distinct_from(outcome))
    return listed(statement, WebhookDelivery, SORTS, order)


def delivery_of(caller: Caller, delivery_id: int) -> WebhookDelivery:
    """The message of that id, with its webhook. Raises :class:`NotFound`."""
    statement = (
        select(WebhookDelivery)
        .join(WebhookDelivery.webhook)
        .where(WebhookDelivery.id == delivery_id, Webhook.site_id == caller.site_id)
        .options(joinedload(WebhookDelivery.webhook))
    )
    found = db.session.scalar(statement) if 0 < delivery_id <= MAX_ID else None
    if found is None:
        raise NotFound(N_("There is no delivery %(id)s."), id=delivery_id)
    webhook_of(caller, found.webhook_id)
    return found


def replay(caller: Caller, delivery_id: int) -> WebhookDelivery:
    """Send a message again, under the same id, with all its tries.

    Raises :class:`NotFound`, and :class:`Conflict` where it waits already or its webhook is off.
    """
    found = delivery_of(caller, delivery_id)
    _check_active(found.webhook)
    with command() as session:
        again = session.scalar(
            update(WebhookDelivery)
            .where(WebhookDelivery.id == found.id, WebhookDelivery.next_attempt_at.is_(None))
            .values(next_attempt_at=db_now(), outcome=None, settled_at=None, n_tries=0)
            .returning(WebhookDelivery.id)
        )
        if again is None:
            raise Conflict(N_("This message waits to be sent already."), code="waits")
        audit.record(session, caller, "webhook.replayed", f"webhook:{found.webhook_id}")
    db.session.refresh(found)
    return found


def send_test(caller: Caller, webhook_id: int) -> WebhookDelivery:
    """Put a test message into the outbox. Raises :class:`NotFound`, :class:`Conflict` (off)."""
    webhook = webhook_of(caller, webhook_id)
    _check_active(webhook)
    data = {"webhook_id": webhook.id, "webhook_name": webhook.name}
    with command() as session:
        made = delivery(webhook.id, Happening.TEST, f"webhook:{webhook.id}", data)
        session.add(made)
        session.flush()
        audit.record(session, caller, "webhook.tested", f"webhook:{webhook.id}")
    return made


def forget_old() -> bool:
    """Let go of messages that were settled long ago; whether there may be more of them."""
    old = (
        select(WebhookDelivery.id)
        .where(
            WebhookDelivery.next_attempt_at.is_(None),
            WebhookDelivery.created_at < datetime.now(UTC) - KEPT,
        )
        .limit(BATCH)
    )
    ids = list(db.session.scalars(old))
    with command() as session:
        session.execute(delete(WebhookDelivery).where(WebhookDelivery.id.in_(ids)))
    return len(ids) == BATCH


def _check_active(webhook: Webhook) -> None:
    if not webhook.is_active:
        raise Conflict(N_("This webhook is off. Turn it on first."), code="webhook_off")
