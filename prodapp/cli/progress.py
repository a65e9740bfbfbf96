"""Progress of long work, where a person looks at it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click


class Bars:
    """One bar a stage, on standard error; nothing where that is no terminal."""

    def __init__(self) -> None:
        self._stage = ""
        self._bar: click._termui_impl.ProgressBar[int] | None = None

    def __call__(self, stage: str, done: int, whole: int) -> None:
        """``done`` of ``whole`` steps of ``stage`` are behind us."""
        if not sys.stderr.isatty():
            return
        if self._bar is None or stage != self._stage:
            self.finish(is_done=True)
            self._stage = stage
            self._bar = click.progressbar(length=whole, label=f"{stage:<8}", file=sys.stderr)
            self._bar.render_progress()
        self._bar.update(done - self._bar.pos)

    def finish(self, *, is_done: bool) -> None:
        """The stage is over; ``is_done`` where it came to its end."""
        if self._bar is not None:
            if is_done:
                self._bar.update(max(0, (self._bar.length or 0) - self._bar.pos))
            self._bar.render_finish()
            self._bar = None


@contextmanager
def progress_bars() -> Iterator[Bars]:
    """Bars for the work in the block."""
    bars = Bars()
    is_done = False
    try:
        yield bars
        is_done = True
    finally:
        bars.finish(is_done=is_done)
