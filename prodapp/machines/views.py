"""The pages of machines."""

from __future__ import annotations

from dataclasses import asdict

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from prodapp.auth.downloads import document
from prodapp.auth.guard import current_caller
from prodapp.auth.permissions import requires
from prodapp.error_text import error_text
from prodapp.exceptions import Conflict, DomainError, InvalidInput
from prodapp.i18n import gettext as _
from prodapp.machines import overviews, service, setups
from prodapp.machines.forms import ListQuery
from prodapp.machines.setup_schemas import MAX_DOCUMENT, SetupInput, setup_document, setup_of
from prodapp.rest.arguments import Malformed, loaded

bp = Blueprint("machines", __name__, url_prefix="/app/machines")


@bp.get("/")
@requires("viewer")
def index() -> str:
    query = ListQuery.parse(request.args)
    page = overviews.list_machines(
        current_caller(),
        q=query.q,
        status=query.status or None,
        sort=query.sort,
        descending=query.order == "desc",
        page=query.page,
    )
    return render_template("machines/list.html", **{**asdict(query), "page": page})


@bp.get("/new")
@requires("operator")
def new() -> str:
    return _new_page()


@bp.post("/")
@requires("operator")
def create() -> Response | tuple[str, int]:
    name = request.form.get("name", "")
    try:
        machine = service.create_machine(current_caller(), name=name)
    except (InvalidInput, Conflict) as error:
        return _new_page(name=name, error=error_text(error)), 422
    return redirect(url_for("datasets.new", machine_id=machine.id))


@bp.post("/import")
@requires("analyst")
def import_setup() -> Response | tuple[str, int]:
    file = request.files.get("file")
    try:
        body = loaded(SetupInput(), b"" if file is None else file.read(MAX_DOCUMENT))
        machine = setups.import_machine(current_caller(), setup_of(body))
    except (InvalidInput, Malformed, Conflict) as error:
        return _new_page(problem=error), 422
    flash(_("%(name)s was set up as the file says.", name=machine.name), "success")
    return redirect(url_for("machines.detail", machine_id=machine.id))


@bp.get("/<int:machine_id>/setup.json")
@requires("viewer")
def export_setup(machine_id: int) -> Response:
    setup = setup_document(setups.setup_of_machine(current_caller(), machine_id))
    return document(setup, f"machine-{machine_id}.json")


@bp.get("/<int:machine_id>")
@requires("viewer")
def detail(machine_id: int) -> str:
    story = overviews.story(current_caller(), machine_id)
    return render_template("machines/detail.html", **vars(story))


@bp.get("/<int:machine_id>/edit")
@requires("operator")
def edit(machine_id: int) -> str:
    machine = overviews.overview(current_caller(), machine_id)
    return render_template("machines/edit.html", machine=machine, name=machine.name, error=None)


@bp.post("/<int:machine_id>/edit")
@requires("operator")
def rename(machine_id: int) -> Response | tuple[str, int]:
    name = request.form.get("name", "")
    try:
        service.rename_machine(current_caller(), machine_id, name=name)
    except (InvalidInput, Conflict) as error:
        machine = overviews.overview(current_caller(), machine_id)
        page = render_template(
            "machines/edit.html", machine=machine, name=name, error=error_text(error)
        )
        return page, 422
    return redirect(url_for("machines.detail", machine_id=machine_id))


@bp.get("/<int:machine_id>/delete")
@requires("analyst")
def confirm_delete(machine_id: int) -> str:
    story = overviews.story(current_caller(), machine_id)
    return render_template("machines/delete.html", **vars(story))


@bp.post("/<int:machine_id>/delete")
@requires("analyst")
def delete(machine_id: int) -> Response:
    name = overviews.overview(current_caller(), machine_id).name
    service.delete_machine(current_caller(), machine_id)
    flash(_("%(name)s was deleted.", name=name), "success")
    return redirect(url_for("machines.index"))


def _new_page(
    *, name: str = "", error: str | None = None, problem: DomainError | None = None
) -> str:
    return render_template("machines/new.html", name=name, error=error, problem=problem)
