"""``/api/v1/…/predictions``: ask a version, read what it said, tell what came true."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, jsonify, make_response, request, stream_with_context, url_for

from prodapp.auth.guard import current_caller
from prodapp.auth.permissions import requires
from prodapp.predictions import actuals, exports, history, service
from prodapp.predictions.documents import inputs_document, kept_documents, made_documents
from prodapp.predictions.drift_schemas import DriftSchema, ErrorsSchema
from prodapp.predictions.drifting import drift_document
from prodapp.predictions.errors import errors_document, errors_of
from prodapp.predictions.history import Wanted
from prodapp.predictions.schemas import (
    ActualInput,
    ActualsDocument,
    ActualsSchema,
    HistoryPageQuery,
    HistoryQuery,
    InputsSchema,
    PredictInput,
    PredictionSchema,
    PredictQuery,
    UsageSchema,
)
from prodapp.predictions.service import Ask
from prodapp.predictions.versions import ServedVersion, named_version, version_in_use
from prodapp.rest.answers import cursor_answer
from prodapp.rest.blueprint import ApiBlueprint
from prodapp.rest.repeats import HEADER, own_keys
from prodapp.rest.spec import headers, problems
from prodapp.rest.uploads import uploaded_file

blp = ApiBlueprint(
    "api_predictions",
    __name__,
    title="Predictions",
    description="What versions answer: with intervals, a flag for what they have never seen, and a "
    "history that learns what came true.",
)


@blp.post("/machines/<id:machine_id>/predictions")
@blp.takes(PredictQuery, location="query")
@blp.takes(PredictInput)
@blp.answers(201, PredictionSchema, headers=headers("Location"))
@blp.describes(responses=problems(409))
@own_keys
@requires("operator")
def predict_of_machine(query: dict[str, Any], body: dict[str, Any], machine_id: int) -> Any:
    """Predict with the version in use of a machine

    One `record` is answered by one prediction; `records` by an object that lists them
    (`predictions`), without a Location. Each is kept in the history before it is answered.
    """
    return _predict(version_in_use(current_caller(), machine_id), query, body)


@blp.post("/versions/<id:version_id>/predictions")
@blp.takes(PredictQuery, location="query")
@blp.takes(PredictInput)
@blp.answers(201, PredictionSchema, headers=headers("Location"))
@blp.describes(responses=problems(409))
@own_keys
@requires("operator")
def predict_of_version(query: dict[str, Any], body: dict[str, Any], version_id: int) -> Any:
    """Predict with a version that is named

    One `record` is answered by one prediction; `records` by an object that lists them
    (`predictions`), without a Location. Each is kept in the history before it is answered.
    """
    return _predict(named_version(current_caller(), version_id), query, body)


@blp.get("/machines/<id:machine_id>/inputs")
@blp.answers(200, InputsSchema)
@blp.describes(responses=problems(409))
@requires("viewer")
def inputs_of_machine(machine_id: int) -> Any:
    """Read what the version in use of a machine takes"""
    return inputs_document(version_in_use(current_caller(), machine_id))


@blp.get("/versions/<id:version_id>/inputs")
@blp.answers(200, InputsSchema)
@blp.describes(responses=problems(409))
@requires("viewer")
def inputs_of_version(version_id: int) -> Any:
    """Read what a version takes"""
    return inputs_document(named_version(current_caller(), version_id))


@blp.get("/predictions")
@blp.takes(HistoryPageQuery, location="query")
@blp.answers(200, PredictionSchema(many=True), headers=headers("Link"))
@requires("viewer")
def index(query: dict[str, Any]) -> Any:
    """Read the history of predictions

    From the newest on, unless sorted otherwise. The history is long and not counted: `Link` leads
    on. Files of rows are in the list of batches.
    """
    cursor, page_size = query.pop("cursor", None), query.pop("page_size")
    page = history.page_of(current_caller(), Wanted(**query), cursor=cursor, page_size=page_size)
    items, status, links = cursor_answer(kept_documents(page.items), page.next_cursor)
    return make_response(jsonify(items), status, links)


@blp.get("/predictions.csv")
@blp.takes(HistoryQuery, location="query")
@blp.answers(
    200, {"type": "string"}, content_type="text/csv", headers=headers("Content-Disposition")
)
@requires("viewer")
def export(query: dict[str, Any]) -> Response:
    """Export the history as CSV, 100,000 predictions at most"""
    found = list(history.all_of(current_caller(), Wanted(**query)))
    lines = stream_with_context(exports.history_csv(found))
    disposition = {"Content-Disposition": "attachment; filename=predictions.csv"}
    return Response(lines, mimetype="text/csv", headers=disposition)


@blp.get("/predictions/<uuid:prediction_id>")
@blp.answers(200, PredictionSchema)
@requires("viewer")
def read(prediction_id: UUID) -> Any:
    """Read a prediction"""
    row = history.prediction_of(current_caller(), prediction_id)
    return make_response(jsonify(kept_documents([row])[0]))


@blp.put("/predictions/<uuid:prediction_id>/actual")
@blp.takes(ActualInput)
@blp.answers(200, PredictionSchema)
@requires("operator")
def tell_actual(body: dict[str, Any], prediction_id: UUID) -> Any:
    """Tell what really came out"""
    row = history.record_actual(current_caller(), prediction_id, body["value"])
    return make_response(jsonify(kept_documents([row])[0]))


@blp.post("/machines/<id:machine_id>/actuals")
@blp.answers(200, ActualsSchema)
@blp.describes(
    requestBody={
        "required": True,
        "content": {"multipart/form-data": {"schema": ActualsDocument}},
    }
)
@requires("operator", is_upload=True)
def tell_actuals(machine_id: int) -> Any:
    """Tell what really came out, by a file

    With the columns `prediction_id` and `actual`; the export of the history is such a file.
    """
    file = uploaded_file()
    return actuals.record_file(
        current_caller(), machine_id, source=file.stream, filename=file.filename or "actuals.csv"
    )


@blp.get("/machines/<id:machine_id>/usage")
@blp.answers(200, UsageSchema)
@requires("viewer")
def usage_of_machine(machine_id: int) -> Any:
    """Read how often a machine's versions were asked"""
    return history.usage_of(current_caller(), Wanted(machine_id=machine_id))


@blp.get("/versions/<id:version_id>/usage")
@blp.answers(200, UsageSchema)
@requires("viewer")
def usage_of_version(version_id: int) -> Any:
    """Read how often a version was asked"""
    return history.usage_of(current_caller(), Wanted(version_id=version_id))


@blp.get("/machines/<id:machine_id>/drift")
@blp.answers(200, DriftSchema)
@blp.describes(responses=problems(409))
@requires("viewer")
def drift(machine_id: int) -> Any:
    """Read whether the process has moved since the training

    Compares the newest predictions of the version in use with the rows that it learned from, and
    true values with their intervals. `rings` says that it is time to train again.
    """
    return drift_document(version_in_use(current_caller(), machine_id))


@blp.get("/machines/<id:machine_id>/errors")
@blp.answers(200, ErrorsSchema)
@blp.describes(responses=problems(409))
@requires("viewer")
def errors(machine_id: int) -> Any:
    """Read how well a machine's predictions came true, as time went on

    Of the newest 5,000 predictions whose true value was told, in at most twelve steps.
    """
    return errors_document(errors_of(current_caller(), machine_id))


def _predict(version: ServedVersion, query: dict[str, Any], body: dict[str, Any]) -> Response:
    is_one = "record" in body
    ask = Ask(
        "api",
        level=body["level"],
        contributions=query["contributions"],
        key=request.headers.get(HEADER),
    )
    records = [body["record"]] if is_one else body["records"]
    documents = made_documents(service.predict(current_caller(), version, records, ask))
    if not is_one:
        return make_response(jsonify(predictions=documents), 201)
    location = url_for("api_predictions.read", prediction_id=documents[0]["id"])
    return make_response(jsonify(documents[0]), 201, {"Location": location})
