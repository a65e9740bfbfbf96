"""A further file of the same machine below the rows that are there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from prodapp.exceptions import N_
from prodapp.lazily import pd
from prodapp.ml.columns import text_kind
from prodapp.ml.table import Column, Remark


@dataclass(frozen=True)
class Appended:
    """The rows of both, ``kinds`` of the columns in order, and what was found on the way."""

    frame: pd.DataFrame
    kinds: tuple[str, ...]
    remarks: tuple[Remark, ...]
    n_repeated: int


def append_rows(
    first: pd.DataFrame,
    first_columns: Sequence[Column],
    second: pd.DataFrame,
    second_columns: Sequence[Column],
    *,
    time: str | None = None,
) -> Appended:
    """Put the rows of ``second`` below those of ``first``, columns matched by name.

    A column that only one of them has is missing in the other; one that is of numbers in one and
    of words in the other becomes words. Rows of ``second`` that are in ``first`` already (the same
    ``time`` and the same values in all common columns) are left out. Each of these is remarked.
    """
    kinds = {column.name: column.kind for column in first_columns}
    others = {column.name: column.kind for column in second_columns}
    remarks = _one_sided(kinds, others)
    repeated = _repeated(first, second, time, remarks)
    second = second.loc[~repeated]
    columns: dict[str, pd.Series] = {}
    merged: list[str] = []
    for name in dict.fromkeys([*first.columns, *second.columns]):
        kind, remark = _common_kind(name, kinds.get(name), others.get(name))
        remarks.extend([] if remark is None else [remark])
        parts = [
            _as_kind(frame.get(name), kind, len(frame), frame.index) for frame in (first, second)
        ]
        columns[name] = _joined(parts, kind)
        if kind in ("category", "boolean"):
            kind = text_kind(columns[name].cat.categories)
        merged.append(kind)
    return Appended(
        pd.DataFrame(columns), tuple(merged), tuple(remarks), int(np.count_nonzero(repeated))
    )


def _one_sided(kinds: dict[str, str], others: dict[str, str]) -> list[Remark]:
    remarks = []
    for name in [name for name in kinds if name not in others]:
        message = N_("“%(column)s” is not in the new file; it is missing in its rows.")
        remarks.append(Remark("column_missing", "warning", message, {"column": name}, column=name))
    for name in [name for name in others if name not in kinds]:
        message = N_("“%(column)s” is new; it is missing in the earlier rows.")
        remarks.append(Remark("column_new", "warning", message, {"column": name}, column=name))
    return remarks


def _common_kind(name: str, kind: str | None, other: str | None) -> tuple[str, Remark | None]:
    """The kind of a column of both files, and a warning where it changes."""
    present = [one for one in (kind, other) if one not in (None, "empty")]
    if len(set(present)) <= 1:
        return (present[0] if present else "empty"), None
    words = {"category", "boolean", "text"}
    if set(present) <= words:
        return ("text" if "text" in present else "category"), None
    message = N_(
        "“%(column)s” was of kind %(old)s and is of kind %(new)s in the new file; both were kept "
        "as words."
    )
    params = {"column": name, "old": kind, "new": other}
    return "category", Remark("column_retyped", "warning", message, params, column=name)


def _as_kind(series: pd.Series | None, kind: str, n_rows: int, index: pd.Index) -> pd.Series:
    if series is None or series.isna().all():
        dtype = {"number": "float64", "empty": "float64", "date": "datetime64[us]"}
        return pd.Series([None] * n_rows, index=index, dtype=dtype.get(kind, "object"))
    if kind in ("number", "date", "empty"):
        return series
    if series.dtype.kind == "f":
        return series.map(lambda value: f"{value:.15g}", na_action="ignore").astype(object)
    if series.dtype.kind == "M":
        return series.map(lambda value: value.isoformat(sep=" "), na_action="ignore").astype(object)
    return series.astype(object)


def _joined(parts: list[pd.Series], kind: str) -> pd.Series:
    if kind in ("number", "empty", "date"):
        values = np.concatenate([part.to_numpy() for part in parts])
        return pd.Series(values)
    words = pd.Series([value for part in parts for value in part], dtype="str")
    return words if kind == "text" else words.astype("category")


def _repeated(
    first: pd.DataFrame, second: pd.DataFrame, time: str | None, remarks: list[Remark]
) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Flags of the rows of ``second`` that ``first`` has; other values at a time are remarked."""
    none = np.zeros(len(second), dtype=bool)
    if time is None or time not in first or time not in second:
        return none
    known = second[time].isin(first[time].dropna()).to_numpy() & second[time].notna().to_numpy()
    if not known.any():
        return none
    common = [name for name in first.columns if name in second]
    keys = [
        frame[common].astype(object).astype(str).agg("\x1f".join, axis=1)
        for frame in (first.loc[first[time].isin(second[time])], second.loc[known])
    ]
    same = none.copy()
    same[known] = keys[1].isin(set(keys[0])).to_numpy()
    if same.any():
        message = N_("Rows that were there already left out: %(n)d.")
        remarks.append(
            Remark("repeated_rows", "info", message, {"n": int(same.sum())}, column=time)
        )
    other = known & ~same
    if other.any():
        message = N_("Rows at times that were there already, with other values, kept: %(n)d.")
        row = int(other.argmax()) + 1
        params = {"n": int(other.sum())}
        remarks.append(Remark("conflicting_rows", "warning", message, params, row=row, column=time))
    return same
