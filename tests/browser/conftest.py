"""prodapp as a person meets it: the whole of it running, and a real Chromium in front."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, sync_playwright

from prodapp.processes import spawn, terminate_all
from tests.services import private_folder

ROOT = Path(__file__).resolve().parents[2]
AXE = (ROOT / "tests" / "browser" / "vendor" / "axe.min.js").read_text("utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SIZES = {"pc": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}
PASSWORD = "seven blue turbines hum"
START_SECONDS = 180
# Chromium of its own accord asks other hosts for updates; a test would wait for them.
CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@dataclass(frozen=True)
class Server:
    """A running prodapp: web, worker, dispatcher and queue over an instance folder of its own."""

    url: str
    environ: dict[str, str]

    def flask(self, *arguments: str, stdin: str | None = None) -> str:
        """Run ``flask …`` on this installation and return what it prints."""
        return subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", *arguments],
            cwd=ROOT,
            env=self.environ,
            input=stdin,
            capture_output=True,
            text=True,
            check=True,
        ).stdout


@dataclass
class Visit:
    """A browser window, and everything that went wrong in it."""

    page: Page
    server: Server
    session: list[Any] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        self.page.goto(self.server.url + path)
        return self.page

    def sign_in(self) -> Page:
        """Sign in as a person does: by the form. Ten times a minute, as the product allows."""
        page = self.open("/app/sign-in")
        page.get_by_label("User name").fill("maria")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        return page

    def enter(self) -> Page:
        """Come back with the session of an earlier sign-in, for tests of what lies behind it."""
        self.page.context.add_cookies(self.session)
        return self.open("/app/machines/")

    def violations(self) -> list[str]:
        """What axe finds on the page as it stands: rule and element."""
        # Comes in as a debugger does, which the page's policy for scripts does not bind.
        self.page.evaluate(AXE + "; 0")
        result: dict[str, Any] = self.page.evaluate(
            "rules => axe.run(document, {runOnly: rules})", RULES
        )
        return [
            f"{found['id']}: {node['target']}"
            for found in result["violations"]
            for node in found["nodes"]
        ]

    def overflow(self) -> int:
        """How many pixels the page is wider than its window."""
        width: int = self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return width


def free_port() -> int:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _wait_until_ready(url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with (
            suppress(OSError, urllib.error.URLError),
            urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer,  # noqa: S310
        ):
            if answer.status == 200:
                return
        time.sleep(0.2)
    pytest.fail(f"prodapp did not start:\n{log.read_text('utf-8')}")


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """prodapp as ``make serve`` starts it, without the demo, with one analyst named maria."""
    with private_folder() as folder:
        port = free_port()
        environ = {
            **os.environ,
            "PRODAPP_INSTANCE": str(folder / "instance"),
            "PORT": str(port),
        }
        log = folder / "log"
        process = spawn(
            [sys.executable, "-m", "prodapp.supervisor", "--die-with-parent"],
            log=log,
            env=environ,
            cwd=ROOT,
        )
        running = Server(f"http://127.0.0.1:{port}", environ)
        try:
            _wait_until_ready(running.url, log)
            running.flask(
                "user", "create", "maria", "--role", "analyst", "--password-stdin", stdin=PASSWORD
            )
            yield running
        finally:
            terminate_all([process], grace=20)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A Chromium of the system; in CI its absence is an error."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    program = program or shutil.which("google-chrome")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("no Chromium: install Debian's package chromium")
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def session(server: Server, chromium: Browser) -> list[Any]:
    """The cookies of one sign-in. Each test signing in anew would meet the limit on tries."""
    context = chromium.new_context(locale="en-US")
    page = Visit(context.new_page(), server).sign_in()
    page.get_by_role("link", name="New machine").wait_for()
    cookies: list[Any] = context.cookies()
    context.close()
    return cookies


@pytest.fixture
def visit(server: Server, chromium: Browser, session: list[Any]) -> Iterator[Callable[..., Visit]]:
    """A function that opens a window; at the end no window may have complained.

    Complaints are errors and warnings of the console, violations of the content security policy,
    uncaught exceptions, and requests to any other host.
    """
    contexts: list[BrowserContext] = []
    visits: list[Visit] = []

    def start(size: str = "pc", theme: str = "light", language: str = "en-US") -> Visit:
        context = chromium.new_context(
            viewport=SIZES[size], color_scheme=theme, locale=language, has_touch=size == "phone"
        )
        context.set_default_timeout(60_000)
        contexts.append(context)
        opened = Visit(context.new_page(), server, session)
        visits.append(opened)
        _listen(opened)
        return opened

    yield start
    complaints = [complaint for one in visits for complaint in one.complaints]
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def chromium_without_scripts(server: Server, chromium: Browser) -> Iterator[Visit]:
    """A window of a browser that runs no script."""
    context = chromium.new_context(viewport=SIZES["pc"], java_script_enabled=False, locale="en-US")
    yield Visit(context.new_page(), server)
    context.close()


def _listen(visit: Visit) -> None:
    def heard(message: Any) -> None:
        if message.type in ("error", "warning"):
            visit.complaints.append(f"{message.type}: {message.text}")

    def asked(request: Request) -> None:
        if not request.url.startswith((visit.server.url, "data:", "blob:")):
            visit.complaints.append(f"left the host: {request.url}")

    visit.page.on("console", heard)
    visit.page.on("pageerror", lambda error: visit.complaints.append(f"exception: {error}"))
    visit.page.on("request", asked)
