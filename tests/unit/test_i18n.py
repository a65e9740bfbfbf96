from __future__ import annotations

import contextvars

import pytest
from flask import Flask
from flask.testing import FlaskClient

from prodapp.app import select_locale
from prodapp.error_text import error_text
from prodapp.exceptions import DataRefused, DomainError, InvalidInput
from prodapp.i18n import gettext
from tests.pages import post_form

LANGUAGE = '<html lang="'


def language_of(client: FlaskClient, **headers: str) -> str:
    page = client.get("/app/sign-in", headers=headers).text
    return page.partition(LANGUAGE)[2].partition('"')[0]


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("pt-BR", "pt-BR"),
        ("pt-BR,pt;q=0.9,en;q=0.8", "pt-BR"),
        ("pt", "pt-BR"),
        ("pt-PT", "pt-BR"),
        ("en-GB,en;q=0.5", "en"),
        ("de,pt;q=0.3,en;q=0.2", "pt-BR"),
        ("de-DE", "en"),
        ("", "en"),
        ("*", "en"),
        ("%%%;;q=x", "en"),
    ],
)
def test_pages_speak_what_the_browser_asks_for(
    client: FlaskClient, accepted: str, language: str
) -> None:
    assert language_of(client, **{"Accept-Language": accepted}) == language


def test_a_saved_choice_wins_over_the_browser(client: FlaskClient) -> None:
    answer = post_form(client, "/app/language", locale="pt_BR", next="/app/sign-in")
    assert answer.location == "/app/sign-in"
    assert language_of(client, **{"Accept-Language": "en"}) == "pt-BR"
    post_form(client, "/app/language", locale="en")
    assert language_of(client, **{"Accept-Language": "pt-BR"}) == "en"


@pytest.mark.parametrize("locale", ["", "fr", "../../etc", "pt_BR\x00"])
def test_an_unknown_language_is_not_saved(client: FlaskClient, locale: str) -> None:
    answer = post_form(client, "/app/language", locale=locale)
    assert answer.status_code == 302
    assert "locale" not in answer.headers.get("Set-Cookie", "")


def test_a_forged_language_cookie_counts_for_nothing(client: FlaskClient) -> None:
    client.set_cookie("locale", "xx_YY")
    assert language_of(client) == "en"


def test_choosing_a_language_leads_nowhere_else(client: FlaskClient) -> None:
    answer = post_form(client, "/app/language", locale="en", next="https://evil.example/app/")
    assert answer.location == "/"


@pytest.mark.parametrize(
    ("path", "locale"),
    [("/ranking/", "pt_BR"), ("/machines", "pt_BR"), ("/api/v1/machines", "en"), ("/app/", "en")],
)
def test_each_surface_has_its_own_default_language(app: Flask, path: str, locale: str) -> None:
    with app.test_request_context(path):
        assert select_locale() == locale
    with app.test_request_context(path, headers={"Accept-Language": "en"}):
        assert select_locale() == "en"


@pytest.mark.usefixtures("app")
def test_words_outside_of_a_request_are_english() -> None:
    assert gettext("Sign in") == "Sign in"
    assert gettext("%(a)s of %(b)s", a=1, b="2%") == "1 of 2%"


def said(app: Flask, error: DomainError, *, language: str) -> str:
    """The error's text in a request of that language, apart from any other request."""

    def say() -> str:
        with app.test_request_context(headers={"Accept-Language": language}):
            return error_text(error)

    return contextvars.Context().run(say)


def test_an_error_reads_in_the_language_of_whoever_caused_it(app: Flask) -> None:
    error = InvalidInput("Give the machine a name.")
    assert said(app, error, language="en") == "Give the machine a name."
    assert said(app, error, language="pt-BR") != "Give the machine a name."


def test_numbers_in_an_error_are_written_as_its_language_writes_them(app: Flask) -> None:
    error = DataRefused("It has %(n)d of them.", n=12345)
    assert said(app, error, language="en") == "It has 12,345 of them."
    assert said(app, error, language="pt-BR") == "It has 12.345 of them."
