"""How imports move. Reading a file is idempotent: one that was lost simply starts again."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy.orm import Session

from prodapp.exceptions import N_
from prodapp.happenings import Happening, telling_ends
from prodapp.models import Dataset, DatasetState
from prodapp.models.workflow import Workflow


def _facts(_session: Session, dataset: Dataset) -> dict[str, Any]:
    """What other systems are told of an import that ended."""
    return {
        "dataset_id": dataset.id,
        "filename": dataset.filename,
        "n_rows": dataset.n_rows,
        "n_columns": dataset.n_columns,
    }


IMPORTS: Final = Workflow(
    name="dataset",
    kind="import",
    job="prodapp.datasets.jobs.import_dataset",
    model=Dataset,
    running=DatasetState.IMPORTING,
    ending=DatasetState.IMPORTING,
    succeeded=DatasetState.READY,
    failed=DatasetState.REFUSED,
    canceled=None,  # a deletion can be undone: the import then goes on
    unwanted_since="deleted_at",
    on_end=telling_ends(
        Dataset,
        {
            DatasetState.READY: Happening.DATASET_READY,
            DatasetState.REFUSED: Happening.DATASET_REFUSED,
        },
        facts=_facts,
    ),
    lost_message=N_(
        "The worker vanished %(times)s times in a row while it read this file. The file may be too "
        "large for the memory there is: split it, or ask the administrator."
    ),
)
