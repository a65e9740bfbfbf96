"""The two tables of the existing clients, line by line."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from prodapp import dispatching
from prodapp.auth.service import system_caller
from prodapp.caller import Caller
from prodapp.datasets.jobs import import_dataset
from prodapp.extensions import db
from prodapp.machines.overviews import all_machines
from prodapp.models import Dataset, Machine, RunState, TrainingRun
from prodapp.training.jobs import run_training
from prodapp.training.workflow import RUNS
from tests.factories import make_csv, make_machine, make_run, make_version

MakeApp = Callable[..., Flask]
Bearer = Callable[..., dict[str, str]]
HOST = {"CALLBACK_ALLOWED_HOSTS": "backend:9000"}


@pytest.fixture
def app(make_app: MakeApp) -> Any:
    """An application that lets anonymous callers of these routes in as analysts."""
    application = make_app(INTEGRATION_ANONYMOUS_ROLE="analyst", **HOST)
    with application.app_context():
        yield application
        db.session.remove()
        db.engine.dispose()


def send(
    client: FlaskClient,
    query: str,
    *,
    content: bytes | None = None,
    content_type: str = "text/csv",
    filename: str = "dados.csv",
) -> TestResponse:
    file = (io.BytesIO(make_csv() if content is None else content), filename, content_type)
    return client.post(f"/train/?{query}", data={"file": file})


def finish(run_id: int) -> None:
    """Do the work that a worker would."""
    run = db.session.get_one(TrainingRun, run_id)
    import_dataset(run.dataset_id)
    dispatching.dispatch(RUNS)
    run_training(run_id)


@pytest.mark.parametrize("path", ["/machines/", "/machines", "/models/", "/models"])
def test_registering_answers_the_object(client: FlaskClient, path: str) -> None:
    answer = client.post(path, json={"machine_name": "Prensa 01", "colour": "ignored"})
    assert answer.status_code == 200
    assert answer.json == {
        "id": 1,
        "machine_name": "Prensa 01",
        "status": "created",
        "model_id": 1,
    }
    for listing in ("/machines/", "/machines", "/models/", "/models"):
        assert client.get(listing).json == [answer.json]
    assert not db.session.get_one(Machine, 1).is_local


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, None, 7])
def test_wrong_name_is_a_422_with_the_list_of_fields(client: FlaskClient, name: Any) -> None:
    answer = client.post("/machines/", json={"machine_name": name})
    assert answer.status_code == 422
    assert [item["loc"] for item in answer.json["detail"]] == [["machine_name"]]
    assert answer.json["detail"][0]["msg"]


@pytest.mark.parametrize("body", [None, [], "Prensa"])
def test_missing_name_is_a_422(client: FlaskClient, body: Any) -> None:
    answer = client.post("/machines/", json=body)
    assert answer.status_code == 422
    assert isinstance(answer.json["detail"], list)


def test_duplicate_name_is_a_409_with_a_text(client: FlaskClient) -> None:
    client.post("/machines/", json={"machine_name": "Prensa"})
    answer = client.post("/machines/", json={"machine_name": "prensa"})
    assert answer.status_code == 409
    assert isinstance(answer.json["detail"], str)


@pytest.mark.parametrize("path", ["/machines/{}", "/machines/{}/", "/models/{}"])
def test_one_machine_is_read(client: FlaskClient, caller: Caller, path: str) -> None:
    machine = make_machine(caller)
    assert client.get(path.format(machine.id)).json["machine_name"] == "Press 01"
    missing = client.get(path.format(999))
    assert missing.status_code == 404
    assert isinstance(missing.json["detail"], str)


@pytest.mark.parametrize("path", ["/machines/{}", "/machines/{}/", "/models/{}", "/models/{}/"])
def test_deleting_answers_the_word(client: FlaskClient, caller: Caller, path: str) -> None:
    machine = make_machine(caller)
    answer = client.delete(path.format(machine.id))
    assert (answer.status_code, answer.json) == (200, {"status": "deleted"})
    assert client.delete(path.format(machine.id)).status_code == 404
    assert client.get("/machines/").json == []


@pytest.mark.parametrize(
    ("content_type", "filename"),
    [
        ("text/csv", "dados.csv"),
        ("text/csv; charset=utf-8", "dados"),
        ("application/vnd.ms-excel", "DADOS.CSV"),
        ("application/octet-stream", "dados.csv"),
    ],
)
def test_training_starts_in_the_background(
    client: FlaskClient, caller: Caller, content_type: str, filename: str
) -> None:
    machine = make_machine(caller)
    answer = send(
        client,
        f"machine_id={machine.id}&target_column=yield&other=ignored",
        content_type=content_type,
        filename=filename,
    )
    assert answer.status_code == 200
    assert answer.json["message"] == "Training started"
    assert db.session.get_one(TrainingRun, answer.json["run_id"]).state == RunState.QUEUED
    assert client.get(f"/machines/{machine.id}").json["status"] == "queued"


@pytest.mark.parametrize(
    ("content_type", "filename", "content"),
    [
        ("application/pdf", "dados.csv", None),
        ("application/octet-stream", "dados.xlsx", None),
        ("application/vnd.ms-excel", "dados.xls", None),
        ("text/csv", "dados.csv", b""),
        ("text/csv", "dados.csv", b"\x00\x01\x02\x03" * 50),
    ],
)
def test_what_is_no_csv_is_a_400_and_leaves_nothing(
    client: FlaskClient, caller: Caller, content_type: str, filename: str, content: bytes | None
) -> None:
    query = f"machine_id={make_machine(caller).id}&target_column=yield"
    answer = send(client, query, content=content, content_type=content_type, filename=filename)
    assert answer.status_code == 400
    assert isinstance(answer.json["detail"], str)
    assert db.session.query(Dataset).count() == 0


def test_unknown_column_is_a_400_and_leaves_nothing(client: FlaskClient, caller: Caller) -> None:
    answer = send(client, f"machine_id={make_machine(caller).id}&target_column=yeild")
    assert answer.status_code == 400
    assert "yield" in answer.json["detail"]  # the nearest name
    assert db.session.query(Dataset).count() == 0


def test_training_an_unknown_machine_is_a_404(client: FlaskClient) -> None:
    assert send(client, "machine_id=7&target_column=yield").status_code == 404


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("target_column=yield", "machine_id"),
        ("machine_id=x&target_column=yield", "machine_id"),
        (f"machine_id={'9' * 30}&target_column=yield", "machine_id"),
        ("machine_id=1", "target_column"),
    ],
)
def test_wrong_query_is_a_422(client: FlaskClient, query: str, field: str) -> None:
    answer = send(client, query)
    assert answer.status_code == 422
    assert [item["loc"] for item in answer.json["detail"]] == [[field]]


def test_missing_file_is_a_422(client: FlaskClient, caller: Caller) -> None:
    machine = make_machine(caller)
    answer = client.post(f"/train?machine_id={machine.id}&target_column=yield")
    assert answer.status_code == 422
    assert answer.json["detail"][0]["loc"] == ["file"]


ROW_KEYS = {
    "feature",
    "importance_shap_mean_abs",
    "importance_native",
    "shap_norm",
    "native_norm",
    "score_final",
    "direction",
    "effect",
}


def test_whole_way_of_the_dashboard(client: FlaskClient) -> None:
    client.post("/machines/", json={"machine_name": "Prensa 01"})
    finish(send(client, "machine_id=1&target_column=yield").json["run_id"])
    assert client.get("/machines/").json[0]["status"] == "completed"
    answer = client.get("/ranking/?machine_id=1")
    assert answer.status_code == 200
    assert set(answer.json) == {"ranking", "metrics", "alarms", "run_id", "model_version"}
    rows, metrics = answer.json["ranking"], answer.json["metrics"]
    assert [row["feature"] for row in rows[:2]] == ["heat", "speed"]
    assert all(set(row) == ROW_KEYS for row in rows)
    scores = [row["score_final"] for row in rows]
    assert scores == sorted(scores, reverse=True)
    assert sum(scores) == pytest.approx(1)
    assert sum(row["importance_native"] for row in rows) == pytest.approx(1)
    assert max(row["shap_norm"] for row in rows) == 1
    assert max(row["native_norm"] for row in rows) == 1
    assert set(metrics) == {"r2", "mae", "rmse", "n_train", "n_test", "n_features", "date"}
    assert metrics["n_train"] + metrics["n_test"] == 120
    assert metrics["date"].endswith("+00:00")
    assert answer.json["model_version"] == 1
    assert [row["effect"] for row in rows[:2]] == ["increases", "decreases"]
    # 24 of 120 samples were held out, fewer than 30.
    assert [alarm["code"] for alarm in answer.json["alarms"]] == ["too_few_samples"]
    assert set(answer.json["alarms"][0]) == {"code", "severity", "features", "message"}


def test_directions_are_portuguese_unless_asked_otherwise(
    client: FlaskClient, caller: Caller
) -> None:
    path = f"/ranking/?machine_id={make_version(caller).machine_id}"
    rows = client.get(path).json["ranking"]
    assert rows[0]["direction"] == "Aumentar heat tende a aumentar yield."
    english = client.get(path, headers={"Accept-Language": "en"}).json["ranking"]
    assert english[0]["direction"] == "Raising heat tends to raise yield."


def test_ranking_before_training_is_a_409(client: FlaskClient, caller: Caller) -> None:
    machine = make_machine(caller)
    assert client.get(f"/ranking/?machine_id={machine.id}").status_code == 409
    assert client.get(f"/ranking?model_id={machine.id}").status_code == 409
    assert client.get("/ranking/?machine_id=999").status_code == 404
    assert client.get("/ranking/").status_code == 422


def test_noise_raises_the_alarm_that_nothing_is_explained(
    client: FlaskClient, caller: Caller
) -> None:
    lines = make_csv(n_rows=400).decode().splitlines()
    shuffled = [
        ",".join([*line.split(",")[:-1], lines[-index].split(",")[-1]])
        for index, line in enumerate(lines[1:], start=1)
    ]
    content = "\n".join([lines[0], *shuffled]).encode()
    machine = make_machine(caller)
    sent = send(client, f"machine_id={machine.id}&target_column=yield", content=content)
    finish(sent.json["run_id"])
    codes = [a["code"] for a in client.get(f"/ranking/?machine_id={machine.id}").json["alarms"]]
    assert codes == ["explains_nothing"]


@pytest.mark.parametrize("path", ["/models?model_name=Prensa+01", "/models/?model_name=Prensa+01"])
def test_whole_way_of_another_backend(client: FlaskClient, path: str) -> None:
    created = client.post(path)
    assert (created.status_code, created.json["model_id"]) == (200, 1)
    assert db.session.get_one(Machine, 1).is_local
    url = "http://backend:9000/webhook/treinamento/"
    answer = send(client, f"model_id=1&target_column=yield&url={url}")
    assert answer.status_code == 200
    assert answer.json["message"]
    run = db.session.get_one(TrainingRun, answer.json["run_id"])
    assert run.callback_url == url
    finish(run.id)
    rows = client.get("/ranking?model_id=1").json
    assert isinstance(rows, list)
    assert rows == client.get("/ranking/?machine_id=1").json["ranking"]
    assert client.delete("/models/1").json == {"status": "deleted"}


@pytest.mark.parametrize("path", ["/models?model_name=", "/models?model_name=%20"])
def test_empty_model_name_is_refused(client: FlaskClient, path: str) -> None:
    answer = client.post(path)
    assert answer.status_code == 422
    assert answer.json["detail"][0]["loc"] == ["model_name"]


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://elsewhere/webhook/", "Nada pode ser enviado a elsewhere"),
        # Another port than the listed one.
        ("http://backend/webhook/", "Nada pode ser enviado a backend"),
        ("http://backend:9000@elsewhere/", "O endereço não tem a forma"),
        ("ftp://backend:9000/", "O endereço não tem a forma"),
        ("http://backend:99999/", "não é um endereço"),
        ("backend:9000", "O endereço não tem a forma"),
        ("http://backend:9000/%0d%0a\r\n", "O endereço é longo demais"),
    ],
)
def test_callback_off_the_list_is_refused_at_once(
    client: FlaskClient, caller: Caller, url: str, told: str
) -> None:
    machine = make_machine(caller)
    file = (io.BytesIO(make_csv()), "dados.csv", "text/csv")
    answer = client.post(
        "/train",
        query_string={"model_id": machine.id, "target_column": "yield", "url": url},
        data={"file": file},
    )
    assert answer.status_code == 400
    assert told in answer.json["detail"]
    assert db.session.query(Dataset).count() == 0


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/machines/"),
        ("GET", "/machines"),
        ("GET", "/models/1"),
        ("DELETE", "/models/1"),
        ("POST", "/train/?machine_id=1&target_column=y"),
        ("GET", "/ranking/?machine_id=1"),
        ("POST", "/webhook/treinamento/"),
    ],
)
def test_nobody_gets_in_by_default(make_app: MakeApp, method: str, path: str) -> None:
    answer = make_app().test_client().open(path, method=method)
    assert answer.status_code == 401
    assert isinstance(answer.json["detail"], str)


def test_anonymous_role_is_enforced(make_app: MakeApp) -> None:
    client = make_app(INTEGRATION_ANONYMOUS_ROLE="viewer").test_client()
    assert client.get("/machines/").status_code == 200
    refused = client.post("/machines/", json={"machine_name": "Prensa"})
    assert (refused.status_code, set(refused.json)) == (403, {"detail"})


def test_anonymous_caller_acts_in_the_configured_site(make_app: MakeApp) -> None:
    application = make_app(INTEGRATION_ANONYMOUS_ROLE="operator", INTEGRATION_SITE="Plant B")
    client = application.test_client()
    with application.app_context():
        make_machine(system_caller(), name="In the default site")
        assert client.get("/machines/").json == []
        client.post("/machines/", json={"machine_name": "In plant B"})
        there = all_machines(system_caller(site="Plant B"))
        assert [machine.name for machine in there] == ["In plant B"]
        db.session.remove()


def test_key_gets_in_with_its_role(client: FlaskClient, bearer: Bearer) -> None:
    headers = bearer("viewer")
    assert client.get("/machines/", headers=headers).status_code == 200
    body = {"machine_name": "Prensa"}
    assert client.post("/machines/", json=body, headers=headers).status_code == 403


def test_wrong_key_is_not_taken_for_anonymous(client: FlaskClient) -> None:
    assert client.get("/machines/", headers={"X-API-Key": "pa_1_x"}).status_code == 401


def test_configured_origin_may_call_and_others_may_not(make_app: MakeApp) -> None:
    dashboard = "https://dashboard.example"
    application = make_app(INTEGRATION_ANONYMOUS_ROLE="operator", CORS_ORIGINS=dashboard)
    client = application.test_client()
    preflight = {"Origin": dashboard, "Access-Control-Request-Method": "POST"}
    for path in ("/machines", "/train/", "/ranking/"):
        allowed = client.options(path, headers=preflight)
        assert allowed.status_code == 200
        assert allowed.headers["Access-Control-Allow-Origin"] == dashboard
        assert "POST" in allowed.headers["Access-Control-Allow-Methods"]
    body = {"machine_name": "Prensa"}
    answer = client.post("/machines/", json=body, headers={"Origin": dashboard})
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == dashboard
    foreign = {"Origin": "https://evil.example"}
    assert client.post("/machines/", json=body, headers=foreign).status_code == 403
    assert "Access-Control-Allow-Origin" not in client.get("/machines/", headers=foreign).headers


def test_a_name_that_became_ours_opens_nothing_to_a_strangers_page(make_app: MakeApp) -> None:
    """DNS rebinding: the page's own name leads to us by now, so that it is of our origin."""
    application = make_app(
        INTEGRATION_ANONYMOUS_ROLE="operator", PUBLIC_URL="https://prodapp.plant.example"
    )
    client, body = application.test_client(), {"machine_name": "Prensa"}
    rebound = {"Host": "evil.example", "Origin": "http://evil.example"}
    for answer in (
        client.get("/machines/", headers={"Host": "evil.example"}),
        client.post("/machines/", json=body, headers=rebound),
    ):
        assert answer.status_code == 403
        assert "PUBLIC_URL" in answer.json["detail"]
    for host in ("prodapp.plant.example", "localhost:8001", "backend", "10.0.0.7:8001"):
        assert client.get("/machines/", headers={"Host": host}).status_code == 200


def test_status_follows_the_latest_run(client: FlaskClient, caller: Caller) -> None:
    version = make_version(caller)
    path = f"/machines/{version.machine_id}"
    run = make_run(caller, version.dataset)
    for state, status in (
        (RunState.QUEUED, "queued"),
        (RunState.RETRY_WAIT, "queued"),
        (RunState.RUNNING, "training"),
        (RunState.PUBLISHING, "training"),
        (RunState.WAITING_EXTERNAL, "training"),
        (RunState.FAILED, "completed"),  # the champion of the first run is still in use
        (RunState.CANCELED, "completed"),
    ):
        run.state = state
        db.session.commit()
        assert client.get(path).json["status"] == status


def test_errors_never_are_pages(client: FlaskClient) -> None:
    for answer in (
        client.get("/machines/x"),
        client.put("/machines/"),
        client.post("/machines/", data=b"{", content_type="application/json"),
    ):
        assert answer.status_code in (400, 404, 405)
        assert set(answer.json) == {"detail"}
