"""Processes of one release at work over the tables, and beside the rows, of the next one."""

from __future__ import annotations

import pytest
from sqlalchemy import text, update

from prodapp.extensions import command
from prodapp.models import Dataset, ModelVersion, RunState, TrainingRun
from prodapp.models.lease import FORMAT
from prodapp.models.training_run import TERMINAL
from tests.factories import make_csv
from tests.faults.client import Client
from tests.faults.conftest import MakeInstallation
from tests.faults.installation import Installation
from tests.faults.oracle import inspect
from tests.faults.programs import wait_for

# What the rule for migrations allows (see tests/test_migrations.py), on each table at work.
EXPANSION = (
    "ALTER TABLE training_runs ADD COLUMN priority INTEGER",
    "ALTER TABLE datasets ADD COLUMN label VARCHAR(40) NOT NULL DEFAULT 'none'",
    "ALTER TABLE model_versions ADD COLUMN note TEXT",
    "ALTER TABLE machines ADD COLUMN color VARCHAR(20) DEFAULT 'grey'",
    "CREATE TABLE shift_calendars (id INTEGER PRIMARY KEY, name TEXT)",
    "CREATE INDEX ix_datasets_label ON datasets (label)",
    "UPDATE alembic_version SET version_num = 'of-the-next-release'",
)

pytestmark = pytest.mark.queue


def expand(installation: Installation) -> None:
    """Migrate as the next release would, while everything runs."""
    with installation.context(), command() as session:
        for statement in EXPANSION:
            session.execute(text(statement))


def write_as_the_next_release(installation: Installation) -> None:
    """Documents in rows get keys that this release does not know."""
    new = {"of_the_next_release": {"any": ["thing"]}}
    with installation.context(), command() as session:
        for version in session.query(ModelVersion):
            version.evidence = {**version.evidence, **new}
            version.specification = {**version.specification, **new}
            version.metrics = {**version.metrics, **new}
        for dataset in session.query(Dataset):
            dataset.preview = {**dataset.preview, **new}


def train(client: Client, dataset_id: int) -> int:
    run_id = client.start_run(dataset_id)
    wait_for(lambda: client.run(run_id)["state"] in TERMINAL, what=f"the end of run {run_id}")
    assert client.run(run_id)["state"] == RunState.SUCCEEDED
    return run_id


def test_release_goes_on_over_the_tables_and_rows_of_the_next(
    make_installation: MakeInstallation, database: str
) -> None:
    installation = make_installation(database)
    installation.start()
    client = installation.client()
    machine_id = client.create_machine("Press 01")
    dataset_id = client.upload(machine_id, make_csv())
    train(client, dataset_id)

    expand(installation)
    write_as_the_next_release(installation)
    run_id = train(client, dataset_id)
    version_id = client.run(run_id)["version_id"]
    old_version_id = client.call("GET", "/versions")[-1]["id"]
    for path in (
        "/machines",
        f"/datasets/{dataset_id}",
        f"/machines/{machine_id}/ranking",
        f"/versions/{version_id}",
        f"/versions/{old_version_id}",
        f"/versions/{old_version_id}/ranking",
    ):
        assert client.call("GET", path)

    # Also processes that start only now, as one that crashed amid the deploy does.
    for program in (installation.web, installation.dispatcher, *installation.workers):
        program.restart()
    train(client, client.upload(machine_id, make_csv(seed=1)))
    assert inspect(installation).wrong() == {}


def test_worker_leaves_a_run_of_the_next_release_in_the_line_and_works_on(
    make_installation: MakeInstallation, database: str
) -> None:
    installation = make_installation(database)
    installation.queue.start()
    installation.web.start()
    client = installation.client()
    machine_id = client.create_machine("Press 01")
    dataset_id = client.upload(machine_id, make_csv())
    newer_id = client.start_run(dataset_id)
    with installation.context(), command() as session:
        specification = {"target": "yield", "of_the_next_release": True}
        session.execute(
            update(TrainingRun)
            .where(TrainingRun.id == newer_id)
            .values(format=FORMAT + 1, specification=specification)
        )
    installation.dispatcher.start()
    installation.add_worker().start()
    train(client, dataset_id)  # came later, and was not held up
    newer = client.run(newer_id)
    assert (newer["state"], newer["attempt"], newer["error"]) == (RunState.QUEUED, 0, None)
