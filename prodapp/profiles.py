"""What each profile refuses to start with, and how to mend it.

Development and testing are for one's own machine. Staging and production are used by people over a
network: what would let strangers in, or show them secrets, stops the start there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from prodapp.config import Settings

DEPLOYED = ("staging", "production")
MIN_TOKEN_LENGTH = 24
KNOWN_PASSWORDS = frozenset(
    {"", "postgres", "password", "prodapp", "changeme", "change-me", "secret", "admin", "root"}
    | {"example", "test", "1234", "12345", "123456", "12345678"}
)


def unsafe(settings: Settings, *, is_debugging: bool) -> list[str]:
    """What must be mended before these settings may be started with, a sentence each."""
    if settings.profile in DEPLOYED:
        return [text for check in _CHECKS for text in check(settings)] + _debugging(is_debugging)
    if settings.profile == "testing" and not is_loopback(settings.host):
        return [
            "HOST: the testing profile has points where tests stop the work, so it listens on "
            "this machine only. Remove HOST, or choose another PRODAPP_PROFILE."
        ]
    return []


def is_loopback(host: str | None) -> bool:
    """Whether the name or address means this machine alone."""
    if host is None or host == "localhost":
        return host is not None
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _debugging(is_debugging: bool) -> list[str]:
    if not is_debugging:
        return []
    return ["FLASK_DEBUG: its error pages run whatever a visitor types. Remove it."]


def _public_address(settings: Settings) -> Iterator[str]:
    host = urlsplit(settings.public_url).hostname
    if not settings.is_https and not is_loopback(host):
        yield (
            "PUBLIC_URL: passwords and session cookies would cross the network in the open. Put a "
            "proxy with TLS in front and give its https:// address (docs/administration.md)."
        )
    if settings.is_https and settings.trusted_proxies == 0:
        yield (
            "TRUSTED_PROXIES: https:// in PUBLIC_URL means a proxy in front, and without its "
            "headers every caller would seem to be that proxy. Give the number of proxies, as 1."
        )


def _strangers(settings: Settings) -> Iterator[str]:
    if settings.integration_anonymous_role not in (None, "viewer"):
        yield (
            f"INTEGRATION_ANONYMOUS_ROLE={settings.integration_anonymous_role}: anybody on the "
            "network could change data. Use viewer, or nothing and give the clients keys "
            "(flask key create)."
        )
    if "*" in settings.cors_origins:
        yield (
            "CORS_ORIGINS=*: any web page could call the integration routes. Name the origins of "
            "your own pages."
        )


def _metrics(settings: Settings) -> Iterator[str]:
    token = settings.metrics_token
    if token is not None and len(token) < MIN_TOKEN_LENGTH:
        yield f"METRICS_TOKEN: use at least {MIN_TOKEN_LENGTH} random characters."
    if token is None and settings.metrics_port is not None and not is_loopback(settings.host):
        yield (
            "METRICS_PORT: figures would be open to the network. Set METRICS_TOKEN too, and give "
            "it to Prometheus."
        )


def _servers(settings: Settings) -> Iterator[str]:
    database = urlsplit(settings.database_url)
    if database.hostname is not None and _is_known(database.password):
        yield (
            "DATABASE_URL: the password is missing or among the first that anybody tries. Give "
            "the database's user a random one."
        )
    queue = urlsplit(settings.redis_url or "")
    if queue.hostname and not is_loopback(queue.hostname) and _is_known(queue.password):
        yield (
            "REDIS_URL: whoever reaches that server could send work to the workers. Set a random "
            "password there (requirepass) and here: redis://:PASSWORD@HOST:6379/0."
        )


def _outward(settings: Settings) -> Iterator[str]:
    for name, address in (("SENTRY_DSN", settings.sentry_dsn),):
        parts = urlsplit(address or "")
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            yield f"{name}: reports would cross the network in the open. Use its https:// address."
    if settings.log_level == "DEBUG":
        yield (
            "LOG_LEVEL=DEBUG: libraries write what passes through them, secrets among it. Use INFO."
        )


def _is_known(password: str | None) -> bool:
    return unquote(password or "").lower() in KNOWN_PASSWORDS


_CHECKS: tuple[Callable[[Settings], Iterator[str]], ...] = (
    _public_address,
    _strangers,
    _metrics,
    _servers,
    _outward,
)
