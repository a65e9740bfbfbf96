"""``/api/v1/runs``: follow, cancel, repeat."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from prodapp.caller import Caller
from prodapp.datasets.exclusions import set_exclusions
from prodapp.extensions import db
from prodapp.ml import algorithms
from prodapp.models import RunState, TrainingRun
from prodapp.training.jobs import run_training
from tests.factories import make_csv, make_machine, make_ready_dataset, make_run, make_version

Bearer = Callable[..., dict[str, str]]
URL = "/api/v1/runs"


def test_waiting_run_tells_its_place(client: FlaskClient, caller: Caller, bearer: Bearer) -> None:
    dataset = make_ready_dataset(caller)
    make_run(caller, dataset)
    second = make_run(caller, dataset)
    shown = client.get(f"{URL}/{second.id}", headers=bearer("viewer")).json
    assert (shown["state"], shown["queue_position"], shown["attempt"]) == ("queued", 1, 0)
    assert shown["elapsed_seconds"] is shown["version_id"] is shown["error"] is None
    assert shown["specification"]["target"] == "yield"


def test_a_run_tells_which_rows_it_leaves_out(
    client: FlaskClient, caller: Caller, bearer: Bearer
) -> None:
    dataset = make_ready_dataset(caller)
    whole = make_run(caller, dataset)
    set_exclusions(caller, dataset.id, exclusions=[{"label": "start", "last_row": 10}])
    part = make_run(caller, dataset)
    headers = bearer("viewer")
    for run, labels in ((whole, []), (part, ["start"])):
        shown = client.get(f"{URL}/{run.id}", headers=headers).json
        assert [one["label"] for one in shown["exclusions"]] == labels


def test_succeeded_run_leads_to_its_version(
    client: FlaskClient, caller: Caller, bearer: Bearer
) -> None:
    version = make_version(caller)
    shown = client.get(f"{URL}/{version.run_id}", headers=bearer("viewer")).json
    assert (shown["state"], shown["version_id"]) == ("succeeded", version.id)
    assert shown["progress"] == 1
    assert shown["elapsed_seconds"] > 0
    assert shown["queue_position"] is None
    assert shown["finished_at"].endswith("+00:00")


def test_failed_run_says_why_in_words(client: FlaskClient, caller: Caller, bearer: Bearer) -> None:
    # Twelve rows pass the preview's checks and are too few for training.
    dataset = make_ready_dataset(caller, make_machine(caller), content=make_csv(n_rows=12))
    run = make_run(caller, dataset)
    run_training(run.id)
    shown = client.get(f"{URL}/{run.id}", headers=bearer("viewer")).json
    assert shown["state"] == "failed"
    assert shown["error"]["code"] == "too_few_rows"
    assert "12" in shown["error"]["detail"]
    assert "%(" not in shown["error"]["detail"]


def test_list_filters_by_machine_and_state(
    client: FlaskClient, caller: Caller, bearer: Bearer
) -> None:
    version = make_version(caller)
    waiting = make_run(caller, version.dataset)
    headers = bearer("viewer")

    def ids(query: str) -> list[int]:
        return [run["id"] for run in client.get(f"{URL}{query}", headers=headers).json]

    assert ids("") == [waiting.id, version.run_id]
    assert ids("?state=succeeded") == [version.run_id]
    assert ids(f"?machine_id={version.machine_id}&state=queued") == [waiting.id]
    assert client.get(f"{URL}?state=lost", headers=headers).status_code == 422


def test_canceling_ends_a_waiting_run_at_once(
    client: FlaskClient, caller: Caller, bearer: Bearer
) -> None:
    run, headers = make_run(caller), bearer("operator")
    answer = client.post(f"{URL}/{run.id}/cancel", headers=headers)
    assert (answer.status_code, answer.json["state"]) == (202, "canceled")
    assert answer.headers["Location"] == f"{URL}/{run.id}"
    again = client.post(f"{URL}/{run.id}/cancel", headers=headers)
    assert (again.status_code, again.json["code"]) == (409, "conflict")


def test_ended_run_is_repeated_as_a_new_one(
    client: FlaskClient, caller: Caller, bearer: Bearer
) -> None:
    run, headers = make_run(caller, random_state=5), bearer("operator")
    assert client.post(f"{URL}/{run.id}/retry", headers=headers).status_code == 409
    statement = update(TrainingRun).where(TrainingRun.id == run.id)
    db.session.execute(statement.values(state=RunState.FAILED))
    db.session.commit()
    answer = client.post(f"{URL}/{run.id}/retry", headers=headers)
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"{URL}/{answer.json['id']}" != f"{URL}/{run.id}"
    assert answer.json["specification"]["random_state"] == 5


@pytest.mark.parametrize("verb", ["cancel", "retry"])
def test_viewer_may_only_look(
    client: FlaskClient, caller: Caller, bearer: Bearer, verb: str
) -> None:
    run = make_run(caller)
    assert client.post(f"{URL}/{run.id}/{verb}", headers=bearer("viewer")).status_code == 403


def test_run_of_another_site_looks_missing(
    client: FlaskClient, caller: Caller, bearer: Bearer
) -> None:
    run = make_run(caller)
    headers = bearer("admin", site="Plant B")
    assert client.get(f"{URL}/{run.id}", headers=headers).status_code == 404
    assert client.post(f"{URL}/{run.id}/cancel", headers=headers).status_code == 404


def test_algorithms_come_with_what_may_be_tuned(client: FlaskClient, bearer: Bearer) -> None:
    found = client.get("/api/v1/algorithms", headers=bearer("viewer")).json
    assert [item["name"] for item in found if item["is_default"]] == ["random_forest"]
    by_name = {item["name"]: item for item in found}
    assert by_name["linear_regression"]["hyperparameters"] == []
    depth = by_name["random_forest"]["hyperparameters"][1]
    assert (depth["name"], depth["default"], depth["is_optional"]) == ("max_depth", None, True)
    assert (depth["minimum"], depth["maximum"], depth["is_integer"]) == (1, 100, True)
    assert all(item["obstacle"] is None for item in found)


def test_an_algorithm_whose_library_is_missing_says_so_and_is_refused(
    client: FlaskClient, caller: Caller, bearer: Bearer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(algorithms, "_loads", lambda package: package.module != "lightgbm")
    headers = bearer("operator")
    found = client.get("/api/v1/algorithms", headers=headers).json
    obstacles = {item["name"]: item["obstacle"] for item in found if item["obstacle"]}
    assert list(obstacles) == ["lightgbm"]
    assert "libgomp" in obstacles["lightgbm"]
    asked = {
        "dataset_id": make_ready_dataset(caller).id,
        "target": "yield",
        "algorithm": "lightgbm",
    }
    refused = client.post(URL, json=asked, headers=headers)
    assert refused.status_code == 422
    assert refused.json["errors"][0]["pointer"] == "/algorithm"
    assert "libgomp" in refused.json["errors"][0]["detail"]


def test_steps_of_engineering_come_with_their_parameters(
    client: FlaskClient, bearer: Bearer
) -> None:
    answer = client.get("/api/v1/engineering-steps", headers=bearer("viewer"))
    by_name = {step["name"]: step for step in answer.json}
    assert by_name["lags"]["needs_order"]
    assert by_name["ratio"]["is_pair"]
    (parameter,) = by_name["lags"]["parameters"]
    assert parameter["schema"]["items"] == {"type": "integer", "minimum": 1, "maximum": 1000}
