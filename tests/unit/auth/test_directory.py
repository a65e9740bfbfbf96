"""Signing in by a directory, a real one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from prodapp.auth import directory as ldap
from prodapp.auth import service as auth
from prodapp.config import load_settings
from prodapp.exceptions import ConfigurationError, Unavailable
from prodapp.extensions import db
from prodapp.identity_settings import LdapSettings
from prodapp.models import User
from tests.identity_services import Directory
from tests.pages import post_form

TOKEN = "/api/v1/auth/token"
PASSWORD = "correct horse battery"
ANALYSTS = "cn=analysts,ou=groups,dc=plant,dc=example"


def settings(directory: Directory, **environ: str) -> LdapSettings:
    found = load_settings(
        {"PRODAPP_PROFILE": "testing", "SECRET_KEY": "x" * 40, **directory.environ, **environ}
    ).identity.ldap
    assert found is not None
    return found


def test_who_the_directory_proves_comes_in_at_page_and_endpoint(
    make_app: Callable[..., Flask], directory: Directory
) -> None:
    app = make_app(**directory.environ, SIGN_IN_ROLES=f"{ANALYSTS}=analyst; night shift=viewer")
    with app.app_context():
        known = {"username": "Carla", "password": "carla in the directory"}
        assert app.test_client().post(TOKEN, json=known).status_code == 200
        client = app.test_client()
        assert post_form(client, "/app/sign-in", **known).location == "/app/machines/"
        assert client.get("/app/machines/").status_code == 200
        user = auth.user_by_name("carla")
        assert (user.role, user.email) == ("analyst", "carla@example.org")
        assert user.password_hash is None
        wrong = app.test_client().post(TOKEN, json=known | {"password": "x"})
        assert (wrong.status_code, wrong.json["code"]) == (401, "bad_credentials")
        nobody = app.test_client().post(TOKEN, json={"username": "nobody", "password": "x"})
        assert nobody.json["code"] == "bad_credentials"
        # Dario's only group is one that the directory names the members of.
        dario = {"username": "dario", "password": "dario in the directory"}
        assert app.test_client().post(TOKEN, json=dario).json["code"] == "no_role"
        db.session.remove()
        db.engine.dispose()


def test_groups_are_found_by_their_members(directory: Directory) -> None:
    known = settings(directory, LDAP_GROUP_FILTER="(&(objectClass=groupOfNames)(member={dn}))")
    person = ldap.find(known, "dario", "dario in the directory")
    assert person is not None
    assert "night shift" in person.groups
    assert person.subject == "11111111-aaaa-4bbb-8ccc-000000000002"


@pytest.mark.parametrize("secure", [True, False])
def test_the_certificate_has_to_be_one_that_we_know(directory: Directory, secure: bool) -> None:
    url = {"LDAP_URL": f"ldaps://127.0.0.1:{directory.sealed_port}"}
    trusted = {"LDAP_CA_FILE": str(directory.certificate)} if secure else {}
    known = settings(directory, **url, **trusted)
    if secure:
        assert ldap.find(known, "carla", "carla in the directory") is not None
    else:
        with pytest.raises(Unavailable):
            ldap.find(known, "carla", "carla in the directory")


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("carla", ""),  # what directories take for anonymous, and let in
        ("carla", "wrong"),
        ("", "carla in the directory"),
        ("*", "carla in the directory"),
        ("carl*", "carla in the directory"),
        ("x)(uid=carla", "carla in the directory"),
        ("carla)(&", "carla in the directory"),
        ("carla\x00", "carla in the directory"),
        ("carla\\2a", "carla in the directory"),
        ("twins@example.org", "one of two"),
        ("c" * 500, "x"),
    ],
)
def test_nothing_but_the_name_and_the_password_opens(
    directory: Directory, name: str, password: str
) -> None:
    assert ldap.find(settings(directory), name, password) is None


def test_a_directory_that_is_away_or_refuses_us_is_told_apart_from_a_wrong_password(
    make_app: Callable[..., Flask], directory: Directory
) -> None:
    for wrong in ({"LDAP_URL": "ldap://127.0.0.1:9"}, {"LDAP_BIND_PASSWORD": "x"}):
        with pytest.raises(Unavailable):
            ldap.find(settings(directory, **wrong), "carla", "carla in the directory")
    app = make_app(**{**directory.environ, "LDAP_URL": "ldap://127.0.0.1:9"})
    with app.app_context():
        auth.create_user(auth.system_caller(), username="boss", role="admin", password=PASSWORD)
        client = app.test_client()
        assert post_form(client, "/app/sign-in", username="x", password="y").status_code == 503
        # Whose password is kept here comes in all the same.
        assert post_form(client, "/app/sign-in", username="boss", password=PASSWORD).location
        assert db.session.query(User).count() == 1
        db.session.remove()
        db.engine.dispose()


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({"LDAP_URL": "ldap://directory.example"}, "ldaps://"),
        ({"LDAP_URL": "ldaps://directory.example"}, "LDAP_BASE_DN"),
        ({"LDAP_URL": "http://directory.example"}, "LDAP_URL"),
        ({"OIDC_ISSUER": "http://provider.example"}, "https://"),
        ({"OIDC_ISSUER": "https://provider.example"}, "OIDC_CLIENT_ID"),
        ({"LOCAL_SIGN_IN": "no"}, "nobody could sign in"),
        ({"SIGN_IN_ROLES": "plant=king"}, "SIGN_IN_ROLES"),
        ({"SIGN_IN_SITES": "plant"}, "SIGN_IN_SITES"),
        ({"SIGN_IN_LINK": "always"}, "SIGN_IN_LINK"),
        ({"SECOND_FACTOR_ROLES": "king"}, "SECOND_FACTOR_ROLES"),
    ],
)
def test_what_cannot_work_stops_the_start(environ: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        load_settings({"PRODAPP_PROFILE": "testing", "SECRET_KEY": "x" * 40, **environ})
