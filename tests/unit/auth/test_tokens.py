from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from flask import Flask
from sqlalchemy import select, update

from prodapp.auth import service as auth
from prodapp.auth import tokens
from prodapp.auth.tokens import TokenPair
from prodapp.caller import Caller
from prodapp.exceptions import NotSignedIn
from prodapp.extensions import command, db
from prodapp.models import AuditEvent, RefreshToken, User
from prodapp.models.types import db_now

SECRET = "x" * 40
PASSWORD = "correct horse battery"


@pytest.fixture
def user(caller: Caller) -> User:
    return auth.create_user(caller, username="Maria", role="analyst", password=PASSWORD)


@pytest.fixture
def pair(user: User) -> TokenPair:
    return tokens.sign_in(user.username, PASSWORD, secret_key=SECRET)


def forged(pair: TokenPair, *, key: bytes | None = None, **claims: Any) -> str:
    """The pair's access token with other claims (None takes one out), signed as ours are."""
    signing = tokens._signing_key(SECRET)
    whole = jwt.decode(pair.access_token, signing, algorithms=["HS256"], audience=tokens.AUDIENCE)
    whole = {name: value for name, value in {**whole, **claims}.items() if value is not None}
    return jwt.encode(whole, signing if key is None else key, algorithm="HS256")


def user_of(token: str) -> User | None:
    return tokens.user_of_access_token(token, secret_key=SECRET)


def test_a_pair_proves_its_user(app: Flask, pair: TokenPair, user: User) -> None:
    assert user_of(pair.access_token) is user
    assert pair.expires_in == 600


def test_sign_in_needs_the_password_and_is_written_down(
    app: Flask, pair: TokenPair, user: User
) -> None:
    with pytest.raises(NotSignedIn):
        tokens.sign_in(user.username, PASSWORD + "!", secret_key=SECRET)
    actions = db.session.scalars(select(AuditEvent.action)).all()
    assert actions.count("tokens.issued") == 1


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": datetime.now(UTC) - timedelta(seconds=5)},
        {"iat": datetime.now(UTC) + timedelta(hours=1)},
        {"nbf": datetime.now(UTC) + timedelta(hours=1)},
        {"aud": "another-service"},
        {"aud": None},
        {"iss": "somebody"},
        {"iss": None},
        {"typ": "refresh"},
        {"typ": None},
        {"exp": None},
        {"iat": None},
        {"sub": None},
        {"sub": "nobody"},
        {"sub": "-1"},
        {"sub": "999999"},
        {"sub": "9" * 30},
        {"sub": "²"},
    ],
    ids=lambda claims: "-".join(f"{name}" for name in claims),
)
def test_a_token_with_a_claim_that_is_not_ours_proves_nothing(
    app: Flask, pair: TokenPair, claims: dict[str, Any]
) -> None:
    assert user_of(forged(pair, **claims)) is None


def test_a_token_that_only_repeats_ours_is_good(app: Flask, pair: TokenPair) -> None:
    assert user_of(forged(pair)) is not None


def test_an_unsigned_token_proves_nothing(app: Flask, pair: TokenPair) -> None:
    claims = jwt.decode(pair.access_token, options={"verify_signature": False})
    unsigned = jwt.encode(claims, None, algorithm="none")
    assert user_of(unsigned) is None
    header, body, _ = pair.access_token.split(".")
    assert user_of(f"{header}.{body}.") is None


def test_a_token_of_another_key_or_algorithm_proves_nothing(app: Flask, pair: TokenPair) -> None:
    assert user_of(forged(pair, key=SECRET.encode())) is None
    assert tokens.user_of_access_token(pair.access_token, secret_key="y" * 40) is None
    claims = jwt.decode(pair.access_token, options={"verify_signature": False})
    other = jwt.encode(claims, tokens._signing_key(SECRET) * 2, algorithm="HS512")
    assert user_of(other) is None


@pytest.mark.parametrize("text", ["", ".", "a.b.c", "\x00", "e30.e30.e30", "x" * 10_000])
def test_what_is_no_token_proves_nothing(app: Flask, text: str) -> None:
    assert user_of(text) is None


def test_a_deactivated_user_is_out_at_once(app: Flask, pair: TokenPair, user: User) -> None:
    with command() as session:
        session.execute(update(User).where(User.id == user.id).values(is_active=False))
    db.session.expire_all()
    assert user_of(pair.access_token) is None
    with pytest.raises(NotSignedIn):
        tokens.rotate(pair.refresh_token, secret_key=SECRET)


def test_a_refresh_token_is_no_access_token(app: Flask, pair: TokenPair) -> None:
    assert user_of(pair.refresh_token) is None
    with pytest.raises(NotSignedIn):
        tokens.rotate(pair.access_token, secret_key=SECRET)


def test_rotation_gives_a_new_pair_of_the_same_family(any_app: Flask, pair: TokenPair) -> None:
    second = tokens.rotate(pair.refresh_token, secret_key=SECRET)
    third = tokens.rotate(second.refresh_token, secret_key=SECRET)
    assert len({pair.refresh_token, second.refresh_token, third.refresh_token}) == 3
    assert user_of(third.access_token) is not None
    assert len(set(db.session.scalars(select(RefreshToken.family)))) == 1


def test_reuse_of_a_refresh_token_ends_its_whole_family(any_app: Flask, pair: TokenPair) -> None:
    other = tokens.sign_in("maria", PASSWORD, secret_key=SECRET)
    second = tokens.rotate(pair.refresh_token, secret_key=SECRET)
    with pytest.raises(NotSignedIn):
        tokens.rotate(pair.refresh_token, secret_key=SECRET)
    with pytest.raises(NotSignedIn):
        tokens.rotate(second.refresh_token, secret_key=SECRET)
    assert tokens.rotate(other.refresh_token, secret_key=SECRET)


def test_however_often_it_rotates_a_family_ends(any_app: Flask, pair: TokenPair) -> None:
    def age(days: float) -> None:
        with command() as session:
            moment = db_now(-86400.0 * days)
            oldest = select(RefreshToken.id).order_by(RefreshToken.id).limit(1).scalar_subquery()
            session.execute(
                update(RefreshToken)
                .where(RefreshToken.id == oldest)
                .values(created_at=moment)
                .execution_options(synchronize_session=False)
            )

    pair = tokens.rotate(pair.refresh_token, secret_key=SECRET)
    age(89)
    pair = tokens.rotate(pair.refresh_token, secret_key=SECRET)
    age(91)
    with pytest.raises(NotSignedIn):
        tokens.rotate(pair.refresh_token, secret_key=SECRET)


def test_two_rotations_at_once_give_one_pair(any_app: Flask, pair: TokenPair) -> None:
    def rotate(_: int) -> bool:
        with any_app.app_context():
            try:
                tokens.rotate(pair.refresh_token, secret_key=SECRET)
            except NotSignedIn:
                return False
            return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(rotate, range(4))) == 1


def test_an_expired_refresh_token_is_refused(app: Flask, pair: TokenPair) -> None:
    with command() as session:
        session.execute(update(RefreshToken).values(expires_at=db_now(-1)))
    with pytest.raises(NotSignedIn):
        tokens.rotate(pair.refresh_token, secret_key=SECRET)


def test_revoking_ends_the_family_and_says_nothing_of_unknown_ones(
    app: Flask, pair: TokenPair
) -> None:
    second = tokens.rotate(pair.refresh_token, secret_key=SECRET)
    tokens.revoke(pair.refresh_token)
    tokens.revoke("never known")
    with pytest.raises(NotSignedIn):
        tokens.rotate(second.refresh_token, secret_key=SECRET)


def test_only_hashes_are_stored(app: Flask, pair: TokenPair) -> None:
    stored = db.session.scalars(select(RefreshToken.token_hash)).all()
    assert pair.refresh_token not in stored
