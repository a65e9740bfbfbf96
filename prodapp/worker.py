"""The worker: RQ's, with the database as the truth about who works on what.

RQ forks a *work-horse* for each job. Its parent, this process, renews the job's lease (a thread of
the horse could be starved by a library that holds the interpreter), stops the horse when its work
is not wanted any more, and settles what a horse that died left behind. The queue server may vanish
at any moment without harm: its bookkeeping is best effort here.
"""

from __future__ import annotations

import gc
import importlib
import logging
import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from flask import Flask
from redis import Redis
from redis.client import Pipeline
from redis.exceptions import RedisError
from rq import Queue, Worker
from rq.exceptions import StopRequested
from rq.executions import Execution
from rq.job import Job
from rq.serializers import JSONSerializer
from sqlalchemy.exc import SQLAlchemyError
from threadpoolctl import threadpool_limits

from prodapp import claims, lifelines, memory, metrics, presence, queue
from prodapp.extensions import db, settings_of
from prodapp.ml.algorithms import optional_modules
from prodapp.models.lease import HorseDeath, Wish
from prodapp.models.workflow import Workflow
from prodapp.processes import die_with_parent
from prodapp.workflows import WORKFLOWS

WATCH_SECONDS = 1.0
RENEW_SECONDS = 5.0
CANCEL_GRACE_SECONDS = 3.0
STOP_GRACE_SECONDS = 8.0
# How long after its time a job that does not notice by itself is stopped from outside.
TIMEOUT_GRACE_SECONDS = 10.0
POLL_SECONDS = 0.05
# How soon to begin anew after RQ gave up because the queue went away.
ANEW_SECONDS = 2.0
# Work yields to the pages: with one core both are served, the page first.
NICENESS = 10
# How long RQ waits for a job before it looks around and gives a sign of life.
IDLE_SECONDS = 15
# Imported before any fork, so that no job waits for them. Import only: fitting a model here would
# start OpenMP threads, and a forked child would wait for them for ever.
PRELOAD = ("prodapp.datasets.jobs", "prodapp.training.jobs", "prodapp.predictions.jobs")
BY_JOB = {workflow.job: workflow for workflow in WORKFLOWS}

log = logging.getLogger(__name__)


class HorseWatch:
    """The parent's view of one horse: whose lease to renew, and whether to stop it."""

    def __init__(
        self, workflow: Workflow, row_id: int, worker_name: str, *, timeout: float
    ) -> None:
        self._workflow, self._row_id, self._worker = workflow, row_id, worker_name
        self._stop_at = time.monotonic() + timeout + TIMEOUT_GRACE_SECONDS
        self._oom_kills = memory.n_oom_kills()
        self._renew_at = 0.0
        self._cancel_seen: float | None = None
        self.cause = HorseDeath.UNKNOWN

    def is_unwanted(self) -> bool:
        """Renew the lease where it is time; whether the horse should be stopped now.

        A database that does not answer is not the horse's fault: it goes on, and should the lease
        run out meanwhile, its token keeps the horse from publishing.
        """
        now = time.monotonic()
        if now >= self._stop_at:
            self.cause = HorseDeath.TIMEOUT
            return True
        try:
            if now >= self._renew_at:
                claims.renew_lease(self._workflow, self._row_id, worker_name=self._worker)
                self._renew_at = now + RENEW_SECONDS
            wish = claims.wish(self._workflow, self._row_id, worker_name=self._worker)
        except SQLAlchemyError as error:
            log.warning("lease of %s not renewed: %s", self._row_id, type(error).__name__)
            return False
        if wish is Wish.CONTINUE:
            self._cancel_seen = None
            return False
        # The horse sees it too, at its next pulse, and may be writing the end just now.
        self._cancel_seen = self._cancel_seen or now
        if now - self._cancel_seen < CANCEL_GRACE_SECONDS:
            return False
        self.cause = HorseDeath.CANCELED
        return True

    def settle(self, status: int) -> None:
        """Write down the end of a horse that may not have done so itself."""
        if status == 0:
            return
        if self.cause is HorseDeath.UNKNOWN and memory.n_oom_kills() > self._oom_kills:
            self.cause = HorseDeath.OUT_OF_MEMORY
        try:
            claims.bury(self._workflow, self._row_id, worker_name=self._worker, cause=self.cause)
        except SQLAlchemyError as error:  # the lease runs out, and the reaper sees to it
            log.warning("end of %s not written: %s", self._row_id, type(error).__name__)


class LeaseWorker(Worker):
    """RQ's forking worker, bound to an application and to the leases of its jobs."""

    max_connection_wait_time = 4.0  # RQ's own would grow to a minute

    def __init__(self, queues: list[Queue], *, app: Flask, notes: Redis, **options: Any) -> None:
        super().__init__(queues, **options)
        self._app = app
        self._notes = notes
        self._stop_by: float | None = None
        self.is_stopping = False
        self._presence = presence.Heartbeat(presence.Kind.WORKER, self.name)

    def subscribe(self) -> None:
        """No command channel: cancels come through the database, and a thread spoils forks."""

    def unsubscribe(self) -> None:
        """Nothing was subscribed to."""

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """A sign of life in the database, and RQ's own in the queue."""
        if os.getpid() == self.pid:  # RQ gives one in the horse too
            metrics.beat()
            self._presence.beat()
        super().heartbeat(timeout, pipeline)

    def teardown(self) -> None:
        if not self.is_horse:
            self._presence.stop()
        super().teardown()  # type: ignore[no-untyped-call]

    def fork_work_horse(self, job: Job, queue: Queue) -> None:
        # Open connections must not cross a fork: SQLite's locks and PostgreSQL's wire break.
        db.session.remove()
        db.engine.dispose()
        super().fork_work_horse(job, queue)

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        die_with_parent(parent=self.pid)
        metrics.become_horse()
        os.nice(NICENESS)
        memory.go_first()
        budget = settings_of(self._app).run_memory_bytes
        if budget is not None:
            memory.allow_no_more_than(budget)
        with self._app.app_context(), threadpool_limits(1, user_api="blas"):
            super().main_work_horse(job, queue)

    def monitor_work_horse(self, job: Job, queue: Queue, execution: Execution) -> None:
        """Wait for the horse, keeping its lease; the queue's own notes are best effort."""
        watch = self._watch_of(job)
        status = self._wait(watch)
        self._horse_pid = 0
        self.executions.pop(execution.id, None)
        if watch is not None:
            watch.settle(status)
        with suppress(RedisError):
            self.cleanup_after(job, queue, execution, status)

    def cleanup_after(self, job: Job, queue: Queue, execution: Execution, status: int) -> None:
        """Tell RQ that the job of a horse that died is over; it is never RQ that tries again."""
        if status != 0:
            reason = f"work-horse ended with status {status}"
            self.handle_job_failure(job, queue=queue, exc_string=reason, execution=execution)

    def _watch_of(self, job: Job) -> HorseWatch | None:
        workflow = BY_JOB.get(job.func_name or "")
        if workflow is None:
            return None
        timeout = float(job.timeout or settings_of(self._app).run_timeout_seconds)
        return HorseWatch(workflow, int(job.args[0]), self.name, timeout=timeout)

    def _wait(self, watch: HorseWatch | None) -> int:
        """The exit status of the horse (0 when it ended by itself)."""
        watch_at = time.monotonic() + WATCH_SECONDS
        while True:
            try:
                pid, status = os.waitpid(self.horse_pid, os.WNOHANG)
            except ChildProcessError:
                return 0
            if pid != 0:
                return status
            time.sleep(POLL_SECONDS)
            if time.monotonic() < watch_at:
                continue
            watch_at = time.monotonic() + WATCH_SECONDS
            self._note_alive()
            if watch is not None and (watch.is_unwanted() or self._must_hand_back(watch)):
                self.kill_horse(signal.SIGKILL)

    def _must_hand_back(self, watch: HorseWatch) -> bool:
        if self._stop_by is None or time.monotonic() < self._stop_by:
            return False
        watch.cause = HorseDeath.HANDED_BACK
        return True

    def _note_alive(self) -> None:
        # Not over the worker's own connection, which waits for long: the lease must be renewed.
        with suppress(RedisError), self._notes.pipeline() as pipeline:
            self.heartbeat(self.job_monitoring_interval + 60, pipeline)
            pipeline.execute()

    def _shutdown(self) -> None:
        """Asked to stop: at once when idle, else when the horse is done or its grace is over."""
        self.is_stopping = True
        if not self._horse_pid:
            raise StopRequested
        self._stop_requested = True
        self._stop_by = time.monotonic() + STOP_GRACE_SECONDS


def prepare_kernels(cache: Path) -> None:
    """Compile and load the kernels before the first job, so that no job waits for it.

    ``cache`` is where numba keeps what it compiled, for later starts and other workers of this
    host; ``NUMBA_CACHE_DIR`` names another place. The kernels start no threads that would outlive
    the call, so forking after it is safe.
    """
    os.environ.setdefault("NUMBA_CACHE_DIR", str(cache))  # read when numba is imported
    importlib.import_module("prodapp.ml.kernels").warm_up()


def run_worker(app: Flask, *, burst: bool = False) -> None:
    """Work on the queue until asked to stop; with ``burst`` until it is empty."""
    settings = settings_of(app)
    metrics.bind(settings.metrics_folder, "worker")
    prepare_kernels(settings.instance_path / "kernels")
    for module in (*PRELOAD, *optional_modules()):
        importlib.import_module(module)
    # What is loaded now stays: collections pass over it, in the horses too, and the end of this
    # process, which whoever stops it waits for, takes a third of the time.
    gc.collect()
    gc.freeze()
    with suppress(StopRequested):
        while not _work(app, burst=burst):
            time.sleep(ANEW_SECONDS)


def _work(app: Flask, *, burst: bool) -> bool:
    """Work until that is over (``True``) or the queue goes away."""
    worker = None
    try:
        worker = _new_worker(app)
        with lifelines.held(settings_of(app).lifelines_folder, worker.name):
            log.warning("worker %s is ready", worker.name)
            worker.work(burst=burst, logging_level=None)
    except RedisError as error:
        if burst:
            raise
        log.warning("the queue does not answer: %s", type(error).__name__)
    # RQ ends its work as if it had been asked to where the queue goes away between two jobs.
    return burst or (worker is not None and worker.is_stopping)


def _new_worker(app: Flask) -> LeaseWorker:
    connection = queue.patient_connection()
    worker = LeaseWorker(
        [queue.queue_on(connection, settings_of(app))],
        app=app,
        notes=Redis.from_url(queue.queue_url(), **queue.impatience()),
        name=presence.unique_name(),
        connection=connection,
        serializer=JSONSerializer,
        worker_ttl=IDLE_SECONDS + 15,  # RQ waits for 15 s less than that
    )
    worker.log_job_description = False
    return worker
