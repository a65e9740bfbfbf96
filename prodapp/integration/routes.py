"""The routes of the existing clients, over the same services as everything else.

Paths answer with and without the trailing slash. Who sends ``machine_id`` is the dashboard; who
sends ``model_name`` or ``model_id`` is a backend that takes prodapp for its model service.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import Any
from urllib.parse import urlsplit

from flask import current_app, jsonify, request
from werkzeug.datastructures import FileStorage

from prodapp.addresses import is_called_by_name_of_the_house
from prodapp.auth.guard import current_caller
from prodapp.auth.objects import machine_of
from prodapp.auth.permissions import requires
from prodapp.exceptions import FieldError, Forbidden, InvalidInput, N_
from prodapp.extensions import settings_of
from prodapp.integration import webhook
from prodapp.integration.answers import alarm_rows, machine_row, metrics_row, ranking_rows
from prodapp.integration.parsing import BadRequest, IntegrationBlueprint, load
from prodapp.integration.schemas import (
    DashboardRankingSchema,
    DeletedSchema,
    ImportanceSchema,
    MachineNameInput,
    MachineRowSchema,
    ModelNameQuery,
    ReceivedSchema,
    StartedSchema,
    TargetQuery,
    TrainFile,
    TrainQuery,
    WebhookInput,
)
from prodapp.machines import overviews
from prodapp.machines import service as machines
from prodapp.outgoing.destinations import DestinationRefused, parse_destination
from prodapp.ranking import service as rankings
from prodapp.submissions import service as submissions

CSV_TYPES = ("text/csv",)
# What browsers on Windows call a CSV file.
CSV_TYPES_BY_NAME = ("application/vnd.ms-excel", "application/octet-stream")

blp = IntegrationBlueprint(
    "integration",
    __name__,
    title="Existing clients",
    description="The calls of an existing dashboard (`machine_name`, `machine_id`) and of a "
    "backend that takes prodapp for its model service (`model_name`, `model_id`). Errors are "
    '`{"detail": …}`. Paths work with and without the slash at their end.',
    url_prefix=None,
)


def _refuse_foreign_pages() -> None:
    """Where nobody has to sign in, a page of another origin must not act through a visitor."""
    origin, settings = request.headers.get("Origin"), settings_of(current_app)
    if request.method == "OPTIONS" or current_caller().kind != "anonymous":
        return
    if not is_called_by_name_of_the_house(public_name=urlsplit(settings.public_url).hostname):
        message = N_("Call prodapp by the host of PUBLIC_URL, by its address, or with a key.")
        raise Forbidden(message, code="foreign_host")
    if not origin:
        return
    own = request.host_url.rstrip("/")
    if origin != own and not {origin, "*"} & set(settings.cors_origins):
        raise Forbidden(N_("This request came from another site."), code="foreign_origin")


blp.before_request(_refuse_foreign_pages)


@blp.post("/machines/", endpoint="create_machine", strict_slashes=False)
@blp.post("/models/", endpoint="create_model", strict_slashes=False)
@blp.answers(200, MachineRowSchema)
@blp.describes(
    parameters=[
        {
            "in": "query",
            "name": "model_name",
            "schema": {"type": "string"},
            "description": "As the model service: the name, instead of a body.",
        }
    ],
    requestBody={"content": {"application/json": {"schema": MachineNameInput}}},
    responses={"409": "Detail409", "422": "Detail422"},
)
@requires("operator")
def create_machine() -> Any:
    """Register a machine"""
    name = load(ModelNameQuery, location="query").get("model_name")
    is_local = name is not None
    if name is None:
        name = load(MachineNameInput)["machine_name"]
    try:
        machine = machines.create_machine(current_caller(), name=name, is_local=is_local)
    except InvalidInput as error:
        pointer = "/model_name" if is_local else "/machine_name"
        field = FieldError(pointer, error.message, error.params)
        raise InvalidInput(error.message, fields=(field,), **error.params) from error
    return machine_row(overviews.overview(current_caller(), machine.id))


@blp.get("/machines/", endpoint="list_machines", strict_slashes=False)
@blp.get("/models/", endpoint="list_models", strict_slashes=False)
@blp.answers(200, MachineRowSchema(many=True))
@requires("viewer")
def list_machines() -> Any:
    """List machines"""
    return [machine_row(machine) for machine in overviews.all_machines(current_caller())]


@blp.get("/machines/<id:machine_id>", endpoint="read_machine", strict_slashes=False)
@blp.get("/models/<id:machine_id>", endpoint="read_model", strict_slashes=False)
@blp.answers(200, MachineRowSchema)
@blp.describes(responses={"404": "Detail404"})
@requires("viewer")
def read_machine(machine_id: int) -> Any:
    """Read a machine"""
    return machine_row(overviews.overview(current_caller(), machine_id))


@blp.delete("/machines/<id:machine_id>", endpoint="delete_machine", strict_slashes=False)
@blp.delete("/models/<id:machine_id>", endpoint="delete_model", strict_slashes=False)
@blp.answers(200, DeletedSchema)
@blp.describes(responses={"404": "Detail404"})
@requires("analyst")
def delete_machine(machine_id: int) -> Any:
    """Delete a machine"""
    machines.delete_machine(current_caller(), machine_id)
    return {}


@blp.post("/train/", strict_slashes=False)
@blp.takes(TrainQuery, location="query")
@blp.answers(200, StartedSchema)
@blp.describes(
    requestBody={"required": True, "content": {"multipart/form-data": {"schema": TrainFile}}},
    responses={code: f"Detail{code}" for code in ("400", "404", "413", "422")},
)
@requires("operator", is_upload=True)
def train(query: dict[str, Any]) -> Any:
    """Train a machine on a CSV file, in the background"""
    is_service = "machine_id" not in query
    callback_url = query.get("url") or None if is_service else None
    if callback_url is not None:
        _check_destination(callback_url)
    machine = machine_of(current_caller(), query["model_id" if is_service else "machine_id"])
    file = _csv_file()
    try:
        run = submissions.submit_file(
            current_caller(),
            machine_id=machine.id,
            source=file.stream,
            filename=file.filename or "data.csv",
            specification={"target": query["target_column"]},
            callback_url=callback_url,
        )
    except InvalidInput as error:
        # These clients read 400 where the column is not in the file.
        raise BadRequest(error.message, code=error.error_code, **error.params) from error
    return {"message": "Training started", "run_id": run.id}


@blp.get("/ranking/", strict_slashes=False)
@blp.takes(TargetQuery, location="query")
@blp.answers(
    200,
    {"oneOf": [DashboardRankingSchema, {"type": "array", "items": ImportanceSchema}]},
    description="An object for `machine_id`, the bare rows for `model_id`.",
)
@blp.describes(responses={code: f"Detail{code}" for code in ("404", "409", "422")})
@requires("viewer")
def ranking(query: dict[str, int]) -> Any:
    """Read the ranking of a machine's version in use"""
    if "machine_id" not in query:
        return jsonify(ranking_rows(rankings.champion(current_caller(), query["model_id"])))
    version = rankings.champion(current_caller(), query["machine_id"])
    return jsonify(
        ranking=ranking_rows(version),
        metrics=metrics_row(version),
        alarms=alarm_rows(version),
        run_id=version.run_id,
        model_version=version.number,
    )


@blp.post("/webhook/treinamento/", strict_slashes=False)
@blp.answers(200, ReceivedSchema)
@blp.describes(
    requestBody={"required": True, "content": {"application/json": {"schema": WebhookInput}}},
    responses={code: f"Detail{code}" for code in ("400", "404", "409")},
)
@requires("operator", takes_signatures=True)
def report() -> Any:
    """Report that an external model service has ended a training

    With a key, or signed after Standard Webhooks with INTEGRATION_WEBHOOK_SECRET: such a message is
    taken once, within five minutes. 409 while no run of that model waits for an external service.
    """
    try:
        body = load(WebhookInput)
    except InvalidInput as error:
        names = ", ".join(sorted({field.pointer.strip("/") for field in error.fields}))
        message = N_("The report is incomplete or wrong: %(names)s.")
        raise BadRequest(message, names=names) from error
    is_signed = current_caller().kind == "signature"
    message_id = request.headers["webhook-id"] if is_signed else None
    webhook.receive(current_caller(), body, message_id=message_id)
    return {"message": "Received"}


def _check_destination(url: str) -> None:
    """Raise :class:`BadRequest` where callbacks may not go to ``url``."""
    try:
        parse_destination(url, settings_of(current_app).callback_allowed_hosts)
    except DestinationRefused as error:
        raise BadRequest(error.message, code=error.error_code, **error.params) from error


def _csv_file() -> FileStorage:
    file = request.files.get("file")
    if file is None or not file.filename:
        message = N_("Send the file in the field “%(name)s” of a multipart form.")
        field = FieldError("/file", message, {"name": "file"})
        raise InvalidInput(message, fields=(field,), name="file")
    suffix = PurePath(file.filename).suffix.lower()
    is_csv = file.mimetype in CSV_TYPES or (file.mimetype in CSV_TYPES_BY_NAME and suffix == ".csv")
    if not is_csv:
        raise BadRequest(
            N_("%(filename)s is no CSV file. Save the table as CSV and send it as text/csv."),
            code="not_csv",
            filename=file.filename[:200],
        )
    return file
