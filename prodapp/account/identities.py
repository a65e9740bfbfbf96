"""Connecting one's account with whom the provider knows."""

from __future__ import annotations

from flask import flash, redirect, render_template, session, url_for
from werkzeug.wrappers import Response

from prodapp.account.views import bp
from prodapp.auth import external
from prodapp.auth.guard import current_caller
from prodapp.auth.permissions import requires
from prodapp.auth.views import LINKING
from prodapp.i18n import gettext as _


@bp.post("/identities")
@requires("viewer")
def connect() -> str:
    """The way there is a link on a page of ours: our forms lead nowhere else."""
    session[LINKING] = True
    return render_template("account/connect.html")


@bp.post("/identities/<int:identity_id>/remove")
@requires("viewer")
def disconnect(identity_id: int) -> Response:
    external.unlink(current_caller(), identity_id)
    flash(_("Your account is no longer connected."), "success")
    return redirect(url_for("account.index", _anchor="identities"))
