"""The database: does it answer, has it the right tables, is it sound, does its clock go right?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError, SQLAlchemyError

from prodapp.doctor.findings import Finding, Severity
from prodapp.exceptions import N_
from prodapp.extensions import db
from prodapp.models.types import db_now
from prodapp.revisions import is_known, newest_revision, stored_revision

MAX_SKEW_SECONDS = 5.0
MOST_FAULTS = 5


def place() -> str:
    """Which database it is, without its password."""
    return db.engine.url.render_as_string(hide_password=True)


def answers() -> Iterator[Finding]:
    """Whether it answers at all; without it, nothing else can be looked at."""
    try:
        with db.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except SQLAlchemyError as error:
        yield Finding(
            "database_away",
            Severity.ERROR,
            place(),
            N_("The database does not answer (%(kind)s)."),
            N_("Start it, and check DATABASE_URL."),
            {"kind": type(getattr(error, "orig", None) or error).__name__},
        )


def schema() -> Iterator[Finding]:
    """Whether the tables are those of the newest migration."""
    with db.engine.connect() as connection:
        stored, newest = stored_revision(connection), newest_revision()
    told = {"stored": stored, "newest": newest}
    if stored is None:
        yield Finding(
            "schema_missing",
            Severity.ERROR,
            place(),
            N_("The database has no tables yet."),
            N_("Run: flask db upgrade"),
        )
    elif stored != newest and is_known(stored):
        yield Finding(
            "schema_behind",
            Severity.ERROR,
            place(),
            N_("The tables stand at %(stored)s, this prodapp needs %(newest)s."),
            N_("Make a backup, then run: flask db upgrade"),
            told,
        )
    elif stored != newest:
        yield Finding(
            "schema_unknown",
            Severity.ERROR,
            place(),
            N_("The tables are of a newer prodapp: they stand at %(stored)s."),
            N_("Start the newer version again, or restore a backup of this one."),
            told,
        )


def drift() -> Iterator[Finding]:
    """Whether somebody changed the tables by hand."""
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, db.metadata)
    if differences:
        yield Finding(
            "schema_drift",
            Severity.ERROR,
            place(),
            N_("The tables are not as the migrations made them: %(differences)s."),
            N_("Undo what was changed by hand, or restore a backup."),
            {"differences": "; ".join(_in_words(each) for each in differences[:MOST_FAULTS])},
        )


def soundness() -> Iterator[Finding]:
    """SQLite's own examination of its file, and of references between rows."""
    if db.engine.dialect.name != "sqlite":
        return
    with db.engine.connect() as connection:
        try:
            faults = connection.exec_driver_sql(f"PRAGMA integrity_check({MOST_FAULTS})").all()
        except DatabaseError as error:
            faults = [(str(error.orig),)]  # type: ignore[list-item]
        if [tuple(row) for row in faults] != [("ok",)]:
            yield Finding(
                "database_damaged",
                Severity.ERROR,
                place(),
                N_("The database file is damaged: %(faults)s."),
                N_("Stop prodapp, keep a copy of the file, and restore the newest backup."),
                {"faults": "; ".join(" ".join(str(row[0]).split()) for row in faults)},
            )
            return
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    for table, row_id, referred, _ in broken:
        yield Finding(
            "reference_broken",
            Severity.ERROR,
            f"{table}:{row_id}",
            N_("%(table)s %(id)s refers to a row of %(referred)s that is not there."),
            N_("Restore a backup from before the row was lost."),
            {"table": table, "id": row_id, "referred": referred},
        )


def clock(now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Iterator[Finding]:
    """Whether this host and the database agree what time it is."""
    with db.engine.connect() as connection:
        connection.execute(text("SELECT 1"))  # connecting takes its time
        before = now()
        told = connection.scalar(select(db_now()))
        after = now()
    # Between its two readings of its own clock, this host cannot tell more exactly.
    ahead = 0.0
    if told is not None and not before <= told <= after:
        ahead = (told - (before if told < before else after)).total_seconds()
    if abs(ahead) > MAX_SKEW_SECONDS:
        yield Finding(
            "clock_skew_database",
            Severity.ERROR,
            place(),
            N_("The database's clock differs from this host's by %(seconds)s s."),
            N_("Let both hosts take their time from the same server (NTP)."),
            {"seconds": round(ahead, 1)},
        )


def _in_words(difference: object) -> str:
    """``('remove_index', Index(…))`` and its kin as a few words."""
    change = difference[0] if isinstance(difference, list) else difference
    if not isinstance(change, tuple):
        return str(change)
    names = [getattr(part, "name", part) for part in change[1:] if part is not None]
    return " ".join(str(name) for name in (str(change[0]).replace("_", " "), *names)[:4])
