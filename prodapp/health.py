"""Is it alive, is it ready: for load balancers and for people."""

from __future__ import annotations

from flask import Blueprint
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from prodapp import queue
from prodapp.auth.permissions import public
from prodapp.exceptions import StorageFull
from prodapp.extensions import abandon, db
from prodapp.outages import outage_of
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
    """Database and storage decide. A lost queue or a full disk is ``degraded``: reads go on."""
    has_storage, has_space = _storage_takes_files()
    checks = {
        "database": _database_answers(),
        "storage": has_storage,
        "space": has_space,
        "queue": queue.is_answering(),
    }
    if not (checks["database"] and checks["storage"]):
        return {"status": "unavailable", "checks": checks}, 503
    return {"status": "ok" if all(checks.values()) else "degraded", "checks": checks}, 200


def _database_answers() -> bool:
    try:
        db.session.execute(text("SELECT 1"))
    except SQLAlchemyError:
        abandon()
        return False
    return True


def _storage_takes_files() -> tuple[bool, bool]:
    """Whether the storage is there, and whether it has room."""
    try:
        storage().check()
    except OSError as error:
        return isinstance(outage_of(error), StorageFull), False
    return True, True
