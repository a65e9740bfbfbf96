"""The dispatcher: sends what is due, takes back what was lost, tidies up. Safe to run twice.

Everything it does is a compare-and-set in the database, so any number of dispatchers agree.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import islice

from flask import current_app
from sqlalchemy.exc import SQLAlchemyError

from prodapp import dispatching, lifelines, memory, metrics, presence
from prodapp.auth import letters, repeats
from prodapp.auth.forgetting import forget_ended
from prodapp.datasets import drafts
from prodapp.extensions import db, settings_of
from prodapp.integration import callbacks, webhook
from prodapp.machines import service as machines
from prodapp.predictions import batches, history
from prodapp.retraining import looking
from prodapp.storage import storage
from prodapp.webhooks import deliveries, sending
from prodapp.workflows import WORKFLOWS

TICK_SECONDS = 1.0
PATIENCE_SECONDS = 5.0
SWEEP_SECONDS = 60.0
SWEEP_BATCH = 500
ORPHAN_SECONDS = 300.0

log = logging.getLogger(__name__)


def run_dispatcher() -> None:
    """Tick once a second until SIGTERM or SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    metrics.bind(settings_of(current_app).metrics_folder, "dispatcher")
    memory.use_sparingly()
    heartbeat = presence.Heartbeat(presence.Kind.DISPATCHER, presence.unique_name())
    log.warning("dispatcher is ready")
    sweep_at = 0.0
    while not stop.is_set():
        metrics.beat()
        heartbeat.beat()
        is_well = tick()
        if is_well and time.monotonic() >= sweep_at:
            _do(drafts.expire)
            _do(forget)
            _do(sweep)
            sweep_at = time.monotonic() + SWEEP_SECONDS
        stop.wait(TICK_SECONDS if is_well else PATIENCE_SECONDS)
    heartbeat.stop()


def tick() -> bool:
    """One round of all duties; ``False`` when the database did not answer."""
    for duty in (
        bury,
        reap,
        dispatch,
        _purge,
        callbacks.collect,
        callbacks.deliver_due,
        sending.deliver_due,
        letters.deliver_due,
        looking.look_due,
    ):
        if not _do(duty):
            return False
    return True


def bury() -> None:
    """Settle what workers of this host left behind that ended without a word."""
    folder = settings_of(current_app).lifelines_folder
    for name in lifelines.ended(folder):
        n_rows = sum(dispatching.bury(workflow, name) for workflow in WORKFLOWS)
        log.warning("worker %s has ended; %s rows taken back", name, n_rows)
        presence.Presence(presence.Kind.WORKER, name).leave()
        lifelines.forget(folder, name)


def reap() -> None:
    """Take rows back from workers that stopped renewing their lease."""
    for workflow in WORKFLOWS:
        dispatching.reap(workflow)


def dispatch() -> None:
    """Send what is due to the queue."""
    for workflow in WORKFLOWS:
        dispatching.dispatch(workflow)


def sweep() -> None:
    """Remove files that no row speaks of: a process died between the file and its row.

    Young files are spared, since their row may be on its way; putting a file again makes it young.
    """
    old = datetime.now(UTC) - timedelta(seconds=ORPHAN_SECONDS)
    keys = storage().keys(unchanged_since=old)
    while batch := set(islice(keys, SWEEP_BATCH)):
        unused = batch - machines.living_files(db.session(), batch)
        if unused and presence.are_files_held():
            return
        for key in unused:
            log.warning("removing the file %s, which nothing refers to", key)
            storage().delete(key, unless_newer_than=old)
    storage().clear_scratch(unchanged_since=old)


def forget() -> None:
    """Let go of what is older than it is kept: predictions, messages, answers, ways in."""
    days = settings_of(current_app).prediction_retention_days
    while history.forget_old(days):
        pass
    batches.forget_old(days)
    while deliveries.forget_old():
        pass
    while repeats.forget_old():
        pass
    forget_ended()
    webhook.forget_old()


def _do(duty: Callable[[], object]) -> bool:
    try:
        duty()
    except SQLAlchemyError as error:
        log.warning("database away: %s", type(error).__name__)
        return False
    except Exception:  # one duty that fails must not keep the others from theirs
        log.exception("duty %s failed", duty.__name__)
    finally:
        db.session.remove()
    return True


def _purge() -> None:
    unused = machines.purge_deleted()
    if unused and presence.are_files_held():
        return  # a later sweep takes them
    for key, deleted_at in unused.items():
        storage().delete(key, unless_newer_than=deleted_at)
