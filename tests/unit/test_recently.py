"""What was found a moment ago, and how soon a change counts."""

from __future__ import annotations

import pytest
from flask import Flask

from prodapp import recently
from prodapp.auth import service as auth
from prodapp.caller import Caller
from prodapp.extensions import command
from prodapp.extensions import recently as recently_of_app
from prodapp.recently import Recently


def test_an_answer_holds_for_its_time_and_then_is_looked_up_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 100.0
    monkeypatch.setattr(recently.time, "monotonic", lambda: now)
    kept, answers = Recently(), iter(range(9))
    assert kept.get("a", lambda: next(answers)) == 0
    now += recently.SECONDS - 0.01
    assert kept.get("a", lambda: next(answers)) == 0
    assert kept.get("b", lambda: next(answers)) == 1
    now += 0.02
    assert kept.get("a", lambda: next(answers)) == 2


def test_nothing_found_is_looked_up_each_time() -> None:
    kept = Recently()
    assert kept.get("a", lambda: None) is None
    assert kept.get("a", lambda: 1) == 1


def test_what_was_read_before_a_change_is_not_kept_beyond_it() -> None:
    kept = Recently()

    def overtaken() -> str:
        kept.forget()  # as a command does that ends while this reads
        return "before"

    assert kept.get("a", overtaken) == "before"
    assert kept.get("a", lambda: "after") == "after"


def test_room_is_bounded() -> None:
    kept = Recently()
    for number in range(recently._MOST + 5):
        kept.get(number, lambda: "x")
    assert len(kept._kept) <= recently._MOST


def test_every_command_forgets_at_its_end(app: Flask) -> None:
    with command():
        recently_of_app().get("a", lambda: 1)
    assert recently_of_app().get("a", lambda: 2) == 2


def test_a_revoked_key_opens_nothing_from_then_on(app: Flask, caller: Caller) -> None:
    auth.create_user(caller, username="u", role="viewer")
    key = auth.create_key(caller, username="u", name="x")
    client, headers = app.test_client(), {"Authorization": f"Bearer {key.secret}"}
    assert client.get("/api/v1/machines", headers=headers).status_code == 200
    assert client.get("/api/v1/machines", headers=headers).status_code == 200
    auth.revoke_key(caller, key.prefix)
    assert client.get("/api/v1/machines", headers=headers).status_code == 401
