"""A letter with a one-time link that is to go out."""

from __future__ import annotations

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from prodapp.extensions import Model
from prodapp.models.types import Code, CreatedAt, Id, Timestamp


class MailRequest(Model):
    """``addressee`` is a folded user name or e-mail address, whether it exists or not: whom it
    means is found out when the letter is written, so that asking takes the same time for all.

    The link is made then too: a copied database opens nothing. ``outcome`` is empty while the
    letter waits, then ``sent``, ``unknown`` or ``failed``.
    """

    __tablename__ = "mail_requests"

    id: Mapped[Id]
    kind: Mapped[Code]
    addressee: Mapped[str] = mapped_column(String(254))
    locale: Mapped[str] = mapped_column(String(10))
    created_at: Mapped[CreatedAt]
    n_attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[Timestamp | None] = mapped_column(index=True)
    outcome: Mapped[str | None] = mapped_column(String(20))
    last_error: Mapped[str | None] = mapped_column(String(500))
