"""The dispatcher: sends what is due, takes back what was lost, tidies up. Safe to run twice.

Everything it does is a compare-and-set in the database, so any number of dispatchers agree.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from prodapp.datasets import service as datasets
from prodapp.extensions import db
from prodapp.integration import callbacks
from prodapp.machines import service as machines
from prodapp.storage import storage
from prodapp.training import service as training

TICK_SECONDS = 1.0
PATIENCE_SECONDS = 5.0

log = logging.getLogger(__name__)


def run_dispatcher() -> None:
    """Tick once a second until SIGTERM or SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    log.warning("dispatcher is ready")
    while not stop.is_set():
        pause = TICK_SECONDS if tick() else PATIENCE_SECONDS
        stop.wait(pause)


def tick() -> bool:
    """One round of all duties; ``False`` when the database did not answer."""
    for duty in (
        training.reap,
        datasets.reap,
        datasets.dispatch,
        training.dispatch,
        _purge,
        callbacks.collect,
        callbacks.deliver_due,
    ):
        if not _do(duty):
            return False
    return True


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
    for key, deleted_at in machines.purge_deleted().items():
        storage().delete(key, unless_newer_than=deleted_at)
