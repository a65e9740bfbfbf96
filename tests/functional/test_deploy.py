"""A deploy: processes are asked to stop and replaced by others while people go on working."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from uuid import uuid4

import psutil
import pytest

from prodapp.models.training_run import ACTIVE, TERMINAL
from tests.factories import make_csv
from tests.faults.client import Client, NotAcknowledged
from tests.faults.conftest import MakeInstallation
from tests.faults.installation import Installation
from tests.faults.oracle import inspect
from tests.faults.programs import Program, wait_for

N_CLIENTS = 5
GRACE_SECONDS = 60.0

pytestmark = pytest.mark.queue


class Visitor(threading.Thread):
    """Uploads, trains, waits and reads until told to stop; notes what went wrong."""

    def __init__(self, client: Client, machine_id: int, *, seed: int) -> None:
        super().__init__(daemon=True)
        self.client, self.machine_id, self.seed = client, machine_id, seed
        self.failures: list[NotAcknowledged] = []
        self.n_rounds = 0
        self._stop_asked = threading.Event()

    def run(self) -> None:
        while not self._stop_asked.is_set():
            try:
                self._visit()
            except NotAcknowledged as failure:
                self.failures.append(failure)
                self._stop_asked.wait(0.5)

    def end(self) -> None:
        self._stop_asked.set()
        self.join()

    def _visit(self) -> None:
        content = make_csv(n_rows=60, seed=self.seed * 10_000 + self.n_rounds)
        dataset_id = self.client.upload(self.machine_id, content)
        run_id = self.client.start_run(dataset_id)
        while self.client.run(run_id)["state"] not in TERMINAL:
            if self._stop_asked.wait(0.5):
                return
        self.client.call("GET", f"/machines/{self.machine_id}/ranking")
        self.n_rounds += 1


@contextmanager
def visitors(installation: Installation) -> Iterator[list[Visitor]]:
    """People at work while the block runs."""
    client = installation.client()
    machines = [client.create_machine(f"Press {number}") for number in range(N_CLIENTS)]
    people = [Visitor(client, machine, seed=seed) for seed, machine in enumerate(machines)]
    for person in people:
        person.start()
    try:
        yield people
    finally:
        for person in people:
            person.end()


def is_listening(program: Program) -> bool:
    """Whether a child of the web server waits for connections: another may do so beside it."""
    for child in program.children():
        with suppress(psutil.Error):
            if any(item.status == psutil.CONN_LISTEN for item in child.net_connections()):
                return True
    return False


def wait_until_no_work_waits(installation: Installation) -> None:
    client = installation.client()

    def is_done() -> bool:
        return not any(client.call("GET", f"/runs?state={state}") for state in ACTIVE)

    wait_for(is_done, what="the end of all runs")


@pytest.fixture
def successors() -> Iterator[list[Program]]:
    """What was started in place of others; ended after the test."""
    programs: list[Program] = []
    yield programs
    for program in programs:
        program.end()


def succeed(program: Program, successors: list[Program]) -> Program:
    """Start the same program once more beside ``program`` and wait until it is ready."""
    successor = program.twin()
    successors.append(successor)
    successor.start()
    if program.name == "web":
        wait_for(lambda: is_listening(successor), what="the new web server")
    return successor


def test_deploy_loses_and_doubles_nothing_and_refuses_nobody(
    make_installation: MakeInstallation,
    database: str,
    successors: list[Program],
) -> None:
    installation = make_installation(database)
    installation.start(n_workers=1)
    installation.add_worker().start()
    with visitors(installation) as people:
        wait_for(lambda: all(person.n_rounds for person in people), what="the first round of all")
        for program in (*installation.workers, installation.dispatcher, installation.web):
            succeed(program, successors)
            program.stop(grace=GRACE_SECONDS)
            assert program.process is not None
            assert program.process.returncode == 0, program.log_tail()
        n_rounds = [person.n_rounds for person in people]
        wait_for(
            lambda: all(
                person.n_rounds > before for person, before in zip(people, n_rounds, strict=True)
            ),
            what="a round of all after the deploy",
        )
    wait_until_no_work_waits(installation)
    failures = [failure for person in people for failure in person.failures]
    # Where a listening socket is closed, the kernel drops connections nobody has answered yet.
    assert [
        str(failure) for failure in failures if failure.status or "Refused" in str(failure)
    ] == []
    found = inspect(installation)
    assert found.wrong() == {}
    assert found.error_codes == {}
    n_acknowledged = len(installation.operations.ids("run"))
    assert n_acknowledged <= found.n_succeeded <= n_acknowledged + len(failures)


class HalfUpload:
    """A CSV on its way; :meth:`finish` sends the rest and gives the status of the answer."""

    def __init__(self, port: int, client: Client, machine_id: int) -> None:
        mark = uuid4().hex
        body = (
            f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
        ).encode() + make_csv(n_rows=20_000)
        body += f"\r\n--{mark}--\r\n".encode()
        middle = len(body) // 2
        self._rest = body[middle:]
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.connection.putrequest("POST", f"/api/v1/machines/{machine_id}/datasets")
        self.connection.putheader("Authorization", f"Bearer {client.key}")
        self.connection.putheader("Content-Type", f"multipart/form-data; boundary={mark}")
        self.connection.putheader("Content-Length", str(len(body)))
        self.connection.endheaders()
        self.connection.send(body[:middle])

    def finish(self) -> int:
        self.connection.send(self._rest)
        answer = self.connection.getresponse()
        answer.read()
        return answer.status


@contextmanager
def begun_upload(installation: Installation, client: Client) -> Iterator[HalfUpload]:
    """An upload whose first half has been sent."""
    machine_id = client.create_machine("Press 01")
    upload = HalfUpload(installation.port, client, machine_id)
    with closing(upload.connection):
        yield upload


def takes_connections(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_web_that_is_asked_to_stop_finishes_an_upload_and_takes_nothing_new(
    make_installation: MakeInstallation,
) -> None:
    installation = make_installation()
    installation.web.start()
    client = installation.client()
    with begun_upload(installation, client) as upload:
        os.kill(installation.web.pid, signal.SIGTERM)
        wait_for(lambda: not takes_connections(installation.port), what="the end of listening")
        assert upload.finish() == http.client.ACCEPTED
    assert installation.web.process is not None
    assert installation.web.process.wait(GRACE_SECONDS) == 0, installation.web.log_tail()


def test_upload_that_outlasts_the_grace_is_cut_and_leaves_nothing_visible(
    make_installation: MakeInstallation,
) -> None:
    installation = make_installation()
    installation.web.start()
    client = installation.client()
    with begun_upload(installation, client) as upload:
        installation.web.stop(grace=GRACE_SECONDS)
        with pytest.raises((ConnectionError, http.client.HTTPException)):
            upload.finish()
    installation.web.start()
    assert client.call("GET", "/datasets") == []
