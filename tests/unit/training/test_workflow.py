"""The state machine of runs: only the owner moves a run, and every lost one comes back."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import update

from prodapp.caller import Caller
from prodapp.exceptions import LeaseLost
from prodapp.extensions import command, db
from prodapp.models import RunState, TrainingRun, transitions, workflow
from prodapp.models.lease import Failure, Lease, Wish
from prodapp.models.types import db_now
from prodapp.training.workflow import RUNS, begin_publishing
from tests.factories import make_run

FAILURE = Failure("internal_error", "It broke: %(what)s", {"what": "a tooth"})


@pytest.fixture
def run(any_app: Flask, caller: Caller) -> TrainingRun:
    return make_run(caller)


def claim(run: TrainingRun, worker_name: str = "worker-1") -> Lease | None:
    with command() as session:
        return RUNS.claim(session, run.id, worker_name=worker_name)


def claimed(run: TrainingRun, worker_name: str = "worker-1") -> Lease:
    lease = claim(run, worker_name)
    assert lease is not None
    return lease


def now_of(run: TrainingRun) -> TrainingRun:
    db.session.rollback()
    db.session.refresh(run)
    return run


def expire(run: TrainingRun) -> None:
    with command() as session:
        session.execute(
            update(TrainingRun).where(TrainingRun.id == run.id).values(lease_until=db_now(-1))
        )


def test_a_run_delivered_twice_is_claimed_once(run: TrainingRun) -> None:
    assert claim(run, "worker-1") is not None
    assert claim(run, "worker-2") is None
    assert now_of(run).worker_name == "worker-1"
    assert run.attempt == 1


def test_a_run_that_is_to_be_canceled_is_not_claimed(run: TrainingRun) -> None:
    with command() as session:
        session.execute(update(TrainingRun).values(cancel_requested_at=db_now()))
    assert claim(run) is None


def test_the_whole_way_ends_in_succeeded(run: TrainingRun) -> None:
    lease = claimed(run)
    with command() as session:
        RUNS.note_progress(session, lease, stage="fitting", progress=0.5)
    assert (now_of(run).stage, run.progress) == ("fitting", 0.5)
    with command() as session:
        begin_publishing(session, lease)
    with command() as session:
        RUNS.succeed(session, lease)
    assert now_of(run).state == RunState.SUCCEEDED
    assert run.lease_token is None
    assert run.finished_at is not None


def test_publishing_needs_its_beginning(run: TrainingRun) -> None:
    lease = claimed(run)
    with pytest.raises(LeaseLost), command() as session:
        RUNS.succeed(session, lease)
    assert now_of(run).state == RunState.RUNNING


def test_a_worker_that_wakes_up_late_is_fenced(run: TrainingRun) -> None:
    """Paused beyond its lease, it finds its token worthless, whatever it wants to write."""
    late = claimed(run, "paused")
    expire(run)
    with command() as session:
        RUNS.lose(session, now_of(run), is_expired=True)
    with command() as session:
        RUNS.requeue_due(session)
    claimed(run, "quick")
    for attempt in (
        lambda session: RUNS.note_progress(session, late, stage="fitting", progress=1),
        lambda session: begin_publishing(session, late),
        lambda session: RUNS.succeed(session, late),
        lambda session: RUNS.fail(session, late, FAILURE),
        lambda session: RUNS.end_unwanted(session, late),
    ):
        with pytest.raises(LeaseLost), command() as session:
            attempt(session)
    assert now_of(run).worker_name == "quick"
    assert run.state == RunState.RUNNING


def test_a_lease_that_was_renewed_meanwhile_is_not_taken(run: TrainingRun) -> None:
    claimed(run)
    expire(run)
    with command() as session:
        assert RUNS.expired(session) == [run.id]
        RUNS.renew_lease(session, run.id, worker_name="worker-1")
    with pytest.raises(LeaseLost), command() as session:
        RUNS.lose(session, now_of(run), is_expired=True)
    assert now_of(run).state == RunState.RUNNING


def test_a_lost_worker_spends_no_failure_and_waits_no_back_off(run: TrainingRun) -> None:
    claimed(run)
    with command() as session:
        RUNS.lose(session, now_of(run))
    assert (now_of(run).state, run.n_lost, run.n_failures) == (RunState.RETRY_WAIT, 1, 0)
    with command() as session:
        assert RUNS.requeue_due(session) == 1
    assert now_of(run).state == RunState.QUEUED
    assert claim(run) is not None


def test_five_lost_workers_in_a_row_end_the_run(run: TrainingRun) -> None:
    for _ in range(transitions.MAX_LOST):
        claimed(run)
        with command() as session:
            RUNS.lose(session, now_of(run))
        with command() as session:
            RUNS.requeue_due(session)
    assert (now_of(run).state, run.error_code) == (RunState.FAILED, "worker_lost")
    assert claim(run) is None


def test_a_worker_asked_to_stop_does_not_count_as_lost(run: TrainingRun) -> None:
    claimed(run)
    with command() as session:
        RUNS.lose(session, now_of(run), is_handed_back=True)
    assert (now_of(run).state, run.n_lost) == (RunState.RETRY_WAIT, 0)


def test_the_third_failure_of_its_own_ends_the_run(run: TrainingRun) -> None:
    states = []
    for _ in range(transitions.MAX_FAILURES):
        lease = claimed(run)
        with command() as session:
            RUNS.fail_or_retry(session, lease, now_of(run), FAILURE)
        states.append(now_of(run).state)
        with command() as session:
            session.execute(update(TrainingRun).values(retry_at=db_now(-1)))
            RUNS.requeue_due(session)
    assert states == [RunState.RETRY_WAIT, RunState.RETRY_WAIT, RunState.FAILED]
    assert (run.error_code, run.error_params) == ("internal_error", {"what": "a tooth"})


def test_a_failure_waits_its_back_off(run: TrainingRun) -> None:
    lease = claimed(run)
    with command() as session:
        RUNS.fail_or_retry(session, lease, now_of(run), FAILURE)
    with command() as session:
        assert RUNS.requeue_due(session) == 0


def test_the_second_lack_of_memory_ends_the_run(run: TrainingRun) -> None:
    for expected in (RunState.RETRY_WAIT, RunState.FAILED):
        lease = claimed(run)
        with command() as session:
            failure = Failure("out_of_memory", "Too little memory.", {})
            RUNS.fail_or_retry(session, lease, now_of(run), failure)
        assert now_of(run).state == expected
        with command() as session:
            session.execute(update(TrainingRun).values(retry_at=db_now(-1)))
            RUNS.requeue_due(session)


def test_a_lost_run_that_was_to_be_canceled_is_canceled(run: TrainingRun) -> None:
    claimed(run)
    with command() as session:
        session.execute(update(TrainingRun).values(cancel_requested_at=db_now()))
    with command() as session:
        RUNS.lose(session, now_of(run))
    assert now_of(run).state == RunState.CANCELED


def test_the_worker_is_told_what_to_do_with_its_run(run: TrainingRun) -> None:
    def wish(worker_name: str) -> Wish:
        return RUNS.wish(db.session(), run.id, worker_name=worker_name)

    assert wish("worker-1") is Wish.LET_GO
    claimed(run, "worker-1")
    assert wish("worker-1") is Wish.CONTINUE
    assert wish("worker-2") is Wish.LET_GO
    with command() as session:
        session.execute(update(TrainingRun).values(cancel_requested_at=db_now()))
    assert wish("worker-1") is Wish.CANCEL


def test_a_dispatched_run_is_due_again_only_when_its_dispatch_is_stale(run: TrainingRun) -> None:
    with command() as session:
        assert RUNS.due(session) == [(run.id, 0)]
        RUNS.mark_dispatched(session, run.id)
        assert RUNS.due(session) == []
        stale = db_now(-workflow.REDISPATCH_SECONDS - 1)
        session.execute(update(TrainingRun).values(dispatched_at=stale))
        assert RUNS.due(session) == [(run.id, 0)]
