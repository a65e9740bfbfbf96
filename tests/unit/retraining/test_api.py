"""Schedules by REST, at the command line, on the page and in a machine's setup."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from prodapp.caller import Caller
from prodapp.machines import setups
from prodapp.machines.setup_schemas import setup_document
from prodapp.models import Machine
from prodapp.retraining import service
from tests.factories import make_machine
from tests.pages import post_form
from tests.unit.cli.conftest import Run, run, run_json  # noqa: F401 - fixtures
from tests.unit.retraining.conftest import CRON
from tests.unit.retraining.test_looking import look, put

Headers = dict[str, str]


def base(machine: Machine) -> str:
    return f"/api/v1/machines/{machine.id}/schedule"


def test_a_schedule_is_set_read_changed_and_removed(
    client: FlaskClient, caller: Caller, folder: Path, bearer: Callable[..., Headers]
) -> None:
    analyst, machine = bearer("analyst"), make_machine(caller)
    missing = client.get(base(machine), headers=analyst)
    assert (missing.status_code, missing.json["code"]) == (404, "no_schedule")
    body = {"folder": str(folder), "cron": "0 6 * * 1-5", "timezone": "America/Sao_Paulo"}
    made = client.put(base(machine), json=body, headers=analyst)
    assert (made.status_code, made.json["pattern"], made.json["is_active"]) == (200, "*", True)
    assert made.json["next_look_at"].endswith(("09:00:00+00:00", "08:00:00+00:00"))
    read = client.get(base(machine), headers=analyst)
    assert read.json == made.json
    tag = {"If-Match": read.headers["ETag"]}
    off = client.put(base(machine), json={**body, "is_active": False}, headers=analyst | tag)
    assert (off.status_code, off.json["next_look_at"]) == (200, None)
    assert client.put(base(machine), json=body, headers=analyst | tag).status_code == 412
    assert client.post(f"{base(machine)}/look", headers=analyst).json["code"] == "schedule_off"
    assert client.delete(base(machine), headers=analyst).status_code == 204
    assert client.get(base(machine), headers=analyst).status_code == 404


def test_files_are_listed_with_what_became_of_them_and_taken_again(
    client: FlaskClient, machine: Machine, folder: Path, bearer: Callable[..., Headers]
) -> None:
    operator = bearer("operator")
    put(folder, "empty.csv", b"")
    assert client.post(f"{base(machine)}/look", headers=operator).status_code == 202
    look()
    files = f"{base(machine)}/files"
    (file,) = client.get(f"{files}?state=set_aside", headers=operator).json
    assert (file["name"], file["outcome"], file["run_id"]) == ("empty.csv", "set_aside", None)
    assert file["error"]["detail"]
    assert client.get(f"{files}/{file['id']}", headers=operator).json == file
    again = client.post(f"{files}/{file['id']}/again", headers=operator)
    assert (again.status_code, again.headers["Location"]) == (202, base(machine))
    assert client.get(f"{files}/{file['id']}", headers=operator).json["outcome"] == "waiting"
    assert client.get(f"{files}/999", headers=operator).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"folder": "/etc"}, "/folder"),
        ({"cron": "every day"}, "/cron"),
        ({"cron": "0 0 31 2 *"}, "/cron"),
        ({"cron": "* * * * * *"}, "/cron"),
        ({"cron": "61 * * * *"}, "/cron"),
        ({"pattern": "../*"}, "/pattern"),
        ({"timezone": "Mars/Olympus"}, "/timezone"),
        ({"timezone": "../../etc/passwd"}, "/timezone"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_by_the_field(
    client: FlaskClient,
    caller: Caller,
    folder: Path,
    bearer: Callable[..., Headers],
    wrong: dict[str, str],
    pointer: str,
) -> None:
    body = {"folder": str(folder), "cron": CRON} | wrong
    answer = client.put(base(make_machine(caller)), json=body, headers=bearer("analyst"))
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


def test_a_setup_carries_the_schedule_to_another_machine(
    caller: Caller,
    machine: Machine,
    folder: Path,
    client: FlaskClient,
    bearer: Callable[..., Headers],
) -> None:
    analyst = bearer("analyst")
    document = client.get(f"/api/v1/machines/{machine.id}/setup", headers=analyst).json
    assert document["schedule"]["folder"] == str(folder)
    copy = client.post("/api/v1/machines/import", json={**document, "name": "B"}, headers=analyst)
    plan = client.get(f"/api/v1/machines/{copy.json['id']}/schedule", headers=analyst).json
    assert plan["cron"] == CRON
    elsewhere = {**document, "name": "C", "schedule": {**document["schedule"], "folder": "/tmp/x"}}  # noqa: S108
    refused = client.post("/api/v1/machines/import", json=elsewhere, headers=analyst)
    assert refused.json["errors"][0]["pointer"] == "/schedule/folder"
    none = setup_document(setups.setup_of_machine(caller, machine.id)) | {"schedule": None}
    client.put(f"/api/v1/machines/{machine.id}/setup", json=none, headers=analyst)
    assert client.get(base(machine), headers=analyst).status_code == 404


def test_commands_set_show_list_and_remove(
    caller: Caller,
    folder: Path,
    run: Run,  # noqa: F811
    run_json: Callable[..., Any],  # noqa: F811
) -> None:
    machine = str(make_machine(caller).id)
    run("schedule", "set", machine, str(folder), CRON, "--pattern", "*.csv")
    shown = run_json("schedule", "show", machine)
    assert (shown["cron"], shown["pattern"]) == (CRON, "*.csv")
    put(folder, "empty.csv", b"")
    run("schedule", "look", machine)
    look()
    (file,) = run_json("schedule", "files", machine)
    assert file["outcome"] == "set_aside"
    run("schedule", "again", machine, str(file["id"]))
    run("schedule", "remove", machine, "--yes")


def test_the_page_shows_changes_and_removes(
    machine: Machine, folder: Path, caller: Caller, sign_in: Callable[..., FlaskClient]
) -> None:
    client, address = sign_in("analyst"), f"/app/machines/{machine.id}/schedule/"
    put(folder, "empty.csv", b"")
    look()
    page = client.get(address).text
    assert "empty.csv" in page
    assert str(folder) in page
    wrong = post_form(client, address, folder="/etc", cron="never")
    assert wrong.status_code == 422
    assert "SCHEDULE_ROOTS" in wrong.text
    form = {"folder": str(folder), "cron": " */15  * * * * ", "is_active": "yes"}
    assert post_form(client, address, **form).status_code == 302
    assert service.schedule_of(caller, machine.id).cron == "*/15 * * * *"
    (file,) = service.list_files(caller, machine.id).items
    again = post_form(client, f"{address}files/{file.id}/again")
    assert again.status_code == 302
    assert post_form(client, f"{address}look").status_code == 302
    assert post_form(client, f"{address}delete").status_code == 302
    assert "Watch a folder" in client.get(address).text
