from __future__ import annotations

import io
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import ClientDisconnected, RequestTimeout

from prodapp import uploads
from prodapp.caller import Caller
from prodapp.exceptions import Unavailable
from prodapp.uploads import PacedBody, Turns
from tests.factories import make_csv, make_machine


def body(content: bytes, turns: Turns, *, n_announced: int | None = None) -> PacedBody:
    return PacedBody(io.BytesIO(content), turns, n_announced=n_announced)


def test_a_body_comes_through_whole() -> None:
    content = bytes(range(256)) * 5000
    for n_announced in (None, len(content)):
        turns = Turns(1)
        assert body(content, turns, n_announced=n_announced).read() == content
        assert turns.take()  # the turn was given back at the end


def test_what_follows_the_announced_bytes_is_not_read() -> None:
    source = io.BytesIO(b"body, and the next request")
    assert PacedBody(source, Turns(1), n_announced=4).read() == b"body"
    assert source.read() == b", and the next request"


def test_a_sender_who_is_gone_is_no_end_of_the_body() -> None:
    turns = Turns(1)
    with pytest.raises(ClientDisconnected):
        body(b"half", turns, n_announced=8).read()
    assert turns.take()


def test_bodies_wait_for_their_turn_only_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "TURN_SECONDS", 0.05)
    turns = Turns(1)
    with body(bytes(5000), turns) as first:
        first.read(10)
        with pytest.raises(Unavailable) as caught:
            body(b"second", turns).read()
        assert caught.value.error_code == "busy"
    assert body(b"third", turns).read() == b"third"


def test_only_one_body_waits_for_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "TURN_SECONDS", 60.0)
    turns = Turns(1)
    assert turns.take()
    taken: list[bool] = []
    waiting = threading.Thread(target=lambda: taken.append(turns.take()))
    waiting.start()
    while turns._waiting.acquire(blocking=False):
        turns._waiting.release()
    assert not turns.take()  # at once
    turns.give_back()
    waiting.join()
    assert taken == [True]


def test_a_sender_at_less_than_walking_pace_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "GRACE_SECONDS", 0.0)
    monkeypatch.setattr(uploads, "MIN_BYTES_PER_SECOND", 10**12)
    with pytest.raises(RequestTimeout):
        body(bytes(100_000), Turns(1)).read()


def test_a_slow_start_is_read_in_small_pieces() -> None:
    sizes = []

    class Source(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            sizes.append(size)
            return super().read(size)

    source: IO[bytes] = Source(bytes(10**6))
    PacedBody(source, Turns(1), n_announced=None).read()
    assert sizes[0] == uploads.FIRST_BYTES
    assert max(size for size in sizes if size is not None) > 4 * uploads.FIRST_BYTES


def test_large_files_wait_beside_the_storage_and_leave_nothing(
    make_app: Callable[..., Flask], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = []
    real = uploads.tempfile.SpooledTemporaryFile  # type: ignore[attr-defined]

    def spool(**how: object) -> object:
        folders.append(how["dir"])
        return real(**how)

    monkeypatch.setattr(uploads.tempfile, "SpooledTemporaryFile", spool)  # type: ignore[attr-defined]
    monkeypatch.setattr(uploads, "MEMORY_BYTES", 100)
    app = make_app()
    file = (io.BytesIO(bytes(1000)), "a.csv")
    app.test_client().post("/app/sign-in", data={"file": file})
    scratch = tmp_path / "instance" / "scratch"
    assert folders == [str(scratch)]
    assert list(scratch.iterdir()) == []


def test_the_api_says_when_too_many_uploads_come_in(
    caller: Caller,
    client: FlaskClient,
    bearer: Callable[..., dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(uploads, "TURN_SECONDS", 0.01)
    machine, headers = make_machine(caller), bearer()
    watch = client.application.wsgi_app
    assert isinstance(watch, uploads.BodyWatch)
    turns = watch.turns
    n_taken = 0
    while turns.take():
        n_taken += 1
    path = f"/api/v1/machines/{machine.id}/datasets"

    def send() -> object:
        return client.post(path, data={"file": (io.BytesIO(make_csv()), "a.csv")}, headers=headers)

    answer = send()
    assert answer.status_code == 503
    assert (answer.json["code"], answer.headers["Retry-After"]) == ("busy", "5")
    assert client.get(path, headers=headers).status_code == 200
    for _ in range(n_taken):
        turns.give_back()
    assert send().status_code == 202
