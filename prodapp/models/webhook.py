"""Webhooks: who wants to be told of what, the messages to them, and each try to deliver one."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from prodapp.extensions import Model
from prodapp.models.machine import Machine
from prodapp.models.types import Code, CreatedAt, Id, Json, Name, Timestamp

_WAITS = text("next_attempt_at IS NOT NULL")


class DeliveryOutcome(StrEnum):
    DELIVERED = "delivered"
    FAILED = "failed"  # the last try failed too
    STOPPED = "stopped"  # the webhook was off when it was to go out


class Webhook(Model):
    """An address that wants to be told of ``events`` (kinds, as :mod:`prodapp.happenings` names
    them) of one machine, or of all of its site.

    ``secret`` is sealed; so is ``secret_before``, which signs too until ``secret_before_until``.
    ``disabled_at`` is when prodapp gave up on it, ``disabled_code`` why; ``is_active`` is false
    then, and where people turned it off.
    """

    __tablename__ = "webhooks"

    id: Mapped[Id]
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"), index=True)
    machine_id: Mapped[int | None] = mapped_column(ForeignKey("machines.id"), index=True)
    name: Mapped[Name]
    url: Mapped[str] = mapped_column(String(2000))
    events: Mapped[list[str]] = mapped_column(Json)
    secret: Mapped[str] = mapped_column(Text)
    secret_before: Mapped[str | None] = mapped_column(Text)
    secret_before_until: Mapped[Timestamp | None]
    is_active: Mapped[bool] = mapped_column(default=True)
    disabled_at: Mapped[Timestamp | None]
    disabled_code: Mapped[Code | None]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[CreatedAt]

    machine: Mapped[Machine | None] = relationship()


class WebhookAttempt(Model):
    """One try: what the host answered, or why it did not."""

    __tablename__ = "webhook_attempts"

    id: Mapped[Id]
    delivery_id: Mapped[int] = mapped_column(
        ForeignKey("webhook_deliveries.id", ondelete="CASCADE"), index=True
    )
    number: Mapped[int]
    status: Mapped[int | None]
    excerpt: Mapped[str | None] = mapped_column(String(500))
    error_code: Mapped[Code | None]
    seconds: Mapped[float]
    created_at: Mapped[CreatedAt]


class WebhookDelivery(Model):
    """One message to one webhook, written in the commit of what it tells.

    ``message_id`` stays the same over all tries and replays, so that receivers can tell a message
    that comes twice. ``n_attempts`` counts all tries, ``n_tries`` those since it was last started.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        Index(
            "ix_webhook_deliveries_next_attempt_at",
            "next_attempt_at",
            sqlite_where=_WAITS,
            postgresql_where=_WAITS,
        ),
    )

    id: Mapped[Id]
    webhook_id: Mapped[int] = mapped_column(
        ForeignKey("webhooks.id", ondelete="CASCADE"), index=True
    )
    message_id: Mapped[str] = mapped_column(String(40), unique=True)
    event: Mapped[Code]
    subject: Mapped[str] = mapped_column(String(100))
    payload: Mapped[dict[str, Any]] = mapped_column(Json)
    n_attempts: Mapped[int] = mapped_column(default=0)
    n_tries: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[Timestamp | None]
    outcome: Mapped[str | None] = mapped_column(String(20))
    created_at: Mapped[CreatedAt] = mapped_column(index=True)
    settled_at: Mapped[Timestamp | None]

    webhook: Mapped[Webhook] = relationship()
    attempts: Mapped[list[WebhookAttempt]] = relationship(
        order_by=WebhookAttempt.number.desc(), viewonly=True
    )
