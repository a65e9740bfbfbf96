"""Sending what waits in the outbox of webhooks: each try signed, noted, and followed by another.

Receivers see the same id in all tries. One that answers 410 wants nothing any more; one that took
none of the tries of a message, over more than a day, is given up on until somebody turns it on.
"""

from __future__ import annotations

import http.client
import json
import logging
import random
import re
import socket
import ssl
import time
from dataclasses import dataclass
from typing import Final

from flask import current_app
from sqlalchemy.orm import Session

from prodapp.extensions import db, settings_of
from prodapp.models import DeliveryOutcome, Webhook, WebhookAttempt, WebhookDelivery
from prodapp.models.types import db_now
from prodapp.outbox import Outbox
from prodapp.outgoing import posting
from prodapp.outgoing.destinations import DestinationRefused, parse_destination
from prodapp.outgoing.signatures import signed_headers
from prodapp.webhooks.secrets import signing_secrets
from prodapp.webhooks.service import disable

#: Pauses after each try but the last, in seconds: a receiver may be down for a day and a night.
BACKOFF_SECONDS: Final = (5.0, 60.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0, 50400.0)
JITTER: Final = 0.2
GONE: Final = 410
MAX_EXCERPT: Final = 500
_UNSHOWABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Try:
    """What came of one: the host's ``status`` and the beginning of its words, or ``error_code``."""

    seconds: float
    status: int | None = None
    excerpt: str | None = None
    error_code: str | None = None

    @property
    def is_taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True)
class _Message:
    """What is sent, in plain data: no row is held while a slow host is waited for."""

    id: str
    url: str
    body: str
    secrets: tuple[str, ...]


def deliver_due(*, wait: bool = False) -> int:
    """Begin the tries that are due; returns how many. ``wait`` returns when they are over."""
    return _outbox.send_due(wait=wait)


def pause_after(n_tries: int) -> float | None:
    """Seconds until the next try after so many; ``None`` after the last.

    A little off each time, so that a host that comes back is not called by all at once.
    """
    if n_tries > len(BACKOFF_SECONDS):
        return None
    off = random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  # nosec B311
    return BACKOFF_SECONDS[n_tries - 1] * off


def _deliver(delivery_id: int, attempt: int) -> None:
    delivery = db.session.get_one(WebhookDelivery, delivery_id)
    webhook = db.session.get_one(Webhook, delivery.webhook_id)
    if not webhook.is_active:
        values = {
            "next_attempt_at": None,
            "outcome": DeliveryOutcome.STOPPED,
            "settled_at": db_now(),
        }
        _outbox.settle(delivery_id, attempt, values)
        return
    message = _Message(
        id=delivery.message_id,
        url=webhook.url,
        body=json.dumps(delivery.payload, ensure_ascii=False, allow_nan=False),
        secrets=signing_secrets(webhook),
    )
    n_tries = delivery.n_tries + 1
    db.session.rollback()
    made = _try(message)
    _settle(delivery, attempt, n_tries, made)


def _settle(delivery: WebhookDelivery, attempt: int, n_tries: int, made: Try) -> None:
    pause = None if made.is_taken or made.status == GONE else pause_after(n_tries)
    outcome = None
    if pause is None:
        outcome = DeliveryOutcome.DELIVERED if made.is_taken else DeliveryOutcome.FAILED

    def also(session: Session) -> None:
        session.add(
            WebhookAttempt(
                delivery_id=delivery.id,
                number=attempt,
                status=made.status,
                excerpt=made.excerpt,
                error_code=made.error_code,
                seconds=made.seconds,
            )
        )
        if outcome == DeliveryOutcome.FAILED:
            code = "gone" if made.status == GONE else "kept_failing"
            if disable(session, delivery.webhook_id, code=code):
                log.warning("webhook %s is disabled: %s", delivery.webhook_id, code)

    values = {
        "n_tries": n_tries,
        "next_attempt_at": None if pause is None else db_now(pause),
        "outcome": outcome,
        "settled_at": None if outcome is None else db_now(),
    }
    _outbox.settle(delivery.id, attempt, values, also=also)
    log.info(
        "webhook %s, message %s, try %s: %s",
        delivery.webhook_id,
        delivery.message_id,
        attempt,
        made.error_code or made.status,
    )


# A claim outlives the longest try: looking the name up, connecting, TLS, the answer.
_outbox = Outbox(
    WebhookDelivery,
    deliver=_deliver,
    claim_seconds=posting.TOTAL_SECONDS * 4,
    max_at_once=16,
)


def _try(message: _Message) -> Try:
    started = time.monotonic()
    try:
        if not message.secrets:
            return Try(0.0, error_code="secret_unreadable")
        # Looked up again: the administrator may have taken the host off the list since.
        allowed = settings_of(current_app).callback_allowed_hosts
        answer = posting.post(
            parse_destination(message.url, allowed),
            message.body,
            headers=signed_headers(
                message_id=message.id,
                timestamp=int(time.time()),
                body=message.body,
                keys=message.secrets,
            ),
        )
    except (DestinationRefused, OSError, http.client.HTTPException) as error:
        seconds = time.monotonic() - started
        return Try(seconds, error_code=_code_of(error, seconds))
    return Try(time.monotonic() - started, answer.status, _shown(answer.body))


def _code_of(error: Exception, seconds: float) -> str:
    """Why there was no answer, as the log of deliveries names it."""
    if isinstance(error, DestinationRefused):
        return error.error_code
    if isinstance(error, socket.gaierror):
        return "host_unknown"
    # The guard of the whole time ends the connection, which reads like a host that hung up.
    if isinstance(error, TimeoutError) or seconds >= posting.TOTAL_SECONDS:
        return "timeout"
    if isinstance(error, ssl.SSLError):
        return "tls"
    return "no_answer" if isinstance(error, http.client.HTTPException) else "no_connection"


def _shown(body: bytes) -> str:
    """The beginning of an answer as text that can be stored and looked at."""
    return _UNSHOWABLE.sub("\ufffd", body.decode("utf-8", "replace"))[:MAX_EXCERPT]
