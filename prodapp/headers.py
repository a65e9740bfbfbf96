"""Security headers of every answer, the CSP nonce, and CORS for the configured origins."""

from __future__ import annotations

import secrets

from flask import Flask, Response, current_app, g, request

from prodapp.auth.guard import Surface, surface_of
from prodapp.extensions import settings_of

CORS_HEADERS = (
    "Authorization, Content-Type, X-API-Key, X-Request-ID, Idempotency-Key, If-Match, If-None-Match"
)
CORS_EXPOSED = (
    "Location, Link, X-Pagination, X-Request-ID, ETag, Retry-After, Idempotent-Replayed, "
    "Content-Disposition, "
    "RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset"
)
CORS_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"


#: Of every answer that does not say otherwise itself.
FIXED = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
)


def csp_nonce() -> str:
    """This answer's nonce: scripts that carry it run, all other inline scripts do not."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def init_app(app: Flask) -> None:
    """Add the headers to every answer of ``app``."""
    app.add_template_global(csp_nonce)
    app.after_request(_secure)
    app.after_request(_allow_origins)


def _secure(response: Response) -> Response:
    headers = response.headers
    nonce = f" 'nonce-{g.csp_nonce}'" if "csp_nonce" in g else ""
    policy = (
        f"default-src 'none'; script-src 'self'{nonce}; style-src 'self'{nonce}; "
        "img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    wanted = [("Content-Security-Policy", policy), *FIXED]
    if settings_of(current_app).is_https:
        wanted.append(("Strict-Transport-Security", "max-age=31536000; includeSubDomains"))
    if request.endpoint != "static":
        wanted.append(("Cache-Control", "no-store"))
    # One look at those that are there: setdefault looks through all of them for each.
    given = {name.lower() for name, _ in headers}
    for name, value in wanted:
        if name.lower() not in given:
            headers.add(name, value)
    if request.endpoint != "static":
        headers.add("Vary", "Cookie, Accept-Encoding, Accept-Language, HX-Request")
    return response


def _allow_origins(response: Response) -> Response:
    """CORS without credentials: cookies never count on these surfaces from elsewhere."""
    origin = request.headers.get("Origin")
    allowed = settings_of(current_app).cors_origins
    if not origin or surface_of(request.path) is Surface.PAGE:
        return response
    response.headers.add("Vary", "Origin")
    if origin not in allowed and "*" not in allowed:
        return response
    response.headers["Access-Control-Allow-Origin"] = origin
    response.headers["Access-Control-Expose-Headers"] = CORS_EXPOSED
    if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
        response.headers["Access-Control-Allow-Methods"] = CORS_METHODS
        response.headers["Access-Control-Allow-Headers"] = CORS_HEADERS
        response.headers["Access-Control-Max-Age"] = "600"
    return response
