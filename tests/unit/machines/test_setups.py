"""How a machine is set up goes to another installation and back."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from prodapp import create_app
from prodapp.auth import service as auth
from prodapp.caller import Caller
from prodapp.extensions import command, db
from prodapp.machines import setups
from prodapp.machines.setups import Setup
from prodapp.models import AuditEvent
from prodapp.variables import ColumnSettings, TableSettings
from tests.conftest import IsolatedClient, make_settings
from tests.factories import make_machine
from tests.pages import csrf_token
from tests.unit.cli.conftest import run, run_json  # noqa: F401 - fixtures

IMPORT = "/api/v1/machines/import"
SETUP = Setup(
    name="Prensa 01",
    variables=TableSettings(
        columns=(
            ColumnSettings("T_Z3", label="Calor da zona 3", unit="°C", role="lever"),
            ColumnSettings("lote", role="identifier"),
            ColumnSettings("rendimento", role="target"),
        ),
        target="rendimento",
        sense="hold",
        goal=92.5,
    ),
    reading={"decimal": ",", "dates:data": "d/m/Y", "missing": ""},
    promotion="better",
)
MARK = {"format": "prodapp.machine", "format_version": 1, "name": "N"}


@pytest.fixture
def analyst(bearer: Callable[..., dict[str, str]]) -> dict[str, str]:
    return bearer("analyst")


@pytest.fixture
def other(tmp_path: Path, sqlite_template: Path) -> Flask:
    """Another installation."""
    folder = tmp_path / "other"
    folder.mkdir()
    shutil.copy(sqlite_template, folder / "prodapp.db")
    found = create_app(make_settings(folder))
    found.test_client_class = IsolatedClient
    return found


def test_a_setup_goes_to_another_installation_and_means_the_same(
    caller: Caller, client: FlaskClient, analyst: dict[str, str], other: Flask
) -> None:
    machine = setups.import_machine(caller, SETUP)
    document = client.get(f"/api/v1/machines/{machine.id}/setup", headers=analyst).json
    with other.app_context():
        there = auth.system_caller(name="there")
        auth.create_user(there, username="ana", role="analyst", password="correct horse battery")
        key = {"X-API-Key": auth.create_key(there, username="ana", name="x").secret}
        made = other.test_client().post(IMPORT, json=document, headers=key)
        assert made.status_code == 201
        assert setups.setup_of_machine(there, made.json["id"]) == SETUP
        again = other.test_client().get(f"{made.headers['Location']}/setup", headers=key)
        assert again.json == document
        db.session.remove()
        db.engine.dispose()


def test_a_present_machine_takes_a_setup_over(
    client: FlaskClient, caller: Caller, analyst: dict[str, str]
) -> None:
    first, second = setups.import_machine(caller, SETUP), make_machine(caller, name="second")
    document = client.get(f"/api/v1/machines/{first.id}/setup", headers=analyst).json
    where = f"/api/v1/machines/{second.id}/setup"
    etag = {"If-Match": client.get(where, headers=analyst).headers["ETag"]}
    assert client.put(where, json=document, headers=analyst | etag).status_code == 409  # the name
    document["name"] = "Prensa 02"
    assert client.put(where, json=document, headers=analyst | etag).json == document
    assert client.put(where, json=document, headers=analyst | etag).status_code == 412
    db.session.rollback()
    [event] = db.session.query(AuditEvent).filter_by(
        action="machine.set_up", subject=f"machine:{second.id}"
    )
    assert event.after["reading"] == SETUP.reading


@pytest.mark.parametrize(
    ("wrong", "pointers"),
    [
        ({"format": "something"}, ["/format"]),
        ({"format_version": 2}, ["/format_version"]),
        ({"format_version": "1"}, ["/format_version"]),
        ({"promotion": "always"}, ["/promotion"]),
        ({"more": 1}, ["/more"]),
        ({"reading": {"decimal": 3}}, ["/reading/decimal/value"]),
        ({"variables": {"sense": "hold"}}, ["/variables/target", "/variables/goal"]),
        (
            {"variables": {"columns": [{"name": "a", "role": "king"}]}},
            ["/variables/columns/0/role"],
        ),
        (
            {"variables": {"columns": [{"name": "a"}, {"name": "a"}]}},
            ["/variables/columns/1/name"],
        ),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_made(
    client: FlaskClient, analyst: dict[str, str], wrong: dict[str, Any], pointers: list[str]
) -> None:
    answer = client.post(IMPORT, json=MARK | wrong, headers=analyst)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json["errors"]] == pointers
    assert client.get("/api/v1/machines", headers=analyst).json == []


def test_a_choice_that_intake_does_not_offer_is_refused(
    client: FlaskClient, analyst: dict[str, str]
) -> None:
    answer = client.post(IMPORT, json=MARK | {"reading": {"colour": "red"}}, headers=analyst)
    assert (answer.status_code, "colour" in answer.json["detail"]) == (422, True)


def test_commands_export_and_import(
    caller: Caller,
    run: Callable[..., Any],  # noqa: F811
    run_json: Callable[..., Any],  # noqa: F811
    tmp_path: Path,
) -> None:
    machine = setups.import_machine(caller, SETUP)
    document = json.loads(run("machine", "export", str(machine.id)).stdout)
    path = tmp_path / "setup.json"
    path.write_text(json.dumps(document | {"name": "Prensa 02"}), "utf-8")
    made = run_json("machine", "import", str(path))
    assert setups.setup_of_machine(caller, made["id"]).variables == SETUP.variables
    assert "already" in run("machine", "import", str(path), expect=1).stderr
    with command() as session:
        session.get_one(type(machine), made["id"]).promotion = None
    run("machine", "import", str(path), "--onto", str(made["id"]))
    assert setups.setup_of_machine(caller, made["id"]).promotion == "better"
    path.write_text("{", "utf-8")
    assert "not valid JSON" in run("machine", "import", str(path), expect=1).stderr
    run("machine", "export", "99", expect=3)


def test_pages_save_a_setup_and_take_it(
    sign_in: Callable[..., FlaskClient], caller: Caller
) -> None:
    machine = setups.import_machine(caller, SETUP)
    client = sign_in("analyst")
    saved = client.get(f"/app/machines/{machine.id}/setup.json")
    assert saved.headers["Content-Disposition"] == f"attachment; filename=machine-{machine.id}.json"

    def send(content: bytes) -> Any:
        form = {"csrf_token": csrf_token(client, "/app/machines/new")}
        form["file"] = (io.BytesIO(content), "setup.json")
        return client.post("/app/machines/import", data=form)

    taken = send(json.dumps(saved.json | {"name": "Prensa 02"}).encode())
    assert taken.status_code == 302
    assert "Prensa 02" in client.get(taken.headers["Location"]).text
    for content, said in (
        (b"", "not valid JSON"),
        (b"[1]", "Invalid input type"),
        (saved.data, "already"),
        (json.dumps(MARK | {"promotion": "x"}).encode(), "/promotion"),
    ):
        refused = send(content)
        assert (refused.status_code, said in refused.text) == (422, True), content
    assert "setup-file" not in sign_in("operator").get("/app/machines/new").text
