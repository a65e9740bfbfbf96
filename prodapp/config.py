"""Typed settings. The environment is read here and nowhere else.

Every value is parsed by the type its field declares (``SECRET_KEY=12345`` stays text), and a bad
value stops the start with a message that names the variable, what it held and what it takes.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from prodapp import memory, profiles
from prodapp.environment import (
    choice,
    folders,
    integer,
    signing_secret,
    split,
    url,
    with_files,
    words,
)
from prodapp.exceptions import ConfigurationError
from prodapp.identity_settings import ROLES, IdentitySettings, load_identity

PROFILES = ("development", "testing", "staging", "production")
#: When a new version comes into use by itself: always, if better beyond the noise, never.
PROMOTIONS = ("newest", "better", "manual")
DURABILITIES = ("crash", "power")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
MIN_SECRET_LENGTH = 32
KEY_FILE = "secret_key"
#: What ``NAME_FILE`` may name a file for, too.
SECRETS = (
    *("SECRET_KEY", "SECRET_KEY_BEFORE", "DATABASE_URL", "REDIS_URL", "SMTP_URL", "SENTRY_DSN"),
    *("OIDC_CLIENT_SECRET", "LDAP_BIND_PASSWORD", "METRICS_TOKEN", "INTEGRATION_WEBHOOK_SECRET"),
)
# Of the machine's memory, for one run: the rest is for the database, web, and all others.
RUN_MEMORY_SHARE = 0.6


@dataclass(frozen=True)
class Settings:
    """Everything that differs between installations. Sizes in bytes, times in seconds.

    What may hold a password is left out where the whole is printed.
    """

    profile: str
    host: str
    port: int
    instance_path: Path
    database_url: str = field(repr=False)
    redis_url: str | None = field(repr=False)
    secret_key: str = field(repr=False)
    secret_key_before: str | None = field(repr=False)
    public_url: str
    storage_url: str = field(repr=False)
    log_level: str
    trusted_proxies: int
    cors_origins: tuple[str, ...]
    integration_anonymous_role: str | None
    integration_site: str
    callback_allowed_hosts: tuple[str, ...]
    report_secret: str | None = field(repr=False)
    schedule_roots: tuple[Path, ...]
    reads_per_minute: int
    writes_per_minute: int
    uploads_per_minute: int
    identity: IdentitySettings
    second_factor_roles: tuple[str, ...]
    smtp_url: str | None = field(repr=False)
    mail_from: str
    max_upload_bytes: int
    site_quota_bytes: int | None
    run_timeout_seconds: int
    run_memory_bytes: int | None
    web_threads: int
    promotion: str
    lifelines_folder: Path
    metrics_folder: Path
    metrics_port: int | None
    metrics_token: str | None = field(repr=False)
    sentry_dsn: str | None = field(repr=False)
    is_tracing: bool
    sources: Mapping[str, str] = field(repr=False)  # of the variables that are set
    predictor_cache_bytes: int
    prediction_retention_days: int
    prediction_durability: str

    @property
    def is_embedded_queue(self) -> bool:
        """Whether prodapp brings its own queue server (no REDIS_URL was given)."""
        return self.redis_url is None

    @property
    def sends_mail(self) -> bool:
        """Whether letters go out; otherwise administrators hand links over themselves."""
        return self.smtp_url is not None

    @property
    def reachable_host(self) -> str:
        """Where to reach, from this machine, a server that listens on ``host``."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104

    @property
    def is_https(self) -> bool:
        return self.public_url.startswith("https://")


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the environment, and ``.env`` of the current folder where the profile is development.

    Raises :class:`ConfigurationError` for values that cannot be started with, or must not in the
    profile.
    """
    env = dict(os.environ if environ is None else environ)
    sources = {name: "environment" for name, value in env.items() if value}
    profile = choice(env, "PRODAPP_PROFILE", PROFILES, "development")
    if environ is None and profile == "development":
        dotenv = _read_dotenv(Path(".env"))
        sources = {name: ".env" for name, value in dotenv.items() if value} | sources
        env = {**dotenv, **env}
    env = with_files(env, SECRETS)
    sources |= {name: f"{name}_FILE" for name in SECRETS if env.get(f"{name}_FILE")}
    settings = _settings_of(env, profile, sources)
    is_debugging = (env.get("FLASK_DEBUG") or "0").lower() not in ("0", "false", "no")
    found = profiles.unsafe(settings, is_debugging=is_debugging)
    if found:
        raise ConfigurationError(
            f"This would not be safe in the {profile} profile:\n"
            + "\n".join(f"- {text}" for text in found)
        )
    return settings


def _settings_of(env: Mapping[str, str], profile: str, sources: Mapping[str, str]) -> Settings:
    instance = Path(env.get("PRODAPP_INSTANCE") or "instance").expanduser().resolve()
    host = env.get("HOST") or "127.0.0.1"
    port = integer(env, "PORT", 8001, low=1, high=65535)
    return Settings(
        profile=profile,
        host=host,
        port=port,
        instance_path=instance,
        database_url=_database_url(env.get("DATABASE_URL"), instance),
        redis_url=url(env, "REDIS_URL", ("redis", "rediss", "unix")),
        secret_key=_secret_key(env, profile, instance),
        secret_key_before=env.get("SECRET_KEY_BEFORE") or None,
        public_url=(url(env, "PUBLIC_URL", ("http", "https")) or f"http://{host}:{port}").rstrip(
            "/"
        ),
        storage_url=env.get("STORAGE_URL") or f"file://{instance / 'files'}",
        log_level=choice(env, "LOG_LEVEL", LOG_LEVELS, "INFO", fold=str.upper),
        trusted_proxies=integer(env, "TRUSTED_PROXIES", 0, low=0, high=8),
        cors_origins=_origins(env),
        integration_anonymous_role=choice(env, "INTEGRATION_ANONYMOUS_ROLE", ROLES, "") or None,
        integration_site=env.get("INTEGRATION_SITE") or "default",
        callback_allowed_hosts=words(env, "CALLBACK_ALLOWED_HOSTS"),
        report_secret=signing_secret(env, "INTEGRATION_WEBHOOK_SECRET"),
        schedule_roots=folders(env, "SCHEDULE_ROOTS"),
        reads_per_minute=integer(env, "READS_PER_MINUTE", 6000, low=1, high=1_000_000),
        writes_per_minute=integer(env, "WRITES_PER_MINUTE", 1200, low=1, high=1_000_000),
        uploads_per_minute=integer(env, "UPLOADS_PER_MINUTE", 300, low=1, high=1_000_000),
        identity=load_identity(env),
        second_factor_roles=_roles(env, "SECOND_FACTOR_ROLES"),
        smtp_url=_smtp_url(env),
        mail_from=_mail_from(env),
        max_upload_bytes=integer(env, "MAX_UPLOAD_MB", 500, low=1, high=100_000) * 1024**2,
        site_quota_bytes=integer(env, "SITE_QUOTA_MB", 0, low=0, high=1_000_000_000) * 1024**2
        or None,
        run_timeout_seconds=integer(env, "RUN_TIMEOUT", 3600, low=10, high=7 * 86400),
        run_memory_bytes=_run_memory(env),
        web_threads=integer(env, "WEB_THREADS", 8, low=1, high=256),
        promotion=choice(env, "PROMOTION", PROMOTIONS, "newest"),
        lifelines_folder=instance / "workers",
        metrics_folder=Path(env.get("METRICS_FOLDER") or instance / "metrics").resolve(),
        metrics_port=integer(env, "METRICS_PORT", 0, low=1, high=65535) or None,
        metrics_token=(env.get("METRICS_TOKEN") or "").strip() or None,
        sentry_dsn=url(env, "SENTRY_DSN", ("http", "https")),
        is_tracing=_is_tracing(env),
        sources=sources,
        predictor_cache_bytes=integer(env, "PREDICTOR_CACHE_MB", 512, low=1, high=1_000_000)
        * 1024**2,
        prediction_retention_days=integer(
            env, "PREDICTION_RETENTION_DAYS", 730, low=0, high=36_500
        ),
        prediction_durability=choice(env, "PREDICTION_DURABILITY", DURABILITIES, "crash"),
    )


def _run_memory(env: Mapping[str, str]) -> int | None:
    """``None``: no limit. By default a share of the machine, so that others keep the rest."""
    if not (env.get("RUN_MEMORY_MB") or "").strip():
        total = memory.total_bytes()
        return None if total is None else int(total * RUN_MEMORY_SHARE)
    return integer(env, "RUN_MEMORY_MB", 0, low=0, high=10_000_000) * 1024**2 or None


def _roles(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    roles = words(env, name)
    for role in roles:
        if role not in ROLES:
            raise ConfigurationError(f"{name}={role[:40]!r}: use some of {', '.join(ROLES)}.")
    return roles


def _smtp_url(env: Mapping[str, str]) -> str | None:
    value = url(env, "SMTP_URL", ("smtp", "smtps", "smtp+starttls"))
    parts = urlsplit(value or "")
    if parts.scheme == "smtp" and parts.username:
        raise ConfigurationError(
            "SMTP_URL: a password needs smtps:// or smtp+starttls://, which encrypt it on its way."
        )
    return value


def _mail_from(env: Mapping[str, str]) -> str:
    value = (env.get("MAIL_FROM") or "prodapp@localhost").strip()
    if not value.isprintable() or not value.isascii() or value.count("@") != 1 or " " in value:
        raise ConfigurationError(f"MAIL_FROM={value!r}: use an e-mail address.")
    return value


def _origins(env: Mapping[str, str]) -> tuple[str, ...]:
    origins = tuple(origin.rstrip("/") for origin in words(env, "CORS_ORIGINS"))
    for origin in origins:
        if origin != "*" and not _is_origin(origin):
            raise ConfigurationError(
                f"CORS_ORIGINS: {origin!r} is not an origin such as https://dashboard.example."
            )
    return origins


def _is_origin(text: str) -> bool:
    parts = split(text)
    return (
        parts is not None
        and parts.scheme in ("http", "https")
        and f"{parts.scheme}://{parts.netloc}" == text
        and bool(parts.netloc)
    )


def _database_url(value: str | None, instance: Path) -> str:
    if not value:
        return f"sqlite:///{instance / 'prodapp.db'}"
    # "postgres://" is what hosting panels hand out, and SQLAlchemy 2.1 takes "postgresql://" for
    # psycopg 3; both mean the driver that prodapp ships.
    for prefix in ("postgres://", "postgresql://"):
        if value.startswith(prefix):
            return "postgresql+psycopg2://" + value.removeprefix(prefix)
    if not value.startswith(("sqlite:///", "postgresql+psycopg2://")):
        raise ConfigurationError("DATABASE_URL: use a postgresql:// or sqlite:/// address.")
    return value


def _is_tracing(env: Mapping[str, str]) -> bool:
    """Whether OpenTelemetry's own variables name a place to send traces to."""
    place = env.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or env.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    is_disabled = (env.get("OTEL_SDK_DISABLED") or "").lower() == "true"
    is_refused = (env.get("OTEL_TRACES_EXPORTER") or "otlp").lower() != "otlp"
    return bool(place) and not is_disabled and not is_refused


def _secret_key(env: Mapping[str, str], profile: str, instance: Path) -> str:
    value = env.get("SECRET_KEY") or ""
    is_repetition = value in (value + value)[1:-1]  # "changeme" written many times is not long
    is_weak = len(value) < MIN_SECRET_LENGTH or is_repetition
    if value and (not is_weak or profile in ("development", "testing")):
        return value
    if profile in ("staging", "production"):
        raise ConfigurationError(
            f"SECRET_KEY is {'too weak' if value else 'not set'}: the {profile} profile needs at "
            f"least {MIN_SECRET_LENGTH} random characters, for example from "
            "`python -c 'import secrets; print(secrets.token_urlsafe(48))'`."
        )
    return _generated_secret(instance / KEY_FILE)


def _generated_secret(path: Path) -> str:
    """The installation's own key, made at the first start and kept in the instance folder."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
        # Several processes may start at once: the first link wins, and nobody reads half a key.
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text(encoding="ascii").strip()


def _read_dotenv(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    from dotenv import dotenv_values

    return {name: value for name, value in dotenv_values(path).items() if value is not None}
