"""The OpenAPI document: it is one, it is complete, and it means what the service does.

A change of the document shows up as a difference to ``snapshots/openapi.json``. To accept it::

    .venv/bin/flask --app wsgi openapi write tests/unit/snapshots/openapi.json
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from prodapp.auth.permissions import policy_of
from prodapp.caller import Caller
from prodapp.openapi import document
from tests.factories import (
    make_batch,
    make_csv,
    make_prediction,
    make_ready_dataset,
    make_run,
    make_schedule,
    make_sibling,
    make_version,
    make_webhook,
)

Bearer = Callable[..., dict[str, str]]
SNAPSHOT = Path(__file__).parent / "snapshots" / "openapi.json"
METHODS = ("get", "post", "put", "patch", "delete")
#: What a read must be asked with.
QUERIES = {"/ranking/": "?machine_id=1", "/api/v1/variables/comparison": "?name=heat"}


@pytest.fixture
def described(app: Flask) -> dict[str, Any]:
    """The document, as a client reads it."""
    made: dict[str, Any] = json.loads(json.dumps(document(app)))
    return made


def operations(described: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in described["paths"].items():
        for method in METHODS:
            if method in item:
                yield method, path, item[method]


def validator(described: dict[str, Any], schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": described["components"]})


def test_document_is_valid_openapi(described: dict[str, Any]) -> None:
    assert described["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(described).validate()


def test_document_is_the_accepted_one(described: dict[str, Any]) -> None:
    accepted = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    assert described == accepted, __doc__


def test_document_is_served_and_answers_304(client: FlaskClient, described: dict[str, Any]) -> None:
    answer = client.get("/api/openapi.json")
    assert answer.json == described
    again = client.get("/api/openapi.json", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_every_route_of_programs_is_described(app: Flask, described: dict[str, Any]) -> None:
    found = {(method, path) for method, path, _ in operations(described)}
    for rule in app.url_map.iter_rules():
        blueprint = rule.endpoint.partition(".")[0]
        if blueprint == "integration" or blueprint.startswith("api_"):
            path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
            methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
            assert {(method.lower(), path) for method in methods} <= found


def test_every_operation_tells_its_policy_errors_and_purpose(
    app: Flask, described: dict[str, Any]
) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(described)]
    assert len(ids) == len(set(ids))
    tags = {tag["name"] for tag in described["tags"]}
    adapter = app.url_map.bind("localhost")
    for method, path, operation in operations(described):
        address = re.sub(r"\{\w+\}", "1", path.replace("{prediction_id}", str(UUID(int=1))))
        endpoint, _ = adapter.match(address, method=method.upper())
        policy = policy_of(app, endpoint, method.upper())
        assert policy is not None
        assert operation.get("x-required-role") == policy.role
        assert bool(operation["security"]) == (policy.role is not None)
        assert ("401" in operation["responses"]) or policy.role is None
        assert "default" in operation["responses"]
        assert operation["summary"]
        assert set(operation["tags"]) <= tags


def test_every_operation_declares_its_errors_with_examples(described: dict[str, Any]) -> None:
    responses = described["components"]["responses"]
    problem = validator(described, {"$ref": "#/components/schemas/Problem"})
    for name, response in responses.items():
        if name.startswith("Problem") and name != "ProblemDefault":
            content = response["content"]["application/problem+json"]
            problem.validate(content["example"])
            assert name == f"Problem{content['example']['status']}"
    for method, path, operation in operations(described):
        if not path.startswith("/api/v1/"):
            continue
        headers = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "header"}
        declared = set(operation["responses"])
        assert {"429", "503", "default"} <= declared, path
        if operation["security"]:
            assert (method == "post") == ("Idempotency-Key" in headers), path
        if method != "get" and "{" in path:
            assert "If-Match" in headers, path
            assert {"404", "412"} <= declared, path
        if "202" in operation["responses"]:
            assert {"Location", "Retry-After"} <= set(operation["responses"]["202"]["headers"])


def test_reads_answer_what_their_schema_says(
    app: Flask, client: FlaskClient, caller: Caller, bearer: Bearer, described: dict[str, Any]
) -> None:
    dataset = make_ready_dataset(caller, content=make_csv(n_rows=60))
    version = make_version(caller, make_run(caller, dataset))
    make_run(caller, dataset)
    ids = {
        "machine_id": version.machine_id,
        "dataset_id": dataset.id,
        "run_id": version.run_id,
        "version_id": version.id,
        "other_id": make_sibling(version).id,
    }
    headers, n_checked = bearer("admin"), 0
    ids |= {"user_id": 1, "key_id": 1, "site_id": caller.site_id}
    made = {
        "batch_id": make_batch(caller, version).id,
        "prediction_id": make_prediction(caller, version),
        **make_webhook(app, caller),
        **make_schedule(app, caller, version.machine_id),
    }
    for method, path, operation in operations(described):
        content = operation["responses"].get("200", {}).get("content", {})
        if method != "get" or "application/json" not in content:
            continue
        query = QUERIES.get(path, "")
        answer = client.get(path.format(**ids, **made) + query, headers=headers)
        assert answer.status_code == 200, path
        validator(described, content["application/json"]["schema"]).validate(answer.json)
        n_checked += 1
    assert n_checked >= 15


def test_problems_are_what_their_schema_says(
    client: FlaskClient, bearer: Bearer, described: dict[str, Any]
) -> None:
    headers = bearer("operator")
    schema = {"$ref": "#/components/schemas/Problem"}
    for answer in (
        client.get("/api/v1/machines"),
        client.get("/api/v1/machines/9", headers=headers),
        client.get("/api/v1/nothing"),
        client.put("/api/v1/machines", headers=headers),
        client.delete("/api/v1/machines/1", headers=headers),
        client.post("/api/v1/machines", json={"colour": 1}, headers=headers),
        client.post("/api/v1/machines", data=b"{", headers=headers),
    ):
        assert answer.content_type == "application/problem+json"
        assert answer.json["status"] == answer.status_code
        validator(described, schema).validate(answer.json)


VALID = {
    "MachineInput": {"name": "Press"},
    "CredentialsInput": {"username": "maria", "password": "x"},
    "RefreshInput": {"refresh_token": "x"},
    "RecordsInput": {"records": [{"a": 1, "b": "x", "c": None, "d": True}]},
    "RunOnDatasetInput": {
        "dataset_id": 1,
        "target": "y",
        "features": ["a"],
        "algorithm": "random_forest",
        "hyperparameters": {"n_estimators": 5, "max_depth": None, "max_features": 0.5},
        "test_size": 0.2,
        "random_state": 0,
    },
}


def _odd_values(schema: dict[str, Any]) -> Iterator[Any]:
    """Values on both sides of everything that ``schema`` says, and of other types."""
    yield from (
        None,
        True,
        1,
        1.5,
        "x",
        "1",
        [],
        {},
        ["x"],
        {"x": 1},
        "",
        "  ",
        "a\nb",
        "\x02",
        2.0,
    )
    for bound, step in (("minimum", -1), ("maximum", 1)):
        if bound in schema:
            yield from (schema[bound], schema[bound] + step, schema[bound] + step / 1000)
    if schema.get("maxLength", 10**9) < 10**4:
        yield from ("x" * schema["maxLength"], "x" * (schema["maxLength"] + 1))
    if schema.get("maxItems", 10**9) < 10**4:
        yield from (["x"] * schema["maxItems"], ["x"] * (schema["maxItems"] + 1))
    yield from schema.get("enum", ())


@pytest.mark.parametrize("name", sorted(VALID))
def test_schema_refuses_what_the_service_refuses(
    app: Flask, described: dict[str, Any], name: str
) -> None:
    from marshmallow import ValidationError

    from prodapp.auth import schemas as auth
    from prodapp.datasets import schemas as datasets
    from prodapp.exceptions import InvalidInput
    from prodapp.machines import schemas as machines
    from prodapp.ml.specification import Specification
    from prodapp.submissions import schemas as submissions

    modules = (auth, datasets, machines, submissions)
    loader = next(getattr(module, name) for module in modules if hasattr(module, name))()

    def service_takes(body: Any) -> bool:
        try:
            loaded = loader.load(body)
            if name == "RunOnDatasetInput":
                loaded.pop("dataset_id")
                Specification.from_json(loaded)
        except (ValidationError, InvalidInput):
            return False
        return True

    schema = described["components"]["schemas"][name]
    check = validator(described, schema)
    base = VALID[name]
    bodies: list[Any] = [base, {}, [], None, {**base, "unknown": 1}]
    bodies += [{k: v for k, v in base.items() if k != left_out} for left_out in base]
    for field, rules in schema["properties"].items():
        bodies += [{**base, field: value} for value in _odd_values(rules)]
        bodies += [{**base, field: [value]} for value in _odd_values(rules.get("items", {}))]
        bodies += [
            {**base, field: {inner: value}}
            for inner, inner_rules in rules.get("properties", {}).items()
            for value in _odd_values(inner_rules)
        ]
    assert service_takes(base)
    with app.test_request_context():
        disagreements = [body for body in bodies if check.is_valid(body) != service_takes(body)]
    assert disagreements == []


@pytest.mark.parametrize("path", ["/api/docs", "/api/redoc"])
def test_reader_of_the_document_loads_nothing_from_elsewhere(
    client: FlaskClient, path: str
) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert 'data-document="/api/openapi.json"' in answer.text
    addresses = re.findall(r'(?:src|href)="([^"]+)"', answer.text)
    assert addresses
    assert all(address.startswith(("/", "#")) for address in addresses)
    for address in addresses:
        if address.startswith("/static/"):
            with client.get(address) as asset:
                assert asset.status_code == 200
