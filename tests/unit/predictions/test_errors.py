"""How well predictions came true, by page and REST."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete

from prodapp.auth import service as auth
from prodapp.caller import Caller
from prodapp.extensions import command
from prodapp.models import ModelVersion, Prediction
from prodapp.predictions import history, service
from prodapp.predictions.service import Ask
from prodapp.predictions.versions import named_version
from tests.unit.predictions.conftest import RECORD

pytestmark = pytest.mark.parametrize("filled", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def none_yet(version: ModelVersion) -> None:
    with command() as session:
        session.execute(delete(Prediction))


def _tell(owner: Caller, version: ModelVersion, misses: Sequence[float]) -> None:
    """Predict, and tell that each prediction was too low by its miss."""
    records = [RECORD] * len(misses)
    made = service.predict(owner, named_version(owner, version.id), records, Ask("api")).rows
    values: dict[UUID, float] = {
        row["id"]: row["output"] + miss for row, miss in zip(made, misses, strict=True)
    }
    history.record_actuals(owner, version.machine_id, values)


def test_errors_over_time_tell_when_a_model_has_aged(
    client: FlaskClient, version: ModelVersion, headers: dict[str, str], owner: Caller
) -> None:
    url = f"/api/v1/machines/{version.machine_id}/errors"
    none = client.get(url, headers=headers).json
    assert (none["n_actuals"], none["steps"], none["change"]) == (0, [], None)
    _tell(owner, version, [-1.0, -2.0, -3.0] * 16 + [51.0, 52.0, 53.0] * 8)
    found = client.get(url, headers=headers).json
    assert (found["n_actuals"], found["change"], len(found["steps"])) == (72, "larger", 12)
    assert found["expected_abs_error"] == pytest.approx(version.metrics["mae"])
    first, last = found["steps"][0], found["steps"][-1]
    assert (first["mean_abs_error"], first["mean_error"]) == pytest.approx((2.0, 2.0))
    assert last["mean_error"] == pytest.approx(-52.0)
    assert last["low"] < last["mean_abs_error"] < last["high"]
    assert first["first_at"] <= first["last_at"] <= last["first_at"]


def test_errors_over_time_are_drawn_told_and_listed(
    client: FlaskClient, version: ModelVersion, owner: Caller
) -> None:
    user = auth.create_user(owner, username="looks", role="viewer")
    client.get(f"/app/sign-in/{auth.create_sign_in_link(user)}")
    path = f"/app/machines/{version.machine_id}/errors"
    assert "it takes ten" in client.get(path).text
    _tell(owner, version, [1.0] * 48 + [50.0] * 24)
    page = client.get(path).text
    assert "The newest errors are larger than those before." in page
    assert "held-out samples of the training of version 1 were missed by" in page
    assert "Upload newer data and train again" in page
    assert page.count("<circle") == 12
    assert page.count('<th scope="row"') == 12
    whole = client.get(f"/app/predictions?machine_id={version.machine_id}").text
    assert f'hx-get="{path}"' in whole


def test_probabilities_have_no_errors_of_this_kind(
    client: FlaskClient, version: ModelVersion, headers: dict[str, str], owner: Caller
) -> None:
    _tell(owner, version, [1.0] * 12)
    with command() as session:
        session.query(Prediction).update({"details": {"class": "bad"}})
    found = client.get(f"/api/v1/machines/{version.machine_id}/errors", headers=headers).json
    assert found["n_actuals"] == 0
