from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from prodapp.auth import service as auth
from prodapp.caller import Caller
from prodapp.extensions import db
from prodapp.models import ModelVersion
from tests.conftest import IsolatedClient

RECORD = {"heat": 1.0, "speed": 0.5, "shift": "day", "noise": 0.0}


@pytest.fixture
def client(filled: Flask) -> FlaskClient:
    filled.test_client_class = IsolatedClient
    return filled.test_client()


@pytest.fixture
def version(filled: Flask) -> ModelVersion:
    """The version in use of the filled installation's one machine."""
    return db.session.scalars(select(ModelVersion)).one()


@pytest.fixture
def headers(owner: Caller) -> dict[str, str]:
    auth.create_user(owner, username="oto", role="operator")
    key = auth.create_key(owner, username="oto", name="test").secret
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture
def ask(client: FlaskClient, headers: dict[str, str], version: ModelVersion) -> Callable[..., Any]:
    """Predict by REST with the version in use; the answer's JSON."""

    def send(**values: Any) -> Any:
        body = {"record": RECORD | values}
        url = f"/api/v1/machines/{version.machine_id}/predictions"
        answer = client.post(url, json=body, headers=headers)
        assert answer.status_code == 201, answer.json
        return answer.json

    return send
