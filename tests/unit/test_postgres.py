from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator

import psutil
import psycopg2
import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DataError, IntegrityError, OperationalError

from prodapp import postgres
from prodapp.extensions import abandon, command, db
from prodapp.models import Site
from tests.services import running_postgres

pytestmark = pytest.mark.postgres
# Put together here, since traces quote the lines of this file.
STORED = "hunter" + str(2)
AWAY = "postgresql://nobody@127.0.0.1:1/none"


@pytest.fixture
def app(make_app: Callable[..., Flask], postgres_url: str) -> Iterator[Flask]:
    """An application over an empty PostgreSQL, its context pushed."""
    application = make_app(DATABASE_URL=postgres_url)
    with application.app_context():
        yield application
        db.session.remove()
        db.engine.dispose()


def setting(name: str) -> str:
    return str(db.session.scalar(text(f"SHOW {name}")))


@pytest.mark.usefixtures("app")
def test_the_server_ends_what_takes_too_long() -> None:
    assert setting("statement_timeout") == "15s"
    assert setting("lock_timeout") == "10s"
    assert setting("idle_in_transaction_session_timeout") == "2min"


def test_what_the_address_says_counts(make_app: Callable[..., Flask], postgres_url: str) -> None:
    url = f"{postgres_url}&options=-c%20statement_timeout%3D7s&application_name=mine"
    with make_app(DATABASE_URL=url).app_context():
        assert setting("statement_timeout") == "7s"
        assert setting("application_name") == "mine"
        db.session.remove()
        db.engine.dispose()


@pytest.mark.usefixtures("app")
def test_migrations_take_their_time() -> None:
    with db.engine.connect() as connection:
        postgres.wait_for_ever(connection)
        driver_connection = connection.connection.driver_connection
        assert isinstance(driver_connection, postgres.Connection)
        assert driver_connection.answer_seconds is None
        assert connection.scalar(text("SHOW statement_timeout")) == "0"
        connection.invalidate()


def test_stored_values_are_neither_in_the_error_nor_in_the_log(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    db.create_all()
    with command() as session:
        session.add(Site(name=STORED))
    with pytest.raises(IntegrityError) as caught, command() as session:
        session.add(Site(name=STORED))
    logging.getLogger("test").error("failed", exc_info=caught.value)
    assert "uq_sites_name" in str(caught.value)
    assert "23505" in caplog.text
    assert STORED not in caplog.text
    with pytest.raises(DataError) as malformed:
        db.session.scalar(text("SELECT CAST(:what AS integer)"), {"what": STORED})
    logging.getLogger("test").error("failed", exc_info=malformed.value)
    assert STORED not in caplog.text


@pytest.mark.usefixtures("app")
def test_errors_of_the_server_keep_their_message() -> None:
    with pytest.raises(OperationalError, match="57014, canceling statement due to statement"):
        db.session.execute(text("SET statement_timeout = 1; SELECT pg_sleep(1)"))


def test_after_a_failure_others_are_told_at_once(make_app: Callable[..., Flask]) -> None:
    with make_app(DATABASE_URL=AWAY).app_context():
        with pytest.raises(OperationalError, match="refused"):
            db.session.execute(text("SELECT 1"))
        with pytest.raises(OperationalError, match="a moment ago"):
            db.session.execute(text("SELECT 1"))


def test_a_server_that_hangs_is_given_up_on_and_used_again_when_it_is_back(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CONNECT_SECONDS", "PING_SECONDS"):
        monkeypatch.setattr(postgres, name, 0.5)
    with running_postgres() as server:
        app = make_app(DATABASE_URL=server.create_database())
        with app.app_context():
            assert db.session.scalar(text("SELECT 1")) == 1
            db.session.remove()  # the connection waits in the pool
            family = psutil.Process().children(recursive=True)
            server_family = [process for process in family if process.name() == "postgres"]
            for process in server_family:
                process.suspend()
            with pytest.raises(OperationalError, match="no answer"):
                db.session.scalar(text("SELECT 1"))
            db.session.remove()
            for process in server_family:
                process.resume()
            assert until_answered() == 1
            db.session.remove()
            db.engine.dispose()


def test_a_session_is_closed_although_its_server_is_gone(
    app: Flask, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for leave in (db.session.remove, abandon):
        number = db.session.scalar(text("SELECT pg_backend_pid()"))
        with db.engine.connect() as other:
            other.execute(text("SELECT pg_terminate_backend(:number)"), {"number": number})
        leave()
        assert until_answered() == 1
        db.session.remove()


def test_an_answer_that_never_comes_ends_the_connection(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres.Connection, "answer_seconds", 0.3)
    with pytest.raises(OperationalError, match=r"no answer from the database in 0\.3 s"):
        db.session.execute(text("SELECT pg_sleep(60)"))
    db.session.rollback()
    monkeypatch.undo()
    assert db.session.scalar(text("SELECT 1")) == 1


def test_other_connections_of_the_process_wait_as_long_as_they_like(
    app: Flask, postgres_url: str
) -> None:
    parts = db.engine.url
    connection = psycopg2.connect(
        host=parts.query["host"], user=parts.username, dbname=parts.database
    )
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(0.1), 5")
            row = cursor.fetchone()
            assert row is not None
            assert row[1] == 5
    finally:
        connection.close()


def until_answered() -> object:
    deadline = time.monotonic() + 30
    while True:
        try:
            return db.session.scalar(text("SELECT 1"))
        except OperationalError:
            db.session.remove()
            assert time.monotonic() < deadline
            time.sleep(0.1)
