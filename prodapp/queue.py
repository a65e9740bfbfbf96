"""The queue: it carries ids and nothing else, and may lose all of them at any time.

What has to be done is written in the database; the dispatcher sends again what was lost. So a
queue that does not answer is reported, never raised, and nobody waits long for one that hangs.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar, cast

from flask import Flask, current_app
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as QueueConnectionError
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer

from prodapp.breaker import Breaker
from prodapp.config import Settings

QUEUE_NAME = "prodapp"
CONNECT_SECONDS = 0.5
ANSWER_SECONDS = 1.0
PATIENT_CONNECT_SECONDS = 3.0
DAY = 86400

T = TypeVar("T")

log = logging.getLogger(__name__)


def init_app(app: Flask, settings: Settings, url: str) -> None:
    """Bind the queue at ``url``; connects at first use."""
    connection = Redis.from_url(url, **impatience())
    app.extensions["prodapp.queue"] = queue_on(connection, settings)
    app.extensions["prodapp.queue_breaker"] = Breaker()
    app.extensions["prodapp.queue_url"] = url
    app.add_template_global(is_answering, "queue_is_answering")


def impatience() -> dict[str, Any]:
    """Options of a connection whose owner must not wait: the library would try eleven times."""
    return {
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": ANSWER_SECONDS,
        # Once more at once, since a server that was restarted has closed what we hold open.
        "retry": Retry(NoBackoff(), 1, supported_errors=(QueueConnectionError,)),
    }


def patient_connection() -> Redis:
    """A connection for a worker, which waits for jobs; RQ sets how long it waits for an answer."""
    retry = Retry(NoBackoff(), 1, supported_errors=(QueueConnectionError,))
    return Redis.from_url(queue_url(), socket_connect_timeout=PATIENT_CONNECT_SECONDS, retry=retry)


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

    def send(queue: Queue) -> bool:
        if queue.connection.lpos(queue.key, job_id) is None:
            queue.enqueue_call(
                function, args=(row_id,), job_id=job_id, result_ttl=0, failure_ttl=DAY
            )
        return True

    return _ask(send) is not None


def is_answering() -> bool:
    """Whether the queue answers now; at most a second old where it does not."""
    return bool(_ask(lambda queue: queue.connection.ping()))


def n_waiting() -> int | None:
    """Jobs that wait in the queue, ``None`` when it does not answer."""
    return _ask(lambda queue: queue.count)


def count(key: str, *, seconds: int) -> int | None:
    """Add one to a counter that lives for ``seconds``, and return it.

    ``None`` when the queue server does not answer.
    """

    def add(queue: Queue) -> int:
        pipe = queue.connection.pipeline(transaction=False)
        pipe.incr(key)
        pipe.expire(key, seconds)
        return int(pipe.execute()[0])

    return _ask(add)


def _ask(question: Callable[[Queue], T]) -> T | None:
    """What the queue answers, ``None`` where it does not."""
    queue = cast(Queue, current_app.extensions["prodapp.queue"])
    breaker = cast(Breaker, current_app.extensions["prodapp.queue_breaker"])
    if not breaker.lets_through():
        return None
    try:
        answer = question(queue)
    except RedisError as error:
        breaker.failed()
        log.warning("the queue does not answer: %s", type(error).__name__)
        return None
    breaker.succeeded()
    return answer
