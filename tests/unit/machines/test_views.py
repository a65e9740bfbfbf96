from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from prodapp.auth import service as auth
from prodapp.caller import Caller
from prodapp.machines import overviews
from tests.factories import make_machine, make_run, make_version
from tests.pages import csrf_token, post_form

SignIn = Callable[..., FlaskClient]
BRAZIL = {"Accept-Language": "pt-BR"}


def send(client: FlaskClient, path: str, **form: str):
    token = csrf_token(client, "/app/machines/")
    return client.post(path, data={"csrf_token": token, **form})


@pytest.mark.parametrize("language", ["en", "pt-BR"])
@pytest.mark.parametrize("role", ["viewer", "operator", "analyst"])
def test_pages_are_shown_in_both_languages_to_every_role(
    sign_in: SignIn, caller: Caller, role: str, language: str
) -> None:
    version = make_version(caller)
    waiting = make_run(caller, version.dataset)
    client = sign_in(role)
    paths = [
        "/app/machines/",
        "/app/machines/?q=nothing",
        f"/app/machines/{version.machine_id}",
        f"/app/datasets/{version.dataset_id}",
        f"/app/datasets/{version.dataset_id}/status",
        f"/app/runs/{version.run_id}",
        f"/app/runs/{waiting.id}",
        f"/app/runs/{waiting.id}/progress",
        f"/app/versions/{version.id}",
    ]
    if role != "viewer":
        paths += ["/app/machines/new", f"/app/machines/{version.machine_id}/edit"]
        paths += [f"/app/machines/{version.machine_id}/datasets/new"]
    if role == "analyst":
        paths += [f"/app/machines/{version.machine_id}/delete"]
    for path in paths:
        answer = client.get(path, headers={"Accept-Language": language})
        assert answer.status_code == 200, path
        if "<html" in answer.text:
            assert f'<html lang="{language}"' in answer.text
    english = client.get(paths[2], headers={"Accept-Language": language}).text
    assert ("What happened" in english) is (language == "en")


def test_an_empty_plant_leads_to_the_first_machine(sign_in: SignIn) -> None:
    assert "/app/machines/new" in sign_in("operator").get("/app/machines/").text
    page = sign_in("viewer").get("/app/machines/").text
    assert "Register your first machine" in page
    assert 'href="/app/machines/new"' not in page


def test_a_new_machine_leads_to_its_first_upload(sign_in: SignIn, caller: Caller) -> None:
    client = sign_in()
    answer = send(client, "/app/machines/", name=" Prensa  01 ")
    (machine,) = overviews.all_machines(caller)
    assert machine.name == "Prensa 01"
    assert answer.location == f"/app/machines/{machine.id}/datasets/new"


@pytest.mark.parametrize("name", ["", "  ", "x" * 201, "TAKEN", "a\x00"])
def test_a_refused_name_comes_back_with_what_is_wrong(
    sign_in: SignIn, caller: Caller, name: str
) -> None:
    make_machine(caller, name="Taken")
    answer = send(sign_in(), "/app/machines/", name=name)
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert len(overviews.all_machines(caller)) == 1


def test_what_was_typed_is_shown_again_and_harmless(sign_in: SignIn, caller: Caller) -> None:
    name = '"><script>alert(1)</script>'
    client = sign_in()
    send(client, "/app/machines/", name=name)
    answer = send(client, "/app/machines/", name=name)
    assert answer.status_code == 422
    (machine,) = overviews.all_machines(caller)
    for page in (
        answer.text,
        client.get("/app/machines/").text,
        client.get("/app/machines/", query_string={"q": name}).text,
        client.get(f"/app/machines/{machine.id}").text,
        client.get(f"/app/machines/{machine.id}/edit").text,
    ):
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page


def test_renaming_shows_the_new_name_and_refuses_a_taken_one(
    sign_in: SignIn, caller: Caller
) -> None:
    machine = make_machine(caller, name="Old")
    make_machine(caller, name="Taken")
    client = sign_in()
    path = f"/app/machines/{machine.id}/edit"
    assert send(client, path, name="New").location == f"/app/machines/{machine.id}"
    assert "New" in client.get(f"/app/machines/{machine.id}").text
    assert send(client, path, name="taken").status_code == 422
    assert overviews.overview(caller, machine.id).name == "New"


def test_deleting_asks_first_and_says_what_was_done(sign_in: SignIn, caller: Caller) -> None:
    machine = make_machine(caller)
    client = sign_in("analyst")
    path = f"/app/machines/{machine.id}/delete"
    assert "Delete Press 01?" in client.get(path).text
    assert len(overviews.all_machines(caller)) == 1
    answer = send(client, path)
    assert answer.location == "/app/machines/"
    assert "Press 01 was deleted." in client.get("/app/machines/").text
    assert client.get(path).status_code == 404
    assert send(client, path).status_code == 404


@pytest.mark.parametrize(
    ("role", "method", "path"),
    [
        ("viewer", "GET", "/app/machines/new"),
        ("viewer", "POST", "/app/machines/"),
        ("viewer", "GET", "/app/machines/{id}/edit"),
        ("viewer", "POST", "/app/machines/{id}/edit"),
        ("viewer", "GET", "/app/machines/{id}/datasets/new"),
        ("viewer", "POST", "/app/machines/{id}/datasets"),
        ("operator", "GET", "/app/machines/{id}/delete"),
        ("operator", "POST", "/app/machines/{id}/delete"),
    ],
)
def test_who_may_not_is_refused_and_told_the_role(
    sign_in: SignIn, caller: Caller, role: str, method: str, path: str
) -> None:
    machine = make_machine(caller)
    client = sign_in(role)
    data = {"csrf_token": csrf_token(client, "/app/machines/"), "name": "stolen"}
    answer = client.open(path.format(id=machine.id), method=method, data=data)
    assert answer.status_code == 403
    assert f"yours is {role}" in answer.text
    assert overviews.overview(caller, machine.id).name == "Press 01"


@pytest.mark.parametrize("path", ["", "/edit", "/delete", "/datasets/new"])
def test_machines_of_another_site_look_missing(sign_in: SignIn, caller: Caller, path: str) -> None:
    other = make_machine(auth.system_caller(site="other"), name="Secret press")
    client = sign_in("admin")
    for machine_id in (other.id, 999, 2**63 - 1, 2**64):
        answer = client.get(f"/app/machines/{machine_id}{path}")
        assert answer.status_code == 404
        assert "Secret press" not in answer.text
    assert "Secret press" not in client.get("/app/machines/").text


@pytest.mark.parametrize(
    "query",
    [
        "q=%00",
        "q=%ff%fe",
        "page=0",
        "page=-1",
        "page=x",
        "page=99999999999999999999999999",
        "page=" + "9" * 5000,
        "sort=password&order=sideways",
        "status=nonsense",
        "q=" + "x" * 5000,
    ],
)
def test_a_list_address_that_makes_no_sense_is_still_a_list(
    sign_in: SignIn, caller: Caller, query: str
) -> None:
    make_machine(caller)
    assert sign_in("viewer").get(f"/app/machines/?{query}").status_code == 200


def test_the_list_is_searched_sorted_and_paged_by_its_address(
    sign_in: SignIn, caller: Caller
) -> None:
    for number in range(25):
        make_machine(caller, name=f"Line {number:02}")
    client = sign_in("viewer")
    first = client.get("/app/machines/").text
    assert "Line 19" in first
    assert "Line 20" not in first
    assert "page=2" in first
    second = client.get("/app/machines/?page=2").text
    assert "Line 20" in second
    assert "Line 19" not in second
    backwards = client.get("/app/machines/?sort=name&order=desc").text
    assert "Line 24" in backwards
    assert "Line 04" not in backwards
    found = client.get("/app/machines/?q=line+07").text
    assert "Line 07" in found
    assert "Line 08" not in found
    none = client.get("/app/machines/?status=failed").text
    assert "No machine matches this search." in none


def test_pages_with_data_are_not_kept_by_the_browser(sign_in: SignIn, caller: Caller) -> None:
    answer = sign_in().get("/app/machines/")
    assert answer.headers["Cache-Control"] == "no-store"


def test_without_signing_in_every_page_leads_to_the_sign_in(
    client: FlaskClient, caller: Caller
) -> None:
    machine = make_machine(caller)
    for path in ("", "new", str(machine.id), f"{machine.id}/edit", f"{machine.id}/delete"):
        answer = client.get(f"/app/machines/{path}")
        assert answer.status_code == 302
        assert answer.location.startswith("/app/sign-in?next=")
    assert post_form(client, "/app/machines/", name="x").location.startswith("/app/sign-in")
    assert len(overviews.all_machines(caller)) == 1
