"""What is told, to whom, and that it is told if and only if it happened."""

from __future__ import annotations

import pytest
from flask import Flask

from prodapp.caller import Caller
from prodapp.datasets.jobs import import_dataset
from prodapp.dispatching import dispatch
from prodapp.extensions import command, db
from prodapp.happenings import Happening, tell
from prodapp.models import Dataset, ModelVersion
from prodapp.training import service as training
from prodapp.training.jobs import run_training
from prodapp.training.workflow import RUNS
from tests.factories import make_batch, make_dataset, make_machine, make_run
from tests.receivers import Receiver
from tests.unit.webhooks.conftest import allow, make, messages

ALL = tuple(str(kind) for kind in Happening if kind is not Happening.TEST)


@pytest.fixture
def app(any_app: Flask, receiver: Receiver) -> Flask:
    """Over either database."""
    allow(any_app, receiver.url.removeprefix("http://"))
    return any_app


def told() -> list[tuple[str, str]]:
    return [(row.event, row.subject) for row in messages()]


def test_a_run_is_told_from_its_data_to_its_version(
    app: Flask, caller: Caller, receiver: Receiver
) -> None:
    make(caller, receiver, *ALL)
    dataset = make_dataset(caller)
    import_dataset(dataset.id)
    db.session.refresh(dataset)
    run = make_run(caller, dataset)
    run_training(run.id)
    assert told() == [
        ("dataset.ready", f"dataset:{dataset.id}"),
        ("version.promoted", "version:1"),
        ("run.succeeded", f"run:{run.id}"),
    ]
    data = messages()[-1].payload["data"]
    assert data | {"r2": 0.0} == {
        "machine_id": run.machine_id,
        "machine_name": run.machine.name,
        "run_id": run.id,
        "target": "yield",
        "dataset_id": dataset.id,
        "version_id": 1,
        "version": 1,
        "is_in_use": True,
        "r2": 0.0,
        "explains": data["explains"],
        "error": None,
    }
    make_batch(caller, db.session.get_one(ModelVersion, 1))
    assert told()[-1] == ("batch.succeeded", "batch:1")


def test_a_refused_file_fails_the_run_that_waits_for_it(
    app: Flask, caller: Caller, receiver: Receiver
) -> None:
    make(caller, receiver, *ALL)
    dataset = make_dataset(caller)
    run = make_run(caller, dataset)
    with command() as session:
        session.get_one(Dataset, dataset.id).overrides = {"encoding": "no such code"}
    import_dataset(dataset.id)
    dispatch(RUNS)
    assert told() == [
        ("dataset.refused", f"dataset:{dataset.id}"),
        ("run.failed", f"run:{run.id}"),
    ]
    error = messages()[1].payload["data"]["error"]
    assert error["code"]
    assert "%(" not in error["detail"]


def test_a_canceled_run_is_told(app: Flask, caller: Caller, receiver: Receiver) -> None:
    make(caller, receiver)
    run = make_run(caller, make_dataset(caller))
    training.cancel_run(caller, run.id)
    assert told() == [("run.canceled", f"run:{run.id}")]


def test_what_did_not_happen_is_not_told(app: Flask, caller: Caller, receiver: Receiver) -> None:
    make(caller, receiver, *ALL)
    machine = make_machine(caller)

    def fail_afterwards() -> None:
        with command() as session:
            tell(session, Happening.RUN_FAILED, machine_id=machine.id, subject="run:1", data={})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_afterwards()
    assert told() == []


def test_webhooks_of_other_machines_and_sites_and_wishes_are_told_nothing(
    app: Flask, caller: Caller, receiver: Receiver
) -> None:
    here, other = make_machine(caller, name="here"), make_machine(caller, name="other")
    wanted = make(caller, receiver, machine_id=here.id)
    make(caller, receiver, machine_id=other.id)
    make(caller, receiver, "dataset.ready")
    with command() as session:
        tell(session, Happening.RUN_FAILED, machine_id=here.id, subject="run:1", data={})
    assert [row.webhook_id for row in messages()] == [wanted.webhook.id]
