"""``/api/v1/…/prediction-batches``: files of rows, answered in the background."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Response, make_response, send_file, url_for

from prodapp.auth.guard import current_caller
from prodapp.auth.permissions import requires
from prodapp.datasets.schemas import overrides_in
from prodapp.predictions import batches, exports
from prodapp.predictions.schemas import (
    BatchDocument,
    BatchForm,
    BatchQuery,
    BatchSchema,
    ResultQuery,
)
from prodapp.predictions.versions import ServedVersion, named_version, version_in_use
from prodapp.rest.answers import accepted, page_answer
from prodapp.rest.blueprint import ApiBlueprint
from prodapp.rest.spec import headers, problems
from prodapp.rest.uploads import load, uploaded_file
from prodapp.rest.waiting import WaitQuery, ended

BODY = {"required": True, "content": {"multipart/form-data": {"schema": BatchDocument}}}

blp = ApiBlueprint("api_prediction_batches", __name__, title="Predictions", description="")


@blp.post("/machines/<id:machine_id>/prediction-batches")
@blp.answers(202, BatchSchema, headers=headers("Location", "Retry-After"))
@blp.describes(requestBody=BODY, responses=problems(409))
@requires("operator", is_upload=True)
def create_of_machine(machine_id: int) -> Any:
    """Answer a file with the version in use of a machine"""
    return _start(version_in_use(current_caller(), machine_id))


@blp.post("/versions/<id:version_id>/prediction-batches")
@blp.answers(202, BatchSchema, headers=headers("Location", "Retry-After"))
@blp.describes(requestBody=BODY, responses=problems(409))
@requires("operator", is_upload=True)
def create_of_version(version_id: int) -> Any:
    """Answer a file with a version that is named"""
    return _start(named_version(current_caller(), version_id))


@blp.get("/prediction-batches")
@blp.takes(BatchQuery, location="query")
@blp.answers(200, BatchSchema(many=True), headers=headers("Link", "X-Pagination"))
@requires("viewer")
def index(query: dict[str, Any]) -> Any:
    """List batches, newest first"""
    return page_answer(batches.list_batches(current_caller(), **query))


@blp.get("/prediction-batches/<id:batch_id>")
@blp.takes(WaitQuery, location="query")
@blp.answers(200, BatchSchema)
@requires("viewer", is_poll=True)
def read(query: dict[str, float], batch_id: int) -> Any:
    """Read a batch: its state and progress"""
    look = partial(batches.batch_of, current_caller(), batch_id)
    return ended(look, lambda batch: not batch.is_active, seconds=query["wait"])


@blp.post("/prediction-batches/<id:batch_id>/cancel")
@blp.answers(202, BatchSchema, headers=headers("Location", "Retry-After"))
@blp.describes(responses=problems(409))
@requires("operator")
def cancel(batch_id: int) -> Any:
    """Cancel a batch"""
    return _accepted(batches.cancel_batch(current_caller(), batch_id))


@blp.get("/prediction-batches/<id:batch_id>/results")
@blp.takes(ResultQuery, location="query")
@blp.describes(
    responses={
        "200": {
            "description": "The rows with their answers.",
            "headers": headers("Content-Disposition"),
            "content": {
                kind: {"schema": {"type": "string", "format": "binary"}}
                for kind in exports.MIME_TYPES.values()
            },
        },
        **problems(409),
    }
)
@requires("viewer")
def results(query: dict[str, Any], batch_id: int) -> Response:
    """Download the answers of a batch"""
    return send_results(batch_id, query["format"])


def send_results(batch_id: int, kind: str) -> Response:
    """The answers of a batch as a file."""
    batch = batches.batch_of(current_caller(), batch_id)
    file = exports.result_file(batches.result_key(batch), kind)
    name = f"{batch.filename.rsplit('.', 1)[0]}-predicted.{kind}"
    return make_response(
        send_file(file, mimetype=exports.MIME_TYPES[kind], as_attachment=True, download_name=name)
    )


def _start(version: ServedVersion) -> Any:
    form = load(BatchForm, location="form")
    file = uploaded_file()
    batch = batches.start_batch(
        current_caller(),
        version,
        source=file.stream,
        filename=file.filename or "rows.csv",
        level=form["level"],
        overrides=overrides_in(form),
    )
    return _accepted(batch)


def _accepted(batch: Any) -> Any:
    return accepted(batch, url_for("api_prediction_batches.read", batch_id=batch.id))
