"""Personal data of a user: handed over, and erased (LGPD articles 18 II and VI).

The audit trail stays, since it says what was done to machines and data: who did it becomes a
pseudonym, and the addresses that they came from go. So it is with predictions, and with whoever
else stands by name in a column called ``actor`` or ``…_by``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, String, delete, or_, select, update
from sqlalchemy.orm import Session

from prodapp import audit
from prodapp.auth.repeats import forget_of
from prodapp.auth.second_factor import forget
from prodapp.auth.users import UserChange, change_user, user_of
from prodapp.caller import Caller
from prodapp.exceptions import Conflict, N_
from prodapp.extensions import Model, command, db
from prodapp.models import (
    ApiKey,
    AuditEvent,
    ExternalIdentity,
    MailRequest,
    Prediction,
    PredictionBatch,
    RecoveryCode,
    RefreshToken,
    SecondFactor,
    SignInLink,
    User,
    UserSession,
)
from prodapp.models.types import UtcDateTime, db_now

MAX_EVENTS = 100_000
# Told in lists of their own, or nothing but proofs of who somebody is.
TOLD = frozenset(
    model.__tablename__
    for model in (
        *(ApiKey, AuditEvent, ExternalIdentity, Prediction, PredictionBatch, UserSession),
        *(RecoveryCode, RefreshToken, SecondFactor, SignInLink),
    )
)
ACCOUNT = (
    "id",
    "username",
    "email",
    "role",
    "locale",
    "is_active",
    "created_at",
    "last_sign_in_at",
    "second_factor_at",
)
SESSION = ("method", "address", "user_agent", "created_at", "last_seen_at", "revoked_at")
KEY = ("name", "prefix", "role", "created_at", "expires_at", "last_used_at", "revoked_at")
IDENTITY = ("issuer", "subject", "created_at", "last_used_at")
PREDICTION = ("occurred_at", "id", "machine_id", "version_id", "channel", "request_id")
BATCH = ("created_at", "id", "machine_id", "version_id", "filename", "request_id")
EVENT = ("occurred_at", "action", "subject", "before", "after", "address")


def personal_data(user: User) -> dict[str, Any]:
    """All that is stored about ``user``, without what proves who they are; plain values."""
    return {
        "made_at": datetime.now(UTC).isoformat(),
        "account": _row(user, ACCOUNT) | {"site": user.site.name},
        "sessions": _rows(UserSession, user.id, SESSION),
        "api_keys": _rows(ApiKey, user.id, KEY),
        "identities": _rows(ExternalIdentity, user.id, IDENTITY),
        "letters": [
            _row(row, ("kind", "created_at"))
            for row in db.session.scalars(_letters(user).order_by(MailRequest.id))
        ],
        "acts": [
            _row(row, EVENT)
            for row in db.session.scalars(
                select(AuditEvent)
                .where(AuditEvent.user_id == user.id)
                .order_by(AuditEvent.occurred_at)
                .limit(MAX_EVENTS)
            )
        ],
        # What was asked about is the machine's; that they asked is theirs.
        "predictions": [
            _row(row, PREDICTION)
            for row in db.session.scalars(
                select(Prediction)
                .where(Prediction.user_id == user.id)  # in whatever site they were then
                .order_by(Prediction.occurred_at)
                .limit(MAX_EVENTS)
            )
        ],
        "prediction_batches": [
            _row(row, BATCH)
            for row in db.session.scalars(
                select(PredictionBatch)
                .where(PredictionBatch.created_by_id == user.id)
                .order_by(PredictionBatch.id)
            )
        ],
        "other_rows": list(_other_rows(user)),
    }


def erase(caller: Caller, user_id: int) -> User:
    """Lock a user out for good and forget who they were. There is no way back.

    Raises :class:`NotFound`, and :class:`Conflict` for the last administrator and for oneself.
    """
    user = user_of(caller, user_id)
    if caller.user_id == user.id:
        raise Conflict(N_("Nobody erases themselves: ask another administrator."))
    if user.erased_at is not None:
        return user
    change_user(caller, user.id, UserChange(is_active=False))
    pseudonym = f"erased-{user.id}"
    with command() as session:
        row = session.get_one(User, user.id, populate_existing=True)
        session.execute(_forget_letters(row))
        _hide_in_history(session, row, pseudonym)
        for table in (UserSession, SignInLink, RefreshToken, ApiKey, ExternalIdentity):
            session.execute(delete(table).where(table.user_id == row.id))
        forget(session, row.id)
        forget_of(session, row.id)
        row.username, row.username_key = pseudonym, pseudonym
        row.email = row.email_key = row.password_hash = row.locale = row.last_sign_in_at = None
        row.erased_at = datetime.now(UTC)
        audit.record(session, caller, "user.erased", f"user:{row.id}")
    return row


def _hide_in_history(session: Session, user: User, pseudonym: str) -> None:
    own = AuditEvent.user_id == user.id
    session.execute(update(AuditEvent).where(own).values(actor=pseudonym, address=None))
    # What was changed of the user tells their name and address, whoever changed it.
    about = AuditEvent.subject == f"user:{user.id}"
    told = or_(AuditEvent.before.is_not(None), AuditEvent.after.is_not(None))
    for event in session.scalars(select(AuditEvent).where(about, told)):
        event.before = _without_names(event.before)
        event.after = _without_names(event.after)
    for column in _columns_of_names():
        named = update(column.table).where(column == user.username)
        session.execute(named.values({column.name: pseudonym}))


def _other_rows(user: User) -> Iterator[dict[str, Any]]:
    """What bears their number in other tables: what it says is the machine's, that they made it
    is theirs."""
    for column in _columns_of_users():
        table = column.table
        moments = [c for c in table.columns if isinstance(c.type, UtcDateTime) and not c.nullable]
        statement = select(*table.primary_key, *moments[:1]).where(column == user.id)
        for row in db.session.execute(statement.order_by(*table.primary_key).limit(MAX_EVENTS)):
            values = [_plain(value) for value in row]
            yield {
                "table": table.name,
                "id": values[0],
                "at": values[-1] if moments else None,
            }


def _columns_of_users() -> list[Column[Any]]:
    """Who did something, in the tables that are not told row by row or prove who they are."""
    return [
        column
        for table in db.metadata.sorted_tables
        if table.name not in TOLD
        for column in table.columns
        if any(key.column.table is User.__table__ for key in column.foreign_keys)
    ]


def _columns_of_names() -> list[Column[Any]]:
    return [
        column
        for table in db.metadata.sorted_tables
        if table is not AuditEvent.__table__  # by the user's number, above
        for column in table.columns
        if isinstance(column.type, String)
        and (column.name == "actor" or column.name.endswith("_by"))
    ]


def _without_names(document: dict[str, Any] | None) -> dict[str, Any] | None:
    if document is None:
        return None
    return {key: value for key, value in document.items() if key not in ("email", "username")}


def _letters(user: User) -> Any:
    return select(MailRequest).where(MailRequest.addressee.in_(_addressees(user)))


def _forget_letters(user: User) -> Any:
    return (
        update(MailRequest)
        .where(MailRequest.addressee.in_(_addressees(user)))
        .values(addressee="", next_attempt_at=db_now())
    )


def _addressees(user: User) -> list[str]:
    return [name for name in (user.username_key, user.email_key) if name]


def _rows(table: type[Model], user_id: int, names: Iterable[str]) -> list[dict[str, Any]]:
    statement = select(table).where(table.user_id == user_id).order_by(table.id)  # type: ignore[attr-defined]
    return [_row(row, names) for row in db.session.scalars(statement)]


def _row(row: object, names: Iterable[str]) -> dict[str, Any]:
    return {name: _plain(getattr(row, name)) for name in names}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value
