"""The table that a run is trained on: the stored one, without the rows that are left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prodapp.exceptions import N_
from prodapp.lazily import pd
from prodapp.ml.assembly import exclude, exclusion_from
from prodapp.ml.columns import describe_column
from prodapp.ml.table import Column, Remark
from prodapp.models import Dataset, TrainingRun
from prodapp.storage import storage
from prodapp.training.columns import columns_of, stored_columns, with_roles
from prodapp.variables import TableSettings


@dataclass(frozen=True)
class TrainingTable:
    """Rows, what their columns are, and what there is to say about those left out."""

    frame: pd.DataFrame
    columns: Sequence[Column]
    remarks: tuple[Remark, ...] = ()


def kept_exclusions(documents: Sequence[Mapping[str, Any]] | None) -> list[dict[str, Any]]:
    """A data set's exclusions as a run keeps them, without their counts."""
    return [
        {key: value for key, value in document.items() if key != "n_rows"}
        for document in documents or ()
    ]


def table_of(run: TrainingRun, dataset: Dataset) -> TrainingTable:
    """What ``run`` is trained on; its own exclusions count, whatever became of the data set's."""
    if dataset.table_key is None:
        raise RuntimeError(f"data set {dataset.id} was dispatched before its import")
    with storage().local_path(dataset.table_key) as path:
        frame = pd.read_parquet(path)
    if not run.exclusions:
        return TrainingTable(frame, columns_of(dataset))
    exclusions = [exclusion_from(document) for document in run.exclusions]
    found = exclude(frame, exclusions)
    kept = found.frame.reset_index(drop=True)
    # What is constant or counts the rows may be others among those that remain.
    columns = [
        describe_column(kept[column.name], name=column.name, kind=column.kind, unit=column.unit)
        for column in stored_columns(dataset)
    ]
    remarks = tuple(
        _remark(count, exclusion.label)
        for exclusion, count in zip(exclusions, found.counts, strict=True)
    )
    settings = TableSettings.from_json(dataset.settings)
    return TrainingTable(kept, with_roles(columns, settings), remarks)


def _remark(count: int, label: str) -> Remark:
    if label:
        message = N_("Rows left out as “%(label)s”: %(n)d.")
        return Remark("rows_left_out", "info", message, {"label": label, "n": count})
    return Remark("rows_left_out", "info", N_("Rows left out: %(n)d."), {"n": count})
