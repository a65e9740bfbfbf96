"""The pages of one's own account."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from prodapp.account.devices import device_name
from prodapp.auth import external, keys, profile, service, sessions
from prodapp.auth.forms import KeyForm, PasswordForm
from prodapp.auth.guard import SESSION_TOKEN, current_caller
from prodapp.auth.objects import own_user
from prodapp.auth.permissions import requires
from prodapp.auth.secrets import token_hash
from prodapp.error_text import error_text
from prodapp.exceptions import InvalidInput
from prodapp.extensions import limiter
from prodapp.i18n import gettext as _

bp = Blueprint("account", __name__, url_prefix="/app/account")
bp.add_app_template_filter(device_name, "device_name")


@bp.get("/")
@requires("viewer")
def index() -> str:
    return _page()


@bp.post("/password")
@limiter.limit("10 per minute")
@requires("viewer")
def change_password() -> Response | tuple[str, int]:
    form = PasswordForm.parse(request.form)
    try:
        profile.change_password(
            current_caller(), current=form.current, new=form.agreed(), token=_token()
        )
    except InvalidInput as error:
        return _page(password_error=error_text(error)), 422
    flash(_("Your password was changed. You are signed out everywhere else."), "success")
    return redirect(url_for("account.index"))


@bp.post("/sessions/<int:session_id>/end")
@requires("viewer")
def end_session(session_id: int) -> Response:
    sessions.end_session(current_caller(), session_id)
    flash(_("That session was ended."), "success")
    return redirect(url_for("account.index", _anchor="sessions"))


@bp.post("/sessions/end")
@requires("viewer")
def end_other_sessions() -> Response:
    sessions.end_other_sessions(current_caller(), _token())
    flash(_("You are signed out everywhere else."), "success")
    return redirect(url_for("account.index", _anchor="sessions"))


@bp.post("/keys")
@requires("viewer")
def create_key() -> str | tuple[str, int]:
    caller = current_caller()
    form = KeyForm.parse(request.form)
    try:
        key = service.create_key(
            caller,
            username=caller.name,
            name=form.name,
            role=form.role or None,
            days=form.days,
        )
    except InvalidInput as error:
        return _page(key_form=form, key_error=error_text(error)), 422
    return render_template("keys/created.html", key=key, back=url_for("account.index"))


@bp.post("/keys/<int:key_id>/revoke")
@requires("viewer")
def revoke_key(key_id: int) -> Response:
    caller = current_caller()
    key = keys.end_key(caller, key_id, owner_id=caller.user_id)
    flash(_("The key %(name)s was revoked.", name=key.name), "success")
    return redirect(url_for("account.index", _anchor="keys"))


def _page(**errors: Any) -> str:
    caller = current_caller()
    user = own_user(caller)
    return render_template(
        "account/index.html",
        user=user,
        may_choose_password=profile.may_choose_password(user),
        identities=external.identities(user.id),
        sessions=sessions.living_sessions(user.id),
        this_session=token_hash(_token()),
        keys=keys.list_keys(caller, user_id=user.id, page_size=100),
        roles=service.roles_up_to(caller.role),
        **{"password_error": None, "key_form": KeyForm(), "key_error": None, **errors},
    )


def _token() -> str:
    return str(session.get(SESSION_TOKEN, ""))
