"""The page of the effective settings: read, not changed, since the environment holds them."""

from __future__ import annotations

from flask import Blueprint, current_app, render_template

from prodapp.auth import sites
from prodapp.auth.guard import current_caller
from prodapp.auth.permissions import requires
from prodapp.exceptions import Forbidden, N_
from prodapp.extensions import settings_of
from prodapp.settings_report import report

bp = Blueprint("settings", __name__, url_prefix="/app/settings")


@bp.get("/")
@requires("admin")
def index() -> str:
    """For administrators of the whole installation: a site's have no part in it."""
    if not sites.governs_all(current_caller()):
        raise Forbidden(N_("Settings are shown to administrators of the first site alone."))
    return render_template("settings/list.html", rows=report(settings_of(current_app)))
