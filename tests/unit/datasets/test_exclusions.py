"""Rows of a data set that runs leave out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from prodapp.auth import service as auth
from prodapp.caller import Caller
from prodapp.datasets.exclusions import set_exclusions
from prodapp.exceptions import Conflict, InvalidInput, NotFound
from prodapp.extensions import db
from prodapp.models import AuditEvent
from tests.factories import make_csv, make_dataset, make_ready_dataset

Bearer = Callable[..., dict[str, str]]

DAYS = "when,heat,shift,yield\n" + "".join(
    f"2026-03-{1 + n // 24:02d} {n % 24:02d}:00,{n % 10},{'AB'[n % 2]},{n * n % 31}\n"
    for n in range(120)
)


def excluded(caller: Caller, *documents: dict[str, Any]) -> list[int]:
    dataset = make_ready_dataset(caller, content=DAYS.encode())
    set_exclusions(caller, dataset.id, exclusions=documents)
    return [one["n_rows"] for one in dataset.exclusions or ()]


def condition(column: str, operator: str, value: Any = None) -> dict[str, Any]:
    return {"column": column, "operator": operator, "value": value}


def test_rows_are_told_by_conditions_periods_and_positions(any_app: Flask, caller: Caller) -> None:
    counts = excluded(
        caller,
        {"label": "cold", "conditions": [condition("heat", "<", 2)]},
        {"conditions": [condition("heat", "in", [0, 5]), condition("shift", "=", "B")]},
        {"time": "when", "start": "2026-03-02", "end": "2026-03-02T11:00"},
        {"first_row": 111},
    )
    # A row counts for the first that takes it; rows 5, 15, … are of shift B.
    assert counts[:2] == [24, 12]
    assert counts[2] == sum(n % 10 not in (0, 1, 5) for n in range(24, 36))
    assert counts[3] == sum(n % 10 not in (0, 1, 5) for n in range(110, 120))


def test_they_are_kept_replaced_and_taken_back(any_app: Flask, caller: Caller) -> None:
    dataset = make_ready_dataset(caller)
    set_exclusions(caller, dataset.id, exclusions=[{"label": "start", "last_row": 10}])
    set_exclusions(caller, dataset.id, exclusions=[{"label": "end", "first_row": 101}])
    assert [(one["label"], one["n_rows"]) for one in dataset.exclusions or ()] == [("end", 20)]
    set_exclusions(caller, dataset.id, exclusions=[])
    assert dataset.exclusions is None
    events = db.session.scalars(
        select(AuditEvent)
        .where(AuditEvent.action == "dataset.excluded")
        .order_by(AuditEvent.occurred_at)
    ).all()
    assert events[1].after == {"exclusions": [{"label": "end", "n_rows": 20}]}


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({}, "Say which rows"),
        ({"conditions": [condition("x", "<", 1)]}, "no column"),
        ({"conditions": [condition("heat", "~", 1)]}, "no comparison"),
        ({"conditions": [condition("heat", "<", "warm")]}, "holds numbers"),
        ({"conditions": [condition("heat", "in", 3)]}, "compares with a list"),
        ({"conditions": [condition("heat", "=", [3])]}, "compares with a list"),
        ({"conditions": [condition("heat", "=", {"a": 1})]}, "compares with a list"),
        ({"conditions": [condition("shift", "<", "A")]}, "holds words"),
        ({"start": "2026-03-01"}, "needs the column of times"),
        ({"time": "heat", "start": "2026-03-01"}, "holds no times"),
        ({"time": "when", "start": "soon"}, "no date"),
        ({"last_row": 101}, "Only 19 rows would remain"),
        ({"colour": "red"}, "cannot be chosen"),
    ],
)
def test_what_does_not_fit_the_data_is_refused(
    app: Flask, caller: Caller, document: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidInput, match=words):
        excluded(caller, document)


def test_rows_are_left_out_of_what_has_been_read(app: Flask, caller: Caller) -> None:
    dataset = make_dataset(caller)
    with pytest.raises(Conflict, match="has been read"):
        set_exclusions(caller, dataset.id, exclusions=[])
    stranger = auth.system_caller(site="other")
    with pytest.raises(NotFound):
        set_exclusions(stranger, dataset.id, exclusions=[])


def test_they_are_set_and_read_by_the_api(
    client: FlaskClient, caller: Caller, bearer: Bearer
) -> None:
    url = f"/api/v1/datasets/{make_ready_dataset(caller, content=DAYS.encode()).id}"
    headers = bearer("operator")
    assert client.get(url, headers=headers).json["exclusions"] == []
    body = {
        "exclusions": [
            {"label": "cold", "conditions": [condition("heat", "<=", 1)]},
            {"time": "when", "start": "2026-03-02", "end": "2026-03-03"},
        ]
    }
    answer = client.put(f"{url}/exclusions", json=body, headers=headers)
    assert answer.status_code == 200
    assert answer.json["exclusions"][0] == {
        "label": "cold",
        "conditions": [condition("heat", "<=", 1)],
        "time": None,
        "start": None,
        "end": None,
        "first_row": None,
        "last_row": None,
        "n_rows": 24,
    }
    assert client.get(url, headers=headers).json == answer.json


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/exclusions"),
        ({"exclusions": [{"first_row": 0}]}, "/exclusions/0/first_row"),
        (
            {"exclusions": [{"conditions": [{"column": "a"}]}]},
            "/exclusions/0/conditions/0/operator",
        ),
        ({"exclusions": [{"n_rows": 3}]}, "/exclusions/0/n_rows"),
    ],
)
def test_a_wrong_body_is_pointed_at(
    client: FlaskClient, caller: Caller, bearer: Bearer, body: dict[str, Any], pointer: str
) -> None:
    url = f"/api/v1/datasets/{make_ready_dataset(caller).id}/exclusions"
    answer = client.put(url, json=body, headers=bearer("operator"))
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


def test_a_small_table_is_not_made_smaller_than_training_needs(app: Flask, caller: Caller) -> None:
    dataset = make_ready_dataset(caller, content=make_csv(n_rows=20))
    with pytest.raises(InvalidInput, match="at least 20"):
        set_exclusions(caller, dataset.id, exclusions=[{"first_row": 20}])
