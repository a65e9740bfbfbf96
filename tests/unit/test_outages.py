from __future__ import annotations

import errno
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from prodapp.exceptions import StorageFull, Unavailable
from prodapp.outages import outage_of


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_no_space_is_a_full_disk(code: int) -> None:
    assert isinstance(outage_of(OSError(code, "no")), StorageFull)


def test_other_trouble_with_files_is_none_of_it() -> None:
    assert outage_of(OSError(errno.EACCES, "no")) is None
    assert outage_of(ValueError("no")) is None


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("SELECT 1", {}, Exception("gone")),
        InterfaceError("SELECT 1", {}, Exception("closed")),
        PoolTimeoutError("all taken"),
    ],
)
def test_a_database_that_does_not_answer_is_unavailable(error: Exception) -> None:
    assert isinstance(outage_of(error), Unavailable)


def test_a_statement_that_sqlite_refuses_is_no_outage() -> None:
    with (
        closing(sqlite3.connect(":memory:")) as connection,
        pytest.raises(sqlite3.OperationalError) as caught,
    ):
        connection.execute("SELECT * FROM nowhere")
    assert outage_of(OperationalError("SELECT", {}, caught.value)) is None


@pytest.mark.postgres
def test_a_statement_beyond_postgresqls_limits_is_no_outage(postgres_url: str) -> None:
    engine = create_engine(postgres_url)
    columns = ", ".join(["1"] * 1700)
    with engine.connect() as connection, pytest.raises(OperationalError) as caught:
        connection.execute(text(f"SELECT {columns}"))
    engine.dispose()
    assert outage_of(caught.value) is None


def test_a_broken_constraint_is_no_outage() -> None:
    assert outage_of(IntegrityError("INSERT", {}, Exception("taken"))) is None


def test_a_database_that_may_not_grow_is_a_full_disk(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "small.db")) as connection:
        connection.execute("CREATE TABLE t (x BLOB)")
        connection.execute("PRAGMA max_page_count = 3")
        with pytest.raises(sqlite3.OperationalError) as caught:
            connection.execute("INSERT INTO t VALUES (zeroblob(100000))")
    error = OperationalError("INSERT", {}, caught.value)
    assert isinstance(outage_of(error), StorageFull)
