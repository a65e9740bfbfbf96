"""The pages of sites."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from prodapp.auth import sites
from prodapp.auth.guard import current_caller
from prodapp.auth.permissions import requires
from prodapp.error_text import error_text
from prodapp.exceptions import Conflict, InvalidInput
from prodapp.i18n import gettext as _

bp = Blueprint("sites", __name__, url_prefix="/app/sites")


@bp.get("/")
@requires("admin")
def index() -> str:
    return _page(name="", error=None)


@bp.post("/")
@requires("admin")
def create() -> Response | tuple[str, int]:
    name = request.form.get("name", "")
    try:
        site = sites.create_site(current_caller(), name=name)
    except (InvalidInput, Conflict) as error:
        return _page(name=name, error=error_text(error)), 422
    flash(_("The site %(name)s was made.", name=site.name), "success")
    return redirect(url_for("sites.index"))


@bp.post("/<int:site_id>/quota")
@requires("admin")
def change_quota(site_id: int) -> Response | tuple[str, int]:
    text = request.form.get("quota_mb", "").strip()
    is_number = text.isascii() and text.isdigit() and len(text) < 12
    # A text that is no number is no room at all, which the service refuses with its bounds.
    quota = int(text) if is_number else -1 if text else None
    try:
        site = sites.change_quota(current_caller(), site_id, quota_mb=quota)
    except InvalidInput as error:
        return _page(name="", error=None, quota_error=error_text(error)), 422
    flash(_("The room of %(name)s was changed.", name=site.name), "success")
    return redirect(url_for("sites.index"))


def _page(*, name: str, error: str | None, quota_error: str | None = None) -> str:
    caller = current_caller()
    return render_template(
        "sites/list.html",
        sites=sites.list_sites(caller),
        may_create=sites.governs_all(caller),
        name=name,
        error=error,
        quota_error=quota_error,
    )
