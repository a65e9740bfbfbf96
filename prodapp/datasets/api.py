"""``/api/v1/datasets``, and those of one machine."""

from __future__ import annotations

from typing import Any

from flask import Response, make_response, request, send_file, url_for

from prodapp.auth.guard import current_caller
from prodapp.auth.objects import dataset_of
from prodapp.auth.permissions import requires
from prodapp.datasets import service
from prodapp.datasets.schemas import (
    DatasetDetailSchema,
    DatasetForm,
    DatasetQuery,
    DatasetRecordsInput,
    DatasetSchema,
    DatasetUploadDocument,
    OverridesForm,
    RecordsInput,
    UploadDocument,
)
from prodapp.models import Dataset
from prodapp.rest.answers import accepted, page_answer
from prodapp.rest.blueprint import ApiBlueprint
from prodapp.rest.schemas import PageQuery
from prodapp.rest.spec import headers
from prodapp.rest.uploads import is_multipart, json_or_multipart, load, uploaded_file

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
@blp.describes(requestBody=json_or_multipart(DatasetRecordsInput, DatasetUploadDocument))
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
@blp.takes(PageQuery, location="query")
@blp.answers(200, DatasetSchema(many=True), headers=headers("Link", "X-Pagination"))
@requires("viewer")
def index_of_machine(query: dict[str, Any], machine_id: int) -> Any:
    """List the data sets of a machine, newest first"""
    page = service.list_datasets(current_caller(), machine_id=machine_id, **query)
    return page_answer(page)


@blp.post("/machines/<id:machine_id>/datasets")
@blp.answers(202, DatasetDetailSchema, headers=headers("Location", "Retry-After"))
@blp.describes(requestBody=json_or_multipart(RecordsInput, UploadDocument))
@requires("operator", is_upload=True)
def create_of_machine(machine_id: int) -> Any:
    """Upload a table of a machine"""
    if not is_multipart(request):
        body = load(RecordsInput)
        return _created(service.register_records(current_caller(), machine_id=machine_id, **body))
    return _register_file(machine_id, load(OverridesForm, location="form"))


@blp.get("/datasets/<id:dataset_id>")
@blp.answers(200, DatasetDetailSchema)
@requires("viewer")
def read(dataset_id: int) -> Any:
    """Read a data set: its state, columns, remarks and first rows"""
    return dataset_of(current_caller(), dataset_id)


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


def _register_file(machine_id: int, overrides: dict[str, str]) -> Any:
    file = uploaded_file()
    dataset = service.register_dataset(
        current_caller(),
        machine_id=machine_id,
        source=file.stream,
        filename=file.filename or "data.csv",
        overrides=overrides,
    )
    return _created(dataset)


def _created(dataset: Dataset) -> Any:
    return accepted(dataset, url_for("api_datasets.read", dataset_id=dataset.id))
