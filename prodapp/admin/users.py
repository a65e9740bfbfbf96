"""The pages of users and their roles."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import get_locale
from werkzeug.wrappers import Response

from prodapp.admin.forms import UserForm, UserQuery
from prodapp.auth import keys, letters, personal, second_factor, service, sessions, sites, users
from prodapp.auth.downloads import document
from prodapp.auth.guard import current_caller
from prodapp.auth.permissions import requires
from prodapp.auth.users import UserChange
from prodapp.error_text import error_text
from prodapp.exceptions import Conflict, InvalidInput
from prodapp.i18n import gettext as _

bp = Blueprint("users", __name__, url_prefix="/app/users")


@bp.get("/")
@requires("admin")
def index() -> str:
    query = UserQuery.parse(request.args)
    caller = current_caller()
    page = users.list_users(
        caller,
        q=query.q,
        role=query.role or None,
        is_active=query.is_active,
        site_id=query.site_id,
        page=query.page,
    )
    return render_template(
        "users/list.html", **{**asdict(query), "page": page, "sites": sites.list_sites(caller)}
    )


@bp.get("/new")
@requires("admin")
def new() -> str:
    return _form(UserForm(site_id=current_caller().site_id))


@bp.post("/")
@requires("admin")
def create() -> str | tuple[str, int]:
    form = UserForm.parse(request.form)
    caller = current_caller()
    try:
        site = sites.site_of(caller, form.site_id or caller.site_id)
        user = service.create_user(
            caller, username=form.username, role=form.role, email=form.email, site=site.name
        )
    except (InvalidInput, Conflict) as error:
        return _form(form, error=error_text(error)), 422
    handover = letters.hand_over(user, kind=letters.INVITATION, locale=str(get_locale()))
    return render_template("users/link.html", user=user, handover=handover, is_new=True)


@bp.get("/<int:user_id>")
@requires("admin")
def detail(user_id: int) -> str:
    return _detail(user_id)


@bp.post("/<int:user_id>")
@requires("admin")
def change(user_id: int) -> Response | tuple[str, int]:
    form = UserForm.parse(request.form)
    try:
        users.change_user(current_caller(), user_id, form.change())
    except (InvalidInput, Conflict) as error:
        return _detail(user_id, error=error_text(error), form=form), 422
    flash(_("The changes were saved."), "success")
    return redirect(url_for("users.detail", user_id=user_id))


@bp.post("/<int:user_id>/reset")
@requires("admin")
def reset(user_id: int) -> str:
    user = users.user_of(current_caller(), user_id)
    handover = letters.reset(current_caller(), user, locale=str(get_locale()))
    return render_template("users/link.html", user=user, handover=handover, is_new=False)


@bp.post("/<int:user_id>/activation")
@requires("admin")
def activation(user_id: int) -> Response | tuple[str, int]:
    is_active = request.form.get("is_active") == "yes"
    try:
        user = users.change_user(current_caller(), user_id, UserChange(is_active=is_active))
    except Conflict as error:
        return _detail(user_id, error=error_text(error)), 422
    message = _("%(name)s may sign in again.") if is_active else _("%(name)s is locked out.")
    flash(message % {"name": user.username}, "success")
    return redirect(url_for("users.detail", user_id=user_id))


@bp.post("/<int:user_id>/sign-out")
@requires("admin")
def sign_out(user_id: int) -> Response:
    users.sign_out_everywhere(current_caller(), user_id)
    flash(_("All sessions of this user were ended."), "success")
    return redirect(url_for("users.detail", user_id=user_id))


@bp.post("/<int:user_id>/second-factor/reset")
@requires("admin")
def reset_second_factor(user_id: int) -> Response:
    user = users.user_of(current_caller(), user_id)
    second_factor.reset(current_caller(), user)
    flash(_("%(name)s signs in without a second step now.", name=user.username), "success")
    return redirect(url_for("users.detail", user_id=user_id))


@bp.get("/<int:user_id>/personal-data.json")
@requires("admin")
def personal_data(user_id: int) -> Response:
    user = users.user_of(current_caller(), user_id)
    return document(personal.personal_data(user), f"personal-data-{user.id}.json")


@bp.post("/<int:user_id>/erase")
@requires("admin")
def erase(user_id: int) -> Response | tuple[str, int]:
    """Needs the user's name to be typed: there is no way back."""
    user = users.user_of(current_caller(), user_id)
    if request.form.get("username", "").strip() != user.username:
        return _detail(user_id, error=_("Type the user's name to erase them.")), 422
    try:
        personal.erase(current_caller(), user_id)
    except Conflict as error:
        return _detail(user_id, error=error_text(error)), 422
    flash(_("The personal data were erased."), "success")
    return redirect(url_for("users.detail", user_id=user_id))


def _form(form: UserForm, *, error: str | None = None) -> str:
    found = sites.list_sites(current_caller())
    return render_template("users/new.html", form=form, sites=found, error=error)


def _detail(user_id: int, *, error: str | None = None, form: UserForm | None = None) -> str:
    caller = current_caller()
    user = users.user_of(caller, user_id)
    shown: dict[str, Any] = {
        "user": user,
        "form": form or UserForm(user.username, user.email or "", user.role, user.site_id),
        "sessions": sessions.living_sessions(user.id),
        "keys": keys.list_keys(caller, user_id=user.id, page_size=100),
        "sites": sites.list_sites(caller),
    }
    return render_template("users/detail.html", error=error, **shown)
