"""An OpenID Connect provider: authorization code with PKCE (RFC 7636), state and nonce."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_client import OAuth
from flask import Flask, current_app, url_for
from joserfc.errors import JoseError
from werkzeug.wrappers import Response

from prodapp.auth.external import Person
from prodapp.exceptions import N_, NotSignedIn, Unavailable
from prodapp.extensions import settings_of
from prodapp.identity_settings import OidcSettings

SECONDS = 5
NAME = "provider"
DISCOVERY = "/.well-known/openid-configuration"
# Signatures that only the provider can make: with a shared secret, we could too.
ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384"})

log = logging.getLogger(__name__)


def init_app(app: Flask) -> None:
    """Make the client of the provider that is configured. Nobody is called yet."""
    with app.app_context():
        settings = _settings()
    registry = OAuth(app)
    registry.register(
        NAME,
        server_metadata_url=settings.issuer.rstrip("/") + DISCOVERY,
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        client_kwargs={
            "scope": " ".join(settings.scopes),
            "code_challenge_method": "S256",
            "default_timeout": SECONDS,
            **({} if settings.client_secret else {"token_endpoint_auth_method": "none"}),
        },
    )


def send() -> Response:
    """Send the browser to the provider. Raises :class:`Unavailable`."""
    try:
        _check_metadata(_client().load_server_metadata())
        redirect: Response = _client().authorize_redirect(_return_address())
    except (requests.RequestException, AuthlibBaseError, RuntimeError, ValueError) as error:
        raise _away(error) from error
    return redirect


def receive() -> Person:
    """Whom the provider proved, from the browser's way back.

    Raises :class:`NotSignedIn` for an answer that is not one to our question, and
    :class:`Unavailable`.
    """
    settings = _settings()
    try:
        _check_metadata(_client().load_server_metadata())
        token = _client().authorize_access_token()
        claims = token.get("userinfo")
        if not claims:
            raise _refused("no identity token")
        more = _more(token, claims) if settings.groups_claim not in claims else {}
    except requests.RequestException as error:
        raise _away(error) from error
    except (AuthlibBaseError, JoseError, RuntimeError, ValueError, KeyError, TypeError) as error:
        raise _refused(type(error).__name__) from error
    return _person(settings, {**more, **claims})


def _more(token: Mapping[str, Any], claims: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the provider tells at its other address, if it is about the same person."""
    if "userinfo_endpoint" not in _client().load_server_metadata():
        return {}
    found: Mapping[str, Any] = _client().userinfo(token=token)
    return found if found.get("sub") == claims["sub"] else {}


def _person(settings: OidcSettings, claims: Mapping[str, Any]) -> Person:
    email = claims.get("email") if claims.get("email_verified") is True else None
    name = claims.get(settings.username_claim) or claims.get("email") or claims["sub"]
    return Person(
        issuer=settings.issuer,
        subject=str(claims["sub"])[:300],
        username=str(name)[:200],
        email=str(email) if email else None,
        groups=_texts(claims, settings.groups_claim),
    )


def _texts(claims: Mapping[str, Any], path: str) -> tuple[str, ...]:
    """The texts at ``path``; dots lead into objects (``realm_access.roles``)."""
    value: Any = claims.get(path)
    if value is None:
        value = claims
        for part in path.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
    values = value if isinstance(value, list) else [value]
    return tuple(text for text in values if isinstance(text, str))


def _check_metadata(metadata: Mapping[str, Any]) -> None:
    """Refuse a document of another issuer, and signatures that anybody could make."""
    if metadata.get("issuer") != _settings().issuer:
        raise ValueError("the provider's document names another issuer")
    offered = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
    sound = [name for name in offered if name in ALGORITHMS]
    if not sound:
        raise ValueError("the provider signs with no algorithm that we take")
    _client().server_metadata["id_token_signing_alg_values_supported"] = sound


def _client() -> Any:
    return current_app.extensions["authlib.integrations.flask_client"].create_client(NAME)


def _settings() -> OidcSettings:
    settings = settings_of(current_app).identity.oidc
    if settings is None:
        raise RuntimeError("no provider is configured")
    return settings


def _return_address() -> str:
    public_url = settings_of(current_app).public_url
    return public_url + url_for("auth.back_from_provider")


def _refused(reason: str) -> NotSignedIn:
    log.warning("the provider's answer was refused: %s", reason)
    return NotSignedIn(
        N_("Signing in at the provider did not work. Try again."), code="provider_refused"
    )


def _away(error: Exception) -> Unavailable:
    log.error("the provider does not answer: %s", type(error).__name__)
    return Unavailable(N_("The provider does not answer at the moment. Try again later."))
