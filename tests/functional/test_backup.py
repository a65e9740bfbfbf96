"""A backup while a worker trains, restored elsewhere and started: nothing is lost or torn."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.factories import make_csv
from tests.faults.client import Client, OperationLog
from tests.functional.test_supervisor import Running, environment, is_up, supervisor, wait_until
from tests.services import private_folder

pytestmark = [
    pytest.mark.queue,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc"),
]
PATIENCE = 120.0


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short enough for sockets."""
    with private_folder() as path:
        yield path


def flask(instance: Path, *args: str, expect: int = 0) -> Any:
    """Run ``flask … --json`` on an instance; gives the document that it prints."""
    result = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", *args, "--json"],
        cwd=ROOT,
        env=environment(instance, 1),
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert result.returncode == expect, f"{args}: {result.stdout}\n{result.stderr}"
    return json.loads(result.stdout) if result.stdout else None


def client_of(running: Running, key: str, log: Path) -> Client:
    return Client("127.0.0.1", running.port, key=key, log=OperationLog(log))


def start_run(client: Client, *, seed: int) -> None:
    machine_id = client.create_machine(f"Machine {seed}")
    client.start_run(client.upload(machine_id, make_csv(seed=seed)))


def ask(instance: Path, statement: str) -> list[Any]:
    """What the instance's database says, without a process of its own for each question."""
    address = f"file:{instance / 'prodapp.db'}?mode=ro"
    with closing(sqlite3.connect(address, uri=True)) as connection:
        return connection.execute(statement).fetchall()


def states(instance: Path) -> list[str]:
    return [state for (state,) in ask(instance, "SELECT state FROM training_runs ORDER BY id")]


def rankings(instance: Path) -> list[Any]:
    return ask(
        instance,
        "SELECT machine_id, rank, feature, round(score_final, 9) FROM variable_rankings "
        "JOIN model_versions ON model_versions.id = version_id ORDER BY 1, 2",
    )


def stop(running: Running) -> None:
    running.process.send_signal(signal.SIGTERM)
    running.process.wait(PATIENCE)


def test_a_backup_while_a_run_publishes_comes_back_whole_and_goes_on(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRODAPP_PROFILE", "testing")  # where a run can be held at a point
    first, second = folder / "first", folder / "second"
    point = first / "failpoints" / "run.stored"
    point.parent.mkdir(parents=True)
    with supervisor(first) as running:
        assert wait_until(lambda: is_up(running)), running.said()
        flask(first, "user", "create", "maria")
        key = flask(first, "key", "create", "maria")["key"]
        client = client_of(running, key, tmp_path / "first.log")
        start_run(client, seed=1)
        assert wait_until(lambda: states(first) == ["succeeded"])
        point.write_text("wait")
        start_run(client, seed=2)
        assert wait_until(point.with_name("run.stored.reached").exists)
        # The model's file is there, and no row speaks of it yet.
        made = flask(first, "backup", "create")
        assert made["missing"] == []
        refused = flask(first, "backup", "restore", made["name"], "--replace", "--yes", expect=1)
        assert refused is None, "it is running"
        point.unlink()
        assert wait_until(lambda: states(first) == ["succeeded", "succeeded"])
        published = rankings(first)
        answer = client.call("GET", "/machines/1/ranking")
        stop(running)

    # It verifies before it touches anything.
    assert flask(second, "backup", "restore", made["path"])["n_rows"] == made["n_rows"]
    files = [path for path in (second / "files").rglob("*") if path.is_file()]
    assert len(files) == made["n_files"] == 6  # uploads, tables, a model, its held-out samples
    for path in files:
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
    assert states(second) == ["succeeded", "publishing"]

    with supervisor(second) as running:
        assert wait_until(lambda: is_up(running)), running.said()
        client = client_of(running, key, tmp_path / "second.log")
        assert client.call("GET", "/machines/1/ranking") == answer
        # What was under way starts again and comes to the same end.
        assert wait_until(lambda: states(second) == ["succeeded", "succeeded"])
        assert rankings(second) == published
        assert wait_until(lambda: doctor(second) == [])
        stop(running)


def doctor(instance: Path) -> list[str]:
    """The codes of what is wrong with a running instance."""
    result = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "doctor", "--json"],
        cwd=ROOT,
        env=environment(instance, 1),
        capture_output=True,
        text=True,
        check=False,
    )
    return [finding["code"] for finding in json.loads(result.stdout)]


def test_a_killed_backup_leaves_nothing_that_looks_like_one(folder: Path, tmp_path: Path) -> None:
    instance = folder / "instance"
    upgrade = [sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"]
    subprocess.run(upgrade, cwd=ROOT, env=environment(instance, 1), check=True, capture_output=True)
    flask(instance, "machine", "create", "Press")
    data = tmp_path / "data.csv"
    data.write_bytes(make_csv(n_rows=20_000))
    for _ in range(3):
        flask(instance, "dataset", "import", "1", str(data))
    killed = 0
    while killed < 2:
        args = [sys.executable, "-m", "flask", "--app", "wsgi", "backup", "create"]
        process = subprocess.Popen(
            args,
            cwd=ROOT,
            env=environment(instance, 1),
            stdout=subprocess.DEVNULL,
        )
        backups = instance / "backups"
        while process.poll() is None and not list(backups.glob(".draft-*/tables/*")):
            time.sleep(0.001)
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            killed += 1
        process.wait()
    made = flask(instance, "backup", "create")
    assert flask(instance, "backup", "list")[-1]["name"] == made["name"]
    for found in flask(instance, "backup", "list"):
        assert flask(instance, "backup", "verify", found["name"])["problems"] == []
    assert not list((instance / "backups").glob(".draft-*"))
