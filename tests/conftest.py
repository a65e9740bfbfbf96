"""Applications over real databases, and callers of every kind."""

from __future__ import annotations

import contextvars
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask, has_app_context
from flask.testing import FlaskClient
from flask_migrate import upgrade

from prodapp import create_app
from prodapp.auth import service as auth
from prodapp.caller import Caller
from prodapp.config import Settings, load_settings
from prodapp.extensions import db

if TYPE_CHECKING:
    from tests.services import Postgres

pytest_plugins = ["tests.conftest_services", "tests.conftest_filled"]

ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"
SECRET = "a secret of the tests that is long enough to be taken"

# One place for the compiled kernels of every process that tests start.
os.environ.setdefault("NUMBA_CACHE_DIR", str(ROOT / "build" / "kernels"))

# Where a test is of whole processes, and a file takes minutes.
LONG = tuple(ROOT / "tests" / name for name in ("faults", "functional", "browser", "contract"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One process more than there are cores, since many tests wait for processes of their own."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files begin first: one that began last would keep a single core busy at the end."""
    items.sort(key=lambda item: not any(item.path.is_relative_to(folder) for folder in LONG))


class IsolatedClient(FlaskClient):
    """Sends each request outside of the test's application context, as a server does.

    Flask would let a request share the context that the test has pushed, and with it ``g`` and the
    database session: what one request left there, the next one would find.
    """

    def open(self, *args: Any, **kwargs: Any) -> Any:
        kwargs.setdefault("buffered", True)  # a server closes what it has sent
        response = contextvars.Context().run(super().open, *args, **kwargs)
        if has_app_context():
            db.session.rollback()  # the test reads what the request has written
        return response


def make_settings(instance: Path, **environ: str) -> Settings:
    """Settings of a testing installation in ``instance``; the queue does not answer by default."""
    return load_settings(
        {"PRODAPP_PROFILE": "testing", "PRODAPP_INSTANCE": str(instance), "SECRET_KEY": SECRET}
        | environ
    )


def migrated_app(settings: Settings) -> Flask:
    """An application whose database has every table."""
    app = create_app(settings)
    with app.app_context():
        upgrade(directory=str(ROOT / "migrations"))
    return app


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite database, copied for each test instead of migrated again."""
    instance = tmp_path_factory.mktemp("template")
    app = migrated_app(make_settings(instance))
    with app.app_context():
        db.engine.dispose()
    return instance / "prodapp.db"


@pytest.fixture(scope="session")
def postgres_template(postgres_server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a migrated PostgreSQL database, copied for each test."""
    url = postgres_server.create_database()
    app = migrated_app(make_settings(tmp_path_factory.mktemp("template"), DATABASE_URL=url))
    with app.app_context():
        db.engine.dispose()
    return url.partition("@/")[2].partition("?")[0]


@pytest.fixture
def make_app(tmp_path: Path, sqlite_template: Path) -> Callable[..., Flask]:
    """A function that makes an application over a fresh SQLite, with settings of one's own."""

    def make(**environ: str) -> Flask:
        instance = tmp_path / "instance"
        instance.mkdir(exist_ok=True)
        shutil.copy(sqlite_template, instance / "prodapp.db")
        application = create_app(make_settings(instance, **environ))
        application.test_client_class = IsolatedClient
        return application

    return make


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Iterator[Flask]:
    """An application over a fresh SQLite, its context pushed."""
    application = make_app()
    with application.app_context():
        yield application
        _close()


@pytest.fixture
def say(app: Flask) -> Callable[..., Any]:
    """A function that calls another one in a request of a language."""

    def run(function: Callable[..., Any], *args: Any, language: str = "en", **named: Any) -> Any:
        def call() -> Any:
            with app.test_request_context(headers={"Accept-Language": language}):
                return function(*args, **named)

        return contextvars.Context().run(call)

    return run


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def any_app(request: pytest.FixtureRequest, make_app: Callable[..., Flask]) -> Iterator[Flask]:
    """As ``app``, once over SQLite and once over PostgreSQL."""
    if request.param == "sqlite":
        application = make_app()
    else:
        server: Postgres = request.getfixturevalue("postgres_server")
        url = server.create_database(template=request.getfixturevalue("postgres_template"))
        application = make_app(DATABASE_URL=url)
    with application.app_context():
        yield application
        _close()


def _close() -> None:
    db.session.remove()
    db.engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def caller(request: pytest.FixtureRequest) -> Caller:
    """An administrator of the default site."""
    if "any_app" in request.fixturenames:
        request.getfixturevalue("any_app")
    else:
        request.getfixturevalue("app")
    return auth.system_caller(name="tester")


@pytest.fixture
def bearer(caller: Caller) -> Callable[..., dict[str, str]]:
    """A function that makes a user of a role and gives the headers of a key of theirs."""

    def make(role: str = "admin", **options: Any) -> dict[str, str]:
        auth.create_user(caller, username=f"{role}-user", role=role, **options)
        key = auth.create_key(caller, username=f"{role}-user", name="test")
        return {"Authorization": f"Bearer {key.secret}"}

    return make


@pytest.fixture
def sign_in(caller: Caller, client: FlaskClient) -> Callable[..., FlaskClient]:
    """A function that signs the client in as a user of a role."""

    def enter(role: str = "operator") -> FlaskClient:
        user = auth.create_user(caller, username=f"{role}-at-page", role=role)
        client.get(f"/app/sign-in/{auth.create_sign_in_link(user)}")
        return client

    return enter
