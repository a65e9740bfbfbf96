"""One process of the product's server beside one of a plain Flask view, over HTTP."""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

N_CLIENTS = 4
N_SINGLE = 300
START_SECONDS = 90.0
N_BATCH = 200_000


def measure(path: Path, *, seconds: float) -> dict[str, Any]:
    """Medians in milliseconds, requests and rows a second."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        record, key, machine_id, batch = _install(folder, path)
        port = _free_port()
        environ = {**_instance(folder), "PORT": str(port)}
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        address = f"/api/v1/machines/{machine_id}/predictions"
        with _server([sys.executable, "-m", "prodapp.server"], environ, port):
            ours = _load(port, address, headers, record, seconds=seconds, expect=201)
        port = _free_port()
        plain_command = [
            *(sys.executable, "-m", "granian", "--interface", "wsgi", "--workers", "1"),
            *(
                "--blocking-threads",
                "8",
                "--port",
                str(port),
                "--working-dir",
                ".",
                "benchmarks.predict.plain:app",
            ),
        ]
        with _server(plain_command, {"PLAIN_CSV": str(path.resolve())}, port):
            headers.pop("Authorization")
            plain = _load(port, "/predict", headers, record, seconds=seconds, expect=200)
    return {
        "product": ours,
        "plain": plain,
        "times_the_requests": ours["requests_per_second"] / plain["requests_per_second"],
        "batch_rows_per_second": batch,
        "processors": os.cpu_count(),
        "load": os.getloadavg()[0],
    }


def _install(folder: Path, path: Path) -> tuple[dict[str, Any], str, int, float]:
    """An installation with a forest of 100 fully grown trees; and the pace of large batches."""
    os.environ.update(_instance(folder))
    from flask_migrate import upgrade

    from prodapp import create_app
    from prodapp.auth import service as auth
    from prodapp.datasets import service as datasets
    from prodapp.datasets.jobs import import_dataset
    from prodapp.machines import service as machines
    from prodapp.predictions.documents import inputs_document
    from prodapp.predictions.predictors import predictor_of
    from prodapp.predictions.versions import version_in_use
    from prodapp.training import service as training
    from prodapp.training.jobs import run_training

    app = create_app()
    with app.app_context():
        upgrade(directory="migrations")
        caller = auth.system_caller(name="bench")
        auth.create_user(caller, username="bench", role="operator")
        key = auth.create_key(caller, username="bench", name="bench").secret
        machine = machines.create_machine(caller, name="Plant")
        with path.open("rb") as source:
            dataset = datasets.register_dataset(
                caller, machine_id=machine.id, source=source, filename=path.name
            )
        import_dataset(dataset.id)
        target = path.open(encoding="utf-8-sig").readline().strip().rsplit(",", 1)[1]
        run = training.start_run(
            caller,
            dataset_id=dataset.id,
            specification={
                "target": target,
                "hyperparameters": {"n_estimators": 100, "min_samples_leaf": 1},
                "time_budget_seconds": 60,
            },
        )
        run_training(run.id)
        version = version_in_use(caller, machine.id)
        predictor = predictor_of(version)
        rows = list(predictor.reference.rows)
        encoded = np.array(rows, dtype=float)[np.arange(N_BATCH) % len(rows)]
        encoded += np.random.default_rng(0).normal(0, 1e-3, encoded.shape)
        pace = _pace(lambda: predictor._estimate(encoded, n_jobs=os.cpu_count() or 1))
        return inputs_document(version)["record"], key, machine.id, N_BATCH / pace


def _pace(work: Callable[[], Any]) -> float:
    work()
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _instance(folder: Path) -> dict[str, str]:
    return {
        "PRODAPP_INSTANCE": str(folder / "instance"),
        "WRITES_PER_MINUTE": "1000000",
        "LOG_LEVEL": "WARNING",
    }


@contextmanager
def _server(command: list[str], environ: dict[str, str], port: int) -> Iterator[None]:
    process = subprocess.Popen(command, env={**os.environ, **environ})
    try:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.2)
        yield
    finally:
        process.terminate()
        process.wait()


def _load(
    port: int,
    address: str,
    headers: dict[str, str],
    record: dict[str, Any],
    *,
    seconds: float,
    expect: int,
) -> dict[str, float]:
    body = json.dumps({"record": record}).encode()
    lines = [f"POST {address} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    request = "\r\n".join([*lines, "", ""]).encode() + body

    def ask(connection: socket.socket) -> float:
        started = time.perf_counter()
        connection.sendall(request)
        status = _status(connection)
        if status != expect:
            raise RuntimeError(f"{address}: {status}")
        return 1000 * (time.perf_counter() - started)

    with socket.create_connection(("127.0.0.1", port)) as connection:
        for _ in range(20):
            ask(connection)  # loads the version
        single = [ask(connection) for _ in range(N_SINGLE)]

    def client(_: int) -> int:
        n_asked, end = 0, time.monotonic() + seconds
        with socket.create_connection(("127.0.0.1", port)) as own:
            while time.monotonic() < end:
                ask(own)
                n_asked += 1
        return n_asked

    with ThreadPoolExecutor(N_CLIENTS) as executor:
        n_asked = sum(executor.map(client, range(N_CLIENTS)))
    return {
        "median_ms": statistics.median(single),
        "p95_ms": float(np.quantile(single, 0.95)),
        "requests_per_second": n_asked / seconds,
    }


def _status(connection: socket.socket) -> int:
    """The status of an answer, read to its end. Bare, since a client that takes as long as the
    server would be what is measured."""
    answer = connection.recv(65_536)
    while b"\r\n\r\n" not in answer:
        answer += connection.recv(65_536)
    head, _, rest = answer.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    while len(rest) < length:
        rest += connection.recv(65_536)
    return int(head.split(b" ", 2)[1])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
