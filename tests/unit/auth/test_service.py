from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from prodapp.auth import service as auth
from prodapp.auth import sessions
from prodapp.auth.service import LINK_LIFE
from prodapp.auth.sessions import IDLE_LIFE, SESSION_LIFE
from prodapp.caller import Caller
from prodapp.exceptions import Conflict, InvalidInput, NotFound, NotSignedIn
from prodapp.extensions import command, db
from prodapp.models import ApiKey, AuditEvent, SignInLink, Site, User, UserSession
from prodapp.models.types import db_now

PASSWORD = "correct horse battery"
WHERE: dict[str, Any] = {"address": "10.1.2.3", "user_agent": "a browser"}


def change(model: type[Any], **values: Any) -> None:
    """Change all rows of a table, as time or an administrator would."""
    with command() as session:
        session.execute(update(model).values(**values).execution_options(synchronize_session=False))
    db.session.expire_all()


@pytest.fixture
def user(caller: Caller) -> User:
    return auth.create_user(caller, username="Maria Silva", role="operator", password=PASSWORD)


@pytest.fixture
def token(user: User) -> str:
    return sessions.open_session(user, **WHERE)


# --- users -------------------------------------------------------------------------------------


def test_a_user_signs_in_however_the_name_is_written(app: Flask, user: User) -> None:
    for name in ("Maria Silva", " maria  silva ", "MARIA SILVA"):
        assert auth.authenticate(name, PASSWORD) is user


def test_a_wrong_name_and_a_wrong_password_are_told_the_same(any_app: Flask, user: User) -> None:
    said = set()
    for name, password in (
        ("maria silva", "wrong"),
        ("nobody", PASSWORD),
        ("a\x00", "b"),
        ("", ""),
    ):
        with pytest.raises(NotSignedIn) as caught:
            auth.authenticate(name, password)
        said.add((str(caught.value), caught.value.error_code))
    assert len(said) == 1


def test_refused_sign_ins_are_logged_without_what_was_typed(
    app: Flask, user: User, caplog: pytest.LogCaptureFixture
) -> None:
    for name in (user.username, "my password by mistake"):
        with pytest.raises(NotSignedIn):
            auth.authenticate(name, "wrong password")
    told = [record.getMessage() for record in caplog.records if "refused" in record.getMessage()]
    assert told == [f"sign-in refused for user {user.id}", "sign-in refused for an unknown name"]


def test_a_user_without_password_cannot_sign_in_by_any(app: Flask, caller: Caller) -> None:
    auth.create_user(caller, username="link only", role="viewer")
    for password in ("", "no one has this password"):
        with pytest.raises(NotSignedIn):
            auth.authenticate("link only", password)


def test_a_deactivated_user_cannot_sign_in(app: Flask, user: User) -> None:
    change(User, is_active=False)
    with pytest.raises(NotSignedIn):
        auth.authenticate(user.username, PASSWORD)


@pytest.mark.parametrize("name", ["maria silva", " MARIA   SILVA"])
def test_a_name_that_is_taken_is_refused(app: Flask, caller: Caller, user: User, name: str) -> None:
    with pytest.raises(Conflict, match="already a user named"):
        auth.create_user(caller, username=name, role="viewer")
    assert len(auth.list_users()) == 1


def test_of_many_who_take_a_name_at_once_one_gets_it(any_app: Flask, caller: Caller) -> None:
    def create(_: int) -> bool:
        with any_app.app_context():
            try:
                auth.create_user(caller, username="same", role="viewer")
            except Conflict:
                return False
            return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(create, range(4))) == 1
    db.session.rollback()
    assert len(auth.list_users()) == 1


@pytest.mark.parametrize(
    ("values", "pointer"),
    [
        ({"username": " "}, "/username"),
        ({"username": "x" * 201}, "/username"),
        ({"username": "ß" * 150}, "/username"),
        ({"username": "a\x00b"}, "/username"),
        ({"role": "root"}, "/role"),
        ({"role": ""}, "/role"),
        ({"password": "short"}, "/password"),
        ({"site": "x" * 201}, "/site"),
    ],
)
def test_a_user_that_cannot_be_is_refused_with_its_field(
    app: Flask, caller: Caller, values: dict[str, str], pointer: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        auth.create_user(caller, **{"username": "new", "role": "viewer", **values})
    assert [field.pointer for field in caught.value.fields] == [pointer]
    assert len(auth.list_users()) == 0


def test_users_are_listed_by_name(app: Flask, caller: Caller) -> None:
    for name in ("zoe", "Ana", "bob"):
        auth.create_user(caller, username=name, role="viewer")
    assert [user.username for user in auth.list_users()] == ["Ana", "bob", "zoe"]
    assert auth.user_by_name("ANA").username == "Ana"
    with pytest.raises(NotFound, match="no user named eve"):
        auth.user_by_name("eve")


def test_a_site_is_made_once(app: Flask, caller: Caller) -> None:
    ids = {auth.ensure_site("south").id for _ in range(3)}
    assert len(ids) == 1
    user = auth.create_user(caller, username="x", role="viewer", site="south")
    assert {user.site_id} == ids


def test_of_many_who_make_a_site_at_once_all_get_the_same(any_app: Flask) -> None:
    def ensure(_: int) -> int:
        with any_app.app_context():
            return auth.ensure_site("plant").id

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(ensure, range(4)))) == 1
    db.session.rollback()
    assert len(db.session.scalars(select(Site).where(Site.name == "plant")).all()) == 1


def test_making_a_user_is_written_down_without_the_password(app: Flask, user: User) -> None:
    (event,) = db.session.scalars(select(AuditEvent)).all()
    assert (event.actor, event.action) == ("tester", "user.created")
    assert (event.subject, event.after) == (f"user:{user.id}", {"role": "operator"})
    assert PASSWORD not in (user.password_hash or "")


# --- sessions ----------------------------------------------------------------------------------


def living(token: str) -> bool:
    return sessions.session_of_token(token, renew=False) is not None


def test_a_session_knows_its_user_and_where_it_was_opened(
    app: Flask, token: str, user: User
) -> None:
    row = sessions.session_of_token(token, renew=False)
    assert row is not None
    assert row.user is user
    assert (row.address, row.user_agent) == ("10.1.2.3", "a browser")
    assert row.token_hash != token
    db.session.refresh(user)
    assert user.last_sign_in_at is not None


@pytest.mark.parametrize("text", ["", "unknown", "\x00"])
def test_an_unknown_token_opens_nothing(app: Flask, token: str, text: str) -> None:
    assert sessions.session_of_token(text, renew=True) is None


def test_a_session_ends_when_nobody_uses_it(any_app: Flask, token: str) -> None:
    change(UserSession, last_seen_at=db_now(-IDLE_LIFE.total_seconds() + 5))
    assert living(token)
    change(UserSession, last_seen_at=db_now(-IDLE_LIFE.total_seconds() - 5))
    assert not living(token)


def test_use_keeps_a_session_awake_and_a_poll_does_not(any_app: Flask, token: str) -> None:
    nearly = db_now(-IDLE_LIFE.total_seconds() + 60)
    change(UserSession, last_seen_at=nearly)
    asleep = db.session.scalar(select(UserSession.last_seen_at))
    sessions.session_of_token(token, renew=False)
    db.session.expire_all()
    assert db.session.scalar(select(UserSession.last_seen_at)) == asleep
    sessions.session_of_token(token, renew=True)
    db.session.expire_all()
    seen = db.session.scalar(select(UserSession.last_seen_at))
    assert seen is not None
    assert asleep is not None
    assert (seen - asleep) > IDLE_LIFE / 2


def test_a_session_ends_by_age_however_much_it_is_used(any_app: Flask, token: str) -> None:
    change(UserSession, created_at=db_now(-SESSION_LIFE.total_seconds() - 5), last_seen_at=db_now())
    assert sessions.session_of_token(token, renew=True) is None


def test_a_closed_session_opens_nothing_and_others_stay(app: Flask, token: str, user: User) -> None:
    other = sessions.open_session(user, **WHERE)
    sessions.close_session(token)
    assert not living(token)
    assert living(other)


def test_a_deactivated_user_is_out_of_all_sessions(app: Flask, token: str) -> None:
    change(User, is_active=False)
    assert not living(token)


def test_a_browser_with_a_long_name_is_let_in(any_app: Flask, user: User) -> None:
    assert living(sessions.open_session(user, address=None, user_agent="x" * 5000))


# --- links -------------------------------------------------------------------------------------


def test_a_link_lets_in_once(app: Flask, user: User) -> None:
    link = auth.create_sign_in_link(user)
    assert auth.use_sign_in_link(link).id == user.id
    with pytest.raises(NotSignedIn, match="used already") as caught:
        auth.use_sign_in_link(link)
    assert caught.value.error_code == "link_expired"


def test_of_many_who_use_a_link_at_once_one_gets_in(any_app: Flask, user: User) -> None:
    link = auth.create_sign_in_link(user)

    def use(_: int) -> bool:
        with any_app.app_context():
            try:
                auth.use_sign_in_link(link)
            except NotSignedIn:
                return False
            return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(use, range(4))) == 1


def test_a_link_lives_for_a_day(app: Flask, user: User) -> None:
    link = auth.create_sign_in_link(user)
    created, expires = db.session.execute(
        select(SignInLink.created_at, SignInLink.expires_at)
    ).one()
    assert abs((expires - created) - LINK_LIFE).total_seconds() < 60
    change(SignInLink, expires_at=db_now(-1))
    with pytest.raises(NotSignedIn):
        auth.use_sign_in_link(link)


def test_a_new_link_ends_the_earlier_ones_of_its_user_alone(
    app: Flask, user: User, caller: Caller
) -> None:
    other = auth.create_user(caller, username="other", role="viewer")
    first, others = auth.create_sign_in_link(user), auth.create_sign_in_link(other)
    second = auth.create_sign_in_link(user)
    with pytest.raises(NotSignedIn):
        auth.use_sign_in_link(first)
    assert auth.use_sign_in_link(second).id == user.id
    assert auth.use_sign_in_link(others).id == other.id


def test_a_link_of_a_deactivated_user_lets_nobody_in(app: Flask, user: User) -> None:
    link = auth.create_sign_in_link(user)
    change(User, is_active=False)
    with pytest.raises(NotSignedIn):
        auth.use_sign_in_link(link)


# --- keys --------------------------------------------------------------------------------------


def test_a_key_proves_its_user(any_app: Flask, caller: Caller, user: User) -> None:
    created = auth.create_key(caller, username="maria silva", name="line 3")
    key = auth.key_of_secret(created.secret)
    assert key is not None
    assert (key.user_id, key.role, key.name) == (user.id, "operator", "line 3")
    assert created.secret not in (key.key_hash, key.prefix)


def test_a_key_notes_when_it_was_used_last(app: Flask, caller: Caller, user: User) -> None:
    secret = auth.create_key(caller, username=user.username, name="x").secret
    auth.key_of_secret(secret)
    first = db.session.scalar(select(ApiKey.last_used_at))
    change(ApiKey, last_used_at=db_now(-3600))
    auth.key_of_secret(secret)
    second = db.session.scalar(select(ApiKey.last_used_at))
    assert first is not None
    assert second is not None
    assert second >= first


@pytest.mark.parametrize("end", [{"revoked_at": db_now()}, {"expires_at": db_now(-1)}])
def test_an_ended_key_proves_nothing(
    any_app: Flask, caller: Caller, user: User, end: dict[str, Any]
) -> None:
    secret = auth.create_key(caller, username=user.username, name="x", days=1).secret
    assert auth.key_of_secret(secret) is not None
    change(ApiKey, **end)
    assert auth.key_of_secret(secret) is None


def test_a_key_with_a_wrong_end_proves_nothing(app: Flask, caller: Caller, user: User) -> None:
    secret = auth.create_key(caller, username=user.username, name="x").secret
    assert auth.key_of_secret(secret[:-1] + ("a" if secret[-1] != "a" else "b")) is None
    assert auth.key_of_secret(secret + "x") is None


def test_a_key_of_a_deactivated_user_proves_nothing(app: Flask, caller: Caller, user: User) -> None:
    secret = auth.create_key(caller, username=user.username, name="x").secret
    change(User, is_active=False)
    assert auth.key_of_secret(secret) is None


@pytest.mark.parametrize(
    "values",
    [
        {"role": "analyst"},
        {"role": "root"},
        {"days": 0},
        {"days": -1},
        {"days": 10**9},
        {"name": ""},
        {"name": "x" * 201},
    ],
)
def test_a_key_that_cannot_be_is_refused(
    app: Flask, caller: Caller, user: User, values: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInput):
        auth.create_key(caller, username=user.username, **{"name": "x", **values})
    assert db.session.scalars(select(ApiKey)).all() == []


def test_a_key_may_have_less_than_its_users_role(app: Flask, caller: Caller, user: User) -> None:
    secret = auth.create_key(caller, username=user.username, name="x", role="viewer").secret
    key = auth.key_of_secret(secret)
    assert key is not None
    assert key.role == "viewer"


def test_revoking_a_key_ends_it_once(app: Flask, caller: Caller, user: User) -> None:
    created = auth.create_key(caller, username=user.username, name="x")
    auth.revoke_key(caller, created.prefix)
    assert auth.key_of_secret(created.secret) is None
    with pytest.raises(NotFound, match=created.prefix):
        auth.revoke_key(caller, created.prefix)
    actions = db.session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all()
    assert actions[-2:] == ["key.created", "key.revoked"]
