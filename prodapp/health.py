"""Is it alive, is it ready: for load balancers and for people."""

from __future__ import annotations

from flask import Blueprint
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from prodapp import queue
from prodapp.auth.permissions import public
from prodapp.extensions import db
from prodapp.storage import storage

bp = Blueprint("health", __name__)


@bp.get("/healthz")
@public
def alive() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@bp.get("/readyz")
@public
def ready() -> tuple[dict[str, object], int]:
    """Database and storage decide; a lost queue is ``degraded``, since reads and uploads go on."""
    checks = {
        "database": _database_answers(),
        "storage": _storage_takes_files(),
        "queue": queue.is_answering(),
    }
    if not (checks["database"] and checks["storage"]):
        return {"status": "unavailable", "checks": checks}, 503
    return {"status": "ok" if checks["queue"] else "degraded", "checks": checks}, 200


def _database_answers() -> bool:
    try:
        db.session.execute(text("SELECT 1"))
    except SQLAlchemyError:
        db.session.rollback()
        return False
    return True


def _storage_takes_files() -> bool:
    try:
        storage().check()
    except OSError:
        return False
    return True
