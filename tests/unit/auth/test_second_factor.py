"""The second step of signing in."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import timedelta

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from prodapp.auth import second_factor, users
from prodapp.auth import service as auth
from prodapp.caller import Caller
from prodapp.exceptions import InvalidInput, NotSignedIn
from prodapp.extensions import command, db
from prodapp.models import AuditEvent, SecondFactor, User
from tests.pages import csrf_token, post_form

PASSWORD = "correct horse battery"
PAGE = "/app/account/second-factor"
MACHINES = "/app/machines/"
TOKEN = "/api/v1/auth/token"


@pytest.fixture
def maria(caller: Caller) -> User:
    return auth.create_user(caller, username="Maria", role="operator", password=PASSWORD)


@pytest.fixture
def me(maria: User) -> Caller:
    return Caller(maria.site_id, maria.role, maria.username, "session", maria.id)


_steps: dict[str, int] = {}


def code(secret: str, *, later: int = 0) -> str:
    """Of the half minute in which this was first asked for, or so many later: clocks go on."""
    step = _steps.setdefault(secret, int(time.time() // 30))
    return pyotp.TOTP(secret).generate_otp(step + later)


def enrol(me: Caller) -> tuple[str, list[str]]:
    """``(secret, recovery codes)``; the code of the present half minute is spent."""
    second_factor.begin(me, password=PASSWORD)
    user = db.session.get_one(User, me.user_id)
    enrolment = second_factor.enrolment(user)
    assert enrolment is not None
    return enrolment.secret, second_factor.confirm(me, code(enrolment.secret))


def actions() -> list[str]:
    return list(db.session.scalars(select(AuditEvent.action).order_by(AuditEvent.occurred_at)))


def test_it_is_set_up_by_photograph_and_asked_for_from_then_on(app: Flask, maria: User) -> None:
    client = app.test_client()
    post_form(client, "/app/sign-in", username="maria", password=PASSWORD)
    form = {"csrf_token": csrf_token(client, PAGE)}
    assert client.post(PAGE, data={**form, "password": "wrong"}).status_code == 422
    assert client.post(PAGE, data={**form, "password": PASSWORD}).status_code == 302
    page = client.get(PAGE).text
    assert "data:image/svg+xml" in page
    found = re.search(r'id="factor-key"\s+value="([A-Z2-7]{32})"', page)
    assert found
    assert client.post(f"{PAGE}/confirm", data={**form, "code": "000000"}).status_code == 422
    shown = client.post(f"{PAGE}/confirm", data={**form, "code": code(found[1])})
    codes = re.findall(r"<code>([a-z2-9-]{29})</code>", shown.text)
    assert len(set(codes)) == 10

    other = app.test_client()
    sent = post_form(other, "/app/sign-in", username="maria", password=PASSWORD, next=MACHINES)
    assert sent.location == "/app/second-step"
    assert other.get(MACHINES).status_code == 302
    form = {"csrf_token": csrf_token(other, "/app/second-step")}
    wrong = other.post("/app/second-step", data={**form, "code": "123456x"})
    assert wrong.status_code == 401
    entered = other.post("/app/second-step", data={**form, "code": code(found[1], later=1)})
    assert entered.location == MACHINES
    assert other.get(MACHINES).status_code == 200
    assert {"second_factor.added", "session.opened"} <= set(actions())


def test_links_ask_for_it_too(app: Flask, client: FlaskClient, maria: User, me: Caller) -> None:
    enrol(me)
    answer = client.get(f"/app/sign-in/{auth.create_sign_in_link(maria)}")
    assert answer.location == "/app/second-step"
    assert client.get(MACHINES).status_code == 302


def test_a_code_is_taken_once(maria: User, me: Caller) -> None:
    secret, codes = enrol(me)
    with pytest.raises(NotSignedIn) as caught:
        second_factor.verify(maria, code(secret))  # the one that switched it on
    assert caught.value.error_code == "bad_code"
    second_factor.verify(maria, code(secret, later=1))
    for spent in (code(secret, later=1), code(secret), code(secret, later=-1)):
        with pytest.raises(NotSignedIn):
            second_factor.verify(maria, spent)
    second_factor.verify(maria, codes[3].upper().replace("-", " "))
    with pytest.raises(NotSignedIn):
        second_factor.verify(maria, codes[3])
    assert second_factor.n_recovery_codes(maria.id) == 9
    assert actions().count("recovery_code.used") == 1


def test_guessing_has_to_pause(any_app: Flask, maria: User, me: Caller) -> None:
    secret, _codes = enrol(me)
    for _ in range(second_factor.MAX_FAILURES):
        with pytest.raises(NotSignedIn):
            second_factor.verify(maria, "000000")
    with pytest.raises(NotSignedIn) as caught:
        second_factor.verify(maria, code(secret, later=1))
    assert caught.value.error_code == "too_many_codes"
    with command() as session:
        earlier = SecondFactor.failed_at
        row = session.scalars(select(SecondFactor)).one()
        assert row.failed_at is not None
        past = row.failed_at - second_factor.PAUSE - timedelta(seconds=1)
        session.execute(update(SecondFactor).values({earlier: past}))
    second_factor.verify(maria, code(secret, later=1))


def test_the_half_open_door_shuts_when_the_password_changes(
    app: Flask, maria: User, me: Caller
) -> None:
    secret, _codes = enrol(me)
    client = app.test_client()
    post_form(client, "/app/sign-in", username="maria", password=PASSWORD)
    form = {"csrf_token": csrf_token(client, "/app/second-step")}
    with command() as session:
        session.get_one(User, maria.id).password_hash = "another"
    answer = client.post("/app/second-step", data={**form, "code": code(secret, later=1)})
    assert answer.location == "/app/sign-in"


def test_programs_send_the_code_with_the_password(
    client: FlaskClient, maria: User, me: Caller
) -> None:
    secret, _codes = enrol(me)
    known = {"username": "maria", "password": PASSWORD}
    bad = client.post(TOKEN, json=known | {"password": "x"})
    assert bad.json["code"] == "bad_credentials"
    assert client.post(TOKEN, json=known).json["code"] == "code_needed"
    assert client.post(TOKEN, json=known | {"code": "000000"}).json["code"] == "bad_code"
    right = known | {"code": code(secret, later=1)}
    assert client.post(TOKEN, json=right).status_code == 200
    assert client.post(TOKEN, json=right).json["code"] == "bad_code"


def test_a_role_may_need_it(make_app: Callable[..., Flask]) -> None:
    app = make_app(SECOND_FACTOR_ROLES="admin,analyst")
    with app.app_context():
        caller = auth.system_caller()
        boss = auth.create_user(caller, username="boss", role="admin", password=PASSWORD)
        auth.create_user(caller, username="op", role="operator", password=PASSWORD)
        me = Caller(boss.site_id, "admin", "boss", "session", boss.id)
        client = app.test_client()
        post_form(client, "/app/sign-in", username="boss", password=PASSWORD)
        for path in (MACHINES, "/app/users/", "/app/account/"):
            assert client.get(path).location == PAGE
        assert client.get(MACHINES, headers={"HX-Request": "1"}).headers["HX-Redirect"] == PAGE
        assert client.get("/api/v1/machines").json["code"] == "second_factor_needed"
        refused = client.post(TOKEN, json={"username": "boss", "password": PASSWORD})
        assert refused.json["code"] == "second_factor_needed"
        assert client.post(TOKEN, json={"username": "op", "password": PASSWORD}).status_code == 200
        secret, _codes = enrol(me)
        assert client.get(MACHINES).status_code == 200
        form = {"csrf_token": csrf_token(client, PAGE), "code": code(secret, later=1)}
        assert client.post(f"{PAGE}/remove", data=form).status_code == 422
        db.session.remove()
        db.engine.dispose()


def test_it_is_removed_with_a_code_and_its_recovery_codes_renewed(
    app: Flask, maria: User, me: Caller
) -> None:
    secret, codes = enrol(me)
    client = app.test_client()
    post_form(client, "/app/sign-in", username="maria", password=PASSWORD)
    form = {"csrf_token": csrf_token(client, "/app/second-step")}
    client.post("/app/second-step", data={**form, "code": codes[0]})
    form = {"csrf_token": csrf_token(client, PAGE)}
    renewed = client.post(f"{PAGE}/codes", data={**form, "code": codes[1]})
    assert len(re.findall(r"<code>[a-z2-9-]{29}</code>", renewed.text)) == 10
    assert client.post(f"{PAGE}/remove", data={**form, "code": codes[2]}).status_code == 422
    gone = client.post(f"{PAGE}/remove", data={**form, "code": code(secret, later=1)})
    assert gone.location == "/app/account/"
    assert post_form(app.test_client(), "/app/sign-in", username="maria", password=PASSWORD)
    db.session.expire_all()
    assert db.session.get_one(User, maria.id).second_factor_at is None


@pytest.mark.parametrize("way", ["page", "rest", "command"])
def test_administrators_reset_it_and_it_is_on_record(
    app: Flask,
    maria: User,
    me: Caller,
    caller: Caller,
    bearer: Callable[..., dict[str, str]],
    sign_in: Callable[..., FlaskClient],
    way: str,
) -> None:
    enrol(me)
    if way == "rest":
        path = f"/api/v1/users/{maria.id}/second-factor"
        assert app.test_client().delete(path, headers=bearer("admin")).status_code == 204
    elif way == "command":
        result = app.test_cli_runner().invoke(args=["user", "reset-second-factor", "maria"])
        assert result.exit_code == 0, result.output
    else:
        client = sign_in("admin")
        page = f"/app/users/{maria.id}"
        assert "Reset the second step" in client.get(page).text
        form = {"csrf_token": csrf_token(client, page)}
        assert client.post(f"{page}/second-factor/reset", data=form).status_code == 302
    db.session.expire_all()
    assert users.user_of(caller, maria.id).second_factor_at is None
    assert second_factor.n_recovery_codes(maria.id) == 0
    assert "second_factor.reset" in actions()


def test_the_secret_is_stored_encrypted_and_only_for_this_installation(
    maria: User, me: Caller
) -> None:
    secret, codes = enrol(me)
    row = db.session.scalars(select(SecondFactor)).one()
    assert secret not in row.secret
    stored = str(db.session.connection().exec_driver_sql("SELECT * FROM recovery_codes").all())
    assert not any(c in stored or c.replace("-", "") in stored for c in codes)
    from prodapp.auth.secrets import unseal

    assert unseal(row.secret, secret_key="of another installation", purpose="second factor") is None


def test_it_is_not_begun_without_the_password(me: Caller) -> None:
    with pytest.raises(InvalidInput):
        second_factor.begin(me, password="not it")
