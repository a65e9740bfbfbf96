from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask

from prodapp.auth import service as auth
from prodapp.auth import sessions, sites, tokens, users
from prodapp.auth.users import UserChange
from prodapp.caller import Caller
from prodapp.exceptions import Conflict, Forbidden, InvalidInput, NotFound, NotSignedIn
from prodapp.extensions import db
from prodapp.models import AuditEvent, User
from tests.conftest import SECRET

PASSWORD = "correct horse battery"


@pytest.fixture
def maria(caller: Caller) -> User:
    return auth.create_user(
        caller, username="maria", role="operator", password=PASSWORD, email="Maria@Example.com"
    )


@pytest.fixture
def plant_admin(caller: Caller) -> Caller:
    """An administrator of another site."""
    row = auth.create_user(caller, username="boss", role="admin", site="plant 2")
    return Caller(row.site_id, "admin", row.username, "session", row.id)


def last_event() -> AuditEvent:
    return db.session.query(AuditEvent).order_by(AuditEvent.occurred_at.desc()).first()


def test_a_change_is_written_down_with_before_and_after(caller: Caller, maria: User) -> None:
    users.change_user(caller, maria.id, UserChange(role="analyst", email="m@x.org"))
    event = last_event()
    assert (event.action, event.subject) == ("user.changed", f"user:{maria.id}")
    assert event.before == {"role": "operator", "email": "Maria@Example.com"}
    assert event.after == {"role": "analyst", "email": "m@x.org"}


def test_a_change_that_changes_nothing_is_not_written_down(caller: Caller, maria: User) -> None:
    users.change_user(caller, maria.id, UserChange(role="operator"))
    assert last_event().action == "user.created"


@pytest.mark.parametrize(
    "email", ["x", "a b@x.org", "a@x.org\nBcc: b@x.org", "a@@x.org", "@x", "a@-x", "é@x.org"]
)
def test_what_is_no_address_is_refused(caller: Caller, maria: User, email: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        users.change_user(caller, maria.id, UserChange(email=email))
    assert caught.value.fields[0].pointer == "/email"


def test_an_address_belongs_to_one_user(caller: Caller, maria: User) -> None:
    other = auth.create_user(caller, username="other", role="viewer")
    for attempt in ("MARIA@example.COM", "maria@example.com"):
        with pytest.raises(Conflict, match="Another user has"):
            users.change_user(caller, other.id, UserChange(email=attempt))
        with pytest.raises(Conflict, match="Another user has"):
            auth.create_user(caller, username="third", role="viewer", email=attempt)
    users.change_user(caller, maria.id, UserChange(email=""))
    users.change_user(caller, other.id, UserChange(email="maria@example.com"))


def test_who_is_locked_out_is_out_everywhere_and_stays_out_of_old_sessions(
    caller: Caller, maria: User
) -> None:
    token = sessions.open_session(maria, address=None, user_agent=None)
    pair = tokens.sign_in("maria", PASSWORD, secret_key=SECRET)
    link = auth.create_sign_in_link(maria)
    key = auth.create_key(caller, username="maria", name="x").secret
    users.change_user(caller, maria.id, UserChange(is_active=False))
    assert sessions.session_of_token(token, renew=False) is None
    assert auth.key_of_secret(key) is None
    users.change_user(caller, maria.id, UserChange(is_active=True))
    assert sessions.session_of_token(token, renew=False) is None
    for enter in (
        lambda: tokens.rotate(pair.refresh_token, secret_key=SECRET),
        lambda: auth.use_sign_in_link(link),
    ):
        with pytest.raises(NotSignedIn):
            enter()
    assert auth.key_of_secret(key) is not None  # keys rest, so that programs need no new ones


def test_the_last_administrator_stays_one(any_app: Flask, caller: Caller) -> None:
    first = auth.create_user(caller, username="first", role="admin")
    auth.create_user(caller, username="far", role="admin", site="plant 2")
    south = sites.create_site(caller, name="south")
    for change in (
        UserChange(role="viewer"),
        UserChange(is_active=False),
        UserChange(site_id=south.id),
    ):
        with pytest.raises(Conflict) as caught:
            users.change_user(caller, first.id, change)
        assert caught.value.error_code == "last_administrator"
    second = auth.create_user(caller, username="second", role="admin")
    users.change_user(caller, first.id, UserChange(role="viewer"))
    assert db.session.get_one(User, second.id).role == "admin"


def test_of_two_administrators_who_remove_each_other_one_stays(
    any_app: Flask, caller: Caller
) -> None:
    ids = [auth.create_user(caller, username=name, role="admin").id for name in ("one", "two")]

    def remove(user_id: int) -> bool:
        with any_app.app_context():
            try:
                users.change_user(caller, user_id, UserChange(role="viewer"))
            except Conflict:
                return False
            return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(remove, ids)) == [False, True]


def test_an_administrator_of_a_site_sees_and_changes_its_users_alone(
    caller: Caller, maria: User, plant_admin: Caller
) -> None:
    assert [row.username for row in users.list_users(plant_admin).items] == ["boss"]
    assert [row.username for row in users.list_users(caller).items] == ["boss", "maria"]
    assert [site.name for site in sites.list_sites(plant_admin)] == ["plant 2"]
    for reach in (
        lambda: users.user_of(plant_admin, maria.id),
        lambda: users.change_user(plant_admin, maria.id, UserChange(role="admin")),
        lambda: users.sign_out_everywhere(plant_admin, maria.id),
        lambda: users.change_user(
            plant_admin, plant_admin.user_id, UserChange(site_id=caller.site_id)
        ),
    ):
        with pytest.raises(NotFound):
            reach()
    with pytest.raises(Forbidden):
        sites.create_site(plant_admin, name="mine")


@pytest.mark.parametrize("user_id", [0, -1, 2**63, 2**70, 999])
def test_an_id_that_is_none_names_nobody(caller: Caller, user_id: int) -> None:
    with pytest.raises(NotFound):
        users.user_of(caller, user_id)


def test_users_are_found_by_parts_of_name_and_address(caller: Caller, maria: User) -> None:
    auth.create_user(caller, username="100%", role="viewer")

    def found(**query: object) -> list[str]:
        return [row.username for row in users.list_users(caller, **query).items]  # type: ignore[arg-type]

    assert found(q="ARI") == ["maria"]
    assert found(q="example.com") == ["maria"]
    assert found(q="%") == ["100%"]
    assert found(role="viewer") == ["100%"]
    assert found(is_active=False) == []
    assert users.list_users(caller, page_size=1, page=2).items[0].username == "maria"


def test_a_site_is_named_once_whatever_the_case(caller: Caller) -> None:
    sites.create_site(caller, name="South")
    with pytest.raises(Conflict):
        sites.create_site(caller, name=" sOUTH ")
    assert sites.site_by_name("SOUTH").name == "South"
    with pytest.raises(InvalidInput):
        sites.create_site(caller, name=" ")
