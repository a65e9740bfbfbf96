"""What lies in the storage of the current application."""

from __future__ import annotations

from datetime import UTC, datetime

from prodapp.storage import storage


def stored_keys() -> list[str]:
    """Every file that is there, however young."""
    return list(storage().keys(unchanged_since=datetime.max.replace(tzinfo=UTC)))
