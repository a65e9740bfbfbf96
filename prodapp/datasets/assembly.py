"""A data set put together from its own file and another data set of the same machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from prodapp.exceptions import DataRefused, FieldError, InvalidInput, N_
from prodapp.extensions import db
from prodapp.lazily import pd
from prodapp.ml.assembly import append_rows, join_by_time
from prodapp.ml.columns import describe_column
from prodapp.ml.table import Column, Remark, Table
from prodapp.models import Dataset, DatasetState
from prodapp.storage import storage

APPEND: Final = "append"
JOIN: Final = "join"


@dataclass(frozen=True)
class Assembly:
    """What the import does with the file once it is read.

    ``kind`` "append": its rows go below those of ``dataset_id``; rows that are there already, by
    their ``time`` and values, are left out. "join": the file holds laboratory results; each is
    joined to the row of ``dataset_id`` that was current at its time, ``laboratory_time`` less
    ``delay_minutes``, at most ``tolerance_minutes`` away; ``direction`` as
    :func:`prodapp.ml.assembly.join_by_time` has it. Times of ``None`` are found by the profile.
    """

    kind: str
    dataset_id: int
    time: str | None = None
    laboratory_time: str | None = None
    tolerance_minutes: float = 60.0
    direction: str = "backward"
    delay_minutes: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """A document that :meth:`from_json` takes back."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Assembly:
        """The assembly of a stored document; keys of a later release are passed over."""
        known = cls.__dataclass_fields__.keys()
        return cls(**{key: document[key] for key in document.keys() & known})


def check_assembly(assembly: Assembly, dataset: Dataset) -> Dataset:
    """The other data set, if it fits. Raises :class:`InvalidInput`."""
    pointer = "/append_to" if assembly.kind == APPEND else "/join_to"
    other = db.session.get(Dataset, assembly.dataset_id)
    is_there = (
        other is not None
        and other.deleted_at is None
        and other.machine_id == dataset.machine_id
        and other.state == DatasetState.READY
    )
    if other is None or not is_there:
        message = N_("The machine has no data set %(id)s that is ready.")
        params: dict[str, Any] = {"id": assembly.dataset_id}
        field = FieldError(f"{pointer}/dataset_id", message, params)
        raise InvalidInput(message, fields=(field,), **params)
    for name, preview in (
        ("time", other.preview),
        ("laboratory_time", dataset.preview if assembly.kind == JOIN else other.preview),
    ):
        column = getattr(assembly, name)
        if column is not None and column not in time_columns(preview):
            message = N_("“%(column)s” holds no times.")
            params = {"column": column}
            field = FieldError(f"{pointer}/{name}", message, params)
            raise InvalidInput(message, fields=(field,), **params)
    return other


def assembled(assembly: Assembly, table: Table, preview: Mapping[str, Any]) -> Table:
    """``table`` and the other data set in one; ``preview`` is that of the file.

    Remarks are those of the file, then what was found on the way. Raises :class:`DataRefused`
    where the other one is gone, or nothing comes together.
    """
    other = db.session.get(Dataset, assembly.dataset_id)
    if other is None or other.deleted_at is not None or other.table_key is None:
        raise DataRefused(
            N_("The data set %(id)s that this file belongs to was deleted. Upload it again alone."),
            code="assembly_gone",
            id=assembly.dataset_id,
        )
    with storage().local_path(other.table_key) as path:
        frame = pd.read_parquet(path)
    time = assembly.time or _first_time(other.preview)
    if assembly.kind == APPEND:
        columns = _stored_columns(other.preview)
        found = append_rows(frame, columns, table.frame, table.columns, time=time)
        kinds = dict(zip(found.frame.columns, found.kinds, strict=True))
        return _table(table, found.frame, kinds, other.preview, found.remarks)
    joined = join_by_time(
        frame,
        table.frame,
        time=time or "",
        laboratory_time=assembly.laboratory_time or _first_time(preview) or "",
        tolerance_minutes=assembly.tolerance_minutes,
        direction=assembly.direction,
        delay_minutes=assembly.delay_minutes,
    )
    if joined.frame.empty:
        raise DataRefused(
            N_(
                "No laboratory sample has production data within %(minutes)g minutes. Check the "
                "columns of times, or allow more time between them."
            ),
            code="nothing_joined",
            minutes=assembly.tolerance_minutes,
        )
    own = {column.name: column.kind for column in table.columns}
    kinds = {f"{name} (lab)": kind for name, kind in own.items()} | own
    kinds |= {column["name"]: column["kind"] for column in other.preview["columns"]}
    return _table(table, joined.frame, kinds, other.preview, joined.remarks)


def _table(
    table: Table,
    frame: pd.DataFrame,
    kinds: Mapping[str, str],
    preview: Mapping[str, Any],
    remarks: tuple[Remark, ...],
) -> Table:
    units = {column["name"]: column.get("unit") for column in preview["columns"]}
    units |= {column.name: column.unit for column in table.columns if column.unit}
    columns = tuple(
        describe_column(frame[name], name=name, kind=kinds[name], unit=units.get(name))
        for name in frame.columns
    )
    return Table(frame, table.dialect, table.decisions, (*table.remarks, *remarks), columns)


def time_columns(preview: Mapping[str, Any]) -> list[str]:
    """The columns of a previewed file by which it can be put in time."""
    return [column["name"] for column in preview["columns"] if column["kind"] == "date"]


def _first_time(preview: Mapping[str, Any]) -> str | None:
    """The column that orders the rows, else the first of dates."""
    by = ((preview.get("profile") or {}).get("order") or {}).get("by")
    return by or next(iter(time_columns(preview)), None)


def _stored_columns(preview: Mapping[str, Any]) -> list[Column]:
    known = Column.__dataclass_fields__.keys()
    return [
        Column(**{key: column[key] for key in column.keys() & known})
        for column in preview["columns"]
    ]
