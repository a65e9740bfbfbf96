"""``/api/v1/versions`` and rankings."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from prodapp.caller import Caller
from tests.factories import make_csv, make_machine, make_ready_dataset, make_run, make_version

Bearer = Callable[..., dict[str, str]]
URL = "/api/v1/versions"


def test_ranking_holds_what_was_published(
    client: FlaskClient, caller: Caller, bearer: Bearer
) -> None:
    dataset = make_ready_dataset(caller, content=make_csv(n_rows=400))
    version = make_version(caller, make_run(caller, dataset))
    headers = bearer("viewer")
    shown = client.get(f"{URL}/{version.id}/ranking", headers=headers).json
    assert client.get(f"/api/v1/machines/{version.machine_id}/ranking", headers=headers).json == (
        shown
    )
    rows = shown["ranking"]
    assert [row["rank"] for row in rows] == [1, 2, 3, 4]
    assert rows[0]["feature"] == "heat"
    assert "heat" in rows[0]["direction"]
    assert "yield" in rows[0]["direction"]
    assert rows[0]["direction_strength"] > 0.9
    assert all(len(point) == 2 for point in rows[0]["dependence"])
    assert sum(row["score_final"] for row in rows) == pytest.approx(1)
    interval = shown["metrics"]["r2_interval"]
    assert interval["low"] < shown["metrics"]["r2"] < interval["high"]
    assert shown["verdict"].startswith("heat")
    assert shown["alarms"] == []


def test_versions_are_listed_newest_first(
    client: FlaskClient, caller: Caller, bearer: Bearer
) -> None:
    first = make_version(caller)
    second = make_version(caller, make_run(caller, first.dataset))
    headers = bearer("viewer")
    listed = client.get(f"{URL}?machine_id={first.machine_id}", headers=headers).json
    assert [item["id"] for item in listed] == [second.id, first.id]
    assert [item["is_champion"] for item in listed] == [True, False]
    assert client.get(f"{URL}/{second.id}", headers=headers).json == listed[0]
    assert listed[0]["number"] == 2


def test_untrained_machine_has_no_ranking(
    client: FlaskClient, caller: Caller, bearer: Bearer
) -> None:
    machine = make_machine(caller)
    answer = client.get(f"/api/v1/machines/{machine.id}/ranking", headers=bearer("viewer"))
    assert (answer.status_code, answer.json["code"]) == (409, "not_trained")


def test_version_of_another_site_looks_missing(
    client: FlaskClient, caller: Caller, bearer: Bearer
) -> None:
    version = make_version(caller)
    headers = bearer("admin", site="Plant B")
    for path in (f"{URL}/{version.id}", f"{URL}/{version.id}/ranking"):
        assert client.get(path, headers=headers).status_code == 404
    assert client.get(URL, headers=headers).json == []
