"""A PostgreSQL that keeps what it has committed, to be stopped at any moment."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from prodapp.extensions import db
from tests.conftest import make_settings, migrated_app
from tests.faults.programs import Program
from tests.services import Cluster, Postgres, ServiceUnavailable, make_cluster


@dataclass(frozen=True)
class DurablePostgres:
    """A PostgreSQL that syncs what it commits, and a migrated database on it."""

    cluster: Cluster
    server: Program
    url: str

    def stop_at_once(self) -> None:
        """An immediate stop: no checkpoint, clients are cut off; the next start recovers."""
        os.kill(self.server.pid, signal.SIGQUIT)
        assert self.server.process is not None
        self.server.process.wait()


@contextmanager
def durable(folder: Path, template: Path) -> Iterator[DurablePostgres]:
    """A durable PostgreSQL in ``folder``, running, or a skip with the reason."""
    try:
        cluster = make_cluster(folder, is_durable=True)
    except ServiceUnavailable as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    log = template.with_suffix(".log")
    server = Program(
        "postgres",
        launch=lambda: cluster.launch(log),
        log=log,
        is_ready=lambda _said: cluster.is_answering(),
    )
    server.start()
    try:
        url = Postgres(folder).create_database()
        app = migrated_app(make_settings(template, DATABASE_URL=url))
        with app.app_context():
            db.engine.dispose()
        yield DurablePostgres(cluster, server, url)
    finally:
        server.end()
