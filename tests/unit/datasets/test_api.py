"""``/api/v1/datasets``."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from prodapp.caller import Caller
from prodapp.datasets.jobs import import_dataset
from prodapp.extensions import db, settings_of
from prodapp.models import Dataset
from tests.factories import make_csv, make_dataset, make_machine, make_ready_dataset

Bearer = Callable[..., dict[str, str]]
URL = "/api/v1/datasets"


def file(content: bytes | None = None, name: str = "produção.csv") -> Any:
    return (io.BytesIO(make_csv() if content is None else content), name, "text/csv")


@pytest.mark.parametrize("path", [URL, "/api/v1/machines/1/datasets"])
def test_file_is_accepted_and_read_in_the_background(
    client: FlaskClient, caller: Caller, bearer: Bearer, path: str
) -> None:
    machine, headers = make_machine(caller), bearer("operator")
    form = {"file": file()} | ({"machine_id": machine.id} if path == URL else {})
    answer = client.post(path, data=form, headers=headers)
    assert answer.status_code == 202
    assert int(answer.headers["Retry-After"]) > 0
    location = answer.headers["Location"]
    assert answer.json["state"] == "queued"
    names = [column["name"] for column in answer.json["preview"]["columns"]]
    assert names == ["heat", "speed", "shift", "noise", "yield"]
    assert len(answer.json["preview"]["rows"]) == 20
    import_dataset(answer.json["id"])
    read = client.get(location, headers=headers).json
    assert (read["state"], read["n_rows"], read["n_columns"]) == ("ready", 120, 5)
    assert read["error"] is None
    assert read["filename"] == "produção.csv"


@pytest.mark.parametrize("path", [URL, "/api/v1/machines/1/datasets"])
def test_records_are_accepted(
    client: FlaskClient, caller: Caller, bearer: Bearer, path: str
) -> None:
    machine = make_machine(caller)
    records = [
        {"t": 20.5 + number, "shift": "day" if number % 2 else "night", "ok": True, "y": number}
        for number in range(30)
    ]
    records[3] = {"t": None, "y": 3}  # missing values
    body = {"records": records} | ({"machine_id": machine.id} if path == URL else {})
    answer = client.post(path, json=body, headers=bearer("operator"))
    assert answer.status_code == 202
    columns = {column["name"]: column for column in answer.json["preview"]["columns"]}
    assert columns["t"]["kind"] == "number"
    assert columns["t"]["n_missing"] == 1
    assert columns["shift"]["kind"] == "category"


@pytest.mark.parametrize(
    ("records", "pointer"),
    [
        ([], "/records"),
        ({}, "/records"),
        ([7], "/records/0"),
        ([{}], "/records/0"),
        ([{"a": 1}, {"a": {"b": 1}}], "/records/1/a"),
        ([{"a": [1]}], "/records/0/a"),
        ([{"a\x00": 1}], "/records/0/a\ufffd"),
    ],
)
def test_wrong_records_are_refused_with_a_pointer(
    client: FlaskClient, caller: Caller, bearer: Bearer, records: Any, pointer: str
) -> None:
    body = {"machine_id": make_machine(caller).id, "records": records}
    answer = client.post(URL, json=body, headers=bearer("operator"))
    assert answer.status_code == 422
    assert pointer in [error["pointer"] for error in answer.json["errors"]]


def test_refused_file_says_where_and_leaves_nothing(
    client: FlaskClient, caller: Caller, bearer: Bearer
) -> None:
    form = {"machine_id": make_machine(caller).id, "file": file(b"")}
    answer = client.post(URL, data=form, headers=bearer("operator"))
    assert (answer.status_code, answer.json["code"]) == (422, "empty_file")
    assert db.session.query(Dataset).count() == 0


@pytest.mark.parametrize(
    ("form", "pointer"),
    [
        ({}, "/file"),
        ({"file": "a text"}, "/file"),
        ({"delimiter": ";;"}, "/delimiter"),
        ({"decimal": ";"}, "/decimal"),
        ({"colour": "red"}, "/colour"),
    ],
)
def test_wrong_form_is_refused_with_a_pointer(
    client: FlaskClient, caller: Caller, bearer: Bearer, form: dict[str, str], pointer: str
) -> None:
    data: dict[str, Any] = {"machine_id": str(make_machine(caller).id), **form}
    if pointer != "/file":
        data["file"] = file()
    answer = client.post(
        URL, data=data, headers=bearer("operator"), content_type="multipart/form-data"
    )
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


def test_overrides_decide(client: FlaskClient, caller: Caller, bearer: Bearer) -> None:
    form = {
        "machine_id": make_machine(caller).id,
        "file": file(make_csv(delimiter=";")),
        "delimiter": ",",
    }
    answer = client.post(URL, data=form, headers=bearer("operator"))
    names = [column["name"] for column in answer.json.get("preview", {}).get("columns", [])]
    assert "heat" not in names


def test_file_over_the_limit_is_a_413(
    app: Flask, client: FlaskClient, caller: Caller, bearer: Bearer
) -> None:
    app.extensions["prodapp.settings"] = replace(settings_of(app), max_upload_bytes=4096)
    form = {"machine_id": make_machine(caller).id, "file": file()}
    answer = client.post(URL, data=form, headers=bearer("operator"))
    assert (answer.status_code, answer.json["code"]) == (413, "too_large")
    assert db.session.query(Dataset).count() == 0


def test_json_is_held_shorter_than_files(
    client: FlaskClient, caller: Caller, bearer: Bearer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prodapp.rest.arguments.MAX_JSON_BYTES", 4096)
    records = [{"a": number, "b": number} for number in range(1000)]
    body = {"machine_id": make_machine(caller).id, "records": records}
    assert client.post(URL, json=body, headers=bearer("operator")).status_code == 413


def test_download_gives_the_file_byte_for_byte(
    client: FlaskClient, caller: Caller, bearer: Bearer
) -> None:
    dataset = make_dataset(caller)
    answer = client.get(f"{URL}/{dataset.id}/source", headers=bearer("viewer"))
    assert answer.data == make_csv()
    assert answer.headers["Content-Disposition"] == "attachment; filename=production.csv"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_list_is_newest_first_and_by_machine(
    client: FlaskClient, caller: Caller, bearer: Bearer
) -> None:
    first, second = make_machine(caller), make_machine(caller, name="Press 02")
    datasets = [make_dataset(caller, machine) for machine in (first, second, first)]
    headers = bearer("viewer")

    def ids(path: str) -> list[int]:
        return [item["id"] for item in client.get(path, headers=headers).json]

    assert ids(URL) == [dataset.id for dataset in reversed(datasets)]
    of_first = [datasets[2].id, datasets[0].id]
    assert ids(f"{URL}?machine_id={first.id}") == of_first
    assert ids(f"/api/v1/machines/{first.id}/datasets") == of_first
    assert client.get(f"{URL}?machine_id=99", headers=headers).status_code == 404
    assert "preview" not in client.get(URL, headers=headers).json[0]


def test_words_follow_the_caller(client: FlaskClient, caller: Caller, bearer: Bearer) -> None:
    dataset = make_ready_dataset(caller)
    read = client.get(f"{URL}/{dataset.id}", headers=bearer("viewer")).json
    decision = {item["name"]: item for item in read["preview"]["decisions"]}["delimiter"]
    assert decision["value"] == ","
    assert "%(" not in decision["reason"]


def test_viewer_may_not_upload(client: FlaskClient, caller: Caller, bearer: Bearer) -> None:
    form = {"machine_id": make_machine(caller).id, "file": file()}
    assert client.post(URL, data=form, headers=bearer("viewer")).status_code == 403


def test_data_of_another_site_look_missing(
    client: FlaskClient, caller: Caller, bearer: Bearer
) -> None:
    dataset = make_dataset(caller)
    headers = bearer("admin", site="Plant B")
    for path in (f"{URL}/{dataset.id}", f"{URL}/{dataset.id}/source"):
        assert client.get(path, headers=headers).status_code == 404
    upload = client.post(
        URL, data={"machine_id": dataset.machine_id, "file": file()}, headers=headers
    )
    assert upload.status_code == 404
