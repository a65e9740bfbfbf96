"""A database's rows ↔ text: one JSON object a line, the same for SQLite and PostgreSQL.

Tables are looked up in the database, not taken from the models: a backup may be older than the
code that reads it, and the code newer than the database it saves. Times are ISO 8601 in UTC, UUIDs
32 hex digits, documents nest as they are.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Column, Connection, DateTime, MetaData, Table, Uuid, func, select, text

from prodapp.exceptions import DataRefused, N_
from prodapp.models import ProcessPresence
from prodapp.revisions import VERSION_TABLE

# What is true only of the moment, and the revision, which the manifest tells.
LEFT_OUT = (VERSION_TABLE, ProcessPresence.__tablename__)
BATCH = 100  # a data set's row may hold a large preview


def stored_tables(connection: Connection) -> MetaData:
    """The tables of the database as they are, without those that no backup holds."""
    metadata = MetaData()
    metadata.reflect(connection, only=lambda name, _: name not in LEFT_OUT)
    for table in metadata.tables.values():
        for column in table.columns:
            if isinstance(column.type, JSON):
                column.type.none_as_null = True
    return metadata


def write_rows(connection: Connection, table: Table, write: Callable[[bytes], object]) -> int:
    """Hand every row to ``write``, in the order of the keys; returns how many there are."""
    statement = select(table).order_by(*table.primary_key.columns)
    n_rows = 0
    for row in connection.execute(statement, execution_options={"yield_per": BATCH}).mappings():
        write(json.dumps(dict(row), default=_as_text).encode() + b"\n")
        n_rows += 1
    return n_rows


def read_rows(file: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The rows that :func:`write_rows` wrote, as JSON has them."""
    for line in file:
        yield json.loads(line)


def load_rows(connection: Connection, table: Table, rows: Iterable[dict[str, Any]]) -> int:
    """Insert ``rows`` into the empty ``table``; returns how many there were."""
    take = {column.name: _reader(column) for column in table.columns}
    n_rows = 0
    lines = iter(rows)
    while batch := list(islice(lines, BATCH)):
        for row in batch:
            if row.keys() != take.keys():
                raise DataRefused(
                    N_("The columns of the table %(table)s are not those of its revision."),
                    table=table.name,
                )
        values = [
            {name: value if value is None else take[name](value) for name, value in row.items()}
            for row in batch
        ]
        connection.execute(table.insert(), values)
        n_rows += len(batch)
    return n_rows


def continue_counters(connection: Connection, table: Table) -> None:
    """Let new ids begin after the loaded ones. SQLite does so by itself."""
    if connection.dialect.name != "postgresql":
        return
    for column in table.primary_key.columns:
        name = {"table": f'"{table.name}"', "column": column.name}
        counter = connection.scalar(text("SELECT pg_get_serial_sequence(:table, :column)"), name)
        if counter is not None:
            highest = connection.scalar(select(func.max(column)))
            connection.execute(
                text("SELECT setval(:counter, :next, false)"),
                {"counter": counter, "next": (highest or 0) + 1},
            )


def _as_text(value: object) -> str:
    if isinstance(value, datetime):
        aware = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        return aware.isoformat()
    if isinstance(value, UUID):
        return value.hex
    raise TypeError(f"backups know no values of type {type(value).__name__}")


def _reader(column: Column[Any]) -> Callable[[Any], Any]:
    """What turns a value of the text form into one that the column takes."""
    if isinstance(column.type, DateTime):
        return _aware_time if column.type.timezone else _utc_time
    if isinstance(column.type, Uuid):
        return UUID
    return lambda value: value


def _aware_time(value: str) -> datetime:
    return datetime.fromisoformat(value)


def _utc_time(value: str) -> datetime:
    return datetime.fromisoformat(value).astimezone(UTC).replace(tzinfo=None)
