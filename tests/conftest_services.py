"""Fixtures of real servers: started at the first use, once for each pytest process.

Loaded by ``tests/conftest.py``. Where a server cannot run, its tests are skipped with the reason;
in CI (``CI`` is set) they fail, since a skip there would go unseen.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeVar

import pytest
import redis

from tests import services
from tests.identity_services import (
    Directory,
    Provider,
    running_directory,
    running_provider,
)
from tests.object_store import ObjectStore, running_object_store
from tests.services import Postgres, ServiceUnavailable, running_postgres, running_valkey

T = TypeVar("T")


@contextmanager
def _or_skip(service: AbstractContextManager[T]) -> Iterator[T]:
    try:
        value = service.__enter__()
    except ServiceUnavailable as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    try:
        yield value
    finally:
        service.__exit__(None, None, None)


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    """The address of a Valkey that the tests of this process share. See ``empty_valkey_url``."""
    with _or_skip(running_valkey()) as url:
        yield url


@pytest.fixture
def empty_valkey_url(valkey_url: str) -> str:
    """The same server, emptied before the test."""
    with redis.Redis.from_url(valkey_url) as client:
        client.flushall()
    return valkey_url


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A folder with a file system of 1 MiB."""
    with services.private_folder() as folder, _or_skip(services.mounted(folder, kibibytes=1024)):
        yield folder


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """A PostgreSQL that the tests of this process share."""
    with _or_skip(running_postgres()) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_database(postgres_server: Postgres) -> Callable[[], str]:
    """A function that makes an empty database and gives its address."""
    return postgres_server.create_database


@pytest.fixture
def postgres_url(postgres_server: Postgres) -> Iterator[str]:
    """The address of an empty database for this test alone."""
    url = postgres_server.create_database()
    yield url
    postgres_server.drop_database(url)


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """An OpenID Connect provider that the tests of this process share."""
    with _or_skip(running_provider(tmp_path_factory.mktemp("provider"))) as running:
        yield running


@pytest.fixture(scope="session")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Directory]:
    """An LDAP server that the tests of this process share."""
    with _or_skip(running_directory(tmp_path_factory.mktemp("directory"))) as running:
        yield running


@pytest.fixture(scope="session")
def object_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """An S3 server that the tests of this process share; each makes a bucket of its own."""
    with running_object_store(tmp_path_factory.mktemp("object-store")) as running:
        yield running
