"""One answer of a version, kept as it was given."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from prodapp.extensions import Model
from prodapp.models.types import BigId, Code, HistoryAt, HistoryId, Json, Timestamp

_HAS_KEY = text("request_key IS NOT NULL")


class Prediction(Model):
    """``output`` is a number, or the probability of the version's class; ``low`` and ``high`` are
    its interval at ``level``. ``details`` holds what was new in the inputs and which classes were
    possible. ``actual`` is the true value, once somebody told it.

    ``request_key`` is the caller's Idempotency-Key with ``body_hash``, what was asked under it, and
    ``position``, the record's place in the request. No foreign keys: a history outlives all else.
    """

    __tablename__ = "predictions"
    __table_args__ = (
        Index("ix_predictions_id", "id"),
        Index("ix_predictions_machine_id_occurred_at", "machine_id", "occurred_at"),
        Index("ix_predictions_version_id_occurred_at", "version_id", "occurred_at"),
        Index("ix_predictions_site_id_occurred_at", "site_id", "occurred_at"),
        Index(
            "uq_predictions_request_key",
            "site_id",
            "request_key",
            "position",
            unique=True,
            sqlite_where=_HAS_KEY,
            postgresql_where=_HAS_KEY,
        ),
    )

    occurred_at: Mapped[HistoryAt]
    id: Mapped[HistoryId]
    site_id: Mapped[int] = mapped_column(BigId)
    machine_id: Mapped[int] = mapped_column(BigId)
    version_id: Mapped[int] = mapped_column(BigId)
    user_id: Mapped[int | None] = mapped_column(BigId)
    actor: Mapped[str] = mapped_column(String(200))
    channel: Mapped[Code]
    request_id: Mapped[str | None] = mapped_column(String(64))
    request_key: Mapped[str | None] = mapped_column(String(200))
    body_hash: Mapped[str | None] = mapped_column(String(64))
    position: Mapped[int] = mapped_column(default=0)
    inputs: Mapped[dict[str, Any]] = mapped_column(Json)
    output: Mapped[float]
    low: Mapped[float | None]
    high: Mapped[float | None]
    level: Mapped[float]
    is_new: Mapped[bool]
    details: Mapped[dict[str, Any]] = mapped_column(Json)
    duration_ms: Mapped[float]
    actual: Mapped[float | None]
    actual_at: Mapped[Timestamp | None]
    actual_by: Mapped[str | None] = mapped_column(String(200))
