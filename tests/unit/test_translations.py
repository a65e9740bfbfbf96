"""The catalogues hold every word that people read, whole and up to date."""

from __future__ import annotations

import ast
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest
from flask import Flask
from flask_babel import force_locale

from prodapp.i18n import gettext

ROOT = Path(__file__).resolve().parents[2]
UPDATE = "run `python scripts/translations.py` and translate what it names"
PLACE = re.compile(r"%\(\w+\)[a-z]|%%")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The development script that makes the catalogues."""
    path = ROOT / "scripts" / "translations.py"
    spec = importlib.util.spec_from_file_location("translations_script", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def catalogue(script: ModuleType) -> tuple[Path, object]:
    """The Portuguese catalogue's file, and what it should be after an update."""
    (path,) = script.catalogues()
    return path, script.merged(path, script.extract())


def test_every_word_is_translated(script, catalogue):
    _, catalog = catalogue
    assert len(catalog) > 300, "the extraction finds too little"
    assert [message.id for message in script.missing(catalog)] == [], UPDATE


def test_no_word_hides_in_a_formatted_string() -> None:
    """The extraction does not look into them."""
    hidden = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for path in (ROOT / "prodapp").rglob("*.py")
        for string in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(string, ast.JoinedStr)
        for call in ast.walk(string)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in ("_", "gettext", "ngettext", "N_")
    ]
    assert hidden == []


def test_catalogue_is_what_the_sources_ask_for(script, catalogue):
    path, catalog = catalogue
    assert path.read_bytes() == script.as_po(catalog), UPDATE


def test_compiled_catalogue_is_the_written_one(script, catalogue):
    path, catalog = catalogue
    assert path.with_suffix(".mo").read_bytes() == script.as_mo(catalog), UPDATE


def test_translations_keep_every_place(catalogue):
    _, catalog = catalogue
    for message in catalog:
        if not message.id:
            continue
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        for source, translated in zip(ids, strings, strict=True):
            assert sorted(PLACE.findall(source)) == sorted(PLACE.findall(translated)), source


def test_the_app_speaks_portuguese(app: Flask) -> None:
    with app.test_request_context(), force_locale("pt_BR"):
        assert gettext("Sign in") == "Entrar"
