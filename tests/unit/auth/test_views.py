from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from prodapp.auth import service as auth
from prodapp.auth.forms import safe_next
from prodapp.caller import Caller
from prodapp.extensions import command, db, limiter
from prodapp.models import User, UserSession
from tests.pages import csrf_token, post_form

PASSWORD = "correct horse battery"
MACHINES = "/app/machines/"


@pytest.fixture
def user(caller: Caller) -> User:
    return auth.create_user(caller, username="Maria", role="operator", password=PASSWORD)


def is_signed_in(client: FlaskClient) -> bool:
    return client.get(MACHINES).status_code == 200


def sign_in(client: FlaskClient, **form: str):
    return post_form(client, "/app/sign-in", **{"username": "Maria", "password": PASSWORD, **form})


def test_name_and_password_let_in_and_signing_out_ends_it(client: FlaskClient, user: User) -> None:
    answer = sign_in(client)
    assert (answer.status_code, answer.location) == (302, MACHINES)
    page = client.get(MACHINES)
    assert "Welcome, Maria." in page.text
    assert "Welcome" not in client.get(MACHINES).text
    assert client.get("/app/sign-in").location == MACHINES
    answer = client.post("/app/sign-out", data={"csrf_token": csrf_token(client, MACHINES)})
    assert answer.location == "/app/sign-in"
    assert not is_signed_in(client)


def test_signing_out_ends_the_session_and_not_the_cookie_alone(
    app: Flask, client: FlaskClient, user: User
) -> None:
    sign_in(client)
    thief = app.test_client()
    cookie = client.get_cookie("prodapp")
    assert cookie is not None
    thief.set_cookie("prodapp", cookie.value)
    assert is_signed_in(thief)
    client.post("/app/sign-out", data={"csrf_token": csrf_token(client, MACHINES)})
    assert not is_signed_in(thief)


def test_signing_out_twice_is_no_error(client: FlaskClient) -> None:
    assert post_form(client, "/app/sign-out").location == "/app/sign-in"


def test_signing_in_again_ends_the_session_before(client: FlaskClient, user: User) -> None:
    for _ in range(2):
        client.get(f"/app/sign-in/{auth.create_sign_in_link(user)}")
    revoked = db.session.scalars(select(UserSession.revoked_at).order_by(UserSession.id)).all()
    assert [at is None for at in revoked] == [False, True]


def test_nothing_of_the_cookie_before_survives_signing_in(client: FlaskClient, user: User) -> None:
    token = csrf_token(client)
    sign_in(client)
    assert client.post("/app/sign-out", data={"csrf_token": token}).status_code == 400
    assert is_signed_in(client)


@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_a_wrong_password_is_told_in_the_readers_language(
    client: FlaskClient, user: User, language: str
) -> None:
    token = csrf_token(client)
    answer = client.post(
        "/app/sign-in",
        data={
            "csrf_token": token,
            "username": '"><script>',
            "password": "wrong-password",
            "next": "/app/machines/7",
        },
        headers={"Accept-Language": language},
    )
    english = "That name and password do not fit together."
    assert answer.status_code == 401
    assert (english in answer.text) is (language == "en")
    assert f'<html lang="{language}"' in answer.text
    assert "wrong-password" not in answer.text
    assert "&gt;&lt;script&gt;" in answer.text
    assert "/app/machines/7" in answer.text  # where to go is not forgotten
    assert not is_signed_in(client)


def test_too_many_tries_have_to_wait_without_and_with_a_queue(
    client: FlaskClient, user: User
) -> None:
    token = csrf_token(client)
    form = {"csrf_token": token, "username": "maria", "password": "wrong"}
    statuses = [client.post("/app/sign-in", data=form).status_code for _ in range(11)]
    assert statuses == [401] * 10 + [429]
    answer = client.post("/app/sign-in", data={**form, "username": " MARIA ", "password": PASSWORD})
    assert answer.status_code == 429
    assert "Wait a minute" in answer.text
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.queue
def test_tries_are_counted_in_the_queue_server_over_all_processes(
    make_app: Callable[..., Flask], empty_valkey_url: str
) -> None:
    answers = []
    for n_tries in (6, 6):
        client = make_app(REDIS_URL=empty_valkey_url).test_client()
        limiter._storage_dead = False  # an earlier application of this process had no queue
        form = {"csrf_token": csrf_token(client), "username": "maria", "password": "wrong"}
        answers += [client.post("/app/sign-in", data=form).status_code for _ in range(n_tries)]
    assert answers == [401] * 10 + [429] * 2


def test_a_stranger_who_tries_does_not_lock_the_owner_out(
    app: Flask, client: FlaskClient, user: User
) -> None:
    token = csrf_token(client)
    form = {"csrf_token": token, "username": "maria", "password": "wrong"}
    for _ in range(12):
        answer = client.post("/app/sign-in", data=form, environ_base={"REMOTE_ADDR": "10.6.6.6"})
    assert answer.status_code == 429
    owner = app.test_client()
    token = csrf_token(owner)
    answer = owner.post(
        "/app/sign-in",
        data={"csrf_token": token, "username": "maria", "password": PASSWORD},
        environ_base={"REMOTE_ADDR": "10.0.0.7"},
    )
    assert answer.status_code == 302


def test_one_address_that_tries_many_names_has_to_wait(client: FlaskClient) -> None:
    token = csrf_token(client)
    statuses = [
        client.post(
            "/app/sign-in", data={"csrf_token": token, "username": f"u{n}", "password": "x"}
        ).status_code
        for n in range(31)
    ]
    assert statuses == [401] * 30 + [429]


@pytest.mark.parametrize(
    ("path", "result"),
    [
        ("/app/machines/3", "/app/machines/3"),
        ("/app/machines/?q=a&page=2", "/app/machines/?q=a&page=2"),
        ("", None),
        ("/", None),
        ("/api/v1/machines", None),
        ("//evil.example/app/", None),
        ("/\\evil.example", None),
        ("/app/\\evil.example", None),
        ("https://evil.example/app/", None),
        ("javascript:alert(1)", None),
        ("/app/\r\nSet-Cookie: a=b", None),
        (" /app/", None),
    ],
)
def test_only_pages_of_ours_are_led_to(path: str, result: str | None) -> None:
    assert safe_next(path) == result


@pytest.mark.parametrize(
    ("asked", "led_to"),
    [("/app/machines/new", "/app/machines/new"), ("https://evil.example/app/", MACHINES)],
)
def test_signing_in_leads_to_where_one_wanted_to_go(
    client: FlaskClient, user: User, asked: str, led_to: str
) -> None:
    assert sign_in(client, next=asked).location == led_to


def test_the_way_back_survives_the_detour_by_the_sign_in_page(
    client: FlaskClient, user: User
) -> None:
    away = client.get("/app/machines/?q=press&sort=r2")
    page = client.get(away.location)
    assert 'value="/app/machines/?q=press&amp;sort=r2"' in page.text


def test_a_link_lets_in_once_and_says_so_the_second_time(
    app: Flask, client: FlaskClient, user: User
) -> None:
    path = f"/app/sign-in/{auth.create_sign_in_link(user)}"
    assert client.head(path).status_code == 200  # a preview does not use it up
    assert client.get(path).location == MACHINES
    assert is_signed_in(client)
    other = app.test_client()
    answer = other.get(path)
    assert answer.status_code == 401
    assert "was used already or has expired" in answer.text
    assert not is_signed_in(other)


@pytest.mark.parametrize("token", ["x", "%00", "%ff", "../../x", "a" * 3000])
def test_a_link_that_never_was_lets_nobody_in(client: FlaskClient, token: str) -> None:
    assert client.get(f"/app/sign-in/{token}").status_code in (401, 404)


def test_a_deactivated_user_is_shown_the_way_out(client: FlaskClient, user: User) -> None:
    sign_in(client)
    with command() as session:
        session.execute(update(User).values(is_active=False))
    assert not is_signed_in(client)


def test_the_sign_in_page_is_shown_to_whose_session_has_ended(
    client: FlaskClient, user: User
) -> None:
    sign_in(client)
    with command() as session:
        session.execute(update(UserSession).values(revoked_at=UserSession.created_at))
    assert client.get("/app/sign-in").status_code == 200
