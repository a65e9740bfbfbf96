"""The page on which one sets up the second step of signing in."""

from __future__ import annotations

from flask import current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from prodapp.account.views import bp
from prodapp.auth import second_factor as service
from prodapp.auth.guard import current_caller
from prodapp.auth.objects import own_user
from prodapp.auth.passwords import MAX_PASSWORD
from prodapp.auth.permissions import requires
from prodapp.error_text import error_text
from prodapp.exceptions import Conflict, InvalidInput, NotSignedIn
from prodapp.extensions import limiter, settings_of
from prodapp.i18n import gettext as _


@bp.get("/second-factor", endpoint="second_factor")
@requires("viewer")
def second_factor_page() -> str:
    return _page()


@bp.post("/second-factor")
@limiter.limit("10 per minute")
@requires("viewer")
def begin_second_factor() -> Response | tuple[str, int]:
    password = request.form.get("password", "")[: MAX_PASSWORD + 1]
    try:
        service.begin(current_caller(), password=password)
    except (InvalidInput, Conflict) as error:
        return _page(error=error_text(error)), 422
    return redirect(url_for("account.second_factor"))


@bp.post("/second-factor/confirm")
@limiter.limit("10 per minute")
@requires("viewer")
def confirm_second_factor() -> str | tuple[str, int]:
    try:
        codes = service.confirm(current_caller(), _code())
    except InvalidInput as error:
        return _page(error=error_text(error)), 422
    return render_template("account/recovery_codes.html", codes=codes)


@bp.post("/second-factor/codes")
@limiter.limit("10 per minute")
@requires("viewer")
def renew_recovery_codes() -> str | tuple[str, int]:
    try:
        codes = service.renew_codes(current_caller(), _code())
    except NotSignedIn as error:
        return _page(error=error_text(error)), 422
    return render_template("account/recovery_codes.html", codes=codes)


@bp.post("/second-factor/remove")
@limiter.limit("10 per minute")
@requires("viewer")
def remove_second_factor() -> Response | tuple[str, int]:
    try:
        service.remove(current_caller(), _code())
    except (NotSignedIn, Conflict) as error:
        return _page(error=error_text(error)), 422
    flash(_("You sign in without a second step now."), "success")
    return redirect(url_for("account.index"))


def _code() -> str:
    return request.form.get("code", "")[: service.MAX_CODE]


def _page(*, error: str | None = None) -> str:
    user = own_user(current_caller())
    enrolment = service.enrolment(user)
    picture = None
    if enrolment is not None:
        import segno  # loaded where it is used

        picture = segno.make(enrolment.address, micro=False).svg_data_uri(scale=5, light="white")
    return render_template(
        "account/second_factor.html",
        user=user,
        is_required=user.role in settings_of(current_app).second_factor_roles,
        enrolment=enrolment,
        picture=picture,
        n_codes=service.n_recovery_codes(user.id),
        error=error,
    )
