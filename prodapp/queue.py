"""The queue: it carries ids and nothing else, and may lose all of them at any time.

What has to be done is written in the database; the dispatcher sends again what was lost. So a
queue that does not answer is reported, never raised.
"""

from __future__ import annotations

import logging
from typing import cast

from flask import Flask, current_app
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.serializers import JSONSerializer

from prodapp.config import Settings

QUEUE_NAME = "prodapp"
CONNECT_SECONDS = 1.0
ANSWER_SECONDS = 5.0
DAY = 86400

log = logging.getLogger(__name__)


def init_app(app: Flask, settings: Settings, url: str) -> None:
    """Bind the queue at ``url``; connects at first use."""
    connection = Redis.from_url(
        url, socket_connect_timeout=CONNECT_SECONDS, socket_timeout=ANSWER_SECONDS
    )
    app.extensions["prodapp.queue"] = queue_on(connection, settings)
    app.extensions["prodapp.queue_url"] = url


def queue_on(connection: Redis, settings: Settings) -> Queue:
    """The one queue of prodapp. JSON, because unpickling would run what a message says."""
    return Queue(
        QUEUE_NAME,
        connection=connection,
        serializer=JSONSerializer,
        default_timeout=settings.run_timeout_seconds,
    )


def queue_url() -> str:
    """Where the queue listens (``unix://`` for the embedded one)."""
    return cast(str, current_app.extensions["prodapp.queue_url"])


def enqueue(function: str, row_id: int, *, job_id: str) -> bool:
    """Send ``row_id`` to a worker; ``False`` when the queue does not answer.

    ``function`` is the job's dotted name. A job id that waits already is not sent twice.
    """
    queue = _queue()
    try:
        if queue.connection.lpos(queue.key, job_id) is None:
            queue.enqueue_call(
                function, args=(row_id,), job_id=job_id, result_ttl=0, failure_ttl=DAY
            )
    except RedisError as error:
        log.warning("queue away: %s not sent (%s)", job_id, type(error).__name__)
        return False
    return True


def is_answering() -> bool:
    """Whether the queue answers now."""
    try:
        return bool(_queue().connection.ping())
    except RedisError:
        return False


def n_waiting() -> int | None:
    """Jobs that wait in the queue, ``None`` when it does not answer."""
    try:
        return _queue().count
    except RedisError:
        return None


def _queue() -> Queue:
    return cast(Queue, current_app.extensions["prodapp.queue"])
