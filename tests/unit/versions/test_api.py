"""``/api/v1/versions/…`` and ``/api/v1/machines/…/champion``."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from prodapp.auth import service as auth
from prodapp.caller import Caller
from prodapp.extensions import command
from prodapp.models import ModelVersion

# The services are tested on both databases.
pytestmark = pytest.mark.parametrize("filled", ["sqlite"], indirect=True)
Versions = list[ModelVersion]
URL = "/api/v1/versions"


@pytest.fixture
def client(filled: Flask) -> FlaskClient:
    return filled.test_client()


@pytest.fixture
def headers(owner: Caller) -> dict[str, str]:
    auth.create_user(owner, username="ana", role="analyst")
    key = auth.create_key(owner, username="ana", name="test").secret
    return {"Authorization": f"Bearer {key}"}


def test_a_program_promotes_and_rolls_back(
    client: FlaskClient, versions: Versions, headers: dict[str, str]
) -> None:
    first, second, third = (version.id for version in versions)
    machine = f"/api/v1/machines/{versions[0].machine_id}"
    assert client.get(f"{machine}/champion", headers=headers).json["id"] == third
    answer = client.post(f"{URL}/{first}/promote", json={"reason": "seen"}, headers=headers)
    assert (answer.status_code, answer.json["is_champion"]) == (200, True)
    assert client.get(f"{machine}/ranking", headers=headers).json["version_id"] == first
    again = client.post(f"{URL}/{first}/promote", json={}, headers=headers)
    assert (again.status_code, again.json["code"]) == (409, "in_use")
    back = client.post(f"{machine}/champion/rollback", json={}, headers=headers)
    assert (back.status_code, back.json["id"]) == (200, third)
    told = client.get(f"{machine}/champion/history", headers=headers).json
    assert [(row["version_id"], row["kind"]) for row in told] == [
        (third, "rolled_back"),
        (first, "promoted"),
        (third, "newest"),
        (second, "newest"),
        (first, "first"),
    ]
    assert (told[1]["changed_by"], told[1]["reason"]) == ("ana", "seen")


def test_a_change_to_another_state_than_was_read_is_refused(
    client: FlaskClient, versions: Versions, headers: dict[str, str]
) -> None:
    url = f"{URL}/{versions[0].id}"
    read = client.get(url, headers=headers)
    known = headers | {"If-Match": read.headers["ETag"]}
    first = client.patch(url, json={"notes": "one"}, headers=known)
    assert (first.status_code, first.json["notes"]) == (200, "one")
    second = client.patch(url, json={"notes": "two"}, headers=known)
    assert (second.status_code, second.json["code"]) == (412, "stale")
    for path in ("promote", "archive"):
        refused = client.post(f"{url}/{path}", json={}, headers=known)
        assert refused.status_code == 412
    champion = f"/api/v1/machines/{versions[0].machine_id}/champion"
    known = headers | {"If-Match": client.get(champion, headers=headers).headers["ETag"]}
    assert client.post(f"{champion}/rollback", json={}, headers=known).status_code == 200
    assert client.post(f"{champion}/rollback", json={}, headers=known).status_code == 412
    assert client.get(url, headers=headers).json["notes"] == "one"


def test_archived_versions_are_listed_only_when_asked_for(
    client: FlaskClient, versions: Versions, headers: dict[str, str]
) -> None:
    first = versions[0].id
    answer = client.post(f"{URL}/{first}/archive", headers=headers)
    assert answer.json["archived_at"] is not None

    def listed(query: str = "") -> list[Any]:
        return [item["number"] for item in client.get(URL + query, headers=headers).json]

    assert listed() == [3, 2]
    assert listed("?archived=only") == [1]
    assert listed("?archived=all") == [3, 2, 1]
    client.post(f"{URL}/{first}/unarchive", headers=headers)
    assert listed() == [3, 2, 1]
    in_use = client.post(f"{URL}/{versions[2].id}/archive", headers=headers)
    assert (in_use.status_code, in_use.json["code"]) == (409, "in_use")


def test_the_dashboard_reads_the_version_in_use(
    client: FlaskClient, versions: Versions, headers: dict[str, str]
) -> None:
    machine_id = versions[0].machine_id

    def shown() -> Any:
        return client.get(f"/ranking/?machine_id={machine_id}", headers=headers).json

    assert shown()["model_version"] == 3
    client.post(f"{URL}/{versions[1].id}/promote", json={}, headers=headers)
    assert shown()["model_version"] == 2


def test_the_rule_for_new_versions_is_read_and_changed(
    client: FlaskClient, versions: Versions, headers: dict[str, str]
) -> None:
    url = f"/api/v1/machines/{versions[0].machine_id}/promotion"
    read = client.get(url, headers=headers)
    assert read.json == {"rule": None, "in_force": "newest"}
    known = headers | {"If-Match": read.headers["ETag"]}
    changed = client.put(url, json={"rule": "better"}, headers=known)
    assert changed.json == {"rule": "better", "in_force": "better"}
    assert client.put(url, json={"rule": "manual"}, headers=known).status_code == 412
    assert client.put(url, json={"rule": "luck"}, headers=headers).status_code == 422
    assert client.put(url, json={"rule": None}, headers=headers).json["in_force"] == "newest"


def test_a_version_tells_why_it_came_into_use(
    client: FlaskClient, versions: Versions, headers: dict[str, str]
) -> None:
    told = client.get(f"{URL}/{versions[0].id}", headers=headers).json["promotion"]
    assert told == {"rule": "newest", "is_promoted": True, "trial": None, "message": ""}


def test_the_model_file_is_checked_and_trained_anew(
    client: FlaskClient, versions: Versions, headers: dict[str, str]
) -> None:
    first, copy = versions[:2]
    with command() as session:
        copy.artifact_signature = first.artifact_signature
        session.add(copy)
    sound = client.get(f"{URL}/{first.id}/artifact", headers=headers)
    assert sound.json == {
        "sha256": first.artifact_key,
        "size_bytes": first.artifact_bytes,
        "made_with": [],
        "opened_with": [],
    }
    forged = client.get(f"{URL}/{copy.id}/artifact", headers=headers)
    assert (forged.status_code, forged.json["code"]) == (422, "artifact_forged")
    answer = client.post(f"{URL}/{first.id}/retrain", headers=headers)
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/api/v1/runs/{answer.json['id']}"
    assert answer.json["dataset_id"] == first.dataset_id


def test_two_versions_are_compared(
    client: FlaskClient, versions: Versions, headers: dict[str, str]
) -> None:
    first, second = versions[:2]
    told = client.get(f"{URL}/{first.id}/comparison/{second.id}", headers=headers).json
    assert (told["first_id"], told["second_id"]) == (first.id, second.id)
    assert told["duel"]["gain"] == 0
    assert told["verdict"].startswith("Neither is better")
    r2 = told["figures"][0]
    assert (r2["name"], r2["first"]) == ("r2", first.metrics["r2"])
    assert r2["first_interval"][0] < r2["first"] < r2["first_interval"][1]
    assert told["differences"] == []
    assert [row["feature"] for row in told["ranking"]] == [row.feature for row in first.ranking]
    assert client.get(f"{URL}/{first.id}/comparison/999", headers=headers).status_code == 404


def test_pictures_come_with_what_they_show(
    client: FlaskClient, versions: Versions, headers: dict[str, str]
) -> None:
    told = client.get(f"{URL}/{versions[0].id}/pictures", headers=headers).json
    first = told[0]
    assert first["key"] == "predicted"
    assert first["headers"] == ["Actual", "Predicted"]
    assert first["rows"][0] == versions[0].evidence["held_out"][0]
    assert first["svg"].startswith("<svg")
