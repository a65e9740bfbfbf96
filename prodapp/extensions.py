"""Extensions that are bound to an application later, and the transaction that commands run in."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from flask import Flask, current_app
from flask_babel import Babel
from flask_limiter import Limiter
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as BoundSession
from flask_wtf import CSRFProtect
from sqlalchemy import Connection, Executable, MetaData, event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Session

from prodapp import postgres
from prodapp.addresses import calling_network
from prodapp.config import Settings
from prodapp.exceptions import ConfigurationError
from prodapp.outages import outage_of
from prodapp.recently import Recently

log = logging.getLogger(__name__)

RECENTLY = "prodapp.recently"


class Base(DeclarativeBase):
    """Constraint names follow one convention, so that migrations can name what they drop."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class LenientSession(BoundSession):
    """A session that can always be closed: ending a dead connection's transaction is no error."""

    def close(self) -> None:
        try:
            super().close()
        except SQLAlchemyError:
            self.invalidate()


db = SQLAlchemy(
    model_class=Base, session_options={"class_": LenientSession, "expire_on_commit": False}
)
migrate = Migrate()
csrf = CSRFProtect()
babel = Babel()
limiter = Limiter(key_func=calling_network)

if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model


def settings_of(app: Flask) -> Settings:
    """The typed settings that ``app`` was made with."""
    return cast(Settings, app.extensions["prodapp.settings"])


def engine_options(settings: Settings) -> dict[str, Any]:
    """Options for the engine of ``settings``."""
    url = settings.database_url
    # Errors are logged, and what was to be stored may be a secret.
    options: dict[str, Any] = {"hide_parameters": True}
    if not url.startswith("sqlite"):
        options |= postgres.engine_options(url, n_threads=settings.web_threads)
    return options


def init_database(app: Flask) -> None:
    """Bind the database and, for SQLite, make it durable and friendly to several processes."""
    db.init_app(app)
    app.extensions[RECENTLY] = Recently()
    migrate.init_app(app, db, directory="migrations", render_as_batch=True)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            event.listen(db.engine, "connect", _configure_sqlite)
            event.listen(db.engine, "begin", _begin_sqlite)
        else:
            postgres.guard(db.engine)


def _configure_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    # The driver must not open transactions by itself: "begin" below decides their kind.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=15000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A reading transaction that turns into a writing one fails at once when another process wrote
    # in between, whatever the time-out: commands therefore take the write lock at their start.
    kind = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {kind}")


@contextmanager
def command() -> Iterator[Session]:
    """One transaction for one verb: committed at the end, rolled back on any error.

    Objects loaded before it stay usable; a command inside a command is a mistake.
    """
    session = db.session()
    if session.info.get("in_command"):
        raise RuntimeError("a command was started inside another command")
    session.commit()  # ends the read transaction that looking the caller up began
    session.info["in_command"] = True
    try:
        postgres.hurry(session.connection(execution_options={"sqlite_begin": "IMMEDIATE"}))
        for look in (*session.info.pop("at_command", ()), *session.info.get("at_each_command", ())):
            look(session)
        yield session
        for action in session.info.get("before_commit", ()):
            action()
        session.commit()
        for action in session.info.get("after_commit", ()):
            action()
    except BaseException:
        abandon()
        raise
    finally:
        session.info["in_command"] = False
        recently().forget()
        session.info.pop("before_commit", None)
        session.info.pop("after_commit", None)


def recently() -> Recently:
    """What the current application found a moment ago; every command forgets it."""
    return cast(Recently, current_app.extensions[RECENTLY])


def at_command(session: Session, look: Callable[[Session], object]) -> None:
    """Have the next command of ``session`` begin with ``look``; what it raises ends the command."""
    session.info.setdefault("at_command", []).append(look)


def at_each_command(session: Session, act: Callable[[Session], object]) -> None:
    """Have every further command of ``session`` begin with ``act``."""
    session.info.setdefault("at_each_command", []).append(act)


def before_commit(session: Session, action: Callable[[], object]) -> None:
    """Do ``action`` in the command that ``session`` is in, once all else of it is written."""
    session.info.setdefault("before_commit", []).append(action)


def after_commit(session: Session, action: Callable[[], object]) -> None:
    """Do ``action`` once the command that ``session`` is in has been committed, else never.

    For what must not raise and what nobody's data depend on, such as counting.
    """
    session.info.setdefault("after_commit", []).append(action)


def note(statement: Executable) -> None:
    """Execute what may as well be dropped, in a transaction of its own.

    A database that is busy, full or away at the moment does not keep a reader out by it.
    """
    try:
        with command() as session:
            session.execute(statement)
    except SQLAlchemyError as error:
        outage = outage_of(error)
        if outage is None:
            raise
        log.warning("dropped a note: %s", outage.error_code)


def abandon() -> None:
    """End the open transaction, if any, also where its connection is dead."""
    try:
        db.session.rollback()
    except SQLAlchemyError:
        db.session().invalidate()


@contextmanager
def foreign_keys_off(connection: Connection) -> Iterator[None]:
    """Let SQLite not watch foreign keys, around a transaction of ``connection``.

    A migration that copies a table drops the old one, which would take the rows that refer to it
    along, and within a transaction SQLite does not take the order. On PostgreSQL nothing changes.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    driver_connection = cast(sqlite3.Connection, connection.connection.dbapi_connection)
    driver_connection.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        connection.rollback()
        driver_connection.execute("PRAGMA foreign_keys=ON")


def refuse_old_sqlite() -> None:
    """``UPDATE … RETURNING``, which claims rely on, needs SQLite 3.35."""
    if sqlite3.sqlite_version_info < (3, 35):
        raise ConfigurationError(
            f"SQLite {sqlite3.sqlite_version} is too old: prodapp needs 3.35 or newer, "
            "or a PostgreSQL in DATABASE_URL."
        )
