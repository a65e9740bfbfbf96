from __future__ import annotations

import errno
from collections.abc import Callable
from typing import NoReturn

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import IntegrityError
from werkzeug.exceptions import RequestTimeout

from prodapp.auth.permissions import public
from prodapp.exceptions import (
    Conflict,
    DataRefused,
    DomainError,
    FieldError,
    Forbidden,
    InvalidInput,
    NotFound,
    RunFailed,
    StorageFull,
    TooLarge,
    Unavailable,
)

HTMX = {"HX-Request": "true"}
PATHS = {"page": "/app/boom", "api": "/api/v1/boom", "integration": "/machines/boom/boom"}


@pytest.fixture
def client_of(app: Flask) -> Callable[[Exception], FlaskClient]:
    """A function that gives a client of an application whose routes raise an error."""

    def make(error: Exception) -> FlaskClient:
        @public
        def boom() -> NoReturn:
            raise error

        for name, path in PATHS.items():
            app.add_url_rule(path, f"boom_{name}", boom, methods=["GET", "POST"])
        return app.test_client()

    return make


@pytest.mark.parametrize(
    ("error", "status", "integration_status"),
    [
        (NotFound("x"), 404, 404),
        (Conflict("x"), 409, 409),
        (InvalidInput("x"), 422, 422),
        (Forbidden("x"), 403, 403),
        (TooLarge("x"), 413, 413),
        (DataRefused("x"), 422, 400),
        (RunFailed("x"), 422, 422),
        (Unavailable("x"), 503, 503),
        (StorageFull("x"), 507, 507),
        (OSError(errno.ENOSPC, "x"), 507, 507),
        (OSError(errno.EIO, "x"), 500, 500),
        (RequestTimeout(), 408, 408),
        (DomainError("x"), 400, 400),
    ],
)
def test_each_kind_of_error_has_its_status_on_each_surface(
    client_of: Callable[[Exception], FlaskClient],
    error: Exception,
    status: int,
    integration_status: int,
) -> None:
    client = client_of(error)
    assert client.get(PATHS["page"]).status_code == status
    assert client.get(PATHS["page"], headers=HTMX).status_code == status
    assert client.get(PATHS["api"]).status_code == status
    assert client.get(PATHS["integration"]).status_code == integration_status


def test_the_api_answers_a_problem_document(
    client_of: Callable[[Exception], FlaskClient],
) -> None:
    error = DataRefused("Row %(row)s is %(what)s.", row=3, column="speed", what="odd")
    answer = client_of(error).get(PATHS["api"], headers={"X-Request-ID": "my-request-1"})
    assert answer.content_type == "application/problem+json"
    assert answer.json == {
        "type": "urn:prodapp:problem:data_refused",
        "title": "Please check your input",
        "status": 422,
        "detail": "Row 3 is odd.",
        "instance": "/api/v1/boom",
        "code": "data_refused",
        "request_id": "my-request-1",
        "row": 3,
        "column": "speed",
    }


def test_a_bad_field_is_pointed_at_on_each_surface(
    client_of: Callable[[Exception], FlaskClient],
) -> None:
    error = InvalidInput("Look again.", fields=(FieldError("/a/0/b", "Too %(how)s.", {"how": 1}),))
    client = client_of(error)
    assert client.get(PATHS["api"]).json["errors"] == [{"pointer": "/a/0/b", "detail": "Too 1."}]
    assert client.get(PATHS["integration"]).json == {
        "detail": [{"loc": ["a", "0", "b"], "msg": "Too 1."}]
    }
    for headers in ({}, HTMX):
        page = client.get(PATHS["page"], headers=headers).text
        assert "Look again." in page
        assert "Too 1." in page


def test_percent_signs_of_messages_without_params_stay_as_they_are(
    client_of: Callable[[Exception], FlaskClient],
) -> None:
    error = InvalidInput("Use 100%.", fields=(FieldError("/a", "5% at most."),))
    client = client_of(error)
    assert client.get(PATHS["api"]).json["detail"] == "Use 100%."
    assert client.get(PATHS["api"]).json["errors"][0]["detail"] == "5% at most."
    assert client.get(PATHS["integration"]).json["detail"][0]["msg"] == "5% at most."
    assert "Use 100%." in client.get(PATHS["page"]).text
    assert "5% at most." in client.get(PATHS["page"]).text


def test_what_a_user_sent_is_escaped_on_the_error_page(
    client_of: Callable[[Exception], FlaskClient],
) -> None:
    client = client_of(NotFound("No %(name)s.", name="<script>alert(1)</script>"))
    for headers in ({}, HTMX):
        page = client.get(PATHS["page"], headers=headers).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page


def test_a_fragment_is_answered_to_htmx_and_a_page_to_all_others(
    client_of: Callable[[Exception], FlaskClient],
) -> None:
    client = client_of(NotFound("Gone for good."))
    fragment = client.get(PATHS["page"], headers=HTMX)
    assert "<html" not in fragment.text
    assert fragment.headers["HX-Retarget"] == "#messages"
    page = client.get(PATHS["page"])
    assert "<html" in page.text
    for answer in (fragment, page):
        assert "Gone for good." in answer.text
        assert "HX-Request" in answer.headers["Vary"]


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize("path", PATHS.values())
def test_an_unexpected_error_shows_nothing_of_itself(
    client_of: Callable[[Exception], FlaskClient], path: str, headers: dict[str, str]
) -> None:
    client = client_of(RuntimeError("password=hunter2 at /srv/secret.py"))
    sent = {**headers, "X-Request-ID": "support-me", "Accept-Language": "en"}
    answer = client.get(path, headers=sent)
    assert answer.status_code == 500
    for leak in ("hunter2", "secret.py", "RuntimeError", "Traceback"):
        assert leak not in answer.text
    assert "It has been logged" in answer.text
    assert answer.headers["X-Request-ID"] == "support-me"


def test_a_page_of_an_unexpected_error_says_what_to_tell_support(
    client_of: Callable[[Exception], FlaskClient],
) -> None:
    client = client_of(RuntimeError("x"))
    assert "support-me" in client.get(PATHS["page"], headers={"X-Request-ID": "support-me"}).text


def test_a_broken_constraint_is_an_unexpected_error(
    client_of: Callable[[Exception], FlaskClient],
) -> None:
    error = IntegrityError("INSERT INTO secrets", {"key": "hunter2"}, Exception("boom"))
    answer = client_of(error).get(PATHS["api"])
    assert answer.status_code == 500
    assert "secrets" not in answer.text


@pytest.mark.parametrize("path", ["/nowhere", "/app/nowhere", "/app/machines/0/nowhere"])
def test_an_unknown_page_is_a_page(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.mimetype == "text/html"
    assert "There is nothing at this address." in answer.text


def test_an_unknown_address_of_the_api_is_a_problem(client: FlaskClient) -> None:
    answer = client.get("/api/v1/nowhere")
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
    assert answer.json["code"] == "not_found"


def test_an_unknown_address_of_the_integration_is_a_detail(client: FlaskClient) -> None:
    answer = client.get("/machines/1/nowhere", headers={"Accept-Language": "en"})
    assert answer.status_code == 404
    assert answer.json == {"detail": "There is nothing at this address."}


@pytest.mark.parametrize("path", ["/app/machines/", "/api/v1/machines/", "/machines/", "/models/"])
def test_numbers_of_thousands_of_digits_name_nothing(client: FlaskClient, path: str) -> None:
    for number in ("9" * 19, "9" * 20, "9" * 5000):
        assert client.get(path + number).status_code in (302, 401, 404)


def test_a_method_that_is_not_taken_names_those_that_are(client: FlaskClient) -> None:
    answer = client.delete("/api/v1/machines")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]
    assert client.put("/app/sign-in").mimetype == "text/html"


def test_a_page_without_its_form_token_is_told_to_load_again(client: FlaskClient) -> None:
    answer = client.post("/app/sign-in", data={"username": "a", "password": "b"})
    assert answer.status_code == 400
    assert "Load it again" in answer.text


def test_a_form_that_is_too_large_is_refused(client: FlaskClient) -> None:
    answer = client.post(
        "/app/sign-in",
        data=b"username=" + b"x" * (2 * 1024**2),
        content_type="application/x-www-form-urlencoded",
    )
    assert answer.status_code == 413
    assert "larger than this installation accepts" in answer.text


@pytest.fixture
def away(make_app: Callable[..., Flask]) -> FlaskClient:
    """A client of an application whose database does not answer."""
    url = "postgresql://nobody@127.0.0.1:1/none?connect_timeout=2"
    return make_app(DATABASE_URL=url).test_client()


@pytest.mark.parametrize(
    ("path", "mimetype"),
    [
        ("/api/v1/machines", "application/problem+json"),
        ("/machines/", "application/json"),
    ],
)
def test_a_database_that_is_away_is_told_with_when_to_come_back(
    away: FlaskClient, path: str, mimetype: str
) -> None:
    key = "pa_01234567_" + "x" * 43
    answer = away.get(path, headers={"Authorization": f"Bearer {key}", "Accept-Language": "en"})
    assert answer.status_code == 503
    assert answer.mimetype == mimetype
    assert answer.headers["Retry-After"] == "5"
    assert "database does not answer" in answer.json["detail"]


def test_pages_say_that_the_database_is_away(away: FlaskClient) -> None:
    with away.session_transaction() as session:
        session["token"] = "any"
    for headers in ({}, HTMX):
        answer = away.get("/app/machines/", headers=headers)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "5"
        assert "database does not answer" in answer.text
    assert away.get("/app/sign-in").status_code == 200
