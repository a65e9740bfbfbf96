"""Alembic's environment: the application's own database, one transaction for a whole upgrade."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from flask import current_app
from sqlalchemy import Connection

from prodapp.extensions import foreign_keys_off
from prodapp.models.types import Json, UtcDateTime
from prodapp.postgres import wait_for_ever


def render_item(kind: str, item: Any, autogen_context: AutogenContext) -> str | Literal[False]:
    """A migration keeps its meaning when our types change: it names the database's own."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and item is Json:
        autogen_context.imports.add("from sqlalchemy.dialects import postgresql")
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    return False


def run_migrations() -> None:
    """Migrate over a connection of our own, or inside the caller's transaction.

    A caller who gives ``connection`` among the configuration's attributes has begun a transaction
    on it and ends it, so that several migrations and what lies between them are one step. It has
    switched off the foreign keys before.
    """
    given = context.config.attributes.get("connection")
    if given is not None:
        _migrate(given)
        return
    with current_app.extensions["migrate"].db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            wait_for_ever(connection)
        with foreign_keys_off(connection):
            _migrate(connection)


def _migrate(connection: Connection) -> None:
    """On SQLite a changed table is copied (batch mode)."""
    extension = current_app.extensions["migrate"]
    context.configure(
        connection=connection,
        target_metadata=extension.db.metadata,
        render_item=render_item,
        transaction_per_migration=False,
        **extension.configure_args,
    )
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    raise SystemExit("Migrations need the database: run them without --sql.")
run_migrations()
