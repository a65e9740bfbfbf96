"""Long work in a thread beside the one that waits: it is heard of several times a second, and can
be stopped, whatever library it is inside of.

Results do not depend on it: the work runs as it would alone, one call after the other.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Final, TypeVar

from prodapp.ml.progress import Progress

Result = TypeVar("Result")

#: How often work that tells nothing of itself is looked at.
_LOOK_SECONDS: Final = 0.3


class Abandoned(BaseException):
    """Raised inside work that nobody waits for any more, where it next tells of itself."""


@dataclass(frozen=True)
class _Call:
    stage: str
    share: float
    answered: Future[None] = field(default_factory=Future)


def watched(work: Callable[[Progress], Result], progress: Progress) -> Result:
    """The result of ``work``, done in a thread of its own; ``progress`` is called in this one.

    ``work`` gets a callback of the same kind, which returns when ``progress`` has, and raises what
    it raises. While the work is silent ``progress`` hears its last words again; what it raises then
    goes through at once, and the thread ends by itself at its next word, or with the process.
    """
    calls: SimpleQueue[_Call | None] = SimpleQueue()
    is_left = Event()
    ended: Future[Result] = Future()

    def tell(stage: str, share: float) -> None:
        call = _Call(stage, share)
        calls.put(call)
        while not wait([call.answered], timeout=1.0).done:
            if is_left.is_set():
                raise Abandoned
        call.answered.result()

    def run() -> None:
        try:
            ended.set_result(work(tell))
        except BaseException as error:
            ended.set_exception(error)
        calls.put(None)

    Thread(target=run, name="work", daemon=True).start()
    try:
        _relay(calls, progress)
    finally:
        is_left.set()
    return ended.result()


def _relay(calls: SimpleQueue[_Call | None], progress: Progress) -> None:
    """Pass calls on until there are no more."""
    last: _Call | None = None
    while True:
        try:
            call = calls.get(timeout=_LOOK_SECONDS)
        except Empty:
            if last is not None:
                progress(last.stage, last.share)
            continue
        if call is None:
            return
        last = call
        try:
            progress(call.stage, call.share)
        except BaseException as error:
            call.answered.set_exception(error)
        else:
            call.answered.set_result(None)
