"""How batches move. Answering is idempotent: one that was lost simply starts again."""

from __future__ import annotations

from typing import Final

from prodapp.exceptions import N_
from prodapp.models import BatchState, PredictionBatch
from prodapp.models.workflow import Workflow

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
    lost_message=N_(
        "The worker vanished %(times)s times in a row while it answered this file. The file may be "
        "too large for the memory there is: split it, or ask the administrator."
    ),
)
