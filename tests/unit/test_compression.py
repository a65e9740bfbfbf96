"""Answers to programs go out packed to whoever takes them so."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient

from prodapp.auth.permissions import public
from prodapp.caller import Caller
from tests.factories import make_machine

Headers = dict[str, str]
PACKED = {"Accept-Encoding": "gzip, deflate, br"}
DOCUMENT = "/api/openapi.json"


def test_a_long_answer_is_packed_and_means_the_same(client: FlaskClient) -> None:
    plain, packed = client.get(DOCUMENT), client.get(DOCUMENT, headers=PACKED)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) < len(plain.data) / 4
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert "Accept-Encoding" in plain.headers["Vary"]
    assert packed.headers["ETag"] != plain.headers["ETag"]


def test_the_etag_of_a_packed_answer_is_known_again(client: FlaskClient) -> None:
    etag = client.get(DOCUMENT, headers=PACKED).headers["ETag"]
    again = client.get(DOCUMENT, headers=PACKED | {"If-None-Match": etag})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", etag)


def test_a_change_may_name_the_packed_answer_that_it_was_read_in(
    client: FlaskClient, caller: Caller, bearer: Callable[..., Headers]
) -> None:
    machine, headers = make_machine(caller), bearer("operator") | PACKED
    address = f"/api/v1/machines/{machine.id}"
    etag = client.get(address, headers=headers).headers["ETag"]
    named = etag[:-1] + '--gzip"'
    change = client.patch(address, json={"name": "P"}, headers=headers | {"If-Match": named})
    assert change.status_code == 200


@pytest.mark.parametrize("accepts", ["", "identity", "gzip;q=0", "br"])
def test_who_takes_no_gzip_gets_none(client: FlaskClient, accepts: str) -> None:
    answer = client.get(DOCUMENT, headers={"Accept-Encoding": accepts})
    assert "Content-Encoding" not in answer.headers


def test_short_answers_and_pages_stay_as_they_are(client: FlaskClient) -> None:
    assert "Content-Encoding" not in client.get("/api/v1/machines", headers=PACKED).headers
    page = client.get("/app/sign-in", headers=PACKED)
    assert len(page.data) > 1000
    assert "Content-Encoding" not in page.headers


def test_a_stream_is_packed_piece_by_piece_and_closed(app: Flask) -> None:
    events: list[str] = []

    def lines() -> object:
        try:
            for number in range(3000):
                events.append("made")
                yield f"{number};some text that is much the same\n"
        finally:
            events.append("closed")

    @public
    def view() -> Response:
        return Response(lines(), mimetype="text/csv")  # type: ignore[arg-type]

    app.add_url_rule("/api/v1/stream", "stream", view)
    answer = app.test_client().get("/api/v1/stream", headers=PACKED, buffered=False)
    pieces = answer.iter_encoded()
    first = next(pieces)
    assert first
    assert len([name for name in events if name == "made"]) < 3000
    data = zlib.decompress(first + b"".join(pieces), wbits=31)
    assert data.count(b"\n") == 3000
    answer.close()
    assert events[-1] == "closed"
