"""Data sets put together: further rows of a machine, and laboratory results."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from prodapp.caller import Caller
from prodapp.datasets import drafts, service
from prodapp.datasets.assembly import APPEND, JOIN, Assembly
from prodapp.datasets.jobs import import_dataset
from prodapp.exceptions import InvalidInput
from prodapp.extensions import db
from prodapp.models import Dataset, DatasetState, Machine
from prodapp.training.service import start_run
from prodapp.training.tables import table_of
from prodapp.variables import ColumnSettings, TableSettings
from tests.factories import make_dataset, make_machine, make_ready_dataset

Bearer = Callable[..., dict[str, str]]


def hours(start: int, end: int, *, extra: str = "") -> bytes:
    rows = [
        f"2026-03-{1 + n // 24:02d} {n % 24:02d}:00,{n * 7 % 13},{n * n % 31}"
        + (f",{n % 3}" if extra else "")
        for n in range(start, end)
    ]
    return "\n".join([f"when,heat,yield{extra and ',' + extra}", *rows, ""]).encode()


def samples(*, offset_minutes: int = 10, n: int = 30) -> bytes:
    rows = [
        f"2026-03-{1 + k // 8:02d} {k * 3 % 24:02d}:{offset_minutes},{k * 5 % 17}" for k in range(n)
    ]
    return "\n".join(["sampled,strength", *rows, ""]).encode()


def put_together(
    caller: Caller, machine: Machine, content: bytes, assembly: Assembly, **said: Any
) -> Dataset:
    dataset = service.register_dataset(
        caller, machine_id=machine.id, source=io.BytesIO(content), filename="x.csv", is_draft=True
    )
    drafts.confirm(caller, dataset.id, settings=TableSettings(**said), assembly=assembly)
    import_dataset(dataset.id)
    db.session.refresh(dataset)
    return dataset


def remarks(dataset: Dataset) -> dict[str, Any]:
    return {remark["code"]: remark for remark in dataset.preview["remarks"]}


def test_further_rows_go_below_and_those_that_were_there_are_known(
    any_app: Flask, caller: Caller
) -> None:
    machine = make_machine(caller)
    first = make_ready_dataset(caller, machine, content=hours(0, 60))
    dataset = put_together(caller, machine, hours(50, 100), Assembly(APPEND, first.id))
    assert (dataset.state, dataset.n_rows) == (DatasetState.READY, 100)
    assert remarks(dataset)["repeated_rows"]["params"] == {"n": 10}
    assert dataset.preview["rows"][0][0].startswith("2026-03-01")
    assert dataset.preview["profile"]["order"]["by"] == "when"
    run = start_run(caller, dataset_id=dataset.id, specification={"target": "yield"})
    assert len(table_of(run, dataset).frame) == 100
    # The earlier data set is as it was.
    db.session.refresh(first)
    assert first.n_rows == 60


def test_a_column_of_one_file_alone_is_remarked(app: Flask, caller: Caller) -> None:
    machine = make_machine(caller)
    first = make_ready_dataset(caller, machine, content=hours(0, 60))
    content = hours(60, 90, extra="speed")
    dataset = put_together(caller, machine, content, Assembly(APPEND, first.id))
    assert remarks(dataset)["column_new"]["column"] == "speed"
    columns = {column["name"]: column for column in dataset.preview["columns"]}
    assert columns["speed"]["n_missing"] == 60


def test_laboratory_results_are_joined_by_time(any_app: Flask, caller: Caller) -> None:
    machine = make_machine(caller)
    process = make_ready_dataset(caller, machine, content=hours(0, 72))
    assembly = Assembly(JOIN, process.id, tolerance_minutes=30)
    columns = (ColumnSettings("heat", role="lever"), ColumnSettings("yield", role="consequence"))
    dataset = put_together(caller, machine, samples(), assembly, columns=columns, target="strength")
    assert dataset.state == DatasetState.READY, dataset.error_message
    names = [column["name"] for column in dataset.preview["columns"]]
    assert names == ["when", "heat", "yield", "sampled", "strength"]
    # Three days of production, samples of nearly four.
    assert dataset.n_rows == 24
    assert remarks(dataset)["unmatched_samples"]["params"]["n"] == 6
    assert len(dataset.preview["rows"][0]) == 5
    roles = {c["name"]: c["role"] for c in (dataset.settings or {})["columns"] if c["role"]}
    assert roles == {"heat": "lever", "yield": "consequence"}


def test_samples_far_from_any_production_are_refused(app: Flask, caller: Caller) -> None:
    machine = make_machine(caller)
    process = make_ready_dataset(caller, machine, content=hours(0, 72))
    assembly = Assembly(JOIN, process.id, tolerance_minutes=5)
    dataset = put_together(caller, machine, samples(offset_minutes=30), assembly)
    assert (dataset.state, dataset.error_code) == (DatasetState.REFUSED, "nothing_joined")


def test_a_data_set_that_is_gone_by_the_import_refuses_it(any_app: Flask, caller: Caller) -> None:
    machine = make_machine(caller)
    first = make_ready_dataset(caller, machine, content=hours(0, 60))
    dataset = service.register_dataset(
        caller,
        machine_id=machine.id,
        source=io.BytesIO(hours(60, 90)),
        filename="x.csv",
        is_draft=True,
    )
    assembly = Assembly(APPEND, first.id)
    drafts.confirm(caller, dataset.id, settings=TableSettings(), assembly=assembly)
    service.discard(caller, first.id)
    import_dataset(dataset.id)
    db.session.refresh(dataset)
    assert (dataset.state, dataset.error_code) == (DatasetState.REFUSED, "assembly_gone")


def test_only_ready_data_of_the_same_machine_take_further_rows(app: Flask, caller: Caller) -> None:
    machine = make_machine(caller)
    waiting = make_dataset(caller, machine, content=hours(0, 60))
    other = make_ready_dataset(caller, make_machine(caller, name="other"), content=hours(0, 60))
    for dataset_id in (waiting.id, other.id, 10_000):
        with pytest.raises(InvalidInput, match="no data set") as caught:
            put_together(caller, machine, hours(60, 90), Assembly(APPEND, dataset_id))
        assert caught.value.fields[0].pointer == "/append_to/dataset_id"


def test_columns_without_times_are_pointed_at(app: Flask, caller: Caller) -> None:
    machine = make_machine(caller)
    process = make_ready_dataset(caller, machine, content=hours(0, 60))
    for assembly, pointer in (
        (Assembly(APPEND, process.id, time="heat"), "/append_to/time"),
        (Assembly(JOIN, process.id, laboratory_time="strength"), "/join_to/laboratory_time"),
    ):
        with pytest.raises(InvalidInput, match="holds no times") as caught:
            put_together(caller, machine, samples(), assembly)
        assert caught.value.fields[0].pointer == pointer


def test_the_api_takes_either_of_both(client: FlaskClient, caller: Caller, bearer: Bearer) -> None:
    machine, headers = make_machine(caller), bearer("operator")
    first = make_ready_dataset(caller, machine, content=hours(0, 60))
    data = {"file": (io.BytesIO(hours(60, 90)), "x.csv"), "confirm": "false"}
    url = client.post(
        f"/api/v1/machines/{machine.id}/datasets", data=data, headers=headers
    ).headers["Location"]
    join = {"dataset_id": first.id, "tolerance_minutes": 5}
    both = {"append_to": {"dataset_id": first.id}, "join_to": join}
    answer = client.post(f"{url}/confirm", json=both, headers=headers)
    assert [error["pointer"] for error in answer.json["errors"]] == ["/join_to"]
    bad = {"join_to": {"dataset_id": first.id, "tolerance_minutes": 0}}
    answer = client.post(f"{url}/confirm", json=bad, headers=headers)
    assert [e["pointer"] for e in answer.json["errors"]] == ["/join_to/tolerance_minutes"]
    body = {"append_to": {"dataset_id": first.id}}
    answer = client.post(f"{url}/confirm", json=body, headers=headers)
    assert answer.status_code == 202
    import_dataset(answer.json["id"])
    assert client.get(url, headers=headers).json["n_rows"] == 90
