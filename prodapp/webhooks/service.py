"""The verbs of webhooks: make, change, give another secret, delete; and finding them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Unpack

from flask import current_app
from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.orm import Session, selectinload

from prodapp import audit
from prodapp.auth.objects import MAX_ID, hold_machine, machine_of
from prodapp.caller import Caller
from prodapp.exceptions import Conflict, FieldError, InvalidInput, N_, NotFound
from prodapp.extensions import command, db, settings_of
from prodapp.happenings import SUBSCRIBABLE
from prodapp.listing import Order, Sorts, listed
from prodapp.models import DeliveryOutcome, Machine, Webhook, WebhookDelivery
from prodapp.models.types import db_now
from prodapp.names import checked_name
from prodapp.outgoing.destinations import DestinationRefused, parse_destination
from prodapp.outgoing.signatures import new_secret
from prodapp.pagination import Page
from prodapp.webhooks.secrets import sealed

#: What lists can be sorted by (newest first is by id).
SORTS: Final[Sorts] = {
    "name": Webhook.name,
    "created_at": Webhook.id,
}


#: Each happening is written once for each of them, in the transaction of what happened.
MAX_WEBHOOKS: Final = 50
#: How long the secret before signs too.
OVERLAP_SECONDS: Final = 24 * 3600.0


@dataclass(frozen=True)
class NewSecret:
    """A webhook with a secret that is told this once."""

    webhook: Webhook
    secret: str


def list_webhooks(
    caller: Caller,
    *,
    machine_id: int | None = None,
    **order: Unpack[Order],
) -> Page[Webhook]:
    """The webhooks of the caller's site, or of one machine, by name. Raises :class:`NotFound`."""
    statement = _visible(caller)
    if machine_id is not None:
        statement = statement.where(Webhook.machine_id == machine_of(caller, machine_id).id)
    statement = statement.options(selectinload(Webhook.machine))
    return listed(statement, Webhook, SORTS, {"sort": "name", **order})


def webhook_of(caller: Caller, webhook_id: int) -> Webhook:
    """The webhook of that id. Raises :class:`NotFound`."""
    statement = _visible(caller).where(Webhook.id == webhook_id)
    webhook = db.session.scalar(statement) if 0 < webhook_id <= MAX_ID else None
    if webhook is None:
        raise NotFound(N_("There is no webhook %(id)s."), id=webhook_id)
    return webhook


def create_webhook(
    caller: Caller, *, name: str, url: str, events: Sequence[str], machine_id: int | None = None
) -> NewSecret:
    """Let ``url`` be told of ``events`` of one machine, or of the whole site.

    Raises :class:`NotFound` (machine), :class:`InvalidInput`, :class:`Conflict` (too many).
    """
    values = _checked({"name": name, "url": url, "events": events})
    machine = None if machine_id is None else machine_of(caller, machine_id)
    secret = new_secret()
    with command() as session:
        if machine is not None:
            hold_machine(session, machine.id)
        count = select(func.count()).select_from(_visible(caller).subquery())
        if (session.scalar(count) or 0) >= MAX_WEBHOOKS:
            message = N_("A site has at most %(max)s webhooks. Delete one first.")
            raise Conflict(message, code="too_many", max=MAX_WEBHOOKS)
        webhook = Webhook(
            site_id=caller.site_id,
            machine_id=machine_id,
            secret=sealed(secret),
            created_by_id=caller.user_id,
            **values,
        )
        session.add(webhook)
        session.flush()
        after = {**values, "machine_id": machine_id}
        audit.record(session, caller, "webhook.created", _subject(webhook), after=after)
    return NewSecret(webhook, secret)


def change_webhook(caller: Caller, webhook_id: int, **changes: Any) -> Webhook:
    """Change ``name``, ``url``, ``events`` or ``is_active``.

    Turning it on again forgets why it was disabled. Messages that wait are not sent while it is
    off. Raises :class:`NotFound`, :class:`InvalidInput`.
    """
    webhook = webhook_of(caller, webhook_id)
    values = _checked(changes)
    if not values:
        return webhook
    if values.get("is_active"):
        values |= {"disabled_at": None, "disabled_code": None}
    before = {name: getattr(webhook, name) for name in changes}
    with command() as session:
        session.execute(update(Webhook).where(Webhook.id == webhook.id).values(**values))
        after = {name: values[name] for name in changes}
        audit.record(
            session, caller, "webhook.changed", _subject(webhook), before=before, after=after
        )
    db.session.refresh(webhook)
    return webhook


def rotate_secret(caller: Caller, webhook_id: int) -> NewSecret:
    """Give a webhook another secret; the one before signs too for a day. Raises
    :class:`NotFound`."""
    webhook = webhook_of(caller, webhook_id)
    secret = new_secret()
    with command() as session:
        session.execute(
            update(Webhook)
            .where(Webhook.id == webhook.id)
            .values(
                secret=sealed(secret),
                secret_before=Webhook.secret,
                secret_before_until=db_now(OVERLAP_SECONDS),
            )
        )
        audit.record(session, caller, "webhook.secret_changed", _subject(webhook))
    db.session.refresh(webhook)
    return NewSecret(webhook, secret)


def delete_webhook(caller: Caller, webhook_id: int) -> None:
    """Delete a webhook with its log; what waits is not sent. Raises :class:`NotFound`."""
    webhook = webhook_of(caller, webhook_id)
    with command() as session:
        session.execute(delete(Webhook).where(Webhook.id == webhook.id))
        before = {"name": webhook.name, "url": webhook.url}
        audit.record(session, caller, "webhook.deleted", _subject(webhook), before=before)


def disable(session: Session, webhook_id: int, *, code: str) -> bool:
    """Give up on a webhook within the caller's transaction: what waits for it is not sent.

    ``False`` where it is off already.
    """
    webhook = session.scalar(
        update(Webhook)
        .where(Webhook.id == webhook_id, Webhook.is_active.is_(True))
        .values(is_active=False, disabled_at=db_now(), disabled_code=code)
        .returning(Webhook)
    )
    if webhook is None:
        return False
    session.execute(
        update(WebhookDelivery)
        .where(
            WebhookDelivery.webhook_id == webhook_id, WebhookDelivery.next_attempt_at.is_not(None)
        )
        .values(next_attempt_at=None, outcome=DeliveryOutcome.STOPPED, settled_at=db_now())
    )
    system = Caller(site_id=webhook.site_id, role="admin", name="system", kind="system")
    audit.record(session, system, "webhook.disabled", _subject(webhook), after={"code": code})
    return True


def _visible(caller: Caller) -> Select[Webhook]:
    return (
        select(Webhook)
        .outerjoin(Webhook.machine)
        .where(Webhook.site_id == caller.site_id, Machine.deleted_at.is_(None))
    )


def _subject(webhook: Webhook) -> str:
    return f"webhook:{webhook.id}"


def _checked(values: dict[str, Any]) -> dict[str, Any]:
    """The values as they are kept. Raises :class:`InvalidInput`."""
    kept = dict(values)
    if "name" in kept:
        empty = N_("Give the webhook a name.")
        kept["name"] = checked_name(kept["name"], pointer="/name", if_empty=empty)
    if "url" in kept:
        _check_url(kept["url"])
    if "events" in kept:
        kept["events"] = _checked_events(kept["events"])
    return kept


def _check_url(url: str) -> None:
    try:
        parse_destination(url, settings_of(current_app).callback_allowed_hosts)
    except DestinationRefused as error:
        field = FieldError("/url", error.message, error.params)
        raise InvalidInput(
            error.message, code=error.error_code, fields=(field,), **error.params
        ) from error


def _checked_events(events: Sequence[str]) -> list[str]:
    unknown = sorted(set(events) - set(SUBSCRIBABLE))
    if not events or unknown:
        message = N_("Choose what to tell: some of %(allowed)s.")
        allowed = ", ".join(SUBSCRIBABLE)
        field = FieldError("/events", message, {"allowed": allowed})
        raise InvalidInput(message, fields=(field,), allowed=allowed)
    return [kind for kind in SUBSCRIBABLE if kind in events]
