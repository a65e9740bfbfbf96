from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError

from prodapp.extensions import abandon, db, note
from prodapp.models import Site
from prodapp.models.types import db_now


def names() -> list[str]:
    return list(db.session.scalars(select(Site.name)))


def add_site(name: str) -> None:
    note(insert(Site).values(name=name, created_at=db_now()))


def test_a_note_is_written(app: Flask) -> None:
    add_site("here")
    assert names() == ["here"]


def test_a_note_is_dropped_while_somebody_else_writes(app: Flask, tmp_path: Path) -> None:
    assert names() == []
    db.session.execute(text("PRAGMA busy_timeout = 50"))
    other = sqlite3.connect(tmp_path / "instance" / "prodapp.db", isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        add_site("dropped")
        assert names() == []
    finally:
        other.close()
    add_site("written")
    assert names() == ["written"]


def test_a_wrong_note_is_a_mistake(app: Flask) -> None:
    add_site("once")
    with pytest.raises(IntegrityError):
        add_site("once")


def test_a_transaction_is_given_up_also_where_its_connection_is_dead(app: Flask) -> None:
    connection = db.session.connection().connection.driver_connection
    assert isinstance(connection, sqlite3.Connection)
    connection.close()
    abandon()
    assert names() == []
