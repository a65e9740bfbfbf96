"""The outbox of callbacks: what a caller asked to be told when its run ends."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from prodapp.extensions import Model
from prodapp.models.types import CreatedAt, Id, Json, Timestamp


class CallbackDelivery(Model):
    """Written in the commit that ends the run; the dispatcher delivers it, with retries."""

    __tablename__ = "callback_deliveries"

    id: Mapped[Id]
    run_id: Mapped[int] = mapped_column(ForeignKey("training_runs.id"), unique=True)
    url: Mapped[str] = mapped_column(String(2000))
    payload: Mapped[dict[str, Any]] = mapped_column(Json)
    n_attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[Timestamp | None] = mapped_column(index=True)
    delivered_at: Mapped[Timestamp | None]
    last_error: Mapped[str | None] = mapped_column(String(500))
    created_at: Mapped[CreatedAt]
