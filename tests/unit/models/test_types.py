"""Instants and the database's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from flask import Flask
from sqlalchemy import insert, select

from prodapp.extensions import command, db
from prodapp.models import Site
from prodapp.models.types import db_now


def test_an_instant_comes_back_in_utc(any_app: Flask) -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=timezone(timedelta(hours=-3)))
    with command() as session:
        session.execute(insert(Site).values(name="plant", created_at=at))
    stored = db.session.scalar(select(Site.created_at).where(Site.name == "plant"))
    assert stored == at
    assert stored is not None
    assert stored.tzinfo is UTC


def test_a_time_without_zone_is_refused(app: Flask) -> None:
    with pytest.raises(Exception, match="without a zone"), command() as session:
        session.execute(insert(Site).values(name="plant", created_at=datetime(2026, 1, 2)))  # noqa: DTZ001


def test_the_databases_clock_orders_with_stored_times(any_app: Flask) -> None:
    with command() as session:
        session.execute(insert(Site).values(name="past", created_at=db_now(-5)))
        session.execute(insert(Site).values(name="future", created_at=db_now(5)))
    earlier = set(db.session.scalars(select(Site.name).where(Site.created_at < db_now())))
    later = set(db.session.scalars(select(Site.name).where(Site.created_at > db_now())))
    assert "past" in earlier
    assert "future" not in earlier
    assert later == {"future"}


def test_the_databases_clock_is_the_clock(any_app: Flask) -> None:
    shown = db.session.scalar(select(db_now()))
    assert shown is not None
    assert abs((shown - datetime.now(UTC)).total_seconds()) < 5
