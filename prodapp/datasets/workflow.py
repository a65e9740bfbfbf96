"""How imports move. Reading a file is idempotent: one that was lost simply starts again."""

from __future__ import annotations

from typing import Final

from prodapp.exceptions import N_
from prodapp.models import Dataset, DatasetState
from prodapp.models.workflow import Workflow

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
    lost_message=N_(
        "The worker vanished %(times)s times in a row while it read this file. The file may be too "
        "large for the memory there is: split it, or ask the administrator."
    ),
)
