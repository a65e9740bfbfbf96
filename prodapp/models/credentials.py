"""What proves who a caller is. A copied database opens nothing: it holds hashes, and the secrets of
second factors, which have to be read again, encrypted."""

from __future__ import annotations

from uuid import UUID, uuid4

from sqlalchemy import BigInteger, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from prodapp.extensions import Model
from prodapp.models.types import CreatedAt, Id, Name, Timestamp
from prodapp.models.user import User


class UserSession(Model):
    """One browser signed in, and by what (``method``). Ends by sign-out, idleness or age."""

    __tablename__ = "user_sessions"

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    # The default in the database is for programs of before, which run on during an upgrade.
    method: Mapped[str] = mapped_column(String(20), default="password", server_default="password")
    address: Mapped[str | None] = mapped_column(String(45))
    user_agent: Mapped[str | None] = mapped_column(String(300))
    created_at: Mapped[CreatedAt]
    last_seen_at: Mapped[CreatedAt]
    revoked_at: Mapped[Timestamp | None]

    user: Mapped[User] = relationship(lazy="joined")


class SignInLink(Model):
    """A link that works once: ``sign_in`` lets its user in, ``password`` lets them choose one."""

    __tablename__ = "sign_in_links"

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    # The default in the database is for programs of before, which run on during an upgrade.
    purpose: Mapped[str] = mapped_column(String(20), default="sign_in", server_default="sign_in")
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[Timestamp]
    used_at: Mapped[Timestamp | None]

    user: Mapped[User] = relationship(lazy="joined")


class RefreshToken(Model):
    """One link in a family of refresh tokens; using one twice revokes the family."""

    __tablename__ = "refresh_tokens"

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    family: Mapped[UUID] = mapped_column(default=uuid4, index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[Timestamp]
    used_at: Mapped[Timestamp | None]
    revoked_at: Mapped[Timestamp | None]

    user: Mapped[User] = relationship(lazy="joined")


class ApiKey(Model):
    """A program's key: ``prefix`` finds the row, the hash proves the rest."""

    __tablename__ = "api_keys"

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    name: Mapped[Name]
    prefix: Mapped[str] = mapped_column(String(16), unique=True)
    key_hash: Mapped[str] = mapped_column(String(64))
    role: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[Timestamp | None]
    last_used_at: Mapped[Timestamp | None]
    revoked_at: Mapped[Timestamp | None]

    user: Mapped[User] = relationship(lazy="joined")


class SecondFactor(Model):
    """A secret that a user's telephone shares with us; counts from ``confirmed_at`` on.

    ``last_step`` is the time step of the latest code that was taken: none is taken twice.
    ``n_failed`` are the wrong codes since then, the last of them at ``failed_at``.
    """

    __tablename__ = "second_factors"

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), unique=True)
    secret: Mapped[str] = mapped_column(String(300))
    last_step: Mapped[int] = mapped_column(BigInteger, default=0)
    n_failed: Mapped[int] = mapped_column(default=0)
    failed_at: Mapped[Timestamp | None]
    created_at: Mapped[CreatedAt]
    confirmed_at: Mapped[Timestamp | None]


class RecoveryCode(Model):
    """Stands in once for a telephone that is lost."""

    __tablename__ = "recovery_codes"

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    code_hash: Mapped[str] = mapped_column(String(64))
    used_at: Mapped[Timestamp | None]


class ExternalIdentity(Model):
    """Whom a provider or a directory (``issuer``) knows as ``subject`` is this user here."""

    __tablename__ = "external_identities"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    issuer: Mapped[str] = mapped_column(String(300))
    subject: Mapped[str] = mapped_column(String(300))
    created_at: Mapped[CreatedAt]
    last_used_at: Mapped[Timestamp | None]
