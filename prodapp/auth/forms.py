"""What the pages of signing in send."""

from __future__ import annotations

from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from prodapp.auth.passwords import MAX_PASSWORD
from prodapp.exceptions import FieldError, InvalidInput, N_


@dataclass(frozen=True)
class SignInForm:
    username: str
    password: str
    next_path: str

    @classmethod
    def parse(cls, form: MultiDict[str, str]) -> SignInForm:
        return cls(
            username=form.get("username", "").strip(),
            password=form.get("password", ""),
            next_path=form.get("next", ""),
        )


@dataclass(frozen=True)
class PasswordForm:
    """A new password, typed twice."""

    current: str
    new: str
    again: str

    @classmethod
    def parse(cls, form: MultiDict[str, str]) -> PasswordForm:
        # Cut where tokens for programs are: hashing takes longer for a longer one.
        values = (form.get(name, "")[: MAX_PASSWORD + 1] for name in ("current", "new", "again"))
        return cls(*values)

    def agreed(self) -> str:
        """The new password. Raises :class:`InvalidInput` where the two differ or it is too long."""
        if len(self.new) > MAX_PASSWORD:
            message = N_("The password is too long: at most %(max)s characters.")
            field = FieldError("/new", message, {"max": MAX_PASSWORD})
            raise InvalidInput(message, fields=(field,), max=MAX_PASSWORD)
        if self.new != self.again:
            message = N_("The two passwords differ. Type the same one twice.")
            raise InvalidInput(message, fields=(FieldError("/again", message),))
        return self.new


@dataclass(frozen=True)
class KeyForm:
    """A new API key. ``days`` of ``None``: it has no end."""

    name: str = ""
    role: str = ""
    days: int | None = 365
    username: str = ""

    @classmethod
    def parse(cls, form: MultiDict[str, str]) -> KeyForm:
        days = form.get("days", "").strip()
        return cls(
            name=form.get("name", "").strip(),
            role=form.get("role", ""),
            # A text that is no number is no life at all, which the service refuses with its bounds.
            days=int(days)
            if days.isascii() and days.isdigit() and len(days) < 6
            else 0
            if days
            else None,
            username=form.get("username", "").strip(),
        )


def safe_next(path: str) -> str | None:
    """``path`` if it stays inside this app's pages, else ``None`` (no open redirects)."""
    is_ours = path.startswith("/app/") and not any(c in path for c in "\\\r\n")
    return path if is_ours else None
