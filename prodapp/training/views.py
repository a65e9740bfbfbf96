"""The pages of training runs."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from prodapp.auth.guard import current_caller
from prodapp.auth.objects import dataset_of, run_of
from prodapp.auth.permissions import requires
from prodapp.error_text import error_text
from prodapp.exceptions import DataRefused, DomainError, InvalidInput, N_
from prodapp.formatting import sentence
from prodapp.ml.algorithms import ALGORITHMS
from prodapp.ml.features.catalogue import STEPS
from prodapp.ml.features.plan import MAX_STEPS
from prodapp.ml.settings import CLASSES, SETTINGS, TUNINGS, VALIDATIONS
from prodapp.models import DatasetState, TrainingRun
from prodapp.training import service
from prodapp.training.forms import TrainForm
from prodapp.training.step_forms import StepsForm, key_of

bp = Blueprint("training", __name__, url_prefix="/app")
# The form is on the page of a data set, and features do not import each other.
bp.add_app_template_global(lambda: ALGORITHMS, "algorithms_by_name")
bp.add_app_template_global(lambda: TUNINGS, "tunings_by_name")
bp.add_app_template_global(lambda: CLASSES, "class_ways_by_name")
bp.add_app_template_global(lambda: VALIDATIONS, "validations_by_name")
bp.add_app_template_global(lambda: SETTINGS, "settings_by_name")
bp.add_app_template_global(lambda: STEPS, "engineering_steps")


@bp.post("/datasets/<int:dataset_id>/runs")
@requires("operator")
def create(dataset_id: int) -> Response | tuple[str, int]:
    form = TrainForm.parse(request.form)
    try:
        run = service.start_run(
            current_caller(), dataset_id=dataset_id, specification=form.specification()
        )
    except (InvalidInput, DataRefused) as error:
        page = render_template(
            "datasets/detail.html",
            dataset=dataset_of(current_caller(), dataset_id),
            form=form,
            error=error_text(error),
            errors=_by_field(error),
        )
        return page, 422
    return redirect(url_for("training.detail", run_id=run.id))


@bp.get("/datasets/<int:dataset_id>/engineering-step")
@requires("operator")
def another_step(dataset_id: int) -> str:
    """One more step of a kind for the training form."""
    dataset = dataset_of(current_caller(), dataset_id)
    name, number = request.args.get("step", ""), request.args.get("number", 0, type=int)
    if name not in STEPS or not 2 <= number <= MAX_STEPS:
        raise InvalidInput(N_("There is no such step."))
    return render_template(
        "training/_another_step.html",
        dataset=dataset,
        form={"engineering": StepsForm(chosen=(key_of(name, number),))},
        errors={},
        name=name,
        number=number,
    )


@bp.post("/versions/<int:version_id>/lagged-runs")
@requires("operator")
def create_lagged(version_id: int) -> Response:
    run = service.start_lagged_run(current_caller(), version_id)
    return redirect(url_for("training.detail", run_id=run.id))


@bp.get("/runs/<int:run_id>")
@requires("viewer")
def detail(run_id: int) -> str:
    run = run_of(current_caller(), run_id)
    return render_template("training/run.html", **_context(run))


@bp.get("/runs/<int:run_id>/progress")
@requires("viewer", is_poll=True)
def progress(run_id: int) -> str:
    run = run_of(current_caller(), run_id)
    return render_template("training/_progress.html", **_context(run))


@bp.post("/runs/<int:run_id>/cancel")
@requires("operator")
def cancel(run_id: int) -> Response:
    service.cancel_run(current_caller(), run_id)
    return redirect(url_for("training.detail", run_id=run_id))


@bp.post("/runs/<int:run_id>/retry")
@requires("operator")
def retry(run_id: int) -> Response:
    run = service.retry_run(current_caller(), run_id)
    return redirect(url_for("training.detail", run_id=run.id))


def _context(run: TrainingRun) -> dict[str, Any]:
    return {
        "run": run,
        "version_id": service.published_version_id(run),
        "position": service.queue_position(run),
        "dataset_is_busy": run.dataset.state in (DatasetState.QUEUED, DatasetState.IMPORTING),
    }


def _by_field(error: DomainError) -> dict[str, str]:
    """The first words about each field, under its pointer and under that of its group."""
    found: dict[str, str] = {}
    for field in error.fields:
        pointer = field.pointer.strip("/")
        for name in (pointer, pointer.split("/")[0]):
            found.setdefault(name, sentence(field.message, field.params))
    return found
