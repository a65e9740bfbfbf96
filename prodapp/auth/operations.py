"""What policy and shape of an operation imply for its description: headers, credentials, errors."""

from __future__ import annotations

from typing import Any

from apispec import BasePlugin
from flask import Flask
from werkzeug.routing import Rule

from prodapp.auth.permissions import Policy, policy_of
from prodapp.rest.problems import RETRY_LATER, example_of
from prodapp.rest.repeats import PARAMETER as REPEATS
from prodapp.rest.schemas import DetailSchema, ProblemSchema
from prodapp.rest.spec import IF_MATCH, headers


class CommonPlugin(BasePlugin):
    """Adds what policy and shape of each operation imply: credentials, role, errors, ETag."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    def operation_helper(
        self,
        path: str | None = None,
        operations: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Complete the operations of one path in place; ``rule`` is the route's."""
        rule: Rule = kwargs["rule"]
        is_api = str(path).startswith("/api/")
        schemes = ["bearer", "apiKey", "session"] if is_api else ["bearer", "apiKey"]
        for method, operation in (operations or {}).items():
            policy = policy_of(self._app, rule.endpoint, method.upper())
            if policy is None:
                continue
            operation.setdefault("operationId", rule.endpoint.replace(".", "_"))
            operation["security"] = [{name: []} for name in schemes] if policy.role else []
            if policy.role is not None:
                operation["x-required-role"] = policy.role
            if is_api:
                _add_headers(operation, rule, method, policy)
                _add_problems(operation, rule, policy)
                _add_etag(operation, method)
            else:
                _add_details(operation)


def _add_headers(operation: dict[str, Any], rule: Rule, method: str, policy: Policy) -> None:
    """What :mod:`prodapp.auth.preconditions` and :mod:`prodapp.auth.repeats` heed."""
    parameters = operation.setdefault("parameters", [])
    responses = operation.setdefault("responses", {})
    if method == "post" and policy.role is not None:
        parameters.append(dict(REPEATS))
        responses.setdefault("409", "Problem409")
    if method != "get" and rule.arguments:
        parameters.append(dict(IF_MATCH))
        responses.setdefault("412", "Problem412")


def _add_problems(operation: dict[str, Any], rule: Rule, policy: Policy) -> None:
    statuses = {429, 503}
    if policy.role is not None:
        statuses |= {401, 403}
    if rule.arguments:
        statuses |= {404}
    if operation.get("parameters"):
        statuses |= {422}
    if "requestBody" in operation:
        statuses |= {400, 413, 415, 422}
    if policy.is_upload:
        statuses |= {507}
    responses = operation.setdefault("responses", {})
    responses.pop(422, None)  # flask-smorest's own, under an integer
    for status in sorted(statuses):
        responses[str(status)] = f"Problem{status}"
    responses["default"] = "ProblemDefault"


def _add_details(operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    responses.pop(422, None)
    responses |= {"401": "Detail401", "403": "Detail403", "default": "DetailDefault"}


def _add_etag(operation: dict[str, Any], method: str) -> None:
    responses = operation["responses"]
    found = responses.get(200, responses.get("200"))
    if method == "get" and isinstance(found, dict) and "application/json" in found["content"]:
        found.setdefault("headers", {}).update(headers("ETag"))
        responses["304"] = {"description": "Nothing has changed since."}


def detail_response(text: str) -> dict[str, Any]:
    """An error as the existing clients read it."""
    return {"description": text, "content": {"application/json": {"schema": DetailSchema}}}


def problem_response(text: str, status: int | None = None) -> dict[str, Any]:
    """An error of ``/api/v1``, with an example where it is one of a kind."""
    content: dict[str, Any] = {"schema": ProblemSchema}
    described: dict[str, Any] = {"description": text}
    if status is not None:
        content["example"] = example_of(status)
        if status in RETRY_LATER:
            described["headers"] = headers("Retry-After")
    return described | {"content": {"application/problem+json": content}}
