"""``/api/v1/datasets``: from a draft to the import, and the end of a data set."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from prodapp.caller import Caller
from prodapp.datasets.jobs import import_dataset
from prodapp.models import Dataset
from tests.factories import make_csv, make_machine, make_ready_dataset, make_run

Bearer = Callable[..., dict[str, str]]
URL = "/api/v1/datasets"


def sent(
    client: FlaskClient, headers: dict[str, str], machine_id: int, content: bytes, **form: Any
) -> Any:
    data = {"file": (io.BytesIO(content), "x.csv"), "confirm": "false", **form}
    return client.post(f"/api/v1/machines/{machine_id}/datasets", data=data, headers=headers)


def test_a_draft_is_read_anew_confirmed_and_imported(
    client: FlaskClient, caller: Caller, bearer: Bearer
) -> None:
    machine, headers = make_machine(caller), bearer("operator")
    content = make_csv(n_rows=300).replace(b"yield", b"rendimento [%]", 1)
    answer = sent(client, headers, machine.id, content)
    assert answer.status_code == 201
    location = answer.headers["Location"]
    assert (answer.json["state"], answer.json["waiting_for"]) == ("draft", None)
    columns = {column["name"]: column for column in answer.json["preview"]["columns"]}
    assert columns["heat"]["suggested_role"] == "context"
    assert columns["shift"]["suggested_role"] == "group"
    assert "shifts" in columns["shift"]["suggestion_reason"]
    assert len(columns["heat"]["sparkline"]) == 40
    target = next(name for name in columns if name.startswith("rendimento"))

    again = client.put(
        f"{location}/overrides", json={"overrides": {"kind:speed": "category"}}, headers=headers
    )
    assert again.status_code == 200
    kinds = {column["name"]: column["kind"] for column in again.json["preview"]["columns"]}
    assert kinds["speed"] in ("category", "text")
    assert again.json["overrides"] == {"kind:speed": "category"}
    client.put(f"{location}/overrides", json={"overrides": {}}, headers=headers)

    body = {
        "columns": [
            {"name": "heat", "label": "Forno", "unit": "°C", "role": "lever"},
            {"name": "noise", "role": "consequence"},
        ],
        "target": target,
        "sense": "raise",
    }
    answer = client.post(f"{location}/confirm", json=body, headers=headers)
    assert answer.status_code == 202
    assert answer.json["state"] == "queued"
    import_dataset(answer.json["id"])
    read = client.get(location, headers=headers).json
    assert (read["state"], read["target"], read["sense"]) == ("ready", target, "raise")
    columns = {column["name"]: column for column in read["preview"]["columns"]}
    heat = columns["heat"]
    assert (heat["label"], heat["unit"], heat["chosen_role"]) == ("Forno", "°C", "lever")
    assert columns[target]["chosen_role"] == "target"
    assert columns["speed"]["chosen_role"] is None
    url = f"/api/v1/machines/{machine.id}/variables"
    remembered = client.get(url, headers=headers).json
    assert remembered["target"] == target
    assert remembered["columns"][0]["middle"] is not None


def test_differences_and_leaks_stand_in_the_preview(
    client: FlaskClient, caller: Caller, bearer: Bearer
) -> None:
    machine, headers = make_machine(caller), bearer("operator")
    rows = make_csv(n_rows=300).decode().splitlines()
    content = "\n".join(f"{row},{row.split(',')[4]}{'2' * (not n)}" for n, row in enumerate(rows))
    first = sent(client, headers, machine.id, content.encode())
    body = {"target": "yield", "sense": "raise"}
    client.post(f"{first.headers['Location']}/confirm", json=body, headers=headers)
    import_dataset(first.json["id"])
    preview = sent(client, headers, machine.id, content.replace("noise", "sound").encode()).json[
        "preview"
    ]
    assert [suspect["name"] for suspect in preview["leak_suspects"]] == ["yield2"]
    told = {item["code"]: item for item in preview["differences"]}
    assert set(told) == {"missing", "new"}
    assert told["missing"]["column"] == "noise"
    assert "noise" in told["missing"]["detail"]
    assert preview["order"]["is_ordered"] is False


def test_choices_come_as_fields_and_as_one_object(
    client: FlaskClient, caller: Caller, bearer: Bearer
) -> None:
    machine, headers = make_machine(caller), bearer("operator")
    content = b"title\na|b|c\nkg|m|s\n" + b"".join(b"%d|%d|%d\n" % (n, n % 7, n) for n in range(40))
    answer = sent(
        client,
        headers,
        machine.id,
        content,
        delimiter="|",
        first_row="2",
        header="1",
        units_row="yes",
        missing="0|6",
        overrides=json.dumps({"kind:c": "category", "delimiter": "|"}),
    )
    assert answer.status_code == 201, answer.json
    assert answer.json["overrides"] == {
        "kind:c": "category",
        "delimiter": "|",
        "first_row": "2",
        "header": "1",
        "units_row": "yes",
        "missing": "0|6",
    }
    assert [c["unit"] for c in answer.json["preview"]["columns"]] == ["kg", "m", "s"]
    assert answer.json["preview"]["n_rows"] == 40


@pytest.mark.parametrize(
    ("form", "pointer"),
    [
        ({"overrides": "{"}, "/overrides"),
        ({"overrides": "[]"}, "/overrides"),
        ({"overrides": '{"kind:a": 1}'}, "/overrides/kind:a/value"),
        ({"confirm": "perhaps"}, "/confirm"),
        ({"dates": "Y-d-m"}, "/dates"),
        ({"header": "0"}, "/header"),
        ({"first_row": "0"}, "/first_row"),
        ({"delimiter": "tabs"}, "/delimiter"),
    ],
)
def test_choices_that_cannot_be_are_pointed_at(
    client: FlaskClient, caller: Caller, bearer: Bearer, form: dict[str, str], pointer: str
) -> None:
    answer = sent(client, bearer("operator"), make_machine(caller).id, make_csv(), **form)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]
    assert Dataset.query.count() == 0


def test_what_is_no_draft_is_neither_read_anew_nor_confirmed(
    client: FlaskClient, caller: Caller, bearer: Bearer
) -> None:
    url, headers = f"{URL}/{make_ready_dataset(caller).id}", bearer("operator")
    for answer in (
        client.put(f"{url}/overrides", json={"overrides": {}}, headers=headers),
        client.post(f"{url}/confirm", json={}, headers=headers),
    ):
        assert (answer.status_code, answer.json["code"]) == (409, "conflict")


def test_a_draft_is_not_trained_on(client: FlaskClient, caller: Caller, bearer: Bearer) -> None:
    headers = bearer("operator")
    dataset_id = sent(client, headers, make_machine(caller).id, make_csv()).json["id"]
    body = {"dataset_id": dataset_id, "target": "yield"}
    answer = client.post("/api/v1/runs", json=body, headers=headers)
    assert answer.status_code == 409
    assert "confirm" in answer.json["detail"]


def test_a_data_set_is_deleted_unless_it_is_trained_on(
    client: FlaskClient, caller: Caller, bearer: Bearer
) -> None:
    run, headers = make_run(caller), bearer("operator")
    assert client.delete(f"{URL}/{run.dataset_id}", headers=headers).status_code == 409
    dataset = make_ready_dataset(caller, run.machine)
    assert client.delete(f"{URL}/{dataset.id}", headers=headers).status_code == 204
    assert client.get(f"{URL}/{dataset.id}", headers=headers).status_code == 404
    assert client.delete(f"{URL}/{dataset.id}", headers=headers).status_code == 404
