"""Installations with rows in every table, trained once for each pytest process and then copied.

Loaded by ``tests/conftest.py``.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from flask import Flask

from prodapp import create_app
from prodapp.auth import service as auth
from prodapp.caller import Caller
from prodapp.extensions import db
from tests.factories import fill_every_table

if TYPE_CHECKING:
    from tests.services import Postgres

ENGINES = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@dataclass(frozen=True)
class Template:
    """An instance folder to be copied, and the PostgreSQL database where it has one."""

    instance: Path
    database: str | None


def _fill(instance: Path, **environ: str) -> None:
    from tests.conftest import make_settings

    app = create_app(make_settings(instance, **environ))
    with app.app_context():
        fill_every_table(auth.system_caller(name="tester"))
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="session")
def filled_sqlite(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Template:
    instance = tmp_path_factory.mktemp("filled") / "instance"
    instance.mkdir()
    shutil.copy(sqlite_template, instance / "prodapp.db")
    _fill(instance)
    return Template(instance, None)


@pytest.fixture(scope="session")
def filled_postgres(
    postgres_server: Postgres, postgres_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Template:
    instance = tmp_path_factory.mktemp("filled") / "instance"
    url = postgres_server.create_database(template=postgres_template)
    _fill(instance, DATABASE_URL=url)
    return Template(instance, url.partition("@/")[2].partition("?")[0])


@pytest.fixture(params=ENGINES)
def filled(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """An installation of one's own over either database, its context pushed."""
    from tests.conftest import make_settings

    template: Template = request.getfixturevalue(f"filled_{request.param}")
    instance = tmp_path / "instance"
    shutil.copytree(template.instance, instance)
    environ = {}
    if template.database is not None:
        server: Postgres = request.getfixturevalue("postgres_server")
        environ["DATABASE_URL"] = server.create_database(template=template.database)
    app = create_app(make_settings(instance, **environ))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def owner(filled: Flask) -> Caller:
    """An administrator of the filled installation."""
    return auth.system_caller(name="tester")
