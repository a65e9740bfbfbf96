"""The header ``Idempotency-Key`` as operations and their document know it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotent-Replayed"
MAX_KEY: Final = 200

#: The header as a parameter of an operation.
PARAMETER: Final[Mapping[str, Any]] = {
    "in": "header",
    "name": HEADER,
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY},
    "description": "The same key and body give the same answer, for a day at least; another body "
    "is refused.",
}


def own_keys(view: Callable[..., Any]) -> Callable[..., Any]:
    """Declare that ``view`` looks after the header by itself."""
    view.has_own_keys = True  # type: ignore[attr-defined]
    return view


def heeds_keys(view: Callable[..., Any]) -> bool:
    """Whether the general mechanism looks after the header of ``view``."""
    return not getattr(view, "has_own_keys", False)
