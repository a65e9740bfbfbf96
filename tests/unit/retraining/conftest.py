"""A machine whose folder is watched."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from prodapp.caller import Caller
from prodapp.extensions import command, settings_of
from prodapp.models import Machine
from prodapp.retraining import service
from prodapp.schedules import Plan
from prodapp.variables import TableSettings, write_variables
from tests.factories import make_machine
from tests.unit.webhooks.conftest import listed, receiver  # noqa: F401 - fixtures

CRON = "0 6 * * *"


@pytest.fixture
def folder(app: Flask, tmp_path: Path) -> Path:
    """A folder below a root that the administrator has listed."""
    root = tmp_path / "plant"
    (root / "press").mkdir(parents=True)
    list_roots(app, root)
    return root / "press"


@pytest.fixture
def machine(app: Flask, caller: Caller, folder: Path) -> Machine:
    """A machine whose target is remembered, with a schedule on that folder."""
    made = make_machine(caller)
    with command() as session:
        write_variables(session, made.id, TableSettings(target="yield"))
    service.set_schedule(caller, made.id, Plan(str(folder), CRON, pattern="*.csv"))
    return made


def list_roots(app: Flask, *roots: Path) -> None:
    settings = replace(settings_of(app), schedule_roots=roots)
    app.extensions["prodapp.settings"] = settings
