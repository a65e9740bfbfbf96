"""Ending what lets a user in, all at once: sessions, tokens, links."""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.orm import Session

from prodapp.auth.sessions import end_sessions
from prodapp.models import RefreshToken, SignInLink
from prodapp.models.types import db_now


def end_all_ways_in(session: Session, user_id: int) -> None:
    """End sessions, tokens and unused links; keys stay. Part of the caller's transaction."""
    end_sessions(session, user_id)
    revoke_tokens(session, user_id)
    session.execute(
        update(SignInLink)
        .where(SignInLink.user_id == user_id, SignInLink.used_at.is_(None))
        .values(used_at=db_now())
    )


def revoke_tokens(session: Session, user_id: int) -> None:
    """End all refresh tokens of a user. Part of the caller's transaction."""
    session.execute(
        update(RefreshToken)
        .where(RefreshToken.user_id == user_id, RefreshToken.revoked_at.is_(None))
        .values(revoked_at=db_now())
    )
