from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from prodapp.supervisor.schema import is_up_to_date

MIGRATIONS = Path(__file__).resolve().parents[3] / "migrations"


@pytest.fixture
def versions(tmp_path: Path) -> Path:
    folder = tmp_path / "versions"
    folder.mkdir()
    (folder / "1_first.py").write_text('revision = "aaa"\ndown_revision = None\n')
    (folder / "2_left.py").write_text('revision: str = "bbb"\ndown_revision: str | None = "aaa"\n')
    (folder / "2_right.py").write_text('revision = "ccc"\ndown_revision = "aaa"\n')
    (folder / "3_merge.py").write_text('revision = "ddd"\ndown_revision = ("bbb", "ccc")\n')
    return folder


def database(folder: Path, *revisions: str) -> str:
    path = folder / "a b%20ç?.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.executemany("INSERT INTO alembic_version VALUES (?)", [(r,) for r in revisions])
    return f"sqlite:///{path}"


def test_newest_tables_need_no_migration(versions: Path, tmp_path: Path) -> None:
    assert is_up_to_date(database(tmp_path, "ddd"), versions)


@pytest.mark.parametrize("revisions", [(), ("aaa",), ("bbb", "ccc"), ("of the future",)])
def test_other_tables_need_the_migration(
    versions: Path, tmp_path: Path, revisions: tuple[str, ...]
) -> None:
    assert not is_up_to_date(database(tmp_path, *revisions), versions)


def test_missing_database_needs_the_migration_and_is_not_made(
    versions: Path, tmp_path: Path
) -> None:
    assert not is_up_to_date(f"sqlite:///{tmp_path}/new.db", versions)
    assert not (tmp_path / "new.db").exists()


def test_file_that_is_no_database_is_left_to_the_migration(versions: Path, tmp_path: Path) -> None:
    (tmp_path / "odd.db").write_text(
        "this is no database, and long enough to be read as a header" * 9
    )
    assert not is_up_to_date(f"sqlite:///{tmp_path}/odd.db", versions)


def test_other_kinds_of_database_are_left_to_the_migration(versions: Path) -> None:
    assert not is_up_to_date("postgresql+psycopg2://localhost/prodapp", versions)


def test_the_project_s_own_migrations_are_understood(tmp_path: Path) -> None:
    """Alembic and this module must agree on which migration is the newest."""
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    (head,) = ScriptDirectory.from_config(config).get_heads()
    assert is_up_to_date(database(tmp_path, head), MIGRATIONS / "versions")
