"""``If-Match``: a change is made only to the state that its sender has read.

One mechanism for all of ``/api/v1``: what a request would change is what a GET of its address
answers, or of the nearest address above it that names a thing. ``PUT /datasets/7/overrides``
changes what ``GET /datasets/7`` shows, ``POST /machines/3/champion/rollback`` what ``…/champion``
does.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any, Final

from flask import Flask, current_app, g, request
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter

from prodapp.auth.guard import SAFE_METHODS, Surface, surface_of
from prodapp.auth.permissions import enforce, policy_of
from prodapp.exceptions import N_, Stale
from prodapp.extensions import at_command, db, recently

CHANGED: Final = N_("This has changed since you read it. Read it again, then decide.")


def init_app(app: Flask) -> None:
    """Heed ``If-Match`` at every changing route of the REST API. Comes after the guard."""
    app.before_request(_check)


def read_of(adapter: MapAdapter, path: str) -> tuple[str, dict[str, Any]] | None:
    """Endpoint and arguments of the read that shows what a change at ``path`` is made to."""
    while path.count("/") > 1:
        try:
            rule, arguments = adapter.match(path, method="GET", return_rule=True)
        except HTTPException:
            rule, arguments = None, {}
        if rule is not None and arguments:
            return rule.endpoint, dict(arguments)
        path = path.rpartition("/")[0]
    return None


def _check() -> None:
    """Refuse at once what is stale already, and have the first command look again.

    Between this look and the change another one may come. Within the command there is no between:
    commands of SQLite follow one another, and on PostgreSQL who sends ``If-Match`` for the same
    thing waits for one's turn.
    """
    if "If-Match" not in request.headers or request.method in SAFE_METHODS:
        return
    if request.endpoint is None or surface_of(request.path) is not Surface.API:
        return
    found = read_of(current_app.create_url_adapter(request), request.path)  # type: ignore[arg-type]
    if found is None:
        return
    endpoint, arguments = found
    enforce(policy_of(current_app, endpoint, "GET"), g.caller)
    _compare(endpoint, arguments)

    def look_again(session: Session) -> None:
        if db.engine.dialect.name == "postgresql":
            session.execute(select(func.pg_advisory_xact_lock(_lock_number(endpoint, arguments))))
        session.expire_all()
        _compare(endpoint, arguments)

    at_command(db.session(), look_again)


def _compare(endpoint: str, arguments: dict[str, Any]) -> None:
    recently().forget()  # an answer that another process has outdated must not count
    view: Callable[..., Any] = current_app.view_functions[endpoint]
    present = current_app.make_response(view(**arguments))
    present.add_etag()
    etag, _is_weak = present.get_etag()
    if etag is None or not request.if_match.contains(etag):
        raise Stale(CHANGED)


def _lock_number(endpoint: str, arguments: dict[str, Any]) -> int:
    digest = sha256(f"{endpoint} {sorted(arguments.items())}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
