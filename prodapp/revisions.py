"""Which migrations there are, and at which one the database stands."""

from __future__ import annotations

from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from flask import current_app
from sqlalchemy import Column, Connection, MetaData, Table, select

FOLDER = Path(__file__).resolve().parent.parent / "migrations"
VERSION_TABLE = "alembic_version"


def alembic_config() -> Config:
    """Alembic's settings for the current application."""
    config: Config = current_app.extensions["migrate"].migrate.get_config(FOLDER)
    return config


def newest_revision() -> str | None:
    """The migration that the models need."""
    return ScriptDirectory.from_config(alembic_config()).get_current_head()


def is_known(revision: str) -> bool:
    """Whether this prodapp has that migration."""
    try:
        return ScriptDirectory.from_config(alembic_config()).get_revision(revision) is not None
    except CommandError:
        return False


def stored_revision(connection: Connection) -> str | None:
    """The migration that the database stands at; ``None`` where it has no tables yet."""
    if not connection.dialect.has_table(connection, VERSION_TABLE):
        return None
    version = Table(VERSION_TABLE, MetaData(), Column("version_num"))
    return connection.scalar(select(version.c.version_num))
