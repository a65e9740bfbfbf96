"""The pages of predictions: ask, look back, tell what came true."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from prodapp.auth.guard import current_caller
from prodapp.auth.permissions import requires
from prodapp.error_text import error_text
from prodapp.exceptions import Conflict, DataRefused, DomainError, InvalidInput, N_
from prodapp.formatting import sentence, typed_number
from prodapp.i18n import gettext as _
from prodapp.predictions import batches, exports, history, service
from prodapp.predictions.batch_api import send_results
from prodapp.predictions.charts import contribution_bars, error_chart
from prodapp.predictions.documents import kept_documents, made_documents
from prodapp.predictions.drifting import drift_of
from prodapp.predictions.errors import error_sentence, errors_of
from prodapp.predictions.forms import HistoryForm, record_of_form
from prodapp.predictions.predictors import predictor_of
from prodapp.predictions.sentences import contribution_sentence
from prodapp.predictions.service import Ask
from prodapp.predictions.versions import ServedVersion, named_version, version_in_use

bp = Blueprint("predictions", __name__, url_prefix="/app")
RESULT_KINDS = ("csv", "xlsx", "parquet")


@bp.get("/versions/<int:version_id>/predict")
@requires("operator")
def form(version_id: int) -> str | tuple[str, int]:
    version = named_version(current_caller(), version_id)
    try:
        variables = predictor_of(version).variables
    except (Conflict, DataRefused) as error:
        return _page(version, (), {}, error=error), 409
    return _page(version, variables, {v.name: _shown(v.default) for v in variables})


@bp.post("/versions/<int:version_id>/predict")
@requires("operator")
def predict(version_id: int) -> str | tuple[str, int]:
    version = named_version(current_caller(), version_id)
    variables = predictor_of(version).variables
    record, texts = record_of_form(variables, request.form)
    try:
        made = service.predict(current_caller(), version, [record], Ask("page", contributions=True))
    except InvalidInput as error:
        return _page(version, variables, texts, error=error), 422
    answer = made_documents(made)[0]
    units = {variable.name: variable.unit for variable in variables}
    bars = contribution_bars(answer["contributions"], units)
    said = contribution_sentence(answer)
    return _page(version, variables, texts, answer=answer, bars=bars, sentence=said)


@bp.get("/predictions")
@requires("viewer")
def index() -> str:
    query = HistoryForm.parse(request.args)
    caller = current_caller()
    page = history.page_of(caller, query.wanted, cursor=query.cursor or None)
    return render_template(
        "predictions/list.html",
        query=query,
        items=[
            {**document, "moment": row.occurred_at}
            for document, row in zip(kept_documents(page.items), page.items, strict=True)
        ],
        next_cursor=page.next_cursor,
        usage=history.usage_of(caller, query.wanted),
        batches=batches.list_batches(caller, machine_id=query.machine_id, page_size=10).items,
    )


@bp.get("/machines/<int:machine_id>/drift")
@requires("viewer", is_poll=True)
def drift(machine_id: int) -> str:
    version = version_in_use(current_caller(), machine_id)
    return render_template("predictions/_drift.html", version=version, drift=drift_of(version))


@bp.get("/machines/<int:machine_id>/errors")
@requires("viewer", is_poll=True)
def errors(machine_id: int) -> str:
    found = errors_of(current_caller(), machine_id)
    steps = found.found.steps
    return render_template(
        "predictions/_errors.html",
        errors=found,
        finding=error_sentence(found) if steps else None,
        plot=error_chart(steps, expected=found.expected) if steps else None,
        spans=[found.span(step) for step in steps],
    )


@bp.get("/predictions.csv")
@requires("viewer")
def download() -> Response:
    found = list(history.all_of(current_caller(), HistoryForm.parse(request.args).wanted))
    disposition = {"Content-Disposition": "attachment; filename=predictions.csv"}
    return Response(exports.history_csv(found), mimetype="text/csv", headers=disposition)


@bp.get("/predictions/<uuid:prediction_id>")
@requires("viewer")
def detail(prediction_id: UUID) -> str:
    row = history.prediction_of(current_caller(), prediction_id)
    return render_template("predictions/detail.html", answer=kept_documents([row])[0], error=None)


@bp.post("/predictions/<uuid:prediction_id>/actual")
@requires("operator")
def tell_actual(prediction_id: UUID) -> AnyResponse | tuple[str, int]:
    row = history.prediction_of(current_caller(), prediction_id)
    text = request.form.get("value", "").strip()
    value = typed_number(text) if text else None
    if isinstance(value, str):
        answer = kept_documents([row])[0]
        error = _("The true value must be a number.")
        return render_template("predictions/detail.html", answer=answer, error=error), 422
    history.record_actual(current_caller(), prediction_id, value)
    flash(_("The true value was kept."), "success")
    return redirect(url_for("predictions.detail", prediction_id=prediction_id))


@bp.post("/versions/<int:version_id>/prediction-batches")
@requires("operator", is_upload=True)
def start_batch(version_id: int) -> AnyResponse | tuple[str, int]:
    caller = current_caller()
    version = named_version(caller, version_id)
    file = request.files.get("file")
    if file is None or not file.filename:
        error = InvalidInput(N_("Choose a file first."))
        variables = predictor_of(version).variables
        texts = {v.name: _shown(v.default) for v in variables}
        return _page(version, variables, texts, error=error), 422
    batch = batches.start_batch(caller, version, source=file.stream, filename=file.filename)
    return redirect(url_for("predictions.batch", batch_id=batch.id))


@bp.get("/prediction-batches/<int:batch_id>")
@requires("viewer")
def batch(batch_id: int) -> str:
    found = batches.batch_of(current_caller(), batch_id)
    return render_template("predictions/batch.html", batch=found, kinds=RESULT_KINDS)


@bp.get("/prediction-batches/<int:batch_id>/progress")
@requires("viewer", is_poll=True)
def batch_progress(batch_id: int) -> str:
    found = batches.batch_of(current_caller(), batch_id)
    return render_template("predictions/_batch.html", batch=found, kinds=RESULT_KINDS)


@bp.post("/prediction-batches/<int:batch_id>/cancel")
@requires("operator")
def cancel_batch(batch_id: int) -> AnyResponse:
    batches.cancel_batch(current_caller(), batch_id)
    return redirect(url_for("predictions.batch", batch_id=batch_id))


@bp.get("/prediction-batches/<int:batch_id>/results.<any(csv, xlsx, parquet):kind>")
@requires("viewer")
def batch_results(batch_id: int, kind: str) -> Response:
    return send_results(batch_id, kind)


@bp.get("/machines/<int:machine_id>/usage")
@requires("viewer", is_poll=True)
def usage(machine_id: int) -> str:
    caller = current_caller()
    found = history.usage_of(caller, history.Wanted(machine_id=machine_id))
    return render_template("predictions/_usage.html", usage=found, where={"machine_id": machine_id})


@bp.get("/versions/<int:version_id>/usage")
@requires("viewer", is_poll=True)
def usage_of_version(version_id: int) -> str:
    caller = current_caller()
    version = named_version(caller, version_id)
    found = history.usage_of(caller, history.Wanted(version_id=version.id))
    where = {"machine_id": version.machine_id, "version_id": version.id}
    return render_template("predictions/_usage.html", usage=found, where=where)


def _page(
    version: ServedVersion,
    variables: Any,
    texts: dict[str, str],
    *,
    error: DomainError | None = None,
    **found: Any,
) -> str:
    errors = {} if error is None else _by_variable(error)
    return render_template(
        "predictions/form.html",
        version=version,
        variables=variables,
        texts=texts,
        error=None if error is None else error_text(error),
        errors=errors,
        **{"answer": None, "bars": None, "sentence": None} | found,
    )


def _by_variable(error: DomainError) -> dict[str, str]:
    """The words about each variable by its name."""
    return {
        field.pointer.removeprefix("/record/").replace("~1", "/").replace("~0", "~"): sentence(
            field.message, field.params
        )
        for field in error.fields
    }


def _shown(value: Any) -> str:
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
