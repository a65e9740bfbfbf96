"""The verbs of training runs."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from prodapp import claims, dispatching
from prodapp.auth import service as auth
from prodapp.caller import Caller
from prodapp.datasets.jobs import import_dataset
from prodapp.exceptions import Conflict, DataRefused, InvalidInput, NotFound
from prodapp.extensions import command, db
from prodapp.machines import service as machines
from prodapp.models import AuditEvent, Dataset, DatasetState, RunState, TrainingRun
from prodapp.models.lease import HorseDeath
from prodapp.models.types import db_now
from prodapp.training import service
from prodapp.training.jobs import run_training
from prodapp.training.workflow import RUNS
from tests.factories import make_dataset, make_ready_dataset, make_run


def reload(run: TrainingRun) -> TrainingRun:
    db.session.rollback()
    db.session.refresh(run)
    return run


def test_start_is_written_down_with_its_whole_specification(any_app: Flask, caller: Caller) -> None:
    run = make_run(caller, features=["heat", "speed"], random_state=7)
    assert run.state == RunState.QUEUED
    assert run.specification["target"] == "yield"
    assert run.specification["features"] == ["heat", "speed"]
    assert run.specification["random_state"] == 7
    events = db.session.scalars(select(AuditEvent.action)).all()
    assert "run.started" in events


def test_unknown_target_names_the_columns_and_the_closest(app: Flask, caller: Caller) -> None:
    dataset = make_ready_dataset(caller)
    with pytest.raises(InvalidInput, match="Did you mean “yield”") as caught:
        make_run(caller, dataset, target="yeild")
    assert caught.value.error_code == "unknown_column"
    assert caught.value.fields[0].pointer == "/target"


def test_of_more_than_two_classes_one_must_be_named_to_stand_against_the_rest(
    app: Flask, caller: Caller
) -> None:
    lines = ["shift,heat", *(f"{'abc'[n % 3]},{n % 7}.5" for n in range(60))]
    dataset = make_ready_dataset(caller, content="\n".join(lines).encode())
    with pytest.raises(DataRefused, match="name the one to explain"):
        make_run(caller, dataset, target="shift", classes="one_vs_rest")
    assert make_run(caller, dataset, target="shift").target == "shift"
    run = make_run(caller, dataset, target="shift", target_class="b", classes="one_vs_rest")
    assert run.specification["classes"] == "one_vs_rest"


def test_refused_data_cannot_be_trained_on(app: Flask, caller: Caller) -> None:
    dataset = make_dataset(caller)
    with command() as session:
        session.execute(update(Dataset).values(state=DatasetState.REFUSED))
    db.session.refresh(dataset)
    with pytest.raises(Conflict, match="was refused"):
        make_run(caller, dataset)


def test_a_run_waits_for_the_import_of_its_data(any_app: Flask, caller: Caller) -> None:
    dataset = make_dataset(caller)
    run = make_run(caller, dataset)
    assert RUNS.due(db.session()) == []
    import_dataset(dataset.id)
    assert RUNS.due(db.session()) == [(run.id, 0)]


def test_a_run_on_data_that_the_import_refuses_fails_with_its_reason(
    any_app: Flask, caller: Caller
) -> None:
    dataset = make_dataset(caller)
    run = make_run(caller, dataset)
    with command() as session:
        refusal = {"error_code": "ragged", "error_message": "Row 7 is bad.", "error_params": {}}
        session.execute(update(Dataset).values(state=DatasetState.REFUSED, **refusal))
    dispatching.dispatch(RUNS)
    assert (reload(run).state, run.error_code) == (RunState.FAILED, "ragged")
    assert run.error_message == "Row 7 is bad."


def test_cancel_ends_a_waiting_run_at_once(any_app: Flask, caller: Caller) -> None:
    run = service.cancel_run(caller, make_run(caller).id)
    assert run.state == RunState.CANCELED
    with pytest.raises(Conflict, match="already ended"):
        service.cancel_run(caller, run.id)


def test_cancel_of_a_running_run_reaches_its_work(any_app: Flask, caller: Caller) -> None:
    run = make_run(caller)
    with command() as session:
        assert RUNS.claim(session, run.id, worker_name="w")
    service.cancel_run(caller, run.id)
    assert reload(run).state == RunState.RUNNING
    claims.bury(RUNS, run.id, worker_name="w", cause=HorseDeath.CANCELED)
    assert reload(run).state == RunState.CANCELED


@pytest.mark.parametrize(
    ("cause", "state", "n_lost", "n_failures"),
    [
        (HorseDeath.UNKNOWN, RunState.RETRY_WAIT, 1, 0),
        (HorseDeath.HANDED_BACK, RunState.RETRY_WAIT, 0, 0),
        (HorseDeath.OUT_OF_MEMORY, RunState.RETRY_WAIT, 0, 1),
    ],
)
def test_each_death_of_a_horse_is_settled_by_its_cause(
    app: Flask, caller: Caller, cause: HorseDeath, state: str, n_lost: int, n_failures: int
) -> None:
    run = make_run(caller)
    with command() as session:
        RUNS.claim(session, run.id, worker_name="w")
    claims.bury(RUNS, run.id, worker_name="w", cause=cause)
    assert (reload(run).state, run.n_lost, run.n_failures) == (state, n_lost, n_failures)


def test_the_death_of_a_horse_whose_run_ended_changes_nothing(app: Flask, caller: Caller) -> None:
    run = make_run(caller)
    run_training(run.id)
    claims.bury(RUNS, run.id, worker_name=run.worker_name or "", cause=HorseDeath.UNKNOWN)
    assert reload(run).state == RunState.SUCCEEDED


def test_the_reaper_takes_runs_whose_lease_ran_out(any_app: Flask, caller: Caller) -> None:
    run = make_run(caller)
    with command() as session:
        RUNS.claim(session, run.id, worker_name="gone")
    assert dispatching.reap(RUNS) == 0
    with command() as session:
        session.execute(update(TrainingRun).values(lease_until=db_now(-1)))
    assert dispatching.reap(RUNS) == 1
    assert reload(run).state == RunState.RETRY_WAIT


def test_retry_repeats_an_ended_run_with_its_specification(app: Flask, caller: Caller) -> None:
    run = make_run(caller, random_state=11)
    with pytest.raises(Conflict, match="not ended"):
        service.retry_run(caller, run.id)
    service.cancel_run(caller, run.id)
    again = service.retry_run(caller, run.id)
    assert again.id != run.id
    assert again.specification == run.specification


def test_runs_of_another_site_look_missing(any_app: Flask, caller: Caller) -> None:
    run = make_run(caller)
    stranger = auth.system_caller(site="other")
    with pytest.raises(NotFound):
        service.cancel_run(stranger, run.id)
    assert service.list_runs(stranger).total == 0
    assert service.list_runs(caller).total == 1


def test_deleting_a_machine_cancels_its_runs(any_app: Flask, caller: Caller) -> None:
    waiting = make_run(caller)
    machines.delete_machine(caller, waiting.machine_id)
    dispatching.dispatch(RUNS)
    assert reload(waiting).state == RunState.CANCELED


def test_the_position_counts_the_runs_ahead(app: Flask, caller: Caller) -> None:
    dataset = make_ready_dataset(caller)
    first, second = make_run(caller, dataset), make_run(caller, dataset)
    assert service.queue_position(first) == 0
    assert service.queue_position(second) == 1
    service.cancel_run(caller, first.id)
    assert service.queue_position(second) == 0


def test_a_machine_deleted_meanwhile_gets_no_run(
    any_app: Flask, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The deletion lands between the first look at the machine and the run's own transaction."""
    dataset = make_ready_dataset(caller)
    check_fit = service.check_fit

    def check_and_delete(*args: Any, **options: Any) -> Any:
        machines.delete_machine(caller, dataset.machine_id)
        return check_fit(*args, **options)

    monkeypatch.setattr(service, "check_fit", check_and_delete)
    with pytest.raises(NotFound):
        make_run(caller, dataset)
    assert db.session.scalar(select(func.count(TrainingRun.id))) == 0
