"""JSON Web Tokens for programs: a short access token, and a refresh token that rotates.

Access tokens are checked by signature alone and live ten minutes. Refresh tokens are rows: each
is used once, and using one again revokes its whole family (RFC 9700 §4.14.2).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import digest
from uuid import UUID, uuid4

import jwt
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from prodapp import audit
from prodapp.auth import first_step, second_factor
from prodapp.auth.secrets import new_token, token_hash
from prodapp.caller import Caller
from prodapp.exceptions import N_, NotSignedIn
from prodapp.extensions import command, db
from prodapp.models import RefreshToken, User
from prodapp.models.types import db_now

ALGORITHM = "HS256"
ISSUER = "prodapp"
AUDIENCE = "prodapp-api"
ACCESS_LIFE = timedelta(minutes=10)
REFRESH_LIFE = timedelta(days=30)
FAMILY_LIFE = timedelta(days=90)  # then a password is asked for again, however busy the program
_USER_ID = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True)
class TokenPair:
    """``expires_in`` is the access token's life in seconds."""

    access_token: str
    refresh_token: str
    expires_in: int


def issue_pair(
    session: Session, user: User, *, secret_key: str, family: UUID | None = None
) -> TokenPair:
    """A new pair for ``user``; part of the caller's transaction."""
    refresh = new_token()
    session.add(
        RefreshToken(
            user_id=user.id,
            family=family or uuid4(),
            token_hash=token_hash(refresh),
            expires_at=db_now(REFRESH_LIFE.total_seconds()),
        )
    )
    now = datetime.now(UTC)
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "typ": "access",
        "sub": str(user.id),
        "iat": now,
        "exp": now + ACCESS_LIFE,
    }
    access = jwt.encode(claims, _signing_key(secret_key), algorithm=ALGORITHM)
    return TokenPair(access, refresh, int(ACCESS_LIFE.total_seconds()))


def sign_in(
    username: str,
    password: str,
    *,
    secret_key: str,
    code: str | None = None,
    address: str | None = None,
) -> TokenPair:
    """A first pair for whom name and password prove, and a code where they have a second factor.

    Raises :class:`NotSignedIn`.
    """
    user = first_step.prove(username, password, address=address)
    _take_second_step(user, code)
    with command() as session:
        pair = issue_pair(session, user, secret_key=secret_key)
        caller = Caller(user.site_id, user.role, user.username, "token", user.id, address)
        audit.record(session, caller, "tokens.issued", f"user:{user.id}")
    return pair


def _take_second_step(user: User, code: str | None) -> None:
    if second_factor.is_missing(user, method="password"):
        raise NotSignedIn(
            N_("Your role needs a second step of signing in. Set it up on your account's page."),
            code="second_factor_needed",
        )
    if user.second_factor_at is None:
        return
    if code is None:
        raise NotSignedIn(
            N_("Send the code of your second step as well, in the field “code”."),
            code="code_needed",
        )
    second_factor.verify(user, code)


def user_of_access_token(token: str, *, secret_key: str) -> User | None:
    """The active user that a sound, unexpired access token names."""
    try:
        claims = jwt.decode(
            token,
            _signing_key(secret_key),
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            options={"require": ["exp", "iat", "sub", "typ"]},
        )
    except jwt.InvalidTokenError:
        return None
    if claims["typ"] != "access" or not _USER_ID.fullmatch(claims["sub"]):
        return None
    user = db.session.get(User, int(claims["sub"]))
    return user if user is not None and user.is_active else None


def rotate(refresh_token: str, *, secret_key: str) -> TokenPair:
    """Exchange a refresh token for a new pair. Raises :class:`NotSignedIn`."""
    pair = None
    with command() as session:
        row = session.scalar(
            select(RefreshToken).where(RefreshToken.token_hash == token_hash(refresh_token))
        )
        if row is not None and not _use_once(session, row):
            _revoke_family(session, row.family)
        elif row is not None and row.user.is_active and not _is_old(session, row.family):
            pair = issue_pair(session, row.user, secret_key=secret_key, family=row.family)
    # Raised after the commit: the revocation of a reused family must stay.
    if pair is None:
        raise NotSignedIn(N_("This refresh token is not valid any more. Sign in again."))
    return pair


def revoke(refresh_token: str) -> None:
    """End the family of ``refresh_token``; silent about unknown ones (RFC 7009)."""
    with command() as session:
        family = session.scalar(
            select(RefreshToken.family).where(RefreshToken.token_hash == token_hash(refresh_token))
        )
        if family is not None:
            _revoke_family(session, family)


def _is_old(session: Session, family: UUID) -> bool:
    began = RefreshToken.created_at <= db_now(-FAMILY_LIFE.total_seconds())
    first = select(RefreshToken.id).where(RefreshToken.family == family, began)
    return session.scalar(first.limit(1)) is not None


def _use_once(session: Session, row: RefreshToken) -> bool:
    used = session.execute(
        update(RefreshToken)
        .where(
            RefreshToken.id == row.id,
            RefreshToken.used_at.is_(None),
            RefreshToken.revoked_at.is_(None),
            RefreshToken.expires_at > db_now(),
        )
        .values(used_at=db_now())
        .returning(RefreshToken.id)
    ).all()
    return len(used) == 1


def _revoke_family(session: Session, family: UUID) -> None:
    session.execute(
        update(RefreshToken)
        .where(RefreshToken.family == family, RefreshToken.revoked_at.is_(None))
        .values(revoked_at=db_now())
    )


def _signing_key(secret_key: str) -> bytes:
    # A key of its own: what signs cookies must not also sign tokens.
    return digest(secret_key.encode(), b"prodapp access token", sha256)
