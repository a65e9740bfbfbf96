"""Schemathesis over the OpenAPI document: what fits it is taken or refused as it says, what does
not fit is refused, and nothing makes the service fail.

Each operation gets examples of both kinds over an installation with rows, half of them naming
objects that there are. ``SCHEMATHESIS_EXAMPLES`` says how many (``make schemathesis``: 200).
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

from prodapp import create_app
from prodapp.auth import service as auth
from prodapp.extensions import db, limiter
from tests.factories import make_dataset, make_machine, make_ready_dataset, make_run, make_version

N_EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES") or 12)
SNAPSHOT = Path(__file__).parent.parent / "unit" / "snapshots" / "openapi.json"
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
    checks.ignored_auth,
]


# Whether data fit together and to the machine, a password to its name, or If-Match to what is there
# is more than a schema can say. The routes of existing clients say 400 where ours say 422.
ANSWERS = ["2xx", "3xx", 401, 404, 409, 412, 422]
REFUSALS = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 428, 429]
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
    """A folder to be copied; ``secret`` is an administrator's key, ``ids`` what there is."""

    instance: Path
    secret: str
    ids: dict[str, list[int]]


@pytest.fixture(scope="module")
def furnished(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    from tests.conftest import make_settings

    instance = tmp_path_factory.mktemp("contract") / "instance"
    instance.mkdir()
    shutil.copy(sqlite_template, instance / "prodapp.db")
    app = create_app(make_settings(instance))
    with app.app_context():
        caller = auth.system_caller(name="tester")
        auth.create_user(caller, username="boss", role="admin")
        user = auth.create_user(caller, username="maria", role="operator")
        key = auth.create_key(caller, username="maria", name="press")
        version = make_version(caller)
        run = make_run(caller, make_ready_dataset(caller, make_machine(caller, name="Press 02")))
        draft = make_dataset(caller, make_machine(caller, name="Press 03"))
        secret = auth.create_key(caller, username="boss", name="x").secret
        ids = {
            "machine_id": [version.machine_id, draft.machine_id],
            "model_id": [version.machine_id, draft.machine_id],
            "run_id": [version.run_id, run.id],
            "dataset_id": [run.dataset_id, draft.id],
            "version_id": [version.id],
            "user_id": [user.id],
            "key_id": [key.id],
            "site_id": [caller.site_id],
        }
        db.session.remove()
        db.engine.dispose()
    return Installation(instance, secret, ids)


@pytest.fixture
def app(furnished: Installation, tmp_path: Path) -> Iterator[Flask]:
    """A copy for one operation, without limits on how often it is called."""
    from tests.conftest import make_settings

    shutil.copytree(furnished.instance, tmp_path / "instance")
    many = dict.fromkeys(("READS_PER_MINUTE", "WRITES_PER_MINUTE", "UPLOADS_PER_MINUTE"), "1000000")
    made = create_app(make_settings(tmp_path / "instance", MAX_UPLOAD_MB="1", **many))
    limiter.enabled = False
    yield made
    limiter.enabled = True
    with made.app_context():
        db.engine.dispose()


@st.composite
def cases(draw: st.DrawFn, operation: APIOperation, ids: dict[str, list[int]]) -> Any:
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
    app: Flask, furnished: Installation, method: str, path: str
) -> None:
    answers = {"expected-statuses": ANSWERS if path.startswith("/api/") else [*ANSWERS, 400]}
    config = schemathesis.Config.from_dict(
        {
            "checks": {
                "positive_data_acceptance": answers,
                "negative_data_rejection": {"expected-statuses": REFUSALS},
            }
        }
    )
    operation = schemathesis.openapi.from_wsgi("/api/openapi.json", app, config=config)[path][
        method
    ]
    headers = {"Authorization": f"Bearer {furnished.secret}"}
    wanted = [c for c in CHECKS if c is not checks.negative_data_rejection or path not in LENIENT]

    @settings(
        max_examples=N_EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases(operation, furnished.ids))
    def call(case: Any) -> None:
        case.call_and_validate(headers=headers, checks=wanted)

    call()
