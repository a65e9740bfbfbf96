"""``/api/v1/auth``: tokens for programs."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, request

from prodapp.addresses import calling_network
from prodapp.auth import personal, tokens
from prodapp.auth.guard import current_caller
from prodapp.auth.objects import own_user
from prodapp.auth.permissions import public, requires
from prodapp.auth.schemas import (
    CallerSchema,
    CredentialsInput,
    PersonalDataSchema,
    RefreshInput,
    TokenPairSchema,
)
from prodapp.extensions import limiter, settings_of
from prodapp.names import folded
from prodapp.rest.blueprint import ApiBlueprint
from prodapp.rest.spec import problems

blp = ApiBlueprint(
    "api_auth",
    __name__,
    title="Authentication",
    description="Tokens for programs: a short access token, and a refresh token that rotates.",
)


def _account_key() -> str:
    """One account's tries from one address: a stranger's must not lock its owner out."""
    try:
        body = request.get_json(silent=True)
    except RecursionError:  # nested too deeply; parsing it for the view will say so
        body = None
    username = body.get("username") if isinstance(body, dict) else None
    return f"account:{folded(str(username or ''))}:{calling_network()}"


@blp.post("/auth/token")
@limiter.limit("30 per minute")
@limiter.limit("10 per minute", key_func=_account_key)
@blp.takes(CredentialsInput)
@blp.answers(200, TokenPairSchema)
@blp.describes(responses=problems(401, 429))
@public
def issue(body: dict[str, str]) -> Any:
    """Sign in with name and password

    A user with a second factor sends its `code` too: 401 says `code_needed`, `bad_code` or, after
    five wrong ones, `too_many_codes`.
    """
    return tokens.sign_in(
        body["username"],
        body["password"],
        code=body.get("code"),
        secret_key=settings_of(current_app).secret_key,
        address=request.remote_addr,
    )


@blp.post("/auth/refresh")
@limiter.limit("60 per minute")
@blp.takes(RefreshInput)
@blp.answers(200, TokenPairSchema)
@blp.describes(responses=problems(401, 429))
@public
def refresh(body: dict[str, str]) -> Any:
    """Exchange a refresh token for a new pair"""
    return tokens.rotate(body["refresh_token"], secret_key=settings_of(current_app).secret_key)


@blp.post("/auth/revoke")
@limiter.limit("60 per minute")
@blp.takes(RefreshInput)
@blp.answers(204, description="Revoked, or never known")
@blp.describes(responses=problems(429))
@public
def revoke(body: dict[str, str]) -> Any:
    """Sign out: end a refresh token and all that descend from it"""
    tokens.revoke(body["refresh_token"])
    return Response(status=204)


@blp.get("/auth/me")
@blp.answers(200, CallerSchema)
@requires("viewer")
def me() -> Any:
    """Who is calling"""
    return current_caller()


@blp.get("/auth/me/personal-data")
@blp.answers(200, PersonalDataSchema)
@requires("viewer")
def own_personal_data() -> Any:
    """Read all that is stored about oneself"""
    return personal.personal_data(own_user(current_caller()))
