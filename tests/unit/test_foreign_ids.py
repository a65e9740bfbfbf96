"""Ids of another site wherever a query or a body may name one (IDOR by filter).

Which places there are is read from the OpenAPI document: one that :data:`CALLS` does not make fails
the first test. ``tests/unit/test_access_matrix.py`` does the same for ids in paths.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from prodapp.auth import service as auth
from prodapp.caller import Caller
from prodapp.extensions import db
from prodapp.models import Machine, TrainingRun
from tests.conftest import ROOT
from tests.factories import (
    make_batch,
    make_csv,
    make_prediction,
    make_version,
)
from tests.unit.datasets.test_drafts import draft as make_draft
from tests.unit.test_access_matrix import snapshot

DOCUMENT = json.loads(
    (ROOT / "tests" / "unit" / "snapshots" / "openapi.json").read_text(encoding="utf-8")
)
METHODS = ("get", "post", "put", "patch", "delete")
FREE = {"request_id"}  # what callers make up themselves


@dataclass(frozen=True)
class Ids:
    """What one site has; ``draft`` is always the caller's own, since it stands in the path."""

    machine: int
    dataset: int
    version: int
    prediction: UUID
    user: int
    site: int
    draft: int


def _file() -> dict[str, Any]:
    return {"file": (io.BytesIO(make_csv(n_rows=30)), "x.csv")}


# Place → what names the id there: a query, a JSON body or the fields of a form.
CALLS: dict[str, Any] = {
    "get /api/v1/datasets ?machine_id": lambda i: {"query_string": {"machine_id": i.machine}},
    "post /api/v1/datasets form:machine_id": lambda i: {
        "data": _file() | {"machine_id": i.machine}
    },
    "post /api/v1/datasets json:machine_id": lambda i: {
        "json": {"machine_id": i.machine, "records": [{"a": n, "b": 2 * n} for n in range(30)]}
    },
    "post /api/v1/datasets/{dataset_id}/confirm json:append_to.dataset_id": lambda i: {
        "json": {"append_to": {"dataset_id": i.dataset}}
    },
    "post /api/v1/datasets/{dataset_id}/confirm json:join_to.dataset_id": lambda i: {
        "json": {"join_to": {"dataset_id": i.dataset, "tolerance_minutes": 5}}
    },
    "get /api/v1/runs ?machine_id": lambda i: {"query_string": {"machine_id": i.machine}},
    "post /api/v1/runs form:machine_id": lambda i: {
        "data": _file() | {"machine_id": i.machine, "target": "yield"}
    },
    "post /api/v1/runs json:dataset_id": lambda i: {
        "json": {"dataset_id": i.dataset, "target": "yield"}
    },
    "post /api/v1/runs json:machine_id": lambda i: {
        "json": {
            "machine_id": i.machine,
            "records": [{"a": n, "b": 2 * n} for n in range(30)],
            "target": "b",
        }
    },
    "get /api/v1/versions ?machine_id": lambda i: {"query_string": {"machine_id": i.machine}},
    "get /api/v1/predictions ?machine_id": lambda i: {"query_string": {"machine_id": i.machine}},
    "get /api/v1/predictions ?version_id": lambda i: {"query_string": {"version_id": i.version}},
    "get /api/v1/predictions.csv ?machine_id": lambda i: {
        "query_string": {"machine_id": i.machine}
    },
    "get /api/v1/predictions.csv ?version_id": lambda i: {
        "query_string": {"version_id": i.version}
    },
    "post /api/v1/machines/{machine_id}/what-if json:prediction_id": lambda i: {
        "json": {"prediction_id": str(i.prediction)}
    },
    "post /api/v1/versions/{version_id}/what-if json:prediction_id": lambda i: {
        "json": {"prediction_id": str(i.prediction)}
    },
    "get /api/v1/prediction-batches ?machine_id": lambda i: {
        "query_string": {"machine_id": i.machine}
    },
    "get /api/v1/webhooks ?machine_id": lambda i: {"query_string": {"machine_id": i.machine}},
    "post /api/v1/webhooks json:machine_id": lambda i: {
        "json": {
            "name": "x",
            "url": "http://93.184.216.34/",
            "events": ["run.failed"],
            "machine_id": i.machine,
        }
    },
    "get /api/v1/users ?site_id": lambda i: {"query_string": {"site_id": i.site}},
    "post /api/v1/users json:site_id": lambda i: {
        "json": {"username": "new", "role": "viewer", "site_id": i.site}
    },
    "patch /api/v1/users/{user_id} json:site_id": lambda i: {"json": {"site_id": i.site}},
    "get /api/v1/keys ?user_id": lambda i: {"query_string": {"user_id": i.user}},
    "post /api/v1/keys json:user_id": lambda i: {"json": {"user_id": i.user, "name": "x"}},
    "post /train/ ?machine_id": lambda i: {
        "query_string": {"machine_id": i.machine, "target_column": "yield"},
        "data": _file(),
    },
    "post /train/ ?model_id": lambda i: {
        "query_string": {"model_id": i.machine, "target_column": "yield"},
        "data": _file(),
    },
    "get /ranking/ ?machine_id": lambda i: {"query_string": {"machine_id": i.machine}},
    "get /ranking/ ?model_id": lambda i: {"query_string": {"model_id": i.machine}},
    "post /webhook/treinamento/ json:model_id": lambda i: {
        "json": {"model_id": i.machine, "status": "completed", "metrics": {}}
    },
}


def _resolved(part: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in part:
        found: Any = DOCUMENT
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        part = found
    return part


def _ids_in(schema: dict[str, Any], above: str = "") -> Iterator[str]:
    schema = _resolved(schema)
    for kind in ("oneOf", "anyOf", "allOf"):
        for option in schema.get(kind, ()):
            yield from _ids_in(option, above)
    for name, part in schema.get("properties", {}).items():
        if name.endswith(("_id", "_ids")):
            yield above + name
        yield from _ids_in(part, f"{above}{name}.")
    if "items" in schema:
        yield from _ids_in(schema["items"], f"{above}[].")


def places() -> set[str]:
    """Every query field and every field of a body that names an object by its id."""
    found = set()
    for path, item in DOCUMENT["paths"].items():
        for method in METHODS:
            operation = item.get(method, {})
            for parameter in map(_resolved, operation.get("parameters", ())):
                name = parameter["name"]
                if parameter["in"] == "query" and name.endswith("_id") and name not in FREE:
                    found.add(f"{method} {path} ?{name}")
            content = operation.get("requestBody", {}).get("content", {})
            for kind, body in content.items():
                form = "json" if kind == "application/json" else "form"
                found |= {f"{method} {path} {form}:{name}" for name in _ids_in(body["schema"])}
    return found


def test_every_place_for_an_id_is_tried() -> None:
    assert places() == set(CALLS)


@pytest.fixture
def far(app: Flask, caller: Caller) -> tuple[Ids, Ids, dict[str, str]]:
    """What the first site has, what another one has, and a key of the latter's administrator."""
    version = make_version(caller)
    user = auth.create_user(caller, username="far", role="admin", site="plant 2")
    there = Caller(user.site_id, "admin", "far", "key", user.id)
    own_version = make_version(there)
    draft = make_draft(there, db.session.get_one(Machine, own_version.machine_id))
    for who, one in ((caller, version), (there, own_version)):
        make_batch(who, one)
    found = []
    for by, one, who in (
        (caller, version, auth.create_user(caller, username="near", role="admin")),
        (there, own_version, user),
    ):
        dataset = db.session.get_one(TrainingRun, one.run_id).dataset_id
        prediction = make_prediction(by, one)
        ids = (one.machine_id, dataset, one.id, prediction, who.id, who.site_id, draft.id)
        found.append(Ids(*ids))
    key = auth.create_key(caller, username="far", name="x").secret
    return found[0], found[1], {"X-API-Key": key}


def test_ids_of_another_site_name_nothing(
    client: FlaskClient, far: tuple[Ids, Ids, dict[str, str]]
) -> None:
    foreign, own, headers = far
    before, wrong = snapshot(), []
    for place, call in CALLS.items():
        method, template, _where = place.split(" ")
        path = template.format(
            dataset_id=own.draft, user_id=own.user, machine_id=own.machine, version_id=own.version
        )
        answer = client.open(path, method=method.upper(), headers=headers, **call(foreign))
        is_list = method == "get" and answer.status_code == 200
        found = answer.text.splitlines()[1:] if ".csv" in path else answer.json
        if found if is_list else answer.status_code not in (403, 404, 422):
            wrong.append((place, answer.status_code, answer.text))
    assert wrong == []
    assert snapshot() == before


def test_own_ids_name_something_so_that_nothing_tells_something(
    client: FlaskClient, far: tuple[Ids, Ids, dict[str, str]]
) -> None:
    _foreign, own, headers = far
    for place, call in CALLS.items():
        method, path, _where = place.split(" ")
        if method == "get" and "webhooks" not in path:
            answer = client.get(path, headers=headers, **call(own))
            assert answer.status_code == 200, place
            assert answer.text.splitlines()[1:] if ".csv" in path else answer.json, place
