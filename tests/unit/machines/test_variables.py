from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from prodapp.auth import service as auth
from prodapp.caller import Caller
from prodapp.exceptions import NotFound
from prodapp.extensions import command, db
from prodapp.machines import variables
from prodapp.ml.assembly import Remembered
from prodapp.models import AuditEvent
from prodapp.variables import ColumnSettings, TableSettings, write_figures
from tests.factories import make_machine

Bearer = Callable[..., dict[str, str]]
SETTINGS = TableSettings(
    (ColumnSettings("heat", "Oven heat", "°C", "lever"), ColumnSettings("speed")),
    target="yield",
    sense="raise",
)


def test_what_is_said_of_the_columns_is_kept_in_their_order(any_app: Flask, caller: Caller) -> None:
    machine = make_machine(caller)
    assert variables.variables_of(caller, machine.id) == []
    variables.save_variables(caller, machine.id, settings=SETTINGS)
    found = variables.variables_of(caller, machine.id)
    assert [(v.name, v.label, v.unit, v.role) for v in found] == [
        ("heat", "Oven heat", "°C", "lever"),
        ("speed", None, None, None),
        ("yield", None, None, "target"),
    ]
    assert (found[2].sense, found[2].goal) == ("raise", None)
    event = db.session.scalars(
        select(AuditEvent).where(AuditEvent.action == "machine.described")
    ).one()
    assert event.after == {"target": "yield", "columns": ["heat", "speed"]}


def test_figures_stay_with_their_names(any_app: Flask, caller: Caller) -> None:
    machine = make_machine(caller)
    with command() as session:
        found = [Remembered("heat", "number", None, 1.0, 2.0, 3.0), Remembered("shift", "category")]
        write_figures(session, machine.id, found)
    variables.save_variables(caller, machine.id, settings=SETTINGS)
    heat, speed, _ = variables.variables_of(caller, machine.id)
    assert (heat.kind, heat.low, heat.middle, heat.high) == ("number", 1.0, 2.0, 3.0)
    assert (speed.kind, speed.low) == (None, None)


def test_a_name_longer_than_an_index_takes_is_kept(any_app: Flask, caller: Caller) -> None:
    machine = make_machine(caller)
    name = "\u4e00" * 3000
    variables.save_variables(caller, machine.id, settings=TableSettings(target=name))
    assert variables.variables_of(caller, machine.id)[0].name == name


def test_a_machine_of_another_site_looks_missing(app: Flask, caller: Caller) -> None:
    machine = make_machine(caller)
    stranger = auth.system_caller(site="other")
    with pytest.raises(NotFound):
        variables.variables_of(stranger, machine.id)
    with pytest.raises(NotFound):
        variables.save_variables(stranger, machine.id, settings=SETTINGS)


def test_they_are_written_and_read_by_the_api(
    client: FlaskClient, caller: Caller, bearer: Bearer
) -> None:
    url = f"/api/v1/machines/{make_machine(caller).id}/variables"
    body = {
        "columns": [{"name": "heat", "label": "Forno", "unit": "°C", "role": "lever"}],
        "target": "yield",
        "sense": "hold",
        "goal": 50,
    }
    answer = client.put(url, json=body, headers=bearer("operator"))
    assert answer.status_code == 200
    assert answer.json == client.get(url, headers=bearer("viewer")).json
    assert (answer.json["target"], answer.json["sense"], answer.json["goal"]) == (
        "yield",
        "hold",
        50.0,
    )
    names = [column["name"] for column in answer.json["columns"]]
    assert names == ["heat", "yield"]
    assert answer.json["overrides"] == {}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"columns": [{"label": "x"}]}, "/columns/0/name"),
        ({"columns": [{"name": "x", "role": "king"}]}, "/columns/0/role"),
        ({"columns": [{"name": "x"}, {"name": "x"}]}, "/columns/1/name"),
        ({"target": "x", "sense": "hold"}, "/goal"),
        ({"sense": "raise"}, "/target"),
        ({"goal": "5"}, "/goal"),
        ({"colour": "red"}, "/colour"),
    ],
)
def test_what_cannot_be_said_is_pointed_at(
    client: FlaskClient, caller: Caller, bearer: Bearer, body: dict[str, object], pointer: str
) -> None:
    url = f"/api/v1/machines/{make_machine(caller).id}/variables"
    answer = client.put(url, json=body, headers=bearer("operator"))
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]
