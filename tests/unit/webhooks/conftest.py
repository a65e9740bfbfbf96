"""An installation that may call a real receiver of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import update

from prodapp.caller import Caller
from prodapp.extensions import command, db, settings_of
from prodapp.models import WebhookDelivery
from prodapp.models.types import db_now
from prodapp.webhooks import service
from prodapp.webhooks.service import NewSecret
from tests.receivers import Receiver, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def listed(app: Flask, receiver: Receiver) -> Receiver:
    """The receiver, listed by the administrator."""
    allow(app, receiver.url.removeprefix("http://"))
    return receiver


@pytest.fixture
def made(caller: Caller, listed: Receiver) -> NewSecret:
    """A webhook of the whole site that wants to know how trainings end."""
    return make(caller, listed)


def allow(app: Flask, *hosts: str) -> None:
    settings = settings_of(app)
    app.extensions["prodapp.settings"] = replace(settings, callback_allowed_hosts=hosts)


def make(caller: Caller, receiver: Receiver, *events: str, machine_id: int | None = None):
    return service.create_webhook(
        caller,
        name="Dashboard",
        url=f"{receiver.url}/hooks?a=1",
        events=events or ("run.succeeded", "run.failed", "run.canceled"),
        machine_id=machine_id,
    )


def messages() -> list[WebhookDelivery]:
    db.session.rollback()
    db.session.expire_all()
    return db.session.query(WebhookDelivery).order_by(WebhookDelivery.id).all()


def make_due() -> None:
    with command() as session:
        session.execute(
            update(WebhookDelivery)
            .where(WebhookDelivery.next_attempt_at.is_not(None))
            .values(next_attempt_at=db_now(-1))
            .execution_options(synchronize_session=False)
        )
    db.session.expire_all()
