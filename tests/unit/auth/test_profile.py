from __future__ import annotations

import pytest

from prodapp.auth import profile, sessions, tokens
from prodapp.auth import service as auth
from prodapp.auth.objects import own_user
from prodapp.caller import Caller
from prodapp.exceptions import InvalidInput, NotFound, NotSignedIn
from prodapp.extensions import db
from prodapp.models import User
from tests.conftest import SECRET

OLD, NEW = "correct horse battery", "seven blue turbines hum"
WHERE = {"address": None, "user_agent": None}


@pytest.fixture
def maria(caller: Caller) -> User:
    return auth.create_user(caller, username="maria", role="operator", password=OLD)


@pytest.fixture
def me(maria: User) -> Caller:
    return Caller(maria.site_id, maria.role, maria.username, "session", maria.id)


def is_living(token: str) -> bool:
    return sessions.session_of_token(token, renew=False) is not None


def test_a_new_password_ends_all_other_ways_in(maria: User, me: Caller) -> None:
    mine, other = (sessions.open_session(maria, **WHERE) for _ in range(2))
    pair = tokens.sign_in("maria", OLD, secret_key=SECRET)
    profile.change_password(me, current=OLD, new=NEW, token=mine)
    assert is_living(mine)
    assert not is_living(other)
    with pytest.raises(NotSignedIn):
        tokens.rotate(pair.refresh_token, secret_key=SECRET)
    assert auth.authenticate("maria", NEW).id == maria.id
    with pytest.raises(NotSignedIn):
        auth.authenticate("maria", OLD)


@pytest.mark.parametrize(
    ("current", "new", "pointer"), [("wrong", NEW, "/current"), (OLD, "weak", "/password")]
)
def test_a_password_is_changed_by_who_knows_it_to_one_that_is_strong(
    me: Caller, current: str, new: str, pointer: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        profile.change_password(me, current=current, new=new, token="")
    assert caught.value.fields[0].pointer == pointer
    assert auth.authenticate("maria", OLD)


def test_who_has_no_password_yet_sets_the_first(caller: Caller) -> None:
    row = auth.create_user(caller, username="new", role="viewer")
    me = Caller(row.site_id, row.role, row.username, "session", row.id)
    profile.change_password(me, current="", new=NEW, token="")
    assert auth.authenticate("new", NEW).id == row.id


def test_a_password_link_works_once_and_a_weak_password_does_not_use_it(maria: User) -> None:
    token = auth.create_sign_in_link(maria, purpose="password")
    session = sessions.open_session(maria, **WHERE)
    for weak in ("short", "password12"):
        with pytest.raises(InvalidInput):
            profile.choose_password(token, weak, address=None)
    assert profile.choose_password(token, NEW, address=None).id == maria.id
    assert not is_living(session)
    with pytest.raises(NotSignedIn):
        profile.choose_password(token, NEW, address=None)


def test_a_users_own_name_is_no_password_for_them(caller: Caller) -> None:
    row = auth.create_user(caller, username="turbinehall7north", role="viewer")
    token = auth.create_sign_in_link(row, purpose="password")
    with pytest.raises(InvalidInput):
        profile.choose_password(token, "turbinehall7north", address=None)
    assert auth.user_of_link(token, purpose="password").id == row.id


def test_a_link_serves_its_purpose_alone(maria: User) -> None:
    with pytest.raises(NotSignedIn):
        auth.use_sign_in_link(auth.create_sign_in_link(maria, purpose="password"))
    with pytest.raises(NotSignedIn):
        profile.choose_password(auth.create_sign_in_link(maria), NEW, address=None)


def test_one_ends_ones_own_sessions_alone(caller: Caller, maria: User, me: Caller) -> None:
    other = auth.create_user(caller, username="other", role="admin")
    theirs = sessions.open_session(other, **WHERE)
    mine = [sessions.open_session(maria, **WHERE) for _ in range(3)]
    (foreign,) = sessions.living_sessions(other.id)
    with pytest.raises(NotFound):
        sessions.end_session(me, foreign.id)
    sessions.end_session(me, sessions.living_sessions(maria.id)[-1].id)
    assert len(sessions.living_sessions(maria.id)) == 2
    last = next(token for token in mine if is_living(token))
    assert sessions.end_other_sessions(me, last) == 1
    assert is_living(last)
    assert is_living(theirs)


def test_a_caller_who_is_no_user_has_no_account(caller: Caller) -> None:
    with pytest.raises(NotSignedIn):
        own_user(caller)


def test_a_language_is_kept(maria: User, me: Caller) -> None:
    profile.set_locale(me, "pt_BR")
    db.session.expire_all()
    assert db.session.get_one(User, maria.id).locale == "pt_BR"
