"""The access policy of every route: declared at the view, enforced in one place, denied by default.

A view says ``@requires("operator")`` or ``@public``; :func:`check_policies` stops the start of an
application that has a route which says nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Flask

from prodapp.caller import RANKS, Caller
from prodapp.exceptions import ConfigurationError, Forbidden, N_, NotSignedIn

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class Policy:
    """``role`` is the least role that may call, ``None`` anyone at all.

    ``is_poll`` marks what a page asks again and again by itself: it does not keep a session awake.
    ``is_upload`` admits bodies up to the configured upload limit instead of the small default.
    ``takes_signatures`` marks what other services report: by a signed message or with a key, never
    by who shows neither.
    """

    role: str | None
    is_poll: bool = False
    is_upload: bool = False
    takes_signatures: bool = False


def public(view: View) -> View:
    """Declare that anyone may call ``view``."""
    view.access_policy = Policy(role=None)  # type: ignore[attr-defined]
    return view


def requires(
    role: str, *, is_poll: bool = False, is_upload: bool = False, takes_signatures: bool = False
) -> Callable[[View], View]:
    """Declare the least role that may call a view."""
    if role not in RANKS:
        raise ValueError(f"unknown role {role!r}")

    def declare(view: View) -> View:
        policy = Policy(role, is_poll, is_upload, takes_signatures)
        view.access_policy = policy  # type: ignore[attr-defined]
        return view

    return declare


def policy_of(app: Flask, endpoint: str, method: str) -> Policy | None:
    """The declared policy; for class-based views that of the method."""
    view: Any = app.view_functions[endpoint]
    view_class = getattr(view, "view_class", None)
    if view_class is not None:
        name = "get" if method == "HEAD" else method.lower()
        view = getattr(view_class, name, None)
    return getattr(view, "access_policy", None)


def check_policies(app: Flask) -> None:
    """Raise :class:`ConfigurationError` for the routes that declare no policy."""
    silent = sorted(
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if policy_of(app, rule.endpoint, method) is None
    )
    if silent:
        raise ConfigurationError(f"routes without an access policy: {', '.join(silent)}")


def enforce(policy: Policy | None, caller: Caller | None) -> None:
    """Let ``caller`` pass, or raise :class:`NotSignedIn` or :class:`Forbidden`."""
    if policy is not None and policy.role is None:
        return
    if caller is None:
        raise NotSignedIn(N_("Sign in first."))
    if policy is None or policy.role is None or not caller.has_role(policy.role):
        needed = policy.role if policy else "admin"
        raise Forbidden(
            N_("This needs the role %(needed)s; yours is %(role)s. Ask an administrator."),
            needed=needed,
            role=caller.role,
        )
