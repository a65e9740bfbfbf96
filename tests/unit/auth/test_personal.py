"""Personal data: handed over and erased."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import inspect, select

from prodapp.auth import letters, personal, sessions, users
from prodapp.auth import service as auth
from prodapp.caller import Caller
from prodapp.exceptions import Conflict
from prodapp.extensions import command, db, settings_of
from prodapp.machines import service as machines
from prodapp.models import AuditEvent, ExternalIdentity, Prediction, User
from prodapp.webhooks import service as webhooks
from tests.pages import csrf_token

NAME, EMAIL, ADDRESS = "Maria Silva", "maria.silva@example.org", "203.0.113.77"
PASSWORD = "correct horse battery"
TRACES = (NAME.lower(), EMAIL, ADDRESS, "telltale browser", "subject-of-maria")


@pytest.fixture
def maria(any_app: Flask, caller: Caller) -> User:
    """Somebody who has left traces wherever there may be some."""
    listed = replace(settings_of(any_app), callback_allowed_hosts=("their-house",))
    any_app.extensions["prodapp.settings"] = listed
    user = auth.create_user(caller, username=NAME, role="operator", password=PASSWORD, email=EMAIL)
    sessions.open_session(user, address=ADDRESS, user_agent="telltale browser")
    auth.create_key(caller, username=NAME, name="maria silva's script")
    letters.request_reset(EMAIL, locale="en")
    letters.request_reset(NAME, locale="en")
    users.change_user(caller, user.id, users.UserChange(email="m." + EMAIL))
    users.change_user(caller, user.id, users.UserChange(email=EMAIL))
    me = Caller(user.site_id, "operator", NAME, "session", user.id, ADDRESS)
    machines.create_machine(me, name="Press 01")
    webhooks.create_webhook(me, name="x", url="http://their-house/", events=["run.failed"])
    row = ExternalIdentity(user_id=user.id, issuer="https://p.example", subject="subject-of-maria")
    with command() as session:
        session.add_all([row, _prediction(user)])
    return user


def _prediction(user: User) -> Prediction:
    return Prediction(
        site_id=user.site_id,
        machine_id=1,
        version_id=1,
        user_id=user.id,
        actor=NAME,
        channel="page",
        inputs={},
        output=1.0,
        level=0.9,
        is_new=False,
        details={},
        duration_ms=1.0,
        actual=2.0,
        actual_by=NAME,
    )


def everything() -> str:
    """All rows of all tables, as text."""
    with db.engine.connect() as connection:
        return str(
            [
                connection.exec_driver_sql(f'SELECT * FROM "{name}"').all()  # noqa: S608
                for name in inspect(db.engine).get_table_names()
            ]
        ).lower()


def test_all_that_is_stored_is_handed_over(maria: User) -> None:
    told = json.dumps(personal.personal_data(maria)).lower()
    assert all(trace in told for trace in TRACES)
    assert "maria silva's script" in told
    assert "machine.created" in told
    assert [row["machine_id"] for row in json.loads(told)["predictions"]] == [1]
    others = {row["table"] for row in json.loads(told)["other_rows"]}
    assert others == {"machines", "webhooks"}
    assert str(maria.password_hash).lower() not in told
    assert "token_hash" not in told


def test_nothing_but_a_pseudonym_is_left(maria: User, caller: Caller) -> None:
    assert all(trace in everything() for trace in TRACES)
    erased = personal.erase(caller, maria.id)
    left = everything()
    assert [trace for trace in TRACES if trace in left] == []
    assert (erased.username, erased.is_active) == (f"erased-{maria.id}", False)
    db.session.expire_all()
    acts = db.session.scalars(select(AuditEvent).where(AuditEvent.user_id == maria.id)).all()
    assert {event.actor for event in acts} == {f"erased-{maria.id}"}
    assert "machine.created" in {event.action for event in acts}
    prediction = db.session.scalars(select(Prediction)).one()
    assert (prediction.actor, prediction.actual_by) == (f"erased-{maria.id}",) * 2
    assert prediction.user_id == maria.id
    assert "user.erased" in db.session.scalars(select(AuditEvent.action)).all()


def test_every_place_of_names_is_known_to_the_erasure() -> None:
    places = {str(column) for column in personal._columns_of_names()}
    assert places >= {
        "predictions.actor",
        "predictions.actual_by",
        "prediction_batches.actor",
        "champion_changes.changed_by",
        "alarm_acceptances.accepted_by",
    }
    assert "datasets.created_by_id" not in places


def test_every_row_that_bears_a_users_number_is_handed_over() -> None:
    places = {str(column) for column in personal._columns_of_users()}
    assert places >= {
        "alarm_acceptances.accepted_by_id",
        "champion_changes.user_id",
        "datasets.created_by_id",
        "machines.created_by_id",
        "training_runs.created_by_id",
        "webhooks.created_by_id",
    }
    assert not {place for place in places if place.startswith("predict")}


def test_who_was_erased_does_not_come_back(maria: User, caller: Caller) -> None:
    personal.erase(caller, maria.id)
    personal.erase(caller, maria.id)
    with pytest.raises(Conflict):
        users.change_user(caller, maria.id, users.UserChange(is_active=True))
    again = auth.create_user(caller, username=NAME, role="viewer", email=EMAIL)
    assert again.id != maria.id


def test_nobody_erases_themselves_or_the_last_administrator(app: Flask, caller: Caller) -> None:
    boss = auth.create_user(caller, username="boss", role="admin")
    me = Caller(boss.site_id, "admin", "boss", "session", boss.id)
    for who in (me, caller):
        with pytest.raises(Conflict):
            personal.erase(who, boss.id)
    assert auth.user_by_name("boss").is_active


def test_everybody_takes_their_own_along(
    app: Flask, client: FlaskClient, bearer: Callable[..., dict[str, str]], sign_in: Callable
) -> None:
    headers = bearer("viewer")
    told = client.get("/api/v1/auth/me/personal-data", headers=headers).json
    assert told["account"]["username"] == "viewer-user"
    page = sign_in("viewer")
    answer = page.get("/app/account/personal-data.json")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.json["account"]["username"] == "viewer-at-page"


def test_administrators_hand_over_and_erase_on_the_page_by_rest_and_command(
    app: Flask, client: FlaskClient, bearer: Callable[..., dict[str, str]], caller: Caller
) -> None:
    headers = bearer("admin")
    made = [auth.create_user(caller, username=f"u{n}", role="viewer") for n in range(3)]
    path = f"/api/v1/users/{made[0].id}"
    assert client.get(f"{path}/personal-data", headers=headers).json["account"]["username"] == "u0"
    assert client.delete(path, headers=headers).status_code == 204
    assert client.get(path, headers=headers).json["username"] == f"erased-{made[0].id}"

    boss = auth.create_user(caller, username="boss", role="admin")
    page = app.test_client()
    page.get(f"/app/sign-in/{auth.create_sign_in_link(boss)}")
    where = f"/app/users/{made[1].id}"
    assert page.get(f"{where}/personal-data.json").json["account"]["username"] == "u1"
    form = {"csrf_token": csrf_token(page, where)}
    assert page.post(f"{where}/erase", data={**form, "username": "u2"}).status_code == 422
    assert page.post(f"{where}/erase", data={**form, "username": "u1"}).status_code == 302
    assert "Erased." in page.get(where).text

    run = app.test_cli_runner().invoke
    assert json.loads(run(args=["user", "export", "u2"]).stdout)["account"]["username"] == "u2"
    assert run(args=["user", "erase", "u2"], input="n\n").exit_code == 1
    assert f"erased-{made[2].id}" in run(args=["user", "erase", "u2", "--yes"]).stdout
