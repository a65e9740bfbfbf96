"""What-ifs by REST and on their page: answers to suppositions, of which nothing is kept."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, func, select

from prodapp.auth import service as auth
from prodapp.caller import Caller
from prodapp.extensions import command, db
from prodapp.ml.serving.typical import typical_row
from prodapp.models import MachineVariable, ModelVersion, Prediction
from prodapp.predictions.predictors import predictor_of
from prodapp.predictions.versions import named_version
from tests.pages import csrf_token
from tests.unit.predictions.conftest import RECORD

pytestmark = pytest.mark.parametrize("filled", ["sqlite"], indirect=True)
Headers = dict[str, str]


@pytest.fixture
def page(owner: Caller, client: FlaskClient, version: ModelVersion) -> str:
    """The page's address, its caller signed in."""
    user = auth.create_user(owner, username="operator-at-page", role="operator")
    client.get(f"/app/sign-in/{auth.create_sign_in_link(user)}")
    return f"/app/versions/{version.id}/what-if"


def _ask(client: FlaskClient, version: ModelVersion, headers: Headers, **body: Any) -> Any:
    url = f"/api/v1/versions/{version.id}/what-if"
    return client.post(url, json=body, headers=headers)


def _n_kept() -> int:
    return db.session.scalar(select(func.count()).select_from(Prediction)) or 0


def _say_levers(version: ModelVersion, *names: str) -> None:
    with command() as session:
        session.execute(delete(MachineVariable))
        for position, name in enumerate(names):
            row = {"machine_id": version.machine_id, "position": position, "name": name}
            session.add(MachineVariable(**row, role="lever"))


def test_an_answer_is_that_of_a_prediction_and_is_not_kept(
    client: FlaskClient, version: ModelVersion, headers: Headers, ask: Any
) -> None:
    kept = ask(heat=1.5)
    before = _n_kept()
    found = _ask(client, version, headers, record=RECORD, changes={"heat": 1.5}).json
    assert found["after"]["output"] == kept["output"]
    assert found["after"]["interval"] == kept["interval"]
    assert found["change"] == pytest.approx(found["after"]["output"] - found["before"]["output"])
    assert found["change"] > 1  # the truth is 5 for each unit of heat
    assert (found["source"], found["record"]["heat"]) == ("given", 1.5)
    total = sum(item["contribution"] for item in found["contributions"]["values"])
    assert found["contributions"]["base"] + total == pytest.approx(kept["output"])
    assert _n_kept() == before


def test_without_a_row_the_most_usual_one_that_was_run_is_held(
    client: FlaskClient, version: ModelVersion, headers: Headers
) -> None:
    url = f"/api/v1/machines/{version.machine_id}/what-if"
    found = client.post(url, json={}, headers=headers).json
    assert (found["source"], found["change"]) == ("typical", 0)
    assert found["held"] == found["record"]
    assert not found["before"]["is_new"]
    predictor = predictor_of(named_version(auth.system_caller(name="tester"), version.id))
    held = [found["held"][variable.name] for variable in predictor.variables]
    assert held in [list(row) for row in predictor.reference.rows]
    assert held == typical_row(predictor.reference)
    assert abs(found["held"]["heat"]) < 1


def test_a_prediction_of_the_history_can_be_held(
    client: FlaskClient, version: ModelVersion, headers: Headers, ask: Any
) -> None:
    kept = ask(heat=-1.0)
    found = _ask(client, version, headers, prediction_id=kept["id"], changes={"speed": 0.4}).json
    assert (found["source"], found["held"]) == ("prediction", kept["inputs"])
    assert found["record"] == kept["inputs"] | {"speed": 0.4}
    missing = _ask(client, version, headers, prediction_id=str(UUID(int=7)))
    assert missing.status_code == 404
    both = _ask(client, version, headers, prediction_id=kept["id"], record=RECORD)
    assert both.status_code == 422


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"heat": 99.0}, "“heat” was never run at 99"),
        ({"heat": "hot"}, "“heat” was never run at hot"),
        ({"heat": True}, "“heat” was never run at True"),
        ({"shift": "evening"}, "Known are: “"),
        ({"shift": 3}, "Known are: “"),
        ({"nothing": 1}, "“nothing” cannot be moved here"),
    ],
)
def test_what_was_never_run_is_refused_with_what_was(
    client: FlaskClient,
    version: ModelVersion,
    headers: Headers,
    changes: dict[str, Any],
    words: str,
) -> None:
    refused = _ask(client, version, headers, changes=changes)
    assert refused.status_code == 422
    problem = refused.json["errors"][0]
    assert words in problem["detail"]
    assert problem["pointer"] == f"/changes/{next(iter(changes))}"


def test_only_levers_move_once_people_said_which_they_are(
    client: FlaskClient, version: ModelVersion, headers: Headers
) -> None:
    free = _ask(client, version, headers).json
    assert (free["levers_are_declared"], len(free["levers"])) == (False, 4)
    _say_levers(version, "speed")
    bound = _ask(client, version, headers, changes={"speed": 0.1}).json
    assert (bound["levers_are_declared"], bound["levers"]) == (True, ["speed"])
    assert _ask(client, version, headers, changes={"heat": 0.1}).status_code == 422


def test_the_page_shows_levers_and_answer_and_holds_its_state_in_the_address(
    client: FlaskClient, version: ModelVersion, page: str
) -> None:
    first = client.get(page).text
    assert first.count('type="range"') == 3
    assert "Nobody said which variables operators can set" in first
    assert first.count("bar-track") == 4
    before = _n_kept()
    moved = client.get(f"{page}/answer?v0=1.5&v2=")
    assert moved.headers["HX-Replace-Url"] == f"{page}?v0=1.5"
    assert "With these settings yield is predicted at" in moved.text
    same = client.get(f"{page}?v0=1.5").text
    assert re.findall(r"tile-value\">[^<]*", same) == re.findall(r"tile-value\">[^<]*", moved.text)
    assert _n_kept() == before


def test_values_sent_back_as_they_were_shown_change_nothing(client: FlaskClient, page: str) -> None:
    shown = dict(re.findall(r'name="(v\d)"[^>]*?value="([^"]*)"', client.get(page).text, re.S))
    unmoved = client.get(f"{page}/answer", query_string=shown)
    assert unmoved.headers["HX-Replace-Url"] == page
    assert "As it was held" in unmoved.text


def test_the_page_says_what_is_wrong_beside_the_levers(client: FlaskClient, page: str) -> None:
    wrong = client.get(f"{page}/answer?v0=99")
    assert "“heat” was never run at 99. Choose a value from" in wrong.text
    assert client.get(f"{page}?v0=99").status_code == 200


def test_a_what_if_is_kept_where_a_person_says_so(
    client: FlaskClient, version: ModelVersion, page: str
) -> None:
    before = _n_kept()
    token = csrf_token(client, page)
    kept = client.post(page, data={"csrf_token": token, "v0": "1.5"})
    assert kept.status_code == 302
    assert _n_kept() == before + 1
    shown = client.get(kept.headers["Location"]).text
    assert f"/app/versions/{version.id}/what-if?from=" in shown
