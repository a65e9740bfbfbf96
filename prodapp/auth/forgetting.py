"""Ways in that ended are kept a while for who asks what happened, and no longer: they hold
addresses and browsers of people."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, select

from prodapp.auth.sessions import SESSION_LIFE
from prodapp.extensions import command
from prodapp.models import RefreshToken, SignInLink, UserSession
from prodapp.models.types import db_now

KEPT = timedelta(days=30)


def forget_ended() -> int:
    """Delete sessions, links and refresh tokens that ended :data:`KEPT` ago; returns how many."""
    long_ago = db_now(-KEPT.total_seconds())
    # By family: its first token says when a password is asked for again, however old it is itself.
    living = select(RefreshToken.family).where(RefreshToken.expires_at > long_ago)
    ended = (
        delete(UserSession).where(
            UserSession.created_at <= db_now(-(SESSION_LIFE + KEPT).total_seconds())
        ),
        delete(SignInLink).where(SignInLink.expires_at <= long_ago),
        delete(RefreshToken).where(RefreshToken.family.not_in(living)),
    )
    with command() as session:
        return sum(
            len(session.execute(statement.returning(statement.table.c.id)).all())
            for statement in ended
        )
