"""Callbacks: tell another backend that the run it asked for has ended, at least once.

``collect`` writes one delivery for each ended run; ``deliver_due`` claims those that are due by
compare-and-set and sends them in threads of their own, so that a slow host holds up nothing.
"""

from __future__ import annotations

import http.client
import json
import logging
from typing import Any

from flask import current_app
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from prodapp.extensions import command, db, settings_of
from prodapp.integration.answers import metrics_row
from prodapp.models import CallbackDelivery, ModelVersion, RunState, TrainingRun
from prodapp.models.training_run import TERMINAL
from prodapp.models.types import db_now
from prodapp.outbox import Outbox
from prodapp.outgoing.destinations import DestinationRefused, parse_destination
from prodapp.outgoing.posting import TOTAL_SECONDS, post

# Eight tries over about a day: a backend may be down for a night.
BACKOFF_SECONDS = (10.0, 60.0, 300.0, 1800.0, 7200.0, 21600.0, 54000.0)

log = logging.getLogger(__name__)


def collect() -> int:
    """Write down a delivery for each ended run that has none; returns how many."""
    ended = (
        select(TrainingRun.id)
        .outerjoin(CallbackDelivery, CallbackDelivery.run_id == TrainingRun.id)
        .where(
            TrainingRun.callback_url.is_not(None),
            TrainingRun.state.in_(TERMINAL),
            CallbackDelivery.id.is_(None),
        )
        .limit(100)
    )
    run_ids = list(db.session.scalars(ended))
    return sum(_write_down(run_id) for run_id in run_ids)


def deliver_due(*, wait: bool = False) -> int:
    """Begin the deliveries that are due; returns how many. ``wait`` returns when they are over."""
    return _outbox.send_due(wait=wait)


def _write_down(run_id: int) -> int:
    try:
        with command() as session:
            # As it ended, and not as this session may have seen it before.
            run = session.get_one(TrainingRun, run_id, populate_existing=True)
            session.add(
                CallbackDelivery(
                    run_id=run.id,
                    url=run.callback_url,
                    payload=_payload(run),
                    next_attempt_at=db_now(),
                )
            )
    except IntegrityError:  # another dispatcher was faster
        return 0
    return 1


def _payload(run: TrainingRun) -> dict[str, Any]:
    has_succeeded = run.state == RunState.SUCCEEDED
    version = None
    if has_succeeded:
        version = db.session.scalar(select(ModelVersion).where(ModelVersion.run_id == run.id))
    return {
        "model_id": run.machine_id,
        "status": "completed" if has_succeeded else "failed",
        "metrics": {} if version is None else metrics_row(version),
    }


def _deliver(delivery_id: int, attempt: int) -> None:
    delivery = db.session.get_one(CallbackDelivery, delivery_id)
    error = _try(delivery)
    if error is None:
        values: dict[str, Any] = {
            "delivered_at": db_now(),
            "next_attempt_at": None,
            "last_error": None,
        }
    else:
        is_last = attempt > len(BACKOFF_SECONDS)
        pause = None if is_last else db_now(BACKOFF_SECONDS[attempt - 1])
        values = {"next_attempt_at": pause, "last_error": error[:500]}
    _outbox.settle(delivery_id, attempt, values)
    outcome = "delivered" if error is None else error
    log.info("callback %s of run %s, try %s: %s", delivery_id, delivery.run_id, attempt, outcome)


_outbox = Outbox(CallbackDelivery, deliver=_deliver, claim_seconds=TOTAL_SECONDS * 4, max_at_once=8)


def _try(delivery: CallbackDelivery) -> str | None:
    """What went wrong, ``None`` when the host took it."""
    allowed = settings_of(current_app).callback_allowed_hosts
    url, payload = delivery.url, delivery.payload
    db.session.rollback()  # no transaction stays open while a slow host is waited for
    try:
        # Looked up again: the administrator may have taken the host off the list since.
        status = post(parse_destination(url, allowed), json.dumps(payload, allow_nan=False)).status
    except (DestinationRefused, OSError, http.client.HTTPException) as error:
        return f"{type(error).__name__}: {error}"
    return None if 200 <= status < 300 else f"answered {status}"
