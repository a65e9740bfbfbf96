"""Signed messages that were taken, so that none is taken twice."""

from __future__ import annotations

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from prodapp.extensions import Model
from prodapp.models.types import CreatedAt, Id

MAX_MESSAGE_ID = 100


class ReceivedMessage(Model):
    """``message_id`` is what its sender called it. Forgotten when its time is over anyway."""

    __tablename__ = "received_messages"

    id: Mapped[Id]
    message_id: Mapped[str] = mapped_column(String(MAX_MESSAGE_ID), unique=True)
    created_at: Mapped[CreatedAt]
