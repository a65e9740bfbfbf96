"""What a check finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    WARNING = "warning"
    """It works, but not as it should, or not for long."""
    ERROR = "error"
    """Something is lost, stands still or will fail."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    ``code`` names its kind, stable and for programs; ``where`` the place: a path, a table and id, a
    process. ``message`` and ``advice`` are templates for ``params`` (see ``DomainError``). ``mend``
    does what is safe to do about it; where it is ``None``, a person has to decide.
    """

    code: str
    severity: Severity
    where: str
    message: str
    advice: str
    params: Mapping[str, Any] = field(default_factory=dict)
    mend: Callable[[], object] | None = field(default=None, compare=False, repr=False)


Check = Callable[[], Iterator[Finding]]
