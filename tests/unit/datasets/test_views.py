from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from prodapp.auth import service as auth
from prodapp.caller import Caller
from prodapp.datasets import service
from prodapp.datasets.jobs import import_dataset
from prodapp.extensions import db
from prodapp.models import Dataset, DatasetState
from prodapp.storage import storage
from tests.factories import make_csv, make_dataset, make_machine, make_ready_dataset
from tests.pages import csrf_token

SignIn = Callable[..., FlaskClient]


def upload(client: FlaskClient, machine_id: int, content: bytes | None, **form: Any) -> Any:
    fields: dict[str, Any] = {"csrf_token": csrf_token(client, "/app/machines/"), **form}
    if content is not None:
        fields["file"] = (io.BytesIO(content), fields.pop("filename", "production.csv"))
    return client.post(f"/app/machines/{machine_id}/datasets", data=fields)


def test_an_upload_leads_to_what_was_read(sign_in: SignIn, caller: Caller) -> None:
    client = sign_in()
    answer = upload(client, make_machine(caller).id, make_csv())
    dataset = db.session.scalars(select(Dataset)).one()
    assert answer.location == f"/app/datasets/{dataset.id}"
    page = client.get(answer.location).text
    for word in ("production.csv", "heat", "yield", "day"):
        assert word in page
    assert dataset.state == DatasetState.DRAFT
    assert 'id="check"' in page


@pytest.mark.parametrize("content", [None, b"", b"one column\n1\n", b"\x00\x01\x02" * 50])
def test_a_file_that_is_refused_says_why_and_asks_again(
    sign_in: SignIn, caller: Caller, content: bytes | None
) -> None:
    answer = upload(sign_in(), make_machine(caller).id, content)
    assert answer.status_code == 422
    assert "The file was not accepted" in answer.text
    assert 'type="file"' in answer.text
    assert service.list_datasets(caller).total == 0


def test_decisions_of_the_form_are_taken_and_shown_again(sign_in: SignIn, caller: Caller) -> None:
    client, machine = sign_in(), make_machine(caller)
    upload(client, machine.id, b"1;2,5\n3;4,5\n5;6,5\n", header="no", delimiter=";", decimal="")
    dataset = db.session.scalars(select(Dataset)).one()
    assert dataset.overrides == {"header": "no", "delimiter": ";"}
    answer = upload(client, machine.id, b"", header="no")
    assert answer.status_code == 422
    assert '<option value="no" selected' in " ".join(answer.text.split())


def test_a_file_name_is_shown_and_harmless(sign_in: SignIn, caller: Caller) -> None:
    client = sign_in()
    answer = upload(
        client, make_machine(caller).id, make_csv(), filename="<img src=x onerror=alert(1)>.csv"
    )
    for path in (answer.location, f"/app/machines/{1}"):
        page = client.get(path).text
        assert "<img src=x" not in page
        assert "&lt;img src=x" in page


def test_hostile_names_of_columns_are_harmless(sign_in: SignIn, caller: Caller) -> None:
    content = make_csv().replace(b"heat", b"<script>alert(1)</script>", 1)
    client = sign_in()
    page = client.get(upload(client, make_machine(caller).id, content).location).text
    assert "<script>alert" not in page


def test_only_a_file_that_is_being_read_asks_again(sign_in: SignIn, caller: Caller) -> None:
    dataset = make_dataset(caller)
    client = sign_in("viewer")
    path = f"/app/datasets/{dataset.id}/status"
    busy = client.get(path, headers={"HX-Request": "true"})
    assert "<html" not in busy.text
    assert 'hx-trigger="every 1s"' in busy.text
    import_dataset(dataset.id)
    assert "every 1s" not in client.get(path, headers={"HX-Request": "true"}).text
    assert "120" in client.get(f"/app/datasets/{dataset.id}").text


def test_a_refused_import_says_where_and_leads_to_the_next_upload(
    sign_in: SignIn, caller: Caller
) -> None:
    dataset = make_dataset(caller)
    storage().delete(dataset.source_key)
    import_dataset(dataset.id)
    page = sign_in().get(f"/app/datasets/{dataset.id}").text
    assert "missing from the storage" in page
    assert f"/app/machines/{dataset.machine_id}/datasets/new" in page
    assert 'name="target"' not in page


@pytest.mark.parametrize("filename", ["produção.csv", 'a"b;c.csv', "\u200b", "x.html"])
def test_the_file_comes_back_as_it_was_under_its_name(
    sign_in: SignIn, caller: Caller, filename: str
) -> None:
    content = make_csv()
    dataset = service.register_dataset(
        caller, machine_id=make_machine(caller).id, source=io.BytesIO(content), filename=filename
    )
    answer = sign_in("viewer").get(f"/app/datasets/{dataset.id}/file")
    assert answer.data == content
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Cache-Control"] == "no-store"
    answer.close()


def test_a_file_that_is_missing_is_told(sign_in: SignIn, caller: Caller) -> None:
    dataset = make_dataset(caller)
    storage().delete(dataset.source_key)
    assert sign_in().get(f"/app/datasets/{dataset.id}/file").status_code == 404


def test_the_address_may_name_the_target(sign_in: SignIn, caller: Caller) -> None:
    dataset = make_ready_dataset(caller)
    client = sign_in()
    page = client.get(f"/app/datasets/{dataset.id}?target=yield").text
    assert '<option value="yield" selected' in " ".join(page.split())
    assert client.get(f"/app/datasets/{dataset.id}?target=<x>").status_code == 200


def test_a_viewer_sees_the_data_and_may_not_train(sign_in: SignIn, caller: Caller) -> None:
    dataset = make_ready_dataset(caller)
    client = sign_in("viewer")
    page = client.get(f"/app/datasets/{dataset.id}").text
    assert "heat" in page
    assert 'name="target"' not in page
    assert upload(client, dataset.machine_id, make_csv()).status_code == 403
    token = csrf_token(client, "/app/machines/")
    answer = client.post(f"/app/datasets/{dataset.id}/runs", data={"csrf_token": token})
    assert answer.status_code == 403


@pytest.mark.parametrize("path", ["", "/status", "/file"])
def test_data_of_another_site_look_missing(sign_in: SignIn, caller: Caller, path: str) -> None:
    other = make_dataset(auth.system_caller(site="other"))
    client = sign_in("admin")
    assert client.get(f"/app/datasets/{other.id}{path}").status_code == 404
    assert upload(client, other.machine_id, make_csv()).status_code == 404
