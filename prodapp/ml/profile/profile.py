"""The profile of a table: a role with its reason for each column, groups, order, leak suspects."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd

from prodapp.exceptions import N_
from prodapp.ml.profile.associations import Group, association_matrix, find_groups
from prodapp.ml.profile.leaks import Suspect, suspect_leaks
from prodapp.ml.profile.order import Order, find_order
from prodapp.ml.profile.sparklines import sparkline
from prodapp.ml.table import Column

_SKETCH_BINS: Final = 20
#: The most frequent value fills at least this share of the rows: no effect can be told.
_BARELY: Final = 0.98
_TINY_SPREAD: Final = 1e-4
_COPY: Final = 1 - 1e-9
_MAX_ASSOCIATED: Final = 500

_GROUP_NAME: Final = re.compile(
    r"(?:^|[^a-zà-ÿ])(?:batch|lote|lot|batelada|corrida|campanha|ordem|order|op|produto|product|"
    r"sku|turno|shift|operador|operator|equipe|crew|receita|recipe|subject|linha|line|material)"
    r"(?:$|[^a-zà-ÿ])",
    re.IGNORECASE,
)
_LEVER_NAME: Final = re.compile(
    r"(?:^|[^a-z])(?:sp|set ?point|setpoint|set|ref|referencia|referência|consigna|ajuste|alvo)"
    r"(?:$|[^a-z])",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class ColumnProfile:
    """One column; ``reason`` (a template filled from ``params``) says why the role is suggested.

    ``role``: "target", "lever" (the operator can set it), "context" (observed), "consequence"
    (states the target or is known only after it), "identifier", "time", "group", "constant" or
    "empty". ``duplicate_of`` names an earlier column with the same values, ``copy_of`` one that
    this is a straight-line copy of. ``group`` is the position of its group in
    :attr:`Profile.groups`. ``sketch`` holds counts of rows: over twenty equal steps from minimum
    to maximum, or of the most frequent classes. ``sparkline`` is the course of a number over the
    rows, see :func:`~prodapp.ml.profile.sparklines.sparkline`.
    """

    name: str
    role: str
    reason: str
    params: Mapping[str, Any] = field(default_factory=dict)
    barely_moved: bool = False
    most_frequent_share: float | None = None
    missing_share: float = 0.0
    duplicate_of: str | None = None
    copy_of: str | None = None
    group: int | None = None
    sketch: tuple[int, ...] = ()
    sparkline: tuple[float | None, ...] = ()


@dataclass(frozen=True)
class Profile:
    """What a table's columns and rows are. ``dataclasses.asdict`` of it can be written as JSON."""

    columns: tuple[ColumnProfile, ...]
    groups: tuple[Group, ...]
    order: Order
    suspects: tuple[Suspect, ...]
    target: str | None = None


def profile_table(
    frame: pd.DataFrame, columns: Sequence[Column], *, target: str | None = None
) -> Profile:
    """Profile ``frame``, whose ``columns`` are those of its :class:`~prodapp.ml.table.Table`.

    Leak suspects need a ``target``. Groups are of variables only: neither the target nor
    identifiers, and of the first 500 where there are more.
    """
    order = find_order(frame, columns)
    suspects = () if target is None else suspect_leaks(frame, columns, target=target)
    blamed = {suspect.name: suspect for suspect in suspects}
    variables = [
        column
        for column in columns
        if column.role == "feature"
        and column.kind in ("number", "category", "boolean")
        and column.name != target
    ][:_MAX_ASSOCIATED]
    names = [column.name for column in variables]
    groups = find_groups(names, association_matrix(frame, variables))
    group_of = {name: place for place, group in enumerate(groups) for name in group.names}
    duplicates, copies = _copies(frame, variables, groups)
    profiles = []
    for column in columns:
        series = frame[column.name]
        share = most_frequent_share(series, column)
        role, reason, params = _role(column, series, target=target, suspect=blamed.get(column.name))
        profiles.append(
            ColumnProfile(
                name=column.name,
                role=role,
                reason=reason,
                params=params,
                barely_moved=barely_moved(series, column, share),
                most_frequent_share=share,
                missing_share=column.n_missing / max(1, len(frame)),
                duplicate_of=duplicates.get(column.name),
                copy_of=copies.get(column.name),
                group=group_of.get(column.name),
                sketch=_sketch(series, column),
                sparkline=sparkline(series) if column.kind == "number" else (),
            )
        )
    return Profile(tuple(profiles), tuple(groups), order, suspects, target)


def _role(
    column: Column, series: pd.Series, *, target: str | None, suspect: Suspect | None
) -> tuple[str, str, Mapping[str, Any]]:
    if column.name == target:
        return "target", N_("Chosen by you."), {}
    if column.role != "feature":
        return column.role, column.role_reason or "", {}
    if suspect is not None:
        return "consequence", suspect.reason, suspect.params
    words = re.sub(r"[\W_]+", " ", column.name)
    is_label = column.kind in ("category", "boolean") or _is_whole(series, column)
    if is_label and _GROUP_NAME.search(words):
        return "group", N_("Its name is that of batches, products, shifts or the like."), {}
    if column.kind == "category" and _comes_in_blocks(series, column):
        return "group", N_("Each of its values fills one block of rows, as batches do."), {}
    if _LEVER_NAME.search(words):
        return "lever", N_("Its name is that of a set point."), {}
    if _is_set(series, column):
        return "lever", N_("It stays at a few values for many rows, as what an operator sets."), {}
    return "context", N_("It varies by itself; make it a lever if operators can set it."), {}


def _is_whole(series: pd.Series, column: Column) -> bool:
    if column.kind != "number" or column.n_distinct > 0.2 * max(1, len(series)):
        return False
    values = series.dropna().to_numpy(dtype=np.float64)
    return bool((values == np.floor(values)).all())


def _n_runs(series: pd.Series) -> int:
    values = series.to_numpy() if not hasattr(series, "cat") else series.cat.codes.to_numpy()
    return int(np.count_nonzero(values[1:] != values[:-1])) + 1


def _comes_in_blocks(series: pd.Series, column: Column) -> bool:
    return column.n_distinct >= 3 and _n_runs(series) == column.n_distinct < len(series) / 2


def _is_set(series: pd.Series, column: Column) -> bool:
    """Whether a number is held for long and moved in steps between a few values."""
    if column.kind != "number" or not 3 <= column.n_distinct <= 50 or len(series) < 100:
        return False
    return column.n_distinct < _n_runs(series) <= 0.1 * len(series)


def most_frequent_share(series: pd.Series, column: Column) -> float | None:
    """The share of the most frequent value; None where most values stand once."""
    if column.n_distinct == 0 or column.n_distinct > 0.5 * len(series):
        return None
    counts = series.value_counts()
    return float(counts.iloc[0] / counts.sum())


def barely_moved(series: pd.Series, column: Column, share: float | None) -> bool:
    """Whether no effect of the column can be told: it nearly always has one value (``share`` is
    that of the most frequent one), or hardly leaves it."""
    if column.role != "feature" or column.kind == "text":
        return False
    if share is not None and share >= _BARELY:
        return True
    if column.kind != "number":
        return False
    low, middle, high = np.nanquantile(series.to_numpy(dtype=np.float64), (0.01, 0.5, 0.99))
    return bool(high - low <= _TINY_SPREAD * abs(middle))


def _copies(
    frame: pd.DataFrame, variables: Sequence[Column], groups: Sequence[Group]
) -> tuple[dict[str, str], dict[str, str]]:
    """Column → an earlier one with equal values; column → one it is a straight line of."""
    kinds = {column.name: column.kind for column in variables}
    duplicates: dict[str, str] = {}
    copies: dict[str, str] = {}
    for group in groups:
        for place, name in enumerate(group.names):
            for other in group.names[:place]:
                if other in duplicates or kinds[name] != kinds[other]:
                    continue
                if frame[name].equals(frame[other]):
                    duplicates[name] = other
                    break
                if kinds[name] == "number" and _is_line(frame[name], frame[other]):
                    copies.setdefault(name, other)
    return duplicates, copies


def _is_line(first: pd.Series, second: pd.Series) -> bool:
    correlation = first.corr(second)
    return bool(abs(correlation) > _COPY)


def _sketch(series: pd.Series, column: Column) -> tuple[int, ...]:
    if column.kind == "number" and column.n_distinct > 1:
        values = series.to_numpy(dtype=np.float64)
        counts, _ = np.histogram(values[np.isfinite(values)], bins=_SKETCH_BINS)
        return tuple(int(count) for count in counts)
    if column.kind in ("category", "boolean"):
        return tuple(int(count) for count in series.value_counts().head(_SKETCH_BINS))
    return ()
