"""What happens before each request: who calls, whether they may, and how large the body may be."""

from __future__ import annotations

import time
from dataclasses import replace
from enum import StrEnum
from typing import cast
from urllib.parse import urlsplit

from flask import Flask, current_app, g, request, session
from sqlalchemy.exc import SQLAlchemyError

from prodapp.auth import second_factor, service, sessions, tokens
from prodapp.auth.permissions import Policy, enforce, policy_of
from prodapp.auth.secrets import key_prefix, token_hash
from prodapp.caller import RANKS, Caller
from prodapp.exceptions import Forbidden, N_, NotSignedIn
from prodapp.extensions import csrf, db, recently, settings_of
from prodapp.models import User
from prodapp.outgoing.signatures import signed_message_id

SIGNATURE = "webhook-signature"
SESSION_TOKEN = "token"  # noqa: S105 - the name of a session entry
SMALL_BODY = 1024**2
INTEGRATION_PATHS = frozenset({"machines", "models", "train", "ranking", "webhook"})
# What is open to who has yet to set a second factor up.
ENROLMENT = frozenset(
    f"account.{name}" for name in ("second_factor", "begin_second_factor", "confirm_second_factor")
)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Surface(StrEnum):
    """Which clients a path serves; decides the credentials it takes and the shape of its errors."""

    PAGE = "page"
    API = "api"
    INTEGRATION = "integration"


def surface_of(path: str) -> Surface:
    """The surface that ``path`` belongs to; unknown paths are pages."""
    if path.startswith("/api/"):
        return Surface.API
    if path.split("/", 2)[1] in INTEGRATION_PATHS:
        return Surface.INTEGRATION
    return Surface.PAGE


def current_caller() -> Caller:
    """The caller of this request. Only for views whose policy names a role."""
    caller = g.get("caller")
    if caller is None:
        raise NotSignedIn(N_("Sign in first."))
    return cast(Caller, caller)


def init_app(app: Flask) -> None:
    """Guard every route of ``app``."""
    app.before_request(_guard)


def _guard() -> None:
    g.caller = None
    if request.endpoint is None or request.method == "OPTIONS":
        return  # a 404 or 405, or a CORS preflight, which carries no credentials
    policy = policy_of(current_app, request.endpoint, request.method)
    is_upload = policy is not None and policy.is_upload
    limit = settings_of(current_app).max_upload_bytes if is_upload else SMALL_BODY
    request.max_content_length = limit
    if policy is not None and policy.role is None:
        g.caller = _optional_caller()
    else:
        g.caller = _caller(policy)
    if is_upload:
        db.session.commit()  # no connection and no snapshot are held while a slow body comes in
    if _is_cookie_borne():
        _refuse_foreign_origin()
        csrf.protect()
    enforce(policy, g.caller)
    if policy is not None and policy.role is not None and request.endpoint not in ENROLMENT:
        _refuse_unenrolled()


def _refuse_unenrolled() -> None:
    if g.get("must_enrol"):
        raise Forbidden(
            N_("Your role needs a second step of signing in. Set it up first."),
            code="second_factor_needed",
        )


def _optional_caller() -> Caller | None:
    """Public pages greet who is signed in, and still answer while the database is away."""
    if request.endpoint == "static" or surface_of(request.path) is not Surface.PAGE:
        return None
    try:
        return _session_caller(renew=False)
    except SQLAlchemyError:
        return None


def _caller(policy: Policy | None) -> Caller | None:
    surface = surface_of(request.path)
    if surface is Surface.PAGE:
        return _session_caller(renew=not (policy and policy.is_poll))
    secret = _bearer_secret()
    if secret is not None:
        caller = _secret_caller(secret)
        if caller is None:
            raise NotSignedIn(N_("This token or key is not valid, or not any more."))
        return caller
    if surface is Surface.API:
        return _session_caller(renew=True)
    if policy is not None and policy.takes_signatures:
        return _signed_caller() if SIGNATURE in request.headers else None
    return _anonymous_integration_caller()


def _session_caller(*, renew: bool) -> Caller | None:
    token = session.get(SESSION_TOKEN)
    row = sessions.session_of_token(token, renew=renew) if token else None
    if row is None:
        return None
    g.must_enrol = second_factor.is_missing(row.user, method=row.method)
    return _caller_of(row.user, role=row.user.role, kind="session")


def _secret_caller(secret: str) -> Caller | None:
    if key_prefix(secret) is None:
        key_secret = settings_of(current_app).secret_key
        user = tokens.user_of_access_token(secret, secret_key=key_secret)
        return None if user is None else _caller_of(user, role=user.role, kind="token")
    known = recently().get(("key", token_hash(secret)), lambda: _key_caller(secret))
    if known is None:
        return None
    return replace(known, address=request.remote_addr, request_id=g.get("request_id"))


def _key_caller(secret: str) -> Caller | None:
    key = service.key_of_secret(secret)
    if key is None:
        return None
    # A key never outranks its user, also after the user's role was lowered.
    role = min(key.role, key.user.role, key=RANKS.__getitem__)
    return _caller_of(key.user, role=role, kind="key")


def _signed_caller() -> Caller:
    """Who signed this message; the view remembers its id."""
    secret = settings_of(current_app).report_secret
    message_id = None
    if secret is not None:
        message_id = signed_message_id(
            {name.lower(): value for name, value in request.headers},
            request.get_data(),
            secret=secret,
            now=time.time(),
        )
    if message_id is None:
        raise NotSignedIn(
            N_("The signature does not fit, is too old, or is not expected here."),
            code="bad_signature",
        )
    return _integration_caller("operator", kind="signature")


def _anonymous_integration_caller() -> Caller | None:
    role = settings_of(current_app).integration_anonymous_role
    return None if role is None else _integration_caller(role, kind="anonymous")


def _integration_caller(role: str, *, kind: str) -> Caller:
    return Caller(
        site_id=service.ensure_site(settings_of(current_app).integration_site).id,
        role=role,
        name=kind,
        kind=kind,
        address=request.remote_addr,
        request_id=g.get("request_id"),
    )


def _caller_of(user: User, *, role: str, kind: str) -> Caller:
    return Caller(
        site_id=user.site_id,
        role=role,
        name=user.username,
        kind=kind,
        user_id=user.id,
        address=request.remote_addr,
        request_id=g.get("request_id"),
        locale=user.locale,
    )


def _bearer_secret() -> str | None:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and value:
        return value.strip()
    return request.headers.get("X-API-Key")


def _is_cookie_borne() -> bool:
    """Whether a browser could have been made to send this: then it must prove its origin."""
    if request.method in SAFE_METHODS:
        return False
    surface = surface_of(request.path)
    if surface is Surface.PAGE:
        return True
    return surface is Surface.API and g.caller is not None and g.caller.kind == "session"


def _refuse_foreign_origin() -> None:
    origin = request.headers.get("Origin")
    if origin and urlsplit(origin).netloc != request.host:
        raise Forbidden(N_("This request came from another site."), code="foreign_origin")
