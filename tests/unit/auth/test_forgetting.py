"""What ended long ago is forgotten; what may still count is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from flask import Flask
from sqlalchemy import select

from prodapp.auth import service as auth
from prodapp.auth.forgetting import forget_ended
from prodapp.caller import Caller
from prodapp.extensions import command, db
from prodapp.models import RefreshToken, SignInLink, UserSession


def test_ways_in_that_ended_a_month_ago_are_forgotten(any_app: Flask, caller: Caller) -> None:
    user = auth.create_user(caller, username="maria", role="viewer")
    now = datetime.now(UTC)
    old, living = uuid4(), uuid4()

    def days(n: float) -> datetime:
        return now + timedelta(days=n)

    def token(name: str, family: object, ends: float) -> RefreshToken:
        return RefreshToken(
            user_id=user.id,
            token_hash=name,
            family=family,
            created_at=days(ends - 30),
            expires_at=days(ends),
        )

    rows = [
        UserSession(user_id=user.id, token_hash="gone", created_at=days(-38)),
        UserSession(user_id=user.id, token_hash="kept", created_at=days(-36)),
        SignInLink(user_id=user.id, token_hash="gone", expires_at=days(-31)),
        SignInLink(user_id=user.id, token_hash="kept", expires_at=days(-29)),
        token("gone", old, -60),
        token("gone too", old, -31),
        # The first of a family counts as long as its last does: it says when the family began.
        token("kept", living, -50),
        token("kept too", living, 10),
    ]
    with command() as session:
        session.add_all(rows)
    assert forget_ended() == 4
    assert forget_ended() == 0
    for table in (UserSession, SignInLink, RefreshToken):
        left = db.session.scalars(select(table.token_hash)).all()
        assert {name.partition(" ")[0] for name in left} == {"kept"}, table
