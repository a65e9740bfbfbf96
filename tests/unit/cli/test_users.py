from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from prodapp.auth import service as auth
from tests.unit.cli.conftest import Run

PASSWORD = "correct horse battery"


def test_a_user_is_made_with_a_password_from_standard_input(run: Run) -> None:
    result = run("user", "create", "Maria", "--password-stdin", typed=f"{PASSWORD}\r\n")
    assert "Created Maria (operator)." in result.output
    assert PASSWORD not in result.output
    assert "/app/sign-in/" not in result.output
    assert auth.authenticate("maria", PASSWORD).role == "operator"


@pytest.mark.parametrize("options", [["--link"], []])
def test_without_password_or_terminal_a_link_is_printed_that_works_once(
    run: Run, client: FlaskClient, options: list[str]
) -> None:
    output = run("user", "create", "Maria", "--role", "admin", *options).output
    path = output.partition("http://127.0.0.1:8001")[2].strip()
    assert path.startswith("/app/sign-in/")
    assert client.get(path).location == "/app/machines/"
    assert client.get(path).status_code == 401


def test_a_user_as_json(run_json: Callable[..., Any]) -> None:
    made = run_json("user", "create", "ção", "--role", "viewer", "--site", "plant 2", "--link")
    assert made["username"] == "ção"
    assert made["role"] == "viewer"
    assert made["link"].startswith("http://")
    (listed,) = run_json("user", "list")
    assert (listed["username"], listed["site"]) == ("ção", "plant 2")
    assert listed["last_sign_in_at"] is None
    assert not any("hash" in name for name in listed)


def test_users_as_a_table(run: Run) -> None:
    run("user", "create", "maria", "--link")
    lines = run("user", "list").output.splitlines()
    heads = ["id", "username", "email", "role", "is_active", "last_sign_in_at", "site"]
    assert lines[0].split() == heads
    assert lines[1].split() == ["1", "maria", "–", "operator", "True", "–", "default"]


@pytest.mark.parametrize(
    ("args", "typed", "words"),
    [
        (["maria", "--password-stdin"], "short\n", "too easy to guess"),
        (["maria", "--password-stdin"], "", "too easy to guess"),
        (["  ", "--link"], None, "Give the user a name."),
        (["x" * 300, "--link"], None, "at most 200 characters"),
        (["TAKEN", "--link"], None, "already a user named TAKEN"),
    ],
)
def test_a_user_that_cannot_be_is_refused_with_the_reason(
    run: Run, args: list[str], typed: str | None, words: str
) -> None:
    run("user", "create", "taken", "--link")
    result = run("user", "create", *args, expect=1, typed=typed)
    assert words in result.stderr
    assert result.stdout == ""
    assert len(auth.list_users()) == 1


def test_an_unknown_role_names_those_that_exist(run: Run) -> None:
    result = run("user", "create", "maria", "--role", "root", expect=2)
    assert "'viewer', 'operator', 'analyst', 'admin'" in result.stderr


def test_a_new_link_for_a_user_and_none_for_nobody(run: Run, client: FlaskClient) -> None:
    run("user", "create", "maria", "--link")
    address = run("user", "link", "MARIA").output.strip()
    assert client.get(address.partition("8001")[2]).status_code == 302
    assert "no user named eve" in run("user", "link", "eve", expect=3).stderr


def test_a_key_is_shown_once_and_can_be_revoked(
    run: Run, run_json: Callable[..., Any], client: FlaskClient
) -> None:
    run("user", "create", "maria", "--link")
    result = run("key", "create", "maria", "--name", "dashboard")
    secret = result.stdout.strip()
    assert "not shown again" in result.stderr
    headers = {"Authorization": f"Bearer {secret}"}
    assert client.get("/api/v1/machines", headers=headers).status_code == 200
    assert "Revoked" in run("key", "revoke", secret[:11]).output
    assert client.get("/api/v1/machines", headers=headers).status_code == 401
    assert run("key", "revoke", secret[:11], expect=3).stderr
    made = run_json("key", "create", "maria", "--role", "viewer", "--days", "3")
    assert made["key"].startswith(made["prefix"])


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["nobody"], 3),
        (["maria", "--role", "admin"], 1),
        (["maria", "--days", "0"], 2),
        (["maria", "--name", "x" * 300], 1),
    ],
)
def test_a_key_that_cannot_be_is_refused(run: Run, args: list[str], code: int) -> None:
    run("user", "create", "maria", "--link")
    result = run("key", "create", *args, expect=code)
    assert result.stdout == ""
    assert result.stderr


def test_a_users_role_address_and_access_are_changed(
    run: Run, run_json: Callable[..., Any], client: FlaskClient
) -> None:
    run("user", "create", "maria", "--link")
    run("user", "create", "ana", "--link", "--email", "ana@x.org")
    assert run_json("user", "role", "Maria", "analyst")["role"] == "analyst"
    assert run_json("user", "email", "maria", "m@x.org")["email"] == "m@x.org"
    assert "Another user has" in run("user", "email", "maria", "ANA@x.org", expect=1).stderr
    assert "locked out" in run("user", "deactivate", "maria").output
    assert [row["username"] for row in run_json("user", "list", "--inactive")] == ["maria"]
    assert "may sign in again" in run("user", "activate", "maria").output
    assert run_json("user", "list", "--inactive") == []
    assert [row["username"] for row in run_json("user", "list", "--role", "operator")] == ["ana"]
    link = run_json("user", "reset", "maria")["link"]
    assert client.get(link.partition("8001")[2]).status_code == 200
    run("user", "sign-out", "maria")
    assert client.get(link.partition("8001")[2]).status_code == 401
    for command in (["role", "eve", "viewer"], ["deactivate", "eve"], ["reset", "eve"]):
        assert "no user named eve" in run("user", *command, expect=3).stderr


def test_keys_are_listed_by_user_and_state(run: Run, run_json: Callable[..., Any]) -> None:
    for name in ("maria", "ana"):
        run("user", "create", name, "--link")
        run("key", "create", name, "--name", f"{name}s", "--days", "3")
    (key,) = run_json("key", "list", "--user", "maria")
    assert (key["name"], key["user"], key["state"]) == ("marias", "maria", "active")
    run("key", "revoke", key["prefix"])
    run("user", "deactivate", "ana")
    assert [row["name"] for row in run_json("key", "list", "--state", "revoked")] == ["marias"]
    assert [row["name"] for row in run_json("key", "list", "--state", "suspended")] == ["anas"]
    assert run("key", "list").output.splitlines()[0].split()[:3] == ["id", "prefix", "name"]


def test_sites_are_made_listed_and_moved_to(run: Run, run_json: Callable[..., Any]) -> None:
    run("user", "create", "maria", "--link")
    assert run_json("site", "create", "South")["name"] == "South"
    assert "already a site" in run("site", "create", "SOUTH", expect=1).stderr
    assert "belongs to South" in run("site", "move", "maria", "south").output
    assert [row["username"] for row in run_json("user", "list", "--site", "south")] == ["maria"]
    assert {row["name"]: row["n_users"] for row in run_json("site", "list")}["South"] == 1
    assert run("site", "move", "maria", "nowhere", expect=3).stderr
