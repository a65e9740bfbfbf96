"""Between the first step of signing in and the second: who is half in, in the signed cookie."""

from __future__ import annotations

import hmac
import time
from dataclasses import dataclass

from flask import session

from prodapp.auth.secrets import token_hash
from prodapp.extensions import db
from prodapp.models import User

ENTRY = "second_step"
LIFE_SECONDS = 300


@dataclass(frozen=True)
class HalfIn:
    """Whom a first step proved, by what (``method``), and where they wanted to go."""

    user: User
    method: str
    next_path: str | None


def wait_for_code(user: User, *, method: str, next_path: str | None) -> None:
    """Remember that ``user`` passed the first step; nothing is open to them yet."""
    session.clear()
    session[ENTRY] = {
        "user": user.id,
        "method": method,
        "next": next_path,
        "until": time.time() + LIFE_SECONDS,
        "mark": _mark(user),
    }


def half_in() -> HalfIn | None:
    """Who passed the first step in this browser, less than five minutes ago.

    A password, a lock-out or a second factor that changed since then ends it.
    """
    kept = session.get(ENTRY)
    if kept is None or kept["until"] < time.time():
        return None
    user = db.session.get(User, kept["user"])
    if user is None or not user.is_active or not hmac.compare_digest(kept["mark"], _mark(user)):
        return None
    return HalfIn(user, kept["method"], kept["next"])


def _mark(user: User) -> str:
    return token_hash(f"{user.password_hash} {user.second_factor_at}")
