"""Two hosts that share a database, a queue and an object store, and nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path

import pytest
import requests
from sqlalchemy import select

from prodapp.extensions import db
from prodapp.models import DatasetState, RunState, TrainingRun
from prodapp.models.training_run import TERMINAL
from tests.factories import make_csv
from tests.faults.client import Client, NotAcknowledged
from tests.faults.conftest import MakeInstallation
from tests.faults.installation import Installation
from tests.faults.oracle import inspect
from tests.faults.plant import name_of
from tests.faults.programs import wait_for
from tests.object_store import ObjectStore, running_object_store

pytestmark = [pytest.mark.postgres, pytest.mark.queue]


@dataclass
class Hosts:
    """Both with a web server, a dispatcher, a worker and a folder of their own."""

    first: Installation
    second: Installation


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectStore]:
    """An object store of the test's own, which this process, too, knows how to ask."""
    with running_object_store(tmp_path) as running:
        for name, value in running.environ.items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def hosts(make_installation: MakeInstallation, store: ObjectStore) -> Hosts:
    shared = {"STORAGE_URL": store.make_bucket(), **store.environ}
    first = make_installation("postgres", **shared)
    second = make_installation(
        database_url=first.environ["DATABASE_URL"],
        **{**shared, "REDIS_URL": first.environ["REDIS_URL"]},
    )
    first.start()
    second.start(has_queue=False)
    return Hosts(first, second)


def test_any_host_serves_any_run_and_one_may_vanish(hosts: Hosts, store: ObjectStore) -> None:
    by_first = hosts.first.client()
    by_second = by_first.at("127.0.0.1", hosts.second.port)
    machine_id = by_first.create_machine("Press 01")
    dataset_id = by_first.upload(machine_id, make_csv())
    wait_for(
        lambda: by_second.dataset(dataset_id)["state"] == DatasetState.READY, what="the import"
    )
    workers = {name_of(host.workers[0]) for host in (hosts.first, hosts.second)}

    def is_served_by_both() -> bool:
        train(by_second, dataset_id)
        return workers <= workers_of_runs(hosts.second)

    wait_for(is_served_by_both, what="runs on both hosts")
    ranking = by_first.call("GET", f"/machines/{machine_id}/ranking")
    assert by_second.call("GET", f"/machines/{machine_id}/ranking") == ranking

    # The first host burns down, with a run in its hands.
    run_id = catch_a_run(hosts, by_second, dataset_id)
    for program in (hosts.first.web, hosts.first.dispatcher, *hosts.first.workers):
        program.kill()
    shutil.rmtree(hosts.first.instance)
    wait_for(partial(has_ended, by_second, run_id), what="the run of the lost host")
    assert by_second.run(run_id)["state"] == RunState.SUCCEEDED
    assert by_second.run(run_id)["attempt"] > 1
    version_id = by_second.run(run_id)["version_id"]
    assert by_second.call("GET", f"/versions/{version_id}/ranking")
    store.copy(hosts.second.environ["STORAGE_URL"], hosts.second.instance / "files")
    assert inspect(hosts.second).wrong() == {}


def test_without_the_object_store_pages_are_read_and_files_are_refused_for_now(
    make_installation: MakeInstallation, store: ObjectStore
) -> None:
    host = make_installation(STORAGE_URL=store.make_bucket(), **store.environ)
    host.web.start()
    client = host.client()
    machine_id = client.create_machine("Press 01")
    dataset_id = client.upload(machine_id, make_csv())
    ready = f"http://127.0.0.1:{host.port}/readyz"
    assert requests.get(ready, timeout=60).json()["checks"]["storage"] is True

    store.process.kill()
    answer = requests.get(ready, timeout=60)
    assert (answer.status_code, answer.json()["checks"]["storage"]) == (503, False)
    assert client.dataset(dataset_id)["filename"] == "data.csv"
    with pytest.raises(NotAcknowledged, match="storage of files") as refusal:
        client.upload(machine_id, make_csv(seed=1))
    assert refusal.value.status == HTTPStatus.SERVICE_UNAVAILABLE


def train(client: Client, dataset_id: int) -> None:
    run_id = client.start_run(dataset_id)
    wait_for(partial(has_ended, client, run_id), what=f"the end of run {run_id}")
    assert client.run(run_id)["state"] == RunState.SUCCEEDED


def workers_of_runs(host: Installation) -> set[str | None]:
    with host.context():
        return set(db.session.scalars(select(TrainingRun.worker_name)))


def catch_a_run(hosts: Hosts, client: Client, dataset_id: int) -> int:
    """A run that the first host's worker is at."""
    while True:
        run_id = client.start_run(dataset_id, hyperparameters={"n_estimators": 400})
        wait_for(partial(is_taken, client, run_id), what=f"a worker for {run_id}")
        if hosts.first.workers[0].children() and not has_ended(client, run_id):
            return run_id
        wait_for(partial(has_ended, client, run_id), what=f"the end of run {run_id}")


def is_taken(client: Client, run_id: int) -> bool:
    return client.run(run_id)["state"] != RunState.QUEUED


def has_ended(client: Client, run_id: int) -> bool:
    return client.run(run_id)["state"] in TERMINAL
