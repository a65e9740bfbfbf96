from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from prodapp.auth import service as auth
from prodapp.caller import Caller

Headers = dict[str, str]


@pytest.fixture
def admin(bearer: Callable[..., Headers]) -> Headers:
    return bearer("admin")


@pytest.fixture
def far_admin(caller: Caller) -> Headers:
    """An administrator of another site."""
    auth.create_user(caller, username="far", role="admin", site="plant 2")
    return {"X-API-Key": auth.create_key(caller, username="far", name="x").secret}


def test_a_user_is_made_invited_read_and_changed(client: FlaskClient, admin: Headers) -> None:
    body = {"username": "Ana", "role": "viewer", "email": "ana@x.org"}
    answer = client.post("/api/v1/users", json=body, headers=admin)
    assert answer.status_code == 201
    assert answer.json["user"]["username"] == "Ana"
    assert answer.json["invitation"]["email"] is None  # this installation sends no mail
    address = answer.json["invitation"]["address"]
    path = address.partition("8001")[2]
    assert "Choose a password" in client.get(path).text
    where = answer.headers["Location"]
    assert client.get(where, headers=admin).json == answer.json["user"]
    changed = client.patch(where, json={"role": "analyst", "is_active": False}, headers=admin)
    assert (changed.json["role"], changed.json["is_active"]) == ("analyst", False)
    assert changed.json["email"] == "ana@x.org"
    found = client.get("/api/v1/users?q=ana&is_active=false", headers=admin)
    assert [row["username"] for row in found.json] == ["Ana"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"username": "x", "role": "root"}, 422),
        ({"username": "x"}, 422),
        ({"username": "", "role": "viewer"}, 422),
        ({"username": "x", "role": "viewer", "email": "no"}, 422),
        ({"username": "ADMIN-user", "role": "viewer"}, 409),
        ({"username": "x", "role": "viewer", "site_id": 99}, 404),
        # Mass assignment: what the schema does not name is refused, not ignored.
        ({"username": "x", "role": "viewer", "is_active": False}, 422),
        ({"username": "x", "role": "viewer", "password_hash": "x"}, 422),
        ({"username": "x", "role": "viewer", "id": 1}, 422),
    ],
)
def test_a_user_that_cannot_be_is_refused(
    client: FlaskClient, admin: Headers, body: dict[str, Any], status: int
) -> None:
    assert client.post("/api/v1/users", json=body, headers=admin).status_code == status
    assert len(auth.list_users()) == 1


def test_a_key_is_made_shown_once_and_revoked(client: FlaskClient, admin: Headers) -> None:
    user_id = client.get("/api/v1/auth/me", headers=admin).json["user_id"]
    body = {"user_id": user_id, "name": "line 3", "role": "viewer", "days": 30}
    made = client.post("/api/v1/keys", json=body, headers=admin)
    assert made.status_code == 201
    secret = {"X-API-Key": made.json["key"]}
    assert client.get("/api/v1/machines", headers=secret).status_code == 200
    read = client.get(made.headers["Location"], headers=admin)
    assert read.json["state"] == "active"
    assert "key" not in read.json
    assert made.json["key"] not in client.get("/api/v1/keys", headers=admin).text
    for _ in range(2):
        assert client.delete(made.headers["Location"], headers=admin).status_code == 204
    assert client.get("/api/v1/machines", headers=secret).status_code == 401
    assert len(client.get("/api/v1/keys?state=revoked", headers=admin).json) == 1


def test_a_site_is_made_and_counts_its_users(client: FlaskClient, admin: Headers) -> None:
    made = client.post("/api/v1/sites", json={"name": "South"}, headers=admin)
    assert made.status_code == 201
    assert made.json["n_users"] == 0
    body = {"username": "x", "role": "viewer", "site_id": made.json["id"]}
    client.post("/api/v1/users", json=body, headers=admin)
    listed = client.get("/api/v1/sites", headers=admin).json
    assert [(row["name"], row["n_users"]) for row in listed] == [("default", 1), ("South", 1)]
    again = client.post("/api/v1/sites", json={"name": "south"}, headers=admin)
    assert again.status_code == 409


def test_the_audit_trail_is_read_by_its_links(client: FlaskClient, admin: Headers) -> None:
    for n in range(5):
        client.post("/api/v1/machines", json={"name": f"M {n}"}, headers=admin)
    seen = []
    address = "/api/v1/audit-events?action=machine.created&page_size=2"
    while address:
        answer = client.get(address, headers=admin)
        seen += [event["after"]["name"] for event in answer.json]
        address = answer.headers.get("Link", "").partition(">")[0].strip("<")
    assert seen == [f"M {n}" for n in reversed(range(5))]
    bad = client.get("/api/v1/audit-events?cursor=x", headers=admin)
    assert (bad.status_code, bad.json["errors"][0]["pointer"]) == (422, "/cursor")


def test_an_administrator_of_a_site_reaches_nothing_of_another(
    client: FlaskClient, admin: Headers, far_admin: Headers
) -> None:
    me = client.get("/api/v1/auth/me", headers=admin).json["user_id"]
    key = client.get("/api/v1/keys", headers=admin).json[-1]["id"]
    site = client.get("/api/v1/sites", headers=admin).json[0]["id"]
    for call in (
        client.get(f"/api/v1/users/{me}", headers=far_admin),
        client.patch(f"/api/v1/users/{me}", json={"role": "viewer"}, headers=far_admin),
        client.post(f"/api/v1/users/{me}/password-link", headers=far_admin),
        client.get(f"/api/v1/keys/{key}", headers=far_admin),
        client.delete(f"/api/v1/keys/{key}", headers=far_admin),
        client.post("/api/v1/keys", json={"user_id": me, "name": "x"}, headers=far_admin),
        client.get(f"/api/v1/sites/{site}", headers=far_admin),
        client.post(
            "/api/v1/users",
            json={"username": "x", "role": "admin", "site_id": site},
            headers=far_admin,
        ),
    ):
        assert call.status_code == 404
    for path in ("users", "sites"):
        assert len(client.get(f"/api/v1/{path}", headers=far_admin).json) == 1
    assert client.get(f"/api/v1/users?site_id={site}", headers=far_admin).json == []
    assert client.get(f"/api/v1/keys?user_id={me}", headers=far_admin).json == []
    made = client.post("/api/v1/sites", json={"name": "mine"}, headers=far_admin)
    assert made.status_code == 403
    events = client.get("/api/v1/audit-events", headers=far_admin).json
    assert events == []
    client.post("/api/v1/machines", json={"name": "theirs"}, headers=far_admin)
    assert len(client.get("/api/v1/audit-events", headers=far_admin).json) == 1
