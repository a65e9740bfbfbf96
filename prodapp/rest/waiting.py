"""``?wait=20``: an answer that waits until the work it tells of has ended.

Whoever waits holds a thread of this process, so only a quarter of them may wait at a time; one too
many is answered at once, as without ``wait``. No connection to the database is held between looks.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

from flask import Flask, current_app
from marshmallow import fields, validate

from prodapp.extensions import db, settings_of
from prodapp.rest.schemas import RequestSchema

MAX_WAIT_SECONDS: Final = 30
#: The share of a server's threads that may wait, and how long between two looks at the row.
WAITING_SHARE: Final = 4
LOOK_SECONDS: Final = 0.5
EXTENSION: Final = "prodapp.waiting"

T = TypeVar("T")


class WaitQuery(RequestSchema):
    """Whether to wait for the end."""

    wait = fields.Float(
        load_default=0.0,
        validate=validate.Range(min=0, max=MAX_WAIT_SECONDS),
        metadata={
            "description": "Answer when the work has ended, after so many seconds at the latest; "
            "at once where too many wait already.",
            "examples": [20],
        },
    )


def init_app(app: Flask) -> None:
    """Bound how many requests to ``app`` may wait at a time."""
    n_waiters = max(1, settings_of(app).web_threads // WAITING_SHARE)
    app.extensions[EXTENSION] = threading.BoundedSemaphore(n_waiters)


def ended(look: Callable[[], T], is_over: Callable[[T], bool], *, seconds: float) -> T:
    """What ``look`` finds once it ``is_over``, or after ``seconds``."""
    found = look()
    turns = cast(threading.BoundedSemaphore, current_app.extensions[EXTENSION])
    if not seconds or is_over(found) or not turns.acquire(blocking=False):
        return found
    try:
        give_up_at = time.monotonic() + seconds
        while not is_over(found) and (left := give_up_at - time.monotonic()) > 0:
            _let_go()
            time.sleep(min(LOOK_SECONDS, left))
            found = look()
    finally:
        turns.release()
    return found


def _let_go() -> None:
    """Give the connection back, and believe nothing of what was read."""
    session: Any = db.session()
    session.commit()
    session.expire_all()
