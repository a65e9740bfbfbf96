"""``GET /metrics`` for Prometheus, and what is measured around each request.

Figures of processes come from :mod:`prodapp.metrics`; those of the installation as a whole (what
waits, who works) are read from the database and the queue when somebody asks. Every web server
answers with the same of the latter: take ``max`` over servers, and ``sum`` of the former.
"""

from __future__ import annotations

import hmac
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, current_app, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from prodapp import metrics, presence, queue, tracing
from prodapp.auth.guard import surface_of
from prodapp.auth.permissions import public
from prodapp.exceptions import Forbidden, N_
from prodapp.extensions import abandon, db, settings_of
from prodapp.models import (
    CallbackDelivery,
    Dataset,
    DatasetState,
    RunState,
    TrainingRun,
    WebhookDelivery,
)
from prodapp.models.training_run import ACTIVE
from prodapp.profiles import is_loopback
from prodapp.storage import storage
from prodapp.version import VERSION

bp = Blueprint("monitoring", __name__)
FORWARDED = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Via")
PROBES = frozenset({"health.alive", "health.ready", "monitoring.figures"})
UNMATCHED = "(none)"


def init_app(app: Flask) -> None:
    """Measure every request of ``app``. Comes first, so that what refuses requests is seen too."""
    app.before_request(_begin)
    app.after_request(_measure)
    app.teardown_request(_end)
    app.register_blueprint(bp)


@bp.get("/metrics")
@public
def figures() -> Response:
    """All figures in Prometheus' text format, for who may read them."""
    _refuse_strangers()
    registry = CollectorRegistry()
    folder = settings_of(current_app).metrics_folder
    registry.register(
        metrics.FolderCollector(folder) if metrics.is_bound() else metrics.OwnCollector()
    )
    registry.register(InstallationCollector())
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _refuse_strangers() -> None:
    """With a token, who has it; without, only who calls on this machine and from no proxy."""
    settings = settings_of(current_app)
    if settings.metrics_token is not None:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        is_same = hmac.compare_digest(given.strip().encode(), settings.metrics_token.encode())
        if scheme.lower() == "bearer" and is_same:
            return
        raise Forbidden(N_("This needs the token that METRICS_TOKEN holds."))
    is_direct = not any(name in request.headers for name in FORWARDED)
    host = request.host.rsplit(":", 1)[0].strip("[]")
    names = (request.remote_addr, host, urlsplit(settings.public_url).hostname)
    if is_direct and all(is_loopback(name) for name in names):
        return
    raise Forbidden(
        N_("Figures are shown on this machine only. Set METRICS_TOKEN to read them from elsewhere.")
    )


def _begin() -> None:
    g.measured_from = time.perf_counter()
    g.tracing = ExitStack()
    if request.endpoint in PROBES:
        return
    g.tracing.enter_context(
        tracing.span(request.method, role="server", parent=request.headers.get("traceparent"))
    )


def _measure(response: Response) -> Response:
    # The rule and not the path: paths of sign-in links hold secrets, those of machines are many.
    route = request.url_rule.rule if request.url_rule else UNMATCHED
    surface = "probe" if request.endpoint in PROBES else str(surface_of(request.path))
    method = request.method if route != UNMATCHED else "OTHER"
    metrics.HTTP_REQUESTS.labels(surface, method, route, str(response.status_code)).inc()
    seconds = time.perf_counter() - g.measured_from
    metrics.HTTP_SECONDS.labels(surface, method, route).observe(seconds)
    tracing.describe(
        name=f"{request.method} {route}",
        is_error=response.status_code >= 500,
        http__request__method=request.method,
        http__route=route,
        http__response__status_code=response.status_code,
        prodapp__request_id=g.get("request_id", ""),
    )
    return response


def _end(_error: BaseException | None) -> None:
    stack = g.pop("tracing", None)
    if stack is not None:
        stack.close()


class InstallationCollector:
    """What waits and who works, asked of the database and the queue at this moment."""

    def collect(self) -> Iterator[Metric]:
        build = GaugeMetricFamily("prodapp_build_info", "Always 1.", labels=("version", "profile"))
        build.add_metric((VERSION, settings_of(current_app).profile), 1)
        yield build
        try:
            found = [*_work(), _processes(), _callbacks()]
        except SQLAlchemyError:
            abandon()
            found = []
        yield _single("prodapp_database_up", "Whether the database answers.", bool(found))
        yield from found
        n_jobs = queue.n_waiting()
        yield _single("prodapp_queue_up", "Whether the queue answers.", n_jobs is not None)
        if n_jobs is not None:
            yield _single("prodapp_queue_jobs", "Jobs that wait for a worker.", n_jobs)
        yield _disk()


def _work() -> Iterator[Metric]:
    count = GaugeMetricFamily(
        "prodapp_work_items", "Background work that has not ended.", labels=("kind", "state")
    )
    age = GaugeMetricFamily(
        "prodapp_work_oldest_seconds",
        "Since when the oldest work in a state was asked for; 0 where there is none.",
        labels=("kind", "state"),
    )
    importing = (DatasetState.QUEUED, DatasetState.IMPORTING)
    for kind, model, states, where in (
        ("run", TrainingRun, ACTIVE, ()),
        ("import", Dataset, importing, (Dataset.deleted_at.is_(None),)),
    ):
        for state, (n, oldest) in _count(model, states, where).items():
            seconds = 0.0 if oldest is None else (datetime.now(UTC) - oldest).total_seconds()
            count.add_metric((kind, state), n)
            age.add_metric((kind, state), max(0.0, seconds))
    yield count
    yield age


def _count(
    model: Any, states: tuple[RunState | DatasetState, ...], where: tuple[Any, ...]
) -> dict[str, tuple[int, datetime | None]]:
    """How many rows are in each of ``states``, and when the oldest of them was made."""
    rows = db.session.execute(
        select(model.state, func.count(), func.min(model.created_at))
        .where(model.state.in_(states), *where)
        .group_by(model.state)
    )
    found = {state: (n, oldest) for state, n, oldest in rows}
    return {str(state): found.get(state, (0, None)) for state in states}


def _processes() -> Metric:
    kinds = [presence.Kind.WORKER, presence.Kind.DISPATCHER, presence.Kind.BACKUP]
    here = [process.kind for process in presence.present(*kinds)]
    family = GaugeMetricFamily(
        "prodapp_processes", "Processes that gave a sign of life within a minute.", labels=("kind",)
    )
    for kind in kinds:
        family.add_metric((str(kind),), here.count(kind))
    return family


def _callbacks() -> Metric:
    n = 0
    for model in (CallbackDelivery, WebhookDelivery):
        waiting = select(func.count()).where(model.next_attempt_at.is_not(None))
        n += db.session.scalar(waiting) or 0
    text = "Callbacks and messages of webhooks that wait to be delivered."
    return _single("prodapp_callbacks_waiting", text, n)


def _disk() -> Metric:
    family = GaugeMetricFamily(
        "prodapp_disk_free_bytes", "Free space where files are written.", labels=("place",)
    )
    settings = settings_of(current_app)
    places = {"scratch": storage().scratch, "instance": settings.instance_path}
    for name, folder in places.items():
        try:
            family.add_metric((name,), shutil.disk_usage(folder).free)
        except OSError:  # the folder is gone: what is not there has no figure
            continue
    return family


def _single(name: str, documentation: str, value: float) -> Metric:
    return GaugeMetricFamily(name, documentation, value=float(value))
