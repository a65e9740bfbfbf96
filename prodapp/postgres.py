"""How prodapp talks to PostgreSQL: it waits for no answer for ever, and tells no stored value.

libpq waits for as long as the other side's kernel confirms what was sent, so a server that is
stopped, or a network in between that swallows everything, would hold a thread until somebody ends
it. Here Python does the waiting (psycopg2's *wait callback*) and gives up in time.
"""

from __future__ import annotations

import select
import time
from typing import Any

import psycopg2
from psycopg2 import extensions
from sqlalchemy import Engine, event
from sqlalchemy.engine import Connection as EngineConnection
from sqlalchemy.engine import Dialect, ExceptionContext, make_url

from prodapp.breaker import Breaker

CONNECT_SECONDS = 5.0
PING_SECONDS = 3.0
# The server gives up on a statement first, and says so; then the client on the server.
STATEMENT_SECONDS = 15
ANSWER_SECONDS = 20.0
LOCK_SECONDS = 10
# Ends the transaction of a process that was paused in it, with the locks that others wait for.
IDLE_TRANSACTION_SECONDS = 120
# Less than a lease lasts: who is paused in a command must not keep its row from being taken back.
IDLE_COMMAND_SECONDS = 12
POOL_SECONDS = 5.0
# Extra connections beside one for each thread: nothing takes two for long.
SPARE_CONNECTIONS = 2

KEEPALIVES = {
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
# Errors of these classes quote what was to be stored; all others speak of the server.
DATA_CLASSES = ("22", "23")


class Connection(extensions.connection):
    """A connection that knows for how long it waits for an answer; ``None``: for ever."""

    answer_seconds: float | None = ANSWER_SECONDS


def engine_options(url: str, *, n_threads: int) -> dict[str, Any]:
    """Options for ``create_engine``; what ``url`` says itself counts."""
    settings = {
        "statement_timeout": STATEMENT_SECONDS,
        "lock_timeout": LOCK_SECONDS,
        "idle_in_transaction_session_timeout": IDLE_TRANSACTION_SECONDS,
    }
    options = " ".join(f"-c {name}={seconds}s" for name, seconds in settings.items())
    given = make_url(url).query
    wanted: dict[str, Any] = {**KEEPALIVES, "application_name": "prodapp", "options": options}
    return {
        "pool_pre_ping": True,
        "pool_size": n_threads,
        "max_overflow": SPARE_CONNECTIONS,
        "pool_timeout": POOL_SECONDS,
        "connect_args": {
            "connection_factory": Connection,
            **{name: value for name, value in wanted.items() if name not in given},
        },
    }


def hurry(connection: EngineConnection) -> None:
    """Have the server end this transaction soon where its process has stopped within it."""
    if connection.dialect.name == "postgresql":
        setting = f"idle_in_transaction_session_timeout = '{IDLE_COMMAND_SECONDS}s'"
        connection.exec_driver_sql(f"SET LOCAL {setting}")


def guard(engine: Engine) -> None:
    """Make the connections of ``engine`` impatient and their errors discreet."""
    extensions.set_wait_callback(_wait)
    breaker = Breaker()

    def connect(dialect: Dialect, _record: Any, args: list[Any], options: dict[str, Any]) -> Any:
        if not breaker.lets_through():
            raise psycopg2.OperationalError("the database did not answer a moment ago")
        try:
            connection = dialect.connect(*args, **options)
        except psycopg2.OperationalError:
            breaker.failed()
            raise
        breaker.succeeded()
        return connection

    event.listen(engine, "do_connect", connect)
    event.listen(engine, "handle_error", _hide_values)


def wait_for_ever(connection: EngineConnection) -> None:
    """Let statements of ``connection`` take the time they need, as migrations may."""
    connection.exec_driver_sql("SET statement_timeout = 0")
    connection.exec_driver_sql("SET lock_timeout = 0")
    connection.commit()
    driver_connection: Any = connection.connection.driver_connection
    driver_connection.answer_seconds = None


def _wait(connection: extensions.connection) -> None:
    """Wait until ``connection`` has done what it is at; psycopg2 closes it when this raises."""
    patience = _patience(connection)
    deadline = None if patience is None else time.monotonic() + patience
    poll = select.poll()
    while True:
        state = connection.poll()
        if state == extensions.POLL_OK:
            return
        wanted = select.POLLIN if state == extensions.POLL_READ else select.POLLOUT
        descriptor = connection.fileno()
        poll.register(descriptor, wanted)
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        is_ready = poll.poll(None if left is None else left * 1000)
        poll.unregister(descriptor)
        if not is_ready:
            raise psycopg2.OperationalError(f"no answer from the database in {patience:g} s")


def _patience(connection: extensions.connection) -> float | None:
    if not isinstance(connection, Connection):
        return None  # somebody else's
    if connection.status == extensions.STATUS_SETUP:
        return CONNECT_SECONDS
    if connection.autocommit:  # as the pool's ping sets it, and nothing else here
        return PING_SECONDS
    return connection.answer_seconds


def _hide_values(context: ExceptionContext) -> None:
    """Cut the message of an error down to names: the server quotes values, and logs are read.

    Both exceptions are changed in place, since either may be logged with its trace.
    """
    error = context.original_exception
    code = getattr(error, "pgcode", None)
    if not isinstance(error, psycopg2.Error) or code is None:
        return
    names = [
        f"{kind} {name}"
        for kind in ("table", "column", "constraint")
        if (name := getattr(error.diag, f"{kind}_name", None))
    ]
    told = error.diag.message_primary if code[:2] not in DATA_CLASSES else None
    message = ", ".join(part for part in (f"SQLSTATE {code}", told, *names) if part)
    error.args = (message,)
    if context.sqlalchemy_exception is not None:
        context.sqlalchemy_exception.args = (f"({type(error).__name__}) {message}",)
