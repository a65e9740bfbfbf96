"""The queue, and who works: is anybody there, and what time is it there?"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy.engine import make_url

from prodapp import presence, queue
from prodapp.doctor.database import MAX_SKEW_SECONDS
from prodapp.doctor.findings import Finding, Severity
from prodapp.exceptions import N_
from prodapp.presence import Kind


def queue_answers() -> Iterator[Finding]:
    """Pages, uploads and reads go on without the queue; training does not."""
    if not queue.is_answering():
        yield Finding(
            "queue_away",
            Severity.WARNING,
            make_url(queue.queue_url()).render_as_string(hide_password=True),
            N_("The queue server does not answer: nothing is trained or imported."),
            N_("Start it, and check REDIS_URL. Nothing is lost; waiting work starts by itself."),
        )


def somebody_works() -> Iterator[Finding]:
    """A worker does the work, a dispatcher sends it and takes lost work back."""
    here = {row.kind for row in presence.present(Kind.WORKER, Kind.DISPATCHER)}
    if Kind.WORKER not in here:
        yield Finding(
            "no_worker",
            Severity.ERROR,
            "worker",
            N_("No worker has given a sign of life for a minute."),
            N_("Start one: flask worker"),
        )
    if Kind.DISPATCHER not in here:
        yield Finding(
            "no_dispatcher",
            Severity.ERROR,
            "dispatcher",
            N_("No dispatcher has given a sign of life for a minute."),
            N_("Start one: flask dispatcher"),
        )


def their_clocks() -> Iterator[Finding]:
    """Each process told its host's time with its last sign of life."""
    for row in presence.present(*Kind):
        ahead = (row.host_time - row.seen_at).total_seconds()
        if abs(ahead) > MAX_SKEW_SECONDS:
            yield Finding(
                "clock_skew_process",
                Severity.ERROR,
                row.name,
                N_("The clock of %(name)s differs from the database's by %(seconds)s s."),
                N_("Let both hosts take their time from the same server (NTP)."),
                {"name": row.name, "seconds": round(ahead, 1)},
            )
