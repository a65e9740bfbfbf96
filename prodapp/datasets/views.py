"""The pages of data sets: upload, and what was read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from flask import (
    Blueprint,
    current_app,
    flash,
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
from prodapp.datasets import drafts, service
from prodapp.datasets.column_review import as_confirmed, only_said
from prodapp.datasets.exclusions import set_exclusions
from prodapp.datasets.forms import (
    AssemblyForm,
    Said,
    chosen_overrides,
    opened_columns,
    suggested_form,
    upload_overrides,
)
from prodapp.datasets.left_out import (
    OPERATORS,
    exclusion_document,
    exclusion_words,
    kept_documents,
)
from prodapp.datasets.review import confirmed_review, review_of
from prodapp.datasets.trends import trend_columns, trend_of
from prodapp.error_text import error_text
from prodapp.exceptions import Conflict, DataRefused, DomainError, InvalidInput, N_
from prodapp.extensions import db, settings_of
from prodapp.i18n import gettext as _
from prodapp.models import Dataset, DatasetState
from prodapp.variables import TableSettings, remembered_variables, settings_from

bp = Blueprint("datasets", __name__, url_prefix="/app")
# What was read also stands on the page of a refused training, which is another feature's.
bp.add_app_template_global(confirmed_review, "review_of")
bp.add_app_template_global(exclusion_words, "exclusion_words")


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
            is_draft=True,
        )
    except (DataRefused, InvalidInput) as error:
        return _upload_page(machine_id, error=error_text(error)), 422
    return redirect(url_for("datasets.detail", dataset_id=dataset.id))


@bp.get("/datasets/<int:dataset_id>")
@requires("viewer")
def detail(dataset_id: int) -> str:
    caller = current_caller()
    dataset = dataset_of(caller, dataset_id)
    if dataset.state == DatasetState.DRAFT and caller.has_role("operator"):
        said = Said.from_settings(_remembered(dataset))
        review = replace(review_of(dataset, said), others=_others(dataset))
        return render_template("datasets/check.html", review=review)
    form = suggested_form(dataset, request.args)
    return render_template("datasets/detail.html", dataset=dataset, form=form, errors={})


@bp.get("/datasets/<int:dataset_id>/check")
@requires("operator")
def resume(dataset_id: int) -> str:
    """The page again, where it was sent and is then asked for anew."""
    return detail(dataset_id)


@bp.post("/datasets/<int:dataset_id>/check")
@requires("operator")
def check(dataset_id: int) -> Response | str | tuple[str, int]:
    """Read a draft by the choices of its page, or import it as the page shows it.

    What was typed into the other fields stays. Choices that were not read yet are read first, so
    that nobody imports what they have not seen.
    """
    caller = current_caller()
    dataset = dataset_of(caller, dataset_id)
    said = only_said(Said.parse(request.form), dataset.preview)
    is_confirmed = request.form.get("action") == "confirm"
    overrides = chosen_overrides(request.form, dataset.overrides)
    try:
        if is_confirmed and overrides == dataset.overrides:
            settings = _confirmed(dataset).settings(dataset)
            assembly = AssemblyForm.parse(request.form).assembly()
            drafts.confirm(caller, dataset_id, settings=settings, assembly=assembly)
            return redirect(url_for("datasets.detail", dataset_id=dataset_id))
        dataset = drafts.reread(caller, dataset_id, overrides=overrides, target=said.target or None)
    except (DataRefused, InvalidInput) as error:
        return _check_page(dataset, said, overrides=overrides, error=error), 422
    except Conflict:
        if is_confirmed or not request.headers.get("HX-Request"):
            raise
        # A reading that was under way when the file was confirmed: the page is about to go.
        return Response(
            status=204, headers={"HX-Redirect": url_for("datasets.detail", dataset_id=dataset_id)}
        )
    note = _("The file was read again with your changes. Check it, then confirm.")
    return _check_page(dataset, said, note=note if is_confirmed else None)


@bp.get("/datasets/<int:dataset_id>/discard")
@requires("operator")
def confirm_discard(dataset_id: int) -> str:
    dataset = dataset_of(current_caller(), dataset_id)
    return render_template("datasets/discard.html", dataset=dataset)


@bp.post("/datasets/<int:dataset_id>/discard")
@requires("operator")
def discard(dataset_id: int) -> Response:
    dataset = dataset_of(current_caller(), dataset_id)
    if dataset.state != DatasetState.DRAFT:
        raise Conflict(N_("Only a file that waits to be checked can be discarded here."))
    service.discard(current_caller(), dataset_id)
    flash(_("%(file)s was discarded.", file=dataset.filename), "success")
    return redirect(url_for("machines.detail", machine_id=dataset.machine_id))


@bp.get("/datasets/<int:dataset_id>/rows")
@requires("operator")
def rows(dataset_id: int) -> str:
    """The rows that are left out of training, and a trend to choose more of them on."""
    return _rows_page(dataset_of(current_caller(), dataset_id))


@bp.post("/datasets/<int:dataset_id>/rows")
@requires("operator")
def leave_out(dataset_id: int) -> Response | tuple[str, int]:
    """Leave out what a form asks for, or take one of those back (``undo``, its position)."""
    caller = current_caller()
    dataset = dataset_of(caller, dataset_id)
    undo = request.form.get("undo", type=int)
    try:
        documents = kept_documents(dataset, without=undo)
        if undo is None:
            documents.append(exclusion_document(request.form, dataset))
        set_exclusions(caller, dataset_id, exclusions=documents)
    except InvalidInput as error:
        return _rows_page(dataset, error=error_text(error)), 422
    column = request.args.get("column")
    return redirect(url_for("datasets.rows", dataset_id=dataset_id, column=column))


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


def _remembered(dataset: Dataset) -> TableSettings:
    return settings_from(remembered_variables(db.session(), dataset.machine_id))


def _confirmed(dataset: Dataset) -> Said:
    """What was said on the page of ``dataset`` and is to be kept."""
    said = Said.parse(request.form)
    return as_confirmed(said, dataset.preview, before=_remembered(dataset))


def _others(dataset: Dataset) -> list[Dataset]:
    """The data sets of the machine that a draft can go with, newest first."""
    found = service.list_datasets(current_caller(), machine_id=dataset.machine_id)
    return [other for other in found.items if other.state == DatasetState.READY]


def _rows_page(dataset: Dataset, *, error: str | None = None) -> str:
    if dataset.state != DatasetState.READY:
        raise Conflict(N_("Rows can be left out once the file has been read."))
    columns = trend_columns(dataset)
    asked = [request.args.get("column"), (dataset.settings or {}).get("target"), *columns]
    trend = trend_of(dataset, next(name for name in asked if name in columns))
    return render_template(
        "datasets/rows.html",
        dataset=dataset,
        trend=trend,
        plot=trend.plot(),
        columns=columns,
        operators=OPERATORS,
        sent=request.form,
        error=error,
    )


def _check_page(
    dataset: Dataset,
    said: Said,
    *,
    overrides: Mapping[str, str] | None = None,
    error: DomainError | None = None,
    note: str | None = None,
) -> str:
    """What was sent, shown again around what was read: the whole page, or what changes on it."""
    review = replace(
        review_of(dataset, said, overrides=overrides, opened=opened_columns(request.form)),
        others=_others(dataset),
        assembly=AssemblyForm.parse(request.form),
    )
    is_part = bool(request.headers.get("HX-Request"))
    template = "datasets/_check.html" if is_part else "datasets/check.html"
    return render_template(template, review=review, error=error, note=note)


def _upload_page(machine_id: int, *, error: str | None = None) -> str:
    return render_template(
        "datasets/new.html",
        machine=machine_of(current_caller(), machine_id),
        max_upload_bytes=settings_of(current_app).max_upload_bytes,
        overrides=upload_overrides(request.form),
        error=error,
    )
