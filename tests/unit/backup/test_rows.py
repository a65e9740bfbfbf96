"""Rows as text, and back, between any two databases."""

from __future__ import annotations

import json
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import Column, Integer, LargeBinary, MetaData, Table, insert, select

from prodapp.backup.rows import load_rows, read_rows, stored_tables, write_rows
from prodapp.exceptions import DataRefused
from prodapp.extensions import db
from prodapp.models import AuditEvent


def lines_of(table: str) -> list[bytes]:
    lines: list[bytes] = []
    with db.engine.connect() as connection:
        write_rows(connection, stored_tables(connection).tables[table], lines.append)
    return lines


def test_the_text_is_the_same_whatever_the_database(filled: Flask) -> None:
    (line,) = [x for x in lines_of("audit_events") if b"dataset.uploaded" in x]
    row = json.loads(line)
    assert UUID(row["id"]).hex == row["id"]
    assert row["occurred_at"].endswith("+00:00")
    assert set(row["after"]) == {"machine", "sha256"}
    assert row["before"] is None
    (version,) = [json.loads(x) for x in lines_of("model_versions")]
    assert version["is_champion"] is True
    assert isinstance(version["metrics"]["r2"], float)


def test_rows_survive_the_way_there_and_back(filled: Flask) -> None:
    def everything() -> list[tuple[object, ...]]:
        with db.engine.connect() as connection:
            rows = connection.execute(select(AuditEvent.__table__).order_by(AuditEvent.id))
            return [tuple(row) for row in rows]

    before, lines = everything(), lines_of("audit_events")
    with db.engine.begin() as connection:
        table = stored_tables(connection).tables["audit_events"]
        connection.execute(table.delete())
        assert load_rows(connection, table, read_rows(lines)) == len(before)
    assert everything() == before


def test_a_row_of_other_columns_is_refused(filled: Flask) -> None:
    with db.engine.connect() as connection, pytest.raises(DataRefused, match="sites"):
        load_rows(connection, stored_tables(connection).tables["sites"], [{"id": 7}])


def test_a_value_that_the_text_form_has_no_words_for_is_not_dropped(app: Flask) -> None:
    table = Table("blobs", MetaData(), Column("id", Integer, primary_key=True))
    table.append_column(Column("content", LargeBinary))
    with db.engine.begin() as connection:
        table.create(connection)
        connection.execute(insert(table).values(id=1, content=b"\x00"))
        with pytest.raises(TypeError, match="bytes"):
            write_rows(connection, table, lambda _: None)
