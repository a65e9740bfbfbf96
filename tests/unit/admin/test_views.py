from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from prodapp.auth import service as auth
from prodapp.caller import Caller
from prodapp.extensions import db
from prodapp.machines import service as machines
from prodapp.models import User
from prodapp.settings_report import report
from tests.conftest import ROOT, SECRET
from tests.pages import csrf_token

PASSWORD = "seven blue turbines hum"


@pytest.fixture
def page(sign_in: Callable[..., FlaskClient]) -> FlaskClient:
    """A browser of an administrator."""
    return sign_in("admin")


def send(page: FlaskClient, path: str, **form: object):
    return page.post(path, data={"csrf_token": csrf_token(page, "/app/account/"), **form})


def stored(username: str) -> User:
    """The user as the database has them by now."""
    db.session.expire_all()
    return auth.user_by_name(username)


def test_a_user_is_invited_and_comes_in_by_the_link(app: Flask, page: FlaskClient) -> None:
    answer = send(page, "/app/users/", username="Ana", role="analyst", email="")
    assert "not shown again" in answer.text
    path = re.search(r"8001(/app/password/[^\"]+)", answer.text)[1]
    guest = app.test_client()
    assert "Your user name is Ana." in guest.get(path).text
    form = {"csrf_token": csrf_token(guest, path), "new": PASSWORD, "again": "another"}
    refused = guest.post(path, data=form)
    assert (refused.status_code, "The two passwords differ" in refused.text) == (422, True)
    assert guest.post(path, data=form | {"again": PASSWORD}).location == "/app/machines/"
    assert guest.get("/app/machines/").status_code == 200
    assert auth.authenticate("ana", PASSWORD).role == "analyst"
    assert guest.get(path).status_code == 401


def test_wrong_entries_come_back_with_the_reason(page: FlaskClient) -> None:
    answer = send(page, "/app/users/", username="admin-at-page", role="viewer", email="a@b.c")
    assert answer.status_code == 422
    assert "already a user named" in answer.text
    assert 'value="a@b.c"' in answer.text


def test_roles_change_and_lock_outs_happen_on_a_users_page(
    page: FlaskClient, caller: Caller
) -> None:
    user = auth.create_user(caller, username="ana", role="viewer")
    path = f"/app/users/{user.id}"
    assert send(page, path, role="operator", email="ana@x.org").location == path
    assert stored("ana").role == "operator"
    assert "not shown again" in send(page, f"{path}/reset").text
    send(page, f"{path}/sign-out")
    send(page, f"{path}/activation", is_active="no")
    assert not stored("ana").is_active
    assert "Let in again" in page.get(path).text
    send(page, f"{path}/activation", is_active="yes")
    assert stored("ana").is_active
    listed = page.get("/app/users/?q=x.org&role=operator&state=active").text
    assert path in listed
    assert path not in page.get("/app/users/?state=inactive").text


def test_the_last_administrator_is_told_why_they_stay(page: FlaskClient) -> None:
    me = auth.user_by_name("admin-at-page")
    answer = send(page, f"/app/users/{me.id}/activation", is_active="no")
    assert (answer.status_code, "is the last administrator" in answer.text) == (422, True)


def test_a_key_of_a_user_is_made_shown_once_and_revoked(page: FlaskClient, caller: Caller) -> None:
    user = auth.create_user(caller, username="ana", role="viewer")
    path = f"/app/keys/users/{user.id}"
    assert send(page, path, name="", days="30").status_code == 422
    assert send(page, path, name="x", days="lots").status_code == 422
    made = send(page, path, name="line 3", role="viewer", days="30")
    secret = re.search(r'value="(pa_[^"]+)"', made.text)[1]
    key_id = auth.key_of_secret(secret).id
    listed = page.get(f"/app/keys/?user_id={user.id}")
    assert "line 3" in listed.text
    assert secret not in listed.text
    send(page, f"/app/keys/{key_id}/revoke")
    assert auth.key_of_secret(secret) is None
    assert "line 3" in page.get("/app/keys/?state=revoked").text


def test_sites_are_made_and_listed(page: FlaskClient) -> None:
    assert send(page, "/app/sites/", name="South").location == "/app/sites/"
    assert "South" in page.get("/app/sites/").text
    assert send(page, "/app/sites/", name="south").status_code == 422


def test_the_audit_trail_is_filtered_and_exported_without_formulas(
    page: FlaskClient, caller: Caller
) -> None:
    machines.create_machine(caller, name="=1+1")
    listed = page.get("/app/audit/?action=machine&since=2000-01-01&until=nonsense")
    assert "=1+1" in listed.text
    assert "session.opened" not in listed.text
    file = page.get("/app/audit/audit.csv?action=machine", buffered=True)
    assert file.headers["Content-Disposition"] == "attachment; filename=audit.csv"
    rows = list(csv.DictReader(io.StringIO(file.text.removeprefix("\ufeff"))))
    assert [row["action"] for row in rows] == ["machine.created"]
    assert rows[0]["after"] == '{"name": "=1+1"}'
    hostile = Caller(caller.site_id, "admin", "=HYPERLINK(1)", "cli")
    machines.create_machine(hostile, name="m")
    assert "'=HYPERLINK(1)" in page.get("/app/audit/audit.csv", buffered=True).text


def test_a_long_history_has_older_pages(page: FlaskClient, caller: Caller) -> None:
    for n in range(51):
        machines.create_machine(caller, name=f"m{n}")
    first = page.get("/app/audit/?action=machine").text
    older = re.search(r'href="(/app/audit/\?[^"]*cursor=[^"]+)"', first)[1].replace("&amp;", "&")
    assert "m0" in page.get(older).text
    assert "m50" not in page.get(older).text


@pytest.mark.parametrize("role", ["viewer", "operator", "analyst"])
def test_others_do_not_see_administration(sign_in: Callable[..., FlaskClient], role: str) -> None:
    page = sign_in(role)
    assert 'href="/app/users/"' not in page.get("/app/machines/").text
    for path in ("users/", "keys/", "sites/", "audit/", "audit/audit.csv"):
        assert page.get(f"/app/{path}").status_code == 403


def test_settings_are_shown_with_their_sources_and_without_secrets(
    make_app: Callable[..., Flask],
) -> None:
    app = make_app(SMTP_URL="smtps://post:hunter2@mail.example", CALLBACK_ALLOWED_HOSTS="a.example")
    with app.app_context():
        caller = auth.system_caller()
        boss = auth.create_user(caller, username="boss", role="admin")
        far = auth.create_user(caller, username="far", role="admin", site="plant 2")
        client = app.test_client()
        client.get(f"/app/sign-in/{auth.create_sign_in_link(boss)}")
        page = client.get("/app/settings/").text
        assert "smtps://post:***@mail.example" in page
        assert "hunter2" not in page
        assert "a.example" in page
        rows = re.findall(r"<code>([A-Z_]+)</code>", page)
        assert {"SECRET_KEY", "DATABASE_URL", "LOCAL_SIGN_IN", "RUN_TIMEOUT"} <= set(rows)
        assert SECRET not in page
        other = app.test_client()
        other.get(f"/app/sign-in/{auth.create_sign_in_link(far)}")
        assert other.get("/app/settings/").status_code == 403
        assert "/app/settings/" not in other.get("/app/users/").text
        db.session.remove()
        db.engine.dispose()


def test_every_variable_of_the_example_is_shown(make_app: Callable[..., Flask]) -> None:
    """A setting that is read and not shown, or shown and not told of, is found here."""
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    told = set(re.findall(r"^# ([A-Z][A-Z_]+)=", example, re.MULTILINE))
    known = {
        "OIDC_ISSUER": "http://127.0.0.1:1",
        "OIDC_CLIENT_ID": "x",
        "LDAP_URL": "ldap://127.0.0.1:1",
        "LDAP_BASE_DN": "dc=x",
    }
    settings = make_app(**known).extensions["prodapp.settings"]
    of_libraries = {name for name in told if name.startswith(("AWS_", "FLASK_", "OTEL_"))}
    assert {row.name for row in report(settings)} == told - of_libraries
