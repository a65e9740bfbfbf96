"""``POST /api/v1/runs``: start a training run on a data set, a file or records."""

from __future__ import annotations

from typing import Any

from flask import request, url_for

from prodapp.auth.guard import current_caller
from prodapp.auth.permissions import requires
from prodapp.datasets.schemas import overrides_in
from prodapp.models import TrainingRun
from prodapp.rest.answers import accepted
from prodapp.rest.blueprint import ApiBlueprint
from prodapp.rest.spec import headers, problems
from prodapp.rest.uploads import has_field, is_multipart, json_or_multipart, load, uploaded_file
from prodapp.submissions import service
from prodapp.submissions.schemas import (
    RunForm,
    RunOnDatasetInput,
    RunOnRecordsInput,
    RunUploadDocument,
)
from prodapp.training import service as training
from prodapp.training.schemas import RunSchema

blp = ApiBlueprint("api_submissions", __name__, title="Training runs", description="")


@blp.post("/runs")
@blp.answers(202, RunSchema, headers=headers("Location", "Retry-After"))
@blp.describes(
    requestBody=json_or_multipart(
        {"anyOf": [RunOnDatasetInput, RunOnRecordsInput]}, RunUploadDocument
    ),
    responses=problems(404, 409),
)
@requires("operator", is_upload=True)
def create() -> Any:
    """Start a training run

    On a stored data set (`dataset_id`), on JSON `records` of a machine, or on a CSV `file` in a
    multipart form. The run waits for the import of its data by itself.
    """
    run = _start_with_file() if is_multipart(request) else _start_with_json()
    return accepted(run, url_for("api_runs.read", run_id=run.id))


def _start_with_json() -> TrainingRun:
    if has_field("records"):
        body = load(RunOnRecordsInput)
        machine_id, records = body.pop("machine_id"), body.pop("records")
        return service.submit_records(
            current_caller(), machine_id=machine_id, records=records, specification=body
        )
    body = load(RunOnDatasetInput)
    dataset_id = body.pop("dataset_id")
    return training.start_run(current_caller(), dataset_id=dataset_id, specification=body)


def _start_with_file() -> TrainingRun:
    form = load(RunForm, location="form")
    file = uploaded_file()
    overrides = overrides_in(form)
    return service.submit_file(
        current_caller(),
        machine_id=form.pop("machine_id"),
        source=file.stream,
        filename=file.filename or "data.csv",
        specification=form,
        overrides=overrides,
    )
