"""Photograph every main page into docs/screens/: `make gallery`. Needs a Chromium; minutes.

Starts an installation of its own, fills it (gallery_plant.py), signs in and walks: each page in
English in both themes and on both sizes, and in the light one in Portuguese too, for the guide.
Pictures are WebP, written by Chromium itself; of long pages the beginning is shown. The index is
written along.
"""

from __future__ import annotations

import argparse
import base64
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent))

from gallery_plant import ROOT, Plant, fill, plant

SCREENS = ROOT / "docs" / "screens"
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
QUALITY = 55
# What the pages are called in the index, in the order of the walk; who looks at them.
WITHOUT_ACCOUNT = {"sign-in": "Signing in"}
WORK = {
    "machines": "Machines",
    "new-machine": "A new machine",
    "machine": "A machine",
    "upload": "Upload",
    "check": "A file is checked",
    "data": "A data set, and its training",
    "rows": "Rows left out",
    "run": "A run",
    "result": "A result",
    "versions": "Versions",
    "compare": "Two versions compared",
    "pictures": "Charts",
    "predict": "A prediction is asked for",
    "prediction": "A prediction",
    "batch": "A file of predictions",
    "predictions": "History of predictions",
    "account": "Your account",
}
ADMINISTRATION = {
    "users": "Users",
    "user": "A user",
    "keys": "Keys",
    "sites": "Sites",
    "audit": "Audit",
    "settings": "Settings",
}
TITLES = {**WITHOUT_ACCOUNT, **WORK, **ADMINISTRATION}
# Parts of a result that the guide shows by themselves: what they are, the page, a selector.
PARTS = {
    "ranking": ("The ranking", "result", "section:has(#ranking-title)"),
    "levers": ("What to try", "result", "section:has(#levers-title)"),
    "alarms": ("Alarms", "result", "section:has(#alarms-title)"),
    "effects": ("Effects", "result", "section:has(#effects-title)"),
}


@dataclass(frozen=True)
class Look:
    """How pages are looked at: the window in CSS pixels, and its share of them in the picture."""

    size: str
    theme: str
    language: str = "en"

    @property
    def viewport(self) -> tuple[int, int]:
        return (1280, 800) if self.size == "pc" else (390, 844)

    @property
    def scale(self) -> float:
        return 0.75 if self.size == "pc" else 0.9

    @property
    def tallest(self) -> int:
        """How much of a long page is shown."""
        return 2 * self.viewport[1]

    @property
    def folder(self) -> Path:
        return SCREENS / self.language

    def file(self, name: str) -> Path:
        return self.folder / f"{name}-{self.size}-{self.theme}.webp"


ENGLISH = [Look(size, theme) for size in ("pc", "phone") for theme in ("light", "dark")]
PORTUGUESE = [Look(size, "light", "pt-BR") for size in ("pc", "phone")]


def windows(
    browser: Browser, look: Look, running: Plant
) -> Iterator[tuple[BrowserContext, dict[str, str]]]:
    """A window for each kind of visitor, with the pages that are theirs."""
    width, height = look.viewport
    for username, titles in ((None, WITHOUT_ACCOUNT), ("maria", WORK), ("paulo", ADMINISTRATION)):
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if look.theme == "dark" else "light",
            locale="pt-BR" if look.language == "pt-BR" else "en-US",
        )
        context.set_default_timeout(60_000)
        if username is not None:
            page = context.new_page()
            page.goto(running.link(username))
            page.close()
        yield context, titles
        context.close()


def photograph(page: Page, look: Look, file: Path, clip: dict[str, float] | None = None) -> None:
    """Write what the page shows, or the part ``clip`` of it, into ``file``."""
    if clip is None:
        height = page.evaluate("document.documentElement.scrollHeight")
        clip = {"x": 0, "y": 0, "width": look.viewport[0], "height": min(height, look.tallest)}
    session = page.context.new_cdp_session(page)
    taken = session.send(
        "Page.captureScreenshot",
        {
            "format": "webp",
            "quality": QUALITY,
            "captureBeyondViewport": True,
            "clip": {**clip, "scale": look.scale},
        },
    )
    session.detach()
    file.write_bytes(base64.b64decode(taken["data"]))


def photograph_parts(page: Page, look: Look, name: str) -> None:
    for part, (_, where, selector) in PARTS.items():
        if where != name:
            continue
        found = page.locator(selector).last
        box = found.bounding_box() if found.count() else None
        if box is None:
            raise RuntimeError(f"{name}: nothing at {selector}")
        top = page.evaluate("window.scrollY")
        clip = {**box, "y": box["y"] + top, "height": min(box["height"], look.tallest)}
        photograph(page, look, look.file(part), clip)


def walk(browser: Browser, look: Look, running: Plant, paths: dict[str, str]) -> None:
    """Photograph every page as ``look`` says."""
    look.folder.mkdir(parents=True, exist_ok=True)
    for context, titles in windows(browser, look, running):
        page = context.new_page()
        for name in titles:
            page.goto(running.url + paths[name], wait_until="networkidle")
            if name == "predict":  # with an answer, and what moves it
                page.locator("form[action$='/predict'] button[type=submit]").first.click()
                page.wait_for_load_state("networkidle")
            photograph(page, look, look.file(name))
            photograph_parts(page, look, name)


def write_index() -> None:
    """The gallery as a page: for each page of prodapp, and each part, all its pictures."""
    lines = ["# Every main page", "", "Made by `make gallery` from the demo data; not by hand.", ""]
    for name, title in {**TITLES, **{part: title for part, (title, *_) in PARTS.items()}}.items():
        lines += [f"## {title}", ""]
        for look in (*ENGLISH, *PORTUGUESE):
            file = look.file(name).relative_to(SCREENS)
            lines += [f"![{title}, {look.size}, {look.theme}, {look.language}]({file})"]
        lines.append("")
    (SCREENS / "README.md").write_text("\n".join(lines), encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chromium", default=shutil.which("chromium"), help="The program.")
    chosen = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as name,
        plant(Path(name)) as running,
        sync_playwright() as playwright,
    ):
        paths = {"sign-in": "/app/sign-in", **fill(running, Path(name))}
        browser = playwright.chromium.launch(executable_path=chosen.chromium, args=OPTIONS)
        for look in (*PORTUGUESE, *ENGLISH):
            walk(browser, look, running, paths)
        browser.close()
    write_index()
    n_bytes = sum(file.stat().st_size for file in SCREENS.rglob("*.webp"))
    sys.stdout.write(f"{len(list(SCREENS.rglob('*.webp')))} pictures, {n_bytes // 1024} kB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
