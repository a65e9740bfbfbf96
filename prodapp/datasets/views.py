"""The pages of data sets: upload, and what was read."""

from __future__ import annotations

from flask import (
    Blueprint,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)
from werkzeug.wrappers import Response

from prodapp.auth.guard import current_caller
from prodapp.auth.objects import dataset_of, machine_of
from prodapp.auth.permissions import requires
from prodapp.datasets import service
from prodapp.datasets.forms import suggested_form, upload_overrides
from prodapp.error_text import error_text
from prodapp.exceptions import DataRefused, InvalidInput
from prodapp.extensions import settings_of
from prodapp.i18n import gettext as _

bp = Blueprint("datasets", __name__, url_prefix="/app")


@bp.get("/machines/<int:machine_id>/datasets/new")
@requires("operator")
def new(machine_id: int) -> str:
    return _upload_page(machine_id)


@bp.post("/machines/<int:machine_id>/datasets")
@requires("operator", is_upload=True)
def create(machine_id: int) -> Response | tuple[str, int]:
    file = request.files.get("file")
    if file is None or not file.filename:
        return _upload_page(machine_id, error=_("Choose a file first.")), 422
    try:
        dataset = service.register_dataset(
            current_caller(),
            machine_id=machine_id,
            source=file.stream,
            filename=file.filename,
            overrides=upload_overrides(request.form),
        )
    except (DataRefused, InvalidInput) as error:
        return _upload_page(machine_id, error=error_text(error)), 422
    return redirect(url_for("datasets.detail", dataset_id=dataset.id))


@bp.get("/datasets/<int:dataset_id>")
@requires("viewer")
def detail(dataset_id: int) -> str:
    dataset = dataset_of(current_caller(), dataset_id)
    form = suggested_form(dataset, request.args)
    return render_template("datasets/detail.html", dataset=dataset, form=form, errors={})


@bp.get("/datasets/<int:dataset_id>/status")
@requires("viewer", is_poll=True)
def status(dataset_id: int) -> str:
    dataset = dataset_of(current_caller(), dataset_id)
    return render_template("datasets/_status.html", dataset=dataset)


@bp.get("/datasets/<int:dataset_id>/file")
@requires("viewer")
def download(dataset_id: int) -> Response:
    dataset, path = service.open_source(current_caller(), dataset_id)
    response = make_response(
        send_file(path, mimetype="text/csv", as_attachment=True, download_name=dataset.filename)
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _upload_page(machine_id: int, *, error: str | None = None) -> str:
    return render_template(
        "datasets/new.html",
        machine=machine_of(current_caller(), machine_id),
        max_upload_bytes=settings_of(current_app).max_upload_bytes,
        overrides=upload_overrides(request.form),
        error=error,
    )
