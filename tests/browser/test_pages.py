"""Every page, in both themes and on both sizes: accessible, inside its window, quiet."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import ROOT, Server, Visit

pytestmark = [pytest.mark.browser, pytest.mark.queue]
DEMO = ROOT / "prodapp" / "demo_data"


@pytest.fixture(scope="module")
def paths(server: Server, chromium: Browser, session: list[Any]) -> dict[str, str]:
    """The address of each kind of page of a machine that was trained."""
    machine = json.loads(server.flask("machine", "create", "Looked at", "--json"))["id"]
    file = str(DEMO / "sacramento.csv")
    server.flask("train", str(machine), file, "--target", "price")
    dataset = max(
        row["id"] for row in json.loads(server.flask("dataset", "list", str(machine), "--json"))
    )
    run = max(
        row["id"]
        for row in json.loads(server.flask("runs", "list", "--machine", str(machine), "--json"))
    )
    draft = _draft(server, chromium, session, machine)
    listed = json.loads(server.flask("version", "list", str(machine), "--json"))
    version = max(row["id"] for row in listed)
    return {
        "machines": "/app/machines/",
        "no machine": "/app/machines/?q=nothing-is-called-this",
        "new machine": "/app/machines/new",
        "machine": f"/app/machines/{machine}",
        "rename": f"/app/machines/{machine}/edit",
        "delete": f"/app/machines/{machine}/delete",
        "upload": f"/app/machines/{machine}/datasets/new",
        "schedule": f"/app/machines/{machine}/schedule/",
        "data": f"/app/datasets/{dataset}",
        "rows": f"/app/datasets/{dataset}/rows",
        "check": draft,
        "discard": f"{draft}/discard",
        "what if": f"/app/versions/{version}/what-if",
        "goal": f"/app/versions/{version}/goal",
        "run": f"/app/runs/{run}",
    }


def _draft(server: Server, chromium: Browser, session: list[Any], machine: int) -> str:
    """The address of a file that waits to be checked, with warnings, remedies and differences."""
    rows = [
        f"0{1 + n % 9}/03/2025;{n % 7},{n % 10};{-999 if n % 9 == 5 else n % 4}" for n in range(60)
    ]
    context = chromium.new_context(locale="en-US")
    window = Visit(context.new_page(), server, session)
    window.enter()
    page = window.open(f"/app/machines/{machine}/datasets/new")
    content = "\r\n".join(["Data;beds;Pressão", *rows]).encode("cp1252")
    file = {"name": "lote 7.csv", "mimeType": "text/csv", "buffer": content}
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Upload and check").click()
    page.locator("#check").wait_for()
    context.close()
    return page.url.removeprefix(server.url)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", ["pc", "phone"])
def test_every_page_is_accessible_and_fits(
    visit: Callable[..., Visit], paths: dict[str, str], size: str, theme: str
) -> None:
    window = visit(size, theme)
    window.open("/app/sign-in")
    assert window.violations() == []
    page = window.enter()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", theme)
    for name, path in paths.items():
        window.open(path)
        for summary in page.locator("main details > summary").all():
            summary.click()
        assert window.violations() == [], name
        assert window.overflow() == 0, name
    page.get_by_role("link", name="See the ranking").click()
    for summary in page.locator("main details > summary").all():
        summary.click()
    assert window.violations() == [], "ranking"
    assert window.overflow() == 0, "ranking"


def test_a_missing_page_says_so_and_leads_back(visit: Callable[..., Visit]) -> None:
    window = visit()
    page = window.enter()
    window.open("/app/machines/987654321")
    expect(page.get_by_role("link", name="Go to the machines")).to_be_visible()
    assert window.violations() == []
    # The browser itself notes that the page's status is 404.
    window.complaints[:] = [c for c in window.complaints if "404" not in c]


def test_the_theme_is_kept(visit: Callable[..., Visit]) -> None:
    page = visit(theme="light").enter()
    page.get_by_role("button", name="Dark theme").click()
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")


@pytest.mark.parametrize("language", ["pt-BR", "en-US"])
def test_pages_speak_the_browsers_language_and_keep_a_choice(
    visit: Callable[..., Visit], language: str
) -> None:
    window = visit(language=language)
    page = window.open("/app/sign-in")
    own, other = ("Entrar", "Sign in") if language == "pt-BR" else ("Sign in", "Entrar")
    expect(page.get_by_role("heading", name=own, exact=True)).to_be_visible()
    page.locator("#language").select_option("en" if language == "pt-BR" else "pt_BR")
    expect(page.get_by_role("heading", name=other, exact=True)).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name=other, exact=True)).to_be_visible()


def test_swagger_ui_loads_the_document(visit: Callable[..., Visit]) -> None:
    page = visit().open("/api/docs")
    expect(page.locator("#swagger-ui .info .title")).to_contain_text("prodapp")
    expect(page.locator("#swagger-ui .opblock").first).to_be_visible()
    page.locator("#swagger-ui .opblock").first.click()
    expect(page.locator("#swagger-ui .opblock-body").first).to_be_visible()


def test_redoc_loads_the_document(visit: Callable[..., Visit]) -> None:
    window = visit()
    page = window.open("/api/redoc")
    # It draws every operation before it shows the first one.
    title = page.locator("#redoc h1").first
    expect(title).to_contain_text(re.compile("prodapp"), timeout=30_000)
    expect(page.locator("#redoc [data-section-id]").nth(5)).to_be_attached()
    # What its maker of examples thinks of lists that may be null says nothing about the page.
    window.complaints[:] = [c for c in window.complaints if "OpenAPI Sampler" not in c]
