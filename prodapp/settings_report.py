"""The effective settings as people may see them: by variable, with their source, secrets masked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import make_url

from prodapp.config import Settings

MASK = "***"
MEBIBYTE = 1024**2


@dataclass(frozen=True)
class ShownSetting:
    """``source`` is ``environment``, ``.env`` or ``default``; ``value`` reads as one sets it."""

    name: str
    value: str
    source: str


def report(settings: Settings) -> list[ShownSetting]:
    """Every setting that there is, in the order of ``.env.example``."""
    return [
        ShownSetting(name, _text(value), settings.sources.get(name, "default"))
        for part in (_service, _identity, _work, _watching)
        for name, value in part(settings)
    ]


def _service(settings: Settings) -> Iterator[tuple[str, Any]]:
    yield "PRODAPP_PROFILE", settings.profile
    yield "HOST", settings.host
    yield "PORT", settings.port
    yield "PUBLIC_URL", settings.public_url
    yield "TRUSTED_PROXIES", settings.trusted_proxies
    yield "WEB_THREADS", settings.web_threads
    yield "SECRET_KEY", MASK
    yield "SECRET_KEY_BEFORE", MASK if settings.secret_key_before else None
    yield "PRODAPP_INSTANCE", settings.instance_path
    yield "DATABASE_URL", _without_password(settings.database_url)
    yield "REDIS_URL", _without_password(settings.redis_url)
    yield "STORAGE_URL", _without_password(settings.storage_url)
    yield "LOG_LEVEL", settings.log_level
    yield "CORS_ORIGINS", settings.cors_origins
    yield "SMTP_URL", _without_password(settings.smtp_url)
    yield "MAIL_FROM", settings.mail_from


def _identity(settings: Settings) -> Iterator[tuple[str, Any]]:
    identity = settings.identity
    yield "LOCAL_SIGN_IN", "yes" if identity.local else "no"
    yield "SECOND_FACTOR_ROLES", settings.second_factor_roles
    yield "SIGN_IN_ROLES", _pairs(identity.roles)
    yield "SIGN_IN_DEFAULT_ROLE", identity.default_role
    yield "SIGN_IN_SITES", _pairs(identity.sites)
    yield "SIGN_IN_LINK", identity.linking
    if (oidc := identity.oidc) is not None:
        yield "OIDC_ISSUER", oidc.issuer
        yield "OIDC_CLIENT_ID", oidc.client_id
        yield "OIDC_CLIENT_SECRET", MASK if oidc.client_secret else None
        yield "OIDC_NAME", oidc.name
        yield "OIDC_SCOPES", oidc.scopes
        yield "OIDC_USERNAME_CLAIM", oidc.username_claim
        yield "OIDC_GROUPS_CLAIM", oidc.groups_claim
    if (ldap := identity.ldap) is not None:
        yield "LDAP_URL", _without_password(ldap.url)
        yield "LDAP_BIND_DN", ldap.bind_dn
        yield "LDAP_BIND_PASSWORD", MASK if ldap.bind_password else None
        yield "LDAP_BASE_DN", ldap.base_dn
        yield "LDAP_USER_FILTER", ldap.user_filter
        yield "LDAP_USERNAME_ATTRIBUTE", ldap.username_attribute
        yield "LDAP_ID_ATTRIBUTE", ldap.id_attribute
        yield "LDAP_GROUPS_ATTRIBUTE", ldap.groups_attribute
        yield "LDAP_GROUP_FILTER", ldap.group_filter
        yield "LDAP_CA_FILE", ldap.ca_file


def _work(settings: Settings) -> Iterator[tuple[str, Any]]:
    yield "READS_PER_MINUTE", settings.reads_per_minute
    yield "WRITES_PER_MINUTE", settings.writes_per_minute
    yield "UPLOADS_PER_MINUTE", settings.uploads_per_minute
    yield "MAX_UPLOAD_MB", settings.max_upload_bytes // MEBIBYTE
    quota = settings.site_quota_bytes
    yield "SITE_QUOTA_MB", None if quota is None else quota // MEBIBYTE
    yield "RUN_TIMEOUT", settings.run_timeout_seconds
    memory = settings.run_memory_bytes
    yield "RUN_MEMORY_MB", None if memory is None else memory // MEBIBYTE
    yield "PREDICTOR_CACHE_MB", settings.predictor_cache_bytes // MEBIBYTE
    yield "PREDICTION_RETENTION_DAYS", settings.prediction_retention_days
    yield "PREDICTION_DURABILITY", settings.prediction_durability
    yield "INTEGRATION_ANONYMOUS_ROLE", settings.integration_anonymous_role
    yield "INTEGRATION_SITE", settings.integration_site
    yield "INTEGRATION_WEBHOOK_SECRET", MASK if settings.report_secret else None
    yield "CALLBACK_ALLOWED_HOSTS", settings.callback_allowed_hosts
    yield "SCHEDULE_ROOTS", tuple(map(str, settings.schedule_roots))


def _watching(settings: Settings) -> Iterator[tuple[str, Any]]:
    yield "PROMOTION", settings.promotion
    yield "METRICS_FOLDER", settings.metrics_folder
    yield "METRICS_PORT", settings.metrics_port
    yield "METRICS_TOKEN", MASK if settings.metrics_token else None
    yield "SENTRY_DSN", _without_password(settings.sentry_dsn)


def _without_password(address: str | None) -> str | None:
    return None if address is None else make_url(address).render_as_string(hide_password=True)


def _pairs(pairs: tuple[tuple[str, str], ...]) -> str:
    return "; ".join(f"{group}={value}" for group, value in pairs)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return " ".join(value) if isinstance(value, tuple) else str(value)
