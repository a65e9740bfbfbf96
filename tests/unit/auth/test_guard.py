from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, jsonify
from flask.testing import FlaskClient
from sqlalchemy import select, update

from prodapp.auth import service as auth
from prodapp.auth import tokens
from prodapp.auth.guard import Surface, current_caller, surface_of
from prodapp.auth.permissions import requires
from prodapp.caller import RANKS, Caller
from prodapp.extensions import command, db
from prodapp.models import ApiKey, User, UserSession
from prodapp.models.types import db_now
from tests.conftest import SECRET
from tests.pages import csrf_token

PASSWORD = "correct horse battery"
PATHS = {"page": "/app/whoami", "api": "/api/v1/whoami", "integration": "/machines/who/ami"}
CREDENTIALS = ("session", "token", "key", "key by header")


@pytest.fixture
def whoami(app: Flask) -> Flask:
    """An application with a route on each surface that tells who calls and sends."""

    @requires("viewer")
    def tell() -> Any:
        caller = current_caller()
        return jsonify(name=caller.name, kind=caller.kind, role=caller.role)

    @requires("viewer", is_poll=True)
    def poll() -> str:
        return "polled"

    for name, path in PATHS.items():
        app.add_url_rule(path, f"whoami_{name}", tell, methods=["GET", "POST"])
    app.add_url_rule("/app/poll", "poll", poll)
    return app


@pytest.fixture
def user(caller: Caller) -> User:
    return auth.create_user(caller, username="maria", role="operator", password=PASSWORD)


@pytest.fixture
def browser(whoami: Flask, user: User) -> FlaskClient:
    """A browser in which ``user`` is signed in."""
    client = whoami.test_client()
    client.get(f"/app/sign-in/{auth.create_sign_in_link(user)}")
    return client


def headers_of(credential: str, user: User, caller: Caller) -> dict[str, str]:
    if credential == "token":
        pair = tokens.sign_in(user.username, PASSWORD, secret_key=SECRET)
        return {"Authorization": f"Bearer {pair.access_token}"}
    secret = auth.create_key(caller, username=user.username, name="x").secret
    return (
        {"X-API-Key": secret} if "header" in credential else {"Authorization": f"bearer {secret}"}
    )


@pytest.mark.parametrize(
    ("path", "surface"),
    [
        ("/", Surface.PAGE),
        ("/app/machines/", Surface.PAGE),
        ("/nowhere", Surface.PAGE),
        ("/static/app.css", Surface.PAGE),
        ("/api/v1/machines", Surface.API),
        ("/api/docs", Surface.API),
        ("/machines", Surface.INTEGRATION),
        ("/machines/1", Surface.INTEGRATION),
        ("/models/", Surface.INTEGRATION),
        ("/train/", Surface.INTEGRATION),
        ("/ranking", Surface.INTEGRATION),
        ("/webhook/treinamento/", Surface.INTEGRATION),
    ],
)
def test_each_path_belongs_to_a_surface(path: str, surface: Surface) -> None:
    assert surface_of(path) is surface


@pytest.mark.parametrize(
    ("surface", "accepted"),
    [
        ("page", {"session"}),
        ("api", {"session", "token", "key", "key by header"}),
        ("integration", {"token", "key", "key by header"}),
    ],
)
@pytest.mark.parametrize("credential", CREDENTIALS)
def test_each_surface_takes_its_credentials_and_no_others(
    whoami: Flask,
    browser: FlaskClient,
    user: User,
    caller: Caller,
    surface: str,
    accepted: set[str],
    credential: str,
) -> None:
    if credential == "session":
        answer = browser.get(PATHS[surface])
    else:
        headers = headers_of(credential, user, caller)
        answer = whoami.test_client().get(PATHS[surface], headers=headers)
    if credential in accepted:
        assert answer.json["name"] == "maria"
        assert answer.json["role"] == "operator"
        assert answer.json["kind"] == credential.partition(" ")[0]
    else:
        assert answer.status_code in (302, 401)
        assert "maria" not in answer.text


@pytest.mark.parametrize("surface", PATHS)
def test_nobody_gets_in_without_credentials(whoami: Flask, surface: str) -> None:
    answer = whoami.test_client().get(PATHS[surface])
    if surface == "page":
        assert answer.status_code == 302
        assert answer.location == "/app/sign-in?next=/app/whoami"
    else:
        assert answer.status_code == 401
    if surface == "api":
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_fragment_is_led_to_the_sign_in_page(whoami: Flask) -> None:
    answer = whoami.test_client().get(PATHS["page"], headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"].startswith("/app/sign-in")


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer nonsense"},
        {"Authorization": "Bearer pa_01234567_nonsense"},
        {"X-API-Key": "nonsense"},
    ],
)
def test_a_wrong_secret_is_not_made_good_by_a_cookie(
    browser: FlaskClient, headers: dict[str, str]
) -> None:
    assert browser.get(PATHS["api"], headers=headers).status_code == 401
    assert browser.get(PATHS["integration"], headers=headers).status_code == 401


@pytest.mark.parametrize(
    "header", ["Basic bWFyaWE6eA==", "Bearer", "Bearer ", "", "Digest x", "bearerx"]
)
def test_other_authorizations_prove_nothing(whoami: Flask, header: str) -> None:
    client = whoami.test_client()
    assert client.get(PATHS["api"], headers={"Authorization": header}).status_code == 401


# --- what a browser could be made to send -----------------------------------------------------


def test_a_page_takes_forms_with_their_token_alone(browser: FlaskClient) -> None:
    assert browser.post(PATHS["page"]).status_code == 400
    assert browser.post(PATHS["page"], data={"csrf_token": "forged"}).status_code == 400
    token = csrf_token(browser, "/app/machines/new")
    assert browser.post(PATHS["page"], data={"csrf_token": token}).status_code == 200
    assert browser.post(PATHS["page"], headers={"X-CSRFToken": token}).status_code == 200


def test_a_token_of_another_browser_does_not_count(browser: FlaskClient, whoami: Flask) -> None:
    token = csrf_token(whoami.test_client())
    assert browser.post(PATHS["page"], data={"csrf_token": token}).status_code == 400


def test_the_api_by_cookie_needs_the_token_and_by_secret_does_not(
    browser: FlaskClient, user: User, caller: Caller
) -> None:
    answer = browser.post(PATHS["api"], json={})
    assert (answer.status_code, answer.json["code"]) == (400, "csrf")
    token = csrf_token(browser, "/app/machines/new")
    assert browser.post(PATHS["api"], json={}, headers={"X-CSRFToken": token}).status_code == 200
    for credential in ("token", "key"):
        headers = headers_of(credential, user, caller)
        assert browser.post(PATHS["api"], json={}, headers=headers).status_code == 200
        assert browser.post(PATHS["integration"], json={}, headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://evil.example", 403),
        ("http://localhost.evil.example", 403),
        ("http://localhost:81", 403),
        ("http://localhost", 200),
        ("null", 403),
        ("nonsense", 403),
    ],
)
@pytest.mark.parametrize("surface", ["page", "api"])
def test_a_form_from_another_site_is_refused_whatever_its_token(
    browser: FlaskClient, surface: str, origin: str, status: int
) -> None:
    headers = {"X-CSRFToken": csrf_token(browser, "/app/machines/new"), "Origin": origin}
    assert browser.post(PATHS[surface], headers=headers).status_code == status


def test_reading_needs_no_token(browser: FlaskClient) -> None:
    for surface in ("page", "api"):
        assert browser.get(PATHS[surface]).status_code == 200
        assert browser.head(PATHS[surface]).status_code == 200


# --- sessions, roles, sites -------------------------------------------------------------------


def test_a_poll_does_not_keep_a_session_awake(browser: FlaskClient) -> None:
    with command() as session:
        session.execute(update(UserSession).values(last_seen_at=db_now(-3600)))
    before = db.session.scalar(select(UserSession.last_seen_at))
    assert browser.get("/app/poll").text == "polled"
    assert db.session.scalar(select(UserSession.last_seen_at)) == before
    assert browser.get("/app/sign-in").status_code == 302
    assert db.session.scalar(select(UserSession.last_seen_at)) == before
    browser.get(PATHS["page"])
    after = db.session.scalar(select(UserSession.last_seen_at))
    assert after is not None
    assert before is not None
    assert after > before


@pytest.mark.parametrize(
    "end",
    [
        {"revoked_at": db_now()},
        {"last_seen_at": db_now(-13 * 3600)},
        {"created_at": db_now(-8 * 86400)},
    ],
    ids=["revoked", "idle", "old"],
)
def test_an_ended_session_is_asked_to_sign_in(browser: FlaskClient, end: dict[str, Any]) -> None:
    with command() as session:
        session.execute(update(UserSession).values(**end))
    assert browser.get(PATHS["page"]).status_code == 302
    assert browser.get(PATHS["api"]).status_code == 401


def test_a_forged_cookie_opens_nothing(whoami: Flask) -> None:
    client = whoami.test_client()
    client.set_cookie("prodapp", "eyJ0b2tlbiI6IngifQ.Zz.forged")
    assert client.get(PATHS["page"]).status_code == 302


def test_a_changed_role_counts_at_once(browser: FlaskClient, user: User) -> None:
    with command() as session:
        session.execute(update(User).where(User.id == user.id).values(role="viewer"))
    assert browser.get(PATHS["page"]).json["role"] == "viewer"


def test_a_key_never_outranks_its_user(whoami: Flask, user: User, caller: Caller) -> None:
    headers = headers_of("key", user, caller)
    with command() as session:
        session.execute(update(ApiKey).values(role="admin"))
    assert whoami.test_client().get(PATHS["api"], headers=headers).json["role"] == "operator"
    with command() as session:
        session.execute(update(ApiKey).values(role="viewer"))
    assert whoami.test_client().get(PATHS["api"], headers=headers).json["role"] == "viewer"


@pytest.mark.parametrize("needed", RANKS)
@pytest.mark.parametrize("held", RANKS)
def test_a_role_may_what_lesser_roles_may(
    app: Flask, bearer: Callable[..., dict[str, str]], needed: str, held: str
) -> None:
    app.add_url_rule("/api/v1/act", "act", requires(needed)(lambda: "done"))
    answer = app.test_client().get("/api/v1/act", headers=bearer(held))
    assert answer.status_code == (200 if RANKS[held] >= RANKS[needed] else 403)
    if answer.status_code == 403:
        assert needed in answer.json["detail"]
        assert held in answer.json["detail"]


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_the_integration_is_open_to_strangers_by_configuration_alone(
    make_app: Callable[..., Flask], role: str
) -> None:
    app = make_app(INTEGRATION_ANONYMOUS_ROLE=role, INTEGRATION_SITE="plant 2")
    client = app.test_client()
    assert client.get("/machines/").status_code == 200
    created = client.post("/machines/", json={"machine_name": "Prensa 01"})
    assert created.status_code == (200 if role == "operator" else 403)
    assert client.get("/api/v1/machines").status_code == 401
    assert client.get("/app/machines/").status_code == 302
    wrong = client.get("/machines/", headers={"Authorization": "Bearer nonsense"})
    assert wrong.status_code == 401


# --- bodies -----------------------------------------------------------------------------------


def test_only_uploads_may_be_large(
    make_app: Callable[..., Flask],
) -> None:
    app = make_app(MAX_UPLOAD_MB="3")
    with app.app_context():
        caller = auth.system_caller()
        auth.create_user(caller, username="u", role="operator")
        secret = auth.create_key(caller, username="u", name="x").secret
    client, headers = app.test_client(), {"Authorization": f"Bearer {secret}"}
    machine = client.post("/api/v1/machines", json={"name": "a"}, headers=headers).json["id"]
    big = {"name": "x" * (2 * 1024**2)}
    assert client.post("/api/v1/machines", json=big, headers=headers).status_code == 413
    path = f"/api/v1/machines/{machine}/datasets"
    row = b"1234.5678,0.123456789\n"
    for megabytes, status in ((2, 202), (4, 413)):
        content = b"a,b\n" + row * (megabytes * 1024**2 // len(row))
        part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="x.csv"\r\n\r\n'
        body = part + content + b"\r\n--x--\r\n"
        kind = "multipart/form-data; boundary=x"
        answer = client.post(path, data=body, content_type=kind, headers=headers)
        assert answer.status_code == status
