"""``/api/v1/…/predictions``: answers, their history, and what came true."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from prodapp.caller import Caller
from prodapp.extensions import command, db
from prodapp.ml.artifact import load_pipeline
from prodapp.ml.fitting import answers_of
from prodapp.models import ModelVersion, Prediction
from prodapp.predictions import history
from prodapp.storage import storage
from tests.unit.predictions.conftest import RECORD

pytestmark = pytest.mark.parametrize("filled", ["sqlite"], indirect=True)
Ask = Callable[..., Any]
Headers = dict[str, str]
URL = "/api/v1/predictions"


def _real(ask: Ask, version: ModelVersion) -> list[Any]:
    """The history without the made-up row of the filled installation."""
    with command() as session:
        session.query(Prediction).delete()
    return [ask(), ask(heat=-1.0), ask(heat=99.0)]


def test_an_answer_is_the_models_with_interval_and_kept(
    client: FlaskClient, version: ModelVersion, headers: Headers, ask: Ask
) -> None:
    import pandas as pd

    answer = ask()
    with storage().open(version.artifact_key) as file:
        pipeline = load_pipeline(file.read())
    assert answer["output"] == pytest.approx(answers_of(pipeline, pd.DataFrame([RECORD]))[0])
    interval = answer["interval"]
    assert interval["low"] < answer["output"] < interval["high"]
    assert interval["level"] == 0.9
    assert (answer["target"], answer["version"], answer["actor"]) == ("yield", 1, "oto")
    assert (answer["is_new"], answer["surprises"], answer["actual"]) == (False, [], None)
    kept = client.get(f"{URL}/{answer['id']}", headers=headers).json
    assert kept == answer
    assert kept["inputs"] == RECORD


def test_higher_levels_have_wider_intervals(
    client: FlaskClient, version: ModelVersion, headers: Headers
) -> None:
    url = f"/api/v1/versions/{version.id}/predictions"
    widths = []
    for level in (0.5, 0.9):
        body = {"record": RECORD, "level": level}
        found = client.post(url, json=body, headers=headers).json["interval"]
        widths.append(found["high"] - found["low"])
    assert widths[0] < widths[1]
    # 24 held-out samples cannot promise 99 of 100.
    sure = client.post(url, json={"record": RECORD, "level": 0.99}, headers=headers)
    assert (sure.status_code, sure.json["interval"]) == (201, None)
    refused = client.post(url, json={"record": RECORD, "level": 1}, headers=headers)
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/level")


def test_contributions_come_when_asked_for_and_add_up(
    client: FlaskClient, version: ModelVersion, headers: Headers
) -> None:
    url = f"/api/v1/versions/{version.id}/predictions?contributions=true"
    answer = client.post(url, json={"record": RECORD}, headers=headers).json
    found = answer["contributions"]
    total = found["base"] + sum(item["contribution"] for item in found["values"])
    assert total == pytest.approx(answer["output"])
    first = max(found["values"], key=lambda item: abs(item["contribution"]))
    assert (first["variable"], first["value"]) == ("heat", 1.0)


def test_many_records_are_answered_in_their_order(
    client: FlaskClient, version: ModelVersion, headers: Headers, ask: Ask
) -> None:
    url = f"/api/v1/machines/{version.machine_id}/predictions"
    records = [RECORD | {"heat": heat} for heat in (-1.0, 0.0, 1.0)]
    answer = client.post(url, json={"records": records}, headers=headers)
    assert answer.status_code == 201
    outputs = [item["output"] for item in answer.json["predictions"]]
    assert outputs == sorted(outputs)
    assert outputs[2] == ask()["output"]


def test_what_was_never_seen_is_flagged_with_a_sentence(ask: Ask) -> None:
    answer = ask(heat=99.0, shift="evening")
    assert answer["is_new"]
    assert [item["kind"] for item in answer["surprises"]] == ["range", "category"]
    assert "99" in answer["surprises"][0]["detail"]
    assert "evening" in answer["surprises"][1]["detail"]


@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_each_wrong_input_is_named(
    client: FlaskClient, version: ModelVersion, headers: Headers, language: str
) -> None:
    url = f"/api/v1/versions/{version.id}/predictions"
    wrong = {"heat": "hot", "speed": 1.0, "shift": "day", "colour": "red"}
    body = {"records": [RECORD, wrong]}
    answer = client.post(url, json=body, headers=headers | {"Accept-Language": language})
    assert answer.status_code == 422
    told = {item["pointer"]: item["detail"] for item in answer.json["errors"]}
    assert set(told) == {"/records/1/heat", "/records/1/noise", "/records/1/colour"}
    is_english = told["/records/1/heat"] == "This must be a number or null."
    assert is_english == (language == "en")


@pytest.mark.parametrize("body", [{}, {"record": RECORD, "records": [RECORD]}, {"records": []}])
def test_neither_or_both_are_refused(
    client: FlaskClient, version: ModelVersion, headers: Headers, body: dict[str, Any]
) -> None:
    url = f"/api/v1/versions/{version.id}/predictions"
    assert client.post(url, json=body, headers=headers).status_code == 422


def test_the_same_key_gives_the_same_answer_and_another_body_is_refused(
    client: FlaskClient, version: ModelVersion, headers: Headers
) -> None:
    url = f"/api/v1/versions/{version.id}/predictions"
    keyed = headers | {"Idempotency-Key": "order 7"}
    first = client.post(url, json={"record": RECORD}, headers=keyed)
    again = client.post(url, json={"record": RECORD}, headers=keyed)
    assert first.json == again.json
    other = client.post(url, json={"record": RECORD | {"heat": 2}}, headers=keyed)
    assert (other.status_code, other.json["code"]) == (409, "idempotency_conflict")
    asked = select(func.count()).where(Prediction.request_key == "order 7")
    assert db.session.scalar(asked) == 1


def test_a_machine_without_a_version_and_one_that_is_not_there(
    client: FlaskClient, headers: Headers
) -> None:
    made = client.post("/api/v1/machines", json={"name": "New"}, headers=headers).json
    url = f"/api/v1/machines/{made['id']}/predictions"
    answer = client.post(url, json={"record": RECORD}, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (409, "not_trained")
    answer = client.post("/api/v1/machines/999/predictions", json={"record": {}}, headers=headers)
    assert answer.status_code == 404


def test_a_version_from_before_predictions_says_so(
    client: FlaskClient, version: ModelVersion, headers: Headers
) -> None:
    with command() as session:
        session.execute(update(ModelVersion).values(reference=None))
    url = f"/api/v1/versions/{version.id}/predictions"
    answer = client.post(url, json={"record": RECORD}, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (409, "cannot_predict")


def test_a_file_that_is_not_what_was_published_is_not_used(
    client: FlaskClient, version: ModelVersion, headers: Headers, filled: Flask
) -> None:
    with storage().local_path(version.artifact_key) as path:
        path.write_bytes(b"something else")
    url = f"/api/v1/versions/{version.id}/predictions"
    answer = client.post(url, json={"record": RECORD}, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (422, "artifact_changed")


def test_the_history_is_filtered_sorted_and_paged(
    client: FlaskClient, version: ModelVersion, headers: Headers, ask: Ask
) -> None:
    usual, low, new = _real(ask, version)

    def found(query: str = "") -> list[str]:
        answer = client.get(f"{URL}{query}", headers=headers)
        assert answer.status_code == 200, answer.json
        return [item["id"] for item in answer.json]

    assert found() == [new["id"], low["id"], usual["id"]]
    assert found("?sort=occurred_at") == [usual["id"], low["id"], new["id"]]
    by_output = sorted((usual, low, new), key=lambda item: item["output"])
    assert found("?sort=output") == [item["id"] for item in by_output]
    assert found("?is_new=true") == [new["id"]]
    assert found(f"?request_id={low['request_id']}") == [low["id"]]
    assert found("?actor=nobody") == []
    assert found(f"?machine_id={version.machine_id}&version_id={version.id}&page_size=1") == [
        new["id"]
    ]
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat().replace("+", "%2B")
    assert found(f"?since={later}") == []
    assert len(found(f"?until={later}")) == 3
    assert client.get(f"{URL}?cursor=nonsense", headers=headers).status_code == 422
    assert client.get(f"{URL}?version_id=99", headers=headers).status_code == 404


@pytest.mark.parametrize("sort", ["-occurred_at", "output", "-duration_ms"])
def test_pages_lead_through_the_whole_history(
    client: FlaskClient, version: ModelVersion, headers: Headers, ask: Ask, sort: str
) -> None:
    _real(ask, version)
    url: str | None = f"{URL}?page_size=1&sort={sort}"
    met = []
    while url:
        answer = client.get(url, headers=headers)
        met += [item["id"] for item in answer.json]
        link = answer.headers.get("Link", "")
        url = link.partition(">")[0].lstrip("<") if 'rel="next"' in link else None
    assert len(met) == len(set(met)) == 3


def test_the_export_has_a_column_for_each_input_and_no_formulas(
    client: FlaskClient, version: ModelVersion, headers: Headers, ask: Ask
) -> None:
    _real(ask, version)
    ask(shift="=1+1")
    answer = client.get("/api/v1/predictions.csv?sort=-occurred_at", headers=headers)
    lines = list(csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff"))))
    assert len(lines) == 4
    assert lines[0]["input: shift"] == "'=1+1"
    assert lines[3]["input: heat"] == "1.0"


def test_the_true_value_is_told_and_taken_back(
    client: FlaskClient, headers: Headers, ask: Ask, version: ModelVersion
) -> None:
    answer = ask()
    url = f"{URL}/{answer['id']}/actual"
    told = client.put(url, json={"value": 51.5}, headers=headers).json
    assert told["actual"] == 51.5
    assert told["error"] == pytest.approx(answer["output"] - 51.5)
    usage = client.get(f"/api/v1/versions/{version.id}/usage", headers=headers).json
    assert usage["n_actuals"] >= 1
    assert client.put(url, json={"value": None}, headers=headers).json["actual"] is None
    assert client.put(url, json={"value": "much"}, headers=headers).status_code == 422
    gone = client.put(f"{URL}/{uuid4()}/actual", json={"value": 1}, headers=headers)
    assert gone.status_code == 404


def test_true_values_come_by_a_file(
    client: FlaskClient, headers: Headers, ask: Ask, version: ModelVersion
) -> None:
    first, second = ask(), ask(heat=0.0)
    lines = ["prediction_id,actual", f"{first['id']},50.5", f"{second['id']},", f"{uuid4()},7"]

    def send(text: str) -> Any:
        return client.post(
            f"/api/v1/machines/{version.machine_id}/actuals",
            data={"file": (io.BytesIO(text.encode()), "actuals.csv")},
            headers=headers,
        )

    answer = send("\n".join(lines) + "\n")
    assert answer.json == {"n_recorded": 1, "n_unknown": 1}
    kept = [client.get(f"{URL}/{item['id']}", headers=headers).json for item in (first, second)]
    assert [item["actual"] for item in kept] == [50.5, None]
    assert send("a,b\n1,2\n3,4\n").json["code"] == "columns_missing"
    wrong = send("prediction_id,actual\nx1,2\nx2,4\nx3,5\n").json
    assert (wrong["code"], wrong["row"]) == ("actuals_wrong", 2)


def test_what_a_version_takes_is_told_with_a_record_that_it_answers(
    client: FlaskClient, headers: Headers, version: ModelVersion, ask: Ask
) -> None:
    inputs = client.get(f"/api/v1/machines/{version.machine_id}/inputs", headers=headers).json
    assert [item["name"] for item in inputs["variables"]] == ["heat", "speed", "shift", "noise"]
    heat, shift = inputs["variables"][0], inputs["variables"][2]
    assert heat["low"] < heat["middle"] < heat["high"]
    assert sorted(shift["seen"]) == ["day", "night"]
    answer = ask(**inputs["record"])
    assert not answer["is_new"]
    by_version = client.get(f"/api/v1/versions/{version.id}/inputs", headers=headers).json
    assert by_version == inputs


def test_old_predictions_are_forgotten(ask: Ask, version: ModelVersion, owner: Caller) -> None:
    _real(ask, version)
    with command() as session:
        old = datetime.now(UTC) - timedelta(days=31)
        session.execute(
            update(Prediction).where(Prediction.is_new.is_(True)).values(occurred_at=old)
        )
    assert history.forget_old(0) == 0
    assert history.forget_old(30) == 1
    assert history.forget_old(30) == 0
    assert db.session.scalar(select(func.count()).select_from(Prediction)) == 2


def test_drift_rings_where_inputs_or_errors_moved(
    client: FlaskClient, version: ModelVersion, headers: Headers, ask: Ask, owner: Caller
) -> None:
    _real(ask, version)
    url = f"/api/v1/machines/{version.machine_id}/drift"
    quiet = client.get(url, headers=headers).json
    assert (quiet["rings"], quiet["variables"], quiet["errors"]) == (False, [], None)
    records = [RECORD | {"heat": 2.0 + i / 100, "noise": 0.0} for i in range(60)]
    predict = f"/api/v1/versions/{version.id}/predictions"
    made = client.post(predict, json={"records": records}, headers=headers).json["predictions"]
    for item in made[:20]:
        history.record_actual(owner, UUID(item["id"]), item["output"] + 100)
    found = client.get(url, headers=headers).json
    assert found["rings"]
    assert found["variables"][0]["has_drifted"]
    assert (found["errors"]["n"], found["errors"]["n_outside"]) == (20, 20)


def test_another_site_sees_nothing(
    client: FlaskClient, owner: Caller, ask: Ask, version: ModelVersion
) -> None:
    from prodapp.auth import service as auth

    answer = ask()
    auth.create_user(owner, username="far", role="admin", site="plant 2")
    key = auth.create_key(owner, username="far", name="far").secret
    far = {"Authorization": f"Bearer {key}"}
    assert client.get(f"{URL}/{answer['id']}", headers=far).status_code == 404
    assert client.get(URL, headers=far).json == []
    url = f"/api/v1/versions/{version.id}/predictions"
    assert client.post(url, json={"record": RECORD}, headers=far).status_code == 404
