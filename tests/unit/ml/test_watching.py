"""Work beside the thread that waits: heard of while it is silent, stopped at once."""

from __future__ import annotations

import threading

import pytest

from prodapp.ml.progress import Progress
from prodapp.ml.watching import Abandoned, watched


class Stop(Exception):
    """What a callback raises when the work is not wanted any more."""


def test_words_arrive_in_order_in_the_thread_that_waits() -> None:
    heard: list[tuple[str, float]] = []
    threads: set[threading.Thread] = set()

    def listen(stage: str, share: float) -> None:
        heard.append((stage, share))
        threads.add(threading.current_thread())

    def work(progress: Progress) -> int:
        for share in (0.0, 0.5, 1.0):
            progress("fitting", share)
        return 7

    assert watched(work, listen) == 7
    assert list(dict.fromkeys(heard)) == [("fitting", 0.0), ("fitting", 0.5), ("fitting", 1.0)]
    assert threads == {threading.current_thread()}


def test_silent_work_is_told_of_again_and_can_be_stopped() -> None:
    is_free, ended = threading.Event(), threading.Event()
    found: list[BaseException] = []
    n_heard = 0

    def listen(_stage: str, _share: float) -> None:
        nonlocal n_heard
        n_heard += 1
        if n_heard == 3:
            raise Stop

    def work(progress: Progress) -> None:
        progress("fitting", 0.0)
        is_free.wait(60)
        try:
            progress("fitting", 1.0)
        except BaseException as error:
            found.append(error)
            raise
        finally:
            ended.set()

    with pytest.raises(Stop):
        watched(work, listen)
    is_free.set()
    assert ended.wait(60)
    assert isinstance(found[0], Abandoned)


def test_what_the_listener_raises_ends_the_work_where_it_spoke() -> None:
    steps: list[str] = []

    def work(progress: Progress) -> None:
        try:
            progress("fitting", 0.0)
            steps.append("after")
        finally:
            steps.append("cleaned")

    def listen(_stage: str, _share: float) -> None:
        raise Stop

    with pytest.raises(Stop):
        watched(work, listen)
    assert steps == ["cleaned"]


def test_what_goes_wrong_in_the_work_is_raised() -> None:
    def work(_progress: Progress) -> None:
        raise ArithmeticError("no")

    with pytest.raises(ArithmeticError, match="no"):
        watched(work, lambda _stage, _share: None)
