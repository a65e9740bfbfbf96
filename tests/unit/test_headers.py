from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.pages import TOKEN

LISTED = "https://dashboard.example"
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"}


def policy_of(answer: TestResponse) -> dict[str, list[str]]:
    parts = (part.split() for part in answer.headers["Content-Security-Policy"].split(";"))
    return {words[0]: words[1:] for words in parts}


@pytest.mark.parametrize("path", ["/app/sign-in", "/nowhere", "/api/v1/machines", "/machines/"])
def test_every_answer_carries_the_security_headers(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    policy = policy_of(answer)
    assert policy["default-src"] == ["'none'"]
    assert policy["base-uri"] == ["'none'"]
    assert policy["frame-ancestors"] == ["'none'"]
    for sources in policy.values():
        assert not {"'unsafe-inline'", "'unsafe-eval'", "*", "http:", "https:"} & set(sources)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert "no-store" in answer.headers["Cache-Control"]
    assert "Server" not in answer.headers


def test_scripts_of_a_page_carry_its_nonce_and_each_page_has_another(client: FlaskClient) -> None:
    nonces = set()
    for _ in range(3):
        answer = client.get("/app/sign-in")
        (nonce,) = {
            word[7:-1] for word in policy_of(answer)["script-src"] if word.startswith("'nonce-")
        }
        scripts = re.findall(r"<script[^>]*>", answer.text)
        assert scripts
        assert all(f'nonce="{nonce}"' in script for script in scripts)
        nonces.add(nonce)
    assert len(nonces) == 3


def test_pages_hold_no_inline_handlers_and_styles(client: FlaskClient) -> None:
    page = client.get("/app/sign-in").text
    assert not re.search(r"<[^>]+\s(?:on[a-z]+|style)=", page)
    assert "javascript:" not in page


def test_transport_security_is_asked_for_under_https_alone(
    client: FlaskClient, make_app: Callable[..., Flask]
) -> None:
    assert "Strict-Transport-Security" not in client.get("/app/sign-in").headers
    secure = make_app(PUBLIC_URL="https://prodapp.example").test_client()
    assert "max-age" in secure.get("/app/sign-in").headers["Strict-Transport-Security"]


def test_the_session_cookie_is_tied_to_the_host_under_https(
    client: FlaskClient, make_app: Callable[..., Flask]
) -> None:
    cookie = client.get("/app/sign-in").headers["Set-Cookie"]
    assert cookie.startswith("prodapp=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    secure = make_app(PUBLIC_URL="https://prodapp.example").test_client()
    cookie = secure.get("/app/sign-in", base_url="https://prodapp.example").headers["Set-Cookie"]
    assert cookie.startswith("__Host-prodapp=")
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


def test_so_is_the_languages(make_app: Callable[..., Flask]) -> None:
    """No neighbouring host may set it."""
    secure, base = (
        make_app(PUBLIC_URL="https://prodapp.example").test_client(),
        {"base_url": "https://prodapp.example"},
    )
    found = TOKEN.search(secure.get("/app/sign-in", **base).text)
    assert found
    form = {"csrf_token": found[1], "locale": "pt_BR", "next": "/app/sign-in"}
    here = {"Referer": "https://prodapp.example/app/sign-in"}
    answer = secure.post("/app/language", data=form, headers=here, **base)
    [cookie] = [c for c in answer.headers.getlist("Set-Cookie") if "locale" in c]
    assert cookie.startswith("__Host-locale=pt_BR;")
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert 'lang="pt-BR"' in secure.get("/app/sign-in", **base).text
    secure.set_cookie("locale", "en", domain="prodapp.example")
    assert 'lang="pt-BR"' in secure.get("/app/sign-in", **base).text


def test_static_files_may_be_cached(client: FlaskClient) -> None:
    answer = client.get("/static/app.css")
    assert "no-store" not in answer.headers.get("Cache-Control", "")
    assert "Cookie" not in answer.headers.get("Vary", "")
    answer.close()


@pytest.fixture
def cors(make_app: Callable[..., Flask]) -> FlaskClient:
    return make_app(CORS_ORIGINS=LISTED).test_client()


def test_a_dashboard_elsewhere_can_read_how_often_it_may_call(cors: FlaskClient) -> None:
    answer = cors.get("/api/openapi.json", headers={"Origin": LISTED})
    exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
    counted = {name for name, _ in answer.headers if name.startswith("RateLimit")}
    assert len(counted) == 3
    assert counted | {"Retry-After", "X-Request-ID"} <= set(exposed)


@pytest.mark.parametrize("path", ["/machines/", "/ranking/?machine_id=1", "/api/v1/machines"])
def test_a_listed_origin_may_read_answers_also_of_errors(cors: FlaskClient, path: str) -> None:
    answer = cors.get(path, headers={"Origin": LISTED})
    assert answer.status_code == 401
    assert answer.headers["Access-Control-Allow-Origin"] == LISTED
    assert "Origin" in answer.headers["Vary"]
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://dashboard.example",
        "https://dashboard.example.evil.example",
        "https://dashboard.example:8443",
        "null",
    ],
)
def test_other_origins_are_not_let_in(cors: FlaskClient, origin: str) -> None:
    for answer in (
        cors.get("/machines/", headers={"Origin": origin}),
        cors.options("/machines/", headers={"Origin": origin, **PREFLIGHT}),
    ):
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert "Origin" in answer.headers["Vary"]


@pytest.mark.parametrize(
    "path",
    ["/machines/", "/machines", "/models/", "/models/1", "/train/", "/train", "/api/v1/machines"],
)
def test_a_preflight_of_a_listed_origin_passes_without_credentials(
    cors: FlaskClient, path: str
) -> None:
    answer = cors.options(path, headers={"Origin": LISTED, **PREFLIGHT})
    assert answer.status_code in (200, 204)
    assert answer.headers["Access-Control-Allow-Origin"] == LISTED
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    allowed = answer.headers["Access-Control-Allow-Headers"].lower()
    assert "x-api-key" in allowed
    assert "authorization" in allowed


def test_pages_are_never_opened_to_other_origins(cors: FlaskClient) -> None:
    for path in ("/app/sign-in", "/app/machines/", "/healthz"):
        answer = cors.get(path, headers={"Origin": LISTED})
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_star_lets_every_origin_in(make_app: Callable[..., Flask]) -> None:
    answer = (
        make_app(CORS_ORIGINS="*")
        .test_client()
        .get("/machines/", headers={"Origin": "https://any.example"})
    )
    assert answer.headers["Access-Control-Allow-Origin"] in ("*", "https://any.example")
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_the_root_leads_to_the_machines(client: FlaskClient) -> None:
    assert client.get("/").location == "/app/machines/"
