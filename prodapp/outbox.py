"""Rows that wait to be sent to another host: claimed by compare-and-set, tried again with pauses.

A row is due while its ``next_attempt_at`` lies in the past; without one it is settled. Each try
runs in a thread of its own, so that a slow host holds up nothing.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask, current_app
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from prodapp.extensions import command, db
from prodapp.models.types import db_now

log = logging.getLogger(__name__)


class Outbox:
    """The rows of ``model``, which has ``id``, ``n_attempts`` and ``next_attempt_at``.

    ``deliver`` gets a row's id and the number of the try, and calls :meth:`settle`. A claim of
    ``claim_seconds`` must outlive the longest try: who dies with one leaves it to the next.
    """

    def __init__(
        self,
        model: type[Any],
        *,
        deliver: Callable[[int, int], None],
        claim_seconds: float,
        max_at_once: int,
    ) -> None:
        self._model, self._deliver = model, deliver
        self._claim_seconds, self._max_at_once = claim_seconds, max_at_once
        self._slots = threading.BoundedSemaphore(max_at_once)

    def send_due(self, *, wait: bool = False) -> int:
        """Begin the tries that are due; returns how many. ``wait`` returns when they are over."""
        model = self._model
        due = select(model.id, model.n_attempts).where(model.next_attempt_at <= db_now())
        rows = db.session.execute(due.order_by(model.next_attempt_at).limit(self._max_at_once))
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        threads = []
        for row_id, n_attempts in rows.all():
            if not self._slots.acquire(blocking=False):
                break
            thread = None
            try:
                if self._claim(row_id, n_attempts):
                    arguments = (app, row_id, n_attempts + 1)
                    thread = threading.Thread(target=self._work, args=arguments, daemon=True)
                    thread.start()
                    threads.append(thread)
            finally:
                if thread is None:
                    self._slots.release()
        if wait:
            for thread in threads:
                thread.join()
        return len(threads)

    def settle(
        self,
        row_id: int,
        attempt: int,
        values: Mapping[str, Any],
        *,
        also: Callable[[Session], object] | None = None,
    ) -> None:
        """Write what try ``attempt`` came to, unless a later one has begun meanwhile; and in the
        same commit what ``also`` writes."""
        model = self._model
        with command() as session:
            written = session.execute(
                update(model)
                .where(model.id == row_id, model.n_attempts == attempt)
                .values(**values)
                .returning(model.id)
            ).all()
            if written and also is not None:
                also(session)

    def _claim(self, row_id: int, n_attempts: int) -> bool:
        """Take a row for one try; ``False`` when another dispatcher has it."""
        model = self._model
        with command() as session:
            taken = session.execute(
                update(model)
                .where(
                    model.id == row_id,
                    model.n_attempts == n_attempts,
                    model.next_attempt_at <= db_now(),
                )
                .values(n_attempts=n_attempts + 1, next_attempt_at=db_now(self._claim_seconds))
                .returning(model.id)
            ).all()
        return len(taken) == 1

    def _work(self, app: Flask, row_id: int, attempt: int) -> None:
        try:
            with app.app_context():
                self._deliver(row_id, attempt)
        except Exception:  # a thread's outer edge: the claim runs out, and the row is due again
            log.exception("%s %s could not be settled", self._model.__tablename__, row_id)
        finally:
            self._slots.release()
