"""Who did what, when and from where. Rows are added in the act's own transaction, never changed."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from prodapp.extensions import Model
from prodapp.models.types import HistoryAt, HistoryId, Json


class AuditEvent(Model):
    """``subject`` is the thing acted on (``machine:3``). No foreign keys: a history outlives it."""

    __tablename__ = "audit_events"
    __table_args__ = (Index("ix_audit_events_site_id_occurred_at", "site_id", "occurred_at"),)

    occurred_at: Mapped[HistoryAt]
    id: Mapped[HistoryId]
    site_id: Mapped[int | None]
    user_id: Mapped[int | None]
    actor: Mapped[str] = mapped_column(String(200))
    action: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(String(100))
    before: Mapped[dict[str, Any] | None] = mapped_column(Json)
    after: Mapped[dict[str, Any] | None] = mapped_column(Json)
    address: Mapped[str | None] = mapped_column(String(45))
    request_id: Mapped[str | None] = mapped_column(String(64))
