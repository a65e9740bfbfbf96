"""What a storm needs to know while it rages: who works on what, and when each attempt began."""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psutil
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from prodapp.extensions import db
from prodapp.models import DatasetState, RunState, TrainingRun
from prodapp.models.training_run import ACTIVE, OWNED
from tests.factories import make_csv
from tests.faults.client import Client, NotAcknowledged
from tests.faults.installation import Installation
from tests.faults.programs import Program, wait_for

READY = re.compile(r"worker (\S+) is ready")
WATCH_SECONDS = 0.1


@dataclass(frozen=True)
class Attempt:
    """One attempt at a run, and the worker that makes it."""

    run_id: int
    number: int
    worker_name: str


@dataclass
class Observer:
    """Polls the database as a stranger would: the attempts now, and when each began."""

    installation: Installation
    began: dict[tuple[int, int], datetime] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)

    def began_after(self, attempt: Attempt) -> datetime | None:
        """When the run was taken up again after ``attempt``."""
        later = [
            at
            for (run_id, number), at in self.began.items()
            if run_id == attempt.run_id and number > attempt.number
        ]
        return min(later, default=None)

    @contextmanager
    def watching(self) -> Iterator[None]:
        thread = threading.Thread(target=self._watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()

    def _watch(self) -> None:
        statement = select(TrainingRun.id, TrainingRun.attempt, TrainingRun.started_at)
        with self.installation.context():
            while not self._stop.wait(WATCH_SECONDS):
                with suppress(SQLAlchemyError):
                    for run_id, number, at in db.session.execute(statement):
                        if at is not None:
                            self.began.setdefault((run_id, number), at)
                db.session.rollback()


class Plant:
    """An installation at work: data sets to train on, workers that are revived when they die."""

    def __init__(self, installation: Installation, *, n_workers: int, seed: int) -> None:
        self.installation = installation
        self.rng = random.Random(seed)
        installation.start(n_workers=n_workers)
        self.client: Client = installation.client()
        self.observer = Observer(installation)
        self.n_refused = 0
        self._datasets: list[int] = []

    def stock(self, *, n_datasets: int, n_rows: int) -> None:
        """Machines with imported data; two data sets share one machine, so that they compete."""
        for number in range(n_datasets):
            if number % 2 == 0:
                machine_id = self.client.create_machine(f"Press {number + 1:02}")
            content = make_csv(n_rows=n_rows, seed=number)
            self._datasets.append(self.client.upload(machine_id, content))
        for dataset_id in self._datasets:
            self.wait_until_ready(dataset_id)

    def wait_until_ready(self, dataset_id: int) -> None:
        wait_for(
            lambda: self.client.dataset(dataset_id)["state"] == DatasetState.READY,
            what=f"the import of data set {dataset_id}",
        )

    def start_run(self, *, n_trees: int = 10) -> int | None:
        """A run on some data set; ``None`` when the service did not accept it."""
        try:
            return self.client.start_run(
                self.rng.choice(self._datasets),
                hyperparameters={"n_estimators": n_trees},
                random_state=self.rng.randrange(1000),
            )
        except NotAcknowledged:
            self.n_refused += 1
            return None

    def train_champion(self) -> None:
        """A version that can answer rows, on the machine of the first data set."""
        run_id = self.client.start_run(self._datasets[0])
        wait_for(lambda: self.state(run_id) == RunState.SUCCEEDED, what="a champion")

    def start_batch(self) -> int:
        """Rows to be answered by that champion."""
        machine_id = self.client.dataset(self._datasets[0])["machine_id"]
        return self.client.predict_file(
            machine_id, make_csv(n_rows=40, seed=self.rng.randrange(99))
        )

    def n_active(self, model: type[Any] = TrainingRun, states: tuple[str, ...] = ACTIVE) -> int:
        """Rows, runs by default, that have not ended."""
        with self.installation.context():
            count = select(func.count()).where(model.state.in_(states))
            return db.session.scalar(count) or 0

    def state(self, run_id: int) -> str:
        with self.installation.context():
            state = select(TrainingRun.state).where(TrainingRun.id == run_id)
            return str(db.session.scalar(state))

    def attempts(self) -> list[Attempt]:
        """Those that somebody is at now."""
        with self.installation.context():
            rows = db.session.execute(
                select(TrainingRun.id, TrainingRun.attempt, TrainingRun.worker_name).where(
                    TrainingRun.state.in_(OWNED)
                )
            )
            return [Attempt(row[0], row[1], row[2]) for row in rows]

    def attempt_of(self, worker: Program) -> Attempt | None:
        """What the worker is at."""
        name = name_of(worker)
        return next((a for a in self.attempts() if a.worker_name == name), None)

    def busy_workers(self) -> list[tuple[Program, psutil.Process]]:
        """Workers that run, with their horses."""
        return [
            (worker, horses[0])
            for worker in self.installation.workers
            if worker.is_running and (horses := worker.children())
        ]

    def ready_workers(self) -> list[Program]:
        """Workers that take work."""
        return [w for w in self.installation.workers if w.is_running and name_of(w) is not None]

    def worker_with(self, horse: int) -> Program:
        """The worker whose horse that process is."""
        for worker, process in self.busy_workers():
            if process.pid == horse:
                return worker
        raise AssertionError(f"process {horse} is no horse")

    def revive(self) -> None:
        """Start the workers that have died again, as a supervisor does."""
        for worker in self.installation.workers:
            if not worker.is_running:
                worker.start(is_waiting=False)

    def finish(self, *, seconds: float = 180) -> None:
        """Wait until no run is active any more."""

        def is_over() -> bool:
            self.revive()
            return self.n_active() == 0

        wait_for(is_over, what="the end of all runs", seconds=seconds)


def name_of(worker: Program) -> str | None:
    """The name that the worker goes by in the database."""
    found = READY.findall(worker.said())
    return found[-1] if found else None
