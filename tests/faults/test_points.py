"""Every named point of imports and runs: who dies or sleeps there loses and doubles nothing."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress

import psutil
import pytest
from sqlalchemy import func, select

from prodapp.extensions import db
from prodapp.failpoints import POINTS
from prodapp.models import Dataset, ModelVersion, PredictionBatch, TrainingRun
from prodapp.models.prediction_batch import BATCH_ACTIVE
from tests.factories import make_csv
from tests.faults.client import NotAcknowledged
from tests.faults.conftest import MakeFigures, MakeInstallation, over
from tests.faults.figures import IS_LONG
from tests.faults.oracle import inspect
from tests.faults.plant import Plant
from tests.faults.programs import Program, wait_for

pytestmark = pytest.mark.queue

# Before the claim and after the last commit nobody owns the row: a death there is no loss of it.
UNOWNED = ("delivered", "ready", "published")
# Killing workers and waiting for leases takes a while: the short form takes the steps that matter.
STEPS = ("dataset.stored", "run.claimed", "run.publishing")
CHOSEN = POINTS if IS_LONG else STEPS


@pytest.fixture
def plant(database: str, make_installation: MakeInstallation) -> Plant:
    plant = Plant(make_installation(database), n_workers=2, seed=1)
    plant.stock(n_datasets=2, n_rows=80)
    return plant


def send(plant: Plant, point: str) -> None:
    """Give the workers something that comes by ``point``.

    It may be refused: what was taken back at an earlier point may be held at this one already, in
    a transaction that others wait for.
    """
    if point.startswith("dataset"):
        with suppress(NotAcknowledged):
            machine_id = plant.client.create_machine(f"For {point}")
            plant.client.upload(machine_id, make_csv(seed=POINTS.index(point)))
    elif point.startswith("batch"):
        with suppress(NotAcknowledged):
            plant.start_batch()
    else:
        plant.start_run()


def finish(plant: Plant) -> None:
    plant.finish()
    for dataset_id in plant.installation.operations.ids("upload"):
        plant.wait_until_ready(dataset_id)
    wait_for(lambda: plant.n_active(PredictionBatch, BATCH_ACTIVE) == 0, what="the last batch")


def n_lost(plant: Plant) -> int:
    """How often a row was taken from a worker that had vanished."""
    with plant.installation.context():
        return sum(
            db.session.scalar(select(func.sum(model.n_lost))) or 0
            for model in (TrainingRun, Dataset, PredictionBatch)
        )


def n_owned(points: tuple[str, ...]) -> int:
    return sum(point.rpartition(".")[2] not in UNOWNED for point in points)


@over("sqlite")
def test_a_horse_may_die_anywhere(plant: Plant, make_figures: MakeFigures) -> None:
    plant.train_champion()
    for point in POINTS:
        plant.installation.arm(point, "die")
        send(plant, point)
        wait_for(lambda: not plant.installation.is_armed(point), what=f"a death at {point}")  # noqa: B023
    finish(plant)
    figures = make_figures("horse dies at each named point")
    figures.exactly("deaths", len(POINTS), len(POINTS))
    figures.exactly("taken back at once by its worker", n_lost(plant), n_owned(POINTS))
    figures.whole(inspect(plant.installation))
    figures.verify()


@over("sqlite")
def test_a_worker_may_die_anywhere(plant: Plant, make_figures: MakeFigures) -> None:
    plant.train_champion()
    orphaned = []
    for point in CHOSEN:
        plant.installation.arm(point)
        send(plant, point)
        horse = plant.installation.wait_until_held(point)
        plant.worker_with(horse).kill()
        wait_for(lambda: not psutil.pid_exists(horse), what="the horse's end")  # noqa: B023
        orphaned.append(horse)
        plant.installation.disarm(point)
        plant.revive()
    finish(plant)
    figures = make_figures("worker dies at each named point")
    figures.exactly("deaths", len(orphaned), len(CHOSEN))
    figures.exactly("taken back by the reaper", n_lost(plant), n_owned(CHOSEN))
    figures.whole(inspect(plant.installation))
    figures.verify()


@over("postgres")
def test_who_sleeps_beyond_the_lease_is_fenced(
    plant: Plant, make_figures: MakeFigures, database: str
) -> None:
    """SIGSTOP to the worker and its horse, until another worker has done the work."""
    # A SQLite database has one writer: who sleeps while it writes blocks all others, as he would
    # on a disk that hangs. PostgreSQL ends the transaction of a sleeper.
    points = tuple(p for p in CHOSEN if not (database == "sqlite" and p.endswith(".publishing")))
    plant.train_champion()
    asleep: list[Program] = []
    for point in points:
        plant.installation.arm(point)
        send(plant, point)
        worker = plant.worker_with(plant.installation.wait_until_held(point))
        fall_asleep(plant, worker)
        plant.installation.disarm(point)
        asleep.append(worker)
        spare = plant.installation.add_worker()
        spare.start(is_waiting=False)
    finish(plant)
    versions = n_versions(plant)
    for worker in asleep:
        worker.resume()
    wait_for(lambda: not plant.busy_workers(), what="the end of the sleepers' work")
    figures = make_figures("worker sleeps beyond the lease at each named point")
    figures.exactly("fenced", len(points) - (n_versions(plant) - versions), len(points))
    figures.exactly("taken back by the reaper", n_lost(plant), n_owned(points))
    figures.whole(inspect(plant.installation))
    figures.verify()


def n_versions(plant: Plant) -> int:
    with plant.installation.context():
        return db.session.scalar(select(func.count(ModelVersion.id))) or 0


def fall_asleep(plant: Plant, worker: Program) -> None:
    """Pause worker and horse, while the worker itself holds no lock of the database."""
    while True:
        worker.pause()
        if plant.installation.takes_writes():
            return
        worker.resume()
        time.sleep(0.1)


@over("sqlite")
def test_a_horse_outlives_no_worker(plant: Plant) -> None:
    """Even one that is asleep when its worker dies."""
    plant.installation.arm("run.trained")
    send(plant, "run.trained")
    horse = plant.installation.wait_until_held("run.trained")
    worker = plant.worker_with(horse)
    os.kill(horse, signal.SIGSTOP)
    worker.kill()
    wait_for(lambda: not psutil.pid_exists(horse), what="the horse's end")
    plant.installation.disarm("run.trained")
