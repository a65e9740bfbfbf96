"""Browser sessions: rows that end by sign-out, idleness or age."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from prodapp import audit
from prodapp.auth.secrets import new_token, token_hash
from prodapp.caller import Caller
from prodapp.exceptions import N_, NotFound
from prodapp.extensions import command, db, note
from prodapp.models import User, UserSession
from prodapp.models.types import db_now

IDLE_LIFE = timedelta(hours=12)
SESSION_LIFE = timedelta(days=7)
SEEN_STEP = timedelta(minutes=1)  # how stale "last seen" may be before a request renews it


def open_session(
    user: User, *, address: str | None, user_agent: str | None, method: str = "password"
) -> str:
    """Start a browser session and return its token, which only the browser keeps.

    ``method`` is what let ``user`` in: ``password``, ``link`` or ``oidc``.
    """
    token = new_token()
    with command() as session:
        session.add(
            UserSession(
                user_id=user.id,
                token_hash=token_hash(token),
                method=method,
                address=address,
                user_agent=(user_agent or "")[:300],
            )
        )
        session.execute(update(User).where(User.id == user.id).values(last_sign_in_at=db_now()))
        caller = Caller(user.site_id, user.role, user.username, "session", user.id, address)
        audit.record(session, caller, "session.opened", f"user:{user.id}", after={"method": method})
    return token


def session_of_token(token: str, *, renew: bool) -> UserSession | None:
    """The living session of ``token``; ``renew`` counts this request as activity."""
    row = db.session.scalar(
        select(UserSession).where(UserSession.token_hash == token_hash(token), *_living())
    )
    if row is None or not row.user.is_active:
        return None
    if renew:
        _mark_seen(row)
    return row


def close_session(token: str) -> None:
    """Sign out: the token opens nothing any more."""
    with command() as session:
        session.execute(
            update(UserSession)
            .where(UserSession.token_hash == token_hash(token))
            .values(revoked_at=db_now())
        )


def living_sessions(user_id: int) -> Sequence[UserSession]:
    """The sessions in which a user is signed in, the latest used first."""
    statement = select(UserSession).where(UserSession.user_id == user_id, *_living())
    return db.session.scalars(statement.order_by(UserSession.last_seen_at.desc())).all()


def end_session(caller: Caller, session_id: int) -> None:
    """Sign the caller out in one of their own sessions. Raises :class:`NotFound`."""
    with command() as session:
        ended = session.scalar(
            update(UserSession)
            .where(UserSession.id == session_id, UserSession.user_id == caller.user_id, *_living())
            .values(revoked_at=db_now())
            .returning(UserSession.id)
        )
        if ended is None:
            raise NotFound(N_("This session has ended already."))
        audit.record(session, caller, "session.ended", f"user:{caller.user_id}")


def end_sessions(session: Session, user_id: int, *, except_token: str | None = None) -> int:
    """Sign a user out everywhere, but for the session of ``except_token``; returns how many.

    Part of the caller's transaction.
    """
    statement = update(UserSession).where(UserSession.user_id == user_id, *_living())
    if except_token is not None:
        statement = statement.where(UserSession.token_hash != token_hash(except_token))
    rows = session.execute(statement.values(revoked_at=db_now()).returning(UserSession.id))
    return len(rows.all())


def end_other_sessions(caller: Caller, token: str) -> int:
    """Sign the caller out everywhere else; returns how many sessions that ended."""
    if caller.user_id is None:
        return 0
    with command() as session:
        n_ended = end_sessions(session, caller.user_id, except_token=token)
        audit.record(session, caller, "sessions.ended", f"user:{caller.user_id}")
    return n_ended


def _living() -> tuple[ColumnElement[bool], ...]:
    return (
        UserSession.revoked_at.is_(None),
        UserSession.created_at > db_now(-SESSION_LIFE.total_seconds()),
        UserSession.last_seen_at > db_now(-IDLE_LIFE.total_seconds()),
    )


def _mark_seen(row: UserSession) -> None:
    stale = UserSession.last_seen_at < db_now(-SEEN_STEP.total_seconds())
    if db.session.scalar(select(UserSession.id).where(UserSession.id == row.id, stale)) is None:
        return
    note(update(UserSession).where(UserSession.id == row.id).values(last_seen_at=db_now()))
