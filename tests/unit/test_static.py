"""Static files: what is vendored is what its manifest says, and pages use only what is shipped."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "prodapp" / "static"
TEMPLATES = sorted((ROOT / "prodapp" / "templates").rglob("*.html"))
#: Files to keep, which are never shown as pages: they carry their own style.
DOWNLOADED = {"versions/report.html"}
PAGES = [path for path in TEMPLATES if f"{path.parent.name}/{path.name}" not in DOWNLOADED]
VENDOR_FOLDERS = (STATIC / "vendor", ROOT / "tests" / "browser" / "vendor")
REBUILD = "run `python scripts/vendor_assets.py`"

JINJA = re.compile(r"{#.*?#}|{%.*?%}", re.DOTALL)
# Classes that scripts look for or that only name a thing; they need no rule.
HOOKS: set[str] = {"js"}


def manifest(folder: Path) -> list[dict[str, str]]:
    entries: list[dict[str, str]] = json.loads((folder / "manifest.json").read_text("utf-8"))[
        "assets"
    ]
    return entries


@pytest.mark.parametrize("folder", VENDOR_FOLDERS, ids=lambda folder: folder.parent.name)
def test_vendored_files_have_the_hashes_of_their_manifest(folder):
    listed = {entry["file"]: entry["sha256"] for entry in manifest(folder)}
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        if path.is_file() and path.name != "manifest.json"
    }
    assert found == listed, REBUILD


@pytest.mark.parametrize("folder", VENDOR_FOLDERS, ids=lambda folder: folder.parent.name)
def test_every_vendored_package_ships_its_licence(folder):
    for entry in manifest(folder):
        slug = entry["package"].strip("@").replace("/", "-")
        text = (folder / "licences" / f"{slug}.txt").read_text("utf-8")
        assert len(text) > 400, entry["package"]
        assert re.fullmatch(r"\d+\.\d+\.\d+", entry["version"])
        assert entry["licence"] in {"MIT", "0BSD", "Apache-2.0", "MPL-2.0"}


def test_no_source_map_is_shipped_or_asked_for():
    for path in (STATIC / "vendor").rglob("*"):
        assert path.suffix != ".map"
        if path.suffix in {".js", ".css"}:
            assert "sourceMappingURL" not in path.read_text("utf-8")[-500:], path.name


def test_every_icon_in_use_is_in_the_sprite():
    sources = [*TEMPLATES, *(ROOT / "prodapp").rglob("*.py")]
    pattern = re.compile(r"""\bicon["']?\s*[(=:]\s*["']([a-z0-9-]+)["']""")
    used = {name for path in sources for name in pattern.findall(path.read_text("utf-8"))}
    shipped = set(re.findall(r'<symbol id="([^"]+)"', (STATIC / "vendor/icons.svg").read_text()))
    assert used, "the pattern finds nothing any more"
    assert used <= shipped, REBUILD


def _classes(template: str) -> set[str]:
    """Class names that a template writes out, without the parts that expressions make."""
    found: set[str] = set()
    for value in re.findall(r'class="((?:{{.*?}}|{%.*?%}|[^"])*)"', template):
        literals = [*re.findall(r"'([\w -]+)' if", value), re.sub(r"{{.*?}}", "\0", value)]
        text = " ".join(JINJA.sub(" ", literal) for literal in literals)
        found.update(word for word in text.split() if "\0" not in word)
    return found


def test_every_class_in_a_template_has_a_rule():
    styles = "".join(
        (STATIC / name).read_text("utf-8") for name in ("vendor/tabler.css", "app.css")
    )
    known = set(re.findall(r"\.([A-Za-z_][\w-]*)", styles)) | HOOKS
    for path in PAGES:
        unknown = _classes(path.read_text("utf-8")) - known
        assert not unknown, f"{path.name}: {sorted(unknown)}; style them, or {REBUILD}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_templates_hold_nothing_that_the_content_security_policy_forbids(path):
    text = path.read_text("utf-8")
    assert not re.search(r"<[^>]*\son[a-z]+\s*=", text), "inline event handler"
    assert not re.search(r"<[^>]*\sstyle\s*=", text), "inline style"
    assert "<style" not in text
    for attributes, body in re.findall(r"<script\b([^>]*)>(.*?)</script>", text, re.DOTALL):
        assert "src=" in attributes
        assert "nonce=" in attributes
        assert not body.strip()
    assert not re.search(r"hx-on|hx-vals=.js:|javascript:", text)
    assert not re.search(r'(?:src|href|action)="(?:https?:)?//', text), "leaves the host"


@pytest.mark.parametrize("name", ["app.js", "theme.js"])
def test_own_scripts_build_no_markup_or_code_from_text(name):
    script = (STATIC / name).read_text("utf-8")
    assert not re.search(r"\beval\(|new Function|innerHTML|outerHTML|document\.write", script)
    assert not re.search(r"\.style\b|setAttribute\(.style", script)


# --- contrast, computed as WCAG 2.2 says ---------------------------------------------------------


def _tokens(theme: str) -> dict[str, str]:
    css = (STATIC / "app.css").read_text("utf-8")
    block = re.search(rf'\[data-bs-theme="{theme}"\] {{(.*?)}}', css, re.DOTALL)
    assert block
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", block[1]))


def _luminance(colour: str) -> float:
    digits = colour.strip("#")
    if len(digits) == 3:
        digits = "".join(2 * digit for digit in digits)
    channels = [int(digits[start : start + 2], 16) / 255 for start in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    high, low = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


TEXT_PAIRS = [
    *((ink, ground) for ink in ("ink", "ink-quiet", "blue-ink", "bad", "warn", "good", "down-ink")
      for ground in ("ground", "surface", "sunken")),
    *((f"{tone}", f"{tone}-tint") for tone in ("good", "warn", "bad")),
    *((ink, tint) for ink in ("ink", "blue-ink", "ink-quiet") for tint in ("blue-tint",)),
    *(("ink", f"{tone}-tint") for tone in ("good", "warn", "bad")),
    ("on-blue", "blue"),
    ("on-blue", "blue-strong"),
    ("on-blue", "bad-strong"),
]  # fmt: skip
GRAPHIC_PAIRS = [
    *((colour, "surface") for colour in ("up", "down", "mixed", "line-strong", "blue-ink")),
    ("line-strong", "ground"),
]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_keep_the_contrast_that_readers_need(theme):
    tokens = _tokens(theme)
    for ink, ground in TEXT_PAIRS:
        assert contrast(tokens[ink], tokens[ground]) >= 4.5, (theme, ink, ground)
    for mark, ground in GRAPHIC_PAIRS:
        assert contrast(tokens[mark], tokens[ground]) >= 3.0, (theme, mark, ground)
