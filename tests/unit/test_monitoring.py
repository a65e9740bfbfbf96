from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from prodapp.caller import Caller
from prodapp.extensions import command
from prodapp.models import RunState
from prodapp.presence import Kind, Presence
from prodapp.training import service as training
from prodapp.training.workflow import RUNS
from tests.factories import make_dataset, make_run, make_webhook

TOKEN = "a token that is long enough to be taken"


def figures(client: FlaskClient, **headers: str) -> dict[str, float]:
    """Each series with its value."""
    answer = client.get("/metrics", headers=headers)
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.text)
    return {
        sample.name + str(sorted(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def series(name: str, **labels: str) -> str:
    return name + str(sorted(labels.items()))


def test_requests_are_counted_and_timed_by_route_and_not_by_path(client: FlaskClient) -> None:
    def key(name: str, **labels: str) -> str:
        return series(name, surface="page", method="GET", route="/app/sign-in/<token>", **labels)

    before = figures(client)
    client.get("/app/sign-in/secret-words")
    after = figures(client)
    count = key("prodapp_http_requests_total", status="401")
    timed = key("prodapp_http_request_duration_seconds_count")
    assert after[count] == before.get(count, 0) + 1
    assert after[timed] == before.get(timed, 0) + 1
    assert not any("secret-words" in name for name in after)


def test_what_no_route_answers_is_one_series_whatever_was_asked(client: FlaskClient) -> None:
    def unrouted() -> set[str]:
        return {name for name in figures(client) if "(none)" in name and "requests_total" in name}

    client.get("/nowhere")
    names = unrouted()  # of this process, in which other tests may have asked before
    for path in ("/app/else", "/robots.txt"):
        client.get(path)
    client.open("/nowhere", method="BREW")
    assert unrouted() == names
    assert all("'OTHER'" in name for name in names)


def test_problems_are_counted_by_their_code(client: FlaskClient) -> None:
    key = series("prodapp_http_problems_total", code="not_found")
    before = figures(client).get(key, 0)
    client.get("/nowhere")
    assert figures(client)[key] == before + 1


def test_what_waits_and_who_works_is_told(any_app: Flask, caller: Caller) -> None:
    client = any_app.test_client()
    make_dataset(caller)
    Presence(Kind.WORKER, "one").announce()
    Presence(Kind.WORKER, "two").announce()
    told = figures(client)
    assert told[series("prodapp_work_items", kind="import", state="queued")] == 1
    assert told[series("prodapp_work_items", kind="run", state="running")] == 0
    assert 0 <= told[series("prodapp_work_oldest_seconds", kind="import", state="queued")] < 600
    assert told[series("prodapp_processes", kind="worker")] == 2
    assert told[series("prodapp_processes", kind="dispatcher")] == 0
    assert told[series("prodapp_database_up")] == 1
    assert told[series("prodapp_queue_up")] == 0
    assert told[series("prodapp_disk_free_bytes", place="instance")] > 0
    assert series("prodapp_queue_jobs") not in told


def test_messages_of_webhooks_wait_beside_callbacks(any_app: Flask, caller: Caller) -> None:
    client = any_app.test_client()
    assert figures(client)[series("prodapp_callbacks_waiting")] == 0
    make_webhook(any_app, caller)  # and a test message
    assert figures(client)[series("prodapp_callbacks_waiting")] == 1


def test_the_answer_stands_while_the_database_is_away(make_app: Callable[..., Flask]) -> None:
    away = "postgresql://nobody@127.0.0.1:1/none?connect_timeout=2"
    told = figures(make_app(DATABASE_URL=away).test_client())
    assert told[series("prodapp_database_up")] == 0
    assert not any("work_items" in name for name in told)


def test_the_end_of_a_run_is_counted_once_it_is_committed(any_app: Flask, caller: Caller) -> None:
    client = any_app.test_client()
    run = make_run(caller)
    key = series("prodapp_work_finished_total", kind="run", outcome="canceled", error="")
    before = figures(client).get(key, 0)

    class Undone(Exception):
        pass

    with pytest.raises(Undone), command() as session:  # noqa: PT012 - the rollback is the test
        run.cancel_requested_at = run.created_at
        session.flush()
        assert RUNS.cancel_waiting(session) == 1
        raise Undone
    assert figures(client).get(key, 0) == before
    assert training.cancel_run(caller, run.id).state == RunState.CANCELED
    assert figures(client)[key] == before + 1


@pytest.mark.parametrize(
    ("settings", "sent", "status"),
    [
        ({}, {}, 200),
        ({}, {"X-Forwarded-For": "10.0.0.9"}, 403),
        ({}, {"Forwarded": "for=10.0.0.9"}, 403),
        ({}, {"Host": "prodapp.example"}, 403),
        ({"PUBLIC_URL": "https://prodapp.example", "TRUSTED_PROXIES": "1"}, {}, 403),
        ({"METRICS_TOKEN": TOKEN}, {}, 403),
        ({"METRICS_TOKEN": TOKEN}, {"Authorization": f"Bearer {TOKEN}x"}, 403),
        ({"METRICS_TOKEN": TOKEN}, {"Authorization": TOKEN}, 403),
        ({"METRICS_TOKEN": TOKEN}, {"Authorization": "Bearer "}, 403),
        ({"METRICS_TOKEN": TOKEN}, {"Authorization": f"Bearer {TOKEN}"}, 200),
    ],
)
def test_figures_are_for_this_machine_or_who_has_the_token(
    make_app: Callable[..., Flask], settings: dict[str, str], sent: dict[str, str], status: int
) -> None:
    client = make_app(**settings).test_client()
    answer = client.get("/metrics", headers=sent)
    assert answer.status_code == status
    assert ("prodapp_build_info" in answer.text) == (status == 200)


def test_a_caller_from_another_machine_needs_the_token(make_app: Callable[..., Flask]) -> None:
    away: dict[str, Any] = {"environ_base": {"REMOTE_ADDR": "192.168.0.7"}}
    assert make_app().test_client().get("/metrics", **away).status_code == 403
    client = make_app(METRICS_TOKEN=TOKEN).test_client()
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}, **away)
    assert answer.status_code == 200


def test_scrapes_are_not_held_against_the_limits_of_calls(make_app: Callable[..., Flask]) -> None:
    client = make_app(READS_PER_MINUTE="2").test_client()
    assert {client.get("/metrics").status_code for _ in range(5)} == {200}
