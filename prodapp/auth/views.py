"""Signing in and out, one-time links, and the language choice."""

from __future__ import annotations

from types import ModuleType

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    g,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_babel import get_locale
from werkzeug.wrappers import Response as BaseResponse

from prodapp.addresses import calling_network
from prodapp.auth import (
    external,
    first_step,
    letters,
    profile,
    second_factor,
    second_step,
    service,
    sessions,
)
from prodapp.auth.external import Person
from prodapp.auth.forms import PasswordForm, SignInForm, safe_next
from prodapp.auth.guard import SESSION_TOKEN
from prodapp.auth.objects import own_user
from prodapp.auth.permissions import public
from prodapp.error_text import error_text
from prodapp.exceptions import Conflict, InvalidInput, N_, NotSignedIn, Unavailable
from prodapp.extensions import limiter, settings_of
from prodapp.i18n import gettext as _
from prodapp.models import User
from prodapp.names import folded

# Entries of the signed cookie, while the browser is at the provider.
NEXT_PATH, LINKING = "next_path", "linking"

bp = Blueprint("auth", __name__, url_prefix="/app")


def _account_key() -> str:
    """One account's tries from one address: a stranger's must not lock its owner out."""
    return f"account:{folded(request.form.get('username', ''))}:{calling_network()}"


@bp.get("/sign-in")
@public
def sign_in_page() -> BaseResponse | str:
    if g.caller is not None:
        return redirect(url_for("machines.index"))
    return render_template("auth/sign_in.html", username="", error=None)


@bp.post("/sign-in")
@public
@limiter.limit("30 per minute")
@limiter.limit("10 per minute", key_func=_account_key)
def sign_in() -> BaseResponse | tuple[str, int]:
    form = SignInForm.parse(request.form)
    try:
        user = first_step.prove(form.username, form.password, address=request.remote_addr)
    except (NotSignedIn, Unavailable) as error:
        status = 401 if isinstance(error, NotSignedIn) else 503
        page = render_template("auth/sign_in.html", username=form.username, error=error_text(error))
        return page, status
    return _enter(user, safe_next(form.next_path), method="password")


@bp.get("/sign-in/provider")
@public
@limiter.limit("30 per minute")
def to_provider() -> BaseResponse:
    session[NEXT_PATH] = safe_next(request.args.get("next", ""))
    redirected: BaseResponse = _provider().send()
    return redirected


@bp.get("/sign-in/provider/back")
@public
@limiter.limit("30 per minute")
def back_from_provider() -> BaseResponse | tuple[str, int]:
    """The provider sends browsers here: to sign in, or to connect with who is signed in."""
    is_linking = session.pop(LINKING, False)
    try:
        person = _provider().receive()
        if is_linking:
            return _connect(person)
        user = external.admit(person, address=request.remote_addr)
    except (NotSignedIn, Unavailable) as error:
        status = 401 if isinstance(error, NotSignedIn) else 503
        page = render_template("auth/sign_in.html", username="", error=error_text(error))
        return page, status
    return _open(user, session.get(NEXT_PATH), method="oidc")


@bp.get("/sign-in/<token>")
@public
@limiter.limit("30 per minute")
def sign_in_by_link(token: str) -> BaseResponse:
    if request.method == "HEAD":  # link previews look before a person does
        return Response()
    return _enter(service.use_sign_in_link(token), None, method="link")


@bp.get("/second-step")
@public
def second_step_page() -> BaseResponse | str:
    if second_step.half_in() is None:
        return redirect(url_for("auth.sign_in_page"))
    return render_template("auth/second_step.html", error=None)


@bp.post("/second-step")
@public
@limiter.limit("30 per minute")
def take_second_step() -> BaseResponse | tuple[str, int]:
    found = second_step.half_in()
    if found is None:
        flash(_("That took too long. Sign in again."), "warning")
        return redirect(url_for("auth.sign_in_page"))
    try:
        second_factor.verify(found.user, request.form.get("code", ""))
    except NotSignedIn as error:
        return render_template("auth/second_step.html", error=error_text(error)), 401
    return _open(found.user, found.next_path, method=found.method)


@bp.get("/forgot")
@public
def forgot_page() -> str:
    return render_template("auth/forgot.html", named="", is_sent=False)


@bp.post("/forgot")
@public
@limiter.limit("10 per minute")
def forgot() -> str | tuple[str, int]:
    """The same answer for everyone: who has an account is not told."""
    named = request.form.get("named", "").strip()
    if not letters.may_be_reset() or not named:
        return render_template("auth/forgot.html", named=named, is_sent=False), 422
    letters.request_reset(named, locale=str(get_locale()))
    return render_template("auth/forgot.html", named="", is_sent=True)


@bp.get("/password/<token>")
@public
@limiter.limit("30 per minute")
def password_page(token: str) -> str:
    user = service.user_of_link(token, purpose="password")
    return render_template("auth/password.html", token=token, user=user, error=None)


@bp.post("/password/<token>")
@public
@limiter.limit("30 per minute")
def choose_password(token: str) -> BaseResponse | tuple[str, int]:
    try:
        password = PasswordForm.parse(request.form).agreed()
        user = profile.choose_password(token, password, address=request.remote_addr)
    except InvalidInput as error:
        user = service.user_of_link(token, purpose="password")
        page = render_template(
            "auth/password.html", token=token, user=user, error=error_text(error)
        )
        return page, 422
    return _enter(user, None, method="link")


@bp.post("/sign-out")
@public
def sign_out() -> BaseResponse:
    token = session.get(SESSION_TOKEN)
    if token:
        sessions.close_session(token)
    session.clear()
    return redirect(url_for("auth.sign_in_page"))


@bp.post("/language")
@public
def set_language() -> BaseResponse:
    """Remember the language, also in a cookie: it is wanted before anyone has signed in."""
    response = make_response(redirect(safe_next(request.form.get("next", "")) or url_for("home")))
    locale = request.form.get("locale", "")
    if locale in current_app.config["LOCALES"]:
        if g.caller is not None:
            profile.set_locale(g.caller, locale)
        is_https = settings_of(current_app).is_https
        response.set_cookie(
            current_app.config["LANGUAGE_COOKIE_NAME"],
            locale,
            max_age=365 * 86400,
            secure=is_https,
            httponly=True,
            samesite="Lax",
        )
    return response


def _provider() -> ModuleType:
    """What speaks with the provider. Raises :class:`NotSignedIn` where there is none."""
    if settings_of(current_app).identity.oidc is None:
        raise NotSignedIn(N_("There is no provider to sign in at."))
    from prodapp.auth import provider  # its client is loaded where it is used

    return provider


def _connect(person: Person) -> BaseResponse:
    if g.caller is None:
        raise NotSignedIn(N_("Sign in first."))
    try:
        external.link(g.caller, own_user(g.caller), person)
    except Conflict as error:
        flash(error_text(error), "error")
    else:
        flash(_("Your account is connected."), "success")
    return redirect(url_for("account.index", _anchor="identities"))


def _enter(user: User, next_path: str | None, *, method: str) -> BaseResponse:
    """Let ``user`` in, after a code where they have a second factor."""
    if user.second_factor_at is None:
        return _open(user, next_path, method=method)
    second_step.wait_for_code(user, method=method, next_path=next_path)
    return redirect(url_for("auth.second_step_page"))


def _open(user: User, next_path: str | None, *, method: str) -> BaseResponse:
    token = sessions.open_session(
        user,
        address=request.remote_addr,
        user_agent=request.headers.get("User-Agent"),
        method=method,
    )
    earlier = session.get(SESSION_TOKEN)
    if earlier:
        sessions.close_session(earlier)
    session.clear()  # nothing that was set before signing in survives it (session fixation)
    session[SESSION_TOKEN] = token
    session.permanent = True
    flash(_("Welcome, %(name)s.", name=user.username), "success")
    return redirect(next_path or url_for("machines.index"))
