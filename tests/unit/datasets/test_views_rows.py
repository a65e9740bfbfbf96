"""The page on which rows are left out of training, and files that go with earlier ones."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from prodapp.caller import Caller
from prodapp.datasets import service
from prodapp.datasets.jobs import import_dataset
from prodapp.extensions import db
from prodapp.models import Dataset
from tests.factories import make_csv, make_dataset, make_machine, make_ready_dataset
from tests.pages import csrf_token

SignIn = Callable[..., FlaskClient]


def timed_csv(*, day: int = 1, n_rows: int = 200) -> bytes:
    """A row every ten minutes; the pressure rises by one a row from 100 on."""
    lines = ["when,pressure,yield"]
    for n in range(n_rows):
        moment = f"2025-03-{day + n // 144:02d} {n // 6 % 24:02d}:{n % 6}0"
        lines.append(f"{moment},{100 + n},{50 + n % 7}.5")
    return "\n".join(lines).encode()


def send(client: FlaskClient, dataset: Dataset, **form: Any) -> TestResponse:
    fields = {"csrf_token": csrf_token(client, "/app/machines/new"), **form}
    answer = client.post(f"/app/datasets/{dataset.id}/rows", data=fields)
    db.session.expire_all()
    return answer


def counts(dataset: Dataset) -> list[int]:
    return [one["n_rows"] for one in dataset.exclusions or ()]


def test_a_trend_is_drawn_over_time_and_says_its_range(sign_in: SignIn, caller: Caller) -> None:
    dataset = make_ready_dataset(caller, content=timed_csv())
    page = sign_in().get(f"/app/datasets/{dataset.id}/rows?column=pressure").text
    assert 'data-trend="time"' in page
    assert "between 100 and 299" in " ".join(page.split())
    assert page.count("<polyline") == 1


def test_without_times_rows_are_counted(sign_in: SignIn, caller: Caller) -> None:
    dataset = make_ready_dataset(caller)
    client = sign_in()
    assert 'data-trend="row"' in client.get(f"/app/datasets/{dataset.id}/rows").text
    assert send(client, dataset, action="period", first_row="11", last_row="30").status_code == 302
    assert counts(dataset) == [20]
    assert "Row from 11 to 30" in client.get(f"/app/datasets/{dataset.id}/rows").text


def test_a_period_is_left_out_shown_and_taken_back(sign_in: SignIn, caller: Caller) -> None:
    client, dataset = sign_in(), make_ready_dataset(caller, content=timed_csv())
    period = {"time": "when", "start": "2025-03-01T00:00", "end": "2025-03-01T01:00"}
    send(client, dataset, action="period", label="Start-up", **period)
    send(client, dataset, action="condition", column="pressure", operator=">=", value="290")
    assert counts(dataset) == [7, 10]
    page = client.get(f"/app/datasets/{dataset.id}/rows").text
    assert '<rect class="trend-out"' in page
    assert "“pressure” is at least 290" in page
    assert "Start-up" in client.get(f"/app/datasets/{dataset.id}").text
    send(client, dataset, undo="0")
    assert counts(dataset) == [10]


def test_a_value_is_read_as_the_readers_language_writes_it(sign_in: SignIn, caller: Caller) -> None:
    client, dataset = sign_in(), make_ready_dataset(caller, content=timed_csv())
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "pt-BR"
    send(client, dataset, action="condition", column="yield", operator="=", value="50,5")
    assert counts(dataset) == [29]
    assert "50,5" in client.get(f"/app/datasets/{dataset.id}/rows").text


@pytest.mark.parametrize(
    "form",
    [
        {"action": "condition", "column": "pressure", "operator": "<", "value": "ten"},
        {"action": "condition", "column": "pressure", "operator": "<", "value": ""},
        {"action": "condition", "column": "pressure", "operator": ">", "value": "0"},
        {"action": "condition", "column": "nothing", "operator": "missing"},
        {"action": "period", "time": "when"},
        {"action": "period", "time": "when", "start": "yesterday"},
        {"action": "period", "first_row": "two"},
    ],
)
def test_what_leaves_nothing_out_or_all_is_refused(
    sign_in: SignIn, caller: Caller, form: dict[str, str]
) -> None:
    dataset = make_ready_dataset(caller, content=timed_csv())
    answer = send(sign_in(), dataset, **form)
    assert answer.status_code == 422
    assert "Please check your input" in answer.text
    assert dataset.exclusions is None


def test_a_file_that_is_being_read_has_no_rows_to_leave_out_yet(
    sign_in: SignIn, caller: Caller
) -> None:
    dataset = make_dataset(caller)
    assert sign_in().get(f"/app/datasets/{dataset.id}/rows").status_code == 409


def test_a_viewer_reads_what_is_left_out_and_changes_nothing(
    sign_in: SignIn, caller: Caller
) -> None:
    dataset = make_ready_dataset(caller)
    client = sign_in("viewer")
    assert "No rows are left out." in client.get(f"/app/datasets/{dataset.id}").text
    assert client.get(f"/app/datasets/{dataset.id}/rows").status_code == 403


def test_a_file_is_put_below_an_earlier_one(sign_in: SignIn, caller: Caller) -> None:
    client, machine = sign_in(), make_machine(caller)
    first = make_ready_dataset(caller, machine, content=timed_csv())
    second = service.register_dataset(
        caller,
        machine_id=machine.id,
        source=io.BytesIO(timed_csv(day=5)),
        filename="later.csv",
        is_draft=True,
    )
    assert "Together with earlier data?" in client.get(f"/app/datasets/{second.id}").text
    token = csrf_token(client, "/app/machines/new")
    form = {"csrf_token": token, "action": "confirm", "assembly": "append", "with": str(first.id)}
    assert client.post(f"/app/datasets/{second.id}/check", data=form).status_code == 302
    import_dataset(second.id)
    db.session.expire_all()
    assert second.n_rows == 400


def test_laboratory_results_are_joined_by_time(sign_in: SignIn, caller: Caller) -> None:
    client, machine = sign_in(), make_machine(caller)
    first = make_ready_dataset(caller, machine, content=timed_csv())
    samples = "\n".join(f"2025-03-01 {n % 24:02d}:35,{n % 5}.5" for n in range(24))
    laboratory = service.register_dataset(
        caller,
        machine_id=machine.id,
        source=io.BytesIO(f"sampled,strength\n{samples}".encode()),
        filename="laboratory.csv",
        is_draft=True,
    )
    token = csrf_token(client, "/app/machines/new")
    form = {"csrf_token": token, "action": "confirm", "assembly": "join", "with": str(first.id)}
    path = f"/app/datasets/{laboratory.id}/check"
    wrong = client.post(path, data={**form, "tolerance": "soon"})
    assert wrong.status_code == 422
    assert 'value="soon"' in " ".join(wrong.text.split())
    answer = client.post(path, data={**form, "tolerance": "10", "delay": "5"})
    assert answer.status_code == 302
    import_dataset(laboratory.id)
    db.session.expire_all()
    assert laboratory.n_rows == 24
    assert {"pressure", "strength"} <= {c["name"] for c in laboratory.preview["columns"]}


def test_the_first_file_of_a_machine_has_nothing_to_go_with(
    sign_in: SignIn, caller: Caller
) -> None:
    dataset = service.register_dataset(
        caller,
        machine_id=make_machine(caller).id,
        source=io.BytesIO(make_csv()),
        filename="first.csv",
        is_draft=True,
    )
    assert 'name="assembly"' not in sign_in().get(f"/app/datasets/{dataset.id}").text
