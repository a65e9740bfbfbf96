"""An installation at which somebody works."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import delete

from prodapp.extensions import command, db
from prodapp.models import (
    ProcessPresence,
)
from prodapp.presence import Heartbeat, Kind


@pytest.fixture(autouse=True)
def somebody_works(filled: Flask) -> Iterator[None]:
    """A worker and a dispatcher that are here, and no other sign of life."""
    with command() as session:
        session.execute(delete(ProcessPresence))
    for kind in (Kind.WORKER, Kind.DISPATCHER):
        Heartbeat(kind, f"{kind}-1").beat()
    yield
    db.session.rollback()
