"""How batches move. Answering is idempotent: one that was lost simply starts again."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy.orm import Session

from prodapp.exceptions import N_
from prodapp.happenings import Happening, telling_ends
from prodapp.models import BatchState, PredictionBatch
from prodapp.models.workflow import Workflow


def _facts(_session: Session, batch: PredictionBatch) -> dict[str, Any]:
    """What other systems are told of a batch that ended."""
    return {
        "batch_id": batch.id,
        "version_id": batch.version_id,
        "filename": batch.filename,
        "n_rows": batch.n_rows,
        "n_new": batch.n_new,
    }


BATCHES: Final = Workflow(
    name="batch",
    kind="batch",
    job="prodapp.predictions.jobs.run_batch",
    model=PredictionBatch,
    running=BatchState.RUNNING,
    ending=BatchState.RUNNING,
    succeeded=BatchState.SUCCEEDED,
    failed=BatchState.FAILED,
    canceled=BatchState.CANCELED,
    unwanted_since="cancel_requested_at",
    on_end=telling_ends(
        PredictionBatch,
        {
            BatchState.SUCCEEDED: Happening.BATCH_SUCCEEDED,
            BatchState.FAILED: Happening.BATCH_FAILED,
        },
        facts=_facts,
    ),
    lost_message=N_(
        "The worker vanished %(times)s times in a row while it answered this file. The file may be "
        "too large for the memory there is: split it, or ask the administrator."
    ),
)
