"""What a run is trained on, where rows are left out."""

from __future__ import annotations

from flask import Flask

from prodapp.caller import Caller
from prodapp.datasets.exclusions import set_exclusions
from prodapp.extensions import db
from prodapp.training import service as training
from prodapp.training.jobs import run_training
from prodapp.training.tables import table_of
from tests.factories import make_csv, make_ready_dataset, make_run, make_version

NIGHT = {"label": "night", "conditions": [{"column": "shift", "operator": "=", "value": "night"}]}


def test_a_run_is_trained_without_the_rows_left_out(any_app: Flask, caller: Caller) -> None:
    dataset = make_ready_dataset(caller)
    set_exclusions(caller, dataset.id, exclusions=[NIGHT])
    (kept,) = dataset.exclusions or ()
    run = make_run(caller, dataset)
    assert "n_rows" not in run.exclusions[0]
    table = table_of(run, dataset)
    assert len(table.frame) == 120 - kept["n_rows"]
    assert list(table.frame.index) == list(range(len(table.frame)))
    # Among the rows that remain there is one shift.
    assert {column.name: column.role for column in table.columns}["shift"] == "constant"
    version = make_version(caller, run)
    remark = version.evidence["remarks"][0]
    assert remark["code"] == "rows_left_out"
    assert remark["params"] == {"label": "night", "n": kept["n_rows"]}
    assert "shift" not in [row.feature for row in version.ranking]


def test_a_repeated_run_leaves_out_the_same_rows(any_app: Flask, caller: Caller) -> None:
    dataset = make_ready_dataset(caller)
    without = make_run(caller, dataset)
    run_training(without.id)
    set_exclusions(caller, dataset.id, exclusions=[{"first_row": 101}])
    run = make_run(caller, dataset)
    run_training(run.id)
    set_exclusions(caller, dataset.id, exclusions=[NIGHT])
    db.session.expire_all()
    assert len(table_of(training.retry_run(caller, run.id), dataset).frame) == 100
    assert len(table_of(training.retry_run(caller, without.id), dataset).frame) == 120


def test_nothing_left_out_is_the_table_as_it_is(app: Flask, caller: Caller) -> None:
    dataset = make_ready_dataset(caller, content=make_csv(n_rows=50))
    table = table_of(make_run(caller, dataset), dataset)
    assert (len(table.frame), table.remarks) == (50, ())
