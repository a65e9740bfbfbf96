"""Migrations on a database with rows in every table: down and up, nothing lost that has a place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import Engine, MetaData, create_engine, func, inspect, select

from prodapp.extensions import db
from prodapp.revisions import FOLDER, alembic_config, newest_revision, stored_revision

if TYPE_CHECKING:
    from tests.services import Postgres

Rows = dict[str, list[dict[str, Any]]]
MIGRATIONS = str(FOLDER)


def dump() -> Rows:
    """All rows of all tables that there are now."""
    metadata = MetaData()
    with db.engine.connect() as connection:
        metadata.reflect(connection)
        return {
            table.name: [
                dict(row)
                for row in connection.execute(
                    select(table).order_by(*table.primary_key.columns)
                ).mappings()
            ]
            for table in metadata.sorted_tables
            if table.name != "alembic_version"
        }


def narrowed(rows: Rows, shape: Rows) -> Rows:
    """``rows`` without the tables and columns that ``shape`` does not have."""
    return {
        name: [{key: row[key] for key in row.keys() & shape[name][0].keys()} for row in rows[name]]
        for name in rows.keys() & shape.keys()
        if shape[name]
    }


def broken_references() -> list[Any]:
    if db.engine.dialect.name != "sqlite":
        return []  # PostgreSQL watches them itself
    with db.engine.connect() as connection:
        return list(connection.exec_driver_sql("PRAGMA foreign_key_check"))


def revisions() -> list[Any]:
    """From the newest to the first."""
    return list(ScriptDirectory.from_config(alembic_config()).walk_revisions())


def test_no_table_is_left_empty_by_what_fills_them(filled: Flask) -> None:
    counts = {
        table.name: db.session.scalar(select(func.count()).select_from(table))
        for table in db.metadata.sorted_tables
    }
    assert [name for name, count in counts.items() if not count] == []


def test_each_step_down_and_up_keeps_every_row(filled: Flask) -> None:
    db.session.remove()
    for script in revisions():
        before = dump()
        downgrade(directory=MIGRATIONS, revision=script.down_revision or "base")
        below = dump()
        assert narrowed(before, below) == below, f"{script.revision} loses rows on its way down"
        assert broken_references() == []
        if script.down_revision is None:
            assert below == {}
            continue
        upgrade(directory=MIGRATIONS, revision=script.revision)
        again = dump()
        assert again.keys() == before.keys()
        assert narrowed(again, below) == below, f"{script.revision} loses rows on its way up"
        assert broken_references() == []
        downgrade(directory=MIGRATIONS, revision=script.down_revision)


def test_from_the_newest_to_nothing_and_back(filled: Flask) -> None:
    db.session.remove()
    downgrade(directory=MIGRATIONS, revision="base")
    assert dump() == {}
    upgrade(directory=MIGRATIONS)
    assert dump() == {table.name: [] for table in db.metadata.sorted_tables}
    with db.engine.connect() as connection:
        assert stored_revision(connection) == newest_revision()


def test_foreign_keys_are_watched_again_after_a_migration(filled: Flask) -> None:
    db.session.remove()
    downgrade(directory=MIGRATIONS, revision=revisions()[0].down_revision)
    upgrade(directory=MIGRATIONS)
    if db.engine.dialect.name == "sqlite":
        with db.engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_migrated_tables_are_those_that_the_models_would_make(
    filled: Flask, request: pytest.FixtureRequest
) -> None:
    """Types, defaults, keys, indexes and checks too, which Alembic's own check does not all see."""
    if db.engine.dialect.name == "sqlite":
        other = create_engine("sqlite://")
    else:
        server: Postgres = request.getfixturevalue("postgres_server")
        other = create_engine(server.create_database())
    db.metadata.create_all(other)
    try:
        assert structure(db.engine) == structure(other)
    finally:
        other.dispose()


def structure(engine: Engine) -> dict[str, Any]:
    """Everything that the database tells of its tables, in an order of its own."""
    inspector = inspect(engine)
    return {
        name: {
            "columns": {
                column["name"]: (
                    str(column["type"]),
                    column["nullable"],
                    _without_counter(column["default"]),
                )
                for column in inspector.get_columns(name)
            },
            "key": inspector.get_pk_constraint(name)["constrained_columns"],
            "foreign": _sorted(inspector.get_foreign_keys(name), "name", "referred_table"),
            "unique": _sorted(inspector.get_unique_constraints(name), "name", "column_names"),
            "checks": _sorted(inspector.get_check_constraints(name), "name", "sqltext"),
            "indexes": _sorted(inspector.get_indexes(name), "name", "column_names", "unique"),
        }
        for name in inspector.get_table_names()
        if name != "alembic_version"
    }


def _without_counter(default: str | None) -> str | None:
    return None if default is None or default.startswith("nextval(") else default


def _sorted(found: list[Any], *names: str) -> list[tuple[str, ...]]:
    return sorted(tuple(str(item[name]) for name in names) for item in found)
