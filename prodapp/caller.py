"""Who is asking. Services take a :class:`Caller`, never a request or a user row."""

from __future__ import annotations

from dataclasses import dataclass

RANKS = {"viewer": 1, "operator": 2, "analyst": 3, "admin": 4}


@dataclass(frozen=True)
class Caller:
    """``kind`` is how the caller proved itself: ``session``, ``token``, ``key``, ``anonymous``
    (an integration route that is open by configuration), ``signature`` (a signed report), ``link``
    (a one-time link), ``cli`` or ``system``. ``locale`` is the language that a user chose, if they
    chose one."""

    site_id: int
    role: str
    name: str
    kind: str
    user_id: int | None = None
    address: str | None = None
    request_id: str | None = None
    locale: str | None = None

    def has_role(self, role: str) -> bool:
        """Whether the caller's role is ``role`` or a higher one."""
        return RANKS[self.role] >= RANKS[role]
