"""``If-Match`` at every changing route of the REST API."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from prodapp.auth.permissions import policy_of
from prodapp.auth.preconditions import read_of
from prodapp.caller import RANKS, Caller
from tests.factories import make_machine

Headers = dict[str, str]


@pytest.fixture
def anyone(any_app: Flask, bearer: Callable[..., Headers]) -> Headers:
    return bearer("analyst")


def test_every_change_is_made_to_something_that_its_caller_may_read(app: Flask) -> None:
    adapter = app.url_map.bind("localhost")
    n_found = 0
    for rule in app.url_map.iter_rules():
        for method in (rule.methods or set()) & {"PUT", "PATCH", "DELETE"}:
            if not rule.rule.startswith("/api/v1/"):
                continue
            path = rule.rule.replace("<uuid:prediction_id>", str(UUID(int=1)))
            found = read_of(adapter, re.sub(r"<[^>]+>", "1", path))
            assert found is not None, rule.rule
            reading = policy_of(app, found[0], "GET")
            changing = policy_of(app, rule.endpoint, method)
            assert reading is not None
            assert changing is not None
            assert RANKS[reading.role or "viewer"] <= RANKS[changing.role or "viewer"], rule.rule
            n_found += 1
    assert n_found > 15


def test_a_change_to_what_was_read_is_made_and_a_stale_one_refused(
    any_app: Flask, caller: Caller, anyone: Headers
) -> None:
    client, machine = any_app.test_client(), make_machine(caller)
    address = f"/api/v1/machines/{machine.id}"
    etag = client.get(address, headers=anyone).headers["ETag"]
    renamed = client.patch(address, json={"name": "Press 02"}, headers=anyone | {"If-Match": etag})
    assert (renamed.status_code, renamed.json["name"]) == (200, "Press 02")
    again = client.patch(address, json={"name": "Press 03"}, headers=anyone | {"If-Match": etag})
    assert (again.status_code, again.json["code"]) == (412, "stale")
    assert client.delete(address, headers=anyone | {"If-Match": etag}).status_code == 412
    assert client.get(address, headers=anyone).json["name"] == "Press 02"
    assert client.delete(address, headers=anyone | {"If-Match": "*"}).status_code == 204
    assert client.delete(address, headers=anyone | {"If-Match": "*"}).status_code == 404


def test_of_several_who_read_the_same_state_one_changes_it(
    any_app: Flask, caller: Caller, anyone: Headers
) -> None:
    machine = make_machine(caller)
    address = f"/api/v1/machines/{machine.id}"
    etag = any_app.test_client().get(address, headers=anyone).headers["ETag"]
    start, statuses = threading.Barrier(4), []

    def rename(number: int) -> None:
        client = any_app.test_client()
        start.wait()
        answer = client.patch(
            address, json={"name": f"Press {number}"}, headers=anyone | {"If-Match": etag}
        )
        statuses.append(answer.status_code)

    threads = [threading.Thread(target=rename, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 412, 412, 412]


def test_a_part_without_a_read_of_its_own_is_changed_against_its_whole(
    client: FlaskClient, caller: Caller, bearer: Callable[..., Headers]
) -> None:
    admin = bearer("admin")
    listed = client.get("/api/v1/users", headers=admin).json
    address = f"/api/v1/users/{listed[0]['id']}"
    etag = client.get(address, headers=admin).headers["ETag"]
    stale = client.delete(f"{address}/second-factor", headers=admin | {"If-Match": '"another"'})
    assert stale.status_code == 412
    fresh = client.delete(f"{address}/second-factor", headers=admin | {"If-Match": etag})
    assert fresh.status_code == 204
