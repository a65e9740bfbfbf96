"""Predictions are kept before they are answered, those of several requests in one commit.

Who comes first writes what has gathered meanwhile, and the others find theirs written.

A commit that waits for the disk takes longer than everything else. Unless it is told to wait
(``PREDICTION_DURABILITY=power``), the recorder leaves writing to the disk to the operating system:
what was answered outlives the end of any process, and the next commit of anybody else, such as the
dispatcher's every few seconds, brings it to the disk. A power cut may take what came since.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, cast

from flask import Flask, current_app
from sqlalchemy import Connection, insert
from sqlalchemy.exc import SQLAlchemyError

from prodapp import postgres
from prodapp.extensions import db, settings_of
from prodapp.models import Prediction

EXTENSION = "prodapp.predictions_recorder"
Row = Mapping[str, Any]

#: The table's and not the model's: those rows are mappings already, which the ORM would take apart.
_INSERT: Final = insert(Prediction.__table__)  # type: ignore[arg-type]


class _Waiting:
    """The rows of one request, and how writing them went."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self.is_done = False
        self.error: BaseException | None = None


class Recorder:
    """Writes rows of predictions for any number of threads."""

    def __init__(self, *, awaits_disk: bool) -> None:
        self._awaits_disk = awaits_disk
        self._writing = threading.Lock()
        self._gathering = threading.Lock()
        self._gathered: list[_Waiting] = []

    def keep(self, rows: Sequence[Row]) -> None:
        """Return when ``rows`` are committed; raises what the database says."""
        if db.session().in_transaction():
            db.session.commit()  # what was read is read: nobody waits with a connection in hand
        mine = _Waiting(rows)
        with self._gathering:
            self._gathered.append(mine)
        with self._writing:
            if not mine.is_done:
                with self._gathering:
                    together, self._gathered = self._gathered, []
                _write(together, awaits_disk=self._awaits_disk)
        if mine.error is not None:
            raise mine.error


def _write(together: Sequence[_Waiting], *, awaits_disk: bool) -> None:
    try:
        _insert([row for waiting in together for row in waiting.rows], awaits_disk=awaits_disk)
    except SQLAlchemyError as error:
        for waiting in together:
            waiting.error = error
    finally:
        for waiting in together:
            waiting.is_done = True


def _insert(rows: Sequence[Row], *, awaits_disk: bool) -> None:
    """In a transaction of its own, whosever rows these are."""
    with db.engine.connect() as connection, _ending(connection, awaits_disk=awaits_disk):
        postgres.hurry(connection.execution_options(sqlite_begin="IMMEDIATE"))
        connection.execute(_INSERT, rows)
        connection.commit()


@contextmanager
def _ending(connection: Connection, *, awaits_disk: bool) -> Iterator[None]:
    """Commits in here wait for the disk, or do not."""
    if awaits_disk:
        yield
    elif connection.dialect.name == "sqlite":
        driver_connection = cast(sqlite3.Connection, connection.connection.dbapi_connection)
        driver_connection.execute("PRAGMA synchronous=NORMAL")
        try:
            yield
        finally:
            connection.rollback()
            driver_connection.execute("PRAGMA synchronous=FULL")
    else:
        connection.exec_driver_sql("SET LOCAL synchronous_commit TO off")
        yield


def init_app(app: Flask) -> None:
    """Give ``app`` a recorder."""
    awaits_disk = settings_of(app).prediction_durability == "power"
    app.extensions[EXTENSION] = Recorder(awaits_disk=awaits_disk)


def recorder() -> Recorder:
    """The recorder of the current application."""
    return cast(Recorder, current_app.extensions[EXTENSION])
