"""A plant, or any other part of the company whose rows others must not see."""

from __future__ import annotations

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from prodapp.extensions import Model
from prodapp.models.types import CreatedAt, Id

DEFAULT_SITE = "default"


class Site(Model):
    """``quota_bytes`` is the room for its files; ``None``: what the installation gives to each."""

    __tablename__ = "sites"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(200), unique=True)
    quota_bytes: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[CreatedAt]
