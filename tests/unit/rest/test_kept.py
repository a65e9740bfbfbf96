"""Answers that are kept for a moment, and what makes them be forgotten."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from prodapp.caller import Caller
from prodapp.extensions import db, recently
from prodapp.machines import service as machines
from tests.factories import make_machine

Headers = dict[str, str]
MACHINES = "/api/v1/machines"


@pytest.fixture
def statements(app: Flask) -> list[str]:
    """What is asked of tables of machines from now on."""
    found: list[str] = []

    @event.listens_for(db.engine, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "FROM machines" in statement:
            found.append(statement)

    return found


def test_a_second_reader_and_one_who_has_the_answer_ask_the_database_nothing(
    client: FlaskClient, caller: Caller, bearer: Callable[..., Headers], statements: list[str]
) -> None:
    headers = bearer("viewer")
    make_machine(caller)
    first = client.get(MACHINES, headers=headers)
    assert statements
    statements.clear()
    again = client.get(MACHINES, headers=headers)
    assert (again.data, again.headers["Link"]) == (first.data, first.headers["Link"])
    known = client.get(MACHINES, headers=headers | {"If-None-Match": first.headers["ETag"]})
    assert (known.status_code, known.data) == (304, b"")
    assert statements == []


def test_a_command_makes_kept_answers_be_forgotten(
    client: FlaskClient, caller: Caller, bearer: Callable[..., Headers]
) -> None:
    headers, machine = bearer("viewer"), make_machine(caller)
    assert client.get(MACHINES, headers=headers).json[0]["name"] == machine.name
    machines.rename_machine(caller, machine.id, name="Another name")
    assert client.get(MACHINES, headers=headers).json[0]["name"] == "Another name"


def test_answers_are_kept_for_each_caller_language_and_question(
    app: Flask, client: FlaskClient, caller: Caller, bearer: Callable[..., Headers]
) -> None:
    viewer, admin = bearer("viewer"), bearer("admin")
    make_machine(caller)
    for headers in (viewer, admin):  # that a key was used is written down once, which forgets all
        client.get(MACHINES, headers=headers)
    recently().forget()
    for headers in (viewer, admin, viewer | {"Accept-Language": "pt-BR"}):
        for query in ("", "?page_size=1"):
            client.get(MACHINES + query, headers=headers)
    kept = [key for key in recently()._kept if isinstance(key, tuple) and key[0] == "answer"]
    assert len(kept) == 6


def test_errors_are_not_kept(client: FlaskClient, bearer: Callable[..., Headers]) -> None:
    headers = bearer("viewer")
    assert client.get(f"{MACHINES}?page=0", headers=headers).status_code == 422
    assert client.get("/api/v1/versions/1", headers=headers).status_code == 404
    assert not [key for key in recently()._kept if isinstance(key, tuple) and key[0] == "answer"]
