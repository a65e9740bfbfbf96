"""One call from rows to a run, over the verbs of data sets and of training runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any

from prodapp.caller import Caller
from prodapp.datasets import service as datasets
from prodapp.ml.table import Preview
from prodapp.models import TrainingRun
from prodapp.training import service as training


def submit_file(
    caller: Caller,
    *,
    machine_id: int,
    source: IO[bytes],
    filename: str,
    specification: Mapping[str, Any],
    overrides: Mapping[str, str] | None = None,
    callback_url: str | None = None,
) -> TrainingRun:
    """Store a file and start a run on it.

    Raises as :func:`datasets.register_dataset` and :func:`training.start_run` do, before anything
    is stored: a wrong target leaves no data set behind.
    """
    dataset = datasets.register_dataset(
        caller,
        machine_id=machine_id,
        source=source,
        filename=filename,
        overrides=overrides,
        check=_fits(specification),
    )
    return training.start_run(
        caller, dataset_id=dataset.id, specification=specification, callback_url=callback_url
    )


def submit_records(
    caller: Caller,
    *,
    machine_id: int,
    records: Sequence[Mapping[str, Any]],
    specification: Mapping[str, Any],
) -> TrainingRun:
    """Store JSON records and start a run on them. Raises as :func:`submit_file` does."""
    dataset = datasets.register_records(
        caller, machine_id=machine_id, records=records, check=_fits(specification)
    )
    return training.start_run(caller, dataset_id=dataset.id, specification=specification)


def _fits(specification: Mapping[str, Any]) -> Callable[[Preview], None]:
    def check(preview: Preview) -> None:
        training.check_fit(specification, preview.columns, is_complete=preview.is_complete)

    return check
