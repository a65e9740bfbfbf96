"""The application factory: settings → extensions → blueprints → error handlers → commands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask, current_app, g, has_request_context, redirect, request, url_for
from flask_babel import get_locale
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response

from prodapp import (
    assets,
    cli,
    compression,
    embedded_queue,
    error_handlers,
    formatting,
    headers,
    health,
    integration,
    limits,
    logs,
    monitoring,
    openapi,
    queue,
    storage,
    tracing,
    uploads,
)
from prodapp.account import pages as account_pages
from prodapp.admin import audit as audit_views
from prodapp.admin import keys as key_views
from prodapp.admin import settings as settings_views
from prodapp.admin import sites as site_views
from prodapp.admin import users as user_views
from prodapp.auth import guard, preconditions, repeats
from prodapp.auth import views as auth_views
from prodapp.auth.permissions import check_policies, public
from prodapp.auth.service import roles_up_to
from prodapp.auth.sessions import SESSION_LIFE
from prodapp.auth.sites import governs_all
from prodapp.config import Settings, load_settings
from prodapp.datasets import views as dataset_views
from prodapp.extensions import (
    babel,
    csrf,
    engine_options,
    init_database,
    limiter,
    refuse_old_sqlite,
)
from prodapp.machines import views as machine_views
from prodapp.predictions import predictors, recorder, what_if_views
from prodapp.predictions import views as prediction_views
from prodapp.ranking import fleet_views, goal_views
from prodapp.ranking import views as ranking_views
from prodapp.rest import waiting
from prodapp.rest.converters import IdConverter
from prodapp.retraining import views as retraining_views
from prodapp.training import views as training_views
from prodapp.version import VERSION
from prodapp.versions import views as version_views
from prodapp.webhooks import views as webhook_views

LOCALES = ("en", "pt_BR")
ROOT = Path(__file__).resolve().parent.parent


class Application(Flask):
    """Every view is a plain function: none is looked at, request for request, for being another."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


def create_app(settings: Settings | None = None) -> Flask:
    """The WSGI application for ``settings``, by default those of the environment."""
    settings = settings or load_settings()
    refuse_old_sqlite()
    settings.instance_path.mkdir(parents=True, exist_ok=True)
    app = Application(__name__, instance_path=str(settings.instance_path))
    app.extensions["prodapp.settings"] = settings
    _configure(app, settings)
    tracing.init(is_on=settings.is_tracing, version=VERSION)
    logs.configure_logging(settings)
    monitoring.init_app(app)
    logs.init_app(app)
    _init_extensions(app, settings)
    _register_blueprints(app)
    error_handlers.init_app(app)
    cli.init_app(app)
    check_policies(app)
    return app


def _configure(app: Flask, settings: Settings) -> None:
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(settings),
        TESTING=settings.profile == "testing",
        SESSION_COOKIE_NAME="__Host-prodapp" if settings.is_https else "prodapp",
        LANGUAGE_COOKIE_NAME="__Host-locale" if settings.is_https else "locale",
        SESSION_COOKIE_SECURE=settings.is_https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=SESSION_LIFE,
        # The token is bound to the session, which has ends of its own.
        WTF_CSRF_TIME_LIMIT=None,
        # guard.py asks for it where a browser's cookie is what lets the request in.
        WTF_CSRF_CHECK_DEFAULT=False,
        # No place behind a proxy knows the Referer better than the Origin that guard.py checks.
        WTF_CSRF_SSL_STRICT=False,
        BABEL_DEFAULT_LOCALE="en",
        BABEL_TRANSLATION_DIRECTORIES=str(ROOT / "prodapp" / "translations"),
        LOCALES=LOCALES,
        RATELIMIT_HEADERS_ENABLED=True,
        SEND_FILE_MAX_AGE_DEFAULT=timedelta(hours=1),
        MAX_FORM_PARTS=5_000,
    )
    app.url_map.converters["int"] = IdConverter  # every number in an address of ours is an id
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops
        )


def _init_extensions(app: Flask, settings: Settings) -> None:
    queue_url = settings.redis_url or embedded_queue.socket_url(settings.instance_path)
    app.config["RATELIMIT_STORAGE_URI"] = _limiter_url(queue_url)
    # Counting goes on in each process where the queue server is away: sign-in never fails open.
    app.config["RATELIMIT_IN_MEMORY_FALLBACK_ENABLED"] = True
    app.config["RATELIMIT_STORAGE_OPTIONS"] = queue.impatience()
    init_database(app)
    storage.init_app(app, settings.storage_url, settings.instance_path / "scratch")
    queue.init_app(app, settings, queue_url)
    predictors.init_app(app, settings.predictor_cache_bytes)
    recorder.init_app(app)
    uploads.init_app(app, settings)
    waiting.init_app(app)
    babel.init_app(app, locale_selector=select_locale)
    csrf.init_app(app)
    limiter.init_app(app)
    assets.init_app(app)
    formatting.init_app(app)
    headers.init_app(app)
    compression.init_app(app)
    guard.init_app(app)
    limits.init_app(app)
    repeats.init_app(app)
    preconditions.init_app(app)
    if settings.identity.oidc is not None:
        from prodapp.auth import provider  # its client is loaded where it is used

        provider.init_app(app)
    app.context_processor(lambda: {"caller": g.get("caller"), "locale": str(get_locale())})
    app.jinja_env.globals["config_sends_mail"] = settings.sends_mail
    app.jinja_env.globals["config_identity"] = settings.identity
    app.jinja_env.globals["roles_up_to"] = roles_up_to
    app.jinja_env.globals["governs_all"] = governs_all


def _register_blueprints(app: Flask) -> None:
    public(app.view_functions["static"])
    app.add_url_rule("/", "home", _home)
    for blueprint in (
        auth_views.bp,
        machine_views.bp,
        dataset_views.bp,
        training_views.bp,
        ranking_views.bp,
        fleet_views.bp,
        goal_views.bp,
        prediction_views.bp,
        what_if_views.bp,
        version_views.bp,
        account_pages.bp,
        user_views.bp,
        key_views.bp,
        site_views.bp,
        audit_views.bp,
        settings_views.bp,
        webhook_views.bp,
        retraining_views.bp,
        health.bp,
    ):
        app.register_blueprint(blueprint)
    openapi.init_app(app)
    integration.init_app(app)


@public
def _home() -> Response:
    return redirect(url_for("machines.index"))


def select_locale() -> str | None:
    """The user's choice, else this browser's, else what the browser asks for, else English.

    A user's choice is for pages: programs ask for a language with each request.
    The integration routes were Portuguese before prodapp served them, so that is their default.
    """
    if not has_request_context():
        return None
    surface, caller = guard.surface_of(request.path), g.get("caller")
    if surface is guard.Surface.PAGE and caller is not None and caller.locale in LOCALES:
        return str(caller.locale)
    saved = request.cookies.get(current_app.config["LANGUAGE_COOKIE_NAME"])
    if saved in LOCALES:
        return saved
    default = "pt_BR" if surface is guard.Surface.INTEGRATION else "en"
    wanted = request.accept_languages.best_match(["en", "pt-BR", "pt"])
    if wanted is None:
        return default
    return "en" if wanted == "en" else "pt_BR"


def _limiter_url(queue_url: str) -> str:
    return "redis+" + queue_url if queue_url.startswith("unix://") else queue_url
