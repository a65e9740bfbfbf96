"""A person (or a program in a person's name) who may sign in."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from prodapp.extensions import Model
from prodapp.models.site import Site
from prodapp.models.types import CreatedAt, Id, Name, Timestamp


class User(Model):
    """``username_key`` is the folded name that sign-in looks up: ``Maria`` and ``maria`` are one.

    A user without a password hash can come in by a one-time link only. ``email_key`` is the folded
    address: whoever forgot the name may ask for a new password by it. ``second_factor_at`` is since
    when signing in also takes a code (:class:`~prodapp.models.credentials.SecondFactor`). Of an
    erased user a pseudonym is left, and what they made.
    """

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("role IN ('viewer', 'operator', 'analyst', 'admin')", name="role"),
    )

    id: Mapped[Id]
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"), index=True)
    username: Mapped[Name]
    username_key: Mapped[str] = mapped_column(String(200), unique=True)
    email: Mapped[str | None] = mapped_column(String(254))
    email_key: Mapped[str | None] = mapped_column(String(254), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(20))
    locale: Mapped[str | None] = mapped_column(String(10))
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[CreatedAt]
    last_sign_in_at: Mapped[Timestamp | None]
    second_factor_at: Mapped[Timestamp | None]
    erased_at: Mapped[Timestamp | None]

    site: Mapped[Site] = relationship(lazy="joined")
