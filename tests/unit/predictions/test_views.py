"""The pages of predictions, as a person meets them."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from prodapp.auth import service as auth
from prodapp.caller import Caller
from prodapp.extensions import command, db
from prodapp.models import ModelVersion, Prediction, PredictionBatch, User
from prodapp.predictions.jobs import run_batch
from tests.factories import make_csv
from tests.pages import csrf_token

pytestmark = pytest.mark.parametrize("filled", ["sqlite"], indirect=True)
Send = Callable[..., Any]


@pytest.fixture
def send(owner: Caller, client: FlaskClient, version: ModelVersion) -> Send:
    """Post a form as an operator; the predictions are those of this test."""
    with command() as session:
        session.query(Prediction).delete()
    user = auth.create_user(owner, username="operator-at-page", role="operator")
    client.get(f"/app/sign-in/{auth.create_sign_in_link(user)}")

    def post(path: str, **fields: Any) -> Any:
        token = csrf_token(client, f"/app/versions/{version.id}/predict")
        return client.post(path, data={"csrf_token": token, **fields})

    return post


def test_the_form_starts_from_usual_values_and_says_what_was_learned(
    client: FlaskClient, version: ModelVersion, send: Send
) -> None:
    page = client.get(f"/app/versions/{version.id}/predict").text
    assert "Predict yield" in page
    assert page.count("learned from") == 3
    assert '<option value="night">' in page


def test_an_answer_comes_with_interval_bars_and_a_sentence(
    version: ModelVersion, send: Send
) -> None:
    page = send(f"/app/versions/{version.id}/predict", v0="1.5", v1="0", v2="day", v3="0")
    assert page.status_code == 200
    assert "holds the true value 90% of the time" in page.text
    assert "“heat” raises this answer most" in page.text
    assert page.text.count("bar-track") == 4
    kept = db.session.scalars(select(Prediction)).one()
    assert (kept.channel, kept.inputs["heat"]) == ("page", 1.5)


def test_numbers_are_read_as_the_reader_writes_them(
    client: FlaskClient, version: ModelVersion, send: Send
) -> None:
    with command() as session:
        session.execute(update(User).values(locale="pt_BR"))
    page = send(f"/app/versions/{version.id}/predict", v0="1,5", v1="0", v2="day", v3="")
    assert "é o que mais eleva esta resposta" in page.text
    kept = db.session.scalars(select(Prediction)).one()
    assert (kept.inputs["heat"], kept.inputs["noise"]) == (1.5, None)
    assert "Falta “noise”" in page.text


def test_what_is_no_number_is_told_at_its_field_and_kept_in_it(
    version: ModelVersion, send: Send
) -> None:
    page = send(f"/app/versions/{version.id}/predict", v0="hot", v1="0", v2="day", v3="0")
    assert page.status_code == 422
    assert "This must be a number or null." in page.text
    assert 'value="hot"' in page.text
    assert db.session.scalars(select(Prediction)).all() == []


def test_the_history_shows_filters_and_takes_the_true_value(
    client: FlaskClient, version: ModelVersion, send: Send
) -> None:
    send(f"/app/versions/{version.id}/predict", v0="99", v1="0", v2="day", v3="0")
    row = db.session.scalars(select(Prediction)).one()
    page = client.get(f"/app/predictions?machine_id={version.machine_id}&only=new").text
    assert f"/app/predictions/{row.id}" in page
    assert "There are no predictions that fit." in client.get("/app/predictions?only=told").text
    detail = f"/app/predictions/{row.id}"
    assert "The model has never seen a row like this" in client.get(detail).text
    assert send(f"{detail}/actual", value="many").status_code == 422
    assert send(f"{detail}/actual", value="52.5").status_code == 302
    assert "It was 52.5" in client.get(detail).text
    assert f"/app/predictions/{row.id}" in client.get("/app/predictions?only=told").text
    assert str(row.id) in client.get("/app/predictions.csv").text
    for place in (f"machines/{version.machine_id}", f"versions/{version.id}"):
        assert "1 prediction" in client.get(f"/app/{place}/usage").text


def test_a_file_is_answered_in_the_background_and_fetched_in_three_forms(
    client: FlaskClient, version: ModelVersion, send: Send
) -> None:
    rows = make_csv(n_rows=12, seed=5)
    path = f"/app/versions/{version.id}/prediction-batches"
    answer = send(path, file=(io.BytesIO(rows), "monday.csv"))
    address = answer.headers["Location"]
    assert "hx-get" in client.get(address).text
    batch = db.session.scalars(select(PredictionBatch).order_by(PredictionBatch.id.desc())).first()
    assert batch is not None
    run_batch(batch.id)
    page = client.get(f"{address}/progress").text
    assert "12 rows" in page
    assert "hx-get" not in page
    for kind, start in (("csv", b"\xef\xbb\xbfheat,speed"), ("xlsx", b"PK"), ("parquet", b"PAR1")):
        file = client.get(f"{address}/results.{kind}", buffered=True)
        assert file.status_code == 200
        assert file.data.startswith(start)
        assert f"monday-predicted.{kind}" in file.headers["Content-Disposition"]
    assert send(f"{address}/cancel").status_code == 409
    assert send(path).status_code == 422


def test_a_file_that_does_not_fit_fails_with_words(
    client: FlaskClient, version: ModelVersion, send: Send
) -> None:
    path = f"/app/versions/{version.id}/prediction-batches"
    answer = send(path, file=(io.BytesIO(b"heat,speed\n1,2\n2,3\n"), "short.csv"))
    address = answer.headers["Location"]
    run_batch(int(address.rsplit("/", 1)[1]))
    page = client.get(address).text
    assert "The file lacks columns that this version takes: “shift”, “noise”." in page
    assert client.get(f"{address}/results.csv").status_code == 409


def test_a_waiting_file_can_be_canceled(
    client: FlaskClient, version: ModelVersion, send: Send
) -> None:
    path = f"/app/versions/{version.id}/prediction-batches"
    address = send(path, file=(io.BytesIO(make_csv(n_rows=3)), "x.csv")).headers["Location"]
    assert send(f"{address}/cancel").status_code == 302
    assert "It was canceled." in client.get(address).text
