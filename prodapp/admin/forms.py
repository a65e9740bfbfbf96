"""What the pages of administration send and ask for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from werkzeug.datastructures import MultiDict

from prodapp.auth.keys import STATES
from prodapp.auth.users import UserChange
from prodapp.caller import RANKS

LONGEST = 200


@dataclass(frozen=True)
class UserQuery:
    """Which users, as the list's address says; what makes no sense falls back to the default."""

    q: str
    role: str
    state: str
    site_id: int | None
    page: int

    @classmethod
    def parse(cls, args: MultiDict[str, str]) -> UserQuery:
        role, state = args.get("role", ""), args.get("state", "")
        return cls(
            q=args.get("q", "").strip()[:LONGEST],
            role=role if role in RANKS else "",
            state=state if state in ("active", "inactive") else "",
            site_id=args.get("site_id", type=int),
            page=max(1, args.get("page", 1, type=int)),
        )

    @property
    def is_active(self) -> bool | None:
        return {"active": True, "inactive": False}.get(self.state)


@dataclass(frozen=True)
class UserForm:
    """A user as the form for a new one sends it."""

    username: str = ""
    email: str = ""
    role: str = "operator"
    site_id: int | None = None

    @classmethod
    def parse(cls, form: MultiDict[str, str]) -> UserForm:
        return cls(
            username=form.get("username", ""),
            email=form.get("email", ""),
            role=form.get("role", ""),
            site_id=form.get("site_id", type=int),
        )

    def change(self) -> UserChange:
        """What the form for a present user means."""
        return UserChange(role=self.role, email=self.email, site_id=self.site_id)


@dataclass(frozen=True)
class KeyQuery:
    """Which keys."""

    state: str
    user_id: int | None
    page: int

    @classmethod
    def parse(cls, args: MultiDict[str, str]) -> KeyQuery:
        state = args.get("state", "active")
        return cls(
            state=state if state in STATES else "",
            user_id=args.get("user_id", type=int),
            page=max(1, args.get("page", 1, type=int)),
        )


@dataclass(frozen=True)
class EventQuery:
    """Which events; ``since`` and ``until`` are days, both included."""

    actor: str
    action: str
    subject: str
    since: str
    until: str
    cursor: str

    @classmethod
    def parse(cls, args: MultiDict[str, str]) -> EventQuery:
        def text(name: str) -> str:
            return args.get(name, "").strip()[:LONGEST]

        return cls(
            actor=text("actor"),
            action=text("action"),
            subject=text("subject"),
            since=text("since") if _day(text("since")) else "",
            until=text("until") if _day(text("until")) else "",
            cursor=text("cursor"),
        )

    @property
    def since_moment(self) -> datetime | None:
        return _day(self.since)

    @property
    def until_moment(self) -> datetime | None:
        day = _day(self.until)
        return None if day is None else day + timedelta(days=1)


def _day(text: str) -> datetime | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return datetime.combine(day, time.min, UTC) if 1900 <= day.year <= 9000 else None
