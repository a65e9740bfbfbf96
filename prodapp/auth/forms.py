"""The sign-in form."""

from __future__ import annotations

from dataclasses import dataclass

from werkzeug.datastructures import MultiDict


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


def safe_next(path: str) -> str | None:
    """``path`` if it stays inside this app's pages, else ``None`` (no open redirects)."""
    is_ours = path.startswith("/app/") and not any(c in path for c in "\\\r\n")
    return path if is_ours else None
