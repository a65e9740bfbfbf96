"""``flask train``, ``flask ranking show`` and ``flask run-…``: training from the command line."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from prodapp import dispatching, queue
from prodapp.auth.objects import dataset_of, run_of
from prodapp.cli.base import (
    EXIT_RUN_FAILED,
    DomainGroup,
    cli_caller,
    columns_of,
    command,
    json_option,
    overrides_of,
    print_json,
    print_table,
    reading_options,
)
from prodapp.cli.options import setting_options, settings_of
from prodapp.cli.rankings import print_ranking, ranking_document
from prodapp.cli.told import Told, tell, tells
from prodapp.exceptions import in_english
from prodapp.extensions import db
from prodapp.ml.algorithms import ALGORITHMS, DEFAULT_ALGORITHM
from prodapp.models import DatasetState, ModelVersion, RunState, TrainingRun
from prodapp.models.training_run import TERMINAL
from prodapp.ranking import service as rankings
from prodapp.submissions import service as submissions
from prodapp.training import service as training
from prodapp.training.workflow import RUNS

WATCH_SECONDS = 0.3
RUN_COLUMNS = (
    "id",
    "machine_id",
    "dataset_id",
    "target",
    "state",
    "stage",
    "attempt",
    "created_at",
)

ranking = DomainGroup("ranking", help="Which variables drive production.")
run = DomainGroup("runs", help="Training runs.")


@command("train")
@click.argument("machine_id", type=int)
@click.argument(
    "file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--dataset", "dataset_id", type=int, help="Train on this data set instead of a FILE.")
@click.option("--target", required=True, help="The column that says how well it produced.")
@click.option("--feature", "features", multiple=True, help="Use only these columns (repeat).")
@click.option(
    "--algorithm",
    type=click.Choice(list(ALGORITHMS)),
    default=DEFAULT_ALGORITHM,
    show_default=True,
    help="How to learn.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=NUMBER",
    help='A hyperparameter of the algorithm (repeat); "none" sets no limit.',
)
@setting_options
@reading_options
@click.option("--no-wait", is_flag=True, help="Return at once; the worker goes on.")
@click.option("--here", is_flag=True, help="Do the work in this process, without a worker.")
@json_option
def train(
    machine_id: int,
    file: Path | None,
    dataset_id: int | None,
    target: str,
    features: tuple[str, ...],
    algorithm: str,
    settings: tuple[str, ...],
    no_wait: bool,
    here: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Train machine MACHINE_ID on a CSV FILE (or a stored data set) and print the ranking."""
    caller = cli_caller()
    if (file is None) == (dataset_id is None):
        raise click.UsageError("Name either a FILE or a --dataset.")
    specification = {
        "target": target,
        "features": list(features) or None,
        "algorithm": algorithm,
        "hyperparameters": dict(_setting(text) for text in settings),
        **settings_of(options),
    }
    if file is not None:
        with file.open("rb") as source:
            started = submissions.submit_file(
                caller,
                machine_id=machine_id,
                source=source,
                filename=file.name,
                overrides=overrides_of(options),
                specification=specification,
            )
    else:
        stored = dataset_of(caller, dataset_id or 0)
        if stored.machine_id != machine_id:
            raise click.UsageError(f"Data set {stored.id} belongs to another machine.")
        started = training.start_run(caller, dataset_id=stored.id, specification=specification)
    if no_wait:
        tell(told_of(started), as_json=as_json)
        return
    if here:
        _work_here(started)
    _show(finish(started), as_json=as_json)


def _setting(text: str) -> tuple[str, int | float | None]:
    name, equals, value = text.partition("=")
    if not equals:
        raise click.UsageError(f"Write --set NAME=NUMBER, not {text!r}.")
    if value.lower() == "none":
        return name, None
    try:
        return name, int(value) if value.lstrip("-").isdigit() else float(value)
    except ValueError as error:
        raise click.UsageError(f"{value!r} of --set {text} is no number.") from error


@ranking.command("show")
@click.argument("machine_id", type=int)
@json_option
def show_ranking(machine_id: int, as_json: bool) -> None:
    """Print the ranking of a machine's champion."""
    _show(rankings.champion(cli_caller(), machine_id), as_json=as_json)


def _show(version: ModelVersion, *, as_json: bool) -> None:
    if as_json:
        print_json(ranking_document(version))
    else:
        print_ranking(version)


@run.command("list")
@click.option("--machine", "machine_id", type=int, help="Only runs of this machine.")
@click.option(
    "--state",
    type=click.Choice([state.value for state in RunState]),
    help="Only runs in this state.",
)
@json_option
def list_runs(machine_id: int | None, state: str | None, as_json: bool) -> None:
    """List the latest runs."""
    page = training.list_runs(cli_caller(), machine_id=machine_id, state=state, page_size=100)
    rows = [columns_of(row, RUN_COLUMNS) for row in page.items]
    if as_json:
        print_json(rows)
    else:
        print_table(RUN_COLUMNS, [list(row.values()) for row in rows])


@run.command("cancel")
@click.argument("run_id", type=int)
@tells
def cancel_run(run_id: int) -> Told:
    """Stop a run: at once where it waits, within seconds where it is worked on."""
    canceled = training.cancel_run(cli_caller(), run_id)
    words = f"Run {canceled.id}: {canceled.state}, cancel asked for."
    return Told(words, columns_of(canceled, RUN_COLUMNS))


@run.command("retry")
@click.argument("run_id", type=int)
@tells
def retry_run(run_id: int) -> Told:
    """Start a new run like one that has ended."""
    return told_of(training.retry_run(cli_caller(), run_id))


def told_of(started: TrainingRun) -> Told:
    """What is said of a run that goes on by itself."""
    return Told(f"Run {started.id} is {started.state}.", columns_of(started, RUN_COLUMNS))


def finish(started: TrainingRun) -> ModelVersion:
    """Wait for a run's end, showing its progress; its version, or the command fails with why."""
    wait_for(started)
    if started.state == RunState.SUCCEEDED:
        return rankings.version_of_run(run_of(cli_caller(), started.id))
    reason = in_english(started.error_message or "Canceled.", started.error_params or {})
    click.secho(f"Run {started.id} {started.state}: {reason}", fg="red", err=True)
    raise SystemExit(EXIT_RUN_FAILED)


def wait_for(row: TrainingRun) -> None:
    """Follow a run to its end; a line on standard error says each new stage."""
    shown = ""
    while True:
        db.session.rollback()
        db.session.refresh(row)
        if row.state in TERMINAL:
            return
        stage = row.stage if row.state != RunState.QUEUED else _waiting_for(row)
        if stage and stage != shown:
            click.echo(f"  run {row.id}: {stage} …", err=True)
            shown = stage
        time.sleep(WATCH_SECONDS)


def _waiting_for(row: TrainingRun) -> str:
    dataset = row.dataset
    db.session.refresh(dataset)
    if dataset.state in (DatasetState.QUEUED, DatasetState.IMPORTING):
        return "waiting for the import of the data"
    return "waiting for a worker" if queue.is_answering() else "waiting for the queue server"


def _work_here(row: TrainingRun) -> None:
    # The training stack takes seconds to import: only where it is needed.
    from prodapp.datasets.jobs import import_dataset
    from prodapp.training.jobs import run_training

    import_dataset(row.dataset_id)
    dispatching.dispatch(RUNS)
    run_training(row.id)
