"""Real workers on a real queue: runs end once, whatever happens to who works on them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from flask import Flask
from sqlalchemy import func, select, update

from prodapp import dispatcher
from prodapp.auth import service as auth
from prodapp.caller import Caller
from prodapp.extensions import command, db, settings_of
from prodapp.machines import service as machines
from prodapp.models import Dataset, DatasetState, ModelVersion, RunState, TrainingRun
from prodapp.models.types import db_now
from prodapp.processes import spawn, terminate_all
from prodapp.training import service as training
from tests.conftest import ROOT, SECRET
from tests.factories import make_dataset, make_run

pytestmark = pytest.mark.queue

PATIENCE = 90.0
Start = Callable[[], subprocess.Popen[bytes]]


@pytest.fixture
def queued_app(make_app: Callable[..., Flask], empty_valkey_url: str) -> Iterator[Flask]:
    """An application whose queue is a real Valkey."""
    app = make_app(REDIS_URL=empty_valkey_url)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def operator(queued_app: Flask) -> Caller:
    return auth.system_caller(name="tester")


@pytest.fixture
def start_worker(queued_app: Flask, tmp_path: Path) -> Iterator[Start]:
    """A function that starts ``flask worker`` on the application's queue and database."""
    settings = settings_of(queued_app)
    workers = []
    env = {
        **os.environ,
        "PRODAPP_PROFILE": "testing",
        "PRODAPP_INSTANCE": str(settings.instance_path),
        "REDIS_URL": settings.redis_url or "",
        "SECRET_KEY": SECRET,
    }

    def start() -> subprocess.Popen[bytes]:
        args = [sys.executable, "-m", "flask", "--app", "wsgi", "worker"]
        worker = spawn(args, env=env, cwd=ROOT, log=tmp_path / "worker.log")
        workers.append(worker)
        return worker

    yield start
    terminate_all(workers, grace=10)


def until(condition: Callable[[], bool], *, ticking: bool = True) -> None:
    """Wait for ``condition``, ticking the dispatcher as its process would."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        if ticking:
            dispatcher.tick()
        time.sleep(0.1)


def state_of(run: TrainingRun) -> str:
    db.session.rollback()
    db.session.add(run)  # each tick of the dispatcher ends its session
    db.session.refresh(run)
    return run.state


def n_versions(run: TrainingRun) -> int:
    count = select(func.count()).where(ModelVersion.run_id == run.id)
    return db.session.scalar(count) or 0


def horse_of(worker: subprocess.Popen[bytes]) -> psutil.Process:
    (horse,) = psutil.Process(worker.pid).children()
    return horse


def is_gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def wait_for_renewal(run: TrainingRun) -> None:
    state_of(run)
    before = run.lease_until
    until(lambda: bool(state_of(run)) and run.lease_until != before, ticking=False)


def expire_lease() -> None:
    """The lease would run out in 20 s; the test does not wait for it."""
    with command() as session:
        session.execute(update(TrainingRun).values(lease_until=db_now(-1)))


@pytest.fixture
def arm(queued_app: Flask) -> Iterator[Callable[..., Path]]:
    """A function that arms a failpoint; unlinking the path that it gives disarms it."""
    folder = settings_of(queued_app).instance_path / "failpoints"
    folder.mkdir()

    def write(name: str, action: str = "wait") -> Path:
        path = folder / name
        path.write_text(action, encoding="ascii")
        return path

    yield write
    shutil.rmtree(folder)


def test_upload_and_training_go_through_the_queue(operator: Caller, start_worker: Start) -> None:
    run = make_run(operator, make_dataset(operator))
    start_worker()
    until(lambda: state_of(run) == RunState.SUCCEEDED)
    assert db.session.get_one(Dataset, run.dataset_id).state == DatasetState.READY
    assert (n_versions(run), run.attempt) == (1, 1)


def test_a_queue_that_forgot_everything_is_filled_again(
    operator: Caller, start_worker: Start, queued_app: Flask
) -> None:
    run = make_run(operator, make_dataset(operator))
    queued_app.extensions["prodapp.queue"].connection.flushall()
    with command() as session:
        session.execute(update(Dataset).values(dispatched_at=db_now(-60)))
    start_worker()
    until(lambda: state_of(run) == RunState.SUCCEEDED)
    assert n_versions(run) == 1


@pytest.mark.parametrize("point", ["run.claimed", "run.trained", "run.stored", "run.publishing"])
def test_a_horse_that_dies_anywhere_is_settled_and_its_run_tried_again(
    operator: Caller, start_worker: Start, arm: Callable[..., Path], point: str
) -> None:
    arm(point, "die")
    run = make_run(operator)
    start_worker()
    until(lambda: state_of(run) == RunState.SUCCEEDED)
    assert (n_versions(run), run.attempt, run.n_lost, run.n_failures) == (1, 2, 1, 0)


def test_a_horse_that_dies_after_publishing_changes_nothing(
    operator: Caller, start_worker: Start, arm: Callable[..., Path]
) -> None:
    point = arm("run.published", "die")
    run = make_run(operator)
    start_worker()
    until(lambda: not point.exists())
    until(lambda: state_of(run) == RunState.SUCCEEDED)
    assert (n_versions(run), run.attempt, run.n_lost) == (1, 1, 0)


def test_a_killed_worker_takes_its_horse_along_and_another_takes_over(
    operator: Caller, start_worker: Start, arm: Callable[..., Path]
) -> None:
    point = arm("run.trained")
    run = make_run(operator)
    worker = start_worker()
    until(lambda: state_of(run) == RunState.RUNNING)
    horse = horse_of(worker)
    worker.kill()
    worker.wait()
    until(lambda: is_gone(horse), ticking=False)
    point.unlink()
    expire_lease()
    start_worker()
    until(lambda: state_of(run) == RunState.SUCCEEDED)
    assert (n_versions(run), run.attempt) == (1, 2)


def test_a_cancel_stops_a_horse_that_does_not_listen(
    operator: Caller, start_worker: Start, arm: Callable[..., Path]
) -> None:
    arm("run.trained")
    run = make_run(operator)
    worker = start_worker()
    until(lambda: state_of(run) == RunState.RUNNING)
    horse = horse_of(worker)
    training.cancel_run(operator, run.id)
    until(lambda: state_of(run) == RunState.CANCELED)
    assert is_gone(horse)
    assert n_versions(run) == 0


def test_a_worker_asked_to_stop_hands_its_run_back(
    operator: Caller, start_worker: Start, arm: Callable[..., Path]
) -> None:
    arm("run.trained")
    run = make_run(operator)
    worker = start_worker()
    until(lambda: state_of(run) == RunState.RUNNING)
    worker.send_signal(signal.SIGTERM)
    until(lambda: worker.poll() is not None)
    assert worker.returncode == 0
    assert state_of(run) in (RunState.QUEUED, RunState.RETRY_WAIT)
    assert (run.n_lost, run.n_failures, n_versions(run)) == (0, 0, 0)


def test_a_paused_worker_is_fenced_when_it_wakes_up(
    operator: Caller, start_worker: Start, arm: Callable[..., Path]
) -> None:
    point = arm("run.trained")
    run = make_run(operator)
    paused = start_worker()
    until(lambda: state_of(run) == RunState.RUNNING)
    horse = horse_of(paused)
    family = [psutil.Process(paused.pid), horse]
    until(point.with_name(f"{point.name}.reached").exists, ticking=False)
    wait_for_renewal(run)  # neither of them is in a transaction now, which would block everybody
    for process in family:
        process.suspend()
    point.unlink()
    expire_lease()
    start_worker()
    until(lambda: state_of(run) == RunState.SUCCEEDED)
    for process in family:
        process.resume()
    until(lambda: is_gone(horse), ticking=False)
    assert state_of(run) == RunState.SUCCEEDED
    assert (n_versions(run), run.attempt) == (1, 2)


def test_deleting_a_machine_stops_its_run_and_removes_its_files(
    operator: Caller, start_worker: Start, queued_app: Flask, arm: Callable[..., Path]
) -> None:
    arm("run.trained")
    run = make_run(operator)
    start_worker()
    until(lambda: state_of(run) == RunState.RUNNING)
    machines.delete_machine(operator, run.machine_id)
    until(lambda: state_of(run) == RunState.CANCELED)
    dispatcher.tick()
    files = settings_of(queued_app).instance_path / "files"
    assert [path for path in files.rglob("*") if path.is_file()] == []
