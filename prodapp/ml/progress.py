"""How long work says where it is, and how it learns that it must stop."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

#: The stages of a training run, in order. ``publishing`` belongs to the caller.
STAGES: Final = (
    *("reading", "preparing", "fitting", "validating", "explaining", "assessing", "publishing"),
)

#: Called with (stage, share of the stage done, 0–1), about once a second. It may raise
#: ``exceptions.LeaseLost``, which travels up through the work untouched.
Progress = Callable[[str, float], None]


def no_progress(stage: str, share: float) -> None:
    """A progress callback for callers that do not watch."""


def part_of(on_share: Callable[[float], None], low: float, high: float) -> Callable[[float], None]:
    """A callback for the part of the work that takes the share from ``low`` to ``high``."""
    return lambda share: on_share(low + (high - low) * share)


@dataclass
class Stages:
    """Passes progress on and keeps the seconds of each stage."""

    progress: Progress
    seconds: dict[str, float] = field(default_factory=dict)
    stage: str = ""
    started: float = 0.0

    def enter(self, stage: str) -> None:
        self.leave()
        self.stage, self.started = stage, time.monotonic()
        self.progress(stage, 0.0)

    def leave(self) -> None:
        if self.stage:
            self.seconds[self.stage] = time.monotonic() - self.started
            self.progress(self.stage, 1.0)
            self.stage = ""

    def share(self, share: float) -> None:
        self.progress(self.stage, share)
