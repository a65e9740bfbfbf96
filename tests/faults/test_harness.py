"""The harness itself: an installation works when nobody hurts it, and the oracle sees damage."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, select, update

from prodapp.extensions import command, db
from prodapp.models import Dataset, ModelVersion, RunState, TrainingRun, VariableRanking
from tests.factories import make_csv
from tests.faults.conftest import MakeInstallation
from tests.faults.installation import Installation
from tests.faults.oracle import inspect
from tests.faults.programs import wait_for

pytestmark = pytest.mark.queue


@pytest.fixture
def finished(make_installation: MakeInstallation) -> Installation:
    """An installation in which one run has been trained and another one canceled."""
    installation = make_installation()
    installation.start()
    client = installation.client()
    dataset_id = client.upload(client.create_machine("Press 01"), make_csv())
    run_id = client.start_run(dataset_id)
    wait_for(lambda: client.run(run_id)["state"] == RunState.SUCCEEDED, what="a trained run")
    installation.workers[0].stop()
    client.cancel(client.start_run(dataset_id))
    return installation


def test_what_nobody_hurts_is_whole(finished: Installation) -> None:
    findings = inspect(finished)
    assert findings.wrong() == {}
    assert (findings.n_runs, findings.n_succeeded, findings.n_orphans) == (2, 1, 0)


def test_the_oracle_sees_every_kind_of_damage(finished: Installation) -> None:
    with finished.context(), command() as session:
        (version,) = session.scalars(select(ModelVersion)).all()
        dataset = session.scalars(select(Dataset)).one()
        session.execute(update(ModelVersion).values(number=2, is_champion=False))
        session.execute(delete(VariableRanking))
        session.execute(
            update(TrainingRun)
            .where(TrainingRun.id == version.run_id)
            .values(cancel_requested_at=version.created_at)
        )
        session.execute(
            update(TrainingRun)
            .where(TrainingRun.id != version.run_id)
            .values(cancel_requested_at=None, state=RunState.QUEUED)
        )
        db.session.expunge_all()
    files = finished.instance / "files"
    next(files.rglob(version.artifact_key)).write_bytes(b"damaged")
    next(files.rglob(str(dataset.table_key))).unlink()
    assert set(inspect(finished).wrong()) == {
        "lost",
        "unfinished",
        "doubled",
        "published_after_cancel",
        "half_visible",
        "damaged",
    }
