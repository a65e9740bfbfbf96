"""Uploads whose server is killed, whose network is bad, whose disk is full."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from prodapp import dispatcher
from prodapp.models import RunState
from tests.factories import make_csv
from tests.faults.client import Client, NotAcknowledged
from tests.faults.conftest import MakeFigures, MakeInstallation
from tests.faults.disks import fill_up, full, small_disk
from tests.faults.figures import scale
from tests.faults.installation import Installation
from tests.faults.oracle import inspect
from tests.faults.programs import wait_for
from tests.faults.proxy import FAIR, Proxy, Weather

MIB = 1024**2
UPLOAD_BYTES = scale(short=20, long=200) * MIB
MEMORY_LIMIT = 64 * MIB


@pytest.fixture(scope="module")
def large_csv() -> bytes:
    """As many rows as make ``UPLOAD_BYTES``."""
    head, rows = make_csv(n_rows=20_000).split(b"\n", 1)
    n_copies = UPLOAD_BYTES // len(rows) + 1
    return head + b"\n" + (rows * n_copies)[:UPLOAD_BYTES].rsplit(b"\n", 1)[0] + b"\n"


def web_memory(installation: Installation) -> int:
    """Resident bytes of the process that answers, and of its parent."""
    family = [psutil.Process(installation.web.pid), *installation.web.children()]
    sizes = []
    for process in family:
        with suppress(psutil.NoSuchProcess):
            sizes.append(process.memory_info().rss)
    return sum(sizes)


def sweep_all(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the dispatcher does each minute, as if everything here were older than its grace."""
    monkeypatch.setattr(dispatcher, "ORPHAN_SECONDS", 0.0)
    time.sleep(0.1)
    with installation.context():
        dispatcher.sweep()
    monkeypatch.undo()


def test_a_web_server_killed_in_uploads_shows_nothing_half(
    make_installation: MakeInstallation,
    make_figures: MakeFigures,
    monkeypatch: pytest.MonkeyPatch,
    large_csv: bytes,
) -> None:
    n_kills = scale(short=2, long=50)
    installation = make_installation()
    installation.web.start()
    client = installation.client()
    machine_id = client.create_machine("Press 01")
    n_whole = 0
    for number in range(n_kills):
        done = threading.Event()
        thread = threading.Thread(target=upload, args=(client, machine_id, large_csv, done))
        thread.start()
        time.sleep(random.uniform(0.0, 1.2))
        installation.web.kill()
        thread.join()
        n_whole += done.is_set()
        installation.web.start()
        if number == 0:
            assert client.call("GET", f"/machines/{machine_id}/datasets") is not None
    findings = inspect(installation)
    n_shown = len(client.call("GET", f"/machines/{machine_id}/datasets?page_size=100"))
    sweep_all(installation, monkeypatch)
    swept = inspect(installation)
    figures = make_figures("kills of web in uploads")
    figures.note("kills", n_kills)
    figures.note("size of each upload", UPLOAD_BYTES // MIB, unit="MiB")
    figures.exactly("acknowledged and lost", len(findings.lost), 0)
    figures.exactly("half visible", len(findings.half_visible) + len(findings.damaged), 0)
    figures.at_least("shown data sets, of those acknowledged", n_shown, n_whole)
    figures.exactly("orphans after the sweep", swept.n_orphans + swept.n_drafts, 0)
    figures.verify()


def upload(client: Client, machine_id: int, content: bytes, done: threading.Event) -> None:
    with suppress(NotAcknowledged):
        client.upload(machine_id, content)
        done.set()


def test_large_uploads_do_not_pile_up_in_memory(
    make_installation: MakeInstallation, make_figures: MakeFigures, large_csv: bytes
) -> None:
    n_uploads = scale(short=2, long=10)
    installation = make_installation()
    installation.web.start()
    client = installation.client()
    machine_id = client.create_machine("Press 01")
    client.upload(machine_id, make_csv())  # what the first upload loads is no growth
    before = peak = web_memory(installation)
    for _ in range(n_uploads):
        done = threading.Event()
        thread = threading.Thread(target=upload, args=(client, machine_id, large_csv, done))
        thread.start()
        while thread.is_alive():
            peak = max(peak, web_memory(installation))
            time.sleep(0.02)
        assert done.is_set()
    figures = make_figures("memory of web in uploads")
    figures.note("uploads", n_uploads)
    figures.note("size of each upload", UPLOAD_BYTES // MIB, unit="MiB")
    figures.at_most("growth at its peak", (peak - before) / MIB, MEMORY_LIMIT / MIB, unit="MiB")
    figures.verify()


def test_an_upload_that_is_cut_off_leaves_nothing(
    make_installation: MakeInstallation, monkeypatch: pytest.MonkeyPatch, large_csv: bytes
) -> None:
    installation = make_installation()
    installation.web.start()
    client = installation.client()
    machine_id = client.create_machine("Press 01")
    with Proxy(installation.port) as proxy:
        distant = client.at("127.0.0.1", proxy.port)
        for weather in (None, Weather(swallows=True), Weather(forgets=True)):
            thread = threading.Thread(
                target=upload, args=(distant, machine_id, large_csv, threading.Event())
            )
            proxy.weather = Weather(rate=MIB)  # too slow for all of it
            thread.start()
            time.sleep(0.5)
            proxy.weather = weather or proxy.weather
            time.sleep(0.5)
            proxy.weather = Weather(refuses=True)
            proxy.end_all()
            thread.join()
            proxy.weather = FAIR
    wait_for(lambda: installation.is_answering("/readyz"), what="web")
    assert client.call("GET", f"/machines/{machine_id}/datasets") == []
    sweep_all(installation, monkeypatch)
    findings = inspect(installation)
    assert (findings.n_orphans, findings.n_drafts) == (0, 0)


def test_clients_that_send_byte_by_byte_hold_nobody_up(
    make_installation: MakeInstallation, make_figures: MakeFigures
) -> None:
    n_slow = scale(short=8, long=32)  # as many as web has threads, and more
    installation = make_installation()
    installation.web.start()
    client = installation.client()
    machine_id = client.create_machine("Press 01")
    slowest, n_reads = 0.0, scale(short=20, long=200)
    with dripping(installation.port, machine_id, client.key, n=n_slow):
        for _ in range(n_reads):
            begin = time.monotonic()
            assert client.call("GET", f"/machines/{machine_id}")["id"] == machine_id
            slowest = max(slowest, time.monotonic() - begin)
    wait_for(lambda: can_upload(client, machine_id), what="an upload")
    figures = make_figures("clients that send byte by byte")
    figures.note("clients", n_slow)
    figures.note("reads meanwhile", n_reads)
    figures.at_most("slowest of them", slowest, 10.0, unit="s")
    figures.verify()


def can_upload(client: Client, machine_id: int) -> bool:
    with suppress(NotAcknowledged):
        client.upload(machine_id, make_csv())
        return True
    return False


@contextmanager
def dripping(port: int, machine_id: int, key: str, *, n: int) -> Iterator[None]:
    """``n`` clients that have announced a large upload and send ten bytes of it a second."""
    head = (
        f"POST /api/v1/machines/{machine_id}/datasets HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {key}\r\nContent-Type: multipart/form-data; boundary=xyz\r\n"
        f"Content-Length: {UPLOAD_BYTES}\r\n\r\n--xyz\r\n"
        'Content-Disposition: form-data; name="file"; filename="slow.csv"\r\n\r\n'
    )
    stop = threading.Event()
    connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(n)]

    def drip() -> None:
        while not stop.wait(0.1):
            for connection in connections:
                with suppress(OSError):
                    connection.sendall(b"1")

    for connection in connections:
        connection.sendall(head.encode())
    thread = threading.Thread(target=drip)
    thread.start()
    time.sleep(1)
    try:
        yield
    finally:
        stop.set()
        thread.join()
        for connection in connections:
            connection.close()


def refusal(call: object, *args: object) -> int:
    """The status of a call that is refused."""
    with pytest.raises(NotAcknowledged) as caught:
        call(*args)  # type: ignore[operator]
    assert '"code":"disk_full"' in str(caught.value).replace(" ", "")
    return caught.value.status


@pytest.mark.queue
def test_a_full_disk_is_told_by_web_and_worker_and_overcome(
    make_installation: MakeInstallation,
    make_figures: MakeFigures,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    n_rounds = scale(short=1, long=5)
    installation = make_installation()
    n_told = {"web": 0, "import": 0, "run": 0}
    with small_disk(installation.instance, mebibytes=24):
        installation.start()
        client = installation.client()
        machine_id = client.create_machine("Press 01")
        for number in range(n_rounds):
            content = make_csv(n_rows=100, seed=number)
            worker = installation.workers[0]
            worker.pause()
            with full(installation.instance):
                n_told["web"] += refusal(client.upload, machine_id, content) == 507
                assert installation.is_answering("/readyz")
                assert client.call("GET", f"/machines/{machine_id}")["id"] == machine_id
            dataset_id = client.upload(machine_id, content)
            with full(installation.instance):
                worker.resume()
                wait_for(
                    lambda: client.dataset(dataset_id)["state"] == "refused",  # noqa: B023
                    what="a refused import",
                )
            n_told["import"] += client.dataset(dataset_id)["error"]["code"] == "disk_full"
            dataset_id = client.upload(machine_id, content)
            wait_for(lambda: client.dataset(dataset_id)["state"] == "ready", what="an import")  # noqa: B023
            with full(installation.instance):
                run_id = client.start_run(dataset_id)
                wait_for(lambda: client.run(run_id)["state"] == "failed", what="a failed run")  # noqa: B023
            n_told["run"] += client.run(run_id)["error"]["code"] == "disk_full"
            run_id = client.start_run(dataset_id)
            wait_for(lambda: client.run(run_id)["state"] == RunState.SUCCEEDED, what="a run")  # noqa: B023
        sweep_all(installation, monkeypatch)
        findings = inspect(installation)
        installation.end()
    figures = make_figures("full disk")
    for place, number in n_told.items():
        figures.exactly(f"told by {place}, of {n_rounds}", number, n_rounds)
    figures.exactly("half-written files", findings.n_orphans + findings.n_drafts, 0)
    figures.exactly("half visible", len(findings.half_visible) + len(findings.damaged), 0)
    figures.verify()
    assert findings.lost == ()


def test_a_full_disk_of_sqlite_is_told_and_overcome(
    make_installation: MakeInstallation,
    make_figures: MakeFigures,
    sqlite_template: Path,
    tmp_path: Path,
) -> None:
    n_rounds = scale(short=1, long=5)
    disk = tmp_path / "disk"
    disk.mkdir()
    n_told = n_read = 0
    with small_disk(disk, mebibytes=4):
        (disk / "prodapp.db").write_bytes(sqlite_template.read_bytes())
        installation = make_installation(database_url=f"sqlite:///{disk / 'prodapp.db'}")
        installation.web.start()
        client = installation.client()
        machine_id = client.create_machine("Watched")
        for number in range(n_rounds):
            with full(disk):
                n_told += fill_up(client, number) == 507
                n_read += client.call("GET", f"/machines/{machine_id}")["id"] == machine_id
            client.create_machine(f"After {number}")
        findings = inspect(installation)
        installation.end()
    figures = make_figures("full disk of SQLite")
    figures.exactly(f"told, of {n_rounds}", n_told, n_rounds)
    figures.exactly(f"reads meanwhile, of {n_rounds}", n_read, n_rounds)
    figures.exactly("acknowledged and lost", len(findings.lost), 0)
    figures.verify()
