"""``/api/v1/machines``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from prodapp.caller import Caller
from tests.factories import make_machine, make_version

Bearer = Callable[..., dict[str, str]]
URL = "/api/v1/machines"


def test_created_machine_is_read_at_its_location(client: FlaskClient, bearer: Bearer) -> None:
    headers = bearer("operator")
    created = client.post(URL, json={"name": " Prensa  01 "}, headers=headers)
    assert created.status_code == 201
    read = client.get(created.headers["Location"], headers=headers)
    assert read.status_code == 200
    assert read.json == created.json
    assert read.json["name"] == "Prensa 01"
    assert read.json["status"] == "created"
    assert read.json["created_at"].endswith("+00:00")
    assert read.json["champion_version_id"] is None


def test_trained_machine_shows_its_champion(
    client: FlaskClient, caller: Caller, bearer: Bearer
) -> None:
    version = make_version(caller)
    shown = client.get(f"{URL}/{version.machine_id}", headers=bearer()).json
    assert shown["status"] == "completed"
    assert shown["champion_version_id"] == version.id
    assert shown["top_variable"] == "heat"
    assert 0.5 < shown["r2"] <= 1


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/name"),
        ({"name": ""}, "/name"),
        ({"name": "   "}, "/name"),
        ({"name": "x" * 201}, "/name"),
        ({"name": 7}, "/name"),
        ({"name": None}, "/name"),
        ({"name": "nul\x00"}, "/name"),
        ({"name": "half \ud800"}, "/name"),
        ({"name": "Press", "colour": "red"}, "/colour"),
        ({"name": "Press", "a/b~c": 1}, "/a~1b~0c"),
        (["Press"], ""),
    ],
)
def test_wrong_body_is_refused_with_a_pointer(
    client: FlaskClient, bearer: Bearer, body: Any, pointer: str
) -> None:
    answer = client.post(URL, json=body, headers=bearer("operator"))
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert answer.json["code"] == "invalid_input"
    assert pointer in [error["pointer"] for error in answer.json["errors"]]
    assert answer.json["instance"] == URL
    assert answer.json["request_id"] == answer.headers["X-Request-ID"]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff",
        b'{"name": NaN}',
        b'{"n": 1e999}',
        b"[" * 100_000,
        b"9" * 5000,
        b"\xef\xbb\xbf{}",
    ],
    ids=["cut", "not utf-8", "nan", "infinite", "deep", "long number", "byte order mark"],
)
def test_malformed_json_is_a_400(client: FlaskClient, bearer: Bearer, body: bytes) -> None:
    headers = {**bearer("operator"), "Content-Type": "application/json"}
    answer = client.post(URL, data=body, headers=headers)
    assert answer.status_code == 400
    assert answer.json["code"] == "malformed"


def test_body_of_another_kind_is_a_415(client: FlaskClient, bearer: Bearer) -> None:
    answer = client.post(URL, data={"name": "Press"}, headers=bearer("operator"))
    assert answer.status_code == 415
    assert answer.content_type == "application/problem+json"


def test_taken_name_conflicts_whatever_its_case(
    client: FlaskClient, caller: Caller, bearer: Bearer
) -> None:
    make_machine(caller, name="Press")
    answer = client.post(URL, json={"name": "PRESS"}, headers=bearer("operator"))
    assert (answer.status_code, answer.json["code"]) == (409, "conflict")


def test_list_pages_sorts_and_searches(client: FlaskClient, caller: Caller, bearer: Bearer) -> None:
    for number in range(5):
        make_machine(caller, name=f"Press {number}")
    make_machine(caller, name="Oven")
    headers = bearer("viewer")
    answer = client.get(f"{URL}?q=press&sort=-name&page=2&page_size=2", headers=headers)
    assert [machine["name"] for machine in answer.json] == ["Press 2", "Press 1"]
    assert client.application.json.loads(answer.headers["X-Pagination"]) == {
        "page": 2,
        "page_size": 2,
        "total": 5,
        "total_pages": 3,
    }
    links = answer.headers["Link"].split(", ")
    assert f'<{URL}?q=press&sort=-name&page_size=2&page=3>; rel="next"' in links
    assert {link.rpartition("; ")[2] for link in links} == {
        'rel="first"',
        'rel="prev"',
        'rel="next"',
        'rel="last"',
    }


def test_status_filter_keeps_only_that_status(
    client: FlaskClient, caller: Caller, bearer: Bearer
) -> None:
    make_machine(caller, name="Oven")
    version = make_version(caller)
    found = client.get(f"{URL}?status=completed", headers=bearer("viewer")).json
    assert [machine["id"] for machine in found] == [version.machine_id]


@pytest.mark.parametrize(
    "query",
    ["page=0", "page=x", "page_size=101", "sort=colour", "status=broken", "stauts=failed", "q=%00"],
)
def test_wrong_query_is_refused(client: FlaskClient, bearer: Bearer, query: str) -> None:
    answer = client.get(f"{URL}?{query}", headers=bearer("viewer"))
    assert answer.status_code == 422
    assert answer.json["errors"][0]["pointer"] == "/" + query.partition("=")[0]


def test_unchanged_read_answers_304(client: FlaskClient, caller: Caller, bearer: Bearer) -> None:
    machine = make_machine(caller)
    headers = bearer("analyst")
    first = client.get(f"{URL}/{machine.id}", headers=headers)
    again = {**headers, "If-None-Match": first.headers["ETag"]}
    assert client.get(f"{URL}/{machine.id}", headers=again).status_code == 304
    client.patch(f"{URL}/{machine.id}", json={"name": "Oven"}, headers=headers)
    assert client.get(f"{URL}/{machine.id}", headers=again).json["name"] == "Oven"


def test_deleted_machine_is_gone(client: FlaskClient, caller: Caller, bearer: Bearer) -> None:
    machine = make_machine(caller)
    headers = bearer("analyst")
    answer = client.delete(f"{URL}/{machine.id}", headers=headers)
    assert (answer.status_code, answer.data) == (204, b"")
    assert client.get(f"{URL}/{machine.id}", headers=headers).status_code == 404
    assert client.delete(f"{URL}/{machine.id}", headers=headers).status_code == 404


@pytest.mark.parametrize("machine_id", ["0", "999", "9" * 30, "-1", "x"])
def test_unknown_id_is_a_404_problem(client: FlaskClient, bearer: Bearer, machine_id: str) -> None:
    answer = client.get(f"{URL}/{machine_id}", headers=bearer("viewer"))
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
    assert answer.json["code"] == "not_found"


def test_machine_of_another_site_looks_missing(
    client: FlaskClient, caller: Caller, bearer: Bearer
) -> None:
    machine = make_machine(caller)
    headers = bearer("admin", site="Plant B")
    assert client.get(f"{URL}/{machine.id}", headers=headers).status_code == 404
    assert client.get(URL, headers=headers).json == []


@pytest.mark.parametrize(
    ("role", "method", "path", "status"),
    [
        ("viewer", "POST", URL, 403),
        ("viewer", "PATCH", f"{URL}/1", 403),
        ("operator", "DELETE", f"{URL}/1", 403),
        (None, "GET", URL, 401),
        (None, "POST", URL, 401),
    ],
)
def test_role_decides(
    client: FlaskClient, bearer: Bearer, role: str | None, method: str, path: str, status: int
) -> None:
    headers = bearer(role) if role else {}
    answer = client.open(path, method=method, json={"name": "Press"}, headers=headers)
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"


def test_same_on_both_databases(any_app: Any, bearer: Bearer) -> None:
    client, headers = any_app.test_client(), bearer()
    first = client.post(URL, json={"name": "Press"}, headers=headers)
    assert client.post(URL, json={"name": "press"}, headers=headers).status_code == 409
    assert client.get(f"{URL}?q=PRE&sort=-r2&status=created", headers=headers).json == [first.json]
