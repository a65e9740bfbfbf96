"""Accounts as administrators and users meet them."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, Visit

pytestmark = [pytest.mark.browser, pytest.mark.queue]
PASSWORD = "seven blue turbines hum"


@pytest.fixture
def administrator(server: Server) -> str:
    """The address at which an administrator comes in."""
    known = {user["username"] for user in json.loads(server.flask("user", "list", "--json"))}
    if "boss" not in known:
        server.flask("user", "create", "boss", "--role", "admin", "--link")
    return server.flask("user", "link", "boss").strip()


def fit_and_accessible(window: Visit, name: str) -> None:
    assert window.violations() == [], name
    assert window.overflow() == 0, name


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", ["pc", "phone"])
def test_pages_about_people_are_accessible_and_fit(
    visit: Callable[..., Visit], server: Server, administrator: str, size: str, theme: str
) -> None:
    window = visit(size, theme)
    window.page.goto(administrator)
    rows = json.loads(server.flask("user", "list", "--json"))
    boss = next(row["id"] for row in rows if row["username"] == "boss")
    paths = (
        "account/",
        "account/second-factor",
        "users/",
        "users/new",
        f"users/{boss}",
        "keys/?state=all",
        "sites/",
    )
    for path in (*paths, f"keys/users/{boss}/new", "audit/", "audit/?actor=nobody-at-all"):
        window.open(f"/app/{path}")
        fit_and_accessible(window, path)


def test_an_invited_user_chooses_a_password_and_comes_in(
    visit: Callable[..., Visit], administrator: str
) -> None:
    page = visit().page
    page.goto(administrator)
    page.get_by_role("link", name="Admin").click()
    page.get_by_role("link", name="New user").click()
    page.get_by_label("User name").fill("Ana at the press")
    page.get_by_label("Analyst").check()
    page.get_by_role("button", name="Make and invite").click()
    address = page.get_by_label("One-time address").input_value()
    guest = visit("phone", language="pt-BR")
    guest.page.goto(address)
    fit_and_accessible(guest, "password")
    for label in ("Nova senha", "A mesma de novo"):
        guest.page.get_by_label(label).fill(PASSWORD)
    guest.page.get_by_role("button", name="Salvar e entrar").click()
    expect(guest.page.get_by_text("Ana at the press").first).to_be_attached()
    _make_a_key(guest.page)


def _make_a_key(page: Page) -> None:
    page.goto(page.url.partition("/app/")[0] + "/app/account/")
    page.get_by_label("Para que serve").fill("painel")
    page.get_by_role("button", name="Criar a chave").click()
    field = page.get_by_label("Chave de API")
    field.focus()
    assert field.input_value().startswith("pa_")
    assert page.evaluate("getSelection().toString()") == field.input_value()
