from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from prodapp.auth import service as auth
from prodapp.caller import Caller
from prodapp.extensions import command
from prodapp.models import ModelVersion
from tests.conftest import IsolatedClient
from tests.pages import csrf_token

# The services are tested on both databases.
pytestmark = pytest.mark.parametrize("filled", ["sqlite"], indirect=True)
Versions = list[ModelVersion]
SignIn = Callable[[str], FlaskClient]


def send(client: FlaskClient, page: str, act: str, **form: str) -> TestResponse:
    """Send one of the forms of a page."""
    return client.post(f"{page}/{act}", data={"csrf_token": csrf_token(client, page), **form})


@pytest.fixture
def enter(filled: Flask, owner: Caller) -> SignIn:
    """A function that signs somebody of a role in."""

    def sign_in(role: str) -> FlaskClient:
        filled.test_client_class = IsolatedClient
        client = filled.test_client()
        user = auth.create_user(owner, username=f"{role}-x", role=role)
        client.get(f"/app/sign-in/{auth.create_sign_in_link(user)}")
        return client

    return sign_in


def test_a_person_promotes_and_goes_back_by_page(versions: Versions, enter: SignIn) -> None:
    client = enter("analyst")
    first = versions[0]
    listed = f"/app/machines/{first.machine_id}/versions"
    shown = client.get(listed).text
    assert (
        shown.index("Version 3 for") < shown.index("Version 2 for") < shown.index("Version 1 for")
    )
    assert "Go back to version 2" in shown
    page = f"/app/versions/{first.id}"
    assert "not the one in use" in client.get(page).text
    answer = send(client, page, "promote", reason="better <on> the line")
    assert "This version is in use now." in client.get(answer.location).text
    shown = client.get(listed).text
    assert "“better &lt;on&gt; the line”" in shown
    assert "Go back to version 3" in shown
    answer = send(client, page, "promote")
    assert "in use already" in client.get(answer.location).text
    send(client, listed, "rollback")
    assert "Gone back to" in client.get(listed).text


def test_archiving_and_notes_by_page(versions: Versions, enter: SignIn) -> None:
    client = enter("analyst")
    page = f"/app/versions/{versions[1].id}"
    listed = f"/app/machines/{versions[1].machine_id}/versions"
    send(client, page, "notes", notes="one <b>\ntwo")
    assert "one &lt;b&gt;\ntwo" in client.get(page).text
    send(client, page, "archive", archived="yes")
    assert "Archived on" in client.get(page).text
    assert "Version 2 for" not in client.get(listed).text
    assert "Version 2 for" in client.get(f"{listed}?archived=yes").text
    send(client, page, "archive", archived="no")
    assert "Version 2 for" in client.get(listed).text


def test_a_viewer_sees_versions_and_no_buttons(versions: Versions, enter: SignIn) -> None:
    client = enter("viewer")
    page = client.get(f"/app/versions/{versions[0].id}").text
    assert "Bring it into use" not in page
    assert "Archive it" not in page
    shown = client.get(f"/app/machines/{versions[0].machine_id}/versions").text
    assert "Go back to version" not in shown


def test_the_rule_for_new_versions_is_changed_by_page(versions: Versions, enter: SignIn) -> None:
    client = enter("analyst")
    listed = f"/app/machines/{versions[0].machine_id}/versions"
    assert "<p>Always: the newest version is used.</p>" in client.get(listed).text
    send(client, listed, "rule", rule="better")
    shown = client.get(listed).text
    assert "<p>If it is better than the one in use, beyond the noise.</p>" in shown
    assert '<option value="better" selected>' in shown
    send(client, listed, "rule", rule="luck")
    assert "Use one of newest, better, manual." in client.get(listed).text
    send(client, listed, "rule", rule="")
    assert "<p>Always: the newest version is used.</p>" in client.get(listed).text


def test_the_model_file_is_checked_and_trained_anew_by_page(
    versions: Versions, enter: SignIn
) -> None:
    client = enter("operator")
    with command() as session:
        versions[1].artifact_signature = versions[0].artifact_signature
        session.add(versions[1])
    for version, told in ((versions[0], "and opens."), (versions[1], "does not fit")):
        page = f"/app/versions/{version.id}"
        answer = send(client, page, "check")
        assert told in client.get(answer.location).text
    assert send(client, page, "retrain").location.startswith("/app/runs/")


@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_two_versions_are_compared_on_a_page_whose_address_names_both(
    versions: Versions, enter: SignIn, language: str
) -> None:
    client = enter("viewer")
    first, second, third = versions
    url = f"/app/machines/{first.machine_id}/compare"
    told = {"Accept-Language": language}
    page = client.get(f"{url}?first={first.id}&second={second.id}", headers=told).text
    assert f'<option value="{first.id}" selected>' in page
    assert f'<option value="{second.id}" selected>' in page
    assert ("Neither is better beyond the noise" in page) is (language == "en")
    assert ("Nothing: the same data" in page) is (language == "en")
    # Without ids: the one in use, and the newest other one.
    page = client.get(url).text
    assert f'<option value="{third.id}" selected>' in page
    assert f'<option value="{second.id}" selected>' in page
    assert client.get(f"{url}?first={first.id}&second=999").status_code == 404


@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_pictures_are_shown_and_downloaded(
    versions: Versions, enter: SignIn, language: str
) -> None:
    client = enter("viewer")
    url = f"/app/versions/{versions[0].id}/pictures"
    page = client.get(url, headers={"Accept-Language": language}).text
    assert page.count("<svg xmlns") == page.count("View data" if language == "en" else "Ver dados")
    for kind, mimetype in (("svg", "image/svg+xml"), ("png", "image/png")):
        answer = client.get(f"{url}/folds.{kind}")
        assert answer.mimetype == mimetype
        assert "attachment" in answer.headers["Content-Disposition"]
    assert client.get(f"{url}/luck.svg").status_code == 404
