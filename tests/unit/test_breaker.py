from __future__ import annotations

import pytest

from prodapp import breaker
from prodapp.breaker import PAUSE_SECONDS, TRIAL_SECONDS, Breaker


class Clock:
    """Stands in for the module's ``time``: it goes on when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(breaker, "time", clock)
    return clock


def test_all_go_through_while_the_server_answers(clock: Clock) -> None:
    door = Breaker()
    for _ in range(3):
        assert door.lets_through()
        door.succeeded()


def test_after_a_failure_one_at_a_time_tries_again(clock: Clock) -> None:
    door = Breaker()
    door.failed()
    assert not door.lets_through()
    clock.now += PAUSE_SECONDS
    assert [door.lets_through() for _ in range(3)] == [True, False, False]
    door.failed()
    assert not door.lets_through()
    clock.now += PAUSE_SECONDS
    assert door.lets_through()
    door.succeeded()
    assert [door.lets_through() for _ in range(3)] == [True, True, True]


def test_one_who_tries_and_is_never_heard_of_again_is_followed_by_another(clock: Clock) -> None:
    door = Breaker()
    door.failed()
    clock.now += PAUSE_SECONDS
    assert door.lets_through()
    clock.now += TRIAL_SECONDS
    assert [door.lets_through() for _ in range(2)] == [True, False]
