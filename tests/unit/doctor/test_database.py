"""A database that is away, damaged, old or on another clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import text

from prodapp.doctor import database
from prodapp.extensions import command, db, settings_of
from tests.unit.doctor.asking import assert_named, diagnoses


def test_a_database_without_tables_is_told_and_nothing_else_is_asked(filled: Flask) -> None:
    with command() as session:
        session.execute(text("DROP TABLE alembic_version"))
        session.execute(text("DROP TABLE variable_rankings"))
    assert_named("schema_missing", is_mended=False)


@pytest.mark.parametrize(
    ("revision", "code"), [("51f21289d053", "schema_behind"), ("ffffffffffff", "schema_unknown")]
)
def test_tables_that_are_not_the_newest_are_named(filled: Flask, revision: str, code: str) -> None:
    with command() as session:
        statement = text("UPDATE alembic_version SET version_num = :revision")
        session.execute(statement, {"revision": revision})
    assert_named(code, is_mended=False)


def test_a_database_that_is_away_is_told(
    make_app: Callable[..., Flask], somebody_works: None
) -> None:
    away = make_app(DATABASE_URL="postgresql://nobody:hunter2@127.0.0.1:1/none")
    with away.app_context():
        (found,) = diagnoses()
    assert found.finding.code == "database_away"
    assert "hunter2" not in found.finding.where


@pytest.mark.parametrize("filled", ["sqlite"], indirect=True)
def test_a_damaged_sqlite_file_is_named(filled: Flask) -> None:
    db.session.remove()
    with db.engine.connect() as connection:
        page_size = connection.exec_driver_sql("PRAGMA page_size").scalar() or 0
        page = connection.exec_driver_sql(
            "SELECT rootpage FROM sqlite_master WHERE name = 'ix_audit_events_site_id_occurred_at'"
        ).scalar()
    db.engine.dispose()
    path = settings_of(filled).instance_path / "prodapp.db"
    with path.open("r+b") as file:
        file.seek((page - 1) * page_size)
        file.write(bytes(page_size))
    (found,) = diagnoses()
    assert found.finding.code == "database_damaged"


@pytest.mark.parametrize("filled", ["sqlite"], indirect=True)
def test_a_reference_to_nothing_is_named(filled: Flask) -> None:
    db.session.remove()
    with db.engine.connect() as connection:
        raw = connection.connection.dbapi_connection
        raw.execute("PRAGMA foreign_keys=OFF")  # type: ignore[union-attr]
        raw.execute("UPDATE api_keys SET user_id = 4711")  # type: ignore[union-attr]
        raw.execute("PRAGMA foreign_keys=ON")  # type: ignore[union-attr]
    assert_named("reference_broken", is_mended=False)
    (found,) = diagnoses()
    assert found.finding.where == "api_keys:1"


@pytest.mark.parametrize("minutes", [-3, 3])
def test_a_clock_that_differs_from_the_databases_is_named(filled: Flask, minutes: int) -> None:
    wrong = timedelta(minutes=minutes)
    (found,) = database.clock(lambda: datetime.now(UTC) + wrong)
    assert found.code == "clock_skew_database"
    assert found.params["seconds"] == pytest.approx(-60 * minutes, abs=1)
    assert list(database.clock()) == []
