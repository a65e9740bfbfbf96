"""What was found in the database a moment ago, for requests that come by the hundred a second.

What a command of this process changes counts at once; what another process changes counts after
:data:`SECONDS` at the latest.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Any, Final, TypeVar

SECONDS: Final = 1.0
_MOST: Final = 1_000

T = TypeVar("T")


class Recently:
    """Answers by their question, each for :data:`SECONDS`; threads share it without a lock."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, tuple[float, Any]] = {}

    def get(self, key: Hashable, look_up: Callable[[], T]) -> T:
        """What ``look_up`` returned a moment ago, or returns now; ``None`` is not kept."""
        # An answer that was read before a command goes where that command has looked away from.
        kept, now = self._kept, time.monotonic()
        known = kept.get(key)
        if known is not None and now < known[0]:
            found: T = known[1]
            return found
        found = look_up()
        if found is not None:
            if len(kept) >= _MOST:
                kept.clear()
            kept[key] = (now + SECONDS, found)
        return found

    def forget(self) -> None:
        """Look everything up anew."""
        self._kept = {}
