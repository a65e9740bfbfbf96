"""Rows of a data set that are left out of training: counted here, applied when a run reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import update

from prodapp import audit
from prodapp.auth.objects import dataset_of, hold_dataset
from prodapp.caller import Caller
from prodapp.exceptions import Conflict, InvalidInput, N_
from prodapp.extensions import command, db
from prodapp.lazily import pd
from prodapp.ml.assembly import Exclusion, exclude, exclusion_from
from prodapp.ml.specification import MIN_SAMPLES
from prodapp.models import Dataset, DatasetState
from prodapp.storage import storage

MAX_EXCLUSIONS = 100


def set_exclusions(
    caller: Caller, dataset_id: int, *, exclusions: Sequence[Mapping[str, Any]]
) -> Dataset:
    """Leave rows out of the runs that are started from now on, in place of those left out before.

    ``exclusions`` are documents of :class:`prodapp.ml.assembly.Exclusion`. Raises
    :class:`NotFound`, :class:`Conflict` before the data are ready, and :class:`InvalidInput` for
    what does not fit them.
    """
    dataset = dataset_of(caller, dataset_id)
    if dataset.state != DatasetState.READY:
        raise Conflict(N_("Rows can be left out once the file has been read."))
    found = counted(dataset, exclusions)
    with command() as session:
        hold_dataset(session, dataset.id)
        session.execute(
            update(Dataset).where(Dataset.id == dataset.id).values(exclusions=found or None)
        )
        after = {"exclusions": [{"label": one["label"], "n_rows": one["n_rows"]} for one in found]}
        audit.record(session, caller, "dataset.excluded", f"dataset:{dataset.id}", after=after)
    db.session.refresh(dataset)
    return dataset


def counted(dataset: Dataset, documents: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The exclusions as they are kept, each with ``n_rows``: how many rows it takes.

    A row that several would take counts for the first. Raises :class:`InvalidInput` for what does
    not fit the columns, and where too few rows would remain.
    """
    exclusions = [exclusion_from(document) for document in documents]
    found = exclude(_columns_needed(dataset, exclusions), exclusions)
    if len(found.frame) < MIN_SAMPLES:
        raise InvalidInput(
            N_("Only %(n)d rows would remain; training needs at least %(limit)d."),
            n=len(found.frame),
            limit=MIN_SAMPLES,
        )
    return [
        {**asdict(exclusion), "n_rows": count}
        for exclusion, count in zip(exclusions, found.counts, strict=True)
    ]


def _columns_needed(dataset: Dataset, exclusions: Sequence[Exclusion]) -> pd.DataFrame:
    """Nothing but the columns that are compared: the table may be large."""
    if dataset.table_key is None or dataset.n_rows is None:
        raise RuntimeError(f"data set {dataset.id} has no table yet")
    names = {condition.column for exclusion in exclusions for condition in exclusion.conditions}
    names |= {exclusion.time for exclusion in exclusions if exclusion.time}
    known = [column["name"] for column in dataset.preview["columns"] if column["name"] in names]
    if not known:
        return pd.DataFrame(index=range(dataset.n_rows))
    with storage().local_path(dataset.table_key) as path:
        return pd.read_parquet(path, columns=known)
