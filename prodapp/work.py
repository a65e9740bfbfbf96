"""What every background job does around its work: the application, the worker's name, the pulse.

Jobs run in a forked work-horse that RQ starts; each takes one id and nothing else.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable

import structlog
from rq.timeouts import BaseTimeoutException

from prodapp.exceptions import DomainError, N_, RunFailed
from prodapp.outages import outage_of

PULSE_SECONDS = 1.0

OUT_OF_MEMORY = N_(
    "This needed more memory than it may take. Leave out columns or rows, or ask the "
    "administrator for a larger memory limit."
)
TIMEOUT = N_(
    "This took longer than it may. Leave out columns or rows, or ask the administrator for a "
    "longer time limit."
)
UNEXPECTED = N_(
    "Something unexpected went wrong in our code (%(kind)s). It has been logged under the number "
    "%(request_id)s; tell the administrator."
)


class Pulse:
    """Turns a flood of progress calls into at most one write a second, and every new stage."""

    def __init__(self, write: Callable[[str, float], None]) -> None:
        self._write = write
        self._stage = ""
        self._next = 0.0

    def __call__(self, stage: str, share: float) -> None:
        now = time.monotonic()
        if stage == self._stage and now < self._next:
            return
        self._stage, self._next = stage, now + PULSE_SECONDS
        self._write(stage, min(1.0, max(0.0, share)))


def worker_name() -> str:
    """The name of the worker whose horse this process is; RQ hands it down."""
    return os.environ.get("RQ_WORKER_ID") or f"process-{os.getpid()}"


def as_domain_error(error: BaseException, *, request_id: str | None) -> DomainError:
    """What to tell people about an error that ended a piece of work."""
    if isinstance(error, DomainError):
        return error
    if _is_for_want_of_memory(error):
        return RunFailed(OUT_OF_MEMORY, code="out_of_memory")
    if (outage := outage_of(error)) is not None:
        return outage
    if isinstance(error, BaseTimeoutException):
        return RunFailed(TIMEOUT, code="timeout")
    return RunFailed(
        UNEXPECTED, code="internal_error", kind=type(error).__name__, request_id=request_id or "–"
    )


def _is_for_want_of_memory(error: BaseException | None) -> bool:
    """Whether it is, or came up while one that is was handled."""
    while error is not None:
        # Each thread needs a stack of its own; Python says no more than this where there is none.
        is_thread = isinstance(error, RuntimeError) and "can't start new thread" in str(error)
        if is_thread or isinstance(error, MemoryError):
            return True
        error = error.__cause__ or error.__context__
    return False


def is_final(error: DomainError) -> bool:
    """Whether trying again would only repeat the failure."""
    return error.error_code not in ("out_of_memory", "internal_error", "unavailable")


def log_failure(log: logging.Logger, what: str, error: BaseException, told: DomainError) -> None:
    """What people mend themselves is news; what nobody foresaw is an error with its trace."""
    if error is told:
        log.info("%s: %s", what, told.error_code)
    else:
        log.error("%s: %s", what, told.error_code, exc_info=error)


def bind_log(*, request_id: str | None, **ids: int) -> None:
    """Carry the id of the request that asked for the work into each line of the log."""
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request_id, **ids)
