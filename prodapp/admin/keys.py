"""The pages of everybody's API keys."""

from __future__ import annotations

from dataclasses import asdict

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from prodapp.admin.forms import KeyQuery
from prodapp.auth import keys, service, users
from prodapp.auth.forms import KeyForm, safe_next
from prodapp.auth.guard import current_caller
from prodapp.auth.permissions import requires
from prodapp.error_text import error_text
from prodapp.exceptions import InvalidInput
from prodapp.i18n import gettext as _

bp = Blueprint("keys", __name__, url_prefix="/app/keys")
bp.add_app_template_filter(keys.key_state, "key_state")


@bp.get("/")
@requires("admin")
def index() -> str:
    query = KeyQuery.parse(request.args)
    caller = current_caller()
    user = users.user_of(caller, query.user_id) if query.user_id is not None else None
    page = keys.list_keys(caller, state=query.state or None, user_id=query.user_id, page=query.page)
    return render_template("keys/list.html", **{**asdict(query), "page": page, "user": user})


@bp.post("/users/<int:user_id>")
@requires("admin")
def create(user_id: int) -> str | tuple[str, int]:
    caller = current_caller()
    user = users.user_of(caller, user_id)
    form = KeyForm.parse(request.form)
    try:
        key = service.create_key(
            caller, username=user.username, name=form.name, role=form.role or None, days=form.days
        )
    except InvalidInput as error:
        page = render_template("keys/new.html", user=user, form=form, error=error_text(error))
        return page, 422
    back = url_for("users.detail", user_id=user.id)
    return render_template("keys/created.html", key=key, back=back)


@bp.get("/users/<int:user_id>/new")
@requires("admin")
def new(user_id: int) -> str:
    user = users.user_of(current_caller(), user_id)
    return render_template("keys/new.html", user=user, form=KeyForm(role=user.role), error=None)


@bp.post("/<int:key_id>/revoke")
@requires("admin")
def revoke(key_id: int) -> Response:
    key = keys.end_key(current_caller(), key_id)
    flash(_("The key %(name)s was revoked.", name=key.name), "success")
    return redirect(safe_next(request.form.get("next", "")) or url_for("keys.index"))
