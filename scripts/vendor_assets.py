"""Build ``prodapp/static/vendor`` from npm packages: download, purge, minify, hash.

A development tool; it needs Node with npm and a network. The result is committed, so that neither
an installation nor a running prodapp ever asks another host for a script or a style::

    python scripts/vendor_assets.py

Run it again after a template or ``app.js`` starts to use another Tabler class or another icon
(``tests/unit/test_static.py`` says when), or after a version below has changed. Packages come by
``npm pack`` at a fixed version and are kept in ``.tools/npm``.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATIC = ROOT / "prodapp" / "static"
VENDOR = STATIC / "vendor"
BROWSER_TESTS = ROOT / "tests" / "browser" / "vendor"
TEMPLATES = ROOT / "prodapp" / "templates"
TOOLS = ROOT / ".tools" / "npm"
# Only to build with; nothing of these is shipped.
BUILD_TOOLS = ("purgecss@8.0.0", "esbuild@0.28.2")


@dataclass(frozen=True)
class Edit:
    """A change to a file as its package has it; ``before`` must be there exactly once."""

    reason: str
    before: str
    after: str


@dataclass(frozen=True)
class Package:
    """An npm package and what is taken from it: path inside the package → file name here."""

    name: str
    version: str
    licence: str
    files: dict[str, str]
    licence_files: tuple[str, ...] = ("LICENSE",)
    target: Path = VENDOR
    edits: tuple[Edit, ...] = ()

    @property
    def slug(self) -> str:
        """The name as it may stand in a file name."""
        return self.name.strip("@").replace("/", "-")


TABLER = Package(
    "@tabler/core", "1.6.1", "MIT", {"dist/css/tabler.css": "tabler.css"}, licence_files=()
)
ICONS = Package("@tabler/icons", "3.51.0", "MIT", {})
PLAIN = (
    Package("htmx.org", "2.0.11", "0BSD", {"dist/htmx.min.js": "htmx.min.js"}),
    Package("idiomorph", "0.8.0", "0BSD", {"dist/idiomorph-ext.min.js": "idiomorph-ext.min.js"}),
    Package(
        "swagger-ui-dist",
        "5.35.0",
        "Apache-2.0",
        {"swagger-ui-bundle.js": "swagger-ui-bundle.js", "swagger-ui.css": "swagger-ui.css"},
        licence_files=("LICENSE", "NOTICE", "swagger-ui-bundle.js.LICENSE.txt"),
    ),
    Package(
        "redoc",
        "2.5.4",
        "MIT",
        {"bundles/redoc.standalone.js": "redoc.standalone.js"},
        licence_files=("LICENSE", "bundles/redoc.standalone.js.LICENSE.txt"),
        edits=(
            Edit(
                "its <style> elements carry the nonce of the script itself, from the first one on",
                "r.nc=void 0",
                "r.nc=document.currentScript&&document.currentScript.nonce",
            ),
            Edit(
                "no picture is asked of another host",
                "https://cdn.redoc.ly/redoc/logo-mini.svg",
                "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E",
            ),
        ),
    ),
    Package(
        "axe-core",
        "4.14.1",
        "MPL-2.0",
        {"axe.min.js": "axe.min.js"},
        licence_files=("LICENSE", "LICENSE-3RD-PARTY.txt"),
        target=BROWSER_TESTS,
    ),
)
# Icons stand in templates and Python as icon("name"), icon="name" or "icon": "name".
ICON_PATTERN = re.compile(r"""\bicon["']?\s*[(=:]\s*["']([a-z0-9-]+)["']""")
PURGE = """
const { PurgeCSS } = require("purgecss");
const [css, ...content] = process.argv.slice(1);
new PurgeCSS().purge({
  css: [css], content, variables: true, keyframes: true, fontFace: true,
  safelist: { greedy: [/data-bs-theme/] },
}).then(([result]) => process.stdout.write(result.css));
"""


def run(*command: str, stdin: str | None = None) -> str:
    """Run a command in the tools folder and return what it prints."""
    return subprocess.run(
        command, cwd=TOOLS, input=stdin, check=True, capture_output=True, text=True
    ).stdout


def unpack(package: Package) -> Path:
    """Fetch a package once and return the folder of its files."""
    folder = TOOLS / f"{package.slug}-{package.version}"
    if not folder.exists():
        tarball = TOOLS / f"{package.slug}-{package.version}.tgz"
        if not tarball.exists():
            run("npm", "pack", "--silent", f"{package.name}@{package.version}")
        with tarfile.open(tarball) as archive:
            archive.extractall(folder, filter="data")
    return folder / "package"


def without_source_map(text: str) -> str:
    """Drop the reference to a source map that is not shipped."""
    return re.sub(r"(//[#@] sourceMappingURL=\S+|/\*# sourceMappingURL=[^*]+\*/)\s*$", "", text)


def edited(text: str, edits: tuple[Edit, ...]) -> str:
    """``text`` with the edits made; stops where a new version of the package does not fit them."""
    for edit in edits:
        if text.count(edit.before) != 1:
            raise SystemExit(f"{text.count(edit.before)} places for the edit: {edit.reason}")
        text = text.replace(edit.before, edit.after)
    return text


def copy_licences(package: Package, source: Path) -> None:
    """Put all licence texts of a package into one file beside its assets."""
    texts = [(source / name).read_text("utf-8").strip() for name in package.licence_files]
    if texts:
        folder = package.target / "licences"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{package.slug}.txt").write_text("\n\n".join(texts) + "\n", "utf-8")


def purged_tabler() -> str:
    """Tabler's CSS without the rules that no page uses, minified."""
    content = [str(path) for path in sorted(TEMPLATES.rglob("*.html"))]
    content += [str(STATIC / "app.js"), str(STATIC / "theme.js")]
    source = unpack(TABLER) / next(iter(TABLER.files))
    purged = run("node", "-e", PURGE, str(source), *content)
    return run("node_modules/.bin/esbuild", "--loader=css", "--minify", stdin=purged)


def used_icons() -> set[str]:
    """The names of all icons that templates and Python modules ask for."""
    files = [*TEMPLATES.rglob("*.html"), *(ROOT / "prodapp").rglob("*.py")]
    return {name for path in files for name in ICON_PATTERN.findall(path.read_text("utf-8"))}


def sprite() -> str:
    """One SVG file with a symbol for each icon in use."""
    folder = unpack(ICONS) / "icons" / "outline"
    symbols = []
    for name in sorted(used_icons()):
        drawing = (folder / f"{name}.svg").read_text("utf-8")
        paths = re.findall(r"<(?:path|circle|rect|line|polyline)[^>]*/>", drawing)
        shapes = "".join(path for path in paths if "M0 0h24v24H0z" not in path)
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{shapes}</symbol>')
    body = "\n".join(symbols)
    return f'<svg xmlns="http://www.w3.org/2000/svg">\n{body}\n</svg>\n'


def write_manifest(folder: Path, packages: list[tuple[Package, list[str]]]) -> None:
    """List each file with where it came from and its SHA-256."""
    entries = [
        {
            "file": file,
            "package": package.name,
            "version": package.version,
            "licence": package.licence,
            "source": f"https://www.npmjs.com/package/{package.name}/v/{package.version}",
            "sha256": hashlib.sha256((folder / file).read_bytes()).hexdigest(),
            "edits": [edit.reason for edit in package.edits],
        }
        for package, files in packages
        for file in files
    ]
    entries.sort(key=lambda entry: str(entry["file"]))
    text = json.dumps({"assets": entries}, indent=2, ensure_ascii=False)
    (folder / "manifest.json").write_text(text + "\n", "utf-8")


def main() -> None:
    """Build both vendor folders from nothing."""
    TOOLS.mkdir(parents=True, exist_ok=True)
    if not (TOOLS / "node_modules").exists():
        run("npm", "install", "--silent", "--no-save", "--prefix", str(TOOLS), *BUILD_TOOLS)
    for folder in (VENDOR, BROWSER_TESTS):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    for package in PLAIN:
        source = unpack(package)
        for path, name in package.files.items():
            text = without_source_map((source / path).read_text("utf-8"))
            (package.target / name).write_text(edited(text, package.edits), "utf-8")
        copy_licences(package, source)
    (VENDOR / "tabler.css").write_text(purged_tabler(), "utf-8")
    (VENDOR / "icons.svg").write_text(sprite(), "utf-8")
    copy_licences(ICONS, unpack(ICONS))
    # The package of Tabler's CSS carries no licence file; same authors, same MIT text as the icons.
    shutil.copy(
        VENDOR / "licences" / f"{ICONS.slug}.txt", VENDOR / "licences" / f"{TABLER.slug}.txt"
    )
    shipped = [(p, list(p.files.values())) for p in (TABLER, *PLAIN) if p.target == VENDOR]
    write_manifest(VENDOR, [*shipped, (ICONS, ["icons.svg"])])
    write_manifest(
        BROWSER_TESTS, [(p, list(p.files.values())) for p in PLAIN if p.target != VENDOR]
    )


if __name__ == "__main__":
    main()
