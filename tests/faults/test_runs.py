"""Storms over training runs: kills, sleep beyond the lease, cancels, double deliveries."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from prodapp.extensions import db
from prodapp.models import ModelVersion, RunState, TrainingRun
from prodapp.models.training_run import TERMINAL
from prodapp.training.workflow import RUNS
from tests.faults.client import NotAcknowledged
from tests.faults.conftest import MakeFigures, MakeInstallation, over
from tests.faults.figures import scale
from tests.faults.oracle import inspect
from tests.faults.plant import Attempt, Plant
from tests.faults.programs import Program, wait_for

pytestmark = pytest.mark.queue

N_WORKERS = scale(short=2, long=4)
RUN_POINTS = (
    "run.claimed",
    "run.read",
    "run.fitting",
    "run.trained",
    "run.storing",
    "run.stored",
    "run.publishing",
    "run.published",
)
VICTIMS = ("horse", "worker", "both")
MAX_STRIKES = 3  # on one run
# A rest between strikes, so that others get their turn.
REST_SECONDS = (0.5, 4.0)
RETRY_SECONDS = 30


@pytest.fixture
def plant(database: str, make_installation: MakeInstallation) -> Plant:
    plant = Plant(make_installation(database), n_workers=N_WORKERS, seed=3)
    plant.stock(n_datasets=4, n_rows=400)
    return plant


@dataclass
class Kills:
    """Random SIGKILLs of workers and horses, one fifth of them at named points."""

    plant: Plant
    n_wanted: int
    n_done: int = 0
    n_at_points: int = 0
    n_of: Counter[str] = field(default_factory=Counter)
    struck: list[tuple[datetime, Attempt]] = field(default_factory=list)
    _point: str | None = None
    _next: float = 0.0

    def strike(self) -> None:
        """Kill somebody, if it is time and somebody works."""
        if self._point is not None:
            self._strike_at_point(self._point)
        elif time.monotonic() >= self._next and self.n_done < self.n_wanted:
            if self.n_done % 5 == 0:
                self._point = self.plant.rng.choice(RUN_POINTS)
                self.plant.installation.arm(self._point)
            elif busy := self.plant.busy_workers():
                worker, horse = self.plant.rng.choice(busy)
                if self._may_strike(worker):
                    self._kill(worker, horse.pid)

    def _strike_at_point(self, point: str) -> None:
        horse = self.plant.installation.held_at(point)
        if horse is None:
            return
        worker = self.plant.worker_with(horse)
        if self._may_strike(worker):
            self.n_at_points += 1
            self._kill(worker, horse)
        self.plant.installation.disarm(point)
        self._point = None

    def _may_strike(self, worker: Program) -> bool:
        """Five losses in a row end a run, as they should; one run alone proves no more."""
        attempt = self.plant.attempt_of(worker)
        return attempt is None or attempt.number <= MAX_STRIKES

    def _kill(self, worker: Program, horse: int) -> None:
        # Somebody must be left to try again; without, it is the start of a worker that is measured.
        has_others = len(self.plant.ready_workers()) > 1
        victim = self.plant.rng.choice(VICTIMS) if has_others else "horse"
        attempt = self.plant.attempt_of(worker)
        at = datetime.now(UTC)
        if victim != "horse":
            worker.kill()
        if victim != "worker":
            with suppress(ProcessLookupError):
                os.kill(horse, signal.SIGKILL)
        if attempt is not None:
            self.struck.append((at, attempt))
        self.n_done += 1
        self.n_of[victim] += 1
        self._next = time.monotonic() + self.plant.rng.uniform(*REST_SECONDS)

    def seconds_to_retry(self) -> list[float]:
        """From each kill to the next attempt at its run; kills after the last commit have none."""
        found = [
            (began - at).total_seconds()
            for at, attempt in self.struck
            if (began := self.plant.observer.began_after(attempt)) is not None
        ]
        return sorted(found)


@over("sqlite", "postgres")
def test_runs_survive_kills(plant: Plant, make_figures: MakeFigures, database: str) -> None:
    n_runs, n_kills = scale(short=9, long=300), scale(short=6, long=200)
    kills = Kills(plant, n_kills)
    n_accepted = 0
    with plant.observer.watching():
        deadline = time.monotonic() + scale(short=300, long=3600)
        while n_accepted < n_runs or kills.n_done < n_kills:
            assert time.monotonic() < deadline, f"{kills.n_done} kills, {n_accepted} runs"
            # Runs and kills shall last equally long, and no run wait long behind others. Where runs
            # end before anybody is struck, it takes more of them.
            is_behind = n_accepted / n_runs <= min(1, (kills.n_done + 1) / n_kills)
            n_wanted = N_WORKERS if is_behind and n_accepted < n_runs else 1
            if plant.n_active() < n_wanted:
                n_accepted += plant.start_run(n_trees=plant.rng.randint(100, 400)) is not None
            plant.revive()
            kills.strike()
            time.sleep(0.05)
        plant.finish()
        time.sleep(0.5)  # the observer's last look
    findings = inspect(plant.installation)
    seconds = kills.seconds_to_retry()
    figures = make_figures(f"SIGKILL of worker, horse, both ({database})")
    figures.at_least("runs accepted", len(plant.installation.operations.ids("run")), n_runs)
    figures.at_least("kills", kills.n_done, n_kills)
    figures.at_least("of them at named points", kills.n_at_points, n_kills // 5)
    for victim in VICTIMS:
        figures.note(f"kills of {victim}", kills.n_of[victim])
    figures.note("runs that succeeded", findings.n_succeeded)
    figures.note("ended by five losses in a row", findings.error_codes.get("worker_lost", 0))
    figures.note("requests refused in between", plant.n_refused)
    figures.note("kill to retry, median", seconds[len(seconds) // 2], unit="s")
    figures.within("kill to retry, longest", seconds[-1], RETRY_SECONDS)
    figures.whole(findings)
    others = set(findings.error_codes) - {"worker_lost"}
    figures.exactly("runs that failed otherwise", len(others), 0)
    figures.verify()


@over("sqlite")
def test_a_worker_that_sleeps_beyond_its_lease_is_fenced(
    plant: Plant, make_figures: MakeFigures, database: str
) -> None:
    n_sleepers = scale(short=2, long=30)
    plant.installation.add_worker()  # one more that stays awake while three sleep
    plant.revive()
    asleep: list[tuple[Program, Attempt, int]] = []
    n_fenced = n_slept = 0
    while n_slept < n_sleepers or asleep:
        while n_slept < n_sleepers and len(asleep) < min(N_WORKERS, n_sleepers - n_slept + 1):
            fallen = fall_asleep(plant)
            if fallen is None:
                break
            asleep.append(fallen)
            n_slept += 1
        n_fenced += wake_up(plant, asleep)
    plant.finish()
    figures = make_figures(f"SIGSTOP beyond the lease ({database})")
    figures.at_least("sleepers", n_slept, n_sleepers)
    figures.exactly("fenced", n_fenced, n_slept)
    figures.whole(inspect(plant.installation))
    figures.verify()


def fall_asleep(plant: Plant) -> tuple[Program, Attempt, int] | None:
    """Put a worker to sleep with the run that it is at, a moment after it began."""
    if plant.n_active() < N_WORKERS + 1:
        plant.start_run(n_trees=plant.rng.randint(300, 600))
    awake = [
        (worker, horse) for worker, horse in plant.busy_workers() if horse.status() != "stopped"
    ]
    time.sleep(plant.rng.uniform(0.0, 0.8))
    for worker, horse in awake:
        worker.pause()
        if plant.installation.takes_writes() and horse.is_running():
            attempt = plant.attempt_of(worker)
            if attempt is not None and attempt.number <= MAX_STRIKES:
                return worker, attempt, horse.pid
        worker.resume()
    return None


def wake_up(plant: Plant, asleep: list[tuple[Program, Attempt, int]]) -> int:
    """Resume the sleeper that fell asleep first, once another has its run; 1 where it is fenced."""
    if not asleep:
        return 0
    worker, attempt, horse = asleep.pop(0)
    wait_for(lambda: is_taken(plant, attempt), what="another worker taking the run", seconds=120)
    worker.resume()
    wait_for(lambda: horse not in [h.pid for _, h in plant.busy_workers()], what="its end")
    with plant.installation.context():
        run = db.session.get_one(TrainingRun, attempt.run_id)
        published = select(ModelVersion.id).where(ModelVersion.run_id == run.id)
        is_published_early = run.state != RunState.SUCCEEDED and db.session.scalar(published)
        return int(run.attempt > attempt.number and not is_published_early)


def is_taken(plant: Plant, attempt: Attempt) -> bool:
    with plant.installation.context():
        return db.session.get_one(TrainingRun, attempt.run_id).attempt > attempt.number


@over("postgres")
def test_a_cancel_at_any_moment_stops_the_run(
    plant: Plant, make_figures: MakeFigures, database: str
) -> None:
    n_cancels = scale(short=6, long=200)
    running: dict[int, float] = {}  # when each shall be canceled
    stopping: dict[int, float] = {}  # when each cancel was accepted
    seconds: list[float] = []
    while len(seconds) < n_cancels:
        if len(running) < N_WORKERS:
            run_id = plant.start_run(n_trees=plant.rng.randint(100, 600))
            if run_id is not None:
                running[run_id] = time.monotonic() + plant.rng.uniform(0.0, 4.0)
        for run_id in [r for r, at in running.items() if at <= time.monotonic()]:
            del running[run_id]
            with suppress(NotAcknowledged):  # it has ended already
                plant.client.cancel(run_id)
                stopping[run_id] = time.monotonic()
        ended = [run_id for run_id in stopping if plant.state(run_id) in TERMINAL]
        seconds += [time.monotonic() - stopping.pop(run_id) for run_id in ended]
        time.sleep(0.02)
    plant.finish()
    with plant.installation.context():
        canceled = plant.installation.operations.ids("cancel")
        states = select(TrainingRun.state).where(TrainingRun.id.in_(canceled))
        n_canceled = sum(state == RunState.CANCELED for state in db.session.scalars(states))
    figures = make_figures(f"cancel at a random moment ({database})")
    figures.at_least("cancels accepted", len(canceled), n_cancels)
    figures.exactly("of them canceled", n_canceled, len(canceled))
    figures.note("until stopped, median", sorted(seconds)[len(seconds) // 2], unit="s")
    figures.within("until stopped, longest", max(seconds), 10)
    figures.whole(inspect(plant.installation))
    figures.verify()


@over("sqlite")
def test_an_id_that_is_delivered_twice_is_worked_on_once(
    plant: Plant, make_figures: MakeFigures, database: str
) -> None:
    n_runs = scale(short=4, long=50)
    with plant.installation.context() as app:
        rq_queue = app.extensions["prodapp.queue"]
        for _ in range(n_runs):
            run_id = plant.start_run()
            for copy in range(3):
                rq_queue.enqueue_call(RUNS.job, args=(run_id,), job_id=f"copy-{run_id}-{copy}")
    plant.finish()
    wait_for(lambda: not plant.busy_workers(), what="the end of the copies")
    with plant.installation.context():
        attempts = list(db.session.scalars(select(TrainingRun.attempt)))
    figures = make_figures(f"the same id delivered four times ({database})")
    figures.exactly("runs", len(attempts), n_runs)
    figures.exactly("attempts", sum(attempts), n_runs)
    figures.whole(inspect(plant.installation))
    figures.verify()
