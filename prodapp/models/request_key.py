"""A key under which a program sends a request that is to be done once, however often it comes."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from prodapp.extensions import Model
from prodapp.models.types import CreatedAt, Id, Json, Timestamp


class RequestKey(Model):
    """``fingerprint`` is the hash of method, address and body that came first under ``key``.

    ``claimed_at`` is when somebody began with it; ``has_effect`` is set in the transaction of the
    first thing it changed. Once answered, ``status``, ``headers`` and the sealed ``body`` are kept
    to be told again: a body may show a secret once.
    """

    __tablename__ = "request_keys"
    __table_args__ = (UniqueConstraint("user_id", "key"),)

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    key: Mapped[str] = mapped_column(String(200))
    fingerprint: Mapped[str] = mapped_column(String(64))
    claimed_at: Mapped[Timestamp]
    has_effect: Mapped[bool] = mapped_column(default=False)
    status: Mapped[int | None]
    headers: Mapped[dict[str, Any] | None] = mapped_column(Json)
    body: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[CreatedAt] = mapped_column(index=True)
