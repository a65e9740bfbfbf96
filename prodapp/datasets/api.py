"""``/api/v1/datasets``, and those of one machine."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Response, make_response, request, send_file, url_for

from prodapp.auth.guard import current_caller
from prodapp.auth.objects import dataset_of
from prodapp.auth.permissions import requires
from prodapp.datasets import drafts, exclusions, service
from prodapp.datasets.change_schemas import (
    ConfirmInput,
    ExclusionsInput,
    OverridesInput,
    assembly_in,
)
from prodapp.datasets.schemas import (
    DatasetDetailSchema,
    DatasetForm,
    DatasetQuery,
    DatasetRecordsInput,
    DatasetSchema,
    DatasetsQuery,
    DatasetUploadDocument,
    RecordsInput,
    UploadDocument,
    UploadForm,
    overrides_in,
)
from prodapp.models import Dataset
from prodapp.rest.answers import accepted, page_answer
from prodapp.rest.blueprint import ApiBlueprint
from prodapp.rest.spec import headers, problems
from prodapp.rest.uploads import is_multipart, json_or_multipart, load, uploaded_file
from prodapp.rest.waiting import WaitQuery, ended
from prodapp.variables.schemas import settings_of

#: What the two uploads answer instead where `confirm` is false.
DRAFT = {
    "201": {
        "description": "A draft, which waits to be confirmed.",
        "headers": headers("Location"),
        "content": {"application/json": {"schema": DatasetDetailSchema}},
    }
}

blp = ApiBlueprint(
    "api_datasets",
    __name__,
    title="Data sets",
    description="Uploaded tables: kept as they came, read once in the background.",
)


@blp.get("/datasets")
@blp.takes(DatasetQuery, location="query")
@blp.answers(200, DatasetSchema(many=True), headers=headers("Link", "X-Pagination"))
@requires("viewer")
def index(query: dict[str, Any]) -> Any:
    """List data sets, newest first"""
    return page_answer(service.list_datasets(current_caller(), **query))


@blp.post("/datasets")
@blp.answers(202, DatasetDetailSchema, headers=headers("Location", "Retry-After"))
@blp.describes(
    requestBody=json_or_multipart(DatasetRecordsInput, DatasetUploadDocument), responses=DRAFT
)
@requires("operator", is_upload=True)
def create() -> Any:
    """Upload a table

    As a CSV file, or as JSON records. The answer tells how it will be read; it is read whole in
    the background.
    """
    if not is_multipart(request):
        return _created(service.register_records(current_caller(), **load(DatasetRecordsInput)))
    form = load(DatasetForm, location="form")
    return _register_file(form.pop("machine_id"), form)


@blp.get("/machines/<id:machine_id>/datasets")
@blp.takes(DatasetsQuery, location="query")
@blp.answers(200, DatasetSchema(many=True), headers=headers("Link", "X-Pagination"))
@requires("viewer")
def index_of_machine(query: dict[str, Any], machine_id: int) -> Any:
    """List the data sets of a machine, newest first"""
    page = service.list_datasets(current_caller(), machine_id=machine_id, **query)
    return page_answer(page)


@blp.post("/machines/<id:machine_id>/datasets")
@blp.answers(202, DatasetDetailSchema, headers=headers("Location", "Retry-After"))
@blp.describes(requestBody=json_or_multipart(RecordsInput, UploadDocument), responses=DRAFT)
@requires("operator", is_upload=True)
def create_of_machine(machine_id: int) -> Any:
    """Upload a table of a machine"""
    if not is_multipart(request):
        body = load(RecordsInput)
        return _created(service.register_records(current_caller(), machine_id=machine_id, **body))
    return _register_file(machine_id, load(UploadForm, location="form"))


@blp.get("/datasets/<id:dataset_id>")
@blp.takes(WaitQuery, location="query")
@blp.answers(200, DatasetDetailSchema)
@requires("viewer")
def read(query: dict[str, float], dataset_id: int) -> Any:
    """Read a data set: its state, columns, remarks and first rows"""
    look = partial(dataset_of, current_caller(), dataset_id)
    return ended(look, lambda dataset: not dataset.is_active, seconds=query["wait"])


@blp.get("/datasets/<id:dataset_id>/source")
@blp.answers(
    200,
    {"type": "string"},
    content_type="text/csv",
    description="The file, byte for byte.",
    headers=headers("Content-Disposition"),
)
@requires("viewer")
def download(dataset_id: int) -> Response:
    """Download the file as it was uploaded"""
    dataset, source = service.open_source(current_caller(), dataset_id)
    return make_response(
        send_file(source, mimetype="text/csv", as_attachment=True, download_name=dataset.filename)
    )


@blp.put("/datasets/<id:dataset_id>/overrides")
@blp.takes(OverridesInput)
@blp.answers(200, DatasetDetailSchema)
@blp.describes(responses=problems(409))
@requires("operator")
def reread(body: dict[str, Any], dataset_id: int) -> Any:
    """Read a draft anew

    By these choices in place of those it had; none at all leaves everything to be found out.
    """
    return drafts.reread(current_caller(), dataset_id, overrides=body["overrides"])


@blp.post("/datasets/<id:dataset_id>/confirm")
@blp.takes(ConfirmInput)
@blp.answers(202, DatasetDetailSchema, headers=headers("Location", "Retry-After"))
@blp.describes(responses=problems(409))
@requires("operator")
def confirm(body: dict[str, Any], dataset_id: int) -> Any:
    """Import a draft

    With what people say of its columns; what is not said stays as it is remembered for the
    machine. Both are remembered for its next file. It can be appended to another data set of the
    machine, or joined to one by time.
    """
    assembly = assembly_in(body)
    dataset = drafts.confirm(
        current_caller(), dataset_id, settings=settings_of(body), assembly=assembly
    )
    return _created(dataset)


@blp.put("/datasets/<id:dataset_id>/exclusions")
@blp.takes(ExclusionsInput)
@blp.answers(200, DatasetDetailSchema)
@blp.describes(responses=problems(409))
@requires("operator")
def exclude(body: dict[str, Any], dataset_id: int) -> Any:
    """Leave rows out of training

    Downtime, start-up, trials: by conditions, a period, or positions of rows. It holds for runs
    that are started from now on; each keeps what it left out.
    """
    caller = current_caller()
    return exclusions.set_exclusions(caller, dataset_id, exclusions=body["exclusions"])


@blp.delete("/datasets/<id:dataset_id>")
@blp.answers(204, description="Deleted")
@blp.describes(responses=problems(409))
@requires("operator")
def delete(dataset_id: int) -> Any:
    """Delete a data set

    Versions that were trained on it stay. A data set that is trained on at the moment is kept.
    """
    service.discard(current_caller(), dataset_id)
    return Response(status=204)


def _register_file(machine_id: int, form: dict[str, Any]) -> Any:
    file = uploaded_file()
    is_draft = not form.pop("confirm")
    dataset = service.register_dataset(
        current_caller(),
        machine_id=machine_id,
        source=file.stream,
        filename=file.filename or "data.csv",
        overrides=overrides_in(form),
        is_draft=is_draft,
    )
    if is_draft:
        location = url_for("api_datasets.read", dataset_id=dataset.id)
        return dataset, 201, {"Location": location}
    return _created(dataset)


def _created(dataset: Dataset) -> Any:
    return accepted(dataset, url_for("api_datasets.read", dataset_id=dataset.id))
