"""The page of a machine's schedule."""

from __future__ import annotations

from dataclasses import asdict

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from prodapp.auth.guard import current_caller
from prodapp.auth.objects import machine_of
from prodapp.auth.permissions import requires
from prodapp.error_text import error_text
from prodapp.exceptions import InvalidInput
from prodapp.extensions import db, settings_of
from prodapp.formatting import sentence
from prodapp.i18n import gettext as _
from prodapp.retraining import service
from prodapp.retraining.outcome import outcome_of, problem_of
from prodapp.schedules import DEFAULT_PATTERN, DEFAULT_TIMEZONE, Plan, plan_of, stored_schedule

bp = Blueprint("retraining", __name__, url_prefix="/app/machines/<int:machine_id>/schedule")
bp.add_app_template_filter(outcome_of, "file_outcome")
bp.add_app_template_filter(problem_of, "look_problem")


@bp.get("/")
@requires("viewer")
def detail(machine_id: int) -> str:
    return _page(machine_id)


@bp.post("/")
@requires("analyst")
def save(machine_id: int) -> Response | tuple[str, int]:
    plan = Plan(
        folder=request.form.get("folder", "").strip(),
        cron=" ".join(request.form.get("cron", "").split()),
        pattern=request.form.get("pattern", "").strip() or DEFAULT_PATTERN,
        timezone=request.form.get("timezone", "").strip() or DEFAULT_TIMEZONE,
        is_active=request.form.get("is_active") == "yes",
    )
    try:
        service.set_schedule(current_caller(), machine_id, plan)
    except InvalidInput as error:
        return _page(machine_id, plan=plan, error=error), 422
    flash(_("The schedule was saved."), "success")
    return _back(machine_id)


@bp.post("/look")
@requires("operator")
def look(machine_id: int) -> Response:
    service.look_now(current_caller(), machine_id)
    flash(_("The folder is looked into in a moment."), "success")
    return _back(machine_id)


@bp.post("/files/<int:file_id>/again")
@requires("operator")
def take_again(machine_id: int, file_id: int) -> Response:
    service.take_again(current_caller(), machine_id, file_id)
    flash(_("The file is taken again in a moment."), "success")
    return _back(machine_id)


@bp.post("/delete")
@requires("analyst")
def remove(machine_id: int) -> Response:
    service.remove_schedule(current_caller(), machine_id)
    flash(_("The folder is not watched any more."), "success")
    return redirect(url_for("machines.detail", machine_id=machine_id))


def _page(machine_id: int, *, plan: Plan | None = None, error: InvalidInput | None = None) -> str:
    caller = current_caller()
    machine = machine_of(caller, machine_id)
    schedule = stored_schedule(db.session(), machine.id)
    if plan is None:
        plan = Plan(folder="", cron="0 6 * * *") if schedule is None else plan_of(schedule)
    number = max(1, request.args.get("page", 1, int))
    files = None if schedule is None else service.list_files(caller, machine_id, page=number)
    wrong = (
        {}
        if error is None
        else {
            field.pointer.strip("/"): sentence(field.message, field.params)
            for field in error.fields
        }
    )
    return render_template(
        "retraining/schedule.html",
        machine=machine,
        schedule=schedule,
        plan=asdict(plan),
        files=files,
        wrong=wrong,
        error=None if error is None or wrong else error_text(error),
        roots=settings_of(current_app).schedule_roots,
    )


def _back(machine_id: int) -> Response:
    return redirect(url_for("retraining.detail", machine_id=machine_id))
