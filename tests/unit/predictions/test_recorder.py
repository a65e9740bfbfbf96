"""Predictions are kept before they are answered, and as safely as was asked for."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, event, func, select, update
from sqlalchemy.exc import IntegrityError
from uuid6 import uuid7

from prodapp.extensions import command, db
from prodapp.models import Prediction
from prodapp.predictions.recorder import recorder


def row(**changes: Any) -> dict[str, Any]:
    made = {
        "occurred_at": datetime.now(UTC),
        "id": uuid7(),
        **dict.fromkeys(("site_id", "machine_id", "version_id", "user_id"), 1),
        "actor": "ana",
        "channel": "api",
        "request_id": None,
        "request_key": None,
        "body_hash": None,
        "position": 0,
        "inputs": {"heat": 1.5},
        **dict.fromkeys(("output", "low", "high"), 2.0),
        "level": 0.9,
        "is_new": False,
        "details": {},
        "duration_ms": 0.1,
    }
    return made | changes


def n_kept() -> int:
    return db.session.scalar(select(func.count()).select_from(Prediction)) or 0


@contextmanager
def waits() -> Iterator[list[int]]:
    """How each commit on SQLite waits: 1 for the system alone, 2 for the disk."""
    found: list[int] = []

    def note(connection: Connection) -> None:
        driver = connection.connection.dbapi_connection
        assert isinstance(driver, sqlite3.Connection)
        found.append(driver.execute("PRAGMA synchronous").fetchone()[0])

    event.listen(db.engine, "commit", note)
    yield found
    event.remove(db.engine, "commit", note)


def test_kept_rows_are_there_for_others(any_app: Flask) -> None:
    recorder().keep([row(), row()])
    assert n_kept() == 2


def test_answers_wait_for_no_disk_and_all_else_does(app: Flask) -> None:
    with waits() as found:
        recorder().keep([row()])
        with command() as session:
            session.execute(update(Prediction).values(actor="eva"))
    assert found == [1, 2]


def test_an_installation_may_have_answers_wait_too(make_app: Callable[..., Flask]) -> None:
    with make_app(PREDICTION_DURABILITY="power").app_context(), waits() as found:
        recorder().keep([row()])
    assert found == [2]


def test_a_row_that_cannot_be_kept_is_told_and_stands_in_nobodys_way(any_app: Flask) -> None:
    first = row()
    recorder().keep([first])
    with pytest.raises(IntegrityError):
        recorder().keep([first])
    recorder().keep([row()])
    assert n_kept() == 2
