"""The stages of one piece of background work: each is timed, and a span where traces are kept."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar

import structlog

from prodapp import metrics, tracing


class Stages:
    """The stages of work of one ``kind``, one after the other."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._stage: str | None = None
        self._began = 0.0
        self._span: AbstractContextManager[None] | None = None

    def enter(self, stage: str) -> None:
        """The work is at ``stage`` now; it may say so again and again."""
        if stage == self._stage:
            return
        self.end()
        self._stage, self._began = stage, time.perf_counter()
        self._span = tracing.span(f"{self._kind} {stage}")
        self._span.__enter__()

    def end(self) -> None:
        """The present stage is over."""
        if self._stage is None or self._span is None:
            return
        self._span.__exit__(None, None, None)
        seconds = time.perf_counter() - self._began
        metrics.STAGE_SECONDS.labels(self._kind, self._stage).observe(seconds)
        self._stage = self._span = None


_current: ContextVar[Stages | None] = ContextVar("stages", default=None)


@contextmanager
def under_way(
    kind: str, *, trace_parent: str | None, request_id: str | None, row_id: int
) -> Iterator[None]:
    """Work of ``kind`` that the span ``trace_parent`` asked for; :func:`enter_stage` within it."""
    attributes: dict[str, str | int] = {
        f"prodapp.{kind}_id": row_id,
        "prodapp.request_id": request_id or "",
    }
    stages = Stages(kind)
    token = _current.set(stages)
    try:
        with tracing.span(f"{kind} work", role="consumer", parent=trace_parent, **attributes):
            if (trace_id := tracing.trace_id()) is not None:
                structlog.contextvars.bind_contextvars(trace_id=trace_id)
            try:
                yield
            finally:
                stages.end()
    finally:
        _current.reset(token)
        tracing.flush()  # a work-horse ends without another word


def enter_stage(stage: str) -> None:
    """The work that is under way here has come to ``stage``."""
    stages = _current.get()
    if stages is not None:
        stages.enter(stage)
