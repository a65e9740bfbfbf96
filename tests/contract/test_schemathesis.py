"""Schemathesis over the OpenAPI document: what fits it is taken or refused as it says, what does
not fit is refused, and nothing makes the service fail.

Each operation gets examples of both kinds over an installation with rows, half of them naming
objects that there are. The suite makes the same 200 calls of each operation every time, so that
what fails is what was changed; ``SCHEMATHESIS_EXAMPLES`` makes as many other ones
(``make schemathesis``: 2,000).
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi import checks
from schemathesis.specs.openapi.schemas import OpenApiSchema

from prodapp import create_app
from prodapp.auth import service as auth
from prodapp.extensions import db, limiter
from tests.factories import (
    make_batch,
    make_dataset,
    make_machine,
    make_prediction,
    make_ready_dataset,
    make_run,
    make_sibling,
    make_version,
    make_webhook,
)

WANTED = os.environ.get("SCHEMATHESIS_EXAMPLES")
N_EXAMPLES = int(WANTED or 200)
SNAPSHOT = Path(__file__).parent.parent / "unit" / "snapshots" / "openapi.json"
DATABASE = "prodapp.db"
METHODS = ("get", "post", "put", "patch", "delete")
CHECKS: list[CheckFunction] = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
    checks.positive_data_acceptance,
    checks.missing_required_header,
    checks.unsupported_method,
]


# Whether data fit together and to the machine, a password to its name, or If-Match to what is there
# is more than a schema can say. The routes of existing clients say 400 where ours say 422.
ANSWERS = ["2xx", "3xx", 401, 404, 409, 412, 422]
REFUSALS = [400, 401, 403, 404, 405, 406, 409, 412, 413, 415, 422, 428, 429]
# Who names the model in the query sends no body that counts, whatever there is.
LENIENT = {"/models/", "/machines/"}


def operations() -> list[tuple[str, str]]:
    document = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    return [
        (method, path)
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item
    ]


@dataclass(frozen=True)
class Installation:
    """A service with rows; ``secret`` is an administrator's key, ``ids`` what there is.

    ``schemas`` are its document as ours (``True``) and as existing clients' routes are held to it.
    """

    app: Flask
    schemas: dict[bool, OpenApiSchema]
    secret: str
    ids: dict[str, list[Any]]
    kept: Path

    def restore(self) -> None:
        """Every row as it was made: what one operation did is nothing to the next one."""
        with self.app.app_context():
            db.engine.dispose()
        target = Path(self.app.instance_path) / DATABASE
        for leftover in target.parent.glob(f"{DATABASE}*"):
            leftover.unlink()
        shutil.copy(self.kept, target)


@pytest.fixture(scope="module")
def installation(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """One service for all operations, without limits on how often it is called."""
    from tests.conftest import make_settings

    instance = tmp_path_factory.mktemp("contract") / "instance"
    instance.mkdir()
    shutil.copy(sqlite_template, instance / DATABASE)
    many = dict.fromkeys(("READS_PER_MINUTE", "WRITES_PER_MINUTE", "UPLOADS_PER_MINUTE"), "1000000")
    app = create_app(make_settings(instance, MAX_UPLOAD_MB="1", **many))
    with app.app_context():
        secret, ids = furnish(app)
        db.session.remove()
        db.engine.dispose()
    kept = instance.parent / DATABASE
    shutil.copy(instance / DATABASE, kept)
    limiter.enabled = False
    app.wsgi_app = closing(app.wsgi_app)  # type: ignore[method-assign]
    schemas = {True: load_schema(app, ANSWERS), False: load_schema(app, [*ANSWERS, 400])}
    yield Installation(app, schemas, secret, ids, kept)
    limiter.enabled = True
    with app.app_context():
        db.engine.dispose()


def closing(answered: Any) -> Any:
    """Close each answer, as a server does and Schemathesis' client does not: files hang on it."""

    def call(environ: Any, start_response: Any) -> list[bytes]:
        parts = answered(environ, start_response)
        try:
            return list(parts)
        finally:
            getattr(parts, "close", lambda: None)()

    return call


def furnish(app: Flask) -> tuple[str, dict[str, list[Any]]]:
    """An administrator's key, and the ids of one or two objects of each kind."""
    caller = auth.system_caller(name="tester")
    auth.create_user(caller, username="boss", role="admin")
    user = auth.create_user(caller, username="maria", role="operator")
    key = auth.create_key(caller, username="maria", name="press")
    version = make_version(caller)
    run = make_run(caller, make_ready_dataset(caller, make_machine(caller, name="Press 02")))
    draft = make_dataset(caller, make_machine(caller, name="Press 03"))
    webhook = make_webhook(app, caller)
    ids: dict[str, list[Any]] = {
        "machine_id": [version.machine_id, draft.machine_id],
        "run_id": [version.run_id, run.id],
        "dataset_id": [run.dataset_id, draft.id],
        "version_id": [version.id],
        "other_id": [version.id, make_sibling(version).id],
        "batch_id": [make_batch(caller, version).id],
        "prediction_id": [str(make_prediction(caller, version))],
        "webhook_id": [webhook["webhook_id"]],
        "delivery_id": [webhook["delivery_id"]],
        "user_id": [user.id],
        "key_id": [key.id],
        "site_id": [caller.site_id],
    }
    ids["model_id"] = ids["machine_id"]
    return auth.create_key(caller, username="boss", name="x").secret, ids


def load_schema(app: Flask, answers: list[Any]) -> OpenApiSchema:
    """The application's own document, with the answers that sound calls may get."""
    config = schemathesis.Config.from_dict(
        {
            "checks": {
                "positive_data_acceptance": {"expected-statuses": answers},
                "negative_data_rejection": {"expected-statuses": REFUSALS},
            }
        }
    )
    return schemathesis.openapi.from_wsgi("/api/openapi.json", app, config=config)


@st.composite
def cases(draw: st.DrawFn, operation: APIOperation, ids: dict[str, list[Any]]) -> Any:
    """A call that fits the document or one that does not; half of the former name real objects."""
    mode = draw(st.sampled_from([GenerationMode.POSITIVE, GenerationMode.NEGATIVE]))
    case = draw(operation.as_strategy(generation_mode=mode))
    if mode is GenerationMode.POSITIVE and draw(st.booleans()):
        places = [case.path_parameters, case.query, case.body]
        for place in places:
            for name in (place.keys() & ids.keys()) if isinstance(place, dict) else ():
                place[name] = draw(st.sampled_from(ids[name]))
    return case


@pytest.mark.parametrize(("method", "path"), operations(), ids=lambda text: text)
def test_the_service_keeps_to_its_document(
    installation: Installation, method: str, path: str
) -> None:
    installation.restore()
    operation = installation.schemas[path.startswith("/api/")][path][method]
    # Packed answers would be judged as they are: nothing unpacks them on this way.
    headers = {
        "Authorization": f"Bearer {installation.secret}",
        "Accept-Encoding": "identity",
    }
    each = [c for c in CHECKS if c is not checks.negative_data_rejection or path not in LENIENT]
    # Asks twice more, without a credential and with a wrong one: once an operation is enough.
    wanted = [*each, checks.ignored_auth]

    @settings(
        max_examples=N_EXAMPLES,
        deadline=None,
        database=None,
        derandomize=not WANTED,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases(operation, installation.ids))
    def call(case: Any) -> None:
        answer = case.call_and_validate(headers=headers, checks=wanted)
        if answer.status_code < 300:
            wanted[:] = each

    call()
