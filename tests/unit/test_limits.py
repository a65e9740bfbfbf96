from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from flask import Flask

from prodapp.auth import service as auth
from tests.pages import post_form

MakeApp = Callable[..., Flask]
FEW = {"READS_PER_MINUTE": "4", "WRITES_PER_MINUTE": "2", "UPLOADS_PER_MINUTE": "1"}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The time that windows are told by; 20 seconds into one."""
    moment = SimpleNamespace(now=60_000_020.0)
    moment.time = lambda: moment.now
    monkeypatch.setattr("prodapp.limits.time", moment)
    return moment


def key_of(app: Flask, name: str) -> dict[str, str]:
    with app.app_context():
        caller = auth.system_caller()
        auth.create_user(caller, username=name, role="operator")
        return {"X-API-Key": auth.create_key(caller, username=name, name="x").secret}


def test_each_class_of_route_and_each_caller_has_a_limit_that_is_announced(
    make_app: MakeApp, clock: SimpleNamespace
) -> None:
    app = make_app(**FEW)
    client, maria, other = app.test_client(), key_of(app, "maria"), key_of(app, "other")

    def write(headers: dict[str, str], n: int):
        return client.post("/api/v1/machines", json={"name": f"m{n}"}, headers=headers)

    seen = [write(maria, n) for n in range(3)]
    assert [answer.status_code for answer in seen] == [201, 201, 429]
    assert [answer.headers["RateLimit-Remaining"] for answer in seen] == ["1", "0", "0"]
    refused = seen[-1]
    assert refused.headers["RateLimit-Limit"] == "2"
    assert refused.headers["Retry-After"] == refused.headers["RateLimit-Reset"] == "40"
    assert refused.json["code"] == "too_many_requests"
    # Another class, another caller, and what load balancers ask.
    read = client.get("/api/v1/machines", headers=maria)
    assert (read.status_code, read.headers["RateLimit-Remaining"]) == (200, "3")
    assert write(other, 9).status_code == 201
    for _ in range(9):
        assert client.get("/healthz").status_code == 200
    clock.now += 40
    assert write(maria, 10).status_code == 201


def test_a_user_is_one_caller_whatever_they_come_with(
    make_app: MakeApp, clock: SimpleNamespace
) -> None:
    app = make_app(**FEW)
    key = key_of(app, "maria")
    browser = app.test_client()
    with app.app_context():
        link = auth.create_sign_in_link(auth.user_by_name("maria"))
    browser.get(f"/app/sign-in/{link}")
    left = [
        browser.get("/app/machines/").headers["RateLimit-Remaining"],
        app.test_client().get("/api/v1/machines", headers=key).headers["RateLimit-Remaining"],
    ]
    assert left == ["3", "2"]


@pytest.mark.queue
def test_all_processes_count_together(
    make_app: MakeApp, empty_valkey_url: str, clock: SimpleNamespace
) -> None:
    first, second = (make_app(REDIS_URL=empty_valkey_url, **FEW) for _ in range(2))
    left = [
        app.test_client().get("/app/sign-in").headers["RateLimit-Remaining"]
        for app in (first, second, first)
    ]
    assert left == ["3", "2", "1"]


def test_refused_sign_ins_say_when_to_come_back(make_app: MakeApp) -> None:
    client = make_app().test_client()
    for _ in range(11):
        answer = post_form(client, "/app/sign-in", username="nobody", password="x")
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert answer.headers["RateLimit-Limit"] == "10"
