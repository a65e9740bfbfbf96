"""The work of a training run, given its id: claim, read, train, store, publish in one commit."""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass, replace
from functools import partial

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from prodapp import failpoints
from prodapp.artifacts import store_artifact
from prodapp.claims import carry_out, patiently, pulse_of
from prodapp.extensions import command, db
from prodapp.ml.artifact import dump_pipeline
from prodapp.ml.held_out import dump_held_out
from prodapp.ml.specification import Specification
from prodapp.ml.training import Findings, Purpose, TrainingResult, train
from prodapp.ml.trust.alarms import damage_alarms
from prodapp.models import Dataset, Machine, ModelVersion, TrainingRun, VariableRanking
from prodapp.models.lease import Lease
from prodapp.storage import StoredFile, storage
from prodapp.training.evidence import evidence_document, metrics_document, ranking_row
from prodapp.training.promotion import Trial, publish_promotion, try_against_champion
from prodapp.training.tables import table_of
from prodapp.training.workflow import RUNS, begin_publishing
from prodapp.variables import TableSettings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Files:
    """What a version keeps beside its rows."""

    artifact: StoredFile
    signature: str
    held_out: StoredFile


def run_training(run_id: int) -> None:
    """Do the run's work once, whatever happens; a delivery that comes twice does nothing."""
    carry_out(RUNS, run_id, _train_and_publish)


def _train_and_publish(run: TrainingRun, lease: Lease) -> None:
    dataset = db.session.get_one(Dataset, run.dataset_id)
    pulse = pulse_of(RUNS, lease)
    pulse("reading", 0.0)
    table = table_of(run, dataset)
    failpoints.reach("run.read")
    result = train(
        table.frame,
        table.columns,
        Specification.from_json(run.specification),
        progress=pulse,
        purpose=_purpose_of(run, dataset),
    )
    result = replace(
        result,
        remarks=(*table.remarks, *result.remarks),
        findings=_with_damage(result, run, dataset),
    )
    failpoints.reach("run.trained")
    trial = try_against_champion(run, table, result)
    patiently(partial(_begin_publishing, lease))
    failpoints.reach("run.storing")
    # The file is whole and durable before any row speaks of it; a crash in between leaves an
    # unreferenced file, which the sweep removes.
    artifact, signature = store_artifact(dump_pipeline(result.pipeline), run_id=run.id)
    files = _Files(
        artifact=artifact,
        signature=signature,
        held_out=storage().put(io.BytesIO(dump_held_out(result.tested.thinned()))),
    )
    failpoints.reach("run.stored")
    patiently(partial(_publish, run, lease, result, files, trial))
    failpoints.reach("run.published")
    log.info("run %s: published", run.id)


def _purpose_of(run: TrainingRun, dataset: Dataset) -> Purpose:
    """What people said can be set and is wanted, where it is of this target."""
    settings = TableSettings.from_json(dataset.settings)
    levers = tuple(column.name for column in settings.columns if column.role == "lever")
    if settings.target != run.target:
        return Purpose(levers)
    return Purpose(levers, settings.sense, settings.goal)


def _with_damage(result: TrainingResult, run: TrainingRun, dataset: Dataset) -> Findings:
    """The findings, and what intake saw of damage in the columns that the ranking rests on."""
    names = [run.target, *(item.feature for item in result.ranking)]
    damage = damage_alarms(dataset.preview.get("remarks", ()), names)
    return replace(result.findings, alarms=(*result.findings.alarms, *damage))


def _begin_publishing(lease: Lease) -> None:
    with command() as session:
        begin_publishing(session, lease)


def _publish(
    run: TrainingRun, lease: Lease, result: TrainingResult, files: _Files, trial: Trial | None
) -> None:
    """Everything that a page shows, in the transaction that ends the run."""
    with command() as session:
        RUNS.succeed(session, lease)
        _add_version(session, run, result, files, trial)
        failpoints.reach("run.publishing")


def _add_version(
    session: Session,
    run: TrainingRun,
    result: TrainingResult,
    files: _Files,
    trial: Trial | None,
) -> None:
    # Two runs of one machine may publish at the same time: its row puts them in order.
    session.execute(select(Machine.id).where(Machine.id == run.machine_id).with_for_update())
    number = session.scalar(
        select(func.coalesce(func.max(ModelVersion.number), 0)).where(
            ModelVersion.machine_id == run.machine_id
        )
    )
    version = ModelVersion(
        site_id=run.site_id,
        machine_id=run.machine_id,
        run_id=run.id,
        dataset_id=run.dataset_id,
        number=(number or 0) + 1,
        target=run.target,
        specification=run.specification,
        metrics=metrics_document(result),
        evidence=evidence_document(result),
        reference=result.reference.to_json(),
        library_versions=dict(result.library_versions),
        artifact_key=files.artifact.key,
        artifact_signature=files.signature,
        artifact_bytes=files.artifact.size,
        held_out_key=files.held_out.key,
        ranking=[VariableRanking(**ranking_row(item)) for item in result.ranking],
    )
    session.add(version)
    publish_promotion(session, version, trial)
