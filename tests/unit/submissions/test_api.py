"""``POST /api/v1/runs``: three ways to start one."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from prodapp import dispatching
from prodapp.caller import Caller
from prodapp.datasets.jobs import import_dataset
from prodapp.extensions import db
from prodapp.models import Dataset, TrainingRun
from prodapp.training.jobs import run_training
from prodapp.training.workflow import RUNS
from tests.factories import make_csv, make_dataset, make_machine, make_ready_dataset

Bearer = Callable[..., dict[str, str]]
URL = "/api/v1/runs"


def records() -> list[dict[str, Any]]:
    head, *lines = make_csv().decode().splitlines()
    names = head.split(",")
    return [
        {
            name: cell if name == "shift" else float(cell)
            for name, cell in zip(names, line.split(","), strict=True)
        }
        for line in lines
    ]


def file() -> Any:
    return (io.BytesIO(make_csv()), "production.csv", "text/csv")


def test_run_on_a_stored_data_set(client: FlaskClient, caller: Caller, bearer: Bearer) -> None:
    dataset = make_ready_dataset(caller)
    body = {
        "dataset_id": dataset.id,
        "target": "yield",
        "features": ["heat", "noise"],
        "algorithm": "random_forest",
        "hyperparameters": {"n_estimators": 5.0, "max_depth": None},
        "test_size": 0.25,
        "random_state": 3,
    }
    headers = bearer("operator")
    answer = client.post(URL, json=body, headers=headers)
    assert answer.status_code == 202
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json["specification"]["hyperparameters"] == {
        "n_estimators": 5,
        "max_depth": None,
    }
    run_training(answer.json["id"])
    read = client.get(answer.headers["Location"], headers=headers).json
    assert read["state"] == "succeeded"
    ranking = client.get(f"/api/v1/versions/{read['version_id']}/ranking", headers=headers).json
    assert [row["feature"] for row in ranking["ranking"]] == ["heat", "noise"]
    assert ranking["metrics"]["n_test"] == 30


@pytest.mark.parametrize("way", ["file", "records"])
def test_run_on_data_that_come_along(
    client: FlaskClient, caller: Caller, bearer: Bearer, way: str
) -> None:
    machine, headers = make_machine(caller), bearer("operator")
    if way == "file":
        form = {
            "machine_id": machine.id,
            "target": "yield",
            "features": ["heat", "speed"],
            "hyperparameters": '{"n_estimators": 5}',
            "test_size": "0.3",
            "file": file(),
        }
        answer = client.post(URL, data=form, headers=headers)
    else:
        body = {
            "machine_id": machine.id,
            "target": "yield",
            "features": ["heat", "speed"],
            "hyperparameters": {"n_estimators": 5},
            "test_size": 0.3,
            "records": records(),
        }
        answer = client.post(URL, json=body, headers=headers)
    assert answer.status_code == 202, answer.json
    import_dataset(answer.json["dataset_id"])
    dispatching.dispatch(RUNS)
    run_training(answer.json["id"])
    read = client.get(f"/api/v1/machines/{machine.id}/ranking", headers=headers).json
    assert [row["feature"] for row in read["ranking"]] == ["heat", "speed"]
    assert read["metrics"]["n_test"] == 36


def test_run_may_start_before_the_import_is_over(
    client: FlaskClient, caller: Caller, bearer: Bearer
) -> None:
    dataset = make_dataset(caller)
    body = {"dataset_id": dataset.id, "target": "yield"}
    assert client.post(URL, json=body, headers=bearer("operator")).status_code == 202


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"target": "yeild"}, "/target"),
        ({"target": ""}, "/target"),
        ({"target": None}, "/target"),
        ({"features": []}, "/features"),
        ({"features": ["colour"]}, "/features"),
        ({"features": "heat"}, "/features"),
        ({"algorithm": "magic"}, "/algorithm"),
        ({"test_size": 0.9}, "/test_size"),
        ({"test_size": "0.3"}, "/test_size"),
        ({"random_state": -1}, "/random_state"),
        ({"random_state": 1.5}, "/random_state"),
        ({"random_state": True}, "/random_state"),
        ({"hyperparameters": []}, "/hyperparameters"),
        ({"hyperparameters": {"depth": 3}}, "/hyperparameters/depth"),
        ({"hyperparameters": {"n_estimators": 0}}, "/hyperparameters/n_estimators"),
        ({"validation": "lucky"}, "/validation"),
        ({"validation": "group"}, "/group_column"),
        ({"time_column": "when"}, "/time_column"),
        ({"time_column": "shift"}, "/time_column"),
        ({"group_column": "yield"}, "/group_column"),
        ({"n_folds": 1}, "/n_folds"),
        ({"gap_rows": -1}, "/gap_rows"),
        ({"time_budget_seconds": 0}, "/time_budget_seconds"),
        ({"memory_budget_megabytes": 1.5}, "/memory_budget_megabytes"),
        ({"max_explained_samples": None}, "/max_explained_samples"),
        ({"engineering": {}}, "/engineering"),
        ({"engineering": [{"step": "magic"}]}, "/engineering/0/step"),
        (
            {"engineering": [{"step": "polynomial"}, {"step": "lags", "lags": 1}]},
            "/engineering/1/lags",
        ),
        ({"engineering": [{"step": "lags", "columns": ["shift"]}]}, "/engineering/0/columns"),
        ({"colour": "red"}, "/colour"),
        ({"dataset_id": 0}, "/dataset_id"),
        ({"dataset_id": 10**30}, "/dataset_id"),
    ],
)
def test_wrong_specification_is_refused_with_a_pointer(
    client: FlaskClient, caller: Caller, bearer: Bearer, change: dict[str, Any], pointer: str
) -> None:
    dataset = make_ready_dataset(caller)
    body = {"dataset_id": dataset.id, "target": "yield", **change}
    answer = client.post(URL, json=body, headers=bearer("operator"))
    assert answer.status_code == 422
    assert pointer in [error["pointer"] for error in answer.json["errors"]]
    assert db.session.query(TrainingRun).count() == 0


@pytest.mark.parametrize("way", ["file", "records"])
def test_wrong_target_leaves_no_data_behind(
    client: FlaskClient, caller: Caller, bearer: Bearer, way: str
) -> None:
    machine, headers = make_machine(caller), bearer("operator")
    fields = {"machine_id": machine.id, "target": "yeild"}
    if way == "file":
        answer = client.post(URL, data={**fields, "file": file()}, headers=headers)
    else:
        answer = client.post(URL, json={**fields, "records": records()}, headers=headers)
    assert answer.status_code == 422
    assert answer.json["code"] == "unknown_column"
    assert db.session.query(Dataset).count() == 0


def test_engineering_comes_as_json_in_a_form_too(
    client: FlaskClient, caller: Caller, bearer: Bearer
) -> None:
    form = {
        "machine_id": make_machine(caller).id,
        "target": "yield",
        "engineering": '[{"step": "product", "columns": ["heat", "speed"]}]',
        "file": file(),
    }
    answer = client.post(URL, data=form, headers=bearer("operator"))
    assert answer.status_code == 202
    assert answer.json["specification"]["engineering"] == [
        {"step": "product", "columns": ["heat", "speed"]}
    ]


@pytest.mark.parametrize("text", ["{", "[]", "null", '{"n_estimators": NaN}'])
def test_wrong_hyperparameters_in_a_form_are_refused(
    client: FlaskClient, caller: Caller, bearer: Bearer, text: str
) -> None:
    form = {
        "machine_id": make_machine(caller).id,
        "target": "yield",
        "hyperparameters": text,
        "file": file(),
    }
    answer = client.post(URL, data=form, headers=bearer("operator"))
    assert answer.status_code == 422
    assert answer.json["errors"][0]["pointer"] == "/hyperparameters"


def test_missing_everything_is_a_422(client: FlaskClient, bearer: Bearer) -> None:
    answer = client.post(URL, headers=bearer("operator"))
    assert answer.status_code == 422
    pointers = {error["pointer"] for error in answer.json["errors"]}
    assert pointers == {"/dataset_id", "/target"}


def test_unknown_machine_and_data_set_are_404(client: FlaskClient, bearer: Bearer) -> None:
    headers = bearer("operator")
    for body in (
        {"dataset_id": 9, "target": "yield"},
        {"machine_id": 9, "target": "yield", "records": records()},
    ):
        assert client.post(URL, json=body, headers=headers).status_code == 404
