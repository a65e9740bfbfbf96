"""Signing in at an OpenID Connect provider, a real one, which insists on PKCE."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from prodapp.auth import service as auth
from prodapp.auth import users
from prodapp.caller import Caller
from prodapp.extensions import db
from prodapp.models import AuditEvent, ExternalIdentity, User, UserSession
from tests.identity_services import CLIENT_SECRET, PUBLIC_URL, Provider
from tests.pages import csrf_token, post_form

START = "/app/sign-in/provider"
MACHINES = "/app/machines/"
PASSWORD = "correct horse battery"
GROUPS = {
    "SIGN_IN_ROLES": "plant-admins=admin; plant-analysts=analyst",
    "SIGN_IN_SITES": "plant 2=Plant Two",
}
MakeApp = Callable[..., Flask]


@pytest.fixture
def open_app(make_app: MakeApp, provider: Provider) -> Iterator[MakeApp]:
    """A function that makes an application which knows the provider, its context pushed."""
    contexts = []

    def make(**environ: str) -> Flask:
        app = make_app(**provider.environ, **environ)
        contexts.append(app.app_context())
        contexts[-1].push()
        return app

    yield make
    for context in contexts:
        db.session.remove()
        db.engine.dispose()
        context.pop()


def browser(app: Flask) -> FlaskClient:
    client = app.test_client()
    client.environ_base |= {"HTTP_HOST": urlsplit(PUBLIC_URL).netloc}
    return client


def go_through(client: FlaskClient, provider: Provider, username: str = "ana", start: str = START):
    sent = client.get(start)
    assert sent.status_code == 302, sent.text
    return client.get(provider.sign_in(sent.location, username))


def test_who_the_provider_proves_comes_in_with_role_and_site_of_their_groups(
    open_app: MakeApp, provider: Provider
) -> None:
    app = open_app(**GROUPS)
    client = browser(app)
    assert "Sign in with Plant ID" in client.get("/app/sign-in").text
    sent = client.get(f"{START}?next=/app/account/").location
    query = parse_qs(urlsplit(sent).query)
    assert query["code_challenge_method"] == ["S256"]
    assert len(query["code_challenge"][0]) == 43
    assert {"state", "nonce"} <= query.keys()
    assert CLIENT_SECRET not in sent
    entered = client.get(provider.sign_in(sent, "ana"))
    assert entered.location == "/app/account/"
    page = client.get("/app/account/").text
    assert provider.issuer in page
    assert "Choose a password" not in page
    user = auth.user_by_name("ana")
    assert (user.role, user.site.name, user.email) == ("analyst", "Plant Two", "ana@example.org")
    assert db.session.scalars(select(UserSession.method)).all() == ["oidc"]
    told = db.session.scalars(select(AuditEvent.action)).all()
    assert {"user.created", "identity.linked", "session.opened"} <= set(told)


def test_role_and_site_follow_the_groups_at_each_sign_in(
    open_app: MakeApp, provider: Provider
) -> None:
    app = open_app(**GROUPS)
    go_through(browser(app), provider)
    user = auth.user_by_name("ana")
    users.change_user(auth.system_caller(), user.id, users.UserChange(role="viewer"))
    go_through(browser(app), provider)
    db.session.expire_all()
    assert auth.user_by_name("ana").role == "analyst"
    assert db.session.query(ExternalIdentity).count() == 1


def test_who_has_no_role_here_stays_out(open_app: MakeApp, provider: Provider) -> None:
    client = browser(open_app(**GROUPS))
    answer = go_through(client, provider, "bruno")
    assert answer.status_code == 401
    assert "no role here" in answer.text
    assert client.get(MACHINES).status_code == 302
    assert db.session.query(User).count() == 0


def test_a_user_who_is_locked_out_here_stays_out(open_app: MakeApp, provider: Provider) -> None:
    app = open_app(**GROUPS)
    go_through(browser(app), provider)
    user = auth.user_by_name("ana")
    users.change_user(auth.system_caller(), user.id, users.UserChange(is_active=False))
    assert go_through(browser(app), provider).status_code == 401


def test_a_name_that_is_taken_is_not_taken_over(open_app: MakeApp, provider: Provider) -> None:
    app = open_app(**GROUPS)
    auth.create_user(auth.system_caller(), username="Ana", role="viewer", password=PASSWORD)
    answer = go_through(browser(app), provider)
    assert answer.status_code == 401
    assert "connect your account" in answer.text


@pytest.mark.parametrize("linking", ["email", "name"])
def test_configuration_may_take_a_person_for_a_user(
    open_app: MakeApp, provider: Provider, linking: str
) -> None:
    app = open_app(SIGN_IN_LINK=linking, SIGN_IN_DEFAULT_ROLE="viewer")
    known = {"email": {"username": "a. costa", "email": "ANA@example.org"}}.get(
        linking, {"username": "Ana"}
    )
    user = auth.create_user(auth.system_caller(), role="operator", password=PASSWORD, **known)
    assert go_through(browser(app), provider).status_code == 302
    assert db.session.scalars(select(ExternalIdentity.user_id)).all() == [user.id]


def test_who_is_signed_in_connects_their_account_and_disconnects_it(
    open_app: MakeApp, provider: Provider
) -> None:
    app = open_app()
    user = auth.create_user(
        auth.system_caller(), username="ana c", role="operator", password=PASSWORD
    )
    client = browser(app)
    post_form(client, "/app/sign-in", username="ana c", password=PASSWORD)
    form = {"csrf_token": csrf_token(client, "/app/account/")}
    assert client.get("/app/account/identities").status_code == 405
    assert START in client.post("/app/account/identities", data=form).text
    go_through(client, provider)
    row = db.session.scalars(select(ExternalIdentity)).one()
    assert row.user_id == user.id
    fresh = browser(app)
    go_through(fresh, provider)
    assert "ana c" in fresh.get("/app/account/").text

    other = auth.create_user(auth.system_caller(), username="eve", role="viewer")
    thief = browser(app)
    thief.get(f"/app/sign-in/{auth.create_sign_in_link(other)}")
    theirs = {"csrf_token": csrf_token(thief, "/app/account/")}
    thief.post("/app/account/identities", data=theirs)
    go_through(thief, provider)
    assert "belongs to another user" in thief.get("/app/account/").text
    gone = f"/app/account/identities/{row.id}/remove"
    assert thief.post(gone, data=theirs).status_code == 404
    assert client.post(gone, data=form).status_code == 302
    assert db.session.query(ExternalIdentity).count() == 0


def test_an_answer_to_no_question_of_this_browser_is_refused(
    open_app: MakeApp, provider: Provider
) -> None:
    """Forged, replayed, or carried over from another browser (login CSRF)."""
    app = open_app(**GROUPS)
    victim, attacker = browser(app), browser(app)
    back = provider.sign_in(attacker.get(START).location, "ana")
    for path in (back, f"{START}/back", f"{START}/back?code=x&state=y", f"{START}/back?error=z"):
        answer = victim.get(path)
        assert answer.status_code == 401, path
        assert "did not work" in answer.text
    assert attacker.get(back).status_code == 302
    attacker.post("/app/sign-out", data={"csrf_token": csrf_token(attacker, MACHINES)})
    assert attacker.get(back).status_code == 401
    assert victim.get(MACHINES).status_code == 302


def test_a_code_that_another_question_got_is_refused(open_app: MakeApp, provider: Provider) -> None:
    """The provider itself refuses it: the verifier is not the one that the code was asked with."""
    app = open_app(**GROUPS)
    one, other = browser(app), browser(app)
    stolen = parse_qs(urlsplit(provider.sign_in(one.get(START).location, "ana")).query)["code"][0]
    state = parse_qs(urlsplit(other.get(START).location).query)["state"][0]
    assert other.get(f"{START}/back?code={stolen}&state={state}").status_code == 401


def test_passwords_of_here_can_be_switched_off(open_app: MakeApp, provider: Provider) -> None:
    app = open_app(LOCAL_SIGN_IN="no", **GROUPS)
    auth.create_user(auth.system_caller(), username="maria", role="admin", password=PASSWORD)
    client = browser(app)
    page = client.get("/app/sign-in").text
    assert 'name="password"' not in page
    token = csrf_token(client, "/app/forgot") if "csrf_token" in page else ""
    form = {"csrf_token": token, "username": "maria", "password": PASSWORD}
    assert client.post("/app/sign-in", data=form).status_code in (400, 401)
    asked = client.post("/api/v1/auth/token", json={"username": "maria", "password": PASSWORD})
    assert (asked.status_code, asked.json["code"]) == (401, "passwords_off")
    assert go_through(client, provider).status_code == 302


def test_a_provider_that_is_away_or_another_one_lets_nobody_in(
    make_app: MakeApp, provider: Provider
) -> None:
    dead = {**provider.environ, "OIDC_ISSUER": "http://127.0.0.1:9"}
    answer = browser(make_app(**dead)).get(START)
    assert answer.status_code == 503
    renamed = {
        **provider.environ,
        "OIDC_ISSUER": provider.issuer.replace("127.0.0.1", "localhost"),
    }
    assert browser(make_app(**renamed)).get(START).status_code == 503


def test_no_provider_no_way(client: FlaskClient) -> None:
    assert client.get(START).location.startswith("/app/sign-in")
    assert "provider" not in client.get("/app/sign-in").text


def test_no_password_outlives_the_provider(open_app: MakeApp, provider: Provider) -> None:
    from prodapp.auth import profile
    from prodapp.exceptions import InvalidInput

    app = open_app(**GROUPS)
    go_through(browser(app), provider)
    user = auth.user_by_name("ana")
    me = Caller(user.site_id, user.role, user.username, "session", user.id)
    with pytest.raises(InvalidInput):
        profile.change_password(me, current="", new="seven blue turbines hum", token="x")
