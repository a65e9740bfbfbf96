"""What reaches a Sentry, read where it arrives."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import pytest
from flask import Flask

from prodapp.auth.permissions import public
from prodapp.logs import configure_logging
from tests.conftest import make_settings
from tests.receivers import Receiver, receiving


@pytest.fixture
def sentry() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def dsn(receiver: Receiver) -> str:
    return receiver.url.replace("http://", "http://public@") + "/7"


def events(receiver: Receiver) -> list[dict[str, Any]]:
    """The events of all envelopes: a head, then a header and a body for each item."""
    found = []
    for path, headers, body in receiver.requests:
        assert path == "/api/7/envelope/"
        assert "sentry_key=public" in headers["X-Sentry-Auth"]
        lines = body.splitlines()
        assert json.loads(lines[1])["type"] == "event"
        found.append(json.loads(lines[2]))
    return found


@pytest.fixture
def log(make_app: Callable[..., Flask], sentry: Receiver) -> Iterator[logging.Logger]:
    make_app(SENTRY_DSN=dsn(sentry))
    yield logging.getLogger("prodapp.test")
    logging.getLogger().handlers = []


def test_an_error_nobody_foresaw_is_reported_with_the_number_people_see(
    make_app: Callable[..., Flask], sentry: Receiver
) -> None:
    app = make_app(SENTRY_DSN=dsn(sentry))
    secret = "hunter" + "2"

    @public
    def boom() -> NoReturn:
        password = secret  # a local variable
        raise KeyError(f"maria {password}")

    app.add_url_rule("/app/boom", "boom", boom, methods=["GET"])
    answer = app.test_client().get(
        f"/app/boom?q={secret}",
        headers={
            "Cookie": f"session={secret}",
            "User-Agent": secret,
            "X-Forwarded-For": "10.1.2.3",
        },
    )
    assert answer.status_code == 500
    (event,) = events(sentry)
    assert event["tags"]["request_id"] == answer.headers["X-Request-ID"]
    (error,) = event["exception"]["values"]
    assert error["type"] == "KeyError"
    assert error["stacktrace"]["frames"][-1]["function"] == "boom"
    assert event["environment"] == "testing"
    assert event["release"].startswith("prodapp@")
    sent = sentry.requests[0][2].decode()
    assert set(event) <= {
        *("event_id", "timestamp", "level", "platform", "release", "environment"),
        *("logger", "message", "tags", "exception"),
    }
    for word in (secret, "maria", "10.1.2.3", "127.0.0.1", "vars", "request_body"):
        assert word not in sent


def test_a_line_of_the_log_is_sent_as_its_template(log: logging.Logger, sentry: Receiver) -> None:
    log.error("the file %s of %s is damaged", "salaries.csv", "Press 01")
    log.warning("not an error")
    (event,) = events(sentry)
    assert event["message"] == "the file %s of %s is damaged"
    assert "salaries" not in sentry.requests[0][2].decode()
    assert "exception" not in event


def test_causes_come_along_without_their_words(log: logging.Logger, sentry: Receiver) -> None:
    def inner() -> NoReturn:
        raise ValueError("could not convert 'Joana Silva'")

    try:
        try:
            inner()
        except ValueError as error:
            raise RuntimeError("row 7: Joana") from error
    except RuntimeError:
        log.exception("duty failed")
    (event,) = events(sentry)
    assert [value["type"] for value in event["exception"]["values"]] == [
        "ValueError",
        "RuntimeError",
    ]
    assert "Joana" not in sentry.requests[0][2].decode()


def test_a_lost_sentry_costs_one_try_and_no_error(
    make_app: Callable[..., Flask], capsys: pytest.CaptureFixture[str]
) -> None:
    make_app(SENTRY_DSN="http://public@127.0.0.1:1/7")
    for _ in range(3):
        logging.getLogger("prodapp.test").error("duty failed")
    assert capsys.readouterr().err.count("duty failed") == 3


def test_without_an_address_nothing_is_loaded(tmp_path: Any) -> None:
    configure_logging(make_settings(tmp_path))
    assert "SentryHandler" not in {type(h).__name__ for h in logging.getLogger().handlers}
