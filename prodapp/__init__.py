"""prodapp: which variables drive a machine's production, in which direction, how surely."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prodapp.app import create_app

__all__ = ["create_app"]


def __getattr__(name: str) -> Any:
    """Load the application on demand: supervisor, server and queue need modules beside it only."""
    if name == "create_app":
        from prodapp.app import create_app

        return create_app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
