from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from prodapp import audit
from prodapp.audit import EventFilter
from prodapp.caller import Caller
from prodapp.exceptions import InvalidInput
from prodapp.extensions import command

ALL = EventFilter(site_ids=None)


def note(caller: Caller, *actions: str, subject: str = "machine:1") -> None:
    for action in actions:
        with command() as session:
            audit.record(session, caller, action, subject)


def actions(wanted: EventFilter) -> list[str]:
    return [event.action for event in audit.events(wanted).items]


def test_pages_of_the_history_hold_each_event_once(any_app: Flask, caller: Caller) -> None:
    note(caller, *(f"a.{n}" for n in range(7)))
    seen: list[str] = []
    cursor = None
    while True:
        page = audit.events(ALL, cursor=cursor, page_size=3)
        seen += [event.action for event in page.items]
        note(caller, "late.event")  # what happens meanwhile moves nothing
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == [f"a.{n}" for n in reversed(range(7))]


def test_events_are_found_by_who_what_and_when(any_app: Flask, caller: Caller) -> None:
    other = Caller(caller.site_id + 1, "admin", "eve", "session")
    note(caller, "user.created", "user.changed", "username.odd")
    note(other, "user.created", subject="user:7")
    assert actions(EventFilter(None, action="user")) == [
        "user.created",
        "user.changed",
        "user.created",
    ]
    assert len(actions(EventFilter(None, actor="eve"))) == 1
    assert len(actions(EventFilter(None, subject="user:7"))) == 1
    assert actions(EventFilter((caller.site_id,), action="user.created")) == ["user.created"]
    assert actions(EventFilter(None, action="us%")) == []
    now = datetime.now(UTC)
    assert actions(EventFilter(None, until=now - timedelta(hours=1))) == []
    assert len(actions(EventFilter(None, since=now - timedelta(hours=1)))) == 4


@pytest.mark.parametrize("cursor", ["x", "ã", "MTIz", "a" * 150, "OTk5OTk5OTktMDEtMDEv"])
def test_a_cursor_that_no_page_gave_is_refused(app: Flask, cursor: str) -> None:
    with pytest.raises(InvalidInput):
        audit.events(ALL, cursor=cursor)


def test_an_export_holds_more_than_a_batch(app: Flask, caller: Caller) -> None:
    with command() as session:
        for n in range(audit.BATCH + 5):
            audit.record(session, caller, "a.b", f"machine:{n}")
    assert len({event.subject for event in audit.all_events(ALL)}) == audit.BATCH + 5
