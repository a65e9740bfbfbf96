"""Queue and database are killed, stopped, emptied and cut off while people work."""

from __future__ import annotations

import http.client
import random
import sqlite3
import time
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
import redis

from prodapp import embedded_queue
from prodapp.models import RunState
from tests.factories import make_csv
from tests.faults.conftest import MakeFigures, MakeInstallation
from tests.faults.disks import fill_up, full, small_disk
from tests.faults.durable import DurablePostgres, durable
from tests.faults.figures import scale
from tests.faults.installation import Installation
from tests.faults.load import under_load
from tests.faults.oracle import inspect
from tests.faults.programs import wait_for
from tests.faults.recovery import RECOVER_SECONDS, SETTLE_SECONDS, n_dead, settle, wait_until_ready
from tests.services import private_folder

pytestmark = pytest.mark.queue

AWAY_SECONDS = 1.5


def look(installation: Installation, path: str) -> tuple[int, str | None, float]:
    """Status, ``Retry-After`` and the seconds that it took."""
    begin = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", installation.port, timeout=60)
    with closing(connection):
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.getheader("Retry-After"), time.monotonic() - begin


@pytest.mark.parametrize("what", ["killed", "emptied"])
def test_a_lost_queue_loses_nothing_and_no_page(
    make_installation: MakeInstallation, make_figures: MakeFigures, what: str
) -> None:
    n_strikes = scale(short=2, long=30) if what == "killed" else scale(short=2, long=10)
    installation = make_installation()
    installation.start()
    client = installation.client()
    machine_id = client.create_machine("Watched")
    with under_load(client, machine_id=machine_id) as load:
        for _ in range(n_strikes):
            time.sleep(random.uniform(0.5, AWAY_SECONDS))
            if what == "emptied":
                with redis.Redis.from_url(embedded_queue.socket_url(installation.folder)) as server:
                    server.flushall()
                continue
            installation.queue.kill()
            time.sleep(AWAY_SECONDS)
            installation.queue.start()
    findings = settle(installation)
    figures = make_figures(f"queue {what} under load")
    figures.note("strikes", n_strikes)
    figures.exactly("acknowledged and lost", len(findings.lost), 0)
    figures.exactly("errors on reads", load.reads.n_errors, 0)
    figures.exactly("refused uploads and runs", load.writes.n_errors, 0)
    figures.exactly("runs without an end", len(findings.unfinished), 0)
    figures.exactly("doubled versions", len(findings.doubled), 0)
    figures.note("runs", findings.n_runs)
    figures.note("reads", load.reads.n_good)
    figures.exactly("processes to start again", n_dead(installation), 0)
    figures.verify()
    assert findings.wrong() == {}
    assert findings.error_codes == {}
    assert load.unexpected == []


def test_work_is_accepted_without_a_queue_and_starts_when_it_is_there(
    make_installation: MakeInstallation,
) -> None:
    installation = make_installation()
    worker = installation.add_worker()
    for program in (installation.web, installation.dispatcher):
        program.start()
    worker.start(is_waiting=False)  # it is ready as soon as the queue is there
    client = installation.client()
    dataset_id = client.upload(client.create_machine("Press 01"), make_csv())
    run_id = client.start_run(dataset_id)
    assert client.run(run_id)["waiting_for"] == "queue"
    assert client.dataset(dataset_id)["waiting_for"] == "queue"
    assert look(installation, "/readyz")[0] == 200
    installation.queue.start()
    wait_for(
        lambda: client.run(run_id)["state"] == RunState.SUCCEEDED,
        what="the run",
        seconds=SETTLE_SECONDS,
    )
    assert client.run(run_id)["waiting_for"] is None
    assert worker.is_running


@pytest.mark.postgres
def test_a_database_that_stops_at_once_loses_nothing(
    make_installation: MakeInstallation,
    make_figures: MakeFigures,
    durable_postgres: DurablePostgres,
) -> None:
    n_stops = scale(short=2, long=20)
    installation = make_installation(database_url=durable_postgres.url)
    installation.start()
    client = installation.client()
    machine_id = client.create_machine("Watched")
    seconds_back = []
    with under_load(client, machine_id=machine_id) as load:
        for number in range(n_stops):
            time.sleep(random.uniform(1.0, 4.0))
            durable_postgres.stop_at_once()
            if number == 0:
                check_outage(installation)
            time.sleep(AWAY_SECONDS)
            durable_postgres.server.start()
            seconds_back.append(wait_until_ready(installation))
    findings = settle(installation)
    installation.end()
    durable_postgres.server.stop()
    figures = make_figures("immediate stops of PostgreSQL")
    figures.note("stops", n_stops)
    figures.exactly("acknowledged and lost", len(findings.lost), 0)
    figures.exactly("answers other than good, 503 or none", load.reads.n_unexpected, 0)
    figures.exactly("runs that failed", sum(findings.error_codes.values()), 0)
    figures.exactly("doubled versions", len(findings.doubled), 0)
    figures.at_most("ready again after", max(seconds_back), RECOVER_SECONDS, unit="s")
    figures.note("acknowledged writes", load.writes.n_good)
    figures.verify()
    assert findings.wrong() == {}
    assert load.unexpected == []
    assert durable_postgres.cluster.damage() == ""


def check_outage(installation: Installation) -> None:
    """What people and load balancers read while the database is away."""
    for path in ("/readyz", "/api/v1/machines", "/app/machines/"):
        wait_for(partial(look_away, installation, path), what=f"the outage at {path}")
    assert look(installation, "/healthz")[0] == 200
    assert look(installation, "/app/sign-in")[0] == 200


def look_away(installation: Installation, path: str) -> bool:
    headers = {"Authorization": f"Bearer pa_01234567_{'x' * 43}", "Cookie": "prodapp=x"}
    connection = http.client.HTTPConnection("127.0.0.1", installation.port, timeout=60)
    with closing(connection):
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        if path.startswith("/app/"):  # nobody is signed in: no database is asked
            return answer.status == 302
        is_told = path == "/readyz" or answer.getheader("Retry-After") is not None
        return answer.status == 503 and is_told


@pytest.mark.postgres
def test_a_full_disk_of_postgresql_is_told_and_overcome(
    make_installation: MakeInstallation, make_figures: MakeFigures, tmp_path: Path
) -> None:
    n_rounds = scale(short=1, long=5)
    n_told = n_read = 0
    with (
        private_folder() as folder,
        small_disk(folder, mebibytes=192),
        durable(folder, tmp_path / "template") as postgres,
    ):
        installation = make_installation(database_url=postgres.url)
        installation.web.start()
        client = installation.client()
        machine_id = client.create_machine("Watched")
        for number in range(n_rounds):
            with full(folder):
                n_told += fill_up(client, number) == 507
                n_read += client.call("GET", f"/machines/{machine_id}")["id"] == machine_id
            client.create_machine(f"After {number}")
        findings = inspect(installation)
        installation.end()
    figures = make_figures("full disk of PostgreSQL")
    figures.exactly(f"told, of {n_rounds}", n_told, n_rounds)
    figures.exactly(f"reads meanwhile, of {n_rounds}", n_read, n_rounds)
    figures.exactly("acknowledged and lost", len(findings.lost), 0)
    figures.verify()


def test_killed_writers_leave_sqlite_whole(
    make_installation: MakeInstallation, make_figures: MakeFigures
) -> None:
    n_kills = scale(short=3, long=50)
    installation = make_installation()
    installation.start(n_workers=scale(short=1, long=2))
    client = installation.client()
    machine_id = client.create_machine("Watched")
    victims = [installation.web, installation.dispatcher, *installation.workers]
    with under_load(client, machine_id=machine_id) as load:
        for number in range(n_kills):
            time.sleep(random.uniform(0.2, 1.5))
            victim = victims[number % len(victims)]
            victim.kill()
            victim.start()
    findings = settle(installation)
    with closing(sqlite3.connect(installation.folder / "prodapp.db")) as connection:
        integrity = connection.execute("PRAGMA integrity_check").fetchall()
    figures = make_figures("kills of processes that write to SQLite")
    figures.note("kills", n_kills)
    figures.exactly("acknowledged and lost", len(findings.lost), 0)
    figures.exactly("damaged pages", len(integrity) - 1, 0)
    figures.exactly("doubled versions", len(findings.doubled), 0)
    figures.note("acknowledged writes", load.writes.n_good)
    figures.verify()
    assert integrity == [("ok",)]
    assert findings.wrong() == {}
    assert load.unexpected == []
