"""Predictions are kept before they are answered, those of several requests in one commit.

A commit waits for the disk, longer than an answer takes. So who comes first writes what has
gathered meanwhile, and the others find theirs written.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, cast

from flask import Flask, current_app
from sqlalchemy import insert
from sqlalchemy.exc import SQLAlchemyError

from prodapp import postgres
from prodapp.extensions import db
from prodapp.models import Prediction

EXTENSION = "prodapp.predictions_recorder"
Row = Mapping[str, Any]


class _Waiting:
    """The rows of one request, and how writing them went."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self.is_done = False
        self.error: BaseException | None = None


class Recorder:
    """Writes rows of predictions for any number of threads."""

    def __init__(self) -> None:
        self._writing = threading.Lock()
        self._gathering = threading.Lock()
        self._gathered: list[_Waiting] = []

    def keep(self, rows: Sequence[Row]) -> None:
        """Return when ``rows`` are committed; raises what the database says."""
        db.session.commit()  # what was read is read: nobody waits with a connection in hand
        mine = _Waiting(rows)
        with self._gathering:
            self._gathered.append(mine)
        with self._writing:
            if not mine.is_done:
                with self._gathering:
                    together, self._gathered = self._gathered, []
                _write(together)
        if mine.error is not None:
            raise mine.error


def _write(together: Sequence[_Waiting]) -> None:
    try:
        _insert([row for waiting in together for row in waiting.rows])
    except SQLAlchemyError as error:
        for waiting in together:
            waiting.error = error
    finally:
        for waiting in together:
            waiting.is_done = True


def _insert(rows: Sequence[Row]) -> None:
    """In a transaction of its own, whosever rows these are."""
    with db.engine.connect() as connection:
        postgres.hurry(connection.execution_options(sqlite_begin="IMMEDIATE"))
        connection.execute(insert(Prediction), rows)
        connection.commit()


def init_app(app: Flask) -> None:
    """Give ``app`` a recorder."""
    app.extensions[EXTENSION] = Recorder()


def recorder() -> Recorder:
    """The recorder of the current application."""
    return cast(Recorder, current_app.extensions[EXTENSION])
