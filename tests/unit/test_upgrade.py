"""``flask upgrade`` over both databases: forward with a backup, or everything as it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from alembic import command as alembic
from flask import Flask
from sqlalchemy import text

from prodapp import create_app
from prodapp import upgrade as upgrades
from prodapp.backup import archive
from prodapp.extensions import db
from prodapp.revisions import alembic_config, newest_revision, stored_revision
from tests.conftest import make_settings
from tests.conftest_filled import ENGINES

over_both = pytest.mark.parametrize("filled", ENGINES, indirect=True)


def revision() -> str | None:
    with db.engine.connect() as connection:
        return stored_revision(connection)


def rows() -> int:
    with db.engine.connect() as connection:
        return int(connection.scalar(text("SELECT count(*) FROM training_runs")) or 0)


def invoke(app: Flask, *args: str) -> Any:
    return app.test_cli_runner().invoke(args=["upgrade", *args])


def go_back(steps: int = 1) -> str | None:
    alembic.downgrade(alembic_config(), f"-{steps}")
    return revision()


@over_both
def test_tables_come_up_after_a_backup_that_holds_the_old_ones(
    filled: Flask, tmp_path: Path
) -> None:
    newest, before, n = newest_revision(), go_back(), rows()
    result = invoke(filled, "--folder", str(tmp_path), "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["before"], told["after"], told["has_changed"]) == (before, newest, True)
    assert revision() == newest
    assert rows() == n
    assert [m.revision for _, m in archive.find_backups(tmp_path)] == [before]
    again = invoke(filled, "--folder", str(tmp_path))
    assert "newest already" in again.stdout
    assert len(archive.find_backups(tmp_path)) == 1


@over_both
def test_a_migration_that_fails_leaves_everything_as_it_was(
    filled: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, n = go_back(), rows()

    def fail_after_the_migrations(connection: Any) -> None:
        assert stored_revision(connection) == newest_revision()
        connection.execute(text("DELETE FROM variable_rankings"))
        raise ValueError("no luck")

    monkeypatch.setattr(upgrades, "_examine", fail_after_the_migrations)
    result = invoke(filled, "--no-backup")
    assert result.exit_code == 1
    assert "A migration failed (ValueError: no luck). The tables are as they were." in result.stderr
    assert (revision(), rows()) == (before, n)
    monkeypatch.undo()
    assert invoke(filled, "--no-backup").exit_code == 0
    assert revision() == newest_revision()


@over_both
def test_tables_that_were_changed_by_hand_are_found_before_it_counts(filled: Flask) -> None:
    before = go_back()
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE machines ADD COLUMN by_hand INTEGER"))
    result = invoke(filled, "--no-backup")
    assert result.exit_code == 1
    assert "changed them by hand" in result.stderr
    assert revision() == before


@over_both
def test_tables_of_a_newer_prodapp_are_left_alone(filled: Flask) -> None:
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'fffffffffff0'"))
    result = invoke(filled)
    assert result.exit_code == 1
    assert "newer prodapp (fffffffffff0)" in result.stderr
    assert not archive.find_backups(archive.default_folder())


def test_an_empty_database_gets_its_tables_without_a_backup(tmp_path: Path) -> None:
    app = create_app(make_settings(tmp_path))
    result = invoke(app, "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["before"], told["backup"]) == (None, None)
    with app.app_context():
        assert revision() == told["after"] == newest_revision()
        db.engine.dispose()
