"""Putting a backup in place: the files first, then all rows in one transaction.

The tables are taken away, made again at the backup's revision, filled, and brought up to the newest
one, all in that transaction: until it commits, the installation is what it was. Files that nobody
speaks of any more are swept by the dispatcher as ever.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from alembic import command as alembic
from flask import current_app
from sqlalchemy import Connection, exists, insert, select, text, update

from prodapp import presence
from prodapp.backup.archive import Manifest, file_path, table_path
from prodapp.backup.rows import continue_counters, load_rows, read_rows, stored_tables
from prodapp.backup.verification import Progress, verify
from prodapp.exceptions import Conflict, DataRefused, N_
from prodapp.extensions import db, foreign_keys_off, settings_of
from prodapp.models import AuditEvent, RefreshToken, SignInLink, Site, UserSession
from prodapp.models.types import db_now
from prodapp.postgres import wait_for_ever
from prodapp.presence import Kind
from prodapp.revisions import alembic_config, is_known, stored_revision
from prodapp.storage import storage

LOCK_TIMEOUT = "30s"


@dataclass(frozen=True)
class Restoration:
    """What was put in place; ``missing`` are files that the backup did not hold."""

    manifest: Manifest
    missing: tuple[str, ...]


def restore(path: Path, *, is_replacing: bool, progress: Progress) -> Restoration:
    """Make this installation what ``path`` holds. Everybody has to sign in again.

    Raises :class:`DataRefused` for a backup that is damaged or newer than this prodapp, and
    :class:`Conflict` where the installation is at work or, without ``is_replacing``, not empty.
    """
    verification = verify(path, progress=progress)
    manifest = verification.manifest
    if any(problem.is_damage for problem in verification.problems):
        raise DataRefused(
            N_("This backup is damaged: nothing was restored. Run: flask backup verify %(path)s"),
            path=str(path),
        )
    if not is_known(manifest.revision):
        raise DataRefused(
            N_(
                "The tables of this backup are newer than this prodapp: it was made by prodapp "
                "%(version)s."
            ),
            version=manifest.prodapp,
        )
    with _alone():
        if not is_replacing and not is_empty():
            raise Conflict(
                N_("This installation holds data. To put the backup in their place, add --replace.")
            )
        _put_files(path, manifest, progress)
        _put_rows(path, manifest, progress)
    return Restoration(manifest, manifest.missing)


def is_empty() -> bool:
    """Whether the installation holds nothing: no tables, or no rows but those of sites."""
    with db.engine.connect() as connection:
        tables = [
            table
            for table in stored_tables(connection).sorted_tables
            if table.name != Site.__tablename__
        ]
        return not any(
            connection.scalar(select(exists(select(1).select_from(table)))) for table in tables
        )


@contextmanager
def _alone() -> Iterator[None]:
    """Raise :class:`Conflict` while other processes of this installation are at work."""
    lock = settings_of(current_app).instance_path / "supervisor.lock"
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict(N_("prodapp is running here. Stop it first.")) from error
        _refuse_living_processes()
        yield


def _refuse_living_processes() -> None:
    with db.engine.connect() as connection:
        has_table = connection.dialect.has_table(connection, "process_presences")
    names = [row.name for row in presence.present(*Kind)] if has_table else []
    db.session.remove()
    if names:
        raise Conflict(
            N_(
                "These processes are at work: %(names)s. Stop them first; one that was killed is "
                "forgotten after a minute."
            ),
            names=", ".join(names),
        )


def _put_files(path: Path, manifest: Manifest, progress: Progress) -> None:
    for n, key in enumerate(manifest.files):
        progress("files", n, len(manifest.files))
        with file_path(path, key).open("rb") as source:
            stored = storage().put(source)
        if stored.key != key:  # it was right a moment ago, when it was verified
            raise DataRefused(N_("The file %(key)s changed while it was read."), key=key[:12])


def _put_rows(path: Path, manifest: Manifest, progress: Progress) -> None:
    with db.engine.connect() as connection, unhurried(connection), writing(connection):
        if connection.dialect.name == "postgresql":
            # Somebody who uses the tables is waited for, but not for ever.
            connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
        config = alembic_config()
        config.attributes["connection"] = connection
        if stored_revision(connection) is not None:
            alembic.downgrade(config, "base")
        alembic.upgrade(config, manifest.revision)
        _load(connection, path, manifest, progress)
        alembic.upgrade(config, "head")
        _end_what_was_open(connection)
        check_foreign_keys(connection)
        note = {"actor": "cli", "action": "backup.restored", "subject": f"backup:{path.name}"[:100]}
        connection.execute(insert(AuditEvent).values(**note))


def writing(connection: Connection) -> AbstractContextManager[object]:
    """The transaction of one who writes."""
    return connection.execution_options(sqlite_begin="IMMEDIATE").begin()


@contextmanager
def unhurried(connection: Connection) -> Iterator[None]:
    """Around a transaction that may take its time and remakes tables."""
    if connection.dialect.name == "postgresql":
        wait_for_ever(connection)
    try:
        with foreign_keys_off(connection):
            yield
    finally:
        connection.invalidate()  # nobody else should be handed so patient a connection


def _load(connection: Connection, path: Path, manifest: Manifest, progress: Progress) -> None:
    tables = stored_tables(connection)
    unknown = manifest.tables.keys() - tables.tables.keys()
    if unknown:
        raise DataRefused(
            N_("The backup holds tables that its revision does not have: %(tables)s."),
            tables=", ".join(sorted(unknown)),
        )
    known = [table for table in tables.sorted_tables if table.name in manifest.tables]
    for table in reversed(known):
        connection.execute(table.delete())  # what a migration itself may have put in
    done = 0
    for table in known:
        progress("rows", done, manifest.n_rows)
        with table_path(path, table.name).open("rb") as lines:
            done += load_rows(connection, table, read_rows(lines))
        continue_counters(connection, table)


def _end_what_was_open(connection: Connection) -> None:
    """What opened a door when the backup was made may have been used or revoked since."""
    for model, column in (
        (UserSession, "revoked_at"),
        (RefreshToken, "revoked_at"),
        (SignInLink, "used_at"),
    ):
        is_open = getattr(model, column).is_(None)
        connection.execute(update(model).where(is_open).values({column: db_now()}))


def check_foreign_keys(connection: Connection) -> None:
    """SQLite did not watch them while tables were made and filled."""
    if connection.dialect.name != "sqlite":
        return
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise DataRefused(
            N_("The rows of this backup contradict each other: see the table %(table)s."),
            table=str(broken[0]),
        )
