"""Who may call what: every route × method × role × kind of credential.

:data:`ROLES` is the reviewed table: a route that it does not name fails the first test, and so does
a name without a route. The second one asks with the real guard, real credentials and a view that
only tells that it was reached; the others ask the real views for objects of another site.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import jwt
import pytest
from flask import Flask, session
from flask.testing import FlaskClient
from flask_wtf.csrf import generate_csrf
from sqlalchemy import inspect, select, update
from werkzeug.routing import AnyConverter

from prodapp.auth import service as auth
from prodapp.auth import sessions, tokens, users
from prodapp.auth.guard import Surface, surface_of
from prodapp.auth.permissions import policy_of
from prodapp.caller import RANKS, Caller
from prodapp.extensions import command, db, limiter
from prodapp.models import ApiKey, ExternalIdentity, TrainingRun, User, UserSession
from prodapp.models.types import db_now
from tests.conftest import SECRET
from tests.factories import (
    make_batch,
    make_machine,
    make_prediction,
    make_schedule,
    make_version,
    make_webhook,
)
from tests.pages import csrf_token

PASSWORD = "correct horse battery"
PUBLIC = "anyone"
# What an address cannot do without.
QUERIES = {"/app/datasets/<int:dataset_id>/engineering-step": {"step": "ratio", "number": 2}}
DEFAULTS = {"prediction_id": UUID(int=1)}
CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})

ROLES: dict[str, str] = {
    "GET /": PUBLIC,
    "GET /metrics": PUBLIC,  # lets in this machine or a token: tests/unit/test_monitoring.py
    "GET /api/docs": PUBLIC,
    "GET /api/openapi.json": PUBLIC,
    "GET /api/redoc": PUBLIC,
    "GET /api/v1/algorithms": "viewer",
    "GET /api/v1/engineering-steps": "viewer",
    "GET /api/v1/audit-events": "admin",
    "GET /api/v1/auth/me": "viewer",
    "POST /api/v1/auth/refresh": PUBLIC,
    "POST /api/v1/auth/revoke": PUBLIC,
    "POST /api/v1/auth/token": PUBLIC,
    "GET /api/v1/datasets": "viewer",
    "POST /api/v1/datasets": "operator",
    "GET /api/v1/datasets/<id:dataset_id>": "viewer",
    "GET /api/v1/datasets/<id:dataset_id>/source": "viewer",
    "GET /api/v1/keys": "admin",
    "POST /api/v1/keys": "admin",
    "DELETE /api/v1/keys/<id:key_id>": "admin",
    "GET /api/v1/keys/<id:key_id>": "admin",
    "GET /api/v1/machines": "viewer",
    "POST /api/v1/machines": "operator",
    "DELETE /api/v1/machines/<id:machine_id>": "analyst",
    "GET /api/v1/machines/<id:machine_id>": "viewer",
    "PATCH /api/v1/machines/<id:machine_id>": "operator",
    "GET /api/v1/machines/<id:machine_id>/datasets": "viewer",
    "POST /api/v1/machines/<id:machine_id>/datasets": "operator",
    "GET /api/v1/machines/<id:machine_id>/variables": "viewer",
    "PUT /api/v1/machines/<id:machine_id>/variables": "operator",
    "DELETE /api/v1/datasets/<id:dataset_id>": "operator",
    "PUT /api/v1/datasets/<id:dataset_id>/overrides": "operator",
    "POST /api/v1/datasets/<id:dataset_id>/confirm": "operator",
    "PUT /api/v1/datasets/<id:dataset_id>/exclusions": "operator",
    "GET /api/v1/machines/<id:machine_id>/ranking": "viewer",
    "GET /api/v1/runs": "viewer",
    "POST /api/v1/runs": "operator",
    "GET /api/v1/runs/<id:run_id>": "viewer",
    "POST /api/v1/runs/<id:run_id>/cancel": "operator",
    "POST /api/v1/runs/<id:run_id>/retry": "operator",
    "GET /api/v1/sites": "admin",
    "POST /api/v1/sites": "admin",
    "GET /api/v1/sites/<id:site_id>": "admin",
    "GET /api/v1/users": "admin",
    "POST /api/v1/users": "admin",
    "GET /api/v1/users/<id:user_id>": "admin",
    "PATCH /api/v1/users/<id:user_id>": "admin",
    "POST /api/v1/users/<id:user_id>/password-link": "admin",
    "GET /api/v1/versions": "viewer",
    "GET /api/v1/versions/<id:version_id>": "viewer",
    "GET /api/v1/versions/<id:version_id>/ranking": "viewer",
    "PATCH /api/v1/versions/<id:version_id>": "operator",
    "POST /api/v1/versions/<id:version_id>/archive": "analyst",
    "POST /api/v1/versions/<id:version_id>/promote": "analyst",
    "POST /api/v1/versions/<id:version_id>/unarchive": "analyst",
    "GET /api/v1/machines/<id:machine_id>/champion": "viewer",
    "GET /api/v1/machines/<id:machine_id>/champion/history": "viewer",
    "POST /api/v1/machines/<id:machine_id>/champion/rollback": "analyst",
    "GET /api/v1/machines/<id:machine_id>/promotion": "viewer",
    "PUT /api/v1/machines/<id:machine_id>/promotion": "analyst",
    "POST /app/machines/<int:machine_id>/versions/rule": "analyst",
    "GET /api/v1/versions/<id:version_id>/alarms": "viewer",
    "GET /api/v1/versions/<id:version_id>/effects": "viewer",
    "GET /api/v1/versions/<id:version_id>/levers": "viewer",
    "GET /api/v1/versions/<id:version_id>/lags": "viewer",
    "GET /api/v1/variables": "viewer",
    "GET /api/v1/variables/comparison": "viewer",
    "GET /app/variables": "viewer",
    "POST /api/v1/versions/<id:version_id>/lagged-runs": "operator",
    "POST /app/versions/<int:version_id>/lagged-runs": "operator",
    "PUT /api/v1/versions/<id:version_id>/alarms/<string:key>/acceptance": "analyst",
    "DELETE /api/v1/versions/<id:version_id>/alarms/<string:key>/acceptance": "analyst",
    "GET /api/v1/versions/<id:version_id>/artifact": "viewer",
    "POST /api/v1/versions/<id:version_id>/retrain": "operator",
    "POST /app/versions/<int:version_id>/check": "viewer",
    "POST /app/versions/<int:version_id>/retrain": "operator",
    "GET /api/v1/versions/<id:version_id>/comparison/<id:other_id>": "viewer",
    "GET /app/machines/<int:machine_id>/compare": "viewer",
    "GET /api/v1/versions/<id:version_id>/pictures": "viewer",
    "GET /app/versions/<int:version_id>/pictures": "viewer",
    "GET /app/versions/<int:version_id>/pictures/<key>.<any(svg, png):kind>": "viewer",
    "GET /api/v1/versions/<id:version_id>/report": "viewer",
    "GET /app/versions/<int:version_id>/report.<kind>": "viewer",
    "GET /app/account/": "viewer",
    "POST /app/account/keys": "viewer",
    "POST /app/account/keys/<int:key_id>/revoke": "viewer",
    "POST /app/account/password": "viewer",
    "POST /app/account/sessions/<int:session_id>/end": "viewer",
    "GET /app/account/second-factor": "viewer",
    "POST /app/account/second-factor": "viewer",
    "POST /app/account/second-factor/codes": "viewer",
    "POST /app/account/second-factor/confirm": "viewer",
    "POST /app/account/second-factor/remove": "viewer",
    "GET /app/second-step": PUBLIC,
    "POST /app/second-step": PUBLIC,
    "DELETE /api/v1/users/<id:user_id>/second-factor": "admin",
    "POST /app/users/<int:user_id>/second-factor/reset": "admin",
    "POST /app/account/identities": "viewer",
    "POST /app/account/identities/<int:identity_id>/remove": "viewer",
    "GET /app/sign-in/provider": PUBLIC,
    "GET /app/sign-in/provider/back": PUBLIC,
    "GET /app/settings/": "admin",
    "POST /app/sites/<int:site_id>/quota": "admin",
    "PATCH /api/v1/sites/<id:site_id>": "admin",
    "GET /api/v1/users/<id:user_id>/personal-data": "admin",
    "DELETE /api/v1/users/<id:user_id>": "admin",
    "GET /api/v1/auth/me/personal-data": "viewer",
    "GET /app/account/personal-data.json": "viewer",
    "GET /app/users/<int:user_id>/personal-data.json": "admin",
    "POST /app/users/<int:user_id>/erase": "admin",
    "POST /app/account/sessions/end": "viewer",
    "GET /app/audit/": "admin",
    "GET /app/audit/audit.csv": "admin",
    "GET /app/datasets/<int:dataset_id>": "viewer",
    "GET /app/datasets/<int:dataset_id>/check": "operator",
    "POST /app/datasets/<int:dataset_id>/check": "operator",
    "GET /app/datasets/<int:dataset_id>/discard": "operator",
    "POST /app/datasets/<int:dataset_id>/discard": "operator",
    "GET /app/datasets/<int:dataset_id>/file": "viewer",
    "GET /app/datasets/<int:dataset_id>/rows": "operator",
    "POST /app/datasets/<int:dataset_id>/rows": "operator",
    "POST /app/datasets/<int:dataset_id>/runs": "operator",
    "GET /app/datasets/<int:dataset_id>/engineering-step": "operator",
    "GET /app/datasets/<int:dataset_id>/status": "viewer",
    "GET /app/forgot": PUBLIC,
    "POST /app/forgot": PUBLIC,
    "GET /app/keys/": "admin",
    "POST /app/keys/<int:key_id>/revoke": "admin",
    "POST /app/keys/users/<int:user_id>": "admin",
    "GET /app/keys/users/<int:user_id>/new": "admin",
    "POST /app/language": PUBLIC,
    "GET /app/machines/": "viewer",
    "POST /app/machines/": "operator",
    "GET /app/machines/<int:machine_id>": "viewer",
    "POST /app/machines/<int:machine_id>/datasets": "operator",
    "GET /app/machines/<int:machine_id>/datasets/new": "operator",
    "GET /app/machines/<int:machine_id>/delete": "analyst",
    "POST /app/machines/<int:machine_id>/delete": "analyst",
    "GET /app/machines/<int:machine_id>/edit": "operator",
    "POST /app/machines/<int:machine_id>/edit": "operator",
    "GET /app/machines/new": "operator",
    "GET /app/password/<token>": PUBLIC,
    "POST /app/password/<token>": PUBLIC,
    "GET /app/runs/<int:run_id>": "viewer",
    "POST /app/runs/<int:run_id>/cancel": "operator",
    "GET /app/runs/<int:run_id>/progress": "viewer",
    "POST /app/runs/<int:run_id>/retry": "operator",
    "GET /app/sign-in": PUBLIC,
    "POST /app/sign-in": PUBLIC,
    "GET /app/sign-in/<token>": PUBLIC,
    "POST /app/sign-out": PUBLIC,
    "GET /app/sites/": "admin",
    "POST /app/sites/": "admin",
    "GET /app/users/": "admin",
    "POST /app/users/": "admin",
    "GET /app/users/<int:user_id>": "admin",
    "POST /app/users/<int:user_id>": "admin",
    "POST /app/users/<int:user_id>/activation": "admin",
    "POST /app/users/<int:user_id>/reset": "admin",
    "POST /app/users/<int:user_id>/sign-out": "admin",
    "GET /app/users/new": "admin",
    "GET /app/versions/<int:version_id>": "viewer",
    "GET /app/versions/<int:version_id>/ranking.csv": "viewer",
    "GET /app/machines/<int:machine_id>/versions": "viewer",
    "POST /app/machines/<int:machine_id>/versions/rollback": "analyst",
    "POST /app/versions/<int:version_id>/archive": "analyst",
    "POST /app/versions/<int:version_id>/notes": "operator",
    "POST /app/versions/<int:version_id>/promote": "analyst",
    "POST /app/versions/<int:version_id>/alarms/<key>/accept": "analyst",
    "POST /app/versions/<int:version_id>/alarms/<key>/take-back": "analyst",
    "GET /api/v1/machines/<id:machine_id>/inputs": "viewer",
    "GET /api/v1/machines/<id:machine_id>/usage": "viewer",
    "GET /api/v1/prediction-batches": "viewer",
    "GET /api/v1/prediction-batches/<id:batch_id>": "viewer",
    "POST /api/v1/prediction-batches/<id:batch_id>/cancel": "operator",
    "GET /api/v1/prediction-batches/<id:batch_id>/results": "viewer",
    "GET /api/v1/predictions": "viewer",
    "GET /api/v1/predictions.csv": "viewer",
    "GET /api/v1/predictions/<uuid:prediction_id>": "viewer",
    "PUT /api/v1/predictions/<uuid:prediction_id>/actual": "operator",
    "GET /api/v1/versions/<id:version_id>/inputs": "viewer",
    "GET /api/v1/versions/<id:version_id>/usage": "viewer",
    "POST /api/v1/machines/<id:machine_id>/actuals": "operator",
    "POST /api/v1/machines/<id:machine_id>/prediction-batches": "operator",
    "POST /api/v1/machines/<id:machine_id>/predictions": "operator",
    "POST /api/v1/versions/<id:version_id>/prediction-batches": "operator",
    "POST /api/v1/versions/<id:version_id>/predictions": "operator",
    "GET /api/v1/machines/<id:machine_id>/goal": "viewer",
    "GET /api/v1/versions/<id:version_id>/goal": "viewer",
    "GET /app/versions/<int:version_id>/goal": "viewer",
    "POST /api/v1/machines/<id:machine_id>/what-if": "operator",
    "POST /api/v1/versions/<id:version_id>/what-if": "operator",
    "GET /app/versions/<int:version_id>/what-if": "operator",
    "POST /app/versions/<int:version_id>/what-if": "operator",
    "GET /app/versions/<int:version_id>/what-if/answer": "operator",
    "GET /app/machines/<int:machine_id>/usage": "viewer",
    "GET /app/versions/<int:version_id>/usage": "viewer",
    "GET /app/machines/<int:machine_id>/drift": "viewer",
    "GET /app/machines/<int:machine_id>/errors": "viewer",
    "GET /api/v1/machines/<id:machine_id>/drift": "viewer",
    "GET /api/v1/machines/<id:machine_id>/errors": "viewer",
    "GET /app/prediction-batches/<int:batch_id>": "viewer",
    "POST /app/prediction-batches/<int:batch_id>/cancel": "operator",
    "GET /app/prediction-batches/<int:batch_id>/progress": "viewer",
    "GET /app/prediction-batches/<int:batch_id>/results.<any(csv, xlsx, parquet):kind>": "viewer",
    "GET /app/predictions": "viewer",
    "GET /app/predictions.csv": "viewer",
    "GET /app/predictions/<uuid:prediction_id>": "viewer",
    "POST /app/predictions/<uuid:prediction_id>/actual": "operator",
    "GET /app/versions/<int:version_id>/predict": "operator",
    "POST /app/versions/<int:version_id>/predict": "operator",
    "POST /app/versions/<int:version_id>/prediction-batches": "operator",
    "GET /api/v1/webhooks": "analyst",
    "POST /api/v1/webhooks": "analyst",
    "GET /api/v1/webhooks/<id:webhook_id>": "analyst",
    "PATCH /api/v1/webhooks/<id:webhook_id>": "analyst",
    "DELETE /api/v1/webhooks/<id:webhook_id>": "analyst",
    "POST /api/v1/webhooks/<id:webhook_id>/secret": "analyst",
    "POST /api/v1/webhooks/<id:webhook_id>/test": "analyst",
    "GET /api/v1/webhooks/<id:webhook_id>/deliveries": "analyst",
    "GET /api/v1/webhook-deliveries/<id:delivery_id>": "analyst",
    "POST /api/v1/webhook-deliveries/<id:delivery_id>/replay": "analyst",
    "GET /api/v1/machines/<id:machine_id>/schedule": "viewer",
    "PUT /api/v1/machines/<id:machine_id>/schedule": "analyst",
    "DELETE /api/v1/machines/<id:machine_id>/schedule": "analyst",
    "POST /api/v1/machines/<id:machine_id>/schedule/look": "operator",
    "GET /api/v1/machines/<id:machine_id>/schedule/files": "viewer",
    "GET /api/v1/machines/<id:machine_id>/schedule/files/<id:file_id>": "viewer",
    "POST /api/v1/machines/<id:machine_id>/schedule/files/<id:file_id>/again": "operator",
    "GET /app/machines/<int:machine_id>/schedule/": "viewer",
    "POST /app/machines/<int:machine_id>/schedule/": "analyst",
    "POST /app/machines/<int:machine_id>/schedule/look": "operator",
    "POST /app/machines/<int:machine_id>/schedule/files/<int:file_id>/again": "operator",
    "POST /app/machines/<int:machine_id>/schedule/delete": "analyst",
    "GET /app/webhooks/": "analyst",
    "POST /app/webhooks/": "analyst",
    "GET /app/webhooks/new": "analyst",
    "GET /app/webhooks/<int:webhook_id>": "analyst",
    "GET /app/webhooks/<int:webhook_id>/edit": "analyst",
    "POST /app/webhooks/<int:webhook_id>/edit": "analyst",
    "POST /app/webhooks/<int:webhook_id>/activation": "analyst",
    "POST /app/webhooks/<int:webhook_id>/secret": "analyst",
    "POST /app/webhooks/<int:webhook_id>/test": "analyst",
    "POST /app/webhooks/<int:webhook_id>/delete": "analyst",
    "GET /app/webhooks/deliveries/<int:delivery_id>": "analyst",
    "POST /app/webhooks/deliveries/<int:delivery_id>/replay": "analyst",
    "GET /api/v1/machines/<id:machine_id>/setup": "viewer",
    "PUT /api/v1/machines/<id:machine_id>/setup": "analyst",
    "POST /api/v1/machines/import": "analyst",
    "GET /app/machines/<int:machine_id>/setup.json": "viewer",
    "POST /app/machines/import": "analyst",
    "GET /healthz": PUBLIC,
    "GET /machines/": "viewer",
    "POST /machines/": "operator",
    "DELETE /machines/<id:machine_id>": "analyst",
    "GET /machines/<id:machine_id>": "viewer",
    "GET /models/": "viewer",
    "POST /models/": "operator",
    "DELETE /models/<id:machine_id>": "analyst",
    "GET /models/<id:machine_id>": "viewer",
    "GET /ranking/": "viewer",
    "GET /readyz": PUBLIC,
    "GET /static/<path:filename>": PUBLIC,
    "POST /train/": "operator",
    "POST /webhook/treinamento/": "operator",
}


@dataclass
class Visitor:
    """Somebody at the door. ``role`` is what their credential is good for, ``None`` nothing."""

    name: str
    kind: str
    role: str | None
    client: FlaskClient
    headers: dict[str, str] = field(default_factory=dict)


def routes(app: Flask) -> Iterator[tuple[str, str, str]]:
    """``(method, rule, endpoint)`` of everything that the application answers."""
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield method, rule.rule, rule.endpoint


def address(app: Flask, rule: str, endpoint: str, **ids: Any) -> str:
    found = next(row for row in app.url_map.iter_rules(endpoint) if row.rule == rule)
    defaults = DEFAULTS | {
        # Of several kinds of one file, the first.
        name: min(converter.items)
        for name, converter in found._converters.items()
        if isinstance(converter, AnyConverter)
    }
    values = {name: ids.get(name, defaults.get(name, 1)) for name in found.arguments}
    built = found.build(values)
    assert built is not None
    return str(built[1])


def test_every_route_stands_in_the_table_and_needs_the_role_it_names(app: Flask) -> None:
    declared = {}
    for method, rule, endpoint in routes(app):
        policy = policy_of(app, endpoint, method)
        assert policy is not None
        declared[f"{method} {rule}"] = policy.role or PUBLIC
    assert declared == ROLES


# --- the guard -----------------------------------------------------------------------------------


@pytest.fixture
def hollow(app: Flask) -> Iterator[Flask]:
    """The application with views that do nothing but answer 299: the guard alone decides."""
    for endpoint in app.view_functions:
        real = app.view_functions[endpoint]

        def reached(**_arguments: Any) -> tuple[str, int]:
            return "reached", 299

        # The guard reads the policy here, for class-based views at the class.
        reached.view_class = getattr(real, "view_class", None)  # type: ignore[attr-defined]
        reached.access_policy = getattr(real, "access_policy", None)  # type: ignore[attr-defined]
        app.view_functions[endpoint] = reached
    limiter.enabled = False
    yield app
    limiter.enabled = True


def _user(caller: Caller, name: str, role: str, **more: Any) -> User:
    return auth.create_user(caller, username=name, role=role, password=PASSWORD, **more)


def _browser(app: Flask, user: User | None) -> FlaskClient:
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["csrf_token"] = "of this browser"
        if user is not None:
            cookie["token"] = sessions.open_session(user, address=None, user_agent=None)
    return client


def _csrf(app: Flask) -> str:
    with app.test_request_context():
        session["csrf_token"] = "of this browser"
        return str(generate_csrf())


def _token(user: User) -> str:
    return tokens.sign_in(user.username, PASSWORD, secret_key=SECRET).access_token


def _visitors(app: Flask, caller: Caller) -> list[Visitor]:
    csrf = {"X-CSRFToken": _csrf(app)}
    found = [Visitor("nobody", "none", None, _browser(app, None), csrf)]

    def add(label: str, user: User, role: str | None) -> None:
        found.append(Visitor(f"{label} session", "session", role, _browser(app, user), csrf))
        bearer = {"Authorization": f"Bearer {_token(user)}", **csrf}
        found.append(Visitor(f"{label} token", "token", role, _browser(app, None), bearer))
        key = auth.create_key(caller, username=user.username, name=label)
        secret = {"X-API-Key": key.secret, **csrf}
        found.append(Visitor(f"{label} key", "key", role, _browser(app, None), secret))

    for role in RANKS:
        add(role, _user(caller, role, role), role)
    add("far admin", _user(caller, "far", "admin", site="plant 2"), "admin")
    gone = _user(caller, "gone", "admin")
    add("deactivated", gone, None)
    users.change_user(caller, gone.id, users.UserChange(is_active=False))
    found += _ended(app, caller)
    forged = _token(_user(caller, "forger", "admin"))[:-4] + "AAAA"
    headers = {"Authorization": f"Bearer {forged}", **csrf}
    return [*found, Visitor("forged token", "token", None, _browser(app, None), headers)]


def _ended(app: Flask, caller: Caller) -> Iterator[Visitor]:
    """Credentials that were good once."""
    user = _user(caller, "late", "admin")
    csrf = {"X-CSRFToken": _csrf(app)}
    yesterday = db_now(-86400.0 * 400)
    for label, model, values in (
        ("revoked session", UserSession, {"revoked_at": db_now()}),
        ("idle session", UserSession, {"last_seen_at": yesterday}),
        ("old session", UserSession, {"created_at": yesterday}),
        ("revoked key", ApiKey, {"revoked_at": db_now()}),
        ("expired key", ApiKey, {"expires_at": yesterday}),
    ):
        if model is UserSession:
            visitor = Visitor(label, "session", None, _browser(app, user), csrf)
        else:
            secret = auth.create_key(caller, username="late", name=label).secret
            headers = {"X-API-Key": secret, **csrf}
            visitor = Visitor(label, "key", None, _browser(app, None), headers)
        with command() as transaction:
            newest = select(model.id).order_by(model.id.desc()).limit(1).scalar_subquery()
            transaction.execute(
                update(model)
                .where(model.id == newest)
                .values(**values)
                .execution_options(synchronize_session=False)
            )
        yield visitor
    stale = {"Authorization": f"Bearer {_stale_token(user)}", **csrf}
    yield Visitor("expired token", "token", None, _browser(app, None), stale)


def _stale_token(user: User) -> str:
    claims = {"iss": tokens.ISSUER, "aud": tokens.AUDIENCE, "typ": "access", "sub": str(user.id)}
    key = tokens._signing_key(SECRET)
    return jwt.encode(claims | {"iat": 1, "exp": 2}, key, algorithm=tokens.ALGORITHM)


def expected(visitor: Visitor, surface: Surface, needed: str) -> set[int]:
    """What may come back: 299 reached, 302 to the sign-in page, 401 or 403."""
    if needed == PUBLIC:
        return {299}
    takes = {
        Surface.PAGE: {"session"},
        Surface.API: {"session", "token", "key"},
        Surface.INTEGRATION: {"token", "key"},
    }[surface]
    role = visitor.role if visitor.kind in takes else None
    if role is None:
        return {302} if surface is Surface.PAGE else {401}
    return {299} if RANKS[role] >= RANKS[needed] else {403}


@pytest.mark.parametrize("surface", list(Surface))
def test_the_guard_lets_in_whom_the_table_says(
    hollow: Flask, caller: Caller, surface: Surface
) -> None:
    wrong = []
    n_asked = 0
    visitors = _visitors(hollow, caller)
    assert len(visitors) == 26
    for method, rule, endpoint in routes(hollow):
        if surface_of(rule) is not surface:
            continue
        path = address(hollow, rule, endpoint, filename="app.css", path="x", token="x")
        for visitor in visitors:
            answer = visitor.client.open(path, method=method, headers=visitor.headers)
            wanted = expected(visitor, surface, ROLES[f"{method} {rule}"])
            n_asked += 1
            if answer.status_code not in wanted:
                wrong.append(f"{visitor.name}: {method} {rule}: {answer.status_code}")
    assert wrong == []
    assert n_asked >= 26 * {Surface.PAGE: 40, Surface.API: 30, Surface.INTEGRATION: 9}[surface]


# --- objects of another site ---------------------------------------------------------------------


@pytest.fixture
def objects(app: Flask, caller: Caller) -> dict[str, Any]:
    """One of each object, in the first site."""
    version = make_version(caller)
    user = _user(caller, "owner", "admin")
    token = sessions.open_session(user, address=None, user_agent=None)
    row = sessions.session_of_token(token, renew=False)
    assert row is not None
    return {
        "machine_id": version.machine_id,
        "run_id": version.run_id,
        "version_id": version.id,
        "dataset_id": db.session.get_one(TrainingRun, version.run_id).dataset_id,
        "user_id": user.id,
        "key_id": auth.create_key(caller, username="owner", name="x").id,
        "session_id": row.id,
        "identity_id": _identity(user),
        "site_id": caller.site_id,
        "batch_id": make_batch(caller, version).id,
        **make_webhook(app, caller),
        **make_schedule(app, caller, version.machine_id),
        "prediction_id": make_prediction(caller, version),
    }


def _identity(user: User) -> int:
    row = ExternalIdentity(user_id=user.id, issuer="https://provider.example", subject="1")
    with command() as session:
        session.add(row)
    return row.id


def snapshot() -> dict[str, list[Any]]:
    """What is stored, but for what each request leaves behind."""
    passing = {"user_sessions", "api_keys", "audit_events", "alembic_version", "sites"}
    names = [name for name in inspect(db.engine).get_table_names() if name not in passing]
    with db.engine.connect() as connection:
        return {
            name: sorted(map(str, connection.exec_driver_sql(f'SELECT * FROM "{name}"')))  # noqa: S608
            for name in names
        }


# Sound ones: a body that is refused for itself would tell nothing about the object.
BODIES: dict[str, dict[str, Any]] = {
    "PATCH /api/v1/machines/<id:machine_id>": {"json": {"name": "mine now"}},
    "PATCH /api/v1/users/<id:user_id>": {"json": {"role": "viewer"}},
    "PATCH /api/v1/webhooks/<id:webhook_id>": {"json": {"name": "mine now"}},
    "PATCH /api/v1/sites/<id:site_id>": {"json": {"quota_mb": 1}},
    "PUT /api/v1/machines/<id:machine_id>/variables": {"json": {}},
    "PUT /api/v1/datasets/<id:dataset_id>/overrides": {"json": {"overrides": {}}},
    "POST /api/v1/datasets/<id:dataset_id>/confirm": {"json": {}},
    "PUT /api/v1/datasets/<id:dataset_id>/exclusions": {"json": {"exclusions": []}},
    "PATCH /api/v1/versions/<id:version_id>": {"json": {"notes": "mine now"}},
    "PUT /api/v1/machines/<id:machine_id>/schedule": {
        "json": {"folder": "/srv", "cron": "0 6 * * *"}
    },
    "PUT /api/v1/machines/<id:machine_id>/setup": {
        "json": {"format": "prodapp.machine", "format_version": 1, "name": "mine now"}
    },
    "PUT /api/v1/machines/<id:machine_id>/promotion": {"json": {"rule": "manual"}},
    "POST /api/v1/versions/<id:version_id>/promote": {"json": {}},
    "POST /api/v1/machines/<id:machine_id>/champion/rollback": {"json": {}},
    "PUT /api/v1/versions/<id:version_id>/alarms/<string:key>/acceptance": {
        "json": {"reason": "mine now"}
    },
    "PUT /api/v1/predictions/<uuid:prediction_id>/actual": {"json": {"value": 1.0}},
    "POST /api/v1/machines/<id:machine_id>/predictions": {"json": {"record": {}}},
    "POST /api/v1/versions/<id:version_id>/predictions": {"json": {"record": {}}},
    "POST /api/v1/machines/<id:machine_id>/actuals": {
        "data": {"file": (io.BytesIO(f"prediction_id,actual\n{UUID(int=1)},2\n".encode()), "x.csv")}
    },
    "POST /api/v1/machines/<id:machine_id>/datasets": {
        "data": {"file": (io.BytesIO(b"a,b\n1,2\n3,4\n"), "x.csv")}
    },
}


def test_objects_of_another_site_look_missing_whatever_is_done_to_them(
    app: Flask, caller: Caller, objects: dict[str, Any]
) -> None:
    far = _user(caller, "far", "admin", site="plant 2")
    key = {"X-API-Key": auth.create_key(caller, username="far", name="x").secret}
    page = app.test_client()
    page.get(f"/app/sign-in/{auth.create_sign_in_link(far)}")
    form_token = csrf_token(page, "/app/account/")
    before, wrong, n_asked = snapshot(), [], 0
    for method, rule, endpoint in routes(app):
        arguments = next(r for r in app.url_map.iter_rules(endpoint) if r.rule == rule).arguments
        if not arguments & objects.keys():
            continue
        path = address(app, rule, endpoint, **objects)
        n_asked += 1
        if surface_of(rule) is Surface.PAGE:
            form = {"csrf_token": form_token} if method in CHANGING else None
            answer = page.open(path, method=method, data=form)
        else:
            body = BODIES.get(f"{method} {rule}", {})
            answer = app.test_client().open(path, method=method, headers=key, **body)
        if answer.status_code != 404:
            wrong.append(f"{method} {rule}: {answer.status_code}")
    assert wrong == []
    assert n_asked >= 40
    assert snapshot() == before


def test_objects_of_another_site_cannot_be_named_in_queries_and_bodies(
    app: Flask, client: FlaskClient, caller: Caller, objects: dict[str, Any]
) -> None:
    _user(caller, "far", "admin", site="plant 2")
    key = {"X-API-Key": auth.create_key(caller, username="far", name="x").secret}
    far = auth.user_by_name("far")
    own = make_machine(Caller(far.site_id, "admin", "far", "key", far.id), name="own")
    machine, dataset = objects["machine_id"], objects["dataset_id"]
    before = snapshot()

    def file() -> dict[str, Any]:
        return {"file": (io.BytesIO(b"a,b\n1,2\n3,4\n"), "x.csv")}

    training = {"dataset_id": dataset, "target": "yield"}
    for path, sent in (
        (f"/train/?machine_id={machine}&target_column=b", {"data": file()}),
        (f"/train?model_id={machine}&target_column=b", {"data": file()}),
        (
            "/webhook/treinamento/",
            {"json": {"model_id": machine, "status": "completed", "metrics": {}}},
        ),
        ("/api/v1/runs", {"json": training}),
        ("/api/v1/runs", {"json": training | {"machine_id": own.id}}),
        (f"/api/v1/machines/{machine}/datasets", {"data": file()}),
    ):
        answer = client.post(path, headers=key, **sent)
        assert answer.status_code in (404, 422), path
        assert answer.status_code == 404 or "machine_id" in answer.text, (path, answer.text)
    for path in (f"/ranking/?machine_id={machine}", f"/ranking?model_id={machine}"):
        assert client.get(path, headers=key).status_code == 404
    assert snapshot() == before
    # Filters find nothing either.
    for path in (f"runs?machine_id={machine}", f"datasets?machine_id={machine}", "machines"):
        answer = client.get(f"/api/v1/{path}", headers=key)
        assert (
            answer.status_code == 404
            or [row for row in answer.json if row["id"] != own.id or path != "machines"] == []
        )
    names = [row["id"] for row in client.get("/machines/", headers=key).json]
    assert names == [own.id]


def test_own_objects_are_found_so_that_missing_ones_tell_something(
    app: Flask, objects: dict[str, Any]
) -> None:
    owner = auth.user_by_name("owner")
    page = app.test_client()
    page.get(f"/app/sign-in/{auth.create_sign_in_link(owner)}")
    for method, rule, endpoint in routes(app):
        arguments = next(r for r in app.url_map.iter_rules(endpoint) if r.rule == rule).arguments
        if method != "GET" or not arguments or not arguments <= objects.keys():
            continue
        if surface_of(rule) is Surface.INTEGRATION:
            continue
        path = address(app, rule, endpoint, **objects)
        query = QUERIES.get(rule)
        answer = page.get(path, query_string=query, buffered=True, follow_redirects=True)
        assert answer.status_code == 200, rule
