"""The work of a training run, given its id: claim, read, train, store, publish in one commit."""

from __future__ import annotations

import io
import logging
import math
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from prodapp import failpoints
from prodapp.claims import carry_out, patiently, pulse_of
from prodapp.extensions import command, db
from prodapp.ml.artifact import dump_pipeline
from prodapp.ml.held_out import dump_held_out
from prodapp.ml.specification import Specification
from prodapp.ml.training import TrainingResult, train
from prodapp.models import Dataset, Machine, ModelVersion, TrainingRun, VariableRanking
from prodapp.models.lease import Lease
from prodapp.storage import StoredFile, storage
from prodapp.training import transitions
from prodapp.training.promotion import Trial, publish_promotion, try_against_champion
from prodapp.training.tables import table_of

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Files:
    """What a version keeps beside its rows."""

    artifact: StoredFile
    held_out: StoredFile


def run_training(run_id: int) -> None:
    """Do the run's work once, whatever happens; a delivery that comes twice does nothing."""
    carry_out(transitions, run_id, _train_and_publish)


def _train_and_publish(run: TrainingRun, lease: Lease) -> None:
    dataset = db.session.get_one(Dataset, run.dataset_id)
    pulse = pulse_of(transitions, lease)
    pulse("reading", 0.0)
    table = table_of(run, dataset)
    failpoints.reach("run.read")
    result = train(
        table.frame, table.columns, Specification.from_json(run.specification), progress=pulse
    )
    result = replace(result, remarks=(*table.remarks, *result.remarks))
    failpoints.reach("run.trained")
    trial = try_against_champion(run, table, result)
    patiently(partial(_begin_publishing, lease))
    failpoints.reach("run.storing")
    # The file is whole and durable before any row speaks of it; a crash in between leaves an
    # unreferenced file, which the sweep removes.
    files = _Files(
        artifact=storage().put(io.BytesIO(dump_pipeline(result.pipeline))),
        held_out=storage().put(io.BytesIO(dump_held_out(result.tested.thinned()))),
    )
    failpoints.reach("run.stored")
    patiently(partial(_publish, run, lease, result, files, trial))
    failpoints.reach("run.published")
    log.info("run %s: published", run.id)


def _begin_publishing(lease: Lease) -> None:
    with command() as session:
        transitions.begin_publishing(session, lease)


def _publish(
    run: TrainingRun, lease: Lease, result: TrainingResult, files: _Files, trial: Trial | None
) -> None:
    """Everything that a page shows, in the transaction that ends the run."""
    with command() as session:
        transitions.succeed(session, lease)
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
        metrics=_metrics(result),
        evidence=_evidence(result),
        library_versions=dict(result.library_versions),
        artifact_key=files.artifact.key,
        artifact_bytes=files.artifact.size,
        held_out_key=files.held_out.key,
        ranking=[VariableRanking(**_ranking_row(item)) for item in result.ranking],
    )
    session.add(version)
    publish_promotion(session, version, trial)


def _metrics(result: TrainingResult) -> dict[str, Any]:
    classes = None if result.classes is None else asdict(result.classes)
    return {**asdict(result.metrics), "classes": classes}


def _evidence(result: TrainingResult) -> dict[str, Any]:
    """What stands behind the ranking, for the page that shows how it was made."""
    return {
        "gap": asdict(result.validation.gap),
        "validation": _validation(result),
        "target_class": None if result.classes is None else result.classes.target_class,
        "scale": result.scale,
        "algorithm": result.algorithm,
        "hyperparameters": dict(result.hyperparameters),
        "comparison": _comparison(result),
        "tuning": _tuning(result),
        "n_explained": result.n_explained,
        "ties": [list(names) for names in result.ties],
        "trust": _trust(result),
        "interactions": [asdict(pair) for pair in result.interactions],
        "split": result.plan.scheme,
        "stage_seconds": dict(result.stage_seconds),
        "left_out": [list(pair) for pair in result.left_out],
        "held_out": [list(pair) for pair in result.held_out],
        "remarks": [asdict(remark) for remark in result.remarks],
    }


def _trust(result: TrainingResult) -> dict[str, Any] | None:
    """Verdicts and rank intervals; a bound that is not finite is none."""
    found = result.assessment
    if found is None:
        return None
    return {
        "variables": {
            name: {**_finite(asdict(verdict)), **asdict(found.ranks[name])}
            for name, verdict in found.verdicts.items()
        },
        "groups": [
            {
                **_finite(asdict(group.verdict)),
                "members": list(group.members),
                "is_parted": group.is_parted,
            }
            for group in found.groups
        ],
    }


def _finite(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in values.items()
    }


def _validation(result: TrainingResult) -> dict[str, Any]:
    """How samples were held out and why, and the scores by fold."""
    plan = result.plan
    return {
        "scheme": plan.scheme,
        "reason": plan.reason,
        "params": dict(plan.params),
        "column": plan.column,
        "gap_rows": plan.gap,
        "n_repeats": result.validation.n_repeats,
        "folds": [asdict(score) for score in result.validation.scores],
    }


def _tuning(result: TrainingResult) -> dict[str, Any] | None:
    found = result.tuning
    if found is None:
        return None
    return {
        "method": found.method,
        "trials": [asdict(trial) for trial in found.trials],
        "n_folds": found.n_folds,
        "n_samples": found.n_samples,
    }


def _comparison(result: TrainingResult) -> dict[str, Any] | None:
    found = result.comparison
    if found is None:
        return None
    return {
        "leaderboard": [asdict(row) for row in found.leaderboard],
        "n_folds": found.n_folds,
        "n_samples": found.n_samples,
    }


def _ranking_row(item: Any) -> dict[str, Any]:
    return {**asdict(item), "dependence": [list(point) for point in item.dependence]}
