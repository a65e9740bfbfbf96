"""Bring the tables up to this prodapp's: a backup first, then all migrations as one step.

Migrations and their examination are one transaction, on PostgreSQL and on SQLite: whatever goes
wrong, the tables and rows are as they were. The backup is for what nobody examines here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from alembic import command as alembic
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, insert, text

from prodapp.backup import creation
from prodapp.backup.restoration import check_foreign_keys, unhurried, writing
from prodapp.backup.verification import Progress, verify
from prodapp.caller import Caller
from prodapp.exceptions import Conflict, N_, RunFailed
from prodapp.extensions import db
from prodapp.models import AuditEvent
from prodapp.revisions import alembic_config, is_known, newest_revision, stored_revision
from prodapp.storage import storage

# Somebody who uses the tables is waited for, but not for ever.
LOCK_TIMEOUT = "30s"


@dataclass(frozen=True)
class Upgrade:
    """From which revision to which (``None``: there were no tables), and the backup made before."""

    before: str | None
    after: str | None
    backup: Path | None

    @property
    def has_changed(self) -> bool:
        return self.before != self.after


def upgrade(caller: Callable[[], Caller], folder: Path | None, *, progress: Progress) -> Upgrade:
    """Bring the tables up, and make the place of files.

    ``folder`` is where the backup goes, ``None`` for no backup. ``caller`` is asked who makes it,
    which only tables that are there can tell.

    Raises :class:`Conflict` for tables of a newer prodapp, :class:`RunFailed` where the backup is
    not whole or a migration fails: the tables are then as they were.
    """
    storage().prepare()
    with db.engine.connect() as connection:
        before = stored_revision(connection)
    after = newest_revision()
    if before == after:
        return Upgrade(before, after, None)
    if before is not None and not is_known(before):
        raise Conflict(
            N_("The tables are of a newer prodapp (%(stored)s). Install that version."),
            stored=before,
        )
    backup = None
    if before is not None and folder is not None:
        backup = _backup(caller(), folder, progress)
    try:
        _migrate(before)
    except RunFailed:
        raise
    except Exception as error:
        raise RunFailed(
            N_("A migration failed (%(kind)s: %(reason)s). The tables are as they were."),
            kind=type(error).__name__,
            reason=str(getattr(error, "orig", error)).splitlines()[0][:300],
        ) from error
    return Upgrade(before, after, backup)


def _backup(caller: Caller, folder: Path, progress: Progress) -> Path:
    made = creation.create(caller, folder, keep=None, progress=progress)
    if any(problem.is_damage for problem in verify(made.path, progress=progress).problems):
        raise RunFailed(
            N_("The backup %(path)s cannot be read back. Nothing was changed."), path=str(made.path)
        )
    return made.path


def _migrate(before: str | None) -> None:
    with db.engine.connect() as connection, unhurried(connection), writing(connection):
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
        config = alembic_config()
        config.attributes["connection"] = connection
        alembic.upgrade(config, "head")
        _examine(connection)
        note = {
            "actor": "cli",
            "action": "installation.upgraded",
            "subject": f"revision:{before or 'none'}",
        }
        connection.execute(insert(AuditEvent).values(**note))


def _examine(connection: Connection) -> None:
    """Raise :class:`RunFailed` unless the tables are those of the models and rows fit together."""
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    differences = compare_metadata(context, db.metadata)
    if differences:
        raise RunFailed(
            N_(
                "After the migrations %(n)s things in the tables differ from what this prodapp "
                "needs; somebody may have changed them by hand. The tables are as they were. "
                "Run: flask doctor"
            ),
            n=len(differences),
        )
    check_foreign_keys(connection)
